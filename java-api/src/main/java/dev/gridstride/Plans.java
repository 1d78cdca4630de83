package dev.gridstride;

import dev.gridstride.device.Device;
import dev.gridstride.device.Op;
import dev.gridstride.device.Plan;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps the plans of recent ops, so that a tensor op prepares each description once.
 *
 * <p>When it is full it starts anew: a program with so many different shapes gains little from it.
 */
final class Plans {
  private static final int LIMIT = 4096;
  private static final Map<Key, Plan> CACHE = new ConcurrentHashMap<>();

  private record Key(Device device, Op<?> op) {}

  private Plans() {}

  @SuppressWarnings("unchecked") // the plan under a key was made by that key's op
  static <P extends Plan> P of(Device device, Op<P> op) {
    var key = new Key(device, op);
    Plan plan = CACHE.get(key);
    if (plan == null) {
      if (CACHE.size() >= LIMIT) {
        CACHE.clear(); // a plan in use by another thread stays valid: it is only forgotten here
      }
      plan = device.plan(op);
      CACHE.put(key, plan);
    }
    return (P) plan;
  }
}
