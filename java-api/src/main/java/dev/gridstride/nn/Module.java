package dev.gridstride.nn;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * A part of a network: parameters, which are trained, buffers, which are not, and child modules,
 * each under a name.
 *
 * <p>A module of one's own extends this class, makes its parts in the constructor with {@link
 * #parameter}, {@link #buffer} and {@link #child}, and computes in {@link #forward}. Parameters
 * belong to the module, whatever scope is open, and are freed by {@link #close}. Names are joined
 * by dots, as in PyTorch.
 */
public abstract class Module implements AutoCloseable {
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();
  private final Map<String, Module> children = new LinkedHashMap<>();
  private boolean training = true;

  /** Computes the module's result. */
  public abstract Tensor forward(Tensor x);

  /** Makes a parameter: a leaf that collects gradients. */
  protected final Tensor parameter(String name, Supplier<Tensor> init) {
    Tensor value = Scope.detached(() -> Autograd.noGrad(init)).requiresGrad(true);
    return put(parameters, name, value);
  }

  /** Makes a buffer: a tensor that is saved with the parameters but not trained. */
  protected final Tensor buffer(String name, Supplier<Tensor> init) {
    return put(buffers, name, Scope.detached(() -> Autograd.noGrad(init)));
  }

  /** Makes a module a part of this one. */
  protected final <M extends Module> M child(String name, M module) {
    put(children, name, module);
    return module;
  }

  private static <T> T put(Map<String, T> map, String name, T value) {
    if (name.isEmpty() || name.contains(".") || map.putIfAbsent(name, value) != null) {
      throw InvalidArgumentException.of(
          "module", "name", "must be new, not empty and without dots", "name='%s'", name);
    }
    return value;
  }

  /** The child modules in order. */
  public final List<Module> children() {
    return List.copyOf(children.values());
  }

  /** All parameters, this module's own first, then its children's in order. */
  public final List<Tensor> parameters() {
    return List.copyOf(namedParameters().values());
  }

  /** All parameters by name, in the order of {@link #parameters}. */
  public final Map<String, Tensor> namedParameters() {
    var all = new LinkedHashMap<String, Tensor>();
    collect("", all, true, false);
    return all;
  }

  /** All parameters and buffers by name: what has to be saved. */
  public final Map<String, Tensor> state() {
    var all = new LinkedHashMap<String, Tensor>();
    collect("", all, true, true);
    return all;
  }

  private void collect(
      String prefix, Map<String, Tensor> into, boolean withParameters, boolean withBuffers) {
    if (withParameters) {
      parameters.forEach((name, t) -> into.put(prefix + name, t));
    }
    if (withBuffers) {
      buffers.forEach((name, t) -> into.put(prefix + name, t));
    }
    children.forEach(
        (name, m) -> m.collect(prefix + name + ".", into, withParameters, withBuffers));
  }

  /**
   * Copies values into the parameters and buffers of the same names.
   *
   * @throws InvalidArgumentException when names, shapes or dtypes differ; nothing is changed then
   */
  public final void load(Map<String, Tensor> values) {
    Map<String, Tensor> mine = state();
    var missing = new TreeSet<>(mine.keySet());
    missing.removeAll(values.keySet());
    var unknown = new TreeSet<>(values.keySet());
    unknown.removeAll(mine.keySet());
    if (!missing.isEmpty() || !unknown.isEmpty()) {
      throw InvalidArgumentException.of(
          "module.load",
          "values",
          "must have exactly the module's names",
          "missing=%s, unknown=%s",
          missing,
          unknown);
    }
    mine.forEach((name, t) -> {
      Tensor v = values.get(name);
      if (v == null || !v.shape().equals(t.shape()) || v.dtype() != t.dtype()) {
        throw InvalidArgumentException.of(
            "module.load",
            name,
            "must have the module's shape and dtype",
            "given=%s, module=%s",
            String.valueOf(v),
            t);
      }
    });
    try (Scope scope = Scope.open()) {
      Autograd.noGrad(() ->
          mine.forEach((name, t) -> {
            Tensor v = values.get(name);
            if (v != null) {
              t.buffer().copyFrom(v.contiguous().buffer());
              t.changed();
            }
          }));
    }
  }

  /** Number of trained numbers. */
  public final long parameterCount() {
    return parameters().stream().mapToLong(Tensor::count).sum();
  }

  /** Whether the module behaves as in training (dropout, batch statistics). */
  public final boolean isTraining() {
    return training;
  }

  /** Switches this module and its children to training. */
  public final void train() {
    setTraining(true);
  }

  /** Switches this module and its children to evaluation. */
  public final void eval() {
    setTraining(false);
  }

  private void setTraining(boolean value) {
    training = value;
    children.values().forEach(m -> m.setTraining(value));
  }

  /** Forgets the gradients of all parameters. */
  public final void zeroGrad() {
    parameters().forEach(Tensor::zeroGrad);
  }

  /** Frees the parameters and buffers of this module and its children. */
  @Override
  public void close() {
    var all = new ArrayList<>(state().values());
    all.stream().filter(Tensor::isOpen).forEach(Tensor::close);
  }
}
