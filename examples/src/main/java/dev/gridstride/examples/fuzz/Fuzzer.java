package dev.gridstride.examples.fuzz;

import dev.gridstride.Scope;
import dev.gridstride.device.Device;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.examples.fuzz.Draw.Plainness;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Runs random cases on a device. */
public final class Fuzzer {
  /** The most elements along a dimension, where nothing else is asked for. */
  public static final int DEFAULT_SIZE = 70;

  private static final Map<String, Trial.Family> FAMILIES = families();

  private final Map<String, Trial.Family> families;
  private final Device device;
  private final Plainness plainness;
  private long refused;

  /**
   * A case that failed, made as small and plain as it still fails.
   *
   * @param family the ops it was drawn from
   * @param seed draws it
   * @param size the most elements along a dimension
   * @param strided whether operands may be views
   * @param special whether numbers may be NaN, infinite, denormal or huge
   * @param words what was drawn
   * @param reason what was wrong
   */
  public record Failure(
      String family,
      long seed,
      int size,
      boolean strided,
      boolean special,
      String words,
      String reason) {
    /** The command that repeats it. */
    public String command(String deviceName) {
      return "./gridstride fuzz --ops %s --seed %d --cases 1 --size %d%s%s --device %s"
          .formatted(
              family,
              seed,
              size,
              strided ? "" : " --contiguous",
              special ? "" : " --ordinary",
              deviceName);
    }
  }

  /** A fuzzer that draws cases up to this size and no less plain. */
  public Fuzzer(Device device, int size, boolean strided, boolean special) {
    this(FAMILIES, device, size, strided, special);
  }

  /** The same with other ops. */
  Fuzzer(
      Map<String, Trial.Family> families,
      Device device,
      int size,
      boolean strided,
      boolean special) {
    this.families = families;
    this.device = device;
    this.plainness = new Plainness(size, strided, special);
  }

  private static Map<String, Trial.Family> families() {
    Map<String, Trial.Family> families = new TreeMap<>();
    ElementFamilies.addTo(families);
    SumFamilies.addTo(families);
    PlaceFamilies.addTo(families);
    ScatterFamilies.addTo(families);
    NormFamilies.addTo(families);
    WindowFamilies.addTo(families);
    TrainingFamilies.addTo(families);
    return families;
  }

  /** The names of the families of ops. */
  public static Set<String> names() {
    return FAMILIES.keySet();
  }

  /** Number of cases that the device refused as not supported. */
  public long refused() {
    return refused;
  }

  /** Runs the case that {@code seed} draws; the failure, or null. */
  public @Nullable Failure run(String family, long seed) {
    Failure failure = attempt(family, seed, plainness);
    return failure == null ? null : shrunk(failure);
  }

  private Failure shrunk(Failure first) {
    Failure best = first;
    for (int size = 1; size < best.size(); size = size < 8 ? size + 1 : size * 2) {
      best = plainer(best, size, best.strided(), best.special());
    }
    best = plainer(best, best.size(), false, best.special());
    return plainer(best, best.size(), best.strided(), false);
  }

  /** The same case drawn plainer, if it still fails. */
  private Failure plainer(Failure failure, int size, boolean strided, boolean special) {
    Failure found =
        attempt(failure.family(), failure.seed(), new Plainness(size, strided, special));
    return found == null ? failure : found;
  }

  private @Nullable Failure attempt(String family, long seed, Plainness plain) {
    Trial.Family ops = families.get(family);
    if (ops == null) {
      throw new IllegalArgumentException("no family of ops: " + family);
    }
    var draw = new Draw(device, seed, plain);
    String reason;
    try (Scope scope = Scope.open()) {
      Trial trial = ops.draw(draw);
      reason = Judge.mistake(trial, trial.run().get());
    } catch (UnsupportedException e) {
      refused++;
      return null;
    } catch (RuntimeException e) {
      reason = e.toString(); // no case is invalid, so no refusal is right
    }
    return reason == null
        ? null
        : new Failure(
            family, seed, plain.size(), plain.strided(), plain.special(), draw.words(), reason);
  }
}
