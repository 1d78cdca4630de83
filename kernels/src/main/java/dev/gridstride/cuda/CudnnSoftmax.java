package dev.gridstride.cuda;

import dev.gridstride.cuda.Cudnn.Native;
import dev.gridstride.cuda.Cudnn.Operand;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.kernels.Softmax;

/**
 * Softmax and log-softmax by cuDNN, in its forms that subtract the maximum: {@code [outer, size,
 * inner]} are images of {@code size} channels.
 */
public final class CudnnSoftmax extends CudaKernel implements Softmax.Kernel {
  private final Cudnn library;
  private final CudaDevice device;
  private final CudnnSession session;
  private final Softmax op;
  private final Native tensor;
  private final int algorithm;
  private final boolean wide;

  /** A kernel for {@code op}. */
  public CudnnSoftmax(Softmax op, Device device) {
    this(op, device, CudnnLibrary.installed());
  }

  /** A kernel for {@code op} by a binding of cuDNN. */
  public CudnnSoftmax(Softmax op, Device device, Cudnn.Found found) {
    super(op.name(), device);
    Cudnn cudnn = found.library();
    if (cudnn == null) {
      throw new UnsupportedException(op.name() + ": cuDNN: " + found.reason());
    }
    this.library = cudnn;
    this.op = op;
    this.device = (CudaDevice) device;
    this.session = new CudnnSession(op.name(), cudnn, this.device);
    this.algorithm = op.log() ? Cudnn.SOFTMAX_LOG : Cudnn.SOFTMAX_ACCURATE;
    this.wide = op.type() == DType.F64;
    int[] dims = {
      Math.toIntExact(op.outer()), Math.toIntExact(op.size()), Math.toIntExact(op.inner()), 1
    };
    try {
      this.tensor = session.tensor(op.type(), dims, CudnnShape.strides(dims, Cudnn.NCHW));
    } catch (RuntimeException refused) {
      session.close();
      throw refused;
    }
  }

  /** Whether cuDNN computes {@code op}, and why not. */
  public static Support accepts(Softmax op, Device device) {
    return accepts(op, device, CudnnLibrary.installed());
  }

  /** Whether a binding of cuDNN computes {@code op}, and why not. */
  public static Support accepts(Softmax op, Device device, Cudnn.Found found) {
    return VendorSupport.of(
        device, found.reason(), () -> describes(op), () -> new CudnnSoftmax(op, device, found));
  }

  private static Support describes(Softmax op) {
    if (op.count() == 0) {
      return Support.no("an empty " + op.name());
    }
    return op.count() <= Integer.MAX_VALUE
        ? Support.YES
        : Support.no("more than 2^31 - 1 elements");
  }

  @Override
  public String details() {
    return library.name();
  }

  private Operand at(long address) {
    return new Operand(tensor, address);
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y) {
    Operand in = at(pointer(x));
    Operand out = at(pointer(y));
    launch(
        stream,
        s ->
            session.queue(
                s,
                "cudnnSoftmaxForward",
                handle -> library.softmaxForward(handle, algorithm, wide, in, out)));
  }

  @Override
  public void backward(Stream stream, Buffer y, Buffer dy, Buffer dx) {
    long py = pointer(y);
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    if (py != pdx) {
      backward(stream, py, pdy, pdx);
      return;
    }
    // cuDNN may write over dy, but not over y
    long bytes = op.type().bytes(op.count());
    withWorkspace(
        stream,
        bytes,
        copy -> {
          launch(stream, s -> device.enter().copyOnDevice(copy, py, bytes, s));
          backward(stream, copy, pdy, pdx);
          return 0;
        });
  }

  private void backward(Stream stream, long y, long dy, long dx) {
    launch(
        stream,
        s ->
            session.queue(
                s,
                "cudnnSoftmaxBackward",
                handle -> library.softmaxBackward(handle, algorithm, wide, at(y), at(dy), at(dx))));
  }

  @Override
  public void close() {
    session.close();
  }
}
