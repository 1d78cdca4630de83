// What launchers ask about the current device.
#pragma once

namespace gs {
// Compute capability, 10 major + minor; 0 where there is no device. The environment variable
// GRIDSTRIDE_CAPABILITY lowers it, so that kernels for older devices can be tried on a newer one.
int device_capability();
int device_multiprocessors();
// The most shared memory of a block, in bytes.
int device_shared_bytes();
}  // namespace gs
