// Convolutions of bf16 and f16 on tensor cores.
#include "conv_cases.h"

int main() {
  require_device();
  Checks checks("conv mma");
  const gs_conv_axis plain7{7, 3, 1, 1, 1, 1}, even{8, 2, 2, 0, 0, 1};
  // Tensor cores, operands in vectors where the sizes allow.
  std::vector<Case> chunks = {
      make(2, 2, 16, 24, 1, {plain7, {5, 3, 1, 1, 1, 1}}),
      make(2, 1, 24, 16, 1, {{9, 3, 2, 1, 1, 1}, {8, 3, 2, 1, 0, 1}}),   // stride 2
      make(2, 2, 48, 24, 3, {even, plain7}),                             // groups
      make(2, 3, 16, 72, 1, {{6, 1, 1, 0, 0, 1}, {5, 1, 1, 0, 0, 1}}),   // 1x1: no copy of filters
      make(2, 1, 16, 24, 1, {plain7, {5, 1, 1, 0, 0, 1}}),               // 3x1
      make(2, 2, 8, 72, 1, {{13, 1, 1, 0, 0, 1}, {25, 1, 1, 0, 0, 1}}),  // splits within an image
      make(2, 1, 12, 24, 1, {plain7, even}),                             // channels are no chunks
      make(2, 1, 16, 12, 1, {plain7, even}),                             // filters are none
  };
  for (Case& t : chunks) {
    for (t.op.layout = GS_NCHW; t.op.layout <= GS_NHWC; t.op.layout++) {
      for (t.op.type = GS_BF16; t.op.type <= GS_F16; t.op.type++) test(checks, t, 0);
    }
  }
  // Their large tiles, which many groups call for. Slow, so each layout and type does one.
  Case wide = make(1, 1, 128 * 8, 128 * 8, 128, {{5, 2, 1, 0, 1, 1}});
  wide.op.type = GS_BF16;
  test(checks, wide, 0, false);
  wide = make(1, 1, 128 * 8, 128 * 72, 128, {{3, 1, 1, 0, 0, 1}});
  wide.op.type = GS_F16, wide.op.layout = GS_NHWC;
  test(checks, wide, 0, false);
  Case relu = chunks[0];
  relu.op.relu = 1, relu.op.type = GS_BF16, relu.op.layout = GS_NHWC;
  test(checks, relu, 0);
  return checks.finish();
}
