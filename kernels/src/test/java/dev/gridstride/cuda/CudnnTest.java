package dev.gridstride.cuda;

import static dev.gridstride.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Softmax;
import dev.gridstride.testing.Emulator;
import dev.gridstride.testing.TestArray;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.opentest4j.TestAbortedException;

/**
 * cuDNN over a stand-in that computes on the heap, with the emulator's memory and its kernels for
 * what is around the convolutions: descriptions, order of calls, results, refusals, errors. And the
 * real library, where it is installed, as far as it goes without a GPU.
 */
@Execution(ExecutionMode.SAME_THREAD) // one log of calls
class CudnnTest {
  private static Device gpu;
  private static Device emulator;
  private static Cudnn.Found dnn;
  private static Fake fake;

  /** What the stand-in has for tests. */
  private record Fake(SymbolLookup symbols) {
    @SuppressWarnings("restricted")
    private Object call(String name, FunctionDescriptor type, Object... arguments) {
      try {
        return Linker.nativeLinker()
            .downcallHandle(symbols.find(name).orElseThrow(), type)
            .invokeWithArguments(arguments);
      } catch (Throwable t) {
        throw new AssertionError(t);
      }
    }

    /** The calls since the last {@link #forget}, one a line. */
    String log() {
      return Calls.text(
          (MemorySegment) call("fake_log", FunctionDescriptor.of(ValueLayout.ADDRESS)));
    }

    void forget() {
      call("fake_forget", FunctionDescriptor.ofVoid());
    }

    int live() {
      return (int) call("fake_live", FunctionDescriptor.of(ValueLayout.JAVA_INT));
    }

    void fail(String function, int status) {
      call(
          "fake_fail",
          FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          Arena.global().allocateFrom(function),
          status);
    }
  }

  @TempDir Path folder;

  @BeforeAll
  static void build() throws Exception {
    Path cuda = FakeLibrary.build(Set.of(), "FAKE_DEVICES=1", "FAKE_FOR_CUDNN");
    var named = Map.of("gridstride.library.cuda", cuda.toString());
    gpu =
        CudaDiscovery.discover(DeviceKind.CUDA, new Libraries(named::get, name -> null))
            .devices()
            .getFirst();
    emulator = Emulator.device();
    Path library = FakeLibrary.compile("fake_cudnn.cpp");
    dnn = find(library);
    assertThat(dnn.reason()).isEmpty();
    fake = new Fake(Loader.open(library)); // the one that is loaded already
  }

  @BeforeEach
  void forget() {
    fake.forget();
  }

  private static Cudnn.Found find(Path library) {
    var named = Map.of("gridstride.library.cudnn", library.toString());
    return CudnnLibrary.find(new VendorLibrary("cudnn", List.of(), named::get, List.of()));
  }

  // ---- results ----------------------------------------------------------------------------------

  private static ConvAxis axis(long size, long kernel, long stride, long pad, long dilation) {
    return new ConvAxis(size, kernel, stride, pad, pad, dilation);
  }

  static List<Conv> convolutions() {
    List<Conv> shapes =
        List.of(
            Conv.of(2, 3, 5, axis(7, 3, 1, 0, 1), axis(9, 3, 1, 1, 1)),
            Conv.of(1, 4, 8, axis(9, 3, 2, 1, 2), axis(8, 2, 3, 2, 1)).withGroups(2),
            Conv.of(2, 6, 6, axis(5, 3, 1, 1, 1), axis(6, 3, 1, 1, 1)).withGroups(6).withRelu(),
            Conv.of(3, 8, 4, axis(4, 1, 1, 0, 1), axis(5, 1, 1, 0, 1)).withRelu(),
            Conv.of(2, 3, 4, axis(17, 5, 2, 2, 1)),
            Conv.of(1, 2, 3, axis(4, 3, 1, 1, 1), axis(5, 2, 2, 0, 1), axis(3, 2, 1, 1, 2)));
    var all = new ArrayList<Conv>();
    for (Conv op : shapes) {
      for (ImageLayout layout : ImageLayout.values()) {
        for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
          all.add(op.withLayout(layout).withType(type));
        }
      }
    }
    return all;
  }

  /** What a convolution gives for small integers, whose sums are exact in f32. */
  private record Results(double[] y, double[] plain, double[] dx, double[] dw, double[] dbias) {
    static Results of(Device device, Conv op, boolean byCudnn) {
      try (var x = integers(device, op, op.xCount(), 1);
          var w = integers(device, op, op.wCount(), 2);
          var bias = integers(device, op, op.k(), 3);
          var dy = integers(device, op, op.yCount(), 4);
          var y = TestArray.output(device, op.type(), op.yCount());
          var plain = TestArray.output(device, op.type(), op.yCount());
          var dx = TestArray.output(device, op.type(), op.xCount());
          var dw = TestArray.output(device, op.type(), op.wCount());
          var dbias = TestArray.output(device, op.type(), op.k())) {
        var plan = device.plan(op);
        var kernel = byCudnn ? new CudnnConv(op, device, dnn) : null;
        long bytes = byCudnn ? kernel.workspaceBytes() : plan.workspaceBytes();
        // 64 bytes in: it need not begin where cuDNN wants its own part
        try (Buffer memory = device.allocate(bytes + 64)) {
          memory.fill((byte) 0xFF);
          Buffer work = memory.slice(64, bytes);
          var s = device.defaultStream();
          if (byCudnn) {
            kernel.forward(s, x.buffer(), w.buffer(), bias.buffer(), y.buffer(), work);
            kernel.forward(s, x.buffer(), w.buffer(), null, plain.buffer(), work);
            kernel.backwardData(s, dy.buffer(), w.buffer(), dx.buffer(), work);
            kernel.backwardWeight(s, x.buffer(), dy.buffer(), dw.buffer(), dbias.buffer(), work);
            kernel.close();
          } else {
            plan.forward(s, x.buffer(), w.buffer(), bias.buffer(), y.buffer(), work);
            plan.forward(s, x.buffer(), w.buffer(), null, plain.buffer(), work);
            plan.backwardData(s, dy.buffer(), w.buffer(), dx.buffer(), work);
            plan.backwardWeight(s, x.buffer(), dy.buffer(), dw.buffer(), dbias.buffer(), work);
          }
        }
        return new Results(y.get(), plain.get(), dx.get(), dw.get(), dbias.get());
      }
    }

    private static TestArray integers(Device device, Conv op, long count, long seed) {
      return TestArray.of(device, op.type(), TestArray.integers(count, seed));
    }
  }

  /** The CPU's results, which have an oracle of their own, to the bit. */
  @ParameterizedTest
  @MethodSource("convolutions")
  void passesOfConvolutions(Conv op) {
    int before = fake.live();
    Results actual = Results.of(emulator, op, true);
    Results expected = Results.of(Device.cpu(), op, false);
    assertClose("y", actual.y, expected.y, 0, 0);
    assertClose("y without bias", actual.plain, expected.plain, 0, 0);
    assertClose("dx", actual.dx, expected.dx, 0, 0);
    assertClose("dw", actual.dw, expected.dw, 0, 0);
    assertClose("dbias", actual.dbias, expected.dbias, 0, 0);
    assertThat(fake.live()).as("descriptors").isEqualTo(before);
  }

  static List<Softmax> softmaxes() {
    var all = new ArrayList<Softmax>();
    for (DType type : List.of(DType.F32, DType.F64, DType.F16, DType.BF16)) {
      for (boolean log : new boolean[] {false, true}) {
        all.add(new Softmax(5, 17, 1, type, log));
        all.add(new Softmax(3, 7, 4, type, log));
      }
    }
    return all;
  }

  /** Both sides round once from at least f32: two units in the last place, of dx relative to 1. */
  @ParameterizedTest
  @MethodSource("softmaxes")
  void softmaxAndItsGradient(Softmax op) {
    double tolerance = 2 * Math.max(op.type().epsilon(), 8 * DType.F64.epsilon());
    for (int alias = 0; alias < 3; alias++) {
      double[][] expected = softmax(Device.cpu(), op, false, alias);
      double[][] actual = softmax(emulator, op, true, alias);
      assertClose("y", actual[0], expected[0], tolerance, tolerance);
      assertClose("dx", actual[1], expected[1], 16 * tolerance, 16 * tolerance);
    }
  }

  /** y and dx; alias 1: dx is dy, 2: dx is y. */
  private static double[][] softmax(Device device, Softmax op, boolean byCudnn, int alias) {
    try (var x = TestArray.normal(device, op.type(), op.count(), 1);
        var y = TestArray.output(device, op.type(), op.count());
        var dy = TestArray.normal(device, op.type(), op.count(), 2);
        var apart = TestArray.output(device, op.type(), op.count())) {
      var s = device.defaultStream();
      TestArray dx = alias == 0 ? apart : alias == 1 ? dy : y;
      Softmax.Plan plan = device.plan(op);
      if (byCudnn) {
        var kernel = new CudnnSoftmax(op, device, dnn);
        kernel.forward(s, x.buffer(), y.buffer());
        double[] result = y.get();
        kernel.backward(s, y.buffer(), dy.buffer(), dx.buffer());
        kernel.close();
        return new double[][] {result, dx.get()};
      }
      plan.forward(s, x.buffer(), y.buffer());
      double[] result = y.get();
      plan.backward(s, y.buffer(), dy.buffer(), dx.buffer());
      return new double[][] {result, dx.get()};
    }
  }

  // ---- calls ------------------------------------------------------------------------------------

  private static Conv small() {
    return Conv.of(2, 4, 6, axis(5, 3, 2, 1, 1), axis(7, 2, 1, 0, 3)).withGroups(2);
  }

  @Test
  void descriptionsAreMadeOnceAndInOrder() {
    var first = new CudnnConv(small(), emulator, dnn); // the device's handle may be made here
    fake.forget();
    var kernel = new CudnnConv(small(), emulator, dnn);
    assertThat(fake.log())
        .isEqualTo(
            """
            cudnnCreateTensorDescriptor()
            cudnnSetTensorNdDescriptor(0, [2,4,5,7], [140,35,7,1])
            cudnnCreateTensorDescriptor()
            cudnnSetTensorNdDescriptor(0, [2,6,3,4], [72,12,4,1])
            cudnnCreateFilterDescriptor()
            cudnnSetFilterNdDescriptor(0, 0, [6,2,3,2])
            cudnnCreateConvolutionDescriptor()
            cudnnSetConvolutionNdDescriptor([1,0], [2,1], [1,3], 1, 0)
            cudnnSetConvolutionGroupCount(2)
            cudnnSetConvolutionMathType(3)
            cudnnGetConvolutionForwardWorkspaceSize(1)
            cudnnGetConvolutionBackwardDataWorkspaceSize(1)
            cudnnGetConvolutionBackwardFilterWorkspaceSize(1)
            """);
    fake.forget();
    var channelsLast =
        new CudnnConv(small().withLayout(ImageLayout.NHWC).withType(DType.BF16), emulator, dnn);
    assertThat(fake.log())
        .contains(
            "cudnnSetTensorNdDescriptor(9, [2,4,5,7], [140,1,28,4])",
            "cudnnSetTensorNdDescriptor(9, [2,6,3,4], [72,1,24,6])",
            "cudnnSetFilterNdDescriptor(9, 1, [6,2,3,2])",
            "cudnnSetConvolutionMathType(1)");
    assertThat(channelsLast.details()).isEqualTo("cuDNN 9.24.0, filters reordered");
    // 6*2*3*2 filters in bf16, up to the next 256, the largest pass, and what aligns them
    assertThat(channelsLast.workspaceBytes()).isEqualTo(256 + 3000 + 256);
    assertThat(kernel.details()).isEqualTo("cuDNN 9.24.0");
    assertThat(kernel.workspaceBytes()).isEqualTo(3000 + 256);
    fake.forget();
    for (CudnnConv each : List.of(first, kernel, channelsLast)) {
      each.close();
    }
    assertThat(fake.log().lines()).hasSize(12).allMatch(l -> l.startsWith("cudnnDestroy"));
  }

  @Test
  void eachRunNamesItsStream() {
    Conv op = small();
    var kernel = new CudnnConv(op, emulator, dnn);
    try (var stream = emulator.newStream();
        var x = TestArray.normal(emulator, op.type(), op.xCount(), 1);
        var w = TestArray.normal(emulator, op.type(), op.wCount(), 2);
        var bias = TestArray.normal(emulator, op.type(), op.k(), 3);
        var y = TestArray.output(emulator, op.type(), op.yCount());
        Buffer work = emulator.allocate(kernel.workspaceBytes())) {
      fake.forget();
      kernel.forward(stream, x.buffer(), w.buffer(), bias.buffer(), y.buffer(), work);
      kernel.forward(emulator.defaultStream(), x.buffer(), w.buffer(), null, y.buffer(), work);
      assertThat(fake.log())
          .isEqualTo(
              """
              cudnnSetStream(a stream)
              cudnnConvolutionForward(beta 1)
              cudnnSetStream(null)
              cudnnConvolutionForward(beta 0)
              """);
      stream.synchronize();
    }
    kernel.close();
    try (Buffer any = emulator.allocate(1 << 16)) {
      assertThatThrownBy(() -> kernel.backwardData(emulator.defaultStream(), any, any, any, any))
          .isInstanceOf(ClosedException.class)
          .hasMessage("conv: the plan has been closed");
    }
  }

  // ---- errors -----------------------------------------------------------------------------------

  @Test
  void aStatusBecomesAnExceptionThatNamesOpAndCall() {
    fake.fail("cudnnSetConvolutionGroupCount", 2000);
    int before = fake.live();
    assertThatThrownBy(() -> new CudnnConv(small(), emulator, dnn))
        .isInstanceOf(DeviceException.class)
        .hasMessage(
            "conv: cuDNN 9.24.0: cudnnSetConvolutionGroupCount: CUDNN_STATUS_BAD_PARAM"
                + " (asked for by a test)");
    assertThat(fake.live()).as("nothing is left").isEqualTo(before);
    fake.fail("cudnnCreateFilterDescriptor", 4003);
    assertThatThrownBy(() -> new CudnnConv(small(), emulator, dnn))
        .isInstanceOf(DeviceMemoryException.class)
        .hasMessageStartingWith("conv: cuDNN 9.24.0: cudnnCreateFilterDescriptor: ");
    assertThat(fake.live()).isEqualTo(before);
    var op = Softmax.of(DType.F32, -1, 3, 4).withLog();
    var kernel = new CudnnSoftmax(op, emulator, dnn);
    try (var x = TestArray.normal(emulator, op.type(), op.count(), 1)) {
      for (String function : List.of("cudnnSetStream", "cudnnSoftmaxForward")) {
        fake.fail(function, 5000);
        assertThatThrownBy(() -> kernel.forward(emulator.defaultStream(), x.buffer(), x.buffer()))
            .isInstanceOf(DeviceException.class)
            .hasMessageStartingWith("logSoftmax: cuDNN 9.24.0: " + function + ": CUDNN_STATUS_");
      }
      kernel.forward(emulator.defaultStream(), x.buffer(), x.buffer()); // and goes on
    }
    kernel.close();
  }

  @Test
  void statusesOfBothVersions() {
    assertThat(Cudnn.isUnsupported(9)).isTrue();
    assertThat(Cudnn.isUnsupported(3000)).isTrue();
    assertThat(Cudnn.isUnsupported(3007)).isTrue();
    assertThat(Cudnn.isUnsupported(4000)).isFalse();
    assertThat(Cudnn.isUnsupported(3)).isFalse();
    assertThat(Cudnn.isOutOfMemory(2)).isTrue();
    assertThat(Cudnn.isOutOfMemory(4004)).isTrue();
    assertThat(Cudnn.isOutOfMemory(1001)).isFalse();
    assertThat(Cudnn.version(92400)).isEqualTo("9.24.0");
    assertThat(Cudnn.version(8907)).isEqualTo("8.9.7");
    assertThat(Cudnn.version(100203)).isEqualTo("10.2.3");
  }

  // ---- refusals ---------------------------------------------------------------------------------

  private static void refused(Conv op, String reason) {
    assertThat(CudnnConv.accepts(op, gpu, dnn))
        .isInstanceOfSatisfying(
            Support.Unsupported.class, no -> assertThat(no.reason()).contains(reason));
  }

  @Test
  void refusesWhatItCantSay() {
    for (Conv op : convolutions()) {
      assertThat(CudnnConv.accepts(op, gpu, dnn)).as("%s", op).isEqualTo(Support.YES);
    }
    Conv op = small();
    ConvAxis plain = axis(7, 3, 1, 0, 1);
    refused(op.withType(DType.F64), "it is used for f32, bf16 and f16; given f64");
    refused(op.withAxes(plain, plain.withPadding(1, 2)), "asymmetric padding: 1 and 2");
    refused(op.withAxes(plain, plain.withPadding(-1, -1)), "negative padding: -1 and -1");
    refused(Conv.of(0, 3, 4, plain), "an empty convolution");
    refused(Conv.of(2, 0, 4, plain), "an empty convolution");
    refused(Conv.of(2, 3, 0, plain), "an empty convolution");
    refused(Conv.of(1 << 20, 512, 512, plain), "more than 2^31 - 1 elements");
    refused(
        Conv.of(2, 3, 7, plain),
        "conv: cuDNN 9.24.0: cudnnGetConvolutionForwardWorkspaceSize: CUDNN_STATUS_NOT_SUPPORTED");
    assertThat(CudnnConv.accepts(op, Emulator.device(), dnn))
        .isEqualTo(Support.no("it runs on GPUs only"));
    assertThatThrownBy(() -> new CudnnConv(Conv.of(2, 3, 7, plain), emulator, dnn))
        .isInstanceOf(UnsupportedException.class);
    assertThat(CudnnSoftmax.accepts(new Softmax(3, 4, 5, DType.F32, false), gpu, dnn))
        .isEqualTo(Support.YES);
    assertThat(CudnnSoftmax.accepts(new Softmax(0, 4, 5, DType.F32, true), gpu, dnn))
        .isEqualTo(Support.no("an empty logSoftmax"));
    assertThat(CudnnSoftmax.accepts(new Softmax(1 << 20, 1 << 12, 1, DType.F32, false), gpu, dnn))
        .isEqualTo(Support.no("more than 2^31 - 1 elements"));
  }

  @Test
  void tooOldOrIncompleteLibrariesAreRefused() throws Exception {
    Cudnn.Found old = find(FakeLibrary.compile("fake_cudnn.cpp", "FAKE_VERSION=7605"));
    assertThat(old.library()).isNull();
    assertThat(old.reason())
        .endsWith("can't be used: version 7.6.5 is too old; it takes 8.0 or newer");
    Cudnn.Found other = find(FakeLibrary.compile("fake_cudnn.cpp", "FAKE_LACKS_SOFTMAX_BACKWARD"));
    assertThat(other.reason()).endsWith("it lacks the function cudnnSoftmaxBackward");
    Cudnn.Found eight = find(FakeLibrary.compile("fake_cudnn.cpp", "FAKE_VERSION=8907"));
    assertThat(eight.reason()).isEmpty();
    assertThat(eight.library().name()).isEqualTo("cuDNN 8.9.7");
    assertThat(eight.library().lastError()).isEmpty();
    assertThat(CudnnConv.accepts(small(), gpu, old)).isEqualTo(Support.no(old.reason()));
    assertThat(CudnnConv.accepts(small(), gpu, eight)).isEqualTo(Support.YES);
    assertThatThrownBy(() -> new CudnnConv(small(), gpu, old))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("conv: cuDNN: " + old.reason());
    assertThatThrownBy(() -> new CudnnSoftmax(Softmax.of(DType.F32, 0, 2), gpu, old))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void aMissingLibraryIsOneLine() {
    Cudnn.Found none =
        CudnnLibrary.find(
            new VendorLibrary(
                "cudnn", List.of("libnone-dnn.so.9", "libnone-dnn.so.8"), p -> null, List.of()));
    assertThat(none.library()).isNull();
    assertThat(none.reason())
        .isEqualTo(
            "not found (libnone-dnn.so.9, libnone-dnn.so.8); gridstride.library.cudnn may name its"
                + " file or folder");
    assertThat(CudnnLibrary.report()).matches("(usable|refused): \\S.*").doesNotContain("\n");
  }

  /** The real front ends the process when a part of it is not there. */
  @Test
  void aFrontWithoutItsPartsIsRefused() throws IOException, InterruptedException {
    Path front = Files.copy(FakeLibrary.compile("fake_cudnn.cpp"), folder.resolve("libcudnn.so.9"));
    String graph = "libcudnn_graph.so.9";
    if (isFoundBySearch(graph)) {
      throw new TestAbortedException("the real cuDNN is loaded, or on the loader's path");
    }
    assertThat(find(front).reason())
        .startsWith(front + " can't be used: it needs " + graph + ": the system's loader refuses");
    for (String part : List.of("graph", "ops")) {
      Files.copy(front, folder.resolve("libcudnn_" + part + ".so.9"));
    }
    Files.writeString(folder.resolve("libcudnn_cnn.so.9"), "cut");
    assertThat(find(front).reason())
        .endsWith("it needs libcudnn_cnn.so.9: it is cut short, or no ELF file");
    Files.copy(front, folder.resolve("libcudnn_cnn.so.9"), StandardCopyOption.REPLACE_EXISTING);
    assertThat(find(front).reason()).isEmpty();
  }

  private static boolean isFoundBySearch(String file) {
    try {
      Loader.search(file);
      return true;
    } catch (LibraryException absent) {
      return false;
    }
  }

  /** The functions' signatures, as far as the real library checks them without a GPU. */
  @Test
  void theRealLibraryTakesTheDescriptions() {
    Cudnn real = CudnnLibrary.installed().library();
    if (real == null) {
      throw new TestAbortedException(CudnnLibrary.installed().reason());
    }
    assertThat(real.name()).matches("cuDNN ([89]|\\d\\d)\\.\\d+\\.\\d+");
    var out = new Cudnn.Native[1];
    for (Cudnn.Kind kind : Cudnn.Kind.values()) {
      assertThat(real.create(kind, out)).isZero();
      int[] two = {1, 2};
      int[] dims = {2, 3, 4, 5};
      // in turn what is right, and what is not: both have to be told apart
      switch (kind) {
        case TENSOR -> {
          int[] strides = CudnnShape.strides(dims, Cudnn.NHWC);
          assertThat(real.setTensor(out[0], Cudnn.BFLOAT16, dims, strides)).isZero();
          assertThat(real.setTensor(out[0], 77, dims, strides)).isNotZero();
        }
        case FILTER -> {
          assertThat(real.setFilter(out[0], Cudnn.HALF, Cudnn.NHWC, dims)).isZero();
          assertThat(real.setFilter(out[0], Cudnn.HALF, 77, dims)).isNotZero();
        }
        case CONVOLUTION -> {
          assertThat(real.setConvolution(out[0], two, two, two, Cudnn.FLOAT)).isZero();
          assertThat(real.setGroups(out[0], 3)).isZero();
          assertThat(real.setMath(out[0], Cudnn.FMA_MATH)).isZero();
          assertThat(real.setConvolution(out[0], two, new int[] {0, 1}, two, Cudnn.FLOAT))
              .isNotZero();
        }
      }
      assertThat(real.destroy(kind, out[0])).isZero();
    }
    assertThat(real.statusName(0)).isEqualTo("CUDNN_STATUS_SUCCESS");
  }
}
