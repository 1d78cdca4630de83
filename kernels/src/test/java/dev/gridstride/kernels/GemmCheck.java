package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Epilogue.Activation;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import java.util.Locale;

/** Runs a matrix product and compares every element with {@link GemmOracle}. */
final class GemmCheck {
  private static final Device DEVICE = TestDevice.get();

  private GemmCheck() {}

  /** What one run gave. */
  record Result(double[] c, double[] bias, double[] aux) {}

  private static double[] values(long count, long seed, boolean integers) {
    return integers ? TestArray.integers(count, seed) : TestArray.normal(count, seed);
  }

  /** Runs and compares every element; guards and gaps must stay. */
  static Result check(Gemm op, double alpha, double beta, boolean integers, double[]... inputs) {
    Epilogue ep = op.epilogue();
    double[] a0 = inputs.length > 0 ? inputs[0] : values(op.countA(), 1, integers);
    double[] b0 = inputs.length > 1 ? inputs[1] : values(op.countB(), 2, integers);
    double[] c0 = inputs.length > 2 ? inputs[2] : values(op.countC(), 3, integers);
    if (beta == 0 && inputs.length <= 2) {
      Arrays.fill(c0, Double.NaN);
    }
    try (var a = TestArray.of(DEVICE, op.aType(), a0);
        var b = TestArray.of(DEVICE, op.bType(), b0);
        var c = TestArray.of(DEVICE, op.cType(), c0);
        var bias =
            ep.addsBias()
                ? TestArray.of(DEVICE, op.cType(), values(op.n(), 4, integers))
                : TestArray.output(DEVICE, op.cType(), op.n());
        var aux =
            ep.isBackward()
                ? TestArray.of(DEVICE, op.cType(), values(op.countC(), 5, integers))
                : TestArray.output(DEVICE, op.cType(), op.countC());
        var plan = DEVICE.plan(op);
        var workspace = DEVICE.allocate(Math.max(1, plan.workspaceBytes()))) {
      var oracle =
          new GemmOracle(op, alpha, a.get(), b.get(), beta, c.get(), bias.get(), aux.get());
      plan.run(
          DEVICE.defaultStream(),
          alpha,
          a.buffer(),
          b.buffer(),
          beta,
          c.buffer(),
          ep.usesBias() ? bias.buffer() : null,
          ep.usesAux() ? aux.buffer() : null,
          plan.workspaceBytes() == 0 ? null : workspace);
      var result = new Result(c.get(), bias.get(), aux.get());
      double[] allowed = allowed(op, oracle.magnitude, oracle.c);
      compare(op + " c", result.c, oracle.c, allowed);
      if (ep.savesAux()) {
        double[] z = oracle.z.clone();
        var gap = new boolean[z.length];
        for (int i = 0; i < z.length; i++) {
          gap[i] = oracle.magnitude[i] == 0 && !inside(op, i);
          z[i] = gap[i] ? Double.NaN : z[i]; // as the output was before
        }
        compare(op + " aux", result.aux, z, allowed(op, oracle.magnitude, z));
      }
      if (ep.storesBiasGradient()) {
        // of the sum of the stored result: a chain of 64 and a chain of the blocks
        double[] exact = new double[(int) op.n()];
        double[] size = new double[(int) op.n()];
        for (int i = 0; i < result.c.length; i++) {
          if (inside(op, i)) {
            int j = (int) (batchless(op, i) % op.leadingC());
            exact[j] += result.c[i];
            size[j] += Math.abs(result.c[i]);
          }
        }
        double[] tol = new double[exact.length];
        for (int j = 0; j < tol.length; j++) {
          tol[j] = 16 * accumulate(op).epsilon() * size[j] + out(op) * Math.abs(exact[j]);
        }
        compare(op + " bias gradient", result.bias, exact, tol);
      }
      return result;
    }
  }

  private static DType accumulate(Gemm op) {
    return op.cType() == DType.F64 ? DType.F64 : DType.F32;
  }

  /** Rounding of the stored type. */
  private static double out(Gemm op) {
    return op.cType().epsilon();
  }

  private static long batchless(Gemm op, int i) {
    return op.strideC() == 0 ? i : i % op.strideC();
  }

  private static boolean inside(Gemm op, int i) {
    long at = batchless(op, i);
    return at / op.leadingC() < op.m() && at % op.leadingC() < op.n();
  }

  /**
   * The criterion of BLAS's own test program (SBLAT3): 16 eps of the sum of magnitudes. Activations
   * have slopes of at most 1.13 and functions accurate to a few eps; GELU's density is taken from a
   * difference quotient in the oracle, good to 1e-9. Operands rounded to TF32 are off by 2^-11
   * each.
   */
  private static double[] allowed(Gemm op, double[] magnitude, double[] expected) {
    var tol = new double[magnitude.length];
    double eps = accumulate(op).epsilon();
    double relative = 16 * eps + (op.tf32() ? 0x1p-10 : 0);
    boolean smooth = op.epilogue().activation() != Activation.IDENTITY;
    for (int i = 0; i < tol.length; i++) {
      tol[i] = relative * magnitude[i] * (smooth ? 1.2 : 1) + out(op) * Math.abs(expected[i]);
      if (smooth) {
        tol[i] += (op.cType() == DType.F64 ? 1e-9 : 8e-6) * (magnitude[i] + Math.abs(expected[i]));
      }
    }
    return tol;
  }

  private static void compare(String what, double[] actual, double[] expected, double[] allowed) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      boolean same = Double.compare(actual[i], expected[i]) == 0 || actual[i] == expected[i];
      boolean near =
          Double.isFinite(expected[i]) && Math.abs(actual[i] - expected[i]) <= allowed[i];
      if (!same && !near) {
        fail(
            String.format(
                Locale.ROOT,
                "%s: element %d is %.9g, expected %.9g, allowed %.3g",
                what,
                i,
                actual[i],
                expected[i],
                allowed[i]));
      }
    }
  }
}
