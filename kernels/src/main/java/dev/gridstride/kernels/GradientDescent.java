package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuGradientDescent;
import dev.gridstride.cuda.CudaGradientDescent;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One step of a gradient descent method over any number of parameters at once.
 *
 * <p>Each record describes a method by the update of one element p with gradient g and state
 * variables of p's shape and type. The formulas are those of PyTorch's {@code torch.optim} classes.
 * In all of them g is first multiplied by the run's {@code gradScale} and, with {@code maximize},
 * by -1; {@code weightDecay} is coupled ({@code g += weightDecay * p}) unless the record says
 * otherwise.
 *
 * <p>f32 parameters are computed in f32, with factors that depend only on step and learning rate
 * rounded from f64; f64 in f64. NaN gradients spread to the parameter and its state. Elements are
 * independent, hence the same bits for any number of threads.
 */
public sealed interface GradientDescent extends Op<GradientDescent.Plan>
    permits Sgd, Adam, RmsProp, Adagrad, Adadelta {
  /** Type of parameters, gradients and state: f32 or f64. */
  DType type();

  /** Names of the state variables, in the order in which a run takes them. */
  List<String> states();

  @Override
  default Support supports(Device device) {
    return Plan.IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  default Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** Refuses a type that is neither f32 nor f64. */
  static void checkType(String op, DType type) {
    if (type != DType.F32 && type != DType.F64) {
      throw InvalidArgumentException.of(op, "type", "must be f32 or f64", "type=%s", type);
    }
  }

  /** Refuses an option that is not in {@code low..high}. */
  static void checkOption(String op, String option, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      throw InvalidArgumentException.of(
          op, option, "must be in [" + low + ", " + high + "]", "%s=%s", option, value);
    }
  }

  /** What a backend implements; operands are checked and pinned. */
  interface Kernel extends DeviceKernel {
    /**
     * One step.
     *
     * @param operands parameters, gradients, then each state variable; all of equal length, buffers
     *     of one index of equal size
     */
    void step(
        Stream stream,
        List<List<Buffer>> operands,
        long step,
        double learningRate,
        double gradScale);

    /** One step whose number, learning rate and gradScale are in a control block, or none. */
    void step(Stream stream, List<List<Buffer>> operands, Buffer control);
  }

  /** A method that can be run. */
  final class Plan extends OpPlan<GradientDescent, Kernel> {
    private static final Implementations<GradientDescent, Kernel> IMPLEMENTATIONS =
        Implementations.of(
            Implementation.cpu("multi-tensor", CpuGradientDescent::new),
            Implementation.cuda("cuda", CudaGradientDescent::new));

    /**
     * Address and size of all operands that were checked last, the control block at the end. The
     * checks depend on nothing else, and take longer than the step of many small parameters.
     */
    private volatile long[] checked = {};

    private Plan(GradientDescent op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * Updates all parameters in place.
     *
     * @param params parameters of any sizes; none may share memory with another, with a gradient or
     *     with a state variable
     * @param grads the gradient of each parameter, of its size; not changed
     * @param states for each of {@link GradientDescent#states}, a buffer for each parameter, of its
     *     size, zeroed before the first step
     * @param step number of the step, from 1
     * @param learningRate lr in the formulas
     * @param gradScale factor of every gradient, 1 for none (clipping, loss scaling)
     */
    public void step(
        Stream stream,
        List<Buffer> params,
        List<Buffer> grads,
        List<List<Buffer>> states,
        long step,
        double learningRate,
        double gradScale) {
      checkStream(stream);
      if (step < 1) {
        throw InvalidArgumentException.of(op.name(), "step", "must be at least 1", "step=%d", step);
      }
      List<List<Buffer>> operands = operands(params, grads, states, null);
      Buffer[] all = all(operands, null);
      Pins.pinAll(op.name(), all);
      try {
        kernel.step(stream, operands, step, learningRate, gradScale);
      } finally {
        Pins.unpinAll(all);
      }
    }

    /**
     * Updates all parameters in place by what a control block on the device says: the number of the
     * step, the learning rate, a factor of every gradient, and whether to change nothing.
     *
     * @param params as in the other form, with grads and states
     * @param control shares no memory with them; not changed, so that several steps may take it
     */
    public void step(
        Stream stream,
        List<Buffer> params,
        List<Buffer> grads,
        List<List<Buffer>> states,
        StepControl control) {
      checkStream(stream);
      List<List<Buffer>> operands = operands(params, grads, states, control);
      Buffer[] all = all(operands, control);
      Pins.pinAll(op.name(), all);
      try {
        kernel.step(stream, operands, control.buffer());
      } finally {
        Pins.unpinAll(all);
      }
    }

    /** All lists, checked, in the kernel's order. */
    private List<List<Buffer>> operands(
        List<Buffer> params,
        List<Buffer> grads,
        List<List<Buffer>> states,
        @Nullable StepControl control) {
      if (states.size() != op.states().size()) {
        throw InvalidArgumentException.of(
            op.name(),
            "states",
            "must have a list for each of " + op.states(),
            "states.size=%d",
            states.size());
      }
      var operands = new ArrayList<List<Buffer>>(2 + states.size());
      operands.add(params);
      operands.add(grads);
      operands.addAll(states);
      if (!areKnown(operands, control)) {
        check(operands, control);
      }
      return operands;
    }

    /** Whether all operands are open and have the places that were checked last. */
    private boolean areKnown(List<List<Buffer>> operands, @Nullable StepControl control) {
      long[] places = checked;
      int count = operands.get(0).size();
      if (places.length != 2 * (count * operands.size() + (control == null ? 0 : 1))) {
        return false;
      }
      int at = 0;
      for (int k = 0; k < operands.size(); k++) {
        List<Buffer> list = operands.get(k);
        if (list.size() != count) {
          return false;
        }
        for (int i = 0; i < count; i++, at += 2) {
          if (!isAt(list.get(i), places, at)) {
            return false;
          }
        }
      }
      return control == null || isAt(control.buffer(), places, at);
    }

    private boolean isAt(@Nullable Buffer b, long[] places, int at) {
      return b != null
          && b.isOpen()
          && b.devicePointer() == places[at]
          && b.bytes() == places[at + 1]
          && b.device().equals(device());
    }

    private void check(List<List<Buffer>> operands, @Nullable StepControl control) {
      var named = new ArrayList<Named>();
      List<Buffer> params = operands.get(0);
      for (int k = 0; k < operands.size(); k++) {
        String name = k == 0 ? "params" : k == 1 ? "grads" : op.states().get(k - 2);
        checkList(name, operands.get(k), params);
        for (int i = 0; i < params.size(); i++) {
          named.add(new Named(name, i, k != 1, operands.get(k).get(i)));
        }
      }
      if (control != null) {
        Buffer block = control.buffer();
        check("control", block, DType.U8, StepControl.layout().byteSize());
        named.add(new Named("control", 0, false, block));
      }
      checkApart(named);
      var places = new long[2 * named.size()];
      for (int i = 0; i < named.size(); i++) {
        places[2 * i] = named.get(i).start();
        places[2 * i + 1] = named.get(i).buffer.bytes();
      }
      checked = places;
    }

    private static Buffer[] all(List<List<Buffer>> operands, @Nullable StepControl control) {
      int count = operands.get(0).size();
      var all = new Buffer[count * operands.size() + (control == null ? 0 : 1)];
      for (int k = 0; k < operands.size(); k++) {
        for (int i = 0; i < count; i++) {
          all[k * count + i] = operands.get(k).get(i);
        }
      }
      if (control != null) {
        all[all.length - 1] = control.buffer();
      }
      return all;
    }

    private record Named(String list, int index, boolean written, Buffer buffer) {
      long start() {
        return buffer.devicePointer();
      }

      long end() {
        return start() + buffer.bytes();
      }

      @Override
      public String toString() {
        return list + "[" + index + "]";
      }
    }

    private void checkList(String name, List<Buffer> list, List<Buffer> params) {
      if (list.size() != params.size()) {
        throw InvalidArgumentException.of(
            op.name(),
            name,
            "must have one buffer for each parameter",
            "params.size=%d, %s.size=%d",
            params.size(),
            name,
            list.size());
      }
      for (int i = 0; i < list.size(); i++) {
        check(name, list.get(i), op.type(), 0);
        long bytes = params.get(i).bytes();
        if (list.get(i).bytes() != bytes || bytes % op.type().bytes() != 0) {
          throw InvalidArgumentException.of(
              op.name(),
              name + "[" + i + "]",
              "must have the parameter's size, a multiple of the element size",
              "params[%d] bytes=%d, %s[%d] bytes=%d",
              i,
              bytes,
              name,
              i,
              list.get(i).bytes());
        }
      }
    }

    /** What is written shares memory with nothing; gradients may share among themselves. */
    private void checkApart(List<Named> named) {
      var sorted = new ArrayList<>(named);
      sorted.removeIf(n -> n.buffer.bytes() == 0);
      sorted.sort(Comparator.comparingLong(Named::start));
      Named lastWritten = null;
      Named last = null;
      for (Named n : sorted) {
        Named before = n.written ? last : lastWritten;
        if (before != null && n.start() < before.end()) {
          throw InvalidArgumentException.of(
              op.name(),
              before.list,
              "must each be listed once and share no memory",
              "%s and %s overlap",
              before,
              n);
        }
        last = last == null || n.end() > last.end() ? n : last;
        if (n.written) {
          lastWritten = lastWritten == null || n.end() > lastWritten.end() ? n : lastWritten;
        }
      }
    }
  }
}
