package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.KernelModule;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A {@code gs_module}. */
final class CudaModule implements KernelModule {
  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
  private static final byte[] FATBIN = {0x50, (byte) 0xed, 0x55, (byte) 0xba};

  /** More than any kernel has: they have 4 KiB of parameters, with CUDA 12.1 and later 32 KiB. */
  private static final int MOST_PARAMETERS = 32 << 10;

  private final CudaDevice device;
  private final ModuleCalls calls;
  private final Handle handle;

  /** Loads an image. */
  CudaModule(CudaDevice device, byte[] image) {
    String op = "kernelModule.load";
    this.device = device;
    this.calls = new ModuleCalls(device.library().symbols());
    long module;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      device.enter();
      device.check(op, calls.load(out, terminated(arena, image)));
      module = out.get(ValueLayout.JAVA_LONG, 0);
    }
    this.handle =
        new Handle("module", module) {
          @Override
          void destroy() {
            try {
              device.release("kernelModule.close", RuntimeCalls::deviceSynchronize);
            } finally {
              device.release("kernelModule.close", r -> calls.unload(module));
            }
          }
        };
  }

  /** PTX is text: the driver reads it to a zero byte, which is added where it is missing. */
  private static MemorySegment terminated(Arena arena, byte[] image) {
    boolean text = !begins(image, ELF) && !begins(image, FATBIN);
    boolean ended = image.length > 0 && image[image.length - 1] == 0;
    int bytes = image.length + (text && image.length > 0 && !ended ? 1 : 0);
    MemorySegment copy = arena.allocate(Math.max(1, bytes), 16);
    MemorySegment.copy(image, 0, copy, ValueLayout.JAVA_BYTE, 0, image.length);
    return copy.asSlice(0, bytes);
  }

  private static boolean begins(byte[] image, byte[] magic) {
    return image.length >= magic.length
        && MemorySegment.ofArray(image)
                .asSlice(0, magic.length)
                .mismatch(MemorySegment.ofArray(magic))
            < 0;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Function function(String name) {
    String op = "kernelModule.function";
    long module = handle.pin(op);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      device.enter();
      device.check(op, calls.function(out, module, arena.allocateFrom(name)));
      long kernel = out.get(ValueLayout.JAVA_LONG, 0);
      MemorySegment sizes = arena.allocate(ValueLayout.JAVA_LONG, MOST_PARAMETERS);
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      device.check(op, calls.parameters(kernel, sizes, MOST_PARAMETERS, count));
      var bytes = new ArrayList<Integer>();
      for (int i = 0; i < count.get(ValueLayout.JAVA_INT, 0); i++) {
        bytes.add(Math.toIntExact(sizes.getAtIndex(ValueLayout.JAVA_LONG, i)));
      }
      return new CudaFunction(name, kernel, bytes);
    } finally {
      handle.unpin();
    }
  }

  @Override
  public void close() {
    device.refuseInGraph("kernelModule.close", "the host would wait for work not done yet");
    handle.close("kernelModule.close");
  }

  private final class CudaFunction implements Function {
    private final String name;
    private final long kernel;
    private final List<Integer> sizes;
    private final KernelArguments packing;

    CudaFunction(String name, long kernel, List<Integer> sizes) {
      this.name = name;
      this.kernel = kernel;
      this.sizes = List.copyOf(sizes);
      this.packing = new KernelArguments(name, device);
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public List<Integer> parameterBytes() {
      return sizes;
    }

    @Override
    public void launch(Stream stream, Grid grid, long sharedBytes, @Nullable Object... arguments) {
      String op = packing.op();
      if (!stream.device().equals(device)) {
        throw InvalidArgumentException.of(
            op,
            "stream",
            "must belong to the kernel's device",
            "stream device=%s, kernel device=%s",
            stream.device().name(),
            device.name());
      }
      if (sharedBytes < 0) {
        throw InvalidArgumentException.of(
            op, "sharedBytes", "must not be negative", "sharedBytes=%d", sharedBytes);
      }
      Buffer[] buffers = KernelArguments.buffers(arguments);
      handle.pin(op);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment pointers = packing.pack(arena, sizes, arguments);
        Pins.pinAll(op, buffers);
        try {
          launch(arena, (CudaStream) stream, grid, sharedBytes, pointers);
        } finally {
          Pins.unpinAll(buffers);
        }
      } finally {
        handle.unpin();
      }
    }

    private void launch(
        Arena arena, CudaStream queue, Grid grid, long sharedBytes, MemorySegment pointers) {
      String op = packing.op();
      MemorySegment blocks =
          arena.allocateFrom(ValueLayout.JAVA_INT, grid.gridX(), grid.gridY(), grid.gridZ());
      MemorySegment threads =
          arena.allocateFrom(ValueLayout.JAVA_INT, grid.blockX(), grid.blockY(), grid.blockZ());
      long stream = queue.pin(op);
      try {
        device.enter();
        device.check(op, calls.launch(kernel, blocks, threads, sharedBytes, pointers, stream));
        CudaRecording recording = device.recording();
        if (recording != null) {
          recording.keep(handle);
        }
        device.launched(op, stream);
      } finally {
        queue.unpin();
      }
    }
  }
}
