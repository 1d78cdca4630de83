package dev.gridstride.data;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.ClosedException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * The batches of one epoch, each once. {@link #next} hands a batch to the caller's current scope.
 * For one consumer thread.
 */
public final class Epoch implements Iterator<Batch>, AutoCloseable {
  /** What the producer hands over: a batch, or why there is none. */
  private record Item(@Nullable Batch batch, @Nullable Throwable failure) {}

  private final DataLoader loader;
  private final long[] order;
  private final long batches;
  private final @Nullable BlockingQueue<Item> queue;
  private final @Nullable Thread producer;
  private long given;
  private boolean closed;

  Epoch(DataLoader loader, long[] order) {
    this.loader = loader;
    this.order = order;
    this.batches = loader.batches();
    if (loader.prefetch() > 0) {
      var handed = new ArrayBlockingQueue<Item>(loader.prefetch());
      this.queue = handed;
      this.producer = Thread.ofVirtual().name("gridstride-loader").start(() -> produce(handed));
    } else {
      this.queue = null;
      this.producer = null;
    }
  }

  private long[] indices(long batch) {
    int from = Math.toIntExact(batch * loader.batchSize());
    int to = (int) Math.min(order.length, (long) from + loader.batchSize());
    return Arrays.copyOfRange(order, from, to);
  }

  /** Runs on the producer's thread, which has no scope: the batches belong to nobody yet. */
  private void produce(BlockingQueue<Item> handed) {
    try {
      for (long b = 0; b < batches; b++) {
        Item item = make(b);
        try {
          handed.put(item);
        } catch (InterruptedException stopped) {
          discard(item);
          throw stopped;
        }
        if (item.failure != null) {
          return;
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt(); // the epoch was closed early: the thread ends
    }
  }

  private Item make(long batch) {
    try (Scope scope = Scope.open()) { // frees what was made when the data set fails half-way
      Batch made = loader.dataset().batch(indices(batch));
      scope.keep(made.x());
      scope.keep(made.y());
      return new Item(made, null);
    } catch (Throwable failure) {
      return new Item(null, failure); // thrown to the consumer by next
    }
  }

  private static void discard(Item item) {
    if (item.batch != null) {
      item.batch.close();
    }
  }

  /** Whether there are batches left. */
  @Override
  public boolean hasNext() {
    return !closed && given < batches;
  }

  /**
   * The next batch, which belongs to the caller's current scope or else the caller.
   *
   * <p>What the data set threw while it made the batch is thrown here, and the epoch is over.
   *
   * @throws ClosedException after close
   * @throws NoSuchElementException after the last batch
   */
  @Override
  public Batch next() {
    if (closed) {
      throw new ClosedException("epoch.next: the epoch has been closed");
    }
    if (given >= batches) {
      throw new NoSuchElementException("the epoch has " + batches + " batches");
    }
    BlockingQueue<Item> handed = queue;
    if (handed == null) {
      return loader.dataset().batch(indices(given++));
    }
    Item item;
    try {
      item = handed.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClosedException("epoch.next: interrupted while waiting for a batch");
    }
    given++;
    Batch batch = item.batch;
    if (batch == null) {
      given = batches;
      throw rethrown(item.failure);
    }
    return new Batch(adopted(batch.x()), adopted(batch.y()));
  }

  /** The same memory as a tensor of this thread's scope. */
  private static Tensor adopted(Tensor foreign) {
    Tensor mine = foreign.detach();
    foreign.close();
    return mine;
  }

  private static RuntimeException rethrown(@Nullable Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    return failure instanceof RuntimeException e ? e : new IllegalStateException(failure);
  }

  /** Stops the thread that makes batches and frees those that were not taken. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    Thread thread = producer;
    BlockingQueue<Item> handed = queue;
    if (thread != null && handed != null) {
      thread.interrupt();
      boolean interrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true; // finish freeing first, tell afterwards
        }
      }
      handed.forEach(Epoch::discard);
      handed.clear();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
