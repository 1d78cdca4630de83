package dev.gridstride.nn;

import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import java.util.function.UnaryOperator;

/** What encoder and decoder layers share: how a part is added, and the network for each place. */
final class TransformerParts {
  final Linear linear1;
  final Linear linear2;
  private final Dropout dropout;
  private final TransformerOptions options;

  TransformerParts(Device device, Generator g, long embed, TransformerOptions options) {
    this.options = options;
    linear1 = new Linear(device, g, embed, options.hidden());
    linear2 = new Linear(device, g, options.hidden(), embed);
    dropout = new Dropout(g, options.dropout());
  }

  /** {@code x + part(norm(x))}, or {@code norm(x + part(x))}, with dropout of the part's result. */
  Tensor add(Tensor x, LayerNorm norm, UnaryOperator<Tensor> part, boolean training) {
    if (options.normFirst()) {
      return x.add(dropped(part.apply(norm.forward(x)), training));
    }
    return norm.forward(x.add(dropped(part.apply(x), training)));
  }

  /** The network. */
  Tensor network(Tensor x, boolean training) {
    Tensor hidden = options.activation().apply(linear1.forward(x));
    return linear2.forward(dropped(hidden, training));
  }

  private Tensor dropped(Tensor x, boolean training) {
    return training && options.dropout() > 0 ? dropout.forward(x) : x;
  }
}
