package dev.gridstride.cuda;

import dev.gridstride.device.Recording;
import dev.gridstride.device.Stream;
import dev.gridstride.device.UnsupportedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Set;

/**
 * A {@code gs_graph}, recorded in a stream of its own that stands in for the captured one and for
 * the default one, which CUDA can't capture.
 */
final class CudaRecording implements Recording {
  private static final String CAPTURE = "graph.capture";

  private final CudaDevice device;
  private final CudaStream captured;
  private final Thread owner = Thread.currentThread();
  private final long stream;
  private final Set<Handle> kept = new HashSet<>();
  private boolean ended;
  private long graph;
  private long size;

  CudaRecording(CudaDevice device, CudaStream captured) {
    this.device = device;
    this.captured = captured;
    this.stream = device.createStream(CAPTURE);
    int status = device.enter().graphBegin(stream);
    if (status != Abi.OK) {
      try {
        device.check(CAPTURE, status);
      } finally {
        destroyStream();
      }
    }
  }

  /** Whether the calling thread is the one that records. */
  boolean isMine() {
    return Thread.currentThread() == owner;
  }

  /** The stream that records in place of {@code named}, which must be the captured or default. */
  long insteadOf(CudaStream named, String op) {
    if (named != captured && !named.isDefault()) {
      throw new UnsupportedException(
          op + ": can't be captured in a graph: it runs in another stream than the captured one");
    }
    return stream;
  }

  /** The stream that records. */
  long stream() {
    return stream;
  }

  /** Keeps a native object that the caller has pinned as long as the graph. */
  void keep(Handle used) {
    if (!kept.contains(used)) {
      used.pinAgain();
      kept.add(used);
    }
  }

  @Override
  public void finish() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      end(out);
      graph = out.get(ValueLayout.JAVA_LONG, 0);
      int status = device.enter().graphSize(graph, out);
      if (status != Abi.OK) {
        try {
          device.check(CAPTURE, status);
        } finally {
          device.release(CAPTURE, calls -> calls.graphDestroy(graph));
        }
      }
      size = out.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  @Override
  public void discard() {
    if (!ended && device.isUsable()) {
      end(MemorySegment.NULL);
    }
    release();
  }

  private void end(MemorySegment out) {
    ended = true;
    device.recorded(this);
    int status = device.enter().graphEnd(stream, out);
    try {
      // what made a dropped recording void has been thrown already
      if (!out.equals(MemorySegment.NULL)) {
        device.check(CAPTURE, status);
      }
    } finally {
      destroyStream();
    }
  }

  private void destroyStream() {
    device.release(CAPTURE, calls -> calls.streamDestroy(stream));
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void run(Stream in) {
    String op = "graph.replay";
    var queue = (CudaStream) in;
    long handle = queue.pin(op);
    try {
      device.check(op, device.enter().graphLaunch(graph, handle));
      device.launched(op, handle);
    } finally {
      queue.unpin();
    }
  }

  @Override
  public void free() {
    // the runs may be in any stream, closed ones too
    try {
      device.release("graph.close", RuntimeCalls::deviceSynchronize);
    } finally {
      try {
        device.release("graph.close", calls -> calls.graphDestroy(graph));
      } finally {
        release();
      }
    }
  }

  private void release() {
    kept.forEach(Handle::unpin);
    kept.clear();
  }
}
