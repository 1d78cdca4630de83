package dev.gridstride.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.CompilationException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.Graph;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.KernelModule;
import dev.gridstride.device.KernelModule.Grid;
import dev.gridstride.device.Stream;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.testing.Emulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** The user's own kernels: compiled, packed, refused; on a GPU also run. */
class KernelModuleTest {
  private static final String SCALE =
      """
      extern "C" __global__ void scale(float* x, float a, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) x[i] *= a;
      }
      """;

  private static Nvrtc nvrtc() {
    try {
      return Nvrtc.get();
    } catch (UnsupportedException absent) {
      throw new TestAbortedException(absent.getMessage());
    }
  }

  // ---- compilation ------------------------------------------------------------------------------

  @Test
  void compilesForTheDeviceAndTheImageIsWhole() {
    Device emulator = Emulator.device();
    byte[] cubin = nvrtc().compile(SCALE, List.of(), 90);
    assertThat(Arrays.copyOf(cubin, 4)).isEqualTo(new byte[] {0x7f, 'E', 'L', 'F'});
    // the emulator looks at the image before it refuses it
    assertThatThrownBy(() -> KernelModule.load(emulator, cubin))
        .isInstanceOf(UnsupportedException.class);
    for (int bytes = 4; bytes < cubin.length; bytes += 97) {
      byte[] cut = Arrays.copyOf(cubin, bytes);
      assertThatThrownBy(() -> KernelModule.load(emulator, cut))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("image must be a whole cubin; bytes=" + bytes);
    }
  }

  @Test
  void givesPtxForVirtualArchitecturesAndNewerDevices() {
    Nvrtc nvrtc = nvrtc();
    byte[] ptx = nvrtc.compile(SCALE, List.of("--gpu-architecture=compute_80"), 90);
    assertThat(new String(ptx, StandardCharsets.UTF_8))
        .contains(".target sm_80")
        .contains(".entry scale");
    Device emulator = Emulator.device();
    assertThatThrownBy(() -> KernelModule.load(emulator, ptx))
        .isInstanceOf(UnsupportedException.class);
    assertThat(new String(nvrtc.compile(SCALE, List.of(), 9990), StandardCharsets.UTF_8))
        .contains(".entry scale");
    assertThatThrownBy(() -> nvrtc.compile(SCALE, List.of(), 10))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("compiles for none of compute capability 1.0 or older");
  }

  @Test
  void anErrorComesWithTheLogAndItsLine() {
    Nvrtc nvrtc = nvrtc();
    String broken = SCALE.replace("x[i] *= a", "x[i] *= b");
    assertThatThrownBy(() -> nvrtc.compile(broken, List.of(), 90))
        .isInstanceOfSatisfying(
            CompilationException.class,
            e -> assertThat(e.log()).contains("source.cu(3): error").contains("\"b\""))
        .hasMessageStartingWith("kernelModule.compile: the source does not compile (NVRTC ");
    assertThatThrownBy(() -> nvrtc.compile(SCALE, List.of("--no-such-option"), 90))
        .hasMessageContaining("NVRTC");
  }

  // ---- refusals ---------------------------------------------------------------------------------

  @Test
  void cpuAndEmulatorSayWhyTheyRunNone() {
    Device emulator = Emulator.device();
    byte[] ptx = ".version 7.0".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> KernelModule.load(emulator, ptx))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("the emulator runs kernels that are compiled for the CPU");
    assertThatThrownBy(() -> KernelModule.load(Device.cpu(), ptx))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("kernelModule.load: cpu runs no PTX and no cubin");
    for (Device device : List.of(emulator, Device.cpu())) {
      assertThatThrownBy(() -> KernelModule.compile(device, SCALE))
          .isInstanceOf(UnsupportedException.class)
          .hasMessage("kernelModule.compile: " + device.name() + " runs no CUDA C++");
    }
    for (String bad : new String[] {"", "hello", "\0.version", ".version\0.version"}) {
      assertThatThrownBy(() -> KernelModule.load(emulator, bad.getBytes(StandardCharsets.UTF_8)))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("image must");
    }
  }

  @Test
  void sizesOfLaunches() {
    assertThat(KernelModule.grid(0, 256)).isEqualTo(new Grid(1, 1, 1, 256, 1, 1));
    assertThat(KernelModule.grid(256, 256).gridX()).isEqualTo(1);
    assertThat(KernelModule.grid(257, 256).gridX()).isEqualTo(2);
    assertThatThrownBy(() -> KernelModule.grid(-1, 256))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> KernelModule.grid(1L << 40, 256))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> new Grid(1, 0, 1, 1, 1, 1))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("kernelModule.grid: sizes must be positive; grid=1x0x1, block=1x1x1");
  }

  // ---- launches, on a library that computes on the heap
  // ------------------------------------------

  private static Device fake() throws Exception {
    var named =
        Map.of(
            "gridstride.library.cuda", FakeLibrary.build(Set.of(), "FAKE_FOR_MODULES").toString());
    return CudaDiscovery.discover(DeviceKind.CUDA, new Libraries(named::get, name -> null))
        .devices()
        .getFirst();
  }

  @Test
  @SuppressWarnings("restricted") // memory of the fake GPU is host memory
  void launchesWithItsArguments() throws Exception {
    Device device = fake();
    byte[] ptx = ".version 7.0".getBytes(StandardCharsets.UTF_8);
    try (KernelModule module = KernelModule.load(device, ptx);
        Buffer x = device.allocate(DType.F32, 300)) {
      assertThat(module.device()).isSameAs(device);
      KernelModule.Function scale = module.function("scale");
      assertThat(scale.name()).isEqualTo("scale");
      assertThat(scale.parameterBytes()).containsExactly(8, 4, 4);
      MemorySegment memory = MemorySegment.ofAddress(x.devicePointer()).reinterpret(x.bytes());
      for (int i = 0; i < 300; i++) {
        memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
      }
      Stream stream = device.defaultStream();
      scale.launch(stream, KernelModule.grid(299, 128), 64, x, 2f, 299);
      for (int i = 0; i < 300; i++) {
        assertThat(memory.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(i < 299 ? 2f * i : i);
      }
      Grid one = KernelModule.grid(1, 1);
      assertThatThrownBy(() -> scale.launch(stream, one, 64, x, 2f))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(
              "kernel scale: arguments must be one for each parameter; parameters=3, arguments=2");
      assertThatThrownBy(() -> scale.launch(stream, one, -1, x, 2f, 1))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("kernel scale: sharedBytes must not be negative; sharedBytes=-1");
      assertThatThrownBy(() -> scale.launch(Device.cpu().defaultStream(), one, 64, x, 2f, 1))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith("kernel scale: stream must belong to the kernel's device");
      assertThatThrownBy(() -> module.function("none"))
          .isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void aGraphKeepsTheModulesThatItUses() throws Exception {
    Device device = fake();
    KernelModule module =
        KernelModule.load(device, ".version 7.0\0".getBytes(StandardCharsets.UTF_8));
    KernelModule.Function scale = module.function("scale");
    Stream stream = device.defaultStream();
    Grid one = KernelModule.grid(1, 1);
    Buffer x = device.allocate(DType.F32, 1);
    try (Graph graph =
        Graph.capture(
            stream,
            () -> {
              scale.launch(stream, one, 64, x, 2f, 1);
              scale.launch(stream, one, 64, x, 2f, 1);
            })) {
      module.close();
      x.close();
      assertThatThrownBy(() -> scale.launch(stream, one, 64, x, 2f, 1))
          .isInstanceOf(ClosedException.class);
      assertThat(device.memory().usedBytes()).isEqualTo(4);
      graph.replay();
    }
    assertThat(device.memory().usedBytes()).isZero();
    assertThatThrownBy(module::close)
        .isInstanceOf(ClosedException.class)
        .hasMessage("kernelModule.close: the module has been closed");
  }

  @Test
  void aGpuRunsWhatNvrtcCompiled() {
    Assumptions.assumeTrue(Emulator.isForGpu(), "not run over a GPU");
    Device device = Emulator.orGpu();
    nvrtc();
    try (KernelModule module = KernelModule.compile(device, SCALE);
        Stream stream = device.newStream();
        Buffer x = device.allocate(DType.F32, 300)) {
      var values = new float[300];
      Arrays.fill(values, 1);
      x.copyFrom(MemorySegment.ofArray(values));
      KernelModule.Function scale = module.function("scale");
      Runnable twice =
          () -> {
            scale.launch(stream, KernelModule.grid(299, 128), 0, x, 2f, 299);
            scale.launch(stream, KernelModule.grid(299, 128), 0, x, 2f, 299);
          };
      twice.run();
      try (Graph graph = Graph.capture(stream, twice)) {
        graph.replay();
        graph.replay();
      }
      stream.synchronize();
      x.copyTo(MemorySegment.ofArray(values));
      for (int i = 0; i < 300; i++) {
        assertThat(values[i]).isEqualTo(i < 299 ? 64 : 1);
      }
    }
  }

  // ---- arguments --------------------------------------------------------------------------------

  @Test
  @SuppressWarnings("restricted") // reads back what was packed
  void packsEachKindOfArgument() {
    Device device = Device.cpu();
    var packing = new KernelArguments("f", device);
    try (Arena arena = Arena.ofConfined();
        Buffer buffer = device.allocate(8)) {
      Object[] arguments = {
        buffer, null, (byte) 1, (short) 2, 3, 4L, 5f, 6d, MemorySegment.ofArray(new int[] {7, 8, 9})
      };
      MemorySegment pointers = packing.pack(arena, List.of(8, 8, 1, 2, 4, 8, 4, 8, 12), arguments);
      MemorySegment[] values = new MemorySegment[arguments.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = pointers.getAtIndex(ValueLayout.ADDRESS, i).reinterpret(12);
      }
      assertThat(values[0].get(ValueLayout.JAVA_LONG, 0)).isEqualTo(buffer.devicePointer());
      assertThat(values[1].get(ValueLayout.JAVA_LONG, 0)).isZero();
      assertThat(values[2].get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);
      assertThat(values[3].get(ValueLayout.JAVA_SHORT, 0)).isEqualTo((short) 2);
      assertThat(values[4].get(ValueLayout.JAVA_INT, 0)).isEqualTo(3);
      assertThat(values[5].get(ValueLayout.JAVA_LONG, 0)).isEqualTo(4);
      assertThat(values[6].get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(5);
      assertThat(values[7].get(ValueLayout.JAVA_DOUBLE, 0)).isEqualTo(6);
      assertThat(values[8].toArray(ValueLayout.JAVA_INT)).containsExactly(7, 8, 9);
      assertThat(values[8].address() % 16).isZero();
      assertThat(KernelArguments.buffers(arguments)).containsExactly(buffer);
    }
  }

  @Test
  void refusesArgumentsThatDontFit() {
    Device device = Device.cpu();
    var packing = new KernelArguments("f", device);
    try (Arena arena = Arena.ofConfined();
        Buffer buffer = Emulator.device().allocate(8)) {
      refused(
          () -> packing.pack(arena, List.of(4, 4), new Object[] {1}),
          "kernel f: arguments must be one for each parameter; parameters=2, arguments=1");
      refused(
          () -> packing.pack(arena, List.of(4), new Object[] {1L}),
          "kernel f: argument 0 must have the size of its parameter, 4 bytes; given Long of 8"
              + " bytes");
      refused(
          () -> packing.pack(arena, List.of(4), new Object[] {null}),
          "kernel f: argument 0 must have the size of its parameter, 4 bytes; given a null pointer"
              + " of 8 bytes");
      refused(
          () -> packing.pack(arena, List.of(4), new Object[] {"x"}),
          "kernel f: argument 0 must be a Buffer, a number, a MemorySegment or null; given"
              + " java.lang.String");
      refused(
          () -> packing.pack(arena, List.of(8), new Object[] {buffer}),
          "kernel f: argument 0 must live on the kernel's device; buffer device=emulator, kernel"
              + " device=cpu");
    }
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run).isInstanceOf(InvalidArgumentException.class).hasMessage(message);
  }
}
