package dev.gridstride.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Epilogue.Activation;
import dev.gridstride.kernels.Gemm;
import dev.gridstride.testing.Emulator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/**
 * Products by cuBLASLt, over a stand-in that computes on the heap: places of operands, leading
 * dimensions, batches, epilogues, refusals. And the real library, where it is installed, as far as
 * it goes without a GPU.
 */
class CublasLtTest {
  private static Device gpu;
  private static CublasLt.Found lt;

  @BeforeAll
  static void build() throws Exception {
    Path cuda = FakeLibrary.build(Set.of(), "FAKE_DEVICES=1", "FAKE_FOR_CUBLASLT");
    var named = Map.of("gridstride.library.cuda", cuda.toString());
    gpu =
        CudaDiscovery.discover(DeviceKind.CUDA, new Libraries(named::get, name -> null))
            .devices()
            .getFirst();
    lt = find();
    assertThat(lt.reason()).isEmpty();
  }

  private static CublasLt.Found find(String... macros) throws Exception {
    Path library = FakeLibrary.compile("fake_cublaslt.cpp", macros);
    var named = Map.of("gridstride.library.cublaslt", library.toString());
    return CublasLt.find(new VendorLibrary("cublaslt", List.of(), named::get, List.of()));
  }

  private static Support accepts(Gemm op) {
    return CublasLtGemm.accepts(op, gpu, lt);
  }

  private static void refused(Gemm op, String reason) {
    assertThat(accepts(op))
        .isInstanceOfSatisfying(
            Support.Unsupported.class, no -> assertThat(no.reason()).contains(reason));
  }

  /** Memory of the fake GPU is host memory at this address. */
  @SuppressWarnings("restricted")
  private static MemorySegment memory(Buffer b) {
    return MemorySegment.ofAddress(b.devicePointer()).reinterpret(b.bytes());
  }

  private static Buffer noise(long count, Random random) {
    Buffer b = gpu.allocate(DType.F32, count);
    for (long i = 0; i < count; i++) {
      memory(b).setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
    }
    return b;
  }

  private static float at(MemorySegment m, long i) {
    return m.getAtIndex(ValueLayout.JAVA_FLOAT, i);
  }

  private static double gelu(double z) {
    return z / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z)));
  }

  private static double geluGradient(double z) {
    return (gelu(z + 1e-6) - gelu(z - 1e-6)) / 2e-6;
  }

  /** The same product by row-major loops in double. */
  private static void compare(Gemm op, double alpha, double beta) {
    assertThat(accepts(op)).isEqualTo(Support.YES);
    var random = new Random(op.hashCode());
    Epilogue e = op.epilogue();
    try (var kernel = new Closing(new CublasLtGemm(op, gpu, lt));
        Buffer a = noise(op.countA(), random);
        Buffer b = noise(op.countB(), random);
        Buffer c = noise(op.countC(), random);
        Buffer bias = noise(op.n(), random);
        Buffer aux = noise(op.countC(), random);
        Buffer work = gpu.allocate(kernel.kernel().workspaceBytes())) {
      float[] before = memory(c).toArray(ValueLayout.JAVA_FLOAT);
      float[] saved = memory(aux).toArray(ValueLayout.JAVA_FLOAT);
      kernel
          .kernel()
          .run(
              gpu.defaultStream(),
              alpha,
              a,
              b,
              beta,
              c,
              e.usesBias() ? bias : null,
              e.usesAux() ? aux : null,
              work);
      boolean[] written = new boolean[before.length];
      for (long p = 0; p < op.batch(); p++) {
        for (long i = 0; i < op.m(); i++) {
          for (long j = 0; j < op.n(); j++) {
            double sum = 0;
            for (long t = 0; t < op.k(); t++) {
              long ia = op.transposedA() ? t * op.leadingA() + i : i * op.leadingA() + t;
              long ib = op.transposedB() ? j * op.leadingB() + t : t * op.leadingB() + j;
              sum +=
                  (double) at(memory(a), p * op.strideA() + ia)
                      * at(memory(b), p * op.strideB() + ib);
            }
            int ic = (int) (p * op.strideC() + i * op.leadingC() + j);
            written[ic] = true;
            double z = alpha * sum + (beta == 0 ? 0 : beta * before[ic]);
            if (e.isBackward()) {
              z *= geluGradient(saved[ic]);
            } else {
              z += e.addsBias() ? at(memory(bias), j) : 0;
              if (e.savesAux()) {
                assertThat((double) at(memory(aux), ic)).isCloseTo(z, within(1e-6));
              }
              z = e.activation() == Activation.GELU_TANH ? gelu(z) : z;
            }
            // both sides in double, one rounding to f32 of values below 16
            assertThat((double) at(memory(c), ic)).as("%s [%d]", op, ic).isCloseTo(z, within(1e-6));
          }
        }
      }
      for (int i = 0; i < before.length; i++) {
        if (!written[i]) {
          assertThat(at(memory(c), i)).isEqualTo(before[i]);
        }
      }
    }
  }

  /** A kernel in a try. */
  private record Closing(CublasLtGemm kernel) implements AutoCloseable {
    @Override
    public void close() {
      kernel.close();
    }
  }

  @Test
  void transpositionsLeadingDimensionsAndBatches() {
    for (boolean transA : new boolean[] {false, true}) {
      for (boolean transB : new boolean[] {false, true}) {
        Gemm op = Gemm.of(3, 8, 6).trans(transA, transB);
        compare(op, 1, 0);
        compare(op.leading(11, 12, 13), -0.5, 2);
        compare(op.batched(3), 1, 1);
        compare(op.leading(11, 12, 16).batched(2, 0, 96, 64), 2, -1);
      }
    }
    compare(Gemm.of(1, 1, 1), 1, 0);
    compare(Gemm.of(1, 9, 2), 1, 0);
    compare(Gemm.of(9, 1, 2), 1, 0.25);
  }

  @Test
  void epiloguesOfTheSameMeaning() {
    Gemm op = Gemm.of(5, 8, 3).transB();
    Epilogue gelu = Epilogue.of(Activation.GELU_TANH);
    Epilogue both = Epilogue.bias().then(Activation.GELU_TANH);
    for (Epilogue e :
        List.of(
            Epilogue.bias(),
            gelu,
            both,
            gelu.saveAux(),
            both.saveAux(),
            Epilogue.backward(Activation.GELU_TANH))) {
      compare(op.with(e), 1, 0);
      compare(op.with(e), 0.5, 1.5);
      compare(op.batched(2).with(e), 1, 0);
    }
  }

  @Test
  void refusesWhatItWouldComputeDifferently() {
    Gemm op = Gemm.of(4, 4, 4);
    refused(op.with(Epilogue.of(Activation.RELU)), "its ReLU makes no promise for NaN");
    refused(op.with(Epilogue.of(Activation.GELU)), "its GELU is the tanh approximation");
    refused(op.with(Epilogue.backward(Activation.GELU_TANH).biasGradient()), "its bias gradient");
    refused(
        op.with(Epilogue.of(Activation.GELU_TANH).saveAux()),
        "aux: ldc and strideC must be multiples of 8");
    refused(op.types(DType.F32, DType.BF16, DType.F32), "types: A and B alike");
    refused(op.types(DType.BF16, DType.BF16, DType.F16), "types: A and B alike");
    for (Gemm empty : List.of(Gemm.of(0, 1, 1), Gemm.of(1, 0, 1), Gemm.of(1, 1, 0))) {
      refused(empty, "an empty product");
    }
    refused(op.batched(1L << 31), "more than 2^31 - 1 products");
    refused(Gemm.of(4, 4, 7), "cuBLASLt has no algorithm");
    assertThat(accepts(op.type(DType.BF16))).isEqualTo(Support.YES);
    assertThat(accepts(op.types(DType.BF16, DType.BF16, DType.F32))).isEqualTo(Support.YES);
    assertThat(accepts(op.type(DType.F64))).isEqualTo(Support.YES);
    assertThat(CublasLtGemm.accepts(op, Emulator.device(), lt))
        .isEqualTo(Support.no("it runs on GPUs only"));
  }

  @Test
  void operandsWithoutAlignmentGetTheirOwnAlgorithm() {
    var random = new Random(1);
    for (int k : new int[] {4, 5}) {
      try (var kernel = new Closing(new CublasLtGemm(Gemm.of(1, 1, k), gpu, lt));
          Buffer a = noise(8, random);
          Buffer b = noise(8, random);
          Buffer c = noise(8, random);
          Buffer work = gpu.allocate(kernel.kernel().workspaceBytes())) {
        Runnable run =
            () ->
                kernel
                    .kernel()
                    .run(gpu.defaultStream(), 1, a.slice(4, 20), b, 0, c, null, null, work);
        if (k == 5) {
          assertThat(kernel.kernel().details()).endsWith("aligned operands only");
          assertThatThrownBy(run::run)
              .isInstanceOf(UnsupportedException.class)
              .hasMessageContaining("needs operands that are aligned to 16 bytes");
        } else {
          run.run();
          double want = 0;
          for (int t = 0; t < k; t++) {
            want += (double) at(memory(a), t + 1) * at(memory(b), t);
          }
          assertThat((double) at(memory(c), 0)).isCloseTo(want, within(1e-6));
        }
      }
    }
  }

  @Test
  void aClosedPlanIsRefused() {
    var kernel = new CublasLtGemm(Gemm.of(1, 1, 4), gpu, lt);
    kernel.close();
    try (Buffer any = gpu.allocate(64)) {
      assertThatThrownBy(
              () -> kernel.run(gpu.defaultStream(), 1, any, any, 0, any, null, null, any))
          .isInstanceOf(ClosedException.class)
          .hasMessage("gemm: the plan has been closed");
    }
  }

  @Test
  void tooOldOrIncompleteLibrariesAreRefused() throws Exception {
    CublasLt.Found old = find("FAKE_VERSION=11403");
    assertThat(old.library()).isNull();
    assertThat(old.reason())
        .endsWith("can't be used: version 11.4.3 is too old; it takes 12.0 or newer");
    var named = Map.of("gridstride.library.cublaslt", FakeLibrary.build(Set.of()).toString());
    CublasLt.Found other =
        CublasLt.find(new VendorLibrary("cublaslt", List.of(), named::get, List.of()));
    assertThat(other.reason()).contains("it lacks the function cublasLt");
    assertThat(CublasLtGemm.accepts(Gemm.of(1, 1, 1), gpu, old))
        .isEqualTo(Support.no(old.reason()));
    assertThatThrownBy(() -> new CublasLtGemm(Gemm.of(1, 1, 1), gpu, old))
        .isInstanceOf(UnsupportedException.class);
  }

  /** The constants and signatures, as far as the real library checks them without a GPU. */
  @Test
  void theRealLibraryTakesTheDescriptions() {
    CublasLt real = CublasLt.installed().library();
    if (real == null) {
      throw new TestAbortedException(CublasLt.installed().reason());
    }
    assertThat(real.version()).matches("1[2-9]\\.\\d+\\.\\d+");
    try (var product =
            real.product(CublasLt.COMPUTE_32F, DType.F32)
                .set(CublasLt.DESC_TRANSA, 1)
                .set(CublasLt.DESC_TRANSB, 1)
                .set(CublasLt.DESC_EPILOGUE, CublasLt.EPILOGUE_DGELU)
                .set(CublasLt.DESC_BIAS_POINTER, 256L)
                .set(CublasLt.DESC_AUX_POINTER, 256L)
                .set(CublasLt.DESC_AUX_LD, 8L)
                .set(CublasLt.DESC_AUX_BATCH_STRIDE, 64L);
        var layout =
            real.layout(DType.BF16, 8, 4, 8)
                .set(CublasLt.LAYOUT_BATCH_COUNT, 3)
                .set(CublasLt.LAYOUT_BATCH_STRIDE, 32L);
        var preference =
            real.preference()
                .set(CublasLt.PREFERENCE_WORKSPACE, 1L << 20)
                .set(CublasLt.PREFERENCE_REDUCTIONS, CublasLt.REDUCTION_COMPUTE_TYPE)
                .set(CublasLt.PREFERENCE_ALIGNMENT_A, 16)
                .set(CublasLt.PREFERENCE_ALIGNMENT_A + 3, 16)) {
      assertThat(product.address()).isNotZero();
      assertThat(layout.address()).isNotZero();
      // a wrong size or number is refused, so the calls above mean something
      assertThatThrownBy(() -> product.set(CublasLt.DESC_EPILOGUE, 1L));
      assertThatThrownBy(() -> preference.set(999, 1));
    }
  }
}
