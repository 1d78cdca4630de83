package dev.gridstride.bench;

import dev.gridstride.bench.Family.Work;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** The shapes of networks and of other benchmarks that come with this one, as resources. */
final class Shapes {
  private Shapes() {}

  /** A line of a resource: name of the set, operation, shape. */
  private record Line(String set, Work work) {}

  private static List<Line> lines(String family) {
    String resource = "shapes/" + family + ".tsv";
    try (var in = Objects.requireNonNull(Shapes.class.getResourceAsStream(resource), resource);
        var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return reader
          .lines()
          .filter(l -> !l.isBlank() && !l.startsWith("#"))
          .map(l -> l.split("\t"))
          .map(f -> new Line(f[0], new Work(f[1], f[2])))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All works of a family's resource. */
  static List<Work> of(String family) {
    return lines(family).stream().map(Line::work).distinct().toList();
  }

  /** The works of one set, as {@code resnet-50}; empty when the family has no such set. */
  static List<Work> of(String family, String set) {
    if (Shapes.class.getResource("shapes/" + family + ".tsv") == null) {
      return List.of();
    }
    return lines(family).stream()
        .filter(l -> l.set.equals(set))
        .map(Line::work)
        .distinct()
        .toList();
  }

  /** Bytes of an element. */
  static double bytes(String dtype) {
    return switch (dtype) {
      case "f64" -> 8;
      case "bf16" -> 2;
      default -> 4;
    };
  }
}
