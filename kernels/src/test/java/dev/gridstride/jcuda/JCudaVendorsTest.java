package dev.gridstride.jcuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.cuda.Cublas;
import dev.gridstride.cuda.CublasGemm;
import dev.gridstride.cuda.Cudnn;
import dev.gridstride.cuda.CudnnConv;
import dev.gridstride.cuda.CudnnSoftmax;
import dev.gridstride.cuda.FakeLibrary;
import dev.gridstride.cuda.VendorChoice;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.Gemm;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Softmax;
import dev.gridstride.testing.Emulator;
import dev.gridstride.testing.TestArray;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jcuda.CudaException;
import jcuda.JCudaVersion;
import jcuda.Pointer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * JCublas2 and JCudnn as vendors' implementations: refusals here; the binding in a JVM of its own,
 * whose loader finds stand-ins for NVIDIA's libraries below JCuda's real ones.
 */
class JCudaVendorsTest {
  private static final VendorChoice NAMED = VendorChoice.of("jcublas,jcudnn");

  private static final String JCUBLAS = "lib/libJCublas2-12.6.0-linux-x86_64.so";
  private static final String JCUDNN = "lib/libJCudnn-11.7.0-linux-x86_64.so";

  @TempDir Path folder;

  private static String refusal(VendorChoice choice, String type, String lacks, Throwable thrown) {
    var loaded =
        JCudaVendors.load(
            choice,
            "jcudnn",
            type,
            () -> lacks,
            () -> {
              if (thrown instanceof Error error) {
                throw error;
              }
              return "loaded";
            });
    assertThat(loaded.library() == null).isEqualTo(!loaded.reason().isEmpty());
    return loaded.reason();
  }

  @Test
  void saysWhyNot() {
    String here = Pointer.class.getName();
    assertThat(refusal(VendorChoice.of("first"), here, "", null))
        .isEqualTo("it is loaded only where -Dgridstride.vendor names jcudnn");
    assertThat(refusal(NAMED, "jcuda.none.Absent", "", null))
        .isEqualTo(
            "JCuda is not there: org.jcuda:jcudnn and its natives are not on the class path");
    assertThat(refusal(NAMED, here, "libcudnn.so.8 can't be used: gone", null))
        .isEqualTo("libcudnn.so.8 can't be used: gone");
    assertThat(refusal(NAMED, here, "", null)).isEmpty();
    var many =
        new UnsatisfiedLinkError(
            "Error while loading native library \"JCudnn\"\nOperating system name: Linux\n"
                + "java.lang.UnsatisfiedLinkError: no JCudnn in java.library.path\n"
                + "java.lang.UnsatisfiedLinkError: /tmp/x.so: libcudnn.so.8: cannot open shared"
                + " object file: No such file or directory\n");
    assertThat(refusal(NAMED, here, "", many))
        .isEqualTo(
            "JCuda's native library can't be loaded: java.lang.UnsatisfiedLinkError: /tmp/x.so:"
                + " libcudnn.so.8: cannot open shared object file: No such file or directory");
    assertThat(refusal(NAMED, here, "", new NoClassDefFoundError("jcuda/x")))
        .isEqualTo("JCuda's native library can't be loaded: jcuda/x");
    assertThat(JCudaVendors.report())
        .hasSize(2)
        .allMatch(line -> line.matches("(jcublas|jcudnn): refused: it is loaded only where .*"));
  }

  @Test
  void exceptionsBecomeStatuses() {
    String[] names = {"OK", "A", "B"};
    assertThat(JCudaErrors.status(() -> 7, i -> "", 4)).isEqualTo(7);
    assertThat(
            JCudaErrors.status(
                () -> {
                  throw new CudaException("B");
                },
                i -> i < names.length ? names[i] : "",
                4))
        .isEqualTo(2);
    assertThat(
            JCudaErrors.status(
                () -> {
                  throw new CudaException("another");
                },
                i -> "",
                4))
        .isEqualTo(4);
  }

  // ---- in a JVM of its own ----------------------------------------------------------------------

  /** Prints a line for each thing that is as it should be. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      JCudaVendors.report().forEach(System.out::println);
      Device device = Device.emulator();
      var dnn = new Cudnn.Found(new JCudaDnn(), "");
      var blas = new Cublas.Found(new JCublas(), "");
      for (ImageLayout layout : ImageLayout.values()) {
        Conv op =
            Conv.of2d(2, 4, 9, 8, 6, 3, 2)
                .withGroups(2)
                .withStride(2, 1)
                .withPadding(1, 0)
                .withDilation(1, 2)
                .withLayout(layout);
        double[][] want = conv(Device.cpu(), op, null);
        double[][] got = conv(device, op, new CudnnConv(op, device, dnn));
        System.out.println("conv " + layout + " " + Arrays.deepEquals(want, got));
      }
      for (DType type : List.of(DType.F32, DType.F64)) {
        Softmax op = new Softmax(3, 5, 2, type, true);
        double worst =
            worst(
                softmax(Device.cpu(), op, null),
                softmax(device, op, new CudnnSoftmax(op, device, dnn)));
        // both round once; values are below 4
        System.out.println("softmax " + type + " " + (worst <= 8 * type.epsilon()));
        Gemm product =
            Gemm.of(3, 5, 4).type(type).trans(true, false).leading(6, 7, 8).batched(2, 0, 40, 50);
        double[] want = gemm(Device.cpu(), product, null);
        double[] got = gemm(device, product, new CublasGemm(product, device, blas));
        System.out.println("gemm " + type + " " + Arrays.equals(want, got));
      }
      refused(() -> new CudnnConv(Conv.of2d(1, 2, 5, 5, 7, 3, 3), device, dnn));
      Gemm seven = Gemm.of(2, 2, 7);
      refused(() -> gemm(device, seven, new CublasGemm(seven, device, blas)));
      System.out.println(CublasGemm.accepts(seven, device, blas));
    }

    private static void refused(Runnable call) {
      try {
        call.run();
        System.out.println("not refused");
      } catch (GridstrideException refused) {
        System.out.println(refused.getClass().getSimpleName() + " " + refused.getMessage());
      }
    }

    private static double worst(double[][] a, double[][] b) {
      double worst = 0;
      for (int i = 0; i < a.length; i++) {
        for (int j = 0; j < a[i].length; j++) {
          worst = Math.max(worst, Math.abs(a[i][j] - b[i][j]));
        }
      }
      return worst;
    }

    private static TestArray integers(Device device, DType type, long count, long seed) {
      return TestArray.of(device, type, TestArray.integers(count, seed));
    }

    private static double[][] conv(Device device, Conv op, Conv.@Nullable Kernel kernel) {
      var plan = device.plan(op);
      var s = device.defaultStream();
      long bytes = kernel == null ? plan.workspaceBytes() : kernel.workspaceBytes();
      try (var x = integers(device, op.type(), op.xCount(), 1);
          var w = integers(device, op.type(), op.wCount(), 2);
          var bias = integers(device, op.type(), op.k(), 3);
          var dy = integers(device, op.type(), op.yCount(), 4);
          var y = TestArray.output(device, op.type(), op.yCount());
          var dx = TestArray.output(device, op.type(), op.xCount());
          var dw = TestArray.output(device, op.type(), op.wCount());
          Buffer work = device.allocate(bytes)) {
        if (kernel == null) {
          plan.forward(s, x.buffer(), w.buffer(), bias.buffer(), y.buffer(), work);
          plan.backwardData(s, dy.buffer(), w.buffer(), dx.buffer(), work);
          plan.backwardWeight(s, x.buffer(), dy.buffer(), dw.buffer(), null, work);
        } else {
          kernel.forward(s, x.buffer(), w.buffer(), bias.buffer(), y.buffer(), work);
          kernel.backwardData(s, dy.buffer(), w.buffer(), dx.buffer(), work);
          kernel.backwardWeight(s, x.buffer(), dy.buffer(), dw.buffer(), null, work);
          kernel.close();
        }
        return new double[][] {y.get(), dx.get(), dw.get()};
      }
    }

    private static double[][] softmax(Device device, Softmax op, Softmax.@Nullable Kernel kernel) {
      var plan = device.plan(op);
      var s = device.defaultStream();
      try (var x = TestArray.normal(device, op.type(), op.count(), 1);
          var dy = TestArray.normal(device, op.type(), op.count(), 2);
          var y = TestArray.output(device, op.type(), op.count());
          var dx = TestArray.output(device, op.type(), op.count())) {
        if (kernel == null) {
          plan.forward(s, x.buffer(), y.buffer());
          plan.backward(s, y.buffer(), dy.buffer(), dx.buffer());
        } else {
          kernel.forward(s, x.buffer(), y.buffer());
          kernel.backward(s, y.buffer(), dy.buffer(), dx.buffer());
        }
        return new double[][] {y.get(), dx.get()};
      }
    }

    private static double[] gemm(Device device, Gemm op, Gemm.@Nullable Kernel kernel) {
      var plan = device.plan(op);
      var s = device.defaultStream();
      long bytes = kernel == null ? plan.workspaceBytes() : kernel.workspaceBytes();
      try (var a = integers(device, op.aType(), op.countA(), 1);
          var b = integers(device, op.bType(), op.countB(), 2);
          var c = integers(device, op.cType(), op.countC(), 3);
          Buffer work = device.allocate(bytes)) {
        if (kernel == null) {
          plan.run(s, 2, a.buffer(), b.buffer(), -1, c.buffer(), null, null, work);
          plan.run(s, 0, a.buffer(), b.buffer(), 2, c.buffer(), null, null, work);
        } else {
          kernel.run(s, 2, a.buffer(), b.buffer(), -1, c.buffer(), null, null, work);
          kernel.run(s, 0, a.buffer(), b.buffer(), 2, c.buffer(), null, null, work);
        }
        return c.get();
      }
    }
  }

  @Test
  void theBindingsOverStandIns() throws Exception {
    Path cudnn = folder.resolve("libcudnn.so.8");
    FakeLibrary.compile(
        "fake_cudnn.cpp", cudnn, "-DFAKE_VERSION=8907", "-Wl,-soname,libcudnn.so.8");
    for (String part : List.of("ops_infer", "ops_train", "cnn_infer", "cnn_train")) {
      Files.copy(
          FakeLibrary.compile("fake_cudnn.cpp"), folder.resolve("libcudnn_" + part + ".so.8"));
    }
    Path versions =
        Files.writeString(folder.resolve("versions"), "libcublas.so.12 { global: *; };\n");
    FakeLibrary.compile(
        "fake_cublas.cpp",
        folder.resolve("libcublas.so.12"),
        "-Wl,-soname,libcublas.so.12",
        "-Wl,--version-script=" + versions);
    // the last JCudnn looks for its library under JCuda's version
    String name = "libJCudnn-" + JCudaVersion.get() + "-linux-x86_64.so";
    try (InputStream library = ClassLoader.getSystemResourceAsStream(JCUDNN)) {
      Files.copy(library, folder.resolve(name));
    }
    String output = runChild(Child.class, true);
    assertThat(output)
        .contains(
            "jcublas: refused: cuBLAS by JCuda is there, but there is no CUDA device\n",
            "jcudnn: refused: cuDNN 8.9.7 by JCuda is there, but there is no CUDA device\n",
            "conv NCHW true\n",
            "conv NHWC true\n",
            "softmax f32 true\n",
            "softmax f64 true\n",
            "gemm f32 true\n",
            "gemm f64 true\n",
            "UnsupportedException conv: cuDNN 8.9.7 by JCuda:"
                + " cudnnGetConvolutionForwardWorkspaceSize: CUDNN_STATUS_NOT_SUPPORTED\n",
            "UnsupportedException gemm: cuBLAS by JCuda: cublasGemmStridedBatchedEx:"
                + " CUBLAS_STATUS_NOT_SUPPORTED\n",
            "Unsupported[reason=it runs on GPUs only]");
  }

  @Test
  void withoutNvidiasLibrariesOneLineSaysSo() throws Exception {
    assertThat(runChild(Report.class, true).lines().filter(line -> line.startsWith("jc")))
        .hasSize(2)
        .allMatch(line ->
            line.matches(
                "jcublas: refused: JCuda's native library can't be loaded: .*libcublas.so.12:"
                    + " cannot open shared object file: No such file or directory"
                    + "|jcudnn: refused: libcudnn.so.8 can't be used: the system's loader .*"
                    // on a machine that has them
                    + "|jc\\w+: refused: .* is there, but there is no CUDA device"));
  }

  @Test
  void withoutJCudaOpsWorkAndOneLineSaysSo() throws Exception {
    assertThat(runChild(Report.class, false).lines())
        .contains(
            "jcublas: refused: JCuda is not there: org.jcuda:jcublas and its natives are not on the"
                + " class path",
            "jcudnn: refused: JCuda is not there: org.jcuda:jcudnn and its natives are not on the"
                + " class path",
            "gemm on emulator: simt");
  }

  /** Only says what it found, and plans a product. */
  static final class Report {
    private Report() {}

    public static void main(String[] arguments) {
      JCudaVendors.report().forEach(System.out::println);
      var explanation = Device.emulator().plan(Gemm.of(2, 3, 4)).explain();
      System.out.println(
          explanation.op() + " on " + explanation.device() + ": " + explanation.implementation());
    }
  }

  private static String location(String type) {
    return root(type.replace('.', '/') + ".class");
  }

  /** The folder or jar that holds a resource. */
  private static String root(String resource) {
    String url = String.valueOf(ClassLoader.getSystemResource(resource));
    String root = url.substring(0, url.length() - resource.length());
    String file = root.startsWith("jar:") ? root.substring(4, root.length() - 2) : root;
    return Path.of(URI.create(file)).toString();
  }

  private String runChild(Class<?> main, boolean withJCuda)
      throws IOException, InterruptedException {
    Emulator.device(); // or the test is skipped
    assumeTrue(
        System.getProperty("os.arch").equals("amd64"), "JCuda's natives are for linux-x86_64");
    Stream<String> ours =
        Stream.of(
            location(Device.class.getName()),
            location(JCudaVendorsTest.class.getName()),
            location("org.assertj.core.api.Assertions"),
            location("org.opentest4j.TestAbortedException"),
            root("META-INF/native/linux-x86_64/libgridstride_emulator.so"));
    Stream<String> theirs =
        Stream.of(
            location(Pointer.class.getName()),
            location("jcuda.jcublas.JCublas2"),
            location("jcuda.jcudnn.JCudnn"),
            root(JCUBLAS));
    String path =
        Stream.concat(ours, withJCuda ? theirs : Stream.empty())
            .collect(Collectors.joining(File.pathSeparator));
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    var builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-Djava.io.tmpdir=" + temporary,
            "-Djava.library.path=" + folder,
            "-Dgridstride.vendor=jcublas,jcudnn",
            "-cp",
            path,
            main.getName());
    builder.environment().put("LD_LIBRARY_PATH", folder.toString());
    Process child = builder.redirectErrorStream(true).start();
    String output = new String(child.getInputStream().readAllBytes(), UTF_8);
    assertThat(child.waitFor()).as(output).isZero();
    return output;
  }
}
