package dev.gridstride.bench;

import java.util.Map;
import java.util.Objects;

/** Loops as one writes them without a library; one thread whatever is asked for. */
final class PlainJava implements Library {
  /** Above this a plain loop says nothing new and takes too long. */
  private static final double MOST_FLOPS = 3e8;

  @Override
  public String name() {
    return "java";
  }

  @Override
  public boolean offers(Case c) {
    Family f = Family.named(c.family());
    return c.threads() == 1
        && !c.dtype().equals("bf16")
        && !c.family().equals("mnist")
        && f.flops(c) <= MOST_FLOPS;
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    return Objects.requireNonNull(Family.named(c.family()).plain(c, p));
  }

  @Override
  public Map<String, String> about() {
    return Map.of("version", Runtime.version().toString(), "threads", "1");
  }
}
