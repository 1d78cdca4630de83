package dev.gridstride.cpu;

import java.lang.System.Logger.Level;
import java.util.Locale;

/**
 * Whether the Vector API implementations are used; decided once, at class load, and logged when it
 * is not the best the JVM could do.
 *
 * <p>{@code -Dgridstride.simd=off} chooses the scalar twins on purpose.
 */
public final class Simd {
  private static final System.Logger LOG = System.getLogger("dev.gridstride");
  private static final String MODULE = "jdk.incubator.vector";

  /** True when inner loops use the Vector API. */
  public static final boolean ENABLED = decide();

  private Simd() {}

  private static boolean decide() {
    String wanted = System.getProperty("gridstride.simd", "on").toLowerCase(Locale.ROOT);
    if (wanted.equals("off")) {
      return false;
    }
    if (ModuleLayer.boot().findModule(MODULE).isPresent()) {
      return true;
    }
    LOG.log(
        Level.WARNING,
        "gridstride: the CPU runs scalar code, many times slower: start java with"
            + " --add-modules "
            + MODULE);
    return false;
  }
}
