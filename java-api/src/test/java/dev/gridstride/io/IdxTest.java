package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(TestDevice.class)
class IdxTest {
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

  private static byte[] file(int type, int[] dims, byte[] data) {
    ByteBuffer b = ByteBuffer.allocate(4 + 4 * dims.length + data.length);
    b.put(new byte[] {0, 0, (byte) type, (byte) dims.length});
    for (int d : dims) {
      b.putInt(d);
    }
    return b.put(data).array();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gz = new GZIPOutputStream(out)) {
      gz.write(bytes);
    }
    return out.toByteArray();
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(dir.resolve("x"), bytes);
  }

  @ParameterizedTest
  @CsvSource({"8,1,U8", "9,1,I32", "11,2,I32", "12,4,I32", "13,4,F32", "14,8,F64"})
  void readsEveryTypePlainAndCompressed(int type, int width, DType dtype) throws IOException {
    // 200 and -12,345 have low bytes that are negative as a byte
    double[] v = {0, 100, type == 8 ? 200 : -3, type == 9 ? 5 : 200, 6, type > 9 ? -12_345 : 7};
    ByteBuffer data = ByteBuffer.allocate(6 * width);
    for (double d : v) {
      switch (type) {
        case 8, 9 -> data.put((byte) d);
        case 11 -> data.putShort((short) d);
        case 12 -> data.putInt((int) d);
        case 13 -> data.putFloat((float) d);
        default -> data.putDouble(d);
      }
    }
    byte[] bytes = file(type, new int[] {3, 2}, data.array());
    for (byte[] form : new byte[][] {bytes, gzip(bytes)}) {
      Tensor x = Idx.read(DEVICE, write(form));
      assertThat(x.dtype()).isEqualTo(dtype);
      assertThat(x.shape()).isEqualTo(Shape.of(3, 2));
      assertThat(x.toDoubleArray()).containsExactly(v);
    }
  }

  @Test
  void readsManyPiecesAndHighCompression() throws IOException {
    byte[] data = new byte[3 * (1 << 16) + 2];
    Arrays.fill(data, 1 << 16, data.length, (byte) 9);
    byte[] bytes = file(11, new int[] {data.length / 2}, data);
    byte[] packed = gzip(bytes);
    assertThat(packed.length * 16).isLessThan(bytes.length); // so that the size is counted first
    for (byte[] form : new byte[][] {bytes, packed}) {
      long[] x = Idx.read(DEVICE, write(form)).toLongArray();
      assertThat(x[32767]).isZero();
      assertThat(x[32768]).isEqualTo(0x0909);
      assertThat(x[x.length - 1]).isEqualTo(0x0909);
    }
  }

  @Test
  void zeroSizesAndScalars() throws IOException {
    assertThat(Idx.read(DEVICE, write(file(8, new int[] {0, 28}, new byte[0]))).count()).isZero();
    assertThat(Idx.read(DEVICE, write(file(8, new int[] {}, new byte[] {7}))).item()).isEqualTo(7);
  }

  @Test
  void believesNoSize() throws IOException {
    int[] huge = {Integer.MAX_VALUE, Integer.MAX_VALUE, 2};
    for (int type : new int[] {8, 14}) {
      byte[] bytes = file(type, huge, new byte[10]);
      for (byte[] form : new byte[][] {bytes, gzip(bytes)}) {
        assertThatThrownBy(() -> Idx.read(DEVICE, write(form)))
            .isInstanceOf(FormatException.class)
            .hasMessageContaining("2147483647")
            .hasMessageContaining("bytes after the header=10");
      }
    }
    byte[] bytes = file(9, new int[] {-1, -1, 0}, new byte[0]); // 2^32 - 1, twice, and 0
    assertThatThrownBy(() -> Idx.read(DEVICE, write(bytes))).isInstanceOf(FormatException.class);
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    assertThatThrownBy(() -> Idx.read(DEVICE, write(new byte[] {1, 0, 8, 1})))
        .hasMessageContaining("two zero bytes");
    assertThatThrownBy(() -> Idx.read(DEVICE, write(file(10, new int[] {1}, new byte[1]))))
        .hasMessageContaining("type=0x0A");
    assertThatThrownBy(() -> Idx.read(DEVICE, write(new byte[] {0, 0, 8, 65})))
        .hasMessageContaining("rank=65");
    assertThatThrownBy(() -> Idx.read(DEVICE, write(new byte[] {0, 0, 8, 2, 0, 0, 0, 1})))
        .hasMessageContaining("a size for each dimension");
    assertThatThrownBy(() -> Idx.read(DEVICE, dir))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("not a regular file");
    assertThatThrownBy(() -> Idx.read(DEVICE, dir.resolve("none")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("no such file");
    byte[] longer = gzip(file(8, new int[] {1}, new byte[2]));
    assertThatThrownBy(() -> Idx.read(DEVICE, write(longer)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("bytes follow");
  }

  @Test
  void everyPrefixAndEveryByteChange() throws IOException {
    byte[] data = {1, 2, 3, 4, 5, 6};
    byte[] plain = file(8, new int[] {2, 3}, data);
    Damage.Reader reader =
        (file, contents) -> {
          try (Scope inner = Scope.open()) {
            Tensor x = Idx.read(DEVICE, file);
            assertThat(x.count()).isEqualTo(x.dtype() == DType.F64 ? 0 : 6 / width(contents));
          }
        };
    assertThat(Damage.everyPrefix(plain, reader)).isEqualTo(plain.length);
    assertThat(Damage.everyByte(plain, reader)).isBetween(10 * 255, 12 * 255);

    byte[] packed = gzip(plain);
    Damage.Reader same =
        (file, contents) -> {
          try (Scope inner = Scope.open()) {
            Tensor x = Idx.read(DEVICE, file);
            assertThat(x.shape()).isEqualTo(Shape.of(2, 3));
            assertThat(x.toLongArray()).containsExactly(1, 2, 3, 4, 5, 6);
          }
        };
    assertThat(Damage.everyPrefix(packed, same)).isEqualTo(packed.length);
    // the time, the flags and the system in gzip's header say nothing about the data
    assertThat(Damage.everyByte(packed, same))
        .isBetween((packed.length - 10) * 255, (packed.length - 5) * 255);
  }

  private static int width(byte[] contents) {
    return contents[2] == 11 ? 2 : 1;
  }
}
