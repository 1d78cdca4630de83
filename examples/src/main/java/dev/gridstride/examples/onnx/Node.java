package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.UnsupportedException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One use of an operator.
 *
 * @param op the operator's name
 * @param domain the operator's domain; empty for ONNX's own
 * @param opset version of the operator set that gives the operator its meaning
 * @param device where to compute
 * @param inputs values by position; null where an optional one is left out
 * @param outputs names by position; empty where an optional one is not wanted
 * @param attributes numbers (Double), strings, and lists of these
 */
public record Node(
    String op,
    String domain,
    long opset,
    Device device,
    List<@Nullable Tensor> inputs,
    List<String> outputs,
    Map<String, @Nullable Object> attributes) {

  /** Input {@code i}, which must be there. */
  Tensor in(int i) {
    Tensor x = optional(i);
    if (x == null) {
      throw unsupported("input " + i + " must be there");
    }
    return x;
  }

  /** Input {@code i}, or null. */
  @Nullable Tensor optional(int i) {
    return i < inputs.size() ? inputs.get(i) : null;
  }

  /** All inputs of an operator that takes any number of them. */
  Tensor[] all() {
    var tensors = new Tensor[inputs.size()];
    Arrays.setAll(tensors, this::in);
    return tensors;
  }

  /** Whether output {@code i} is wanted. */
  boolean wants(int i) {
    return i < outputs.size() && !outputs.get(i).isEmpty();
  }

  /** Whether the attribute is given. */
  boolean has(String name) {
    return attributes.get(name) != null;
  }

  /** A number; {@code absent} when it is not given. */
  double real(String name, double absent) {
    return attributes.get(name) instanceof Double d ? d : absent;
  }

  /** An integer; {@code absent} when it is not given. */
  long integer(String name, long absent) {
    return attributes.get(name) instanceof Double d ? d.longValue() : absent;
  }

  /** An integer that must be given. */
  long integer(String name) {
    if (!has(name)) {
      throw unsupported("attribute " + name + " must be given");
    }
    return integer(name, 0);
  }

  /** An axis or another integer of few bits. */
  int small(String name, int absent) {
    return Math.toIntExact(integer(name, absent));
  }

  /** Whether an integer is not 0. */
  boolean flag(String name, boolean absent) {
    return integer(name, absent ? 1 : 0) != 0;
  }

  /** A string; {@code absent} when it is not given. */
  String text(String name, String absent) {
    return attributes.get(name) instanceof String s ? s : absent;
  }

  /** A list of integers; null when it is not given. */
  long @Nullable [] integers(String name) {
    return attributes.get(name) instanceof List<?> list
        ? list.stream().mapToLong(v -> v instanceof Double d ? d.longValue() : 0).toArray()
        : null;
  }

  /** A list of integers; {@code absent} when it is not given. */
  long[] integers(String name, long... absent) {
    long[] values = integers(name);
    return values == null ? absent : values;
  }

  /** Integers that older operator sets have as an attribute and newer ones as an input, or null. */
  long @Nullable [] integers(String name, int input) {
    Tensor x = optional(input);
    return x == null ? integers(name) : x.toLongArray();
  }

  /** One integer that older operator sets have as an attribute and newer ones as an input. */
  long integer(String name, int input, long absent) {
    Tensor x = optional(input);
    return x == null ? integer(name, absent) : x.toLongArray()[0];
  }

  /** This operator in a form that is not offered. */
  UnsupportedException unsupported(String why) {
    return new UnsupportedException(op + ": " + why);
  }

  /** The element type with a number of ONNX's TensorProto.DataType. */
  DType dtype(long number) {
    return switch ((int) number) {
      case 1 -> DType.F32;
      case 2 -> DType.U8;
      case 6 -> DType.I32;
      case 7 -> DType.I64;
      case 9 -> DType.BOOL;
      case 10 -> DType.F16;
      case 11 -> DType.F64;
      case 16 -> DType.BF16;
      default -> throw unsupported("tensors have no element type with the number " + number);
    };
  }
}
