/** Tensors, autograd, layers, optimizers and data readers over the kernels. */
module dev.gridstride {
  requires transitive dev.gridstride.kernels;
  requires static java.desktop;
  requires static org.jspecify;

  exports dev.gridstride;
  exports dev.gridstride.analysis;
  exports dev.gridstride.data;
  exports dev.gridstride.io;
  exports dev.gridstride.metrics;
  exports dev.gridstride.nn;
  exports dev.gridstride.optim;
  exports dev.gridstride.vision;
}
