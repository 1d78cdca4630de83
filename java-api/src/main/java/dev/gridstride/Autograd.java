package dev.gridstride;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Define-by-run automatic differentiation: ops record how to go back, {@link Tensor#backward} goes.
 *
 * <p>An op of one's own is written as the built-in ones are: compute the result, then {@link
 * #record} it with a function from the result's gradient to the inputs' gradients.
 *
 * <pre>{@code
 * static Tensor cube(Tensor x) {
 *   Tensor y = Autograd.noGrad(() -> x.mul(x).mul(x));
 *   return Autograd.record("cube", y, x, dy -> dy.mul(x).mul(x).mul(3));
 * }
 * }</pre>
 */
public final class Autograd {
  /** Gradients for all inputs of an op at once. */
  @FunctionalInterface
  public interface Backward {
    /**
     * Computes the inputs' gradients.
     *
     * @param dy gradient of the loss with respect to the op's result, of its shape and dtype
     * @param needed for each input, whether its gradient is asked for
     * @return one gradient for each input, of its shape and dtype; null where it is not needed
     */
    @Nullable Tensor[] apply(Tensor dy, boolean[] needed);
  }

  /** What {@link #record} stores with a result. */
  static final class Node {
    final String op;
    final Tensor[] inputs;
    final int[] versions;
    final long sequence = SEQUENCE.getAndIncrement();

    /** Null once backward has gone through it: what it captured can then be collected. */
    @Nullable Backward backward;

    Node(String op, Tensor[] inputs, Backward backward) {
      this.op = op;
      this.inputs = inputs;
      this.backward = backward;
      this.versions = new int[inputs.length];
      for (int i = 0; i < inputs.length; i++) {
        versions[i] = inputs[i].version();
      }
    }
  }

  private static final AtomicLong SEQUENCE = new AtomicLong();
  private static final ThreadLocal<Boolean> RECORDING = ThreadLocal.withInitial(() -> true);

  private Autograd() {}

  /** Whether ops of this thread are being recorded. */
  public static boolean isRecording() {
    return RECORDING.get();
  }

  /** Runs {@code body} without recording; results do not require gradients. */
  public static <T> T noGrad(Supplier<T> body) {
    boolean before = RECORDING.get();
    RECORDING.set(false);
    try {
      return body.get();
    } finally {
      RECORDING.set(before);
    }
  }

  /** Runs {@code body} without recording; results do not require gradients. */
  public static void noGrad(Runnable body) {
    boolean before = RECORDING.get();
    RECORDING.set(false);
    try {
      body.run();
    } finally {
      RECORDING.set(before);
    }
  }

  /**
   * Records an op of one input.
   *
   * @param op name for messages
   * @param y the op's result, newly made, with no history of its own
   * @param x its input
   * @param backward from the gradient of y to that of x
   * @return y, which requires gradients if x does and the thread is recording
   */
  public static Tensor record(String op, Tensor y, Tensor x, UnaryOperator<Tensor> backward) {
    if (!needsRecord(x)) {
      return y;
    }
    return attach(y, new Node(op, new Tensor[] {x}, (dy, n) -> new Tensor[] {backward.apply(dy)}));
  }

  /**
   * Records an op of two inputs whose gradients are computed apart.
   *
   * @param backwardA from the gradient of y to that of a; called only when a's is needed
   * @param backwardB from the gradient of y to that of b; called only when b's is needed
   */
  public static Tensor record(
      String op,
      Tensor y,
      Tensor a,
      UnaryOperator<Tensor> backwardA,
      Tensor b,
      UnaryOperator<Tensor> backwardB) {
    if (!needsRecord(a, b)) {
      return y;
    }
    return attach(
        y,
        new Node(
            op,
            new Tensor[] {a, b},
            (dy, needed) ->
                new @Nullable Tensor[] {
                  needed[0] ? backwardA.apply(dy) : null, needed[1] ? backwardB.apply(dy) : null
                }));
  }

  /** Records an op whose inputs' gradients are computed together. */
  public static Tensor record(String op, Tensor y, Backward backward, Tensor... inputs) {
    return needsRecord(inputs) ? attach(y, new Node(op, inputs.clone(), backward)) : y;
  }

  private static boolean needsRecord(Tensor... inputs) {
    if (RECORDING.get()) {
      for (Tensor t : inputs) {
        if (t.requiresGrad()) {
          return true;
        }
      }
    }
    return false;
  }

  private static Tensor attach(Tensor y, Node node) {
    if (!y.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          node.op,
          "result",
          "must be of a floating type to have a gradient",
          "dtype=%s",
          y.dtype());
    }
    if (y.node != null || y.requiresGrad()) {
      throw InvalidArgumentException.of(
          node.op,
          "result",
          "must be newly made, outside recording, to be recorded",
          "result=%s",
          y);
    }
    y.node = node;
    return y;
  }

  /**
   * Goes back from {@code root}: adds the gradient of {@code sum(root * seed)} to every leaf.
   *
   * <p>Creation order is a topological order of a define-by-run graph, so the newest node first
   * sees each node only after all that use its result. Gradients that arrive at one tensor are
   * added in that fixed order: the same bits from run to run.
   */
  static void backward(Tensor root, Tensor seed, boolean retainGraph) {
    var pending = new PriorityQueue<Tensor>(Comparator.comparingLong(Autograd::newestFirst));
    Map<Tensor, Tensor> gradients = new IdentityHashMap<>();
    noGrad(() -> {
      try (var scope = Scope.open()) {
        gradients.put(root, seed);
        pending.add(root);
        while (!pending.isEmpty()) {
          Tensor y = pending.poll();
          Tensor dy = gradients.remove(y);
          if (dy == null) {
            throw new IllegalStateException("backward: a tensor was visited twice: " + y);
          }
          Node node = y.node;
          if (node == null) {
            y.addToGrad(scope, dy);
          } else {
            step(node, dy, gradients, pending);
            if (!retainGraph) {
              node.backward = null;
            }
          }
          if (dy.owner == scope && dy != seed) {
            dy.closeIfOpen(); // frees memory long before the scope ends
          }
        }
      }
    });
  }

  private static long newestFirst(Tensor t) {
    Node node = t.node;
    return node == null ? Long.MAX_VALUE : -node.sequence;
  }

  private static void step(
      Node node, Tensor dy, Map<Tensor, Tensor> gradients, PriorityQueue<Tensor> pending) {
    Backward backward = node.backward;
    if (backward == null) {
      throw new ClosedException(
          node.op
              + ": backward has already gone through this result; call backward(true) first to"
              + " keep the graph");
    }
    var needed = new boolean[node.inputs.length];
    for (int i = 0; i < needed.length; i++) {
      Tensor x = node.inputs[i];
      needed[i] = x.requiresGrad();
      x.checkOpen(node.op + " backward");
      if (x.version() != node.versions[i]) {
        throw InvalidArgumentException.of(
            node.op + " backward",
            "input " + i,
            "must not be changed in place between forward and backward",
            "input=%s, changes=%d",
            x,
            x.version() - node.versions[i]);
      }
    }
    @Nullable Tensor[] dx = backward.apply(dy, needed);
    for (int i = 0; i < needed.length; i++) {
      if (!needed[i]) {
        continue;
      }
      Tensor x = node.inputs[i];
      Tensor g = i < dx.length ? dx[i] : null;
      if (g == null || !g.shape().equals(x.shape()) || g.dtype() != x.dtype()) {
        throw InvalidArgumentException.of(
            node.op + " backward",
            "gradient " + i,
            "must have the input's shape and dtype",
            "gradient=%s, input=%s",
            String.valueOf(g),
            x);
      }
      Tensor before = gradients.get(x);
      if (before == null) {
        // one tensor handed to several inputs: each gets a view of its own, to be closed by itself
        gradients.put(x, isShared(g, dy, dx, i) ? g.view() : g);
        pending.add(x);
      } else {
        gradients.put(x, before.add(g));
        if (before.owner == Scope.current()) {
          before.closeIfOpen();
        }
      }
    }
  }

  private static boolean isShared(Tensor g, Tensor dy, @Nullable Tensor[] dx, int i) {
    boolean shared = g == dy;
    for (int j = 0; j < dx.length; j++) {
      shared |= j != i && dx[j] == g;
    }
    return shared;
  }
}
