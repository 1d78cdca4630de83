package dev.gridstride.cuda;

import dev.gridstride.device.Support;
import dev.gridstride.kernels.Layout;
import java.lang.foreign.StructLayout;

/** Layouts of operands as the C ABI takes them. */
final class Layouts {
  private Layouts() {}

  /** Refuses more dimensions than the kernels take. */
  static Support rank(Layout layout) {
    return layout.rank() <= Abi.MAX_DIMS
        ? Support.YES
        : Support.no("at most " + Abi.MAX_DIMS + " dimensions; given " + layout.rank());
  }

  /** The sizes of {@code layout}; strides are 0 until {@link #strides}. */
  static Struct of(StructLayout struct, Layout layout) {
    var s = Struct.of(struct).set("dims", layout.rank());
    for (int i = 0; i < layout.rank(); i++) {
      s.element("size", i, layout.dim(i));
    }
    return s;
  }

  static Struct strides(Struct struct, String name, Layout layout) {
    for (int i = 0; i < layout.rank(); i++) {
      struct.element(name, i, layout.stride(i));
    }
    return struct;
  }
}
