package dev.gridstride.jcuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.kernels.Unary;
import dev.gridstride.testing.Emulator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.Test;

/** Pointers and streams to JCuda's classes and back: the same address, the same memory. */
class JCudaInteropTest {
  private static float[] read(Buffer b) {
    MemorySegment host = MemorySegment.ofArray(new float[(int) (b.bytes() / 4)]);
    b.copyTo(host);
    return host.toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void memoryIsSharedAndStaysItsOwners() {
    Device device = Emulator.device();
    try (Buffer owner = device.allocate(DType.F32, 6);
        Stream stream = device.newStream()) {
      owner.copyFrom(MemorySegment.ofArray(new float[] {1, -2, 3, -4, 5, -6}));
      CUdeviceptr p = JCudaInterop.pointer(owner);
      try (Buffer all = JCudaInterop.wrap(device, p, 24);
          Buffer part = JCudaInterop.wrap(device, p.withByteOffset(8), 8);
          Stream same = JCudaInterop.wrap(device, JCudaInterop.stream(stream))) {
        assertThat(all.devicePointer()).isEqualTo(owner.devicePointer());
        assertThat(part.devicePointer()).isEqualTo(owner.devicePointer() + 8);
        assertThat(all.overlaps(part)).isTrue();
        assertThat(same.handle()).isEqualTo(stream.handle()).isNotZero();
        device.plan(Unary.of(Unary.Function.NEG, DType.F32, 2)).forward(same, part, part);
        same.synchronize();
        assertThat(read(all)).containsExactly(1, -2, -3, 4, 5, -6);
      }
      // neither the memory nor the stream went with the wrappers
      stream.synchronize();
      owner.fill((byte) 0);
      assertThat(read(owner)).containsOnly(0);
      Buffer closed = JCudaInterop.wrap(device, p, 4);
      closed.close();
      assertThatThrownBy(closed::devicePointer).isInstanceOf(ClosedException.class);
    }
  }

  @Test
  void theDefaultStreamIsTheDefaultStream() {
    Device device = Emulator.device();
    assertThat(JCudaInterop.wrap(device, new cudaStream_t())).isSameAs(device.defaultStream());
    assertThat(JCudaInterop.wrap(device, new CUstream())).isSameAs(device.defaultStream());
    cudaStream_t back = JCudaInterop.stream(device.defaultStream());
    assertThat(back).isEqualTo(new cudaStream_t());
  }

  @Test
  void refusesWhatCantBeMemory() {
    Device device = Emulator.device();
    assertThatThrownBy(() -> JCudaInterop.wrap(device, new CUdeviceptr(), 8))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "device.wrapMemory: memory must be an address and a size that is not negative;"
                + " pointer=0, bytes=8");
    assertThatThrownBy(() -> device.wrapMemory(256, -1))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> device.wrapMemory(Long.MAX_VALUE, 1))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> Device.cpu().wrapMemory(256, 8))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("device.wrapMemory: cpu has no device pointers");
    assertThatThrownBy(() -> Device.cpu().wrapStream(1)).isInstanceOf(UnsupportedException.class);
  }
}
