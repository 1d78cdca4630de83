package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(TestDevice.class)
class WavTest {
  private static final Device DEVICE = TestDevice.get();
  private static final Path NAME = Path.of("sound.wav");
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

  private static byte[] bytes(int size, Consumer<ByteBuffer> content) {
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    content.accept(b);
    assertThat(b.remaining()).isZero();
    return b.array();
  }

  private static byte[] chunk(String tag, byte[] content) {
    return bytes(
        8 + content.length + content.length % 2,
        b -> {
          b.put(tag.getBytes(StandardCharsets.US_ASCII)).putInt(content.length).put(content);
          if (content.length % 2 == 1) {
            b.put((byte) 0);
          }
        });
  }

  private static byte[] format(int kind, int channels, int rate, int bits) {
    return bytes(
        16,
        b -> {
          int frame = channels * bits / 8;
          b.putShort((short) kind).putShort((short) channels).putInt(rate).putInt(rate * frame);
          b.putShort((short) frame).putShort((short) bits);
        });
  }

  private static byte[] file(byte[]... chunks) {
    int size = 4;
    for (byte[] c : chunks) {
      size += c.length;
    }
    int all = size;
    return bytes(
        8 + size,
        b -> {
          b.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(all);
          b.put("WAVE".getBytes(StandardCharsets.US_ASCII));
          for (byte[] c : chunks) {
            b.put(c);
          }
        });
  }

  private static byte[] sound(int kind, int channels, int bits, byte[] data) {
    return file(chunk("fmt ", format(kind, channels, 8_000, bits)), chunk("data", data));
  }

  private static float[] read(byte[] file) {
    return Wav.read(DEVICE, NAME, file).samples().toFloatArray();
  }

  @Test
  void readsEveryKindOfSample() {
    assertThat(read(sound(1, 1, 8, new byte[] {0, (byte) 128, (byte) 255})))
        .containsExactly(-1, 0, 127 / 128f);
    assertThat(
            read(
                sound(
                    1,
                    1,
                    16,
                    bytes(
                        6,
                        b -> b.putShort((short) -32768).putShort((short) 1).putShort((short) -1)))))
        .containsExactly(-1, 1 / 32768f, -1 / 32768f);
    byte[] three = {0, 0, (byte) 0x80, 1, 0, 0, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF};
    assertThat(read(sound(1, 1, 24, three))).containsExactly(-1, 0x1p-23f, -0x1p-23f);
    byte[] high = {0, (byte) 0x80, 0, 0, 0, (byte) 0x40};
    assertThat(read(sound(1, 1, 24, high))).containsExactly(0x8000 * 0x1p-23f, 0.5f);
    assertThat(read(sound(1, 1, 32, bytes(8, b -> b.putInt(Integer.MIN_VALUE).putInt(1 << 30)))))
        .containsExactly(-1, 0.5f);
    assertThat(read(sound(3, 1, 32, bytes(8, b -> b.putFloat(1.5f).putFloat(-0.25f)))))
        .containsExactly(1.5f, -0.25f);
    assertThat(read(sound(3, 1, 64, bytes(8, b -> b.putDouble(0.125))))).containsExactly(0.125f);
  }

  @Test
  void channelsAreRows() {
    byte[] data =
        bytes(
            12,
            b -> {
              for (int i = 0; i < 6; i++) {
                b.putShort((short) (i << 8));
              }
            });
    Wav.Sound sound = Wav.read(DEVICE, NAME, sound(1, 2, 16, data));
    assertThat(sound.rate()).isEqualTo(8_000);
    assertThat(sound.samples().dtype()).isEqualTo(DType.F32);
    assertThat(sound.samples().shape()).isEqualTo(Shape.of(2, 3));
    assertThat(sound.samples().mul(128).toFloatArray()).containsExactly(0, 2, 4, 1, 3, 5);
  }

  @Test
  void readsTheExtensibleForm() {
    byte[] format =
        bytes(
            40,
            b ->
                b.put(format(0xFFFE, 1, 44_100, 16))
                    .putShort((short) 22)
                    .putShort((short) 16)
                    .putInt(4)
                    .putShort((short) 1)
                    .put(new byte[14]));
    byte[] file = file(chunk("fmt ", format), chunk("data", new byte[] {0, 64}));
    assertThat(Wav.read(DEVICE, NAME, file).rate()).isEqualTo(44_100);
    assertThat(read(file)).containsExactly(0.5f);
  }

  @Test
  void skipsOtherChunksAndTheirPadding() throws IOException {
    byte[] file =
        file(
            chunk("LIST", new byte[] {1, 2, 3}),
            chunk("fmt ", format(1, 1, 8_000, 8)),
            chunk("fact", new byte[4]),
            chunk("data", new byte[] {(byte) 192}),
            chunk("junk", new byte[5]));
    assertThat(read(file)).containsExactly(0.5f);
    Path path = dir.resolve("a.wav");
    Files.write(path, file);
    assertThat(Wav.read(DEVICE, path).samples().toFloatArray()).containsExactly(0.5f);
    assertThat(read(sound(1, 1, 16, new byte[0]))).isEmpty();
  }

  @Test
  void saysWhatIsWrong() {
    assertThatThrownBy(() -> Wav.read(DEVICE, dir.resolve("none.wav")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("none.wav: can't be read: no such file or folder");
    assertThatThrownBy(() -> Wav.read(DEVICE, dir)).isInstanceOf(FileException.class);
    assertRefused(
        new byte[11], "sound.wav: byte 0: must begin with RIFF, a size and WAVE; bytes=11");
    assertRefused(
        sound(2, 1, 4, new byte[2]),
        "sound.wav: byte 20: samples must be of 8, 16, 24 or 32 bits (kind 1) or f32 or f64"
            + " (kind 3); kind=2, bits=4");
    assertRefused(
        sound(1, 0, 16, new byte[2]),
        "sound.wav: byte 20: must have channels, a rate and frames of as many bytes as its samples;"
            + " channels=0, rate=8000, bits=16, bytes of a frame=0");
    assertRefused(
        sound(1, 1, 16, new byte[3]),
        "sound.wav: data: must hold whole frames; bytes=3, bytes of a frame=2");
    assertRefused(
        file(chunk("data", new byte[2])),
        "sound.wav: byte 12: the format must come before the data");
    assertRefused(
        file(chunk("fmt ", format(1, 1, 8_000, 8))),
        "sound.wav: byte 36: must have a data chunk; bytes=36");
    assertRefused(
        file(chunk("fmt ", new byte[14])),
        "sound.wav: byte 20: the format must have 16 bytes at least; size=14");
    byte[] cut = sound(1, 1, 16, new byte[8]);
    cut[40] = 10;
    assertRefused(
        cut,
        "sound.wav: byte 36: a chunk must lie inside the file; chunk='data', size=10, bytes left=8");
  }

  private static void assertRefused(byte[] file, String message) {
    assertThatThrownBy(() -> read(file)).isInstanceOf(FormatException.class).hasMessage(message);
  }

  /** Damage gives a sound or a FormatException, nothing else. */
  @Test
  void survivesDamage() {
    byte[] valid = sound(1, 2, 16, new byte[8]);
    Damage.Reader reader =
        (file, _) -> {
          try (Scope inner = Scope.open();
              file) {
            var sound = Wav.read(DEVICE, file.path(), file.bytes().toArray(ValueLayout.JAVA_BYTE));
            assertThat(sound.rate()).isPositive();
          }
        };
    assertThat(Damage.everyPrefix(valid, reader)).isEqualTo(valid.length);
    // of 52 bytes those of the tags, the format but its rates, and the size of data matter
    assertThat(Damage.everyByte(valid, reader)).isGreaterThan(16 * 255);
  }
}
