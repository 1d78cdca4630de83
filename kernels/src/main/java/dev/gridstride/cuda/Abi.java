package dev.gridstride.cuda;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.ArgReduce;
import dev.gridstride.kernels.Binary;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.LossReduction;
import dev.gridstride.kernels.Pad;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.Reduce;
import dev.gridstride.kernels.StepControl;
import dev.gridstride.kernels.Unary;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.Map;

/**
 * The constants and structures of {@code native/include/gridstride.h}; a test compares each with
 * the header.
 *
 * <p>Enumerations whose constants come in one order in Java and in C are passed by {@link #number};
 * the test compares those too.
 */
final class Abi {
  /** The version of the header that this binding is written for. */
  static final int VERSION = 1;

  static final int OK = 0;
  static final int INVALID_ARGUMENT = -1;
  static final int UNSUPPORTED = -2;
  static final int NOT_READY = -3;

  /** {@code cudaErrorMemoryAllocation}. */
  static final int CUDA_OUT_OF_MEMORY = 2;

  // methods of gradient descent
  static final int SGD = 0;
  static final int ADAM = 1;
  static final int RMSPROP = 2;
  static final int ADAGRAD = 3;
  static final int ADADELTA = 4;

  // methods of the matrix product
  static final int GEMM_SIMT = 1;
  static final int GEMM_MMA = 2;
  static final int GEMM_WGMMA = 3;

  // distributions of random numbers
  static final int UNIFORM = 0;
  static final int NORMAL = 1;
  static final int BERNOULLI = 2;
  static final int INTEGERS = 3;

  /** Enumerations that are passed by ordinal, with the first constant of each in C. */
  static final Map<Class<? extends Enum<?>>, String> BY_ORDINAL =
      Map.of(
          ArgReduce.Kind.class, "GS_ARG_MAX",
          Binary.Kind.class, "GS_ADD",
          Epilogue.Activation.class, "GS_IDENTITY",
          ImageLayout.class, "GS_NCHW",
          LossReduction.class, "GS_REDUCE_NONE",
          Pad.Mode.class, "GS_PAD_CONSTANT",
          Pool.Kind.class, "GS_POOL_MAX",
          Reduce.Kind.class, "GS_REDUCTION_SUM",
          Unary.Function.class, "GS_NEG");

  static final int MAX_DIMS = 8;
  static final int NAME_BYTES = 256;

  static final int LAYER_NORM = 0;
  static final int RMS_NORM = 1;
  static final int GROUP_NORM = 2;
  static final int BATCH_NORM = 3;

  static final StructLayout DEVICE_PROPERTIES =
      MemoryLayout.structLayout(
              MemoryLayout.sequenceLayout(NAME_BYTES, ValueLayout.JAVA_BYTE).withName("name"),
              i64("memory_bytes"),
              i64("shared_bytes"),
              i64("l2_bytes"),
              i32("capability_major"),
              i32("capability_minor"),
              i32("multiprocessors"),
              i32("warp_threads"),
              i32("driver_version"),
              i32("runtime_version"))
          .withName("gs_device_properties");

  static final StructLayout GEMM =
      MemoryLayout.structLayout(
              i64("m"),
              i64("n"),
              i64("k"),
              i64("lda"),
              i64("ldb"),
              i64("ldc"),
              i64("batch"),
              i64("stride_a"),
              i64("stride_b"),
              i64("stride_c"),
              i32("trans_a"),
              i32("trans_b"),
              i32("a_type"),
              i32("b_type"),
              i32("c_type"),
              i32("tf32"),
              i32("activation"),
              i32("backward"),
              i32("add_bias"),
              i32("save_aux"),
              i32("bias_gradient"),
              i32("method"),
              i32("tile"),
              i32("splits"))
          .withName("gs_gemm");

  static final StructLayout SOFTMAX =
      MemoryLayout.structLayout(i64("outer"), i64("size"), i64("inner"), i32("type"), i32("log"))
          .withName("gs_softmax");

  static final StructLayout CONV_AXIS =
      MemoryLayout.structLayout(
              i64("size"),
              i64("kernel"),
              i64("stride"),
              i64("pad_begin"),
              i64("pad_end"),
              i64("dilation"))
          .withName("gs_conv_axis");

  static final StructLayout CONV =
      MemoryLayout.structLayout(
              i32("type"),
              i32("layout"),
              i32("axes"),
              i32("relu"),
              i64("n"),
              i64("c"),
              i64("k"),
              i64("groups"),
              MemoryLayout.sequenceLayout(3, CONV_AXIS).withName("axis"))
          .withName("gs_conv");

  static final StructLayout CROSS_ENTROPY =
      MemoryLayout.structLayout(
              i64("rows"),
              i64("classes"),
              i64("inner"),
              i32("type"),
              i32("target_type"),
              f64("label_smoothing"),
              i64("ignore_index"),
              i32("reduction"),
              i32("padding"))
          .withName("gs_cross_entropy");

  static final StructLayout BINARY_LAYOUT =
      MemoryLayout.structLayout(
              i32("dims"),
              i32("padding"),
              dims("size"),
              dims("stride_a"),
              dims("stride_b"),
              dims("stride_y"))
          .withName("gs_binary_layout");

  static final StructLayout PARAMETER =
      MemoryLayout.structLayout(
              i64("p"),
              i64("g"),
              MemoryLayout.sequenceLayout(3, ValueLayout.JAVA_LONG).withName("state"),
              i64("count"))
          .withName("gs_parameter");

  static final StructLayout DESCENT =
      MemoryLayout.structLayout(
              i32("method"),
              i32("type"),
              i64("step"),
              f64("lr"),
              f64("grad_scale"),
              f64("weight_decay"),
              i32("decoupled"),
              i32("maximize"),
              f64("momentum"),
              f64("dampening"),
              f64("beta1"),
              f64("beta2"),
              f64("eps"),
              f64("lr_decay"),
              i32("nesterov"),
              i32("amsgrad"),
              i32("centered"),
              i32("padding"))
          .withName("gs_descent");

  static final StructLayout ARRAY =
      MemoryLayout.structLayout(i64("data"), i64("count")).withName("gs_array");

  static final StructLayout STEP_CONTROL = StepControl.layout().withName("gs_step_control");

  static final StructLayout LAYOUT =
      MemoryLayout.structLayout(i32("dims"), i32("padding"), dims("size"), dims("stride"))
          .withName("gs_layout");

  static final StructLayout COPY_LAYOUT =
      MemoryLayout.structLayout(
              i32("dims"), i32("padding"), dims("size"), dims("stride_x"), dims("stride_y"))
          .withName("gs_copy_layout");

  static final StructLayout RANDOM =
      MemoryLayout.structLayout(
              i64("count"),
              i32("type"),
              i32("distribution"),
              f64("a"),
              f64("b"),
              i64("low"),
              i64("high"))
          .withName("gs_random");

  static final StructLayout ATTENTION =
      MemoryLayout.structLayout(
              i64("products"),
              i64("sharing"),
              i64("queries"),
              i64("keys"),
              i64("depth"),
              i64("value_depth"),
              f64("scale"),
              i32("type"),
              i32("causal"))
          .withName("gs_attention");

  static final StructLayout NORM =
      MemoryLayout.structLayout(
              i32("kind"),
              i32("type"),
              i32("layout"),
              i32("padding"),
              i64("n"),
              i64("c"),
              i64("spatial"),
              i64("groups"),
              f64("eps"))
          .withName("gs_norm");

  static final StructLayout POOL_AXIS =
      MemoryLayout.structLayout(
              i64("size"),
              i64("kernel"),
              i64("stride"),
              i64("pad_begin"),
              i64("pad_end"),
              i64("dilation"),
              i32("ceil"),
              i32("padding"))
          .withName("gs_pool_axis");

  static final StructLayout POOL =
      MemoryLayout.structLayout(
              i32("kind"),
              i32("type"),
              i32("layout"),
              i32("axes"),
              i64("n"),
              i64("c"),
              MemoryLayout.sequenceLayout(3, POOL_AXIS).withName("axis"),
              i32("count_include_pad"),
              i32("padding"))
          .withName("gs_pool");

  static final StructLayout REDUCE =
      MemoryLayout.structLayout(
              i32("kind"), i32("type"), i32("axes"), i32("padding"), LAYOUT.withName("x"))
          .withName("gs_reduce");

  static final StructLayout GATHER =
      MemoryLayout.structLayout(
              i64("outer"),
              i64("size"),
              i64("inner"),
              i64("count"),
              i32("type"),
              i32("index_type"),
              i32("from_end"),
              i32("padding"))
          .withName("gs_gather");

  static final StructLayout GATHER_ELEMENTS =
      MemoryLayout.structLayout(
              i32("type"),
              i32("index_type"),
              i32("from_end"),
              i32("dims"),
              i32("axis"),
              i32("padding"),
              dims("size_x"),
              dims("size_index"))
          .withName("gs_gather_elements");

  static final StructLayout WHERE_LAYOUT =
      MemoryLayout.structLayout(
              i32("dims"),
              i32("padding"),
              dims("size"),
              dims("stride_condition"),
              dims("stride_a"),
              dims("stride_b"),
              dims("stride_y"))
          .withName("gs_where_layout");

  static final StructLayout PAD =
      MemoryLayout.structLayout(
              i32("mode"),
              i32("type"),
              i32("dims"),
              i32("padding"),
              dims("size"),
              dims("before"),
              dims("after"),
              f64("value"))
          .withName("gs_pad");

  static final StructLayout ARG_REDUCE =
      MemoryLayout.structLayout(
              i32("kind"), i32("type"), i32("axis"), i32("last"), LAYOUT.withName("x"))
          .withName("gs_arg_reduce");

  static final StructLayout TOP_K =
      MemoryLayout.structLayout(
              i32("type"),
              i32("axis"),
              i32("largest"),
              i32("padding"),
              i64("k"),
              LAYOUT.withName("x"))
          .withName("gs_top_k");

  private Abi() {}

  private static MemoryLayout i32(String name) {
    return ValueLayout.JAVA_INT.withName(name);
  }

  private static MemoryLayout i64(String name) {
    return ValueLayout.JAVA_LONG.withName(name);
  }

  private static MemoryLayout f64(String name) {
    return ValueLayout.JAVA_DOUBLE.withName(name);
  }

  private static MemoryLayout dims(String name) {
    return MemoryLayout.sequenceLayout(MAX_DIMS, ValueLayout.JAVA_LONG).withName(name);
  }

  /** The number of a constant of one of {@link #BY_ORDINAL}. */
  static int number(Enum<?> constant) {
    if (!BY_ORDINAL.containsKey(constant.getDeclaringClass())) {
      throw new AssertionError("not compared with the header: " + constant.getDeclaringClass());
    }
    return constant.ordinal();
  }

  /** The number of an element type. */
  static int type(DType type) {
    return switch (type) {
      case F32 -> 0;
      case F64 -> 1;
      case BF16 -> 2;
      case F16 -> 3;
      case I32 -> 4;
      case I64 -> 5;
      case BOOL -> 6;
      case U8 -> 7;
    };
  }
}
