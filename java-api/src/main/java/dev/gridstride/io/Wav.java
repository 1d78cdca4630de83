package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Sound files in the WAVE format (RIFF, little-endian), uncompressed.
 *
 * <p>Samples of 8 bits without a sign, of 16, 24 or 32 bits with one, or f32 or f64, also in the
 * extensible form of the header; any number of channels. Chunks other than {@code fmt } and {@code
 * data} are skipped. Source: "Multimedia Programming Interface and Data Specifications 1.0", 1991,
 * and Microsoft's description of WAVEFORMATEXTENSIBLE.
 */
public final class Wav {
  private static final int PCM = 1;
  private static final int FLOAT = 3;
  private static final int EXTENSIBLE = 0xFFFE;
  private static final int HEADER = 12;
  private static final int CHUNK_HEADER = 8;

  private Wav() {}

  /**
   * A sound.
   *
   * @param samples f32 {@code [channels, n]}; whole numbers are divided so that they lie in -1..1
   * @param rate samples of a channel a second
   */
  public record Sound(Tensor samples, int rate) {}

  private record Format(boolean isFloat, int channels, int rate, int bits) {
    int frame() {
      return channels * bits / 8;
    }
  }

  /**
   * Reads a file.
   *
   * @throws FormatException when a rule of the format is broken, or samples are of another kind
   * @throws FileException when the file can't be read
   */
  public static Sound read(Device device, Path path) {
    return read(device, path, MappedFile.readAll(path));
  }

  /**
   * Reads a file's bytes, as from an archive.
   *
   * @param name what errors call it
   * @throws FormatException as {@link #read(Device, Path)}
   */
  public static Sound read(Device device, Path name, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < HEADER || !tag(in, 0).equals("RIFF") || !tag(in, 8).equals("WAVE")) {
      throw FormatException.of(
          name, "byte 0", "must begin with RIFF, a size and WAVE", "bytes=%d", bytes.length);
    }
    Format format = null;
    long at = HEADER;
    while (at + CHUNK_HEADER <= bytes.length) {
      String tag = tag(in, (int) at);
      long size = Integer.toUnsignedLong(in.getInt((int) at + 4));
      long begin = at + CHUNK_HEADER;
      if (size > bytes.length - begin) {
        throw FormatException.of(
            name,
            "byte " + at,
            "a chunk must lie inside the file",
            "chunk='%s', size=%d, bytes left=%d",
            tag,
            size,
            bytes.length - begin);
      }
      if (tag.equals("fmt ")) {
        format = format(name, in, (int) begin, (int) size);
      } else if (tag.equals("data")) {
        if (format == null) {
          throw new FormatException(name, "byte " + at, "the format must come before the data");
        }
        return sound(device, name, format, in.slice((int) begin, (int) size));
      }
      at = begin + size + (size & 1); // chunks begin at even places
    }
    throw FormatException.of(
        name, "byte " + at, "must have a data chunk", "bytes=%d", bytes.length);
  }

  private static String tag(ByteBuffer in, int at) {
    var letters = new byte[4];
    in.get(at, letters);
    return new String(letters, StandardCharsets.ISO_8859_1);
  }

  private static Format format(Path name, ByteBuffer in, int at, int size) {
    if (size < 16) {
      throw FormatException.of(
          name, "byte " + at, "the format must have 16 bytes at least", "size=%d", size);
    }
    int kind = in.getShort(at) & 0xFFFF;
    int channels = in.getShort(at + 2) & 0xFFFF;
    long rate = Integer.toUnsignedLong(in.getInt(at + 4));
    int align = in.getShort(at + 12) & 0xFFFF;
    int bits = in.getShort(at + 14) & 0xFFFF;
    if (kind == EXTENSIBLE && size >= 40) {
      kind = in.getShort(at + 24) & 0xFFFF; // the first bytes of the sub-format's identifier
    }
    boolean known =
        switch (kind) {
          case PCM -> bits == 8 || bits == 16 || bits == 24 || bits == 32;
          case FLOAT -> bits == 32 || bits == 64;
          default -> false;
        };
    if (!known) {
      throw FormatException.of(
          name,
          "byte " + at,
          "samples must be of 8, 16, 24 or 32 bits (kind 1) or f32 or f64 (kind 3)",
          "kind=%d, bits=%d",
          kind,
          bits);
    }
    if (channels < 1 || rate < 1 || rate > Integer.MAX_VALUE || align != channels * bits / 8) {
      throw FormatException.of(
          name,
          "byte " + at,
          "must have channels, a rate and frames of as many bytes as its samples",
          "channels=%d, rate=%d, bits=%d, bytes of a frame=%d",
          channels,
          rate,
          bits,
          align);
    }
    return new Format(kind == FLOAT, channels, (int) rate, bits);
  }

  private static Sound sound(Device device, Path name, Format format, ByteBuffer data) {
    data.order(ByteOrder.LITTLE_ENDIAN);
    if (data.limit() % format.frame() != 0) {
      throw FormatException.of(
          name,
          "data",
          "must hold whole frames",
          "bytes=%d, bytes of a frame=%d",
          data.limit(),
          format.frame());
    }
    int n = data.limit() / format.frame();
    int bytes = format.bits() / 8;
    Tensor samples = Tensor.empty(device, DType.F32, format.channels(), n);
    boolean done = false;
    try (var out = new NumberSink(samples)) {
      for (int c = 0; c < format.channels(); c++) {
        for (int i = 0; i < n; i++) {
          out.add(sample(format, data, i * format.frame() + c * bytes));
        }
      }
      out.flush();
      done = true;
      return new Sound(samples, format.rate());
    } finally {
      if (!done) {
        samples.close();
      }
    }
  }

  private static float sample(Format format, ByteBuffer data, int at) {
    return switch (format.bits()) {
      case 8 -> ((data.get(at) & 0xFF) - 128) / 128f;
      case 16 -> data.getShort(at) / 32_768f;
      case 24 -> (data.get(at + 2) << 16 | (data.getShort(at) & 0xFFFF)) / 8_388_608f;
      case 32 -> format.isFloat() ? data.getFloat(at) : data.getInt(at) / 2_147_483_648f;
      default -> (float) data.getDouble(at);
    };
  }
}
