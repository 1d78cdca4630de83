package dev.gridstride.cuda;

import dev.gridstride.device.Support;
import dev.gridstride.kernels.Layout;
import java.lang.foreign.StructLayout;

/** Layouts of operands as the C ABI takes them. */
final class Layouts {
  private Layouts() {}

  /** Refuses more dimensions than the kernels take. */
  static Support rank(Layout layout) {
    return rank(layout.rank());
  }

  /** The same for an operand without gaps. */
  static Support rank(int dimensions) {
    return dimensions <= Abi.MAX_DIMS
        ? Support.YES
        : Support.no("at most " + Abi.MAX_DIMS + " dimensions; given " + dimensions);
  }

  /** The sizes of {@code layout}; strides are 0 until {@link #strides}. */
  static Struct of(StructLayout struct, Layout layout) {
    return sizes(Struct.of(struct), layout);
  }

  /** Sizes and strides of {@code layout} in a {@code gs_layout}. */
  static Struct fill(Struct struct, Layout layout) {
    return strides(sizes(struct, layout), "stride", layout);
  }

  private static Struct sizes(Struct struct, Layout layout) {
    struct.set("dims", layout.rank());
    for (int i = 0; i < layout.rank(); i++) {
      struct.element("size", i, layout.dim(i));
    }
    return struct;
  }

  static Struct strides(Struct struct, String name, Layout layout) {
    for (int i = 0; i < layout.rank(); i++) {
      struct.element(name, i, layout.stride(i));
    }
    return struct;
  }
}
