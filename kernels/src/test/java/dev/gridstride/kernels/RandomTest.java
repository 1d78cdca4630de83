package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Random.Distribution;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random fills against their definition in words, element by element. */
@ExtendWith(TestDevice.class)
class RandomTest {
  private static final Device DEVICE = TestDevice.get();
  private static final long SEED = 0x123456789ABCDEFL;

  /** The known answers that the authors of the method publish with it. */
  @Test
  void philoxGivesTheKnownAnswers() {
    assertBlock(0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    assertBlock(-1, -1, -1, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    assertBlock(
        0x299f31d0a4093822L,
        0x85a308d3243f6a88L,
        0x0370734413198a2eL,
        0xd16cfe09,
        0x94fdcceb,
        0x5001e420,
        0x24126ea1);
    assertThat(Philox.word(0, 2)).isEqualTo(0xbc57ac4c);
  }

  private static void assertBlock(long seed, long low, long high, int... expected) {
    var words = new int[4];
    Philox.block(seed, low, high, words, 0);
    assertThat(words).containsExactly(expected);
  }

  private static double[] run(Random op, long seed, long offset) {
    try (var y = TestArray.output(DEVICE, op.type(), op.count())) {
      DEVICE.plan(op).run(DEVICE.defaultStream(), seed, offset, y.buffer());
      return y.get();
    }
  }

  static Stream<Random> cases() {
    var floating = Stream.of(DType.F32, DType.F64, DType.BF16, DType.F16);
    var distributions =
        new Distribution[] {
          new Distribution.Uniform(0, 1),
          new Distribution.Uniform(-3, 0.1),
          new Distribution.Normal(0, 1),
          new Distribution.Normal(-2, 0.5)
        };
    return Stream.of(
            floating.flatMap(t -> Arrays.stream(distributions).map(d -> new Random(t, 99, d))),
            Arrays.stream(DType.values())
                .map(t -> new Random(t, 99, new Distribution.Bernoulli(0.3))),
            Stream.of(
                new Random(DType.I32, 99, new Distribution.Integers(-7, 8)),
                new Random(DType.I32, 99, new Distribution.Integers(-(1L << 31), 1L << 31)),
                new Random(DType.U8, 99, new Distribution.Integers(0, 256)),
                new Random(DType.I64, 99, new Distribution.Integers(-7, 8)),
                new Random(DType.I64, 99, new Distribution.Integers(-(1L << 40), 1L << 40))))
        .flatMap(s -> s);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheDefinition(Random op) {
    for (long n : new long[] {0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 63, 65, 4093, 9001}) {
      for (long offset : new long[] {0, 1, 2, 3, 6, (1L << 34) + 1}) {
        var sized = new Random(op.type(), n, op.distribution());
        var expected = new double[(int) n];
        Arrays.setAll(expected, i -> oracle(op, offset + i));
        double eps = op.type().epsilon();
        switch (op.distribution()) {
          // a deviate of at most 9 has a handful of roundings before the mean is added
          case Distribution.Normal d ->
              assertClose("y", run(sized, SEED, offset), expected, 4 * eps, 8 * eps);
          // high - low, at most 3.1, and the result are rounded
          case Distribution.Uniform d when d.low() != 0 ->
              assertClose("y", run(sized, SEED, offset), expected, eps, 2 * eps);
          default -> assertSameBits("y", run(sized, SEED, offset), expected);
        }
      }
    }
  }

  private static double word(long index) {
    return Integer.toUnsignedLong(Philox.word(SEED, index));
  }

  private static double fraction53(long pair) {
    long low = Integer.toUnsignedLong(Philox.word(SEED, 2 * pair));
    long high = Integer.toUnsignedLong(Philox.word(SEED, 2 * pair + 1));
    return Math.floor((high * 0x1p32 + Math.floor(low / 0x1p11) * 0x1p11) / 0x1p11) * 0x1p-53;
  }

  private static double oracle(Random op, long e) {
    boolean wide = op.type() == DType.F64;
    int bits = op.type() == DType.BF16 ? 8 : op.type() == DType.F16 ? 11 : 24;
    return switch (op.distribution()) {
      case Distribution.Uniform(double low, double high) -> {
        double scale = Math.scalb(1.0, bits - 32);
        double u = wide ? fraction53(e) : Math.floor(word(e) * scale) * Math.scalb(1.0, -bits);
        double a = wide ? low : (float) low;
        double b = wide ? high : (float) high;
        yield a + u * (b - a);
      }
      case Distribution.Normal(double mean, double std) -> {
        long k = e & ~1L;
        double u1 = wide ? fraction53(k) + 0x1p-53 : (Math.floor(word(k) / 256) + 1) * 0x1p-24;
        double u2 = wide ? fraction53(k + 1) : Math.floor(word(k + 1) / 256) * 0x1p-24;
        double r = Math.sqrt(-2 * Math.log(u1));
        double t = 2 * Math.PI * u2;
        yield mean + std * r * (e == k ? Math.cos(t) : Math.sin(t));
      }
      case Distribution.Bernoulli(double p) -> word(e) < Math.round(p * 0x1p32) ? 1 : 0;
      case Distribution.Integers(long low, long high) -> {
        if (op.type() == DType.I64) {
          var both =
              java.math.BigInteger.valueOf((long) word(2 * e + 1))
                  .shiftLeft(32)
                  .add(java.math.BigInteger.valueOf((long) word(2 * e)));
          yield low
              + both.multiply(java.math.BigInteger.valueOf(high - low))
                  .shiftRight(64)
                  .doubleValue();
        }
        yield low + Math.floor(word(e) * (high - low) / 0x1p32);
      }
    };
  }

  @ParameterizedTest
  @MethodSource("cases")
  @ResourceLock("threads")
  void aSliceIsAPartOfTheWholeOnAnyNumberOfThreads(Random op) {
    int before = DEVICE.threads();
    try {
      DEVICE.threads(1);
      double[] whole = run(new Random(op.type(), 70_000, op.distribution()), 9, 0);
      DEVICE.threads(3);
      double[] part = run(new Random(op.type(), 40_001, op.distribution()), 9, 20_003);
      assertSameBits("y", part, Arrays.copyOfRange(whole, 20_003, 60_004));
    } finally {
      DEVICE.threads(before);
    }
  }

  /** Mean and variance within five standard errors. */
  @Test
  void momentsAreThoseOfTheDistribution() {
    int n = 200_000;
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      double[] u = run(new Random(type, n, new Distribution.Uniform(0, 1)), 5, 0);
      assertThat(Arrays.stream(u).min().orElseThrow()).isGreaterThanOrEqualTo(0);
      assertThat(Arrays.stream(u).max().orElseThrow()).isLessThan(1);
      assertThat(mean(u, 1)).isCloseTo(0.5, within(5 * Math.sqrt(1 / 12.0 / n)));
      assertThat(mean(u, 2)).isCloseTo(1 / 3.0, within(5 * Math.sqrt(4 / 45.0 / n)));
      double[] z = run(new Random(type, n, new Distribution.Normal(0, 1)), 5, 0);
      assertThat(mean(z, 1)).isCloseTo(0, within(5 * Math.sqrt(1.0 / n)));
      assertThat(mean(z, 2)).isCloseTo(1, within(5 * Math.sqrt(2.0 / n)));
      assertThat(mean(z, 4)).isCloseTo(3, within(5 * Math.sqrt(96.0 / n)));
    }
  }

  private static double mean(double[] v, int power) {
    return Arrays.stream(v).map(x -> Math.pow(x, power)).average().orElseThrow();
  }

  @Test
  void edgesOfTheParameters() {
    assertThat(run(new Random(DType.BOOL, 999, new Distribution.Bernoulli(0)), 1, 0))
        .containsOnly(0);
    assertThat(run(new Random(DType.BOOL, 999, new Distribution.Bernoulli(1)), 1, 0))
        .containsOnly(1);
    assertThat(run(new Random(DType.F32, 99, new Distribution.Uniform(2, 2)), 1, 0))
        .containsOnly(2);
    assertThat(run(new Random(DType.F32, 99, new Distribution.Normal(3, 0)), 1, 0)).containsOnly(3);
    assertThat(run(new Random(DType.I64, 99, new Distribution.Integers(4, 5)), 1, 0))
        .containsOnly(4);
    // between neighbours of f32 every result would be rounded to one of them; never the upper
    double up = Math.nextUp(1f);
    assertThat(run(new Random(DType.F32, 999, new Distribution.Uniform(1, up)), 1, 0))
        .containsOnly(1);
    assertThat(run(new Random(DType.F64, 999, new Distribution.Uniform(1, Math.nextUp(1.0))), 1, 0))
        .containsOnly(1);
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> new Random(DType.I32, 1, new Distribution.Uniform(0, 1)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("random: type must be f64, f32, bf16 or f16; type=i32");
    assertThatThrownBy(() -> new Random(DType.F32, -1, new Distribution.Uniform(0, 1)))
        .hasMessage("random: count must not be negative; count=-1");
    assertThatThrownBy(() -> new Random(DType.F32, 1, new Distribution.Uniform(1, 0)))
        .hasMessage(
            "random: low must not exceed high, and their difference must be finite; low=1.0,"
                + " high=0.0");
    assertThatThrownBy(() -> new Random(DType.F32, 1, new Distribution.Uniform(-3e38, 3e38)))
        .hasMessageContaining("must be finite");
    assertThatThrownBy(() -> new Random(DType.F64, 1, new Distribution.Normal(0, -1)))
        .hasMessage("random: std must be finite, not negative; mean=0.0, std=-1.0");
    assertThatThrownBy(() -> new Random(DType.F64, 1, new Distribution.Bernoulli(Double.NaN)))
        .hasMessage("random: p must be in 0..1; p=NaN");
    assertThatThrownBy(() -> new Random(DType.F64, 1, new Distribution.Integers(0, 1)))
        .hasMessage("random: type must be i64, i32 or u8; type=f64");
    assertThatThrownBy(() -> new Random(DType.U8, 1, new Distribution.Integers(-1, 1)))
        .hasMessage(
            "random: range must not be empty and must fit the type; low=-1, high=1, type=u8");
    assertThatThrownBy(() -> run(new Random(DType.F32, 2, new Distribution.Uniform(0, 1)), 0, -1))
        .hasMessage("random: offset must be in 0..2^61 - count; offset=-1, count=2");
  }
}
