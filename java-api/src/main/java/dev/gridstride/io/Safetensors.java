package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Files of named tensors in the safetensors format, exchanged with PyTorch, JAX and others.
 *
 * <p>{@link #write} gives the same bytes for the same tensors and metadata: widest elements first
 * and by name within a width, so that every tensor lies aligned to its element. The file appears
 * under its name only when it is complete.
 */
public final class Safetensors {
  private Safetensors() {}

  /**
   * Opens a file and checks its whole header.
   *
   * @throws FormatException when a rule of the format is broken
   * @throws FileException when the file can't be read
   */
  public static SafetensorsFile open(Path path) {
    return SafetensorsFile.open(path);
  }

  /**
   * Reads all tensors of a file.
   *
   * @return the tensors by name, sorted; they belong to the current scope or the caller
   * @throws FormatException when a rule of the format is broken
   * @throws FileException when the file can't be read
   */
  public static Map<String, Tensor> read(Device device, Path path) {
    try (var file = open(path)) {
      return read(device, file);
    }
  }

  static Map<String, Tensor> read(Device device, SafetensorsFile file) {
    var tensors = new LinkedHashMap<String, Tensor>();
    boolean done = false;
    try {
      for (String name : file.names()) {
        tensors.put(name, file.read(device, name));
      }
      done = true;
      return tensors;
    } finally {
      if (!done) {
        tensors.values().forEach(Tensor::close);
      }
    }
  }

  /** As {@link #write(Path, Map, Map)} without metadata. */
  public static void write(Path path, Map<String, Tensor> tensors) {
    write(path, tensors, Map.of());
  }

  /**
   * Writes tensors under their names, row-major, and free-form strings beside them. Replaces a file
   * of that name.
   *
   * @throws InvalidArgumentException when a name is {@code __metadata__}, a string is not valid
   *     Unicode, or the header would exceed 100 MB
   * @throws FileException when the file can't be written; what was there before is then unchanged
   */
  public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
    List<Map.Entry<String, Tensor>> order = new ArrayList<>(new TreeMap<>(tensors).entrySet());
    order.sort(Comparator.comparingInt(e -> -e.getValue().dtype().bytes())); // a stable sort
    byte[] header = header(order, metadata);
    if (header.length > SafetensorsFile.MAX_HEADER) {
      throw InvalidArgumentException.of(
          "safetensors.write",
          "header",
          "must have at most " + SafetensorsFile.MAX_HEADER + " bytes",
          "bytes=%d",
          header.length);
    }
    AtomicFile.write(
        path,
        out -> {
          ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
          out.bytes(length.putLong(header.length).flip());
          out.bytes(ByteBuffer.wrap(header));
          for (var e : order) {
            out.tensor(e.getValue());
          }
        });
  }

  private static byte[] header(
      List<Map.Entry<String, Tensor>> order, Map<String, String> metadata) {
    var json = new StringBuilder("{");
    if (!metadata.isEmpty()) {
      quote(json, SafetensorsFile.METADATA).append(":{");
      new TreeMap<>(metadata)
          .forEach((key, value) -> {
            quote(json, key).append(':');
            quote(json, value).append(',');
          });
      json.setCharAt(json.length() - 1, '}');
      json.append(',');
    }
    long at = 0;
    for (var e : order) {
      Tensor x = e.getValue();
      if (e.getKey().equals(SafetensorsFile.METADATA) || x.rank() > SafetensorsFile.MAX_RANK) {
        throw InvalidArgumentException.of(
            "safetensors.write",
            "tensor",
            "must not be named " + SafetensorsFile.METADATA + " nor exceed the rank 64",
            "name=%s, tensor=%s",
            e.getKey(),
            x);
      }
      long end = at + x.dtype().bytes(x.count());
      quote(json, e.getKey()).append(":{\"dtype\":\"").append(name(x.dtype())).append("\",");
      json.append("\"shape\":").append(x.shape().toString().replace(" ", ""));
      json.append(",\"data_offsets\":[").append(at).append(',').append(end).append("]},");
      at = end;
    }
    if (json.length() > 1) {
      json.setLength(json.length() - 1);
    }
    json.append('}');
    byte[] text = json.toString().getBytes(StandardCharsets.UTF_8);
    // spaces up to a multiple of 8: the data begins aligned
    byte[] padded = Arrays.copyOf(text, Math.ceilDiv(text.length, 8) * 8);
    Arrays.fill(padded, text.length, padded.length, (byte) ' ');
    return padded;
  }

  private static String name(DType dtype) {
    return switch (dtype) {
      case F64 -> "F64";
      case F32 -> "F32";
      case BF16 -> "BF16";
      case F16 -> "F16";
      case I64 -> "I64";
      case I32 -> "I32";
      case U8 -> "U8";
      case BOOL -> "BOOL";
    };
  }

  private static StringBuilder quote(StringBuilder json, String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw InvalidArgumentException.of(
          "safetensors.write", "string", "must not hold half a surrogate pair", "%s", text);
    }
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20) {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"');
  }
}
