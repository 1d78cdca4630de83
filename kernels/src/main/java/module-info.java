/** Devices, buffers and one class per operation on raw buffers. */
module dev.gridstride.kernels {
  requires static jdk.incubator.vector;
  requires static org.jspecify;
}
