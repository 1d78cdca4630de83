package dev.gridstride.kernels;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.Support;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * One way to carry out an op on one kind of device.
 *
 * @param name as {@code explain()} shows it
 * @param kind the kind of device that it runs on
 * @param accepts whether it can carry out a description on a device of that kind, and why not
 * @param prepare makes the kernel for a description that it accepts
 * @param <S> the op's description
 * @param <K> the op's kernel contract
 */
record Implementation<S, K extends DeviceKernel>(
    String name, DeviceKind kind, BiFunction<S, Device, Support> accepts, Prepare<S, K> prepare) {
  /** Makes a kernel. */
  @FunctionalInterface
  interface Prepare<S, K> {
    K on(S spec, Device device);
  }

  /** A CUDA implementation that takes every description. */
  static <S, K extends DeviceKernel> Implementation<S, K> cuda(String name, Prepare<S, K> prepare) {
    return cuda(name, s -> Support.YES, prepare);
  }

  /** A CUDA implementation that takes some descriptions; the emulator runs it too. */
  static <S, K extends DeviceKernel> Implementation<S, K> cuda(
      String name, Function<S, Support> accepts, Prepare<S, K> prepare) {
    return cuda(name, (s, d) -> accepts.apply(s), prepare);
  }

  /** A CUDA implementation that takes some descriptions on some devices. */
  static <S, K extends DeviceKernel> Implementation<S, K> cuda(
      String name, BiFunction<S, Device, Support> accepts, Prepare<S, K> prepare) {
    return new Implementation<>(name, DeviceKind.CUDA, accepts, prepare);
  }

  /** Whether it runs on devices of this kind. */
  boolean runsOn(DeviceKind device) {
    return device == kind || (device == DeviceKind.EMULATOR && kind == DeviceKind.CUDA);
  }

  /** A CPU implementation that takes every description. */
  static <S, K extends DeviceKernel> Implementation<S, K> cpu(String name, Function<S, K> prepare) {
    return cpu(name, s -> Support.YES, prepare);
  }

  /** A CPU implementation that takes some descriptions. */
  static <S, K extends DeviceKernel> Implementation<S, K> cpu(
      String name, Function<S, Support> accepts, Function<S, K> prepare) {
    return new Implementation<>(
        name, DeviceKind.CPU, (s, d) -> accepts.apply(s), (s, d) -> prepare.apply(s));
  }
}
