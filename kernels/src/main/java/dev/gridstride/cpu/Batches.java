package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import java.util.List;

/**
 * Several arrays as one parallel loop over tasks of about the same size: a long array is cut, short
 * ones share a task. The cuts depend on the sizes only.
 */
final class Batches {
  /** Does a stretch of one array. */
  @FunctionalInterface
  interface Body {
    void run(int array, long from, long to);
  }

  private final long[] counts;

  /** Where each task begins; the last entry is the end. */
  private final int[] arrays;

  private final long[] elements;
  private final int tasks;

  private Batches(long[] counts) {
    this.counts = counts;
    long total = 0;
    for (long c : counts) {
      total = Math.addExact(total, c);
    }
    long size = Parallel.grain(total);
    this.tasks = Math.toIntExact(Math.ceilDiv(total, size));
    this.arrays = new int[tasks + 1];
    this.elements = new long[tasks + 1];
    int array = 0;
    long before = 0; // elements of the arrays before this one
    for (int t = 0; t < tasks; t++) {
      long start = t * size;
      while (start >= before + counts[array]) {
        before += counts[array++];
      }
      arrays[t] = array;
      elements[t] = start - before;
    }
    arrays[tasks] = counts.length;
  }

  /** Tasks over arrays of these buffers' sizes. */
  static Batches of(List<Buffer> buffers, long elementBytes) {
    return new Batches(buffers.stream().mapToLong(b -> b.bytes() / elementBytes).toArray());
  }

  /** Whether it was made for buffers of the same sizes. */
  boolean fits(List<Buffer> buffers, long elementBytes) {
    if (buffers.size() != counts.length) {
      return false;
    }
    for (int i = 0; i < counts.length; i++) {
      if (buffers.get(i).bytes() / elementBytes != counts[i]) {
        return false;
      }
    }
    return true;
  }

  /** Number of tasks. */
  int tasks() {
    return tasks;
  }

  /** Does one task. */
  void run(int task, Body body) {
    long from = elements[task];
    for (int i = arrays[task]; i < arrays[task + 1]; i++) {
      if (from < counts[i]) {
        body.run(i, from, counts[i]);
      }
      from = 0;
    }
    if (from < elements[task + 1]) {
      body.run(arrays[task + 1], from, elements[task + 1]);
    }
  }
}
