package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.TopK;
import java.lang.foreign.MemorySegment;

/**
 * The k best of each output in a heap whose root is the worst of them: most elements cost one
 * comparison with the root, n log k at worst, and taking the heap apart sorts it.
 */
public final class CpuTopK implements TopK.Kernel {
  /** Elements of a task, about: enough to outweigh its start. */
  private static final long GRAIN = 16384;

  /** The largest k: each thread keeps its heap in Java arrays. */
  private static final int LARGEST_K = 1 << 30;

  private final TopK op;
  private final Places kept;
  private final Places keptOut;
  private final long size;
  private final long step;
  private final long outStep;
  private final int k;

  /** A kernel for {@code op}. */
  public CpuTopK(TopK op) {
    this.op = op;
    Layout out = Layout.contiguous(op.outputDims());
    this.kept = new Places(op.x(), i -> i != op.axis());
    this.keptOut = new Places(out, i -> i != op.axis());
    this.size = op.x().dim(op.axis());
    this.step = op.x().stride(op.axis());
    this.outStep = out.stride(op.axis());
    this.k = Math.toIntExact(op.k());
  }

  /** Whether k is small enough for a heap. */
  public static Support accepts(TopK op) {
    return op.k() <= LARGEST_K
        ? Support.YES
        : Support.no("k must be at most 2^30 for a heap; k=" + op.k());
  }

  @Override
  public String details() {
    return "k=" + k + " of " + size;
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer values, Buffer indices) {
    if (k == 0) {
      return;
    }
    MemorySegment xs = x.pinnedSegment();
    MemorySegment vs = values.pinnedSegment();
    MemorySegment is = indices.pinnedSegment();
    long bytes = op.type().bytes();
    Parallel.forRange(
        kept.count,
        Math.max(1, GRAIN / size),
        (from, to) -> {
          var heap = new Heap(k);
          var keys = new long[(int) Math.min(OrderKeys.BLOCK, size)];
          for (long o = from; o < to; o++) {
            long base = kept.at(o);
            long out = keptOut.at(o);
            best(xs, base, heap, keys);
            for (int j = 0; j < k; j++) {
              long place = heap.place[j];
              long at = out + j * outStep;
              // elements are copied, not computed, so that every bit stays: -0, a NaN's payload
              MemorySegment.copy(xs, (base + place * step) * bytes, vs, at * bytes, bytes);
              is.set(JAVA_LONG_UNALIGNED, at * 8, place);
            }
          }
        });
  }

  private void best(MemorySegment x, long base, Heap heap, long[] keys) {
    heap.count = 0;
    for (long first = 0; first < size; first += keys.length) {
      int n = (int) Math.min(keys.length, size - first);
      OrderKeys.fill(op.type(), x, base + first * step, step, n, keys);
      if (!op.largest()) {
        OrderKeys.reverse(keys, n);
      }
      heap.offer(keys, n, first);
    }
    heap.sort();
  }

  @Override
  public void backward(Stream stream, Buffer dy, Buffer indices, Buffer dx) {
    Layout whole = Layout.contiguous(op.x().dims());
    var places = new Places(whole, i -> i != op.axis());
    long dxStep = whole.stride(op.axis());
    long bytes = op.type().bytes();
    MemorySegment gs = dy.pinnedSegment();
    MemorySegment is = indices.pinnedSegment();
    MemorySegment ds = dx.pinnedSegment();
    ds.asSlice(0, op.type().bytes(whole.count())).fill((byte) 0);
    Parallel.forRange(
        places.count,
        Math.max(1, GRAIN / Math.max(1, k)),
        (from, to) -> {
          for (long o = from; o < to; o++) {
            long base = places.at(o);
            long out = keptOut.at(o);
            for (int j = 0; j < k; j++) {
              long at = out + j * outStep;
              long place = checked(is.get(JAVA_LONG_UNALIGNED, at * 8));
              MemorySegment.copy(gs, at * bytes, ds, (base + place * dxStep) * bytes, bytes);
            }
          }
        });
  }

  private long checked(long place) {
    if (place < 0 || place >= size) {
      throw InvalidArgumentException.of(
          op.name(), "indices", "must be in 0..size", "index=%d, size=%d", place, size);
    }
    return place;
  }

  /** The best elements so far, the worst of them first; of equal ones the later is the worse. */
  private static final class Heap {
    final long[] key;
    final long[] place;
    int count;

    Heap(int k) {
      key = new long[k];
      place = new long[k];
    }

    void offer(long[] keys, int n, long first) {
      int i = 0;
      for (; i < n && count < key.length; i++) {
        key[count] = keys[i];
        place[count++] = first + i;
        if (count == key.length) {
          for (int parent = count / 2 - 1; parent >= 0; parent--) {
            siftDown(parent, count);
          }
        }
      }
      for (; i < n; i++) {
        if (keys[i] > key[0]) { // an equal one comes later, so it is worse
          key[0] = keys[i];
          place[0] = first + i;
          siftDown(0, count);
        }
      }
    }

    /** Takes the worst to the end again and again: the best is then first. */
    void sort() {
      for (int end = count - 1; end > 0; end--) {
        swap(0, end);
        siftDown(0, end);
      }
    }

    private boolean worse(int a, int b) {
      return key[a] < key[b] || (key[a] == key[b] && place[a] > place[b]);
    }

    private void swap(int a, int b) {
      long t = key[a];
      key[a] = key[b];
      key[b] = t;
      t = place[a];
      place[a] = place[b];
      place[b] = t;
    }

    private void siftDown(int from, int end) {
      int i = from;
      for (int child = 2 * i + 1; child < end; child = 2 * i + 1) {
        if (child + 1 < end && worse(child + 1, child)) {
          child++;
        }
        if (!worse(child, i)) {
          return;
        }
        swap(i, child);
        i = child;
      }
    }
  }
}
