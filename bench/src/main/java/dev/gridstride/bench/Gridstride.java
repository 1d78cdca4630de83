package dev.gridstride.bench;

import dev.gridstride.device.Device;
import java.util.Map;
import jdk.incubator.vector.FloatVector;

/** Ourselves. */
final class Gridstride implements Library {
  static final String NAME = "gridstride";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public boolean offers(Case c) {
    return true;
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    Device.cpu().threads(c.threads());
    return Family.named(c.family()).ours(c, p);
  }

  @Override
  public void trim() {
    Device.cpu().trim();
  }

  @Override
  public Map<String, String> about() {
    return Map.of(
        "version",
        Machine.version("gridstride"),
        "threads",
        "" + Device.cpu().threads(),
        "vectorBits",
        "" + FloatVector.SPECIES_PREFERRED.vectorBitSize());
  }
}
