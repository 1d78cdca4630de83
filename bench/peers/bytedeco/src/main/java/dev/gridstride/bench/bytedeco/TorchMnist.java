package dev.gridstride.bench.bytedeco;

import dev.gridstride.bench.Contender;
import dev.gridstride.bench.Problem;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A training step of the MNIST network in PyTorch's C++ API. */
final class TorchMnist implements Contender {
  private static final long[] ONE = {1, 1};
  private static final long[] TWO = {2, 2};
  private static final long[] NONE = {0, 0};

  private final Map<String, Tensor> w = new LinkedHashMap<>();
  private final Map<String, Tensor> initial = new LinkedHashMap<>();
  private final Tensor x;
  private final Tensor labels;
  private final SGD sgd;
  private double loss;

  TorchMnist(Problem p, boolean lastChannels) {
    var format = lastChannels ? torch.MemoryFormat.ChannelsLast : torch.MemoryFormat.Contiguous;
    x = PyTorch.tensor(p, "x").contiguous(format);
    labels = PyTorch.tensor(p, "labels");
    for (String name : p.inputs()) {
      if (name.startsWith("w") || name.startsWith("b")) {
        Tensor t = PyTorch.tensor(p, name);
        initial.put(name, t.clone());
        Tensor own = t.dim() == 4 ? t.contiguous(format) : t;
        w.put(name, own.set_requires_grad(true));
      }
    }
    sgd = new SGD(new TensorVector(w.values().toArray(new Tensor[0])), new SGDOptions(0.01));
  }

  private Tensor w(String name) {
    return Objects.requireNonNull(w.get(name));
  }

  /** Sets the parameters to what they were at first. */
  void reset() {
    try (var guard = new NoGradGuard()) {
      w.forEach((name, t) -> t.copy_(Objects.requireNonNull(initial.get(name))));
    }
  }

  @Override
  public void run() {
    try (var scope = new PointerScope()) {
      sgd.zero_grad();
      Tensor h = torch.conv2d(x, w("w1"), new TensorOptional(w("b1")), ONE, NONE, ONE, 1);
      h = torch.conv2d(torch.relu(h), w("w2"), new TensorOptional(w("b2")), ONE, NONE, ONE, 1);
      h = torch.max_pool2d(torch.relu(h), TWO, TWO, NONE, ONE, false);
      h = torch.linear(torch.flatten(h, 1, -1), w("w3"), new TensorOptional(w("b3")));
      h = torch.linear(torch.relu(h), w("w4"), new TensorOptional(w("b4")));
      Tensor result = torch.cross_entropy_loss(h, labels);
      result.backward();
      sgd.step();
      loss = result.item().toDouble();
    }
  }

  @Override
  public double[] result(String name) {
    return name.equals("loss") ? new double[] {loss} : PyTorch.numbers(w(name));
  }
}
