package dev.gridstride.cuda;

import dev.gridstride.device.DeviceMemoryException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Copies between a device and any host memory, by way of a ring of page-locked pieces: while the
 * device copies one, the host fills or empties the next. A copy returns when it is done.
 *
 * <p>Copies of one device take turns. They go through the default stream.
 */
final class CudaStaging {
  private static final System.Logger LOG = System.getLogger("dev.gridstride");
  private static final int PIECES = 4;

  /** Long enough to hide what queueing a copy costs, short enough to begin and end quickly. */
  private static final long PIECE = 2 << 20;

  private final CudaDevice device;
  private @Nullable CudaHostMemory locked;
  private @Nullable MemorySegment ring;

  CudaStaging(CudaDevice device) {
    this.device = device;
  }

  private MemorySegment ring() {
    if (ring == null) {
      try {
        locked = new CudaHostMemory(device, "staging", PIECES * PIECE);
        ring = locked.segment();
      } catch (DeviceMemoryException scarce) {
        LOG.log(
            Level.WARNING,
            "gridstride: copies to and from "
                + device.name()
                + " use memory that is not page-locked, and are slower: "
                + scarce.getMessage());
        ring = Arena.ofAuto().allocate(PIECES * PIECE, 64);
      }
    }
    return ring;
  }

  private static MemorySegment piece(MemorySegment ring, long at, long bytes) {
    return ring.asSlice(at / PIECE % PIECES * PIECE, bytes);
  }

  /** Copies all of {@code source} to device memory. */
  synchronized void copyIn(String op, long target, MemorySegment source) {
    MemorySegment ring = ring();
    Deque<CudaEvent> copying = new ArrayDeque<>();
    try {
      long bytes = source.byteSize();
      for (long at = 0; at < bytes; at += PIECE) {
        if (copying.size() == PIECES) {
          await(copying);
        }
        long part = Math.min(PIECE, bytes - at);
        MemorySegment piece = piece(ring, at, part).copyFrom(source.asSlice(at, part));
        device.check(op, device.enter().copyToDevice(target + at, piece, part, 0));
        if (at + part < bytes) {
          copying.add(new CudaEvent(device, 0, false));
        }
      }
      device.check(op, device.enter().streamSynchronize(0));
    } finally {
      copying.forEach(CudaEvent::close);
    }
  }

  /** Copies device memory to all of {@code target}. */
  synchronized void copyOut(String op, MemorySegment target, long source) {
    MemorySegment ring = ring();
    Deque<CudaEvent> copying = new ArrayDeque<>();
    try {
      long bytes = target.byteSize();
      long queued = 0;
      for (long at = 0; at < bytes; at += PIECE) {
        while (queued < bytes && copying.size() < PIECES) {
          long part = Math.min(PIECE, bytes - queued);
          MemorySegment piece = piece(ring, queued, part);
          device.check(op, device.enter().copyToHost(piece, source + queued, part, 0));
          copying.add(new CudaEvent(device, 0, false));
          queued += part;
        }
        await(copying);
        long part = Math.min(PIECE, bytes - at);
        target.asSlice(at, part).copyFrom(piece(ring, at, part));
      }
    } finally {
      copying.forEach(CudaEvent::close);
    }
  }

  private static void await(Deque<CudaEvent> copying) {
    try (CudaEvent first = copying.removeFirst()) {
      first.synchronize();
    }
  }

  /** Gives the ring back. */
  synchronized void trim() {
    CudaHostMemory old = locked;
    // first, so that nothing uses it when it can't be given back
    locked = null;
    ring = null;
    if (old != null) {
      old.free();
    }
  }
}
