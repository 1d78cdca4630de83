package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.kernels.Adam;
import dev.gridstride.kernels.GradientDescent;
import dev.gridstride.kernels.Sgd;
import java.util.ArrayList;
import java.util.List;

/** One step of an optimizer over some tensors of equal size, in one call. */
final class OptimizerFamily implements Family {
  /** Learning rate of every op. */
  static final double RATE = 1e-3;

  /** Momentum of {@code sgd-momentum}. */
  static final double MOMENTUM = 0.9;

  /** Decay of {@code adamw}. */
  static final double DECAY = 0.01;

  static final double BETA1 = 0.9;
  static final double BETA2 = 0.999;
  static final double EPS = 1e-8;

  @Override
  public String name() {
    return "optimizer";
  }

  @Override
  public String description() {
    return "one step of Adam, AdamW and SGD with momentum over several tensors";
  }

  @Override
  public List<String> ops() {
    return List.of("adam", "adamw", "sgd-momentum");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<Work> quick() {
    return Family.each(ops(), "200x500", "4x4000000");
  }

  @Override
  public List<Work> full() {
    return Family.each(ops(), "1x1000", "200x500", "8x100000", "4x4000000", "1x100000000");
  }

  @Override
  public String shapeForm() {
    return "TENSORSxELEMENTS";
  }

  @Override
  public double flops(Case c) {
    return 0;
  }

  /** Reads parameter, gradient and states, writes all but the gradient. */
  @Override
  public double bytes(Case c) {
    int[] s = c.sizes(2);
    return (c.op().equals("sgd-momentum") ? 5 : 7) * 4.0 * s[0] * s[1];
  }

  /** Parameters p0, p1, ... and gradients g0, g1, ...; the results are the parameters' moves. */
  @Override
  public Problem problem(Case c) {
    int[] s = c.sizes(2);
    var problem = new Problem();
    for (int t = 0; t < s[0]; t++) {
      float[] p = Data.floats(s[1], 1 + t);
      float[] g = Data.floats(s[1], 1001 + t);
      for (int i = 0; i < s[1]; i++) {
        p[i] *= 0.01f; // small, so that rounding the parameter hides little of the step
      }
      problem.input("p" + t, p, s[1]).input("g" + t, g, s[1]);
      int[] at = Problem.places(s[1]);
      problem.expect(
          "p" + t,
          after -> {
            if (after.length != s[1]) {
              return Double.NaN;
            }
            var moved = new double[at.length];
            var expected = new double[at.length];
            for (int i = 0; i < at.length; i++) {
              moved[i] = after[at[i]] - p[at[i]];
              double grad = g[at[i]];
              // a first step: Adam's moments then are the gradient and its square
              expected[i] =
                  switch (c.op()) {
                    case "adam" -> -RATE * grad / (Math.abs(grad) + EPS);
                    case "adamw" -> -RATE * (grad / (Math.abs(grad) + EPS) + DECAY * p[at[i]]);
                    default -> -RATE * grad;
                  };
            }
            return Data.error(moved, expected);
          });
    }
    return problem;
  }

  @Override
  public Contender ours(Case c, Problem p) {
    int[] s = c.sizes(2);
    return new Buffers(
        c,
        p,
        o -> {
          GradientDescent op =
              switch (c.op()) {
                case "adam" -> Adam.of(o.type);
                case "adamw" -> Adam.decoupled(o.type, DECAY);
                default -> Sgd.of(o.type, MOMENTUM);
              };
          GradientDescent.Plan plan = o.cpu.plan(op);
          var params = new ArrayList<Buffer>();
          var grads = new ArrayList<Buffer>();
          var states = new ArrayList<List<Buffer>>();
          for (int i = 0; i < op.states().size(); i++) {
            states.add(new ArrayList<>());
          }
          for (int t = 0; t < s[0]; t++) {
            params.add(o.result("p" + t, o.in("p" + t)));
            grads.add(o.in("g" + t));
            for (List<Buffer> state : states) {
              state.add(o.zeros(s[1]));
            }
          }
          var step = new long[1];
          return () -> plan.step(o.stream, params, grads, states, ++step[0], RATE, 1);
        });
  }

  @Override
  public Contender plain(Case c, Problem p) {
    int[] s = c.sizes(2);
    return new Loops(o -> {
      var params = new float[s[0]][];
      var m = new float[s[0]][s[1]];
      var v = new float[s[0]][s[1]];
      for (int t = 0; t < s[0]; t++) {
        params[t] = o.result("p" + t, p.floats("p" + t).clone());
      }
      var step = new long[1];
      return () -> {
        step[0]++;
        float size = (float) (RATE / (1 - Math.pow(BETA1, step[0])));
        float root = (float) Math.sqrt(1 - Math.pow(BETA2, step[0]));
        float decay = c.op().equals("adamw") ? (float) (1 - RATE * DECAY) : 1;
        for (int t = 0; t < s[0]; t++) {
          if (c.op().equals("sgd-momentum")) {
            descend(params[t], p.floats("g" + t), m[t]);
          } else {
            adam(params[t], p.floats("g" + t), m[t], v[t], size, root, decay);
          }
        }
      };
    });
  }

  private static void descend(float[] p, float[] g, float[] m) {
    for (int i = 0; i < p.length; i++) {
      m[i] = (float) MOMENTUM * m[i] + g[i];
      p[i] -= (float) RATE * m[i];
    }
  }

  private static void adam(
      float[] p, float[] g, float[] m, float[] v, float size, float root, float decay) {
    float a = (float) (1 - BETA1);
    float b = (float) (1 - BETA2);
    for (int i = 0; i < p.length; i++) {
      m[i] += a * (g[i] - m[i]);
      v[i] += b * (g[i] * g[i] - v[i]);
      p[i] = p[i] * decay - size * m[i] / ((float) Math.sqrt(v[i]) / root + (float) EPS);
    }
  }
}
