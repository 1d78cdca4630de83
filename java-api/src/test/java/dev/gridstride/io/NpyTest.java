package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(TestDevice.class)
class NpyTest {
  private static final Device DEVICE = TestDevice.get();
  @TempDir Path dir;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static byte[] file(int major, String dict, byte[] data) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) major, 0});
    byte[] text = (dict + "\n").getBytes(StandardCharsets.UTF_8);
    out.write(text.length);
    out.write(text.length >>> 8);
    if (major > 1) {
      out.write(0);
      out.write(0);
    }
    out.writeBytes(text);
    out.writeBytes(data);
    return out.toByteArray();
  }

  private static String dict(String descr, String order, String shape) {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(dir.resolve("x.npy"), bytes);
  }

  private static byte[] encode(String descr, double... values) {
    boolean big = descr.charAt(0) == '>';
    int width = descr.charAt(2) - '0';
    var b = ByteBuffer.allocate(width * values.length);
    b.order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    for (double v : values) {
      switch (descr.substring(1)) {
        case "f8" -> b.putDouble(v);
        case "f4" -> b.putFloat((float) v);
        case "f2" -> b.putShort(Float.floatToFloat16((float) v));
        case "i8" -> b.putLong((long) v);
        case "i4" -> b.putInt((int) v);
        case "u2", "V2" -> b.putShort(DType.floatToBf16((float) v));
        default -> b.put((byte) v);
      }
    }
    return b.array();
  }

  @ParameterizedTest
  @CsvSource({
    "<f8,F64",
    ">f8,F64",
    "<f4,F32",
    ">f4,F32",
    "<f2,F16",
    ">f2,F16",
    "<i8,I64",
    ">i8,I64",
    "<i4,I32",
    ">i4,I32",
    "|u1,U8",
    "|b1,BOOL"
  })
  void readsTypesAndByteOrders(String descr, DType dtype) throws IOException {
    double[] v = {1, 0, 1, dtype == DType.BOOL ? 1 : 77, 0, 1};
    for (int version = 1; version <= 3; version++) {
      Tensor x =
          Npy.read(DEVICE, write(file(version, dict(descr, "False", "(2, 3)"), encode(descr, v))));
      assertThat(x.dtype()).isEqualTo(dtype);
      assertThat(x.shape()).isEqualTo(Shape.of(2, 3));
      assertThat(x.toDoubleArray()).containsExactly(v);
      Tensor y =
          Npy.read(DEVICE, write(file(version, dict(descr, "True", "(2, 3)"), encode(descr, v))));
      assertThat(y.toDoubleArray()).containsExactly(v[0], v[2], v[4], v[1], v[3], v[5]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"<u2", ">u2", "|V2", "<V2"})
  void readsBf16OnRequest(String descr) throws IOException {
    Path p = write(file(1, dict(descr, "False", "(2,)"), encode(descr, 1.5, -2)));
    Tensor x = Npy.readBf16(DEVICE, p);
    assertThat(x.dtype()).isEqualTo(DType.BF16);
    assertThat(x.toDoubleArray()).containsExactly(1.5, -2);
    assertThatThrownBy(() -> Npy.read(DEVICE, p))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("explicitly");
    Path f = write(file(1, dict("<f4", "False", "(1,)"), new byte[4]));
    assertThatThrownBy(() -> Npy.readBf16(DEVICE, f)).isInstanceOf(FormatException.class);
  }

  @Test
  void largeBigEndianFilesAreSwappedInPieces() throws IOException {
    double[] v = new double[100_003];
    java.util.Arrays.setAll(v, i -> i);
    Tensor x =
        Npy.read(DEVICE, write(file(1, dict(">f4", "False", "(100003,)"), encode(">f4", v))));
    assertThat(x.toDoubleArray()).containsExactly(v);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void writesWhatItReads(DType dtype) {
    for (long[] dims : new long[][] {{}, {3}, {0, 2}, {2, 3, 4}}) {
      Tensor x = Tensors.full(DEVICE, dtype, 1, dims);
      Path p = dir.resolve("w.npy");
      Npy.write(p, x);
      Tensor y = dtype == DType.BF16 ? Npy.readBf16(DEVICE, p) : Npy.read(DEVICE, p);
      assertThat(y.shape()).isEqualTo(x.shape());
      assertThat(y.dtype()).isEqualTo(dtype);
      assertThat(y.toDoubleArray()).containsExactly(x.toDoubleArray());
    }
  }

  @Test
  void writesTheBytesThatNumPyWrites() throws IOException {
    Path p = dir.resolve("w.npy");
    Npy.write(p, Tensors.of(DEVICE, new float[] {1, 2}, 2));
    byte[] all = Files.readAllBytes(p);
    assertThat(all).hasSize(128 + 8);
    assertThat(new String(all, 10, 118, StandardCharsets.US_ASCII))
        .isEqualTo(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }" + " ".repeat(60) + "\n");
    assertThat(all[8]).isEqualTo((byte) 118);
    assertThat(java.util.Arrays.copyOfRange(all, 128, 136)).isEqualTo(encode("<f4", 1, 2));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'descr': '<f4', 'fortran_order': False}|must have the keys",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}|unknown key x",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}|there twice",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}|there twice",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}|a tuple of one",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}|expected a tuple",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}|not negative",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}|not negative",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}|below 2^63",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}|below 2^63",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551617,)}|below 2^63",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,4)}|the size that",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}|the size that the shape needs",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}|expected True or False",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}|expected a string",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}|a type that tensors have",
        "{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}|begin with '<'",
        "{'descr': '<u1', 'fortran_order': False, 'shape': (4,)}|begin with '<'",
        "{'descr': 'float32', 'fortran_order': False, 'shape': (1,)}|byte order, kind and size",
        "{'descr': '<f4\\', 'fortran_order': False, 'shape': (1,)}|plain characters",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} 1|nothing may follow",
        "{'descr': '<f4|plain characters",
        "{'descr'|expected ':'",
        "[]|expected '{'",
      })
  void refusesBrokenHeaders(String line) throws IOException {
    int cut = line.lastIndexOf('|');
    Path p = write(file(1, line.substring(0, cut), new byte[4]));
    assertThatThrownBy(() -> Npy.read(DEVICE, p))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(p.toString())
        .hasMessageContaining(line.substring(cut + 1));
  }

  @Test
  void acceptsWhatOldNumPyWrote() throws IOException {
    Path p = write(file(1, "{\"shape\":(2L,),'descr':'|u1','fortran_order':False}", new byte[2]));
    assertThat(Npy.read(DEVICE, p).count()).isEqualTo(2);
  }

  @Test
  void refusesAHeaderWithoutLineFeedAndWrongVersions() throws IOException {
    byte[] bytes = file(1, dict("<f4", "False", "(1,)"), new byte[4]);
    bytes[bytes.length - 5] = ' ';
    assertThatThrownBy(() -> Npy.read(DEVICE, write(bytes))).hasMessageContaining("line feed");
    bytes[6] = 4;
    assertThatThrownBy(() -> Npy.read(DEVICE, write(bytes))).hasMessageContaining("version=4.0");
  }

  @Test
  void everyPrefixAndEveryByteChange() {
    byte[] valid =
        file(2, "{'descr':'<f2','fortran_order':False,'shape':(1,2)}", encode("<f2", 1, 2));
    Damage.Reader reader =
        (file, contents) -> {
          try (Scope inner = Scope.open()) {
            Tensor x = Npy.read(DEVICE, file, false);
            assertThat(x.dtype().bytes(x.count())).isEqualTo(4);
            assertThat(contents).hasSameSizeAs(valid);
          }
        };
    assertThat(Damage.everyPrefix(valid, reader)).isEqualTo(valid.length);
    // data, '>', and another quote or digit are no damage
    assertThat(Damage.everyByte(valid, reader))
        .isBetween((valid.length - 4 - 6) * 255, (valid.length - 4) * 255 - 1);
  }
}
