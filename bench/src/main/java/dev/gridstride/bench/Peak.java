package dev.gridstride.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.function.Supplier;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The two limits of this machine: fused multiply-adds a second, in registers alone, and bytes a
 * second that a copy of large arrays reads and writes.
 *
 * @param threads threads that worked at once, a vector unit or an array of its own for each
 * @param f32Gflops 1e9 f32 operations a second, a fused multiply-add counting two; of bf16 too,
 *     which is multiplied in f32
 * @param f64Gflops the same of f64
 * @param copyGbps 1e9 bytes a second, read and written ones
 */
record Peak(int threads, double f32Gflops, double f64Gflops, double copyGbps) {
  /** Chains that run at once: two units with a latency of four cycles need eight; one to spare. */
  private static final int CHAINS = 12;

  private static final int ROUNDS = 4096;
  private static final long LEAST_WARM = 100_000_000; // ns
  private static final long MOST_WARM = 20_000_000_000L;
  private static final long COPIED = 64L << 20; // beyond any share of a last-level cache

  private static final VectorSpecies<Float> F32 = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  /** Measures for about this many milliseconds each: the best of short stretches. */
  static Peak measure(int threads, long millis) {
    double f32 = best(threads, millis, Float32::new);
    double f64 = best(threads, millis, Float64::new);
    try (Arena arena = Arena.ofShared()) {
      double copy = best(threads, millis, () -> new Copy(arena));
      return new Peak(threads, f32 * 1e-9, f64 * 1e-9, copy * 1e-9);
    }
  }

  /** The limit for an element type, in operations a second. */
  double flops(String dtype) {
    return (dtype.equals("f64") ? f64Gflops : f32Gflops) * 1e9;
  }

  /** A short work that says how much it did. */
  private interface Load {
    double run();
  }

  /** The sum of the threads' best rates, all starting a stretch together. */
  private static double best(int threads, long millis, Supplier<Load> make) {
    int stretches = 9;
    long nanos = millis * 1_000_000 / stretches;
    var rates = new double[threads][stretches];
    var barrier = new CyclicBarrier(threads);
    var workers = new ArrayList<Thread>();
    for (int t = 0; t < threads; t++) {
      Load load = make.get();
      warm(load);
      double[] mine = rates[t];
      workers.add(
          new Thread(() -> {
            for (int s = 0; s < stretches; s++) {
              await(barrier);
              double work = 0;
              long from = System.nanoTime();
              long now = from;
              while (now - from < nanos) {
                work += load.run();
                now = System.nanoTime();
              }
              mine[s] = work / (now - from) * 1e9;
            }
          }));
    }
    workers.forEach(Thread::start);
    try {
      for (Thread w : workers) {
        w.join();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted while measuring the peak", e);
    }
    double sum = 0;
    for (double[] rate : rates) {
      sum += Arrays.stream(rate).max().orElse(0);
    }
    return sum;
  }

  /** Until the JIT has compiled it: on a busy machine that takes seconds. */
  private static void warm(Load load) {
    long from = System.nanoTime();
    long now = from;
    do {
      for (int i = 0; i < 20; i++) {
        load.run();
      }
      now = System.nanoTime();
    } while (now - from < MOST_WARM && (now - from < LEAST_WARM || Jit.isBusy()));
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException("interrupted while measuring the peak", e);
    }
  }

  private static final class Float32 implements Load {
    private float sink = 1;

    @Override
    public double run() {
      sink += chains(sink) * 1e-30f;
      return 2.0 * F32.length() * CHAINS * ROUNDS;
    }

    private static float chains(float seed) {
      var x = FloatVector.broadcast(F32, 0.999f);
      var y = FloatVector.broadcast(F32, 1e-3f);
      var a = FloatVector.broadcast(F32, seed);
      var b = a.add(1);
      var c = a.add(2);
      var d = a.add(3);
      var e = a.add(4);
      var f = a.add(5);
      var g = a.add(6);
      var h = a.add(7);
      var i = a.add(8);
      var j = a.add(9);
      var k = a.add(10);
      var l = a.add(11);
      for (int r = 0; r < ROUNDS; r++) {
        a = a.fma(x, y);
        b = b.fma(x, y);
        c = c.fma(x, y);
        d = d.fma(x, y);
        e = e.fma(x, y);
        f = f.fma(x, y);
        g = g.fma(x, y);
        h = h.fma(x, y);
        i = i.fma(x, y);
        j = j.fma(x, y);
        k = k.fma(x, y);
        l = l.fma(x, y);
      }
      return a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).add(k).add(l).lane(0);
    }
  }

  private static final class Float64 implements Load {
    private double sink = 1;

    @Override
    public double run() {
      sink += chains(sink) * 1e-30;
      return 2.0 * F64.length() * CHAINS * ROUNDS;
    }

    private static double chains(double seed) {
      var x = DoubleVector.broadcast(F64, 0.999);
      var y = DoubleVector.broadcast(F64, 1e-3);
      var a = DoubleVector.broadcast(F64, seed);
      var b = a.add(1);
      var c = a.add(2);
      var d = a.add(3);
      var e = a.add(4);
      var f = a.add(5);
      var g = a.add(6);
      var h = a.add(7);
      var i = a.add(8);
      var j = a.add(9);
      var k = a.add(10);
      var l = a.add(11);
      for (int r = 0; r < ROUNDS; r++) {
        a = a.fma(x, y);
        b = b.fma(x, y);
        c = c.fma(x, y);
        d = d.fma(x, y);
        e = e.fma(x, y);
        f = f.fma(x, y);
        g = g.fma(x, y);
        h = h.fma(x, y);
        i = i.fma(x, y);
        j = j.fma(x, y);
        k = k.fma(x, y);
        l = l.fma(x, y);
      }
      return a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).add(k).add(l).lane(0);
    }
  }

  /** Part by part, so that a stretch can end between them. */
  private static final class Copy implements Load {
    private static final long PART = COPIED / 16;

    private final MemorySegment from;
    private final MemorySegment to;
    private long at;

    Copy(Arena arena) {
      from = arena.allocate(COPIED, 64);
      to = arena.allocate(COPIED, 64);
      from.fill((byte) 1);
      to.fill((byte) 2);
    }

    @Override
    public double run() {
      MemorySegment.copy(from, at, to, at, PART);
      at = (at + PART) % COPIED;
      return 2.0 * PART;
    }
  }

  /** As a result file states it. */
  Map<String, Object> describe() {
    var m = new LinkedHashMap<String, Object>();
    m.put("threads", threads);
    m.put("f32Gflops", f32Gflops);
    m.put("f64Gflops", f64Gflops);
    m.put("copyGbps", copyGbps);
    return m;
  }

  /** One thread, and all that are asked for. */
  static List<Peak> upTo(int threads, long millis) {
    var peaks = new ArrayList<Peak>();
    peaks.add(measure(1, millis));
    if (threads > 1) {
      peaks.add(measure(threads, millis));
    }
    return peaks;
  }
}
