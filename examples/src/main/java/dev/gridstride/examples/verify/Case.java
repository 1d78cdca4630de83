package dev.gridstride.examples.verify;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.examples.report.JsonParser;
import dev.gridstride.io.Npy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A conformance case: a folder with {@code case.json}, which names nodes, inputs and expected
 * outputs, and an npy file for each value.
 *
 * @param folder where it lies
 * @param name its name
 * @param op the operator that it tests
 * @param opsets version of the operator set of each domain
 * @param nodes the graph, in an order in which it can be run
 * @param inputs values given
 * @param outputs values expected
 * @param nondeterministic whether the outputs are drawn: only their kind can be compared
 */
record Case(
    Path folder,
    String name,
    String op,
    Map<String, Long> opsets,
    List<Step> nodes,
    List<Value> inputs,
    List<Value> outputs,
    boolean nondeterministic) {

  /** The file that makes a folder a case. */
  static final String FILE = "case.json";

  /** A node of the graph; names of values, empty where an optional one is left out. */
  record Step(
      String op,
      String domain,
      List<String> inputs,
      List<String> outputs,
      Map<String, @Nullable Object> attributes) {}

  /** A value in a file. */
  record Value(String name, String dtype, String file) {}

  /**
   * Reads {@code case.json}.
   *
   * @throws IllegalArgumentException when it is not what a case needs
   */
  static Case read(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    try {
      return of(folder, JsonParser.object(Files.readString(file)));
    } catch (IllegalArgumentException | ClassCastException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  private static Case of(Path folder, Map<String, @Nullable Object> json) {
    var opsets = new java.util.HashMap<String, Long>();
    for (var entry : object(json.get("opset"), "opset").entrySet()) {
      opsets.put(
          domain(entry.getKey()), ((Double) required(entry.getValue(), "opset")).longValue());
    }
    List<Step> nodes = new ArrayList<>();
    for (Object node : list(json, "nodes")) {
      var fields = object(node, "nodes");
      String domain = fields.get("domain") instanceof String d ? domain(d) : "";
      Object attributes = fields.get("attributes");
      nodes.add(
          new Step(
              text(fields, "op_type"),
              domain,
              strings(fields, "inputs"),
              strings(fields, "outputs"),
              attributes == null ? Map.of() : object(attributes, "attributes")));
    }
    List<Value> inputs = new ArrayList<>(values(json, "inputs"));
    if (json.containsKey("initializers")) {
      inputs.addAll(values(json, "initializers"));
    }
    String op = json.get("op_type") instanceof String o ? o : nodes.getFirst().op();
    return new Case(
        folder,
        String.valueOf(folder.getFileName()),
        op,
        opsets,
        nodes,
        inputs,
        values(json, "outputs"),
        Boolean.TRUE.equals(json.get("nondeterministic")));
  }

  private static String domain(String name) {
    return name.equals("ai.onnx") ? "" : name;
  }

  private static List<Value> values(Map<String, @Nullable Object> json, String key) {
    List<Value> values = new ArrayList<>();
    for (Object value : list(json, key)) {
      var fields = object(value, key);
      values.add(new Value(text(fields, "name"), text(fields, "dtype"), text(fields, "file")));
    }
    return values;
  }

  private static Object required(@Nullable Object value, String key) {
    if (value == null) {
      throw new IllegalArgumentException("there must be a value for " + key);
    }
    return value;
  }

  @SuppressWarnings("unchecked") // the keys of a JSON object are strings
  private static Map<String, @Nullable Object> object(@Nullable Object value, String key) {
    if (value instanceof Map<?, ?> map) {
      return (Map<String, @Nullable Object>) map;
    }
    throw new IllegalArgumentException(key + " must be an object");
  }

  private static List<?> list(Map<String, @Nullable Object> json, String key) {
    if (json.get(key) instanceof List<?> list) {
      return list;
    }
    throw new IllegalArgumentException(key + " must be a list");
  }

  private static List<String> strings(Map<String, @Nullable Object> json, String key) {
    return list(json, key).stream().map(String.class::cast).toList();
  }

  private static String text(Map<String, @Nullable Object> json, String key) {
    if (json.get(key) instanceof String s) {
      return s;
    }
    throw new IllegalArgumentException(key + " must be a string");
  }

  /** The version of the operator set that a node of {@code domain} is taken from. */
  long opset(String domain) {
    Long version = opsets.get(domain);
    return version == null ? Long.MAX_VALUE : version;
  }

  /**
   * Reads a value of this case.
   *
   * @throws UnsupportedException when tensors have no such type
   */
  Tensor load(Device device, Value value) {
    Path file = folder.resolve(value.file()).normalize();
    if (!file.startsWith(folder.normalize())) {
      throw new IllegalArgumentException(FILE + ": a file must lie in the case's folder: " + file);
    }
    return dtype(value) == DType.BF16 ? Npy.readBf16(device, file) : Npy.read(device, file);
  }

  /** The element type of a value. */
  static DType dtype(Value value) {
    return switch (value.dtype()) {
      case "float64" -> DType.F64;
      case "float32" -> DType.F32;
      case "float16" -> DType.F16;
      case "bfloat16" -> DType.BF16;
      case "int64" -> DType.I64;
      case "int32" -> DType.I32;
      case "uint8" -> DType.U8;
      case "bool" -> DType.BOOL;
      default -> throw new UnsupportedException("tensors have no element type " + value.dtype());
    };
  }
}
