package dev.gridstride.jcuda;

import dev.gridstride.cuda.Cudnn;
import java.util.function.IntSupplier;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnStatus;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** cuDNN 8 through JCuda's JCudnn; loading this class loads JCuda's native library. */
final class JCudaDnn implements Cudnn {
  private final long version;

  private record Wrapped(NativePointerObject object) implements Native {}

  JCudaDnn() {
    JCudnn.setExceptionsEnabled(true); // they are off by default, and errors silent
    this.version = JCudnn.cudnnGetVersion();
  }

  private static cudnnHandle handle(Native n) {
    return (cudnnHandle) ((Wrapped) n).object();
  }

  private static cudnnTensorDescriptor tensor(Native n) {
    return (cudnnTensorDescriptor) ((Wrapped) n).object();
  }

  private static cudnnFilterDescriptor filter(Native n) {
    return (cudnnFilterDescriptor) ((Wrapped) n).object();
  }

  private static cudnnConvolutionDescriptor convolution(Native n) {
    return (cudnnConvolutionDescriptor) ((Wrapped) n).object();
  }

  private static int status(IntSupplier call) {
    return JCudaErrors.status(
        call, cudnnStatus::stringFor, cudnnStatus.CUDNN_STATUS_INTERNAL_ERROR);
  }

  private static Pointer at(Operand operand) {
    return JCudaInterop.pointer(operand.address());
  }

  @Override
  public String name() {
    return "cuDNN " + Cudnn.version(version) + " by JCuda";
  }

  @Override
  public String statusName(int status) {
    return cudnnStatus.stringFor(status);
  }

  @Override
  public String lastError() {
    return ""; // since cuDNN 9
  }

  @Override
  public int createHandle(Native[] out) {
    var handle = new cudnnHandle();
    out[0] = new Wrapped(handle);
    return status(() -> JCudnn.cudnnCreate(handle));
  }

  @Override
  public int setStream(Native handle, long stream) {
    return status(() -> JCudnn.cudnnSetStream(handle(handle), JCudaInterop.stream(stream)));
  }

  @Override
  public int create(Kind kind, Native[] out) {
    return switch (kind) {
      case TENSOR -> {
        var d = new cudnnTensorDescriptor();
        out[0] = new Wrapped(d);
        yield status(() -> JCudnn.cudnnCreateTensorDescriptor(d));
      }
      case FILTER -> {
        var d = new cudnnFilterDescriptor();
        out[0] = new Wrapped(d);
        yield status(() -> JCudnn.cudnnCreateFilterDescriptor(d));
      }
      case CONVOLUTION -> {
        var d = new cudnnConvolutionDescriptor();
        out[0] = new Wrapped(d);
        yield status(() -> JCudnn.cudnnCreateConvolutionDescriptor(d));
      }
    };
  }

  @Override
  public int destroy(Kind kind, Native d) {
    return switch (kind) {
      case TENSOR -> status(() -> JCudnn.cudnnDestroyTensorDescriptor(tensor(d)));
      case FILTER -> status(() -> JCudnn.cudnnDestroyFilterDescriptor(filter(d)));
      case CONVOLUTION -> status(() -> JCudnn.cudnnDestroyConvolutionDescriptor(convolution(d)));
    };
  }

  @Override
  public int setTensor(Native d, int type, int[] dims, int[] strides) {
    return status(
        () -> JCudnn.cudnnSetTensorNdDescriptor(tensor(d), type, dims.length, dims, strides));
  }

  @Override
  public int setFilter(Native d, int type, int format, int[] dims) {
    return status(
        () -> JCudnn.cudnnSetFilterNdDescriptor(filter(d), type, format, dims.length, dims));
  }

  @Override
  public int setConvolution(
      Native d, int[] padding, int[] strides, int[] dilations, int computeType) {
    return status(() ->
        JCudnn.cudnnSetConvolutionNdDescriptor(
            convolution(d),
            padding.length,
            padding,
            strides,
            dilations,
            CROSS_CORRELATION,
            computeType));
  }

  @Override
  public int setGroups(Native d, int groups) {
    return status(() -> JCudnn.cudnnSetConvolutionGroupCount(convolution(d), groups));
  }

  @Override
  public int setMath(Native d, int math) {
    return status(() -> JCudnn.cudnnSetConvolutionMathType(convolution(d), math));
  }

  @Override
  public int workspace(
      Native handle,
      Pass pass,
      Native first,
      Native second,
      Native convolution,
      Native result,
      int algorithm,
      long[] bytes) {
    var h = handle(handle);
    var c = convolution(convolution);
    return switch (pass) {
      case FORWARD ->
          status(() ->
              JCudnn.cudnnGetConvolutionForwardWorkspaceSize(
                  h, tensor(first), filter(second), c, tensor(result), algorithm, bytes));
      case BACKWARD_DATA ->
          status(() ->
              JCudnn.cudnnGetConvolutionBackwardDataWorkspaceSize(
                  h, filter(first), tensor(second), c, tensor(result), algorithm, bytes));
      case BACKWARD_FILTER ->
          status(() ->
              JCudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                  h, tensor(first), tensor(second), c, filter(result), algorithm, bytes));
    };
  }

  @Override
  public int convolve(
      Native handle,
      Pass pass,
      Operand first,
      Operand second,
      Native convolution,
      int algorithm,
      long workspace,
      long workspaceBytes,
      float beta,
      Operand result) {
    var h = handle(handle);
    var c = convolution(convolution);
    Pointer one = Pointer.to(new float[] {1});
    Pointer old = Pointer.to(new float[] {beta});
    Pointer work = JCudaInterop.pointer(workspace);
    Native a = first.descriptor();
    Native b = second.descriptor();
    Native r = result.descriptor();
    return switch (pass) {
      case FORWARD ->
          status(() ->
              JCudnn.cudnnConvolutionForward(
                  h,
                  one,
                  tensor(a),
                  at(first),
                  filter(b),
                  at(second),
                  c,
                  algorithm,
                  work,
                  workspaceBytes,
                  old,
                  tensor(r),
                  at(result)));
      case BACKWARD_DATA ->
          status(() ->
              JCudnn.cudnnConvolutionBackwardData(
                  h,
                  one,
                  filter(a),
                  at(first),
                  tensor(b),
                  at(second),
                  c,
                  algorithm,
                  work,
                  workspaceBytes,
                  old,
                  tensor(r),
                  at(result)));
      case BACKWARD_FILTER ->
          status(() ->
              JCudnn.cudnnConvolutionBackwardFilter(
                  h,
                  one,
                  tensor(a),
                  at(first),
                  tensor(b),
                  at(second),
                  c,
                  algorithm,
                  work,
                  workspaceBytes,
                  old,
                  filter(r),
                  at(result)));
    };
  }

  private static Pointer factor(boolean wide, double value) {
    return wide ? Pointer.to(new double[] {value}) : Pointer.to(new float[] {(float) value});
  }

  @Override
  public int softmaxForward(Native handle, int algorithm, boolean wide, Operand x, Operand y) {
    return status(() ->
        JCudnn.cudnnSoftmaxForward(
            handle(handle),
            algorithm,
            SOFTMAX_CHANNEL,
            factor(wide, 1),
            tensor(x.descriptor()),
            at(x),
            factor(wide, 0),
            tensor(y.descriptor()),
            at(y)));
  }

  @Override
  public int softmaxBackward(
      Native handle, int algorithm, boolean wide, Operand y, Operand dy, Operand dx) {
    return status(() ->
        JCudnn.cudnnSoftmaxBackward(
            handle(handle),
            algorithm,
            SOFTMAX_CHANNEL,
            factor(wide, 1),
            tensor(y.descriptor()),
            at(y),
            tensor(dy.descriptor()),
            at(dy),
            factor(wide, 0),
            tensor(dx.descriptor()),
            at(dx)));
  }
}
