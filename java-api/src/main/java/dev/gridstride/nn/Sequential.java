package dev.gridstride.nn;

import dev.gridstride.Tensor;

/** Modules one after another; their names are their numbers, as in PyTorch. */
public final class Sequential extends Module {
  /** The modules in order. */
  public Sequential(Module... modules) {
    for (int i = 0; i < modules.length; i++) {
      child(Integer.toString(i), modules[i]);
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor y = x;
    for (Module m : children()) {
      y = m.forward(y);
    }
    return y;
  }
}
