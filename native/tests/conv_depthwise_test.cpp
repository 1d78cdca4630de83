// Convolutions of single channels, every type.
#include "conv_cases.h"

int main() {
  require_device();
  Checks checks("conv depthwise");
  const gs_conv_axis plain7{7, 3, 1, 1, 1, 1};
  std::vector<Case> cases = {
      make(2, 2, 10, 10, 10, {plain7, {6, 3, 2, 1, 1, 1}}),             // depthwise
      make(1, 2, 10, 10, 10, {{300, 2, 1, 0, 1, 1}}),                   // depthwise, splits
      make(2, 1, 36, 36, 36, {plain7, {9, 3, 1, 1, 1, 1}}),             // depthwise, vectors
      make(2, 1, 8, 8, 8, {{11, 5, 2, 2, 2, 1}, {10, 4, 1, 2, 0, 2}}),  // depthwise, any taps
      make(1, 1, 3, 3, 3, {{70, 50, 1, 3, 3, 1}}),                      // depthwise, long
      make(1, 2, 3, 3, 3, {{1100, 9, 1, 4, 4, 1}}),                     // depthwise, long rows
      make(3, 2, 4, 4, 4, {{4, 3, 1, 1, 1, 1}, {9, 3, 1, 1, 1, 1}, {9, 3, 1, 1, 1, 1}}),
  };
  test_all(checks, cases);
  return checks.finish();
}
