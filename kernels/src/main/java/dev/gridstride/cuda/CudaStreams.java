package dev.gridstride.cuda;

import dev.gridstride.device.GridstrideException;
import java.util.ArrayList;
import java.util.List;

/**
 * The open streams of one device besides the default one, and the order between them and it.
 *
 * <p>A program with the default stream alone pays nothing for it.
 */
final class CudaStreams {
  private final CudaDevice device;
  private final List<CudaStream> open = new ArrayList<>();

  CudaStreams(CudaDevice device) {
    this.device = device;
  }

  /** A new stream, behind what the default stream has queued so far. */
  CudaStream open() {
    return add(new CudaStream(device, this, device.createStream("device.newStream"), true));
  }

  /** A stream of others, from now on in the same order with the default one. */
  CudaStream wrap(long handle) {
    return add(new CudaStream(device, this, handle, false));
  }

  private synchronized CudaStream add(CudaStream stream) {
    try {
      order(0, stream.address());
    } catch (GridstrideException failed) {
      stream.drop();
      throw failed;
    }
    open.add(stream);
    return stream;
  }

  /** Takes the stream from the list when its work is done; it may be destroyed then. */
  void finish(CudaStream stream) {
    stream.pin("stream.close");
    try {
      // without the lock: others go on while this stream works
      device.release("stream.close", calls -> calls.streamSynchronize(stream.address()));
    } finally {
      synchronized (this) {
        open.remove(stream);
      }
      stream.unpin();
    }
  }

  /** The default stream waits for what the others have queued so far. */
  synchronized void join() {
    for (CudaStream stream : open) {
      order(stream.address(), 0);
    }
  }

  /** The others wait for what the default stream has queued so far. */
  synchronized void fork() {
    for (CudaStream stream : open) {
      order(0, stream.address());
    }
  }

  /** Later work of {@code after} waits for the work that {@code before} has now. */
  private void order(long before, long after) {
    try (var event = new CudaEvent(device, before, false)) {
      device.check("stream.waitFor", device.enter().streamWait(after, event.handle().address()));
    }
  }
}
