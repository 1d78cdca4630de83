package dev.gridstride.bench.bytedeco;

import dev.gridstride.bench.Case;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The works as TorchScript: {@code setup} takes the operands and gives the tensors that {@code run}
 * works on, {@code run} does the work n times and gives the results. Functions that write into an
 * existing tensor are repeated inside the script, so that no call from Java is measured; pure ones
 * are called once at a time, since PyTorch merges equal ones.
 *
 * @param source both functions
 * @param results names of the results of {@code run}, in order
 * @param repeats whether {@code run} repeats by itself
 */
record Scripts(String source, List<String> results, boolean repeats) {
  private static final Map<String, String> ELEMENTWISE =
      Map.of(
          "add", "torch.add(t[0], t[1], out=t[2])",
          "add-row", "torch.add(t[0], t[1], out=t[2])",
          "mul-column", "torch.mul(t[0], t[1], out=t[2])",
          "relu", "torch.clamp_min(t[0], 0, out=t[1])",
          "exp", "torch.exp(t[0], out=t[1])",
          "tanh", "torch.tanh(t[0], out=t[1])",
          "gelu", "torch.gelu(t[0], approximate='none', out=t[1])");

  private static final Map<String, String> REDUCE =
      Map.of(
          "sum-rows", "torch.sum(t[0], [1], out=t[1])",
          "sum-columns", "torch.sum(t[0], [0], out=t[1])",
          "sum-all", "torch.sum(t[0], [0, 1], out=t[1])",
          "max-rows", "torch.amax(t[0], [1], out=t[1])");

  /**
   * The script of a case, null where PyTorch is used in another way or not at all.
   *
   * @param lastChannels whether images have channels last
   */
  static @Nullable Scripts of(Case c, boolean lastChannels) {
    return switch (c.family()) {
      case "gemm" -> gemm(c);
      case "conv" -> conv(c, lastChannels);
      case "softmax" -> softmax(c);
      case "cross-entropy" -> crossEntropy();
      case "layer-norm" -> layerNorm(c);
      case "batch-norm" -> batchNorm(c);
      case "optimizer" -> optimizer(c);
      case "reduce" ->
          inPlace("x: Tensor", "[x, torch.zeros([0])]", REDUCE.get(c.op()), "y", "t[1]");
      case "elementwise" -> elementwise(c);
      default -> null;
    };
  }

  /** One statement that writes into a tensor, repeated. */
  private static Scripts inPlace(
      String operands, String setup, @Nullable String work, String result, String at) {
    return new Scripts(
        """
        def setup(%s) -> List[Tensor]:
            return %s
        def run(t: List[Tensor], n: int) -> List[Tensor]:
            for i in range(n):
                %s
            return [%s]
        """
            .formatted(operands, setup, work, at),
        List.of(result),
        true);
  }

  private static Scripts gemm(Case c) {
    int type = c.dtype().equals("f64") ? 7 : c.dtype().equals("bf16") ? 15 : 6;
    boolean batched = c.shape().chars().filter(x -> x == 'x').count() == 3;
    String a = c.op().endsWith("-tn") ? ".transpose(1, 2)" : "";
    String b = c.op().endsWith("-nt") ? ".transpose(1, 2)" : "";
    String one = batched ? "" : "[0]";
    return inPlace(
        "a: Tensor, b: Tensor",
        "[a.to(%d)%s%s, b.to(%d)%s%s, torch.bmm(a%s, b%s).to(%d)%s]"
            .formatted(type, a, one, type, b, one, a, b, type, one),
        batched ? "torch.bmm(t[0], t[1], out=t[2])" : "torch.mm(t[0], t[1], out=t[2])",
        "c",
        "t[2]");
  }

  private static Scripts conv(Case c, boolean last) {
    String[] s = c.shape().split("x");
    String groups = s.length > 7 ? s[7] : "1";
    String geometry = "[%s, %s], [%s, %s], [1, 1]".formatted(s[5], s[5], s[6], s[6]);
    String format = last ? ".contiguous(memory_format=2)" : "";
    String backward =
        "torch.convolution_backward(t[0], t[1], t[2], None, "
            + geometry
            + ", False, [0, 0], "
            + groups
            + ", [%s, %s, False])[%d]";
    return switch (c.op()) {
      case "forward" ->
          pure(
              "x: Tensor, w: Tensor",
              "[x%s, w%s]".formatted(format, format),
              "torch.conv2d(t[0], t[1], None, " + geometry + ", " + groups + ")",
              "y");
      case "backward-data" ->
          pure(
              "dy: Tensor, w: Tensor",
              "[dy%s, torch.zeros([%s, %s, %s, %s])%s, w%s]"
                  .formatted(format, s[0], s[1], s[2], s[2], format, format),
              backward.formatted("True", "False", 0),
              "dx");
      default ->
          pure(
              "x: Tensor, dy: Tensor",
              "[dy%s, x%s, torch.zeros([%s, %d, %s, %s])%s]"
                  .formatted(
                      format,
                      format,
                      s[3],
                      Integer.parseInt(s[1]) / Integer.parseInt(groups),
                      s[4],
                      s[4],
                      format),
              backward.formatted("False", "True", 1),
              "dw");
    };
  }

  private static Scripts pure(String operands, String setup, String work, String result) {
    return new Scripts(
        """
        def setup(%s) -> List[Tensor]:
            return %s
        def run(t: List[Tensor], n: int) -> List[Tensor]:
            return [%s]
        """
            .formatted(operands, setup, work),
        List.of(result),
        false);
  }

  private static Scripts softmax(Case c) {
    return switch (c.op()) {
      case "forward" ->
          inPlace(
              "x: Tensor",
              "[x, torch.zeros_like(x)]",
              "torch.softmax(t[0], 1, out=t[1])",
              "y",
              "t[1]");
      case "log-forward" ->
          inPlace(
              "x: Tensor",
              "[x, torch.zeros_like(x)]",
              "torch.log_softmax(t[0], 1, out=t[1])",
              "y",
              "t[1]");
      default ->
          inPlace(
              "y: Tensor, dy: Tensor",
              "[y, dy, torch.zeros_like(y)]",
              "torch._softmax_backward_data(t[1], t[0], 1, 6, grad_input=t[2])",
              "dx",
              "t[2]");
    };
  }

  /** The functions that {@code cross_entropy(x, t).backward()} calls, without the tape. */
  private static Scripts crossEntropy() {
    return new Scripts(
        """
        def setup(logits: Tensor, targets: Tensor) -> List[Tensor]:
            return [logits, targets, torch.ones([])]
        def run(t: List[Tensor], n: int) -> List[Tensor]:
            y = torch.log_softmax(t[0], 1)
            loss, weight = torch.nll_loss_forward(y, t[1], None, 1, -100)
            dy = torch.nll_loss_backward(t[2], y, t[1], None, 1, -100, weight)
            return [torch._log_softmax_backward_data(dy, y, 1, 6), loss]
        """,
        List.of("dlogits", "loss"),
        false);
  }

  private static Scripts layerNorm(Case c) {
    String cols = c.shape().split("x")[1];
    String forward = "torch.native_layer_norm(x, [" + cols + "], gamma, beta, 1e-5)";
    if (c.op().equals("forward")) {
      return pure(
          "x: Tensor, gamma: Tensor, beta: Tensor",
          "[x, gamma, beta]",
          "torch.native_layer_norm(t[0], [" + cols + "], t[1], t[2], 1e-5)[0]",
          "y");
    }
    return backward(
        """
        def setup(x: Tensor, gamma: Tensor, beta: Tensor, dy: Tensor) -> List[Tensor]:
            y, mean, rstd = %s
            return [dy, x, mean, rstd, gamma, beta]
        def run(t: List[Tensor], n: int) -> List[Tensor]:
            dx, dgamma, dbeta = torch.native_layer_norm_backward(
                t[0], t[1], [%s], t[2], t[3], t[4], t[5], [True, True, True])
            return [dx, dgamma, dbeta]
        """
            .formatted(forward, cols));
  }

  private static Scripts backward(String source) {
    return new Scripts(source, List.of("dx", "dgamma", "dbeta"), false);
  }

  private static Scripts batchNorm(Case c) {
    int size = Integer.parseInt(c.shape().split("x")[2]);
    boolean last = c.op().endsWith("nhwc");
    // a view with channels second; channels last stay last in memory
    String image =
        last
            ? ".unflatten(1, [%d, %d]).permute([0, 3, 1, 2])".formatted(size, size)
            : ".unflatten(2, [%d, %d])".formatted(size, size);
    String back = last ? ".permute([0, 2, 3, 1])" : "";
    String norm = "torch.native_batch_norm(%s, None, None, True, 0.1, 1e-5)";
    if (c.op().startsWith("forward")) {
      return pure(
          "x: Tensor, gamma: Tensor, beta: Tensor",
          "[x" + image + ", gamma, beta]",
          norm.formatted("t[0], t[1], t[2]") + "[0]" + back,
          "y");
    }
    return backward(
        """
        def setup(x: Tensor, gamma: Tensor, beta: Tensor, dy: Tensor) -> List[Tensor]:
            y, mean, rstd = %s
            return [dy%s, x%s, gamma, mean, rstd]
        def run(t: List[Tensor], n: int) -> List[Tensor]:
            dx, dgamma, dbeta = torch.native_batch_norm_backward(
                t[0], t[1], t[2], None, None, t[3], t[4], True, 1e-5, [True, True, True])
            return [dx%s, dgamma, dbeta]
        """
            .formatted(norm.formatted("x" + image + ", gamma, beta"), image, image, back));
  }

  private static Scripts elementwise(Case c) {
    boolean two = ELEMENTWISE.getOrDefault(c.op(), "").contains("t[2]");
    return inPlace(
        two ? "a: Tensor, b: Tensor" : "a: Tensor",
        two ? "[a, b, torch.zeros_like(a)]" : "[a, torch.zeros_like(a)]",
        ELEMENTWISE.get(c.op()),
        "y",
        two ? "t[2]" : "t[1]");
  }

  /** The fused optimizers over lists of tensors; parameters and gradients alternate. */
  private static Scripts optimizer(Case c) {
    int tensors = Integer.parseInt(c.shape().split("x")[0]);
    var names = new java.util.ArrayList<String>();
    var operands = new java.util.ArrayList<String>();
    for (int t = 0; t < tensors; t++) {
      operands.add("p" + t);
      operands.add("g" + t);
      names.add("p" + t);
    }
    String adam =
        "lr=0.001, beta1=0.9, beta2=0.999, weight_decay=%s, eps=1e-8, amsgrad=False,"
            + " maximize=False";
    String work =
        switch (c.op()) {
          case "adam" -> "torch._fused_adam_(p, g, m, v, [], s, " + adam.formatted("0.0") + ")";
          case "adamw" -> "torch._fused_adamw_(p, g, m, v, [], s, " + adam.formatted("0.01") + ")";
          default ->
              "torch._fused_sgd_(p, g, m, weight_decay=0.0, momentum=0.9, lr=0.001, dampening=0.0,"
                  + " nesterov=False, maximize=False, is_first_step=False)";
        };
    boolean steps = !c.op().startsWith("sgd");
    String source =
        String.format(
            Locale.ROOT,
            """
            def setup(%s) -> List[Tensor]:
                p = [%s]
                g = [%s]
                m = [torch.zeros_like(x) for x in p]
                v = [torch.zeros_like(x) for x in g]
                s = torch.zeros([%d]).unbind(0)
                return p + g + m + v + s
            def run(t: List[Tensor], n: int) -> List[Tensor]:
                p = t[0:%d]
                g = t[%d:%d]
                m = t[%d:%d]
                v = t[%d:%d]
                s = t[%d:%d]
                for i in range(n):
                    %s
                    %s
                return p
            """,
            String.join(", ", operands.stream().map(o -> o + ": Tensor").toList()),
            String.join(", ", names.stream().map(p -> p + ".clone()").toList()),
            String.join(", ", names.stream().map(p -> "g" + p.substring(1)).toList()),
            tensors,
            tensors,
            tensors,
            2 * tensors,
            2 * tensors,
            3 * tensors,
            3 * tensors,
            4 * tensors,
            4 * tensors,
            5 * tensors,
            steps ? "torch._foreach_add_(s, 1)" : "pass",
            work);
    return new Scripts(source, names, true);
  }
}
