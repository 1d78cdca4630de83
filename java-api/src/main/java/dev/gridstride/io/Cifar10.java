package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
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
    for (Path path : files) {
      try (var file = MappedFile.open(path, false)) {
        if (file.size() % RECORD != 0) {
          throw FormatException.of(
              path,
              "size",
              "must be a multiple of the record's " + RECORD + " bytes",
              "bytes=%d",
              file.size());
        }
        records += file.size() / RECORD;
      }
    }
    var pixels = new byte[Math.multiplyExact(Math.toIntExact(records), IMAGE)];
    var classes = new long[(int) records];
    int at = 0;
    for (Path path : files) {
      try (var file = MappedFile.open(path, false)) {
        int from = at;
        at = file.guard(() -> copy(file, pixels, classes, from));
      }
    }
    return new Pictures(
        Tensors.of(device, DType.U8, MemorySegment.ofArray(pixels), records, 3, SIDE, SIDE),
        Tensors.of(device, classes, records));
  }

  /** Copies a file's records from number {@code from} on; returns the number after the last. */
  private static int copy(MappedFile file, byte[] pixels, long[] classes, int from) {
    int n = (int) Math.min(file.size() / RECORD, classes.length - from); // it may have grown
    for (int i = 0; i < n; i++) {
      long at = (long) i * RECORD;
      int label = file.bytes().get(ValueLayout.JAVA_BYTE, at) & 0xFF;
      if (label >= CLASSES.size()) {
        throw FormatException.of(
            file.path(), "record " + i, "must have a class of 0 to 9", "class=%d", label);
      }
      classes[from + i] = label;
      MemorySegment.copy(
          file.bytes(), ValueLayout.JAVA_BYTE, at + 1, pixels, (from + i) * IMAGE, IMAGE);
    }
    return from + n;
  }
}
