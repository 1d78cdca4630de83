package dev.gridstride.examples.fuzz;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Draws one case. Sizes, layouts and numbers come from streams of their own, so that a case keeps
 * its character when it is drawn again smaller or plainer.
 */
final class Draw {
  /** The floating types. */
  static final DType[] FLOATS = {DType.F32, DType.F64, DType.BF16, DType.F16};

  private static final double[] SPECIALS = {
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    0,
    -0.0,
    Float.MIN_VALUE,
    -1e-40,
    3e38,
    -3e38,
    1e30,
    -1e-30
  };

  private final Device device;
  private final Plainness plainness;
  private final SplittableRandom choices;
  private final SplittableRandom sizes;
  private final SplittableRandom layouts;
  private final SplittableRandom numbers;
  private final StringBuilder drawn = new StringBuilder();

  /**
   * How plain a case is drawn.
   *
   * @param size the most elements along a dimension
   * @param strided whether operands may be views
   * @param special whether numbers may be NaN, infinite, denormal or huge
   */
  record Plainness(int size, boolean strided, boolean special) {}

  Draw(Device device, long seed, Plainness plainness) {
    this.device = device;
    this.plainness = plainness;
    var random = new SplittableRandom(seed);
    choices = random.split();
    sizes = random.split();
    layouts = random.split();
    numbers = random.split();
  }

  /** A tensor and its elements, row-major. */
  record Operand(Tensor tensor, double[] values) {}

  Device device() {
    return device;
  }

  /** What has been drawn so far, in words. */
  String words() {
    return drawn.toString().strip();
  }

  /** One of these, by its place. */
  int choose(String what, int count) {
    int chosen = choices.nextInt(count);
    drawn.append(' ').append(what).append('=').append(chosen);
    return chosen;
  }

  /** One of these. */
  @SafeVarargs
  final <T> T choose(String what, T... options) {
    T chosen = options[choices.nextInt(options.length)];
    drawn.append(' ').append(what).append('=').append(chosen);
    return chosen;
  }

  /** A size in {@code least..limit}; now and then one around a power of two. */
  int size(int least) {
    int limit = Math.max(least, plainness.size());
    int any = least + sizes.nextInt(limit - least + 1);
    int near = (1 << sizes.nextInt(8)) + sizes.nextInt(3) - 1;
    return sizes.nextInt(4) == 0 ? Math.clamp(near, least, limit) : any;
  }

  /** Sizes of so many dimensions. */
  long[] dims(int rank, int least) {
    var dims = new long[rank];
    for (int i = 0; i < rank; i++) {
      // the whole stays small: a few thousand elements
      dims[i] = rank == 1 ? size(least) : Math.clamp(size(least), least, rank == 2 ? 40 : 9);
    }
    return dims;
  }

  /** A number below {@code bound} that belongs to the sizes. */
  int below(int bound) {
    return sizes.nextInt(bound);
  }

  /** An operand of ordinary numbers and, now and then, special ones. */
  Operand operand(DType type, long... dims) {
    boolean wanted = numbers.nextInt(4) == 0; // drawn always, so that what follows stays the same
    return operand(type, wanted && plainness.special() && type.isFloating(), dims);
  }

  /** An operand without NaN, infinities and numbers whose sums overflow. */
  Operand ordinary(DType type, long... dims) {
    return operand(type, false, dims);
  }

  private Operand operand(DType type, boolean special, long... dims) {
    double scale = Math.scalb(1.0, numbers.nextInt(5) - 2);
    return place(type, () -> number(type, special, scale), dims);
  }

  /** Indices in {@code -size..size-1}. */
  Operand indices(long size, long... dims) {
    return place(DType.I64, () -> numbers.nextLong(-size, size), dims);
  }

  private double number(DType type, boolean special, double scale) {
    double any = numbers.nextGaussian() * scale;
    if (!type.isFloating()) {
      return Math.rint(any * 4) + 0.0; // integers have no -0
    }
    int dice = numbers.nextInt(16);
    if (special && dice == 0) {
      return round(type, SPECIALS[numbers.nextInt(SPECIALS.length)]);
    }
    return round(type, dice < 3 ? Math.rint(any) : any); // equal numbers occur too
  }

  /** Elements in memory as a view lays them: whole, with dimensions exchanged, or with gaps. */
  private Operand place(DType type, java.util.function.DoubleSupplier number, long... dims) {
    int rank = dims.length;
    int kind = plainness.strided() && rank > 0 ? layouts.nextInt(4) : 0;
    int axis = rank == 0 ? 0 : layouts.nextInt(rank);
    int other = rank == 0 ? 0 : layouts.nextInt(rank);
    long[] stored = dims.clone();
    if (kind == 1) {
      stored[axis] = dims[other];
      stored[other] = dims[axis];
    } else if (kind == 2) {
      stored[axis] = 2 * dims[axis] + 1;
    }
    var memory = new double[Math.toIntExact(count(stored))];
    for (int i = 0; i < memory.length; i++) {
      memory[i] = number.getAsDouble();
    }
    Tensor whole = upload(type, memory, stored);
    Tensor view =
        switch (kind) {
          case 1 -> whole.transpose(axis, other);
          case 2 -> whole.slice(axis, 1, 1 + 2 * dims[axis], 2);
          default -> whole;
        };
    drawn.append(' ').append(type).append(Arrays.toString(dims));
    if (kind == 1 || kind == 2) {
      drawn.append(kind == 1 ? "transposed" : "with gaps");
    }
    var values = new double[Math.toIntExact(count(dims))];
    var at = new long[rank];
    for (int i = 0; i < values.length; i++) {
      long[] from = at.clone();
      if (kind == 1) {
        from[axis] = at[other];
        from[other] = at[axis];
      } else if (kind == 2) {
        from[axis] = 1 + 2 * at[axis];
      }
      long place = 0;
      for (int d = 0; d < rank; d++) {
        place = place * stored[d] + from[d];
      }
      values[i] = memory[(int) place];
      for (int d = rank - 1; d >= 0 && ++at[d] == dims[d]; d--) {
        at[d] = 0;
      }
    }
    return new Operand(view, values);
  }

  private Tensor upload(DType type, double[] values, long... dims) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(Math.max(1, type.bytes(values.length)), 64);
      for (int i = 0; i < values.length; i++) {
        double v = values[i];
        switch (type) {
          case F64 -> data.setAtIndex(ValueLayout.JAVA_DOUBLE, i, v);
          case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) v);
          case BF16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, DType.floatToBf16((float) v));
          case F16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) v));
          case I64 -> data.setAtIndex(ValueLayout.JAVA_LONG, i, (long) v);
          case I32 -> data.setAtIndex(ValueLayout.JAVA_INT, i, (int) v);
          case U8, BOOL -> data.set(ValueLayout.JAVA_BYTE, i, (byte) v);
        }
      }
      return Tensors.of(device, type, data.asSlice(0, type.bytes(values.length)), dims);
    }
  }

  /** The nearest number of the type. */
  static double round(DType type, double v) {
    return switch (type) {
      case F32 -> (float) v;
      case BF16 -> DType.bf16ToFloat(DType.floatToBf16((float) v));
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) v));
      default -> v;
    };
  }

  /** The product of sizes. */
  static long count(long... dims) {
    return Arrays.stream(dims).reduce(1, (a, b) -> a * b);
  }
}
