package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Epilogue.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Illegal arguments of the matrix product and what is said of them. */
@ExtendWith(TestDevice.class)
final class GemmArgumentsTest {
  private static final Device DEVICE = TestDevice.get();
  private static final Stream STREAM = DEVICE.defaultStream();

  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidArgumentException.class).hasMessage(message);
  }

  @Test
  void descriptions() {
    refused(() -> Gemm.of(-1, 2, 3), "gemm: sizes must not be negative; m=-1, n=2, k=3");
    refused(() -> Gemm.of(1, -2, 3), "gemm: sizes must not be negative; m=1, n=-2, k=3");
    refused(() -> Gemm.of(1, 2, -3), "gemm: sizes must not be negative; m=1, n=2, k=-3");
    refused(
        () -> Gemm.of(1, 2, 3).type(DType.I32),
        "gemm: types must be f64, f32, bf16 or f16; a=i32, b=i32, c=i32");
    refused(
        () -> Gemm.of(1, 2, 3).types(DType.F64, DType.F32, DType.F64),
        "gemm: types must all be f64 or none; a=f64, b=f32, c=f64");
    refused(
        () -> Gemm.of(1, 2, 3).types(DType.BF16, DType.BF16, DType.F64),
        "gemm: types must all be f64 or none; a=bf16, b=bf16, c=f64");
    String rule = " must be at least the stored columns, or 0 for tight rows; ";
    refused(() -> Gemm.of(4, 5, 6).leading(5, 0, 0), "gemm: lda" + rule + "lda=5, columns=6");
    refused(() -> Gemm.of(4, 5, 6).leading(0, 4, 0), "gemm: ldb" + rule + "ldb=4, columns=5");
    refused(() -> Gemm.of(4, 5, 6).leading(0, 0, 4), "gemm: ldc" + rule + "ldc=4, columns=5");
    refused(() -> Gemm.of(4, 5, 6).leading(-1, 0, 0), "gemm: lda" + rule + "lda=-1, columns=6");
    refused(
        () -> Gemm.of(4, 5, 6).transA().leading(3, 0, 0), "gemm: lda" + rule + "lda=3, columns=4");
    refused(
        () -> Gemm.of(4, 5, 6).transB().leading(0, 5, 0), "gemm: ldb" + rule + "ldb=5, columns=6");
    refused(
        () -> Gemm.of(4, 5, 6).batched(-1, 1, 1, 20), "gemm: batch must not be negative; batch=-1");
    refused(
        () -> Gemm.of(4, 5, 6).batched(2, -1, 1, 20),
        "gemm: strides must not be negative; strideA=-1, strideB=1");
    refused(
        () -> Gemm.of(4, 5, 6).batched(2, 1, 1, 19),
        "gemm: strideC must be at least one product's extent; strideC=19, extent=20");
    assertThatThrownBy(() -> Gemm.of(1L << 40, 1L << 40, 1))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("gemm: sizes must give operands of fewer than 2^63 elements; ");
    assertThatThrownBy(() -> Gemm.of(1, 1, 1).batched(1L << 40, 1L << 40, 0, 1L << 40))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void epilogues() {
    refused(
        () -> Epilogue.bias().saveAux(),
        "epilogue: saveAux needs a forward activation; activation=IDENTITY, backward=false");
    refused(
        () -> Epilogue.backward(Activation.RELU).saveAux(),
        "epilogue: saveAux needs a forward activation; activation=RELU, backward=true");
    refused(
        () -> Epilogue.backward(Activation.IDENTITY),
        "epilogue: backward needs an activation; activation=IDENTITY");
    refused(
        () -> Epilogue.bias().biasGradient(),
        "epilogue: bias can't be added in a backward form; backward=false, biasGradient=true");
  }

  @Test
  void operands() {
    var plan = DEVICE.plan(Gemm.of(4, 5, 6));
    var biased = DEVICE.plan(Gemm.of(4, 5, 6).with(Epilogue.bias()));
    var saving = DEVICE.plan(Gemm.of(4, 5, 6).with(Epilogue.of(Activation.RELU).saveAux()));
    var summing =
        DEVICE.plan(Gemm.of(4, 5, 6).with(Epilogue.backward(Activation.GELU).biasGradient()));
    try (Buffer a = DEVICE.allocate(DType.F32, 24);
        Buffer b = DEVICE.allocate(DType.F32, 30);
        Buffer c = DEVICE.allocate(DType.F32, 20);
        Buffer bias = DEVICE.allocate(DType.F32, 5);
        Buffer aux = DEVICE.allocate(DType.F32, 20);
        Buffer all = DEVICE.allocate(DType.F32, 100)) {
      String enough = " must hold at least ";
      refused(
          () -> plan.run(STREAM, 1, c, b, 0, c),
          "gemm: a" + enough + "24 elements of f32; needed bytes=96, a bytes=80");
      refused(
          () -> plan.run(STREAM, 1, a, a, 0, c),
          "gemm: b" + enough + "30 elements of f32; needed bytes=120, b bytes=96");
      refused(
          () -> plan.run(STREAM, 1, a, b, 0, bias),
          "gemm: c" + enough + "20 elements of f32; needed bytes=80, c bytes=20");
      refused(
          () -> biased.run(STREAM, 1, a, b, 0, c, c.slice(0, 16), null, null),
          "gemm: bias" + enough + "5 elements of f32; needed bytes=20, bias bytes=16");
      refused(
          () -> biased.run(STREAM, 1, a, b, 0, c),
          "gemm: bias must be given for this epilogue; bias=null");
      refused(
          () -> saving.run(STREAM, 1, a, b, 0, c),
          "gemm: aux must be given for this epilogue; aux=null");
      refused(
          () -> plan.run(STREAM, 1, a, b, 0, c, bias, null, null),
          "gemm: bias must be null without such an epilogue; bias=" + bias);
      refused(
          () -> plan.run(STREAM, 1, a, b, 0, c, null, aux, null),
          "gemm: aux must be null without such an epilogue; aux=" + aux);
      overlap(() -> plan.run(STREAM, 1, all, b, 0, all), "c must not overlap a");
      overlap(() -> plan.run(STREAM, 1, a, all, 0, all.slice(64, 80)), "c must not overlap b");
      overlap(
          () -> biased.run(STREAM, 1, a, b, 0, all, all, null, null), "c must not overlap bias");
      overlap(() -> saving.run(STREAM, 1, a, b, 0, all, null, all, null), "c must not overlap aux");
      overlap(() -> saving.run(STREAM, 1, all, b, 0, c, null, all, null), "aux must not overlap a");
      overlap(() -> saving.run(STREAM, 1, a, all, 0, c, null, all, null), "aux must not overlap b");
      overlap(
          () -> summing.run(STREAM, 1, all, b, 0, c, all, aux, null), "bias must not overlap a");
      overlap(
          () -> summing.run(STREAM, 1, a, all, 0, c, all, aux, null), "bias must not overlap b");
      overlap(
          () -> summing.run(STREAM, 1, a, b, 0, c, all, all, null), "bias must not overlap aux");
      plan.run(STREAM, 1, all, all, 0, c); // inputs may share memory
      Buffer closed = DEVICE.allocate(DType.F32, 30);
      closed.close();
      assertThatThrownBy(() -> plan.run(STREAM, 1, closed, b, 0, c))
          .isInstanceOf(ClosedException.class)
          .hasMessageStartingWith("gemm: the buffer of 120 bytes has been closed");
      assertThatThrownBy(() -> plan.run(STREAM, 1, a, b, 0, closed))
          .isInstanceOf(ClosedException.class);
    }
    if (TestDevice.isCpu()) {
      assertThat(plan.explain().toString())
          .startsWith("gemm on cpu: blocked (tile 6x")
          .endsWith("workspace 0 bytes");
    }
    assertThat(DEVICE.supports(plan.op())).isInstanceOf(Support.Supported.class);
  }

  private static void overlap(ThrowingCallable call, String rule) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("gemm: " + rule);
  }

  @Test
  void shortForms() {
    var x = new float[20];
    var y = new float[20];
    var z = new double[4];
    refused(
        () -> Gemm.sgemm(false, false, -1, 2, 2, 1, x, 2, x, 2, 0, y, 2),
        "sgemm: sizes must not be negative; m=-1, n=2, k=2");
    String rule = " must be at least the stored columns, and 1; ";
    refused(
        () -> Gemm.sgemm(false, false, 2, 2, 3, 1, x, 2, x, 2, 0, y, 2),
        "sgemm: lda" + rule + "lda=2, columns=3");
    refused(
        () -> Gemm.sgemm(false, true, 2, 2, 3, 1, x, 3, x, 2, 0, y, 2),
        "sgemm: ldb" + rule + "ldb=2, columns=3");
    refused(
        () -> Gemm.sgemm(false, false, 2, 2, 3, 1, x, 3, x, 2, 0, y, 1),
        "sgemm: ldc" + rule + "ldc=1, columns=2");
    refused(
        () -> Gemm.sgemm(false, false, 0, 0, 0, 1, x, 0, x, 1, 0, y, 1),
        "sgemm: lda" + rule + "lda=0, columns=0");
    refused(
        () -> Gemm.sgemm(false, false, 5, 2, 5, 1, x, 5, x, 2, 0, y, 2),
        "sgemm: a must hold the matrix; a elements=20, offset=0, needed=25");
    refused(
        () -> Gemm.sgemm(false, false, 2, 5, 5, 1, x, 5, x, 5, 0, y, 5),
        "sgemm: b must hold the matrix; b elements=20, offset=0, needed=25");
    refused(
        () -> Gemm.sgemm(false, false, 5, 5, 2, 1, x, 2, x, 5, 0, y, 5),
        "sgemm: c must hold the matrix; c elements=20, offset=0, needed=25");
    refused(
        () -> Gemm.sgemm(false, false, 2, 2, 2, 1, x, 17, 2, x, 0, 2, 0, y, 0, 2),
        "sgemm: a must hold the matrix; a elements=20, offset=17, needed=4");
    refused(
        () -> Gemm.sgemm(false, false, 2, 2, 2, 1, x, -1, 2, x, 0, 2, 0, y, 0, 2),
        "sgemm: a must hold the matrix; a elements=20, offset=-1, needed=4");
    refused(
        () -> Gemm.dgemm(false, false, 2, 3, 2, 1, z, 2, new double[6], 3, 0, z, 3),
        "dgemm: c must hold the matrix; c elements=4, offset=0, needed=6");
    assertThatThrownBy(() -> Gemm.sgemm(false, false, 2, 2, 2, 1, x, 2, y, 2, 0, x, 2))
        .hasMessageStartingWith("sgemm: c must not overlap a; ");
    assertThatThrownBy(() -> Gemm.sgemm(false, false, 2, 2, 2, 1, x, 2, y, 2, 0, y, 2))
        .hasMessageStartingWith("sgemm: c must not overlap b; ");
    var readOnly = MemorySegment.ofArray(y).asReadOnly();
    assertThatThrownBy(() ->
            Gemm.sgemm(
                false,
                false,
                2,
                2,
                2,
                1,
                MemorySegment.ofArray(x),
                2,
                MemorySegment.ofArray(x),
                2,
                0,
                readOnly,
                2))
        .hasMessageStartingWith("sgemm: c must be writable; ");
  }

  @Test
  void shortFormsOnEveryKindOfMemory() {
    float[] a = {1, 2, 3, 4, 5, 6};
    float[] b = {7, 8, 9, 10, 11, 12};
    float[] expected = {58, 64, 139, 154};
    var c = new float[4];
    Gemm.sgemm(false, false, 2, 2, 3, 1, a, 3, b, 2, 0, c, 2);
    assertThat(c).containsExactly(expected);
    Gemm.sgemm(false, false, 2, 2, 3, -1, a, 3, b, 2, 1, c, 2);
    assertThat(c).containsExactly(0, 0, 0, 0);
    var one = new float[20]; // all three in one array
    System.arraycopy(a, 0, one, 1, 6);
    System.arraycopy(b, 0, one, 7, 6);
    Gemm.sgemm(false, false, 2, 2, 3, 1, one, 1, 3, one, 7, 2, 0, one, 14, 3);
    assertThat(one).startsWith(0, 1, 2).endsWith(0, 58, 64, 0, 139, 154, 0);
    double[] wide = {1, 4, 2, 5, 3, 6};
    var d = new double[4];
    Gemm.dgemm(true, true, 2, 2, 3, 1, wide, 2, new double[] {7, 9, 11, 8, 10, 12}, 3, 0, d, 2);
    assertThat(d).containsExactly(58, 64, 139, 154);
    Gemm.dgemm(
        true, true, 2, 2, 3, 1, wide, 0, 2, new double[] {7, 9, 11, 8, 10, 12}, 0, 3, 1, d, 0, 2);
    assertThat(d).containsExactly(116, 128, 278, 308);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, a);
      MemorySegment y = arena.allocate(16);
      Gemm.sgemm(false, false, 2, 2, 3, 1, x, 3, MemorySegment.ofArray(b), 2, 0, y, 2);
      assertThat(y.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(expected);
      MemorySegment z = arena.allocate(32);
      Gemm.dgemm(
          true,
          true,
          2,
          2,
          3,
          1,
          MemorySegment.ofArray(wide),
          2,
          MemorySegment.ofArray(new double[] {7, 9, 11, 8, 10, 12}),
          3,
          0,
          z,
          2);
      assertThat(z.toArray(ValueLayout.JAVA_DOUBLE)).containsExactly(58, 64, 139, 154);
    }
  }

  @Test
  void confinedMemoryIsUsedByItsThreadOnly() {
    int n = 400; // enough for several tasks
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = arena.allocate(4L * n * n);
      MemorySegment c = arena.allocate(4L * n * n);
      for (int i = 0; i < n; i++) {
        a.setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * n + i, 2);
      }
      Gemm.sgemm(false, false, n, n, n, 1, a, n, a, n, 0, c, n);
      assertThat(c.getAtIndex(ValueLayout.JAVA_FLOAT, 399 * 400 + 399)).isEqualTo(4);
      assertThat(c.getAtIndex(ValueLayout.JAVA_FLOAT, 399 * 400 + 398)).isEqualTo(0);
    }
  }
}
