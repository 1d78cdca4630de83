package dev.gridstride.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What {@code gridstride.vendor} means. */
class VendorChoiceTest {
  private static List<String> order(String property) {
    return VendorChoice.of(property)
        .order(List.of("own"), List.of("cudnn", "jcudnn"), Function.identity());
  }

  @Test
  void namedOnesComeFirstAndAllOthersLast() {
    assertThat(order(null)).containsExactly("own", "cudnn", "jcudnn");
    assertThat(order("last")).containsExactly("own", "cudnn", "jcudnn");
    assertThat(order("first")).containsExactly("cudnn", "own", "jcudnn");
    assertThat(order("cudnn")).containsExactly("cudnn", "own", "jcudnn");
    assertThat(order("jcudnn")).containsExactly("jcudnn", "own", "cudnn");
    assertThat(order("jcudnn, cudnn")).containsExactly("jcudnn", "cudnn", "own");
    assertThat(order("first,jcudnn,cudnn")).containsExactly("cudnn", "jcudnn", "own");
    assertThat(order("cublaslt")).containsExactly("own", "cudnn", "jcudnn");
    assertThat(order("")).containsExactly("own", "cudnn", "jcudnn");
  }

  @Test
  void namesThatMeanNothingAreLeftOut() {
    assertThat(VendorChoice.of("mkl,cudnn").names()).containsExactly("cudnn");
    assertThat(VendorChoice.of("first").names("cublaslt")).isTrue();
    assertThat(VendorChoice.of("first").names("jcublas")).isFalse();
    assertThat(VendorChoice.of(null).names()).isEmpty();
  }
}
