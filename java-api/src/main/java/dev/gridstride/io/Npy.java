package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Layout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Files of one array in NumPy's npy format.
 *
 * <p>Reads the versions 1 to 3, both byte orders, both element orders: an array in Fortran order
 * becomes a tensor with Fortran strides, its memory as in the file. Types: {@code f8 f4 f2 i8 i4 u1
 * b1}. NumPy has no bfloat16: such arrays are stored as {@code u2} (or {@code V2}) and read with
 * {@link #readBf16}. The file must end with the array. Source: NumPy's description of the format
 * (numpy.lib.format).
 */
public final class Npy {
  private Npy() {}

  /**
   * Reads an array.
   *
   * @throws FormatException when a rule of the format is broken or tensors have no such type
   * @throws FileException when the file can't be read
   */
  public static Tensor read(Device device, Path path) {
    return read(device, path, false);
  }

  /**
   * Reads an array of 16-bit elements ({@code u2} or {@code V2}) that are the bits of bfloat16.
   *
   * @throws FormatException when a rule of the format is broken or the elements are others
   * @throws FileException when the file can't be read
   */
  public static Tensor readBf16(Device device, Path path) {
    return read(device, path, true);
  }

  private static Tensor read(Device device, Path path, boolean bf16) {
    try (MappedFile file = MappedFile.open(path, false)) {
      return read(device, file, bf16);
    }
  }

  static Tensor read(Device device, MappedFile file, boolean bf16) {
    Path path = file.path();
    NpyHeader header = file.guard(() -> NpyHeader.read(file));
    DType dtype = header.dtype(path, bf16);
    long[] dims = header.dims();
    long bytes = SafetensorsFile.bytes(dims, dtype.bytes());
    if (bytes < 0 || bytes != file.size() - header.dataStart()) {
      throw FormatException.of(
          path,
          "data",
          "must have the size that the shape needs",
          "descr=%s, shape=%s, bytes after the header=%d",
          header.descr(),
          Arrays.toString(dims),
          file.size() - header.dataStart());
    }
    Layout layout = header.fortranOrder() ? fortran(dims) : Layout.contiguous(dims);
    return file.read(
        () -> Tensor.empty(device, dtype, layout),
        header.dataStart(),
        header.descr().charAt(0) == '>');
  }

  private static Layout fortran(long[] dims) {
    var strides = new long[dims.length];
    long step = 1;
    for (int i = 0; i < dims.length; i++) {
      strides[i] = step;
      step *= Math.max(1, dims[i]);
    }
    return Layout.of(dims, strides);
  }

  /**
   * Writes a tensor, row-major, little-endian, as version 1; bf16 as {@code u2}. Replaces a file of
   * that name; the file appears only when it is complete. The same tensor gives the same bytes.
   *
   * @throws FileException when the file can't be written; what was there before is then unchanged
   */
  public static void write(Path path, Tensor x) {
    String descr =
        switch (x.dtype()) {
          case F64 -> "<f8";
          case F32 -> "<f4";
          case BF16 -> "<u2";
          case F16 -> "<f2";
          case I64 -> "<i8";
          case I32 -> "<i4";
          case U8 -> "|u1";
          case BOOL -> "|b1";
        };
    String dims = x.shape().toString();
    String shape = "(" + dims.substring(1, dims.length() - 1) + (x.rank() == 1 ? ",)" : ")");
    String dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
    int total = Math.ceilDiv(NpyHeader.PREFIX_V1 + dict.length() + 1, 64) * 64;
    var header = new byte[total];
    Arrays.fill(header, (byte) ' ');
    header[total - 1] = '\n';
    System.arraycopy(NpyHeader.MAGIC, 0, header, 0, NpyHeader.MAGIC.length);
    header[6] = 1;
    header[7] = 0;
    int length = total - NpyHeader.PREFIX_V1;
    header[8] = (byte) length;
    header[9] = (byte) (length >>> 8);
    byte[] text = dict.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, header, NpyHeader.PREFIX_V1, text.length);
    AtomicFile.write(
        path,
        out -> {
          out.bytes(ByteBuffer.wrap(header));
          out.tensor(x);
        });
  }
}
