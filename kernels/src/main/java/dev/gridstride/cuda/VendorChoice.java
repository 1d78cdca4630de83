package dev.gridstride.cuda;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Which vendors' implementations come before Gridstride's own: those that the system property
 * {@code gridstride.vendor} names, in its order, separated by commas.
 *
 * <p>{@code first} stands for {@code cublaslt,cudnn}, {@code last} (the default) for none. What is
 * not named comes behind Gridstride's own.
 *
 * @param names as {@code explain()} shows them
 */
public record VendorChoice(List<String> names) {
  private static final List<String> KNOWN = List.of("cublaslt", "cudnn", "jcublas", "jcudnn");

  /** What the JVM was started with; KNOWN has to stand before it. */
  public static final VendorChoice GIVEN = of(System.getProperty("gridstride.vendor"));

  /** Copies the list. */
  public VendorChoice {
    names = List.copyOf(names);
  }

  /** What a value of the property means; null: it was not given. */
  public static VendorChoice of(@Nullable String property) {
    var names = new ArrayList<String>();
    for (String name : (property == null ? "last" : property).split(",")) {
      switch (name.strip()) {
        case "first" -> names.addAll(List.of("cublaslt", "cudnn"));
        case "last", "" -> {}
        case String other when KNOWN.contains(other) -> names.add(other);
        case String unknown ->
            System.getLogger("dev.gridstride")
                .log(
                    Level.WARNING,
                    "gridstride: gridstride.vendor names "
                        + unknown
                        + ", which is none of "
                        + KNOWN
                        + ", first, last");
      }
    }
    return new VendorChoice(names.stream().distinct().toList());
  }

  /** Whether an implementation was asked for by its name. */
  public boolean names(String implementation) {
    return names.contains(implementation);
  }

  /** Own implementations and those of vendors in the order in which they are tried. */
  public <T> List<T> order(List<T> own, List<T> vendors, Function<T, String> name) {
    var all = new ArrayList<T>();
    for (String first : names) {
      vendors.stream().filter(v -> name.apply(v).equals(first)).forEach(all::add);
    }
    all.addAll(own);
    vendors.stream().filter(v -> !names.contains(name.apply(v))).forEach(all::add);
    return List.copyOf(all);
  }
}
