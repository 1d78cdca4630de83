package dev.gridstride.cuda;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * A vendor's handles, one for each library and device, kept for the life of the JVM.
 *
 * <p>A handle serves one thread at a time and belongs to a stream from call to call: a lock on its
 * {@link Locked} covers the calls that belong together.
 *
 * @param <H> what the binding holds
 */
final class VendorHandles<H> {
  private final Map<Key, Locked<H>> handles = new ConcurrentHashMap<>();

  private record Key(Object library, CudaDevice device) {}

  /** A handle, and the lock for it: an object of its own, not a value. */
  static final class Locked<H> {
    private final H handle;

    private Locked(H handle) {
      this.handle = handle;
    }

    H handle() {
      return handle;
    }
  }

  /** The handle on a device, made when it is first asked for. */
  Locked<H> get(Object library, CudaDevice device, Supplier<H> make) {
    return handles.computeIfAbsent(
        new Key(library, device),
        key -> {
          device.enter();
          return new Locked<>(make.get());
        });
  }
}
