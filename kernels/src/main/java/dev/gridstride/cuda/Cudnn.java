package dev.gridstride.cuda;

import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's cuDNN as one binding offers it: each method is one call and returns its status. {@link
 * CudnnSession} makes exceptions and lifetimes of them. Constants and signatures are those of
 * NVIDIA's public documentation (cudnn_graph.h, cudnn_ops.h, cudnn_cnn.h; cuDNN 8 has the same).
 */
public interface Cudnn {
  // cudnnDataType_t
  int FLOAT = 0;
  int DOUBLE = 1;
  int HALF = 2;
  int BFLOAT16 = 9;

  // cudnnTensorFormat_t
  int NCHW = 0;
  int NHWC = 1;

  // cudnnMathType_t
  int TENSOR_OP_MATH = 1;
  int FMA_MATH = 3;

  /** cudnnConvolutionMode_t: what neural networks mean by a convolution. */
  int CROSS_CORRELATION = 1;

  // cudnnSoftmaxAlgorithm_t, cudnnSoftmaxMode_t
  int SOFTMAX_ACCURATE = 1;
  int SOFTMAX_LOG = 2;
  int SOFTMAX_CHANNEL = 1;

  /**
   * What was found.
   *
   * @param library the library; null when there is none that can be used
   * @param reason why there is none
   */
  record Found(@Nullable Cudnn library, String reason) {}

  /** A handle or descriptor, as the binding holds it. */
  interface Native {}

  /** A descriptor and the device memory that it describes. */
  record Operand(Native descriptor, long address) {}

  /** The kinds of descriptors. */
  enum Kind {
    /** Of images. */
    TENSOR("Tensor"),
    /** Of filters. */
    FILTER("Filter"),
    /** Of how windows lie. */
    CONVOLUTION("Convolution");

    private final String noun;

    Kind(String noun) {
      this.noun = noun;
    }

    /** The function that makes one. */
    public String create() {
      return "cudnnCreate" + noun + "Descriptor";
    }

    /** The function that frees one. */
    public String destroy() {
      return "cudnnDestroy" + noun + "Descriptor";
    }
  }

  /** The passes of a convolution, whose functions take the same arguments in the same order. */
  enum Pass {
    /** y from x and w. */
    FORWARD("Forward"),
    /** dx from w and dy. */
    BACKWARD_DATA("BackwardData"),
    /** dw from x and dy. */
    BACKWARD_FILTER("BackwardFilter");

    private final String noun;

    Pass(String noun) {
      this.noun = noun;
    }

    /** The function that runs it. */
    public String run() {
      return "cudnnConvolution" + noun;
    }

    /** The function that says which workspace it needs. */
    public String workspace() {
      return "cudnnGetConvolution" + noun + "WorkspaceSize";
    }
  }

  /** As {@code cuDNN 9.24.0}. */
  String name();

  /** Whether a status says that the library can't do what was asked, rightly put as it may be. */
  static boolean isUnsupported(int status) {
    return status == 9 || (status >= 3000 && status < 4000); // of 8, of 9
  }

  /** Whether a status says that memory ran out. */
  static boolean isOutOfMemory(int status) {
    return status == 2 || status == 4003 || status == 4004; // of 8, of 9
  }

  /** {@code 9.24.0} of what cudnnGetVersion returns. */
  static String version(long number) {
    // 10000 major + 100 minor + patch; before 9 the major counted 1000
    long major = number >= 90000 ? number / 10000 : number / 1000;
    long rest = number >= 90000 ? number % 10000 : number % 1000;
    return major + "." + rest / 100 + "." + rest % 100;
  }

  /**
   * Why cuDNN 8 and its parts are not all found by the loader's search, for a binding that loads it
   * by itself; empty when they are.
   */
  static String missingParts() {
    return CudnnLibrary.missingParts();
  }

  /** The name of a status. */
  String statusName(int status);

  /** What the library says of the thread's last error beyond its status; may be empty. */
  String lastError();

  /** Writes a new handle on the current device to {@code out[0]}. */
  int createHandle(Native[] out);

  /** From now on the handle's calls go to a stream. */
  int setStream(Native handle, long stream);

  /** Writes a new descriptor to {@code out[0]}. */
  int create(Kind kind, Native[] out);

  /** Frees a descriptor. */
  int destroy(Kind kind, Native descriptor);

  /** cudnnSetTensorNdDescriptor. */
  int setTensor(Native descriptor, int type, int[] dims, int[] strides);

  /** cudnnSetFilterNdDescriptor. */
  int setFilter(Native descriptor, int type, int format, int[] dims);

  /** cudnnSetConvolutionNdDescriptor, for a cross-correlation. */
  int setConvolution(
      Native descriptor, int[] padding, int[] strides, int[] dilations, int computeType);

  /** cudnnSetConvolutionGroupCount. */
  int setGroups(Native descriptor, int groups);

  /** cudnnSetConvolutionMathType. */
  int setMath(Native descriptor, int math);

  /** Writes the bytes that a pass needs to {@code bytes[0]}. */
  int workspace(
      Native handle,
      Pass pass,
      Native first,
      Native second,
      Native convolution,
      Native result,
      int algorithm,
      long[] bytes);

  /** Queues {@code result = pass(first, second) + beta * result}. */
  int convolve(
      Native handle,
      Pass pass,
      Operand first,
      Operand second,
      Native convolution,
      int algorithm,
      long workspace,
      long workspaceBytes,
      float beta,
      Operand result);

  /**
   * cudnnSoftmaxForward over channels; y may be x.
   *
   * @param wide whether the operands are f64, which makes its factors f64
   */
  int softmaxForward(Native handle, int algorithm, boolean wide, Operand x, Operand y);

  /** cudnnSoftmaxBackward over channels; dx may be dy. */
  int softmaxBackward(
      Native handle, int algorithm, boolean wide, Operand y, Operand dy, Operand dx);
}
