// Many arrays in one launch: a block takes one chunk of one array, and finds which by searching the
// chunks' prefix sums. These travel with the pointers in the kernel's arguments: no table in device
// memory, hence no copy, and capture in a graph keeps the pointers.
#pragma once
#include "elementwise.h"

namespace gs {
// The first array that ends behind this block's chunk; end: chunks up to and including each array.
KX_DEVICE int array_of_block(const int* end, int count) {
  int low = 0, high = count - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if ((int)blockIdx.x < end[middle]) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
}  // namespace gs
