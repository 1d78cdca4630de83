package dev.gridstride.nn;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.InvalidArgumentException;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values that one attention layer has computed for the places so far, so that a text
 * that grows by a character needs the work of one place, not of all.
 *
 * <p>Memory for all places is taken with the first ones, in their dtype and on their device,
 * outside any scope; {@link #close} frees it. One cache for each layer; used by one thread.
 */
public final class KeyValueCache implements AutoCloseable {
  private final long capacity;
  private @Nullable Tensor keys; // [capacity, n, embed]: new places follow the old ones in memory
  private @Nullable Tensor values;
  private long length;
  private boolean closed;

  /**
   * An empty cache.
   *
   * @param capacity most places that it will hold, at least 1
   */
  public KeyValueCache(long capacity) {
    if (capacity < 1) {
      throw InvalidArgumentException.of(
          "keyValueCache", "capacity", "must be at least 1", "capacity=%d", capacity);
    }
    this.capacity = capacity;
  }

  /** Number of places that it holds. */
  public long length() {
    return length;
  }

  /** Most places that it can hold. */
  public long capacity() {
    return capacity;
  }

  /** Forgets all places; the memory stays, for texts of the same number and width. */
  public void clear() {
    length = 0;
  }

  /**
   * Takes in the next places.
   *
   * @param k {@code [n, l, embed]}
   * @param v likewise
   */
  void append(Tensor k, Tensor v) {
    if (closed) {
      throw new ClosedException("keyValueCache: the cache has been closed");
    }
    long l = k.size(1);
    if (length + l > capacity) {
      throw InvalidArgumentException.of(
          "keyValueCache",
          "places",
          "must fit into the capacity",
          "length=%d, new=%d, capacity=%d",
          length,
          l,
          capacity);
    }
    Tensor allKeys = keys == null ? room(k) : keys;
    Tensor allValues = values == null ? room(v) : values;
    keys = allKeys;
    values = allValues;
    put(allKeys, k);
    put(allValues, v);
    length += l;
  }

  private Tensor room(Tensor x) {
    return Scope.detached(
        () -> Tensor.empty(x.device(), x.dtype(), capacity, x.size(0), x.size(2)));
  }

  private void put(Tensor all, Tensor x) {
    if (x.size(0) != all.size(1)
        || x.size(2) != all.size(2)
        || x.dtype() != all.dtype()
        || !x.device().equals(all.device())) {
      throw InvalidArgumentException.of(
          "keyValueCache",
          "places",
          "must have the number, width, dtype and device of the first ones",
          "new=%s, cache=%s",
          x,
          all);
    }
    try (Scope scope = Scope.open()) {
      Tensor next = Autograd.noGrad(() -> x.transpose(0, 1).contiguous());
      long bytes = all.dtype().bytes(next.count());
      long row = all.dtype().bytes(x.size(0) * x.size(2));
      all.buffer().slice(length * row, bytes).copyFrom(next.buffer());
      all.changed();
    }
  }

  /** The keys of all places so far, {@code [n, length, embed]}: a view. */
  Tensor keys() {
    return soFar(keys);
  }

  /** The values of all places so far, {@code [n, length, embed]}: a view. */
  Tensor values() {
    return soFar(values);
  }

  private Tensor soFar(@Nullable Tensor all) {
    if (all == null) {
      throw InvalidArgumentException.of(
          "keyValueCache", "cache", "must hold a place", "length=%d", length);
    }
    return all.slice(0, 0, length).transpose(0, 1);
  }

  /** Frees the memory; does nothing the second time. */
  @Override
  public void close() {
    closed = true;
    for (Tensor t : new Tensor[] {keys, values}) {
      if (t != null && t.isOpen()) {
        t.close();
      }
    }
  }
}
