package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Adadelta;
import dev.gridstride.kernels.Adagrad;
import dev.gridstride.kernels.Adam;
import dev.gridstride.kernels.GradientDescent;
import dev.gridstride.kernels.RmsProp;
import dev.gridstride.kernels.Sgd;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** Steps of the gradient descent methods by {@code gs_descent_step}. */
public final class CudaGradientDescent extends CudaKernel implements GradientDescent.Kernel {
  private static final MethodHandle STEP =
      status("gs_descent_step", HOST, HOST, I64, DEVICE, DEVICE);

  private final GradientDescent op;
  private final MemorySegment function = symbol("gs_descent_step");

  /** A kernel for {@code op}. */
  public CudaGradientDescent(GradientDescent op, Device device) {
    super(op.name(), device);
    this.op = op;
  }

  private Struct describe() {
    var s = Struct.of(Abi.DESCENT).set("type", Abi.type(op.type()));
    return switch (op) {
      case Sgd o ->
          s.set("method", Abi.SGD)
              .set("momentum", o.momentum())
              .set("dampening", o.dampening())
              .set("nesterov", o.nesterov())
              .set("weight_decay", o.weightDecay())
              .set("decoupled", o.decoupled())
              .set("maximize", o.maximize());
      case Adam o ->
          s.set("method", Abi.ADAM)
              .set("beta1", o.beta1())
              .set("beta2", o.beta2())
              .set("eps", o.eps())
              .set("weight_decay", o.weightDecay())
              .set("decoupled", o.decoupled())
              .set("amsgrad", o.amsgrad())
              .set("maximize", o.maximize());
      case RmsProp o ->
          s.set("method", Abi.RMSPROP)
              .set("beta2", o.alpha())
              .set("eps", o.eps())
              .set("weight_decay", o.weightDecay())
              .set("momentum", o.momentum())
              .set("centered", o.centered())
              .set("maximize", o.maximize());
      case Adagrad o ->
          s.set("method", Abi.ADAGRAD)
              .set("lr_decay", o.lrDecay())
              .set("eps", o.eps())
              .set("weight_decay", o.weightDecay())
              .set("maximize", o.maximize());
      case Adadelta o ->
          s.set("method", Abi.ADADELTA)
              .set("beta2", o.rho())
              .set("eps", o.eps())
              .set("weight_decay", o.weightDecay())
              .set("maximize", o.maximize());
    };
  }

  @Override
  public void step(
      Stream stream,
      List<List<Buffer>> operands,
      long step,
      double learningRate,
      double gradScale) {
    var description =
        describe().set("step", step).set("lr", learningRate).set("grad_scale", gradScale);
    step(stream, operands, description.memory(), 0);
  }

  @Override
  public void step(Stream stream, List<List<Buffer>> operands, Buffer control) {
    // number and learning rate are the block's
    var description = describe().set("step", 1L).set("grad_scale", 1.0);
    step(stream, operands, description.memory(), pointer(control));
  }

  private void step(
      Stream stream, List<List<Buffer>> operands, MemorySegment description, long control) {
    int count = operands.getFirst().size();
    var table = Struct.of(Abi.PARAMETER, count);
    for (int i = 0; i < count; i++) {
      Buffer p = operands.getFirst().get(i);
      var row =
          table
              .at(i)
              .set("p", pointer(p))
              .set("g", pointer(operands.get(1).get(i)))
              .set("count", p.bytes() / op.type().bytes());
      for (int k = 2; k < operands.size(); k++) {
        row.element("state", k - 2, pointer(operands.get(k).get(i)));
      }
    }
    MemorySegment parameters = table.memory();
    launch(
        stream,
        s -> (int) STEP.invokeExact(function, description, parameters, (long) count, control, s));
  }
}
