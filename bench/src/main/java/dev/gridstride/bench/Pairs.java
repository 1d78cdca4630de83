package dev.gridstride.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Measures libraries side by side: a JVM for each, all prepared for the same case, and short blocks
 * in turn, forwards and backwards (A B B A). What else the machine does then meets all alike, so
 * the ratio of neighbouring blocks holds where single times do not.
 */
final class Pairs {
  /** A case gets fewer rounds where all would take longer, but at least {@link #LEAST_ROUNDS}. */
  private static final double MOST_SECONDS = 12;

  private static final int LEAST_ROUNDS = 3;

  /**
   * A library is slow whose run takes longer than this, in seconds, and {@link #SLOW_TIMES} the
   * fastest's: it takes part in as many rounds as {@link #SLOW_SECONDS} allow, at least one, and
   * the others don't lose rounds by it.
   */
  private static final double SLOW_RUN = 1;

  private static final double SLOW_TIMES = 4;

  private static final double SLOW_SECONDS = 4;

  private final int rounds;
  private final long warmMillis;
  private final long blockMillis;
  private final Path log;
  private final Map<String, Object> libraries = new TreeMap<>();

  /** One line for each case that a library did not do. */
  final List<String> refused = new ArrayList<>();

  Pairs(int rounds, long warmMillis, long blockMillis) throws IOException {
    this.rounds = rounds;
    this.warmMillis = warmMillis;
    this.blockMillis = blockMillis;
    log = Files.createTempFile("gridstride-bench", ".log");
  }

  /** What each library said of itself, and its settings. */
  Map<String, Object> libraries() {
    return libraries;
  }

  /**
   * Measures cases of one family and one number of threads.
   *
   * @param names the libraries, ours first
   * @param progress told of each case before it is measured
   */
  List<Row> measure(List<Case> cases, List<String> names, Consumer<Case> progress)
      throws IOException {
    var rows = new ArrayList<Row>();
    var forks = new LinkedHashMap<String, Fork>();
    Case first = cases.getFirst();
    try {
      for (String name : names) {
        var fork = new Fork(name, first.family(), first.threads(), log);
        forks.put(name, fork);
      }
      for (Case c : cases) {
        progress.accept(c);
        rows.addAll(measure(c, forks));
      }
      for (var entry : forks.entrySet()) { // after the work: they load what they need only then
        var about = new TreeMap<String, Object>(entry.getValue().about());
        about.put("environment", entry.getValue().environment);
        libraries.put(entry.getKey() + " " + first.family() + " t" + first.threads(), about);
      }
      return rows;
    } catch (IOException e) {
      throw new IOException(e.getMessage() + "; what it printed is in " + log, e);
    } finally {
      forks.values().forEach(Fork::close);
    }
  }

  /** Blocks of one contender. */
  private static final class Samples {
    final Fork fork;
    final double error;
    final String note;
    final double warm;
    double[] seconds = {};
    double allocated = Double.POSITIVE_INFINITY;

    /**
     * @param answer to {@code prepare}
     * @param warm seconds of a run after the warm-up
     */
    Samples(Fork fork, String answer, double warm) {
      this.fork = fork;
      this.warm = warm;
      String[] words = answer.split(" ", 2);
      error = Double.parseDouble(words[0]);
      note = words[1].strip();
    }
  }

  private List<Row> measure(Case c, Map<String, Fork> forks) throws IOException {
    var samples = new LinkedHashMap<String, Samples>();
    for (var entry : forks.entrySet()) {
      Fork fork = entry.getValue();
      String answer = fork.ask("prepare " + c);
      String warm = answer;
      if (!answer.startsWith(Worker.REFUSED)) {
        warm = fork.ask("warm " + warmMillis);
      }
      if (warm.startsWith(Worker.REFUSED)) {
        if (!warm.endsWith("not offered")) {
          refused.add(entry.getKey() + ": " + c + ": " + warm);
        }
        continue;
      }
      samples.put(entry.getKey(), new Samples(fork, answer, Double.parseDouble(warm)));
    }
    var order = new ArrayList<>(samples.values());
    int[] rounds =
        rounds(order.stream().mapToDouble(s -> s.warm).toArray(), blockMillis * 1e-3, this.rounds);
    for (int i = 0; i < rounds.length; i++) {
      order.get(i).seconds = new double[rounds[i]];
    }
    int most = Arrays.stream(rounds).max().orElse(0);
    for (int r = 0; r < most; r++) {
      for (Samples s : r % 2 == 0 ? order : order.reversed()) {
        if (r >= s.seconds.length) {
          continue;
        }
        String[] words = s.fork.ask("run " + blockMillis).split(" ");
        s.seconds[r] = Double.parseDouble(words[0]);
        s.allocated = Math.min(s.allocated, Double.parseDouble(words[1]));
        if (c.threads() > 1) {
          s.fork.rest();
        }
      }
    }
    Samples ours = samples.get(Gridstride.NAME);
    var rows = new ArrayList<Row>();
    samples.forEach((name, s) -> rows.add(row(c, name, s, ours)));
    return rows;
  }

  /**
   * Rounds of each library.
   *
   * @param runs seconds of a run of each
   * @param block seconds of a block of runs, the least that a round takes
   * @param rounds the most
   */
  static int[] rounds(double[] runs, double block, int rounds) {
    double slow = Math.max(SLOW_RUN, SLOW_TIMES * Arrays.stream(runs).min().orElse(0));
    double round = Arrays.stream(runs).filter(s -> s <= slow).map(s -> Math.max(s, block)).sum();
    int times = (int) Math.clamp(MOST_SECONDS / round, Math.min(LEAST_ROUNDS, rounds), rounds);
    return Arrays.stream(runs)
        .mapToInt(s -> s <= slow ? times : (int) Math.clamp(SLOW_SECONDS / s, 1, times))
        .toArray();
  }

  private static Row row(
      Case c, String name, Samples s, @org.jspecify.annotations.Nullable Samples ours) {
    Family family = Family.named(c.family());
    double[] sorted = sorted(s.seconds);
    double median = percentile(sorted, 0.5);
    double[] ratios = null;
    if (ours != null && ours != s) {
      ratios = new double[Math.min(s.seconds.length, ours.seconds.length)];
      for (int i = 0; i < ratios.length; i++) {
        ratios[i] = s.seconds[i] / ours.seconds[i];
      }
      ratios = sorted(ratios);
    }
    double bytes = family.bytes(c);
    return new Row(
        c.family(),
        c.op(),
        c.dtype(),
        c.shape(),
        "cpu",
        c.threads(),
        name,
        median,
        percentile(sorted, 0.2),
        percentile(sorted, 0.8),
        family.countsFlops() ? family.flops(c) / median * 1e-9 : null,
        family.countsFlops() ? null : bytes / median * 1e-9,
        family.countsFlops() && bytes > 0 ? family.flops(c) / bytes : null,
        s.error,
        ratios == null ? null : percentile(ratios, 0.5),
        ratios == null ? null : percentile(ratios, 0.2),
        ratios == null ? null : percentile(ratios, 0.8),
        Math.rint(s.allocated),
        s.note.isEmpty() ? null : s.note);
  }

  private static double[] sorted(double[] x) {
    double[] y = x.clone();
    Arrays.sort(y);
    return y;
  }

  /** Between the two nearest samples, linearly. */
  static double percentile(double[] sorted, double p) {
    double at = p * (sorted.length - 1);
    int low = (int) Math.floor(at);
    int high = (int) Math.ceil(at);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }
}
