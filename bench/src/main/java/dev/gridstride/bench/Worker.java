package dev.gridstride.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A JVM that runs one library: takes commands on standard input, a line each, and answers each on
 * standard output with a line that begins with {@link #MARK}. The coordinator is {@link Fork}.
 *
 * <pre>
 * about                                  a JSON object
 * prepare FAMILY OP DTYPE SHAPE THREADS  "ERROR NOTE": the result is right; or "refused WHY"
 * warm MILLIS                            "SECONDS" of the fastest run: at least that long, until it
 *                                        gets no faster, at most nine seconds and the run that passes
 *                                        them; longer for a family that asks for more runs
 * run MILLIS                             "SECONDS BYTES": time and allocated memory of one run
 * </pre>
 */
final class Worker {
  /** Tells answers from what a library may print. */
  static final String MARK = "@gridstride ";

  /** How an answer begins that says why there is none. */
  static final String REFUSED = "refused";

  /** A warm-up goes on until blocks of this length get no faster. */
  private static final long WARM_BLOCK = 60_000_000;

  private static final long MOST_WARM = 150 * WARM_BLOCK;

  /** The same for families that ask for a number of runs. */
  private static final long MOST_WARM_RUNS = 25_000_000_000L;

  private static final Contender NOTHING = new Loops(o -> () -> {});

  private final Library library;
  private Contender contender = NOTHING;
  private double seconds = 1;
  private int warmRuns;

  private Worker(String library) {
    this.library = Library.named(library);
  }

  /** Runs the library that the argument names, until standard input ends. */
  public static void main(String[] args) throws IOException {
    PrintStream out = System.out;
    System.setOut(System.err); // what a library prints is not an answer
    var worker = new Worker(args[0]);
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(MARK + worker.answer(line.split(" ")));
      out.flush();
    }
  }

  private String answer(String[] words) {
    try {
      return switch (words[0]) {
        case "about" -> new ObjectMapper().writeValueAsString(library.about());
        case "prepare" -> prepare(words);
        case "warm" -> warm(Long.parseLong(words[1]) * 1_000_000);
        case "run" -> timed((long) Math.max(1, Long.parseLong(words[1]) * 1e-3 / seconds));
        default -> REFUSED + " unknown command " + words[0];
      };
    } catch (Exception | LinkageError | OutOfMemoryError e) {
      return REFUSED
          + " "
          + (e.getMessage() == null ? e : e.getMessage()).toString().lines().findFirst().orElse("");
    }
  }

  private String prepare(String[] words) throws Exception {
    close();
    var c = new Case(words[1], words[2], words[3], words[4], Integer.parseInt(words[5]));
    if (!library.offers(c)) {
      return REFUSED + " not offered";
    }
    Family family = Family.named(c.family());
    warmRuns = family.warmRuns();
    Problem problem = family.problem(c);
    contender = library.prepare(c, problem);
    contender.run();
    double error = problem.error(contender::result);
    if (!(library instanceof PlainJava)) { // which works on the operands themselves
      problem.forget(); // seven libraries hold operands of gigabytes: one set each is enough
    }
    System.gc();
    if (!(error < Case.tolerance(c.dtype()))) {
      return REFUSED + " wrong result, error " + error;
    }
    return String.format(Locale.ROOT, "%.6e %s", error, contender.note());
  }

  /** Several libraries hold a case at a time, some of gigabytes: nothing of the last one stays. */
  private void close() throws Exception {
    if (contender != NOTHING) {
      contender.close();
      contender = NOTHING;
      library.trim();
      System.gc();
    }
  }

  /**
   * The JIT needs seconds for some kernels, many on a busy machine: goes on while it works, has
   * work waiting, or the best block still falls.
   */
  private String warm(long least) {
    long from = System.nanoTime();
    double best = Double.POSITIVE_INFINITY;
    int since = 0;
    long runs = 0;
    for (long now = from; now - from < (runs < warmRuns ? MOST_WARM_RUNS : MOST_WARM); ) {
      long start = now;
      long times = 0;
      while (now - start < WARM_BLOCK) {
        contender.run(1);
        times++;
        now = System.nanoTime();
      }
      runs += times;
      seconds = (now - start) * 1e-9 / times;
      since = seconds < 0.97 * best || Jit.isBusy() ? 0 : since + 1;
      best = Math.min(best, seconds);
      if (since >= 3 && now - from >= least && runs >= warmRuns) {
        break;
      }
    }
    seconds = best;
    return String.format(Locale.ROOT, "%.9e", seconds);
  }

  private String timed(long times) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long allocated = threads.getTotalThreadAllocatedBytes();
    long from = System.nanoTime();
    contender.run(times);
    long to = System.nanoTime();
    allocated = threads.getTotalThreadAllocatedBytes() - allocated;
    seconds = (to - from) * 1e-9 / times;
    return String.format(Locale.ROOT, "%.9e %.3f", seconds, allocated / (double) times);
  }
}
