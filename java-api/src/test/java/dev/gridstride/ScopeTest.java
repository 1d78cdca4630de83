package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Ownership: who closes what, when. */
@ExtendWith(TestDevice.class)
class ScopeTest {
  private static final Device DEVICE = TestDevice.get();

  private static Tensor one() {
    return Tensors.ones(DEVICE, DType.F32, 3);
  }

  @Test
  void closesWhatWasMadeInside() {
    Tensor inner;
    Tensor early;
    try (Scope scope = Scope.open()) {
      inner = one();
      early = one();
      early.close();
    }
    assertThat(inner.isOpen()).isFalse();
    Tensor free = one();
    assertThat(free.isOpen()).isTrue();
    free.close();
  }

  @Test
  void keepsForTheScopeOutside() {
    Tensor kept;
    try (Scope outer = Scope.open()) {
      try (Scope scope = Scope.open()) {
        kept = scope.keep(one());
        Tensor foreign = kept;
        assertThatThrownBy(() -> scope.keep(foreign))
            .isInstanceOf(InvalidArgumentException.class)
            .hasMessageContaining("must be owned by this scope");
      }
      assertThat(kept.isOpen()).isTrue();
    }
    assertThat(kept.isOpen()).isFalse();
    try (Scope scope = Scope.open()) {
      kept = scope.keep(one());
    }
    assertThat(kept.isOpen()).isTrue();
    kept.close();
  }

  @Test
  void refusesMisuse() throws Exception {
    Scope outer = Scope.open();
    Scope inner = Scope.open();
    assertThatThrownBy(outer::close)
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("reverse order");
    var failure = new AtomicReference<Throwable>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            inner.close();
          } catch (RuntimeException e) {
            failure.set(e);
          }
        })
        .join();
    assertThat(failure.get())
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("used by the thread that opened it");
    inner.close();
    assertThatThrownBy(inner::close).isInstanceOf(ClosedException.class);
    outer.close();
  }
}
