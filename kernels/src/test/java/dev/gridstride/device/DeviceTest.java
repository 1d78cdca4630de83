package dev.gridstride.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Discovery, streams, events, dtypes, and the pool behind the CPU device. */
@Isolated("counts memory and threads of the whole process")
class DeviceTest {
  private static final Device CPU = Device.cpu();

  @Test
  void findsTheCpu() {
    assertThat(Device.all()).contains(CPU);
    assertThat(Device.best().kind()).isIn(DeviceKind.CPU, DeviceKind.CUDA);
    assertThat(CPU.name()).isEqualTo("cpu");
    assertThat(CPU.toString()).isEqualTo("cpu");
    assertThat(CPU.ordinal()).isZero();
    assertThat(CPU.description()).contains("thread");
    assertThat(Device.discoveryReport()).anyMatch(line -> line.startsWith("cpu: "));
    assertThat(Device.cpu()).isSameAs(CPU);
  }

  @Test
  void saysWhyADeviceIsMissing() {
    assertThatThrownBy(() -> Device.cuda(99))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device cuda:99 is not available: ");
    assertThatThrownBy(() -> Device.cuda(-1)).isInstanceOf(DeviceException.class);
  }

  @Test
  void streamsOrderWork() {
    try (Stream stream = CPU.newStream();
        Event first = stream.record();
        Event second = stream.record()) {
      assertThat(stream.device()).isSameAs(CPU);
      assertThat(stream.handle()).isZero();
      stream.waitFor(first);
      second.synchronize();
      assertThat(second.isDone()).isTrue();
      assertThat(second.secondsSince(first)).isNotNegative();
    }
    Stream closed = CPU.newStream();
    closed.close();
    assertThatThrownBy(closed::synchronize).isInstanceOf(ClosedException.class);
    assertThatThrownBy(closed::close).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> CPU.defaultStream().close())
        .isInstanceOf(InvalidArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 64, 65, 1000, 1 << 20, (1 << 20) + 1, 5_000_000})
  void poolReusesBlocksAndTrims(long bytes) {
    CPU.trim();
    long used = CPU.memory().usedBytes();
    Buffer a = CPU.allocate(bytes);
    assertThat(a.bytes()).isEqualTo(bytes);
    assertThat(CPU.memory().usedBytes() - used)
        .isBetween(bytes, Math.max(64, bytes + bytes / 4 + 64));
    long address = a.devicePointer();
    a.close();
    assertThat(CPU.memory().usedBytes()).isEqualTo(used);
    assertThat(CPU.memory().cachedBytes()).isPositive();
    long allocations = CPU.memory().allocations();
    try (Buffer b = CPU.allocate(bytes)) {
      assertThat(b.devicePointer()).isEqualTo(address);
      assertThat(CPU.memory().allocations()).isEqualTo(allocations);
    }
    CPU.trim();
    assertThat(CPU.memory().cachedBytes()).isZero();
    assertThat(CPU.memory().peakUsedBytes()).isGreaterThanOrEqualTo(CPU.memory().usedBytes());
  }

  @Test
  void setsThreads() {
    int before = CPU.threads();
    CPU.threads(3);
    assertThat(CPU.threads()).isEqualTo(3);
    CPU.threads(before);
    for (int bad : new int[] {0, -1, 1025}) {
      assertThatThrownBy(() -> CPU.threads(bad))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("threads: count must be in 1..1024; count=" + bad);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void dtypesKnowTheirSize(DType type) {
    assertThat(type.bytes(10)).isEqualTo(10L * type.bytes());
    assertThat(type.toString()).isEqualTo(type.name().toLowerCase(java.util.Locale.ROOT));
    assertThat(type.isFloating()).isEqualTo(type.epsilon() > 0);
  }

  @Test
  void roundsBf16ToNearestEven() {
    float ulp = 0x1p-7f;
    assertThat(bf16(1 + ulp / 2)).isEqualTo(1f);
    assertThat(bf16(1 + 1.5f * ulp)).isEqualTo(1 + 2 * ulp);
    assertThat(bf16(1 + 0.51f * ulp)).isEqualTo(1 + ulp);
    assertThat(bf16(Float.MAX_VALUE)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(bf16(-0f)).isEqualTo(-0f);
    assertThat(bf16(Float.NaN)).isNaN();
    assertThat(bf16(Float.intBitsToFloat(0x7F800001))).isNaN();
    assertThat(bf16(Float.NEGATIVE_INFINITY)).isEqualTo(Float.NEGATIVE_INFINITY);
  }

  private static float bf16(float x) {
    return DType.bf16ToFloat(DType.floatToBf16(x));
  }

  @Test
  void explanationsReadAsLines() {
    var e =
        new Explanation(
            "gemm", "cpu", "simple", "", 0, List.of(new Explanation.Refusal("fast", "k is odd")));
    assertThat(e.toString().lines())
        .containsExactly("gemm on cpu: simple, workspace 0 bytes", "  refused fast: k is odd");
  }
}
