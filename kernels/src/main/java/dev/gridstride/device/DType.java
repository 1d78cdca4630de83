package dev.gridstride.device;

/**
 * Element types of buffers and tensors.
 *
 * <p>All are little-endian in memory. {@link #BF16} and {@link #F16} are storage types: arithmetic
 * on them is done in f32 and rounded to nearest even on the way out. {@link #BOOL} is one byte, 0
 * or 1.
 */
public enum DType {
  /** IEEE 754 binary64. */
  F64(8, true, 0x1p-52),
  /** IEEE 754 binary32. */
  F32(4, true, 0x1p-23),
  /** bfloat16: the upper half of an f32 (8 bits of exponent, 8 bits of precision). */
  BF16(2, true, 0x1p-7),
  /** IEEE 754 binary16 (5 bits of exponent, 11 bits of precision). */
  F16(2, true, 0x1p-10),
  /** Two's complement, 64 bits. */
  I64(8, false, 0),
  /** Two's complement, 32 bits. */
  I32(4, false, 0),
  /** Unsigned, 8 bits. */
  U8(1, false, 0),
  /** One byte, 0 is false, 1 is true. */
  BOOL(1, false, 0);

  private final int bytes;
  private final boolean floating;
  private final double epsilon;

  DType(int bytes, boolean floating, double epsilon) {
    this.bytes = bytes;
    this.floating = floating;
    this.epsilon = epsilon;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /**
   * Size of {@code count} elements in bytes.
   *
   * @throws InvalidArgumentException when it exceeds a long
   */
  public long bytes(long count) {
    long size = count * bytes;
    if (size / bytes != count) {
      throw InvalidArgumentException.of(
          "dtype.bytes", "count", "must give fewer than 2^63 bytes", "count=%d of %s", count, this);
    }
    return size;
  }

  /** Whether this is one of f64, f32, bf16, f16. */
  public boolean isFloating() {
    return floating;
  }

  /** Distance from 1 to the next larger value; 0 for integers. */
  public double epsilon() {
    return epsilon;
  }

  /** The name in lower case, as messages and the command line write it: {@code f32}. */
  @Override
  public String toString() {
    return switch (this) {
      case F64 -> "f64";
      case F32 -> "f32";
      case BF16 -> "bf16";
      case F16 -> "f16";
      case I64 -> "i64";
      case I32 -> "i32";
      case U8 -> "u8";
      case BOOL -> "bool";
    };
  }

  /** Rounds an f32 to bf16 bits, to nearest even; a NaN stays a (quiet) NaN. */
  public static short floatToBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** The f32 that has the same value as these bf16 bits (exact). */
  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
