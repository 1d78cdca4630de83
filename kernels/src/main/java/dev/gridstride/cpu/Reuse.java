package dev.gridstride.cpu;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the objects that hold what runs, or tasks, work on, so that a kernel allocates nothing once
 * it has been run. Those at the same time have one each.
 */
final class Reuse<T> {
  /** More at the same time are made anew. */
  private static final int KEPT = 16;

  private final Supplier<T> maker;
  private final AtomicReferenceArray<@Nullable T> kept = new AtomicReferenceArray<>(KEPT);

  Reuse(Supplier<T> maker) {
    this.maker = maker;
  }

  /** An object that nobody else has; it holds what it was given back with. */
  T take() {
    for (int i = 0; i < KEPT; i++) {
      T one = kept.get(i) == null ? null : kept.getAndSet(i, null);
      if (one != null) {
        return one;
      }
    }
    return maker.get();
  }

  /** Keeps an object for the next; after an exception it is simply left out. */
  void give(T one) {
    for (int i = 0; i < KEPT; i++) {
      if (kept.get(i) == null && kept.compareAndSet(i, null, one)) {
        return;
      }
    }
  }
}
