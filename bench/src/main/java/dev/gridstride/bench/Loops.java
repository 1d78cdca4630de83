package dev.gridstride.bench;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/** The contender of plain Java: float arrays by name, and the work as a {@link Runnable}. */
final class Loops implements Contender {
  private final Map<String, float[]> results = new HashMap<>();
  private final Runnable work;

  Loops(Function<Loops, Runnable> setup) {
    work = setup.apply(this);
  }

  /** An array that holds a result. */
  float[] out(String name, int count) {
    return result(name, new float[count]);
  }

  /** Names an array as a result. */
  float[] result(String name, float[] values) {
    results.put(name, values);
    return values;
  }

  @Override
  public void run() {
    work.run();
  }

  @Override
  public double[] result(String name) {
    return Data.widened(results.get(name));
  }
}
