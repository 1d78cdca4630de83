package dev.gridstride.optim;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.ClipNorm;
import dev.gridstride.kernels.GradientDescent;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Updates parameters from their gradients.
 *
 * <p>{@link #step} changes every parameter that has a {@link Tensor#grad}, all of one group, dtype
 * and age by one multi-tensor op ({@link GradientDescent}); parameters without a gradient are left
 * alone and do not age. State is made with the first step of a parameter and belongs to the
 * optimizer until {@link #close}. Used by one thread at a time.
 */
public abstract class Optimizer implements AutoCloseable {
  private final List<Group> groups = new ArrayList<>();
  private final Set<Tensor> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Who makes the steps; null when this does. */
  private @Nullable GradScaler scaler;

  /** Parameters that share a method and a learning rate. */
  public final class Group {
    private final List<Slot> slots = new ArrayList<>();
    private double learningRate;

    private Group(double learningRate) {
      this.learningRate = checked(learningRate);
    }

    /** The learning rate of the next step. */
    public double learningRate() {
      return learningRate;
    }

    /** Sets the learning rate; must not be negative. */
    public void learningRate(double rate) {
      checked(rate);
      if (scaler != null) {
        scaler.learningRate(this, rate);
      }
      learningRate = rate;
    }

    private static double checked(double rate) {
      if (!(rate >= 0)) {
        throw InvalidArgumentException.of(
            "optimizer", "learningRate", "must not be negative", "learningRate=%s", rate);
      }
      return rate;
    }

    /** The parameters, in the order given. */
    public List<Tensor> parameters() {
      return slots.stream().map(s -> s.parameter).toList();
    }
  }

  /** A parameter and what the optimizer remembers of it. */
  static final class Slot {
    final Tensor parameter;
    final GradientDescent op;
    final List<Tensor> state = new ArrayList<>();
    long steps;

    Slot(Tensor parameter, GradientDescent op) {
      this.parameter = parameter;
      this.op = op;
    }
  }

  /** With one group; more by {@link #addGroup}. */
  Optimizer(List<Tensor> parameters, double learningRate, Function<DType, GradientDescent> method) {
    addGroup(parameters, learningRate, method);
  }

  /** Value that a state variable starts with. */
  double initial(String state) {
    return 0;
  }

  /**
   * Adds parameters with a learning rate and options of their own.
   *
   * @param parameters leaf tensors of f32 or f64, contiguous, none in this optimizer yet
   * @param method the options for each dtype, as {@code t -> Sgd.of(t, 0.9)}; of the method that
   *     this optimizer runs
   */
  public final Group addGroup(
      List<Tensor> parameters, double learningRate, Function<DType, GradientDescent> method) {
    checkAlone("optimizer.addGroup");
    var group = new Group(learningRate);
    var fresh = Collections.<Tensor>newSetFromMap(new IdentityHashMap<>());
    for (Tensor p : parameters) {
      if (seen.contains(p) || !fresh.add(p)) {
        throw InvalidArgumentException.of(
            "optimizer", "parameters", "must each be listed once", "twice=%s", p);
      }
      if (!p.isContiguous()) {
        throw InvalidArgumentException.of(
            "optimizer", "parameters", "must be contiguous", "parameter=%s", p);
      }
      group.slots.add(new Slot(p, method.apply(p.dtype())));
    }
    seen.addAll(fresh);
    groups.add(group);
    return group;
  }

  /** The groups, the constructor's first. */
  public final List<Group> groups() {
    return List.copyOf(groups);
  }

  /** The learning rate of the first group. */
  public final double learningRate() {
    return groups.getFirst().learningRate();
  }

  /** Sets the learning rate of all groups. */
  public final void learningRate(double rate) {
    groups.forEach(g -> g.learningRate(rate));
  }

  /** Forgets the gradients of all parameters. */
  public final void zeroGrad() {
    seen.forEach(Tensor::zeroGrad);
  }

  /** Updates every parameter that has a gradient. */
  public final void step() {
    step(1);
  }

  /**
   * As {@link #step()} with every gradient multiplied by {@code gradScale} (to undo a loss scale).
   */
  public final void step(double gradScale) {
    checkAlone("optimizer.step");
    try (Scope scope = Scope.open()) {
      Autograd.noGrad(() -> groups.forEach(g -> step(g, gradScale)));
    }
  }

  private record Batch(Device device, GradientDescent op, long steps) {}

  private void step(Group group, double gradScale) {
    var batches = new LinkedHashMap<Batch, List<Slot>>();
    for (Slot s : group.slots) {
      if (s.parameter.grad() != null) {
        prepare(s);
        var key = new Batch(s.parameter.device(), s.op, s.steps);
        batches.computeIfAbsent(key, k -> new ArrayList<>()).add(s);
      }
    }
    batches.forEach((batch, slots) -> step(batch, slots, group.learningRate, gradScale));
  }

  private void prepare(Slot s) {
    if (s.state.isEmpty()) {
      Tensor p = s.parameter;
      try {
        for (String name : s.op.states()) {
          s.state.add(
              Scope.detached(
                  () -> Tensors.full(p.device(), p.dtype(), initial(name), p.shape().dims())));
        }
      } catch (GridstrideException failed) {
        // all or none, so that the next step tries again
        s.state.forEach(Tensor::close);
        s.state.clear();
        throw failed;
      }
    }
  }

  private void step(Batch batch, List<Slot> slots, double learningRate, double gradScale) {
    var operands = new StepOperands(slots);
    batch
        .device
        .plan(batch.op)
        .step(
            batch.device.defaultStream(),
            operands.params,
            operands.grads,
            operands.states,
            batch.steps + 1,
            learningRate,
            gradScale);
    for (Slot s : slots) {
      s.steps++;
      s.parameter.changed();
    }
  }

  // ---- steps by a scaler ------------------------------------------------------------------------

  private void checkAlone(String op) {
    if (scaler != null) {
      throw InvalidArgumentException.of(
          op,
          "optimizer",
          "must not be in the hands of a GradScaler",
          "optimizer=%s",
          getClass().getSimpleName());
    }
  }

  /**
   * Lets a scaler make the steps from now on, with state for every parameter.
   *
   * @return how many have been made
   */
  final long attach(GradScaler by) {
    checkAlone("gradScaler");
    long steps =
        groups.stream().flatMap(g -> g.slots.stream()).findFirst().map(s -> s.steps).orElse(0L);
    forEachSlot((name, s) -> {
      if (s.steps != steps) {
        throw InvalidArgumentException.of(
            "gradScaler",
            "optimizer",
            "must have made the same number of steps with all parameters",
            "steps of %s=%d, of the first=%d",
            name,
            s.steps,
            steps);
      }
    });
    forEachSlot((_, s) -> prepare(s));
    scaler = by;
    return steps;
  }

  /** Takes the steps back, of which so many have been made. */
  final void detach(long steps) {
    scaler = null;
    setSteps(steps);
  }

  private void setSteps(long steps) {
    forEachSlot((_, s) -> s.steps = steps);
  }

  /** For each group the buffers of its parameters that have a gradient. */
  final List<StepOperands> operands() {
    return groups.stream().map(g -> new StepOperands(g.slots)).toList();
  }

  /**
   * Scales all gradients so that their global norm is at most {@code maxNorm}; see {@link
   * ClipNorm}.
   *
   * @return the norm before
   */
  public static double clipGradNorm(List<Tensor> parameters, double maxNorm) {
    @Nullable Tensor first = null;
    var grads = new ArrayList<Buffer>();
    for (Tensor p : parameters) {
      Tensor g = p.grad();
      if (g != null) {
        first = first == null ? g : first;
        if (g.dtype() != first.dtype() || g.count() * g.dtype().bytes() != g.buffer().bytes()) {
          throw InvalidArgumentException.of(
              "clipGradNorm",
              "gradients",
              "must have one dtype and lie without gaps",
              "gradient=%s, first=%s",
              g,
              first);
        }
        grads.add(g.buffer());
      }
    }
    if (first == null) {
      return 0;
    }
    var plan = first.device().plan(new ClipNorm(first.dtype(), maxNorm));
    return plan.clip(first.stream(), grads);
  }

  // ---- checkpoints ------------------------------------------------------------------------------

  /**
   * The state, by names {@code group.parameter.variable}, with the number of steps under {@code
   * group.parameter.steps}; copies that belong to the current scope or the caller.
   */
  public final Map<String, Tensor> exportState() {
    if (scaler != null) {
      setSteps(scaler.state().step() - 1);
    }
    var out = new TreeMap<String, Tensor>();
    forEachSlot((name, s) -> {
      Device device = s.parameter.device();
      out.put(name + "steps", Tensors.of(device, new long[] {s.steps}));
      for (int k = 0; k < s.state.size(); k++) {
        Tensor copy = Tensor.emptyLike(s.state.get(k));
        copy.buffer().copyFrom(s.state.get(k).buffer());
        out.put(name + s.op.states().get(k), copy);
      }
    });
    return out;
  }

  /**
   * Takes over a state that {@link #exportState} gave for the same groups and options; copies.
   *
   * @throws InvalidArgumentException when an entry is missing or has another shape or dtype;
   *     nothing is changed then
   */
  public final void importState(Map<String, Tensor> state) {
    checkAlone("optimizer.importState");
    forEachSlot((name, s) -> {
      if (entry(state, name + "steps").item() > 0) {
        for (String variable : s.op.states()) {
          Tensor t = entry(state, name + variable);
          if (!t.shape().equals(s.parameter.shape()) || t.dtype() != s.parameter.dtype()) {
            throw InvalidArgumentException.of(
                "optimizer.importState",
                name + variable,
                "must have the parameter's shape and dtype",
                "entry=%s, parameter=%s",
                t,
                s.parameter);
          }
        }
      }
    });
    try (Scope scope = Scope.open()) {
      forEachSlot((name, s) -> {
        s.steps = (long) entry(state, name + "steps").item();
        if (s.steps > 0) {
          prepare(s);
          for (int k = 0; k < s.state.size(); k++) {
            Tensor t = entry(state, name + s.op.states().get(k));
            s.state.get(k).buffer().copyFrom(t.contiguous().buffer());
          }
        }
      });
    }
  }

  private static Tensor entry(Map<String, Tensor> state, String name) {
    Tensor t = state.get(name);
    if (t == null) {
      throw InvalidArgumentException.of(
          "optimizer.importState",
          "state",
          "must have an entry " + name,
          "keys=%s",
          state.keySet());
    }
    return t;
  }

  @FunctionalInterface
  private interface SlotAction {
    void run(String name, Slot slot);
  }

  private void forEachSlot(SlotAction action) {
    for (int g = 0; g < groups.size(); g++) {
      List<Slot> slots = groups.get(g).slots;
      for (int i = 0; i < slots.size(); i++) {
        action.run(g + "." + i + ".", slots.get(i));
      }
    }
  }

  /** Frees the state, and closes a {@link GradScaler} that has it; parameters stay. */
  @Override
  public final void close() {
    if (scaler != null) {
      scaler.close();
    }
    forEachSlot((_, s) -> {
      s.state.forEach(Tensor::close);
      s.state.clear();
      s.steps = 0;
    });
  }
}
