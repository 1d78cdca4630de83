package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.cuda.CudaConv;
import dev.gridstride.cuda.CudnnConv;
import dev.gridstride.cuda.VendorChoice;
import dev.gridstride.device.Explanation.Refusal;
import dev.gridstride.testing.Emulator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The order in which implementations are tried, and what is said of those that refuse. */
class ImplementationsTest {
  private static Implementations<Conv, Conv.Kernel> conv(String vendor) {
    Implementations<Conv, Conv.Kernel> own =
        Implementations.of(Implementation.cuda("cuda", CudaConv::accepts, CudaConv::new));
    return own.withVendors(
        VendorChoice.of(vendor),
        List.of(Implementation.cuda("cudnn", CudnnConv::accepts, CudnnConv::new)));
  }

  @Test
  void aVendorIsTriedFirstWhereItIsNamed() {
    Conv op = Conv.of2d(1, 2, 5, 5, 3, 3, 3);
    var last = conv("last").select(op, Emulator.device());
    assertThat(last.name()).isEqualTo("cuda");
    assertThat(last.refused()).isEmpty();
    var first = conv("cudnn").select(op, Emulator.device());
    assertThat(first.name()).isEqualTo("cuda");
    assertThat(first.refused()).containsExactly(new Refusal("cudnn", "it runs on GPUs only"));
    assertThat(conv("first").names()).containsExactly("cudnn", "cuda");
    assertThat(conv(null).names()).containsExactly("cuda", "cudnn");
  }
}
