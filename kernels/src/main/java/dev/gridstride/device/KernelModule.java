package dev.gridstride.device;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Kernels of the user's own, in PTX or machine code, on one CUDA device.
 *
 * <pre>{@code
 * try (var module = KernelModule.compile(device, """
 *     extern "C" __global__ void scale(float* x, float a, int n) {
 *       int i = blockIdx.x * blockDim.x + threadIdx.x;
 *       if (i < n) x[i] *= a;
 *     }""")) {
 *   module.function("scale").launch(stream, KernelModule.grid(n, 256), 0, x, 2f, n);
 * }
 * }</pre>
 *
 * <p>A kernel is trusted as native code is: one that writes outside of its operands damages what is
 * there, and one that faults ends the device for this process.
 */
public interface KernelModule extends AutoCloseable {
  /**
   * Sizes of a launch, in blocks and in threads of a block.
   *
   * @param gridX blocks along x; likewise the others
   */
  record Grid(int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ) {
    /** Checks that all sizes are positive. */
    public Grid {
      for (int size : new int[] {gridX, gridY, gridZ, blockX, blockY, blockZ}) {
        if (size < 1) {
          throw InvalidArgumentException.of(
              "kernelModule.grid",
              "sizes",
              "must be positive",
              "grid=%dx%dx%d, block=%dx%dx%d",
              gridX,
              gridY,
              gridZ,
              blockX,
              blockY,
              blockZ);
        }
      }
    }
  }

  /** A kernel; usable while its module is open. */
  interface Function {
    /** Its name, as in the source. */
    String name();

    /** Bytes of each parameter. */
    List<Integer> parameterBytes();

    /**
     * Queues a launch. In a graph it is recorded.
     *
     * @param grid blocks and threads
     * @param sharedBytes dynamic shared memory of a block
     * @param arguments one for each parameter: a {@link Buffer} of the device for a pointer, null
     *     for a null pointer; a Byte, Short, Integer, Long, Float or Double of the parameter's
     *     size; a {@link java.lang.foreign.MemorySegment} of its size for a structure. The kind of
     *     number can't be checked, only its size
     * @throws InvalidArgumentException when an argument does not fit its parameter
     */
    void launch(Stream stream, Grid grid, long sharedBytes, @Nullable Object... arguments);
  }

  /** The sizes for {@code count} threads, at least one block, in blocks of {@code blockThreads}. */
  static Grid grid(long count, int blockThreads) {
    if (count < 0 || blockThreads < 1 || Math.ceilDiv(count, blockThreads) > Integer.MAX_VALUE) {
      throw InvalidArgumentException.of(
          "kernelModule.grid",
          "count",
          "must not be negative, nor need more than 2^31 - 1 blocks",
          "count=%d, blockThreads=%d",
          count,
          blockThreads);
    }
    return new Grid((int) Math.max(1, Math.ceilDiv(count, blockThreads)), 1, 1, blockThreads, 1, 1);
  }

  /**
   * Loads an image: PTX text (which the driver compiles), a cubin or a fat binary.
   *
   * @throws InvalidArgumentException when the image is none of these, or cut short
   * @throws UnsupportedException on a device that runs no such kernels
   * @throws DeviceException when the driver refuses it; the message has its log
   */
  static KernelModule load(Device device, byte[] image) {
    return device.loadModule(image);
  }

  /**
   * Compiles CUDA C++ by NVRTC for this device and loads it. Functions that are {@code extern "C"}
   * are found by their plain names.
   *
   * @param options as for nvcc, for example {@code --use_fast_math}; without {@code
   *     --gpu-architecture} the device's own is used
   * @throws CompilationException when the source does not compile; it has the log
   * @throws UnsupportedException when NVRTC is not installed, or the device runs no such kernels
   */
  static KernelModule compile(Device device, String source, String... options) {
    return device.compileModule(source, List.of(options));
  }

  /** The device that it is loaded on. */
  Device device();

  /**
   * The kernel of this name.
   *
   * @throws InvalidArgumentException when the module has none
   */
  Function function(String name);

  /** Waits for the device and unloads the kernels, once no graph uses them. */
  @Override
  void close();
}
