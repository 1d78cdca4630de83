package dev.gridstride.optim;

import dev.gridstride.Tensor;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.StepControl;
import java.util.ArrayList;
import java.util.List;

/**
 * What one multi-tensor step works on: the buffers of those parameters that have a gradient. All
 * are of one device and options.
 */
final class StepOperands {
  final List<Buffer> params = new ArrayList<>();
  final List<Buffer> grads = new ArrayList<>();
  final List<List<Buffer>> states = new ArrayList<>();
  private final List<Optimizer.Slot> slots = new ArrayList<>();

  StepOperands(List<Optimizer.Slot> of) {
    for (Optimizer.Slot s : of) {
      Tensor grad = s.parameter.grad();
      if (grad == null) {
        continue;
      }
      slots.add(s);
      params.add(s.parameter.buffer());
      grads.add(grad.contiguous().buffer());
      for (int k = 0; k < s.state.size(); k++) {
        if (k == states.size()) {
          states.add(new ArrayList<>());
        }
        states.get(k).add(s.state.get(k).buffer());
      }
    }
  }

  /** One step by what the control block says. */
  void step(StepControl control) {
    if (!slots.isEmpty()) {
      Optimizer.Slot first = slots.getFirst();
      Device device = first.parameter.device();
      device.plan(first.op).step(device.defaultStream(), params, grads, states, control);
      slots.forEach(s -> s.parameter.changed());
    }
  }
}
