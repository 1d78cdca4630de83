package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Conv;
import org.jspecify.annotations.Nullable;

/** Convolution on the CPU by direct register tiles; see {@link Conv} for what is computed. */
public final class CpuConv implements Conv.Kernel {
  private final ConvEngine engine;

  /** A kernel for {@code op}. */
  public CpuConv(Conv op) {
    engine = new ConvEngine(op);
  }

  /** Whether tables of int offsets suffice. */
  public static Support accepts(Conv op) {
    return ConvEngine.accepts(op);
  }

  @Override
  public long workspaceBytes() {
    return engine.workspaceBytes();
  }

  @Override
  public String details() {
    return engine.details();
  }

  @Override
  public void forward(
      Stream stream,
      Buffer x,
      Buffer w,
      @Nullable Buffer bias,
      Buffer y,
      @Nullable Buffer workspace) {
    engine.forward(x, w, bias, y, workspace);
  }

  @Override
  public void backwardData(
      Stream stream, Buffer dy, Buffer w, Buffer dx, @Nullable Buffer workspace) {
    engine.backwardData(dy, w, null, dx, workspace);
  }

  @Override
  public void backwardWeight(
      Stream stream,
      Buffer x,
      Buffer dy,
      Buffer dw,
      @Nullable Buffer dbias,
      @Nullable Buffer workspace) {
    engine.backwardWeight(x, dy, dw, dbias, workspace);
  }
}
