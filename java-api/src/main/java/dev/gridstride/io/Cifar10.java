package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Files of the CIFAR-10 data set in its binary version: records of one byte for the class, 0 to 9,
 * and 3,072 for the image, the red plane row by row, then the green and the blue one.
 *
 * <p>Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and the
 * description on its page.
 */
public final class Cifar10 {
  /** The classes by their numbers. */
  public static final List<String> CLASSES =
      List.of(
          "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

  private static final int SIDE = 32;
  private static final int IMAGE = 3 * SIDE * SIDE;
  private static final int RECORD = 1 + IMAGE;
  private static final int CHUNK = 64;

  private Cifar10() {}

  /**
   * Images and their classes.
   *
   * @param images u8 {@code [n, 3, 32, 32]}
   * @param labels i64 {@code [n]}
   */
  public record Pictures(Tensor images, Tensor labels) {}

  /**
   * Reads files one after another.
   *
   * @return new tensors, which belong to the current scope or the caller
   * @throws FormatException when a file is not a whole number of records, or a class is above 9
   * @throws FileException when a file can't be read
   */
  public static Pictures read(Device device, List<Path> files) {
    long records = 0;
    var sizes = new long[files.size()];
    for (int i = 0; i < sizes.length; i++) {
      try (var file = MappedFile.open(files.get(i), false)) {
        sizes[i] = file.size();
        if (sizes[i] % RECORD != 0) {
          throw FormatException.of(
              file.path(),
              "size",
              "must be a multiple of the record's " + RECORD + " bytes",
              "bytes=%d",
              sizes[i]);
        }
        records = Math.addExact(records, sizes[i] / RECORD);
      }
    }
    var made = new ArrayList<Tensor>(2);
    boolean done = false;
    try {
      made.add(Tensor.empty(device, DType.U8, records, 3, SIDE, SIDE));
      made.add(Tensor.empty(device, DType.I64, records));
      try (var classes = new NumberSink(made.getLast())) {
        long from = 0;
        for (int i = 0; i < sizes.length; i++) {
          from = readFile(files.get(i), sizes[i], made.getFirst(), from, classes);
        }
        classes.flush();
      }
      done = true;
      return new Pictures(made.getFirst(), made.getLast());
    } finally {
      if (!done) {
        made.forEach(Tensor::close);
      }
    }
  }

  /** Reads the records of a file, which begin with number {@code from}; returns the next number. */
  private static long readFile(Path path, long size, Tensor images, long from, NumberSink classes) {
    try (var file = MappedFile.open(path, false)) {
      if (file.size() != size) {
        throw new FileException(
            path, "was changed while it was being read; bytes=" + size + ", now=" + file.size());
      }
      return file.guard(() -> copy(file, images, from, classes));
    }
  }

  private static long copy(MappedFile file, Tensor images, long from, NumberSink classes) {
    long n = file.size() / RECORD;
    try (Arena arena = Arena.ofConfined()) { // so many images at once
      MemorySegment chunk = arena.allocate((long) CHUNK * IMAGE, 64);
      for (long i = 0; i < n; i++) {
        long at = i * RECORD;
        int label = file.bytes().get(ValueLayout.JAVA_BYTE, at) & 0xFF;
        if (label >= CLASSES.size()) {
          throw FormatException.of(
              file.path(), "record " + i, "must have a class of 0 to 9", "class=%d", label);
        }
        classes.add(label);
        long held = i % CHUNK + 1;
        MemorySegment.copy(file.bytes(), at + 1, chunk, (held - 1) * IMAGE, IMAGE);
        if (held == CHUNK || i == n - 1) {
          images
              .buffer()
              .slice((from + i + 1 - held) * IMAGE, held * IMAGE)
              .copyFrom(chunk.asSlice(0, held * IMAGE));
        }
      }
    }
    return from + n;
  }
}
