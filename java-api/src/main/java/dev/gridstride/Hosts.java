package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntToDoubleFunction;

/** Copies between tensors and Java arrays, with conversion of the element type. */
final class Hosts {
  private Hosts() {}

  /** Reads element {@code i} of a row-major host copy as double. */
  @FunctionalInterface
  private interface Reader {
    double at(MemorySegment data, long i);
  }

  private static Reader reader(DType dtype) {
    return switch (dtype) {
      case F64 -> (d, i) -> d.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
      case F32 -> (d, i) -> d.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      case BF16 -> (d, i) -> DType.bf16ToFloat(d.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
      case F16 -> (d, i) -> Float.float16ToFloat(d.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
      case I64 -> (d, i) -> d.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
      case I32 -> (d, i) -> d.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i);
      case U8 -> (d, i) -> d.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
      case BOOL -> (d, i) -> d.get(ValueLayout.JAVA_BYTE, i) == 0 ? 0 : 1;
    };
  }

  private static MemorySegment copy(Tensor x, Arena arena) {
    MemorySegment host = arena.allocate(Math.max(1, x.dtype().bytes(x.count())), 64);
    MemorySegment exact = host.asSlice(0, x.dtype().bytes(x.count()));
    x.copyTo(exact);
    return exact;
  }

  static float[] floats(Tensor x) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = copy(x, arena);
      if (x.dtype() == DType.F32) {
        return data.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      }
      var reader = reader(x.dtype());
      var out = new float[Math.toIntExact(x.count())];
      for (int i = 0; i < out.length; i++) {
        out[i] = (float) reader.at(data, i);
      }
      return out;
    }
  }

  static double[] doubles(Tensor x) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = copy(x, arena);
      var reader = reader(x.dtype());
      var out = new double[Math.toIntExact(x.count())];
      for (int i = 0; i < out.length; i++) {
        out[i] = reader.at(data, i);
      }
      return out;
    }
  }

  static long[] longs(Tensor x) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = copy(x, arena);
      if (x.dtype() == DType.I64) {
        return data.toArray(ValueLayout.JAVA_LONG_UNALIGNED); // exact beyond 2^53
      }
      var reader = reader(x.dtype());
      var out = new long[Math.toIntExact(x.count())];
      for (int i = 0; i < out.length; i++) {
        out[i] = (long) reader.at(data, i);
      }
      return out;
    }
  }

  private static Tensor write(Device device, DType dtype, Shape shape, IntToDoubleFunction value) {
    Tensor x = Tensor.empty(device, dtype, shape.dims());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, dtype.bytes(x.count())), 64);
      int n = Math.toIntExact(x.count());
      for (int i = 0; i < n; i++) {
        double v = value.applyAsDouble(i);
        switch (dtype) {
          case F64 -> host.setAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i, v);
          case F32 -> host.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, (float) v);
          case BF16 ->
              host.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, DType.floatToBf16((float) v));
          case F16 ->
              host.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, Float.floatToFloat16((float) v));
          case I64 -> host.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i, (long) v);
          case I32 -> host.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, (int) v);
          case U8 -> host.set(ValueLayout.JAVA_BYTE, i, (byte) Math.clamp((long) v, 0, 255));
          case BOOL -> host.set(ValueLayout.JAVA_BYTE, i, (byte) (v == 0 ? 0 : 1));
        }
      }
      x.buffer().copyFrom(host.asSlice(0, dtype.bytes(x.count())));
    }
    return x;
  }

  static Tensor fromFloats(Device device, DType dtype, float[] values, Shape shape) {
    if (dtype == DType.F32) {
      Tensor x = Tensor.empty(device, dtype, shape.dims());
      x.buffer().copyFrom(MemorySegment.ofArray(values));
      return x;
    }
    return write(device, dtype, shape, i -> values[i]);
  }

  static Tensor fromDoubles(Device device, DType dtype, double[] values, Shape shape) {
    return write(device, dtype, shape, i -> values[i]);
  }

  static Tensor fromLongs(Device device, DType dtype, long[] values, Shape shape) {
    if (dtype == DType.I64) {
      Tensor x = Tensor.empty(device, dtype, shape.dims());
      x.buffer().copyFrom(MemorySegment.ofArray(values));
      return x;
    }
    return write(device, dtype, shape, i -> values[i]);
  }
}
