package dev.gridstride.jcuda;

import dev.gridstride.cuda.Cublas;
import dev.gridstride.cuda.CublasGemm;
import dev.gridstride.cuda.Cudnn;
import dev.gridstride.cuda.CudnnConv;
import dev.gridstride.cuda.CudnnSoftmax;
import dev.gridstride.cuda.VendorChoice;
import dev.gridstride.cuda.VendorSupport;
import dev.gridstride.device.Device;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.Gemm;
import dev.gridstride.kernels.Softmax;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products by JCublas2, convolutions and softmax by JCudnn: the implementations {@code
 * jcublas} and {@code jcudnn} of these ops.
 *
 * <p>JCuda's classes and native libraries are touched only where {@code -Dgridstride.vendor} names
 * an implementation, since loading them copies files to the folder for temporary files, and JCuda
 * takes one that lies there already. Its exceptions are switched on then, for the whole program.
 *
 * <p>JCublas2 12 takes cuBLAS 12, JCudnn cuDNN 8. The last JCudnn is 11.7.0 and looks for its
 * native library under JCuda's version: beside JCuda 12.6.0 it takes a copy of {@code
 * libJCudnn-11.7.0-linux-x86_64.so} that is named {@code libJCudnn-12.6.0-linux-x86_64.so}, in a
 * folder of {@code java.library.path}.
 */
public final class JCudaVendors {
  private static final String JCUBLAS = "jcublas";
  private static final String JCUDNN = "jcudnn";

  private JCudaVendors() {}

  /** What was found. */
  record Loaded<T>(@Nullable T library, String reason) {}

  private static final class CublasHolder {
    static final Cublas.Found FOUND = find(VendorChoice.GIVEN);

    static Cublas.Found find(VendorChoice choice) {
      Loaded<Cublas> loaded =
          load(choice, JCUBLAS, "jcuda.jcublas.JCublas2", () -> "", () -> new JCublas());
      return new Cublas.Found(loaded.library(), loaded.reason());
    }
  }

  private static final class CudnnHolder {
    static final Cudnn.Found FOUND = find(VendorChoice.GIVEN);

    static Cudnn.Found find(VendorChoice choice) {
      Loaded<Cudnn> loaded =
          load(choice, JCUDNN, "jcuda.jcudnn.JCudnn", Cudnn::missingParts, () -> new JCudaDnn());
      return new Cudnn.Found(loaded.library(), loaded.reason());
    }
  }

  /**
   * A binding, or in one sentence why there is none.
   *
   * @param lacks what the vendor's library lacks that would end the process; empty for nothing
   * @param make a lambda: a reference to the constructor would load the class before it is known to
   *     be there
   */
  static <T> Loaded<T> load(
      VendorChoice choice, String name, String type, Supplier<String> lacks, Supplier<T> make) {
    if (!choice.names(name)) {
      return new Loaded<>(null, "it is loaded only where -Dgridstride.vendor names " + name);
    }
    try {
      Class<?> unused = Class.forName(type, false, JCudaVendors.class.getClassLoader());
    } catch (ClassNotFoundException | LinkageError absent) {
      return new Loaded<>(
          null,
          "JCuda is not there: org.jcuda:" + name + " and its natives are not on the class path");
    }
    String missing = lacks.get();
    if (!missing.isEmpty()) {
      return new Loaded<>(null, missing);
    }
    try {
      return new Loaded<>(make.get(), "");
    } catch (LinkageError refused) {
      return new Loaded<>(null, "JCuda's native library can't be loaded: " + reason(refused));
    }
  }

  /** The loader's sentence in what JCuda says in many lines. */
  private static String reason(Throwable refused) {
    Throwable cause = refused;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    List<String> lines =
        String.valueOf(cause.getMessage())
            .lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty())
            .toList();
    return Stream.of("cannot open shared object", "No resource found", "UnsatisfiedLinkError", "")
        .flatMap(hint -> lines.stream().filter(line -> line.contains(hint)))
        .findFirst()
        .orElse(cause.getClass().getSimpleName());
  }

  /** What {@code info} says of both, in a line each. */
  public static List<String> report() {
    Cublas blas = CublasHolder.FOUND.library();
    Cudnn dnn = CudnnHolder.FOUND.library();
    return List.of(
        JCUBLAS + ": " + line(blas == null ? null : blas.name(), CublasHolder.FOUND.reason()),
        JCUDNN + ": " + line(dnn == null ? null : dnn.name(), CudnnHolder.FOUND.reason()));
  }

  private static String line(@Nullable String name, String reason) {
    return VendorSupport.report(name, "is there", reason);
  }

  /** Whether JCublas2 computes {@code op}, and why not. */
  public static Support acceptsGemm(Gemm op, Device device) {
    return CublasGemm.accepts(op, device, CublasHolder.FOUND);
  }

  /** The kernel that does. */
  public static Gemm.Kernel gemm(Gemm op, Device device) {
    return new CublasGemm(op, device, CublasHolder.FOUND);
  }

  /** Whether JCudnn computes {@code op}, and why not. */
  public static Support acceptsConv(Conv op, Device device) {
    return CudnnConv.accepts(op, device, CudnnHolder.FOUND);
  }

  /** The kernel that does. */
  public static Conv.Kernel conv(Conv op, Device device) {
    return new CudnnConv(op, device, CudnnHolder.FOUND);
  }

  /** Whether JCudnn computes {@code op}, and why not. */
  public static Support acceptsSoftmax(Softmax op, Device device) {
    return CudnnSoftmax.accepts(op, device, CudnnHolder.FOUND);
  }

  /** The kernel that does. */
  public static Softmax.Kernel softmax(Softmax op, Device device) {
    return new CudnnSoftmax(op, device, CudnnHolder.FOUND);
  }
}
