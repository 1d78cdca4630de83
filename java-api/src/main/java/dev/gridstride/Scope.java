package dev.gridstride;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.InvalidArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Owns the tensors that its thread makes while it is open, and closes them when it is closed.
 *
 * <pre>{@code
 * try (var step = Scope.open()) {
 *   Tensor loss = model.forward(x).crossEntropy(labels);
 *   loss.backward();
 *   optimizer.step();
 * } // every intermediate result is freed here
 * }</pre>
 *
 * <p>Scopes nest: the innermost open scope of the thread owns new tensors, and {@link #keep} hands
 * one to the scope outside. A tensor that is made while no scope is open belongs to the caller, who
 * closes it. Gradients of leaf tensors belong to the leaf, not to a scope. A scope is used by one
 * thread; its tensors may be used by any.
 */
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();

  private final @Nullable Scope parent;
  private final Thread thread;
  private final List<Tensor> owned = new ArrayList<>();
  private boolean closed;

  private Scope(@Nullable Scope parent) {
    this.parent = parent;
    this.thread = Thread.currentThread();
  }

  /** Opens a scope inside the thread's current one, if any. */
  public static Scope open() {
    var scope = new Scope(CURRENT.get());
    CURRENT.set(scope);
    return scope;
  }

  static @Nullable Scope current() {
    return CURRENT.get();
  }

  /** Runs {@code body} without an owner: tensors made inside belong to the caller. */
  public static <T> T detached(Supplier<T> body) {
    Scope before = CURRENT.get();
    CURRENT.remove();
    try {
      return body.get();
    } finally {
      CURRENT.set(before);
    }
  }

  void adopt(Tensor tensor) {
    owned.add(tensor);
    tensor.owner = this;
  }

  /**
   * Hands {@code tensor} to the scope outside this one, or to the caller when there is none.
   *
   * <p>The tensor keeps its history for {@code backward} only as far as the tensors that it was
   * computed from are kept too.
   *
   * @return the same tensor
   * @throws InvalidArgumentException when this scope does not own it
   */
  public Tensor keep(Tensor tensor) {
    checkUse("scope.keep");
    if (tensor.owner != this) {
      throw InvalidArgumentException.of(
          "scope.keep", "tensor", "must be owned by this scope", "tensor=%s", tensor);
    }
    disown(tensor);
    if (parent != null) {
      parent.adopt(tensor);
    }
    return tensor;
  }

  /** Gives a tensor that this scope owns to nobody. */
  Tensor release(Tensor tensor) {
    disown(tensor);
    return tensor;
  }

  private void disown(Tensor tensor) {
    // the search from the end finds what was made last, which is what is kept as a rule
    for (int i = owned.size() - 1; i >= 0; i--) {
      if (owned.get(i) == tensor) {
        owned.remove(i);
        break;
      }
    }
    tensor.owner = null;
  }

  /**
   * Closes every tensor that this scope still owns.
   *
   * @throws ClosedException when it has been closed before
   * @throws InvalidArgumentException when called by another thread, or while an inner scope is open
   */
  @Override
  public void close() {
    checkUse("scope.close");
    if (CURRENT.get() != this) {
      throw new InvalidArgumentException(
          "scope.close: scopes must be closed in the reverse order of opening; an inner scope is"
              + " open");
    }
    closed = true;
    CURRENT.set(parent);
    for (int i = owned.size() - 1; i >= 0; i--) {
      Tensor tensor = owned.get(i);
      tensor.owner = null;
      tensor.closeIfOpen();
    }
    owned.clear();
  }

  private void checkUse(String op) {
    if (closed) {
      throw new ClosedException(op + ": the scope has been closed");
    }
    if (Thread.currentThread() != thread) {
      throw new InvalidArgumentException(
          op + ": a scope is used by the thread that opened it; opened by " + thread.getName());
    }
  }
}
