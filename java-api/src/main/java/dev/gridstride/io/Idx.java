package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * Files in the IDX format of the MNIST data sets, plain or compressed with gzip.
 *
 * <p>Element types: unsigned byte (u8), signed byte and short (both widened to i32), int (i32),
 * float (f32), double (f64); big-endian in the file. Source: the description on the MNIST page of
 * Y. LeCun.
 */
public final class Idx {
  private static final int CHUNK = 1 << 16;

  /** A file below this ratio is inflated once; above it, its size is counted first. */
  private static final long USUAL_RATIO = 16;

  private Idx() {}

  private record Header(int width, DType dtype, long[] dims, int length) {
    long bytes() {
      return SafetensorsFile.bytes(dims, width);
    }
  }

  /**
   * Reads a file; gzip is recognised by its first bytes, not by the name.
   *
   * @return a row-major tensor of the sizes in the file
   * @throws FormatException when a rule of either format is broken
   * @throws FileException when the file can't be read
   */
  public static Tensor read(Device device, Path path) {
    try (var file = MappedFile.open(path, false)) {
      return read(device, file);
    }
  }

  static Tensor read(Device device, MappedFile file) {
    var made = new ArrayList<Tensor>(1);
    boolean done = false;
    try {
      Tensor x =
          file.guard(() -> {
            try {
              return isGzip(file)
                  ? readCompressed(device, file, made)
                  : readPlain(device, file, made);
            } catch (IOException e) {
              throw failure(file.path(), e);
            }
          });
      done = true;
      return x;
    } finally {
      if (!done) {
        made.forEach(Tensor::close);
      }
    }
  }

  private static boolean isGzip(MappedFile file) {
    return file.size() >= 2
        && file.bytes().get(ValueLayout.JAVA_BYTE, 0) == 0x1F
        && file.bytes().get(ValueLayout.JAVA_BYTE, 1) == (byte) 0x8B;
  }

  private static Tensor readPlain(Device device, MappedFile file, List<Tensor> made)
      throws IOException {
    try (InputStream in = file.stream()) {
      Header header = readHeader(file.path(), in);
      checkSize(file.path(), header, file.size() - header.length);
      return fill(device, file.path(), header, in, made);
    }
  }

  private static Tensor readCompressed(Device device, MappedFile file, List<Tensor> made)
      throws IOException {
    try (InputStream in = new GZIPInputStream(file.stream(), CHUNK)) {
      Header header = readHeader(file.path(), in);
      // a header's claim is believed as far as real images go; beyond, the bytes are counted
      if (header.bytes() < 0 || header.bytes() / USUAL_RATIO > file.size()) {
        long found = 0;
        var chunk = new byte[CHUNK];
        for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
          found += n;
        }
        checkSize(file.path(), header, found);
      }
    }
    try (InputStream in = new GZIPInputStream(file.stream(), CHUNK)) {
      return fill(device, file.path(), readHeader(file.path(), in), in, made);
    }
  }

  /** The file is in memory: only the decompression can fail. */
  private static FormatException failure(Path path, IOException e) {
    String why = e instanceof EOFException ? "ends too early" : "is damaged: " + e.getMessage();
    return new FormatException(path, "gzip", why, e);
  }

  private static Header readHeader(Path path, InputStream in) throws IOException {
    byte[] magic = in.readNBytes(4);
    if (magic.length < 4 || magic[0] != 0 || magic[1] != 0) {
      throw new FormatException(
          path, "byte 0", "must begin with two zero bytes, the type and the number of dimensions");
    }
    int rank = magic[3] & 0xFF;
    if (rank > SafetensorsFile.MAX_RANK) {
      throw FormatException.of(path, "byte 3", "must have at most 64 dimensions", "rank=%d", rank);
    }
    byte[] sizes = in.readNBytes(4 * rank);
    if (sizes.length < 4 * rank) {
      throw FormatException.of(
          path, "byte 4", "must hold a size for each dimension", "rank=%d", rank);
    }
    var dims = new long[rank];
    for (int i = 0; i < rank; i++) {
      for (int b = 0; b < 4; b++) {
        dims[i] = dims[i] << 8 | (sizes[4 * i + b] & 0xFF);
      }
    }
    int length = 4 + sizes.length;
    return switch (magic[2]) {
      case 0x08 -> new Header(1, DType.U8, dims, length);
      case 0x09 -> new Header(1, DType.I32, dims, length);
      case 0x0B -> new Header(2, DType.I32, dims, length);
      case 0x0C -> new Header(4, DType.I32, dims, length);
      case 0x0D -> new Header(4, DType.F32, dims, length);
      case 0x0E -> new Header(8, DType.F64, dims, length);
      default ->
          throw FormatException.of(
              path,
              "byte 2",
              "type must be 0x08, 0x09, 0x0B, 0x0C, 0x0D or 0x0E",
              "type=0x%02X",
              magic[2]);
    };
  }

  private static void checkSize(Path path, Header header, long found) {
    if (header.bytes() != found) {
      throw FormatException.of(
          path,
          "data",
          "must have the size that the header gives",
          "sizes=%s, bytes of an element=%d, bytes after the header=%d",
          Arrays.toString(header.dims),
          header.width,
          found);
    }
  }

  /** Reads exactly the data and the end of the stream, into a tensor that it adds to the list. */
  private static Tensor fill(
      Device device, Path path, Header header, InputStream in, List<Tensor> made)
      throws IOException {
    if (SafetensorsFile.bytes(header.dims, 8) < 0) {
      throw new FormatException(path, "byte 4", "the sizes exceed what can be addressed");
    }
    Tensor x = Tensor.empty(device, header.dtype, header.dims);
    made.add(x);
    var chunk = new byte[Math.clamp(header.bytes(), 1, CHUNK)];
    var widened = new byte[chunk.length / header.width * header.dtype.bytes()];
    MemorySegment target = MemorySegment.ofArray(widened);
    long at = 0;
    long filled = 0;
    while (at < header.bytes()) {
      int wanted = (int) Math.min(chunk.length, header.bytes() - at);
      int n = in.readNBytes(chunk, 0, wanted);
      if (n < wanted) {
        checkSize(path, header, at + n);
      }
      int m = convert(header, chunk, n, target);
      x.buffer().slice(filled, m).copyFrom(target.asSlice(0, m));
      at += n;
      filled += m;
    }
    if (in.read() >= 0) { // on a gzip stream this also checks the sum at its end
      throw new FormatException(path, "data", "bytes follow what the header gives");
    }
    return x;
  }

  /** Converts {@code n} bytes of the file; returns the number of bytes of the result. */
  private static int convert(Header header, byte[] chunk, int n, MemorySegment target) {
    MemorySegment source = MemorySegment.ofArray(chunk).asSlice(0, n);
    int count = n / header.width;
    if (header.width == header.dtype.bytes()) {
      MappedFile.swap(source, target, header.width);
    } else {
      for (int i = 0; i < count; i++) {
        int value = header.width == 1 ? chunk[i] : chunk[2 * i] << 8 | (chunk[2 * i + 1] & 0xFF);
        target.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, value);
      }
    }
    return count * header.dtype.bytes();
  }
}
