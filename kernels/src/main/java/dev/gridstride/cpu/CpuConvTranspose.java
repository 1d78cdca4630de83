package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.ConvTranspose;
import dev.gridstride.kernels.ImageLayout;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Transposed convolution on the CPU: the passes of its adjoint, in exchanged roles. */
public final class CpuConvTranspose implements ConvTranspose.Kernel {
  private final ConvEngine engine;
  private final ConvTranspose op;

  /** A kernel for {@code op}. */
  public CpuConvTranspose(ConvTranspose op) {
    this.op = op;
    engine = new ConvEngine(op.adjoint());
  }

  /** Whether tables of int offsets suffice. */
  public static Support accepts(ConvTranspose op) {
    return ConvEngine.accepts(op.adjoint());
  }

  @Override
  public long workspaceBytes() {
    return engine.workspaceBytes();
  }

  @Override
  public String details() {
    return "of the adjoint: " + engine.details();
  }

  @Override
  public void forward(
      Stream stream,
      Buffer x,
      Buffer w,
      @Nullable Buffer bias,
      Buffer y,
      @Nullable Buffer workspace) {
    engine.backwardData(x, w, bias, y, workspace);
  }

  @Override
  public void backwardData(
      Stream stream, Buffer dy, Buffer w, Buffer dx, @Nullable Buffer workspace) {
    engine.forward(dy, w, null, dx, workspace);
  }

  @Override
  public void backwardWeight(
      Stream stream,
      Buffer x,
      Buffer dy,
      Buffer dw,
      @Nullable Buffer dbias,
      @Nullable Buffer workspace) {
    engine.backwardWeight(dy, x, dw, null, workspace);
    if (dbias != null) {
      sumChannels(dy.pinnedSegment(), dbias.pinnedSegment());
    }
  }

  /** Sums over images and pixels, one channel a task, in double. */
  private void sumChannels(MemorySegment dy, MemorySegment dbias) {
    var elements = Elements.of(op.type());
    long channels = op.k();
    long images = op.n();
    long pixels = images * channels == 0 ? 0 : op.yCount() / images / channels;
    boolean last = op.layout() == ImageLayout.NHWC;
    long imageStep = channels * pixels;
    long channelStep = last ? 1 : pixels;
    long pixelStep = last ? channels : 1;
    Parallel.forRange(
        channels,
        1,
        (from, to) -> {
          for (long c = from; c < to; c++) {
            double sum = 0;
            for (long i = 0; i < images; i++) {
              for (long p = 0; p < pixels; p++) {
                sum += elements.get(dy, i * imageStep + c * channelStep + p * pixelStep);
              }
            }
            elements.set(dbias, c, sum);
          }
        });
  }
}
