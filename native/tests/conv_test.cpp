// Convolutions in full channels or groups, every type; what is refused.
#include "conv_cases.h"

namespace {
// A NaN in x reaches the outputs whose windows hold it, and no others.
void specials(Checks& checks) {
  for (const int32_t layout : {GS_NCHW, GS_NHWC}) {
    for (const int64_t groups : {1, 9}) {
      Case t = make(1, 1, 9, 9, groups, {{12, 3, 1, 1, 1, 1}});
      t.op.layout = layout;
      std::vector<double> x(108, 0.5), w(81 / groups * 3, 1);
      const int64_t bad = layout == GS_NCHW ? 4 * 12 + 5 : 5 * 9 + 4;
      x[bad] = NAN;
      TypedArray x_(kFloatTypes[0], x), w_(kFloatTypes[0], w), y_(kFloatTypes[0], 108);
      t.op.relu = 1;
      ok(checks, gs_conv_forward(&t.op, x_.data(), w_.data(), nullptr, y_.data(), nullptr, nullptr),
         "NaN");
      const auto y = y_.get(checks, "NaN");
      for (int64_t k = 0; k < 9; k++) {
        for (int64_t o = 0; o < 12; o++) {
          const bool want = o >= 4 && o <= 6 && (groups == 1 || k == 4);
          const double v = y[layout == GS_NCHW ? k * 12 + o : o * 9 + k];
          checks.that((v != v) == want, "a NaN's place");
        }
      }
    }
  }
}

void refusals(Checks& checks) {
  float v = 0;
  int64_t bytes;
  const Case good = make(1, 1, 2, 2, 1, {{4, 3, 1, 0, 0, 1}});
  const auto refuse = [&](const gs_conv& op, const char* rule,
                          gs_status status = GS_INVALID_ARGUMENT) {
    refused(checks, gs_conv_forward(&op, &v, &v, nullptr, &v, &v, nullptr), status, rule);
    refused(checks, gs_conv_backward_data(&op, &v, &v, &v, &v, nullptr), status, rule);
    refused(checks, gs_conv_backward_weight(&op, &v, &v, &v, nullptr, &v, nullptr), status, rule);
    refused(checks, gs_conv_workspace(&op, &bytes), status, rule);
  };
  gs_conv op = good.op;
  const auto bad = GS_INVALID_ARGUMENT;
  refused(checks, gs_conv_forward(nullptr, &v, &v, nullptr, &v, &v, nullptr), bad, "null");
  refused(checks, gs_conv_forward(&op, nullptr, &v, nullptr, &v, &v, nullptr), bad, "null");
  refused(checks, gs_conv_backward_data(&op, &v, &v, nullptr, &v, nullptr), bad, "null");
  refused(checks, gs_conv_backward_weight(&op, &v, nullptr, &v, nullptr, &v, nullptr), bad, "null");
  refused(checks, gs_conv_backward_weight(&op, &v, &v, &v, &v, nullptr, nullptr), bad, "workspace");
  refused(checks, gs_conv_workspace(&op, nullptr), bad, "bytes");
  op.type = GS_BF16, op.k = 8;
  refused(checks, gs_conv_forward(&op, &v, &v, nullptr, &v, nullptr, nullptr), bad, "workspace");
  op = good.op, op.type = GS_BF16, op.c = 8;
  refused(checks, gs_conv_backward_data(&op, &v, &v, &v, nullptr, nullptr), bad, "workspace");
  op = good.op, op.type = GS_I64;
  refuse(op, "type=5");
  op = good.op, op.layout = -1;
  refuse(op, "layout=-1");
  op = good.op, op.axes = 0;
  refuse(op, "axes=0");
  op = good.op, op.k = -1;
  refuse(op, "k=-1");
  op = good.op, op.groups = 0;
  refuse(op, "groups=0");
  op = good.op, op.groups = 3;
  refuse(op, "groups=3");
  op = good.op, op.axis[0].dilation = 2;
  refuse(op, "larger than the padded input");
  op = good.op, op.axis[0].stride = 0;
  refuse(op, "stride=0");
  op = good.op, op.n = int64_t(1) << 60;
  refuse(op, "addressable");
  op = good.op, op.axis[0].pad_begin = 1 << 30;
  refuse(op, "2^30", GS_UNSUPPORTED);
  op = good.op, op.c = int64_t(1) << 31;
  refuse(op, "2^31", GS_UNSUPPORTED);
}
}  // namespace

int main() {
  require_device();
  Checks checks("conv");
  const gs_conv_axis plain7{7, 3, 1, 1, 1, 1}, even{8, 2, 2, 0, 0, 1};
  std::vector<Case> cases = {
      make(2, 2, 3, 9, 1, {plain7, {5, 3, 1, 1, 1, 1}}),
      make(2, 1, 1, 32, 1, {{9, 3, 1, 0, 0, 1}, {9, 3, 1, 0, 0, 1}}),    // MNIST's first
      make(2, 3, 8, 16, 1, {{9, 3, 2, 1, 1, 1}, {8, 3, 2, 1, 0, 1}}),    // stride 2
      make(2, 1, 8, 8, 1, {{11, 3, 3, 2, 1, 2}, {10, 2, 4, 0, 3, 2}}),   // strides and dilations
      make(2, 1, 12, 8, 1, {{13, 5, 4, 3, 2, 2}, {9, 4, 1, -1, 2, 1}}),  // negative padding
      make(2, 2, 65, 67, 1, {{4, 1, 1, 0, 0, 1}, {4, 1, 1, 0, 0, 1}}),   // 1x1, past a tile
      make(2, 2, 12, 24, 3, {plain7, even}),                             // groups
      make(2, 2, 16, 32, 2, {even, plain7}),                             // groups in tiles
      make(2, 1, 6, 12, 6, {plain7, plain7}),                            // multiplier 2
      make(2, 2, 3, 21, 1, {{23, 7, 2, 3, 3, 1}, {19, 7, 2, 3, 3, 1}}),  // an image's first
      make(2, 1, 7, 9, 1, {{13, 3, 3, 1, 2, 2}, {9, 3, 2, 0, 1, 1}}),    // narrow, holes
      make(3, 1, 2, 10, 1, {{5, 3, 2, 1, 1, 1}, {5, 2, 2, 0, 0, 1}, {6, 3, 2, 1, 1, 1}}),
      make(2, 2, 16, 36, 1, {{4, 1, 1, 0, 0, 1}, {6, 1, 1, 0, 0, 1}}),  // 1x1 in vectors
      make(2, 2, 43, 40, 1, {plain7, plain7}),                          // large tiles of weights
      make(1, 1, 9, 10, 1, {{40, 33, 1, 2, 2, 1}}),                     // more taps than bits
      make(1, 2, 5, 11, 1, {{37, 5, 2, 2, 2, 3}}),
      make(3, 1, 4, 8, 1, {{3, 2, 1, 0, 1, 1}, {4, 3, 2, 1, 1, 1}, {5, 2, 1, 1, 0, 2}}),
      make(1, 1, 3, 8, 1, {{5, 1, 7, 0, 0, 1}}),     // phases without taps
      make(1, 10, 2, 9, 1, {{61, 2, 1, 0, 0, 1}}),   // several splits
      make(1, 1, 1, 8, 1, {{4100, 1, 1, 0, 0, 1}}),  // many splits
      make(2, 1, 2, 2, 1, {{1, 3, 1, 1, 1, 1}, {1, 1, 1, 0, 0, 1}}),
      make(1, 0, 3, 8, 1, {{5, 3, 1, 1, 1, 1}}),  // no images
      make(1, 2, 0, 8, 1, {{5, 3, 1, 1, 1, 1}}),  // no channels
      make(1, 2, 8, 0, 1, {{5, 3, 1, 1, 1, 1}}),  // no filters
      make(1, 2, 8, 9, 1, {{0, 1, 1, 1, 1, 1}}),  // padding alone
  };
  test_all(checks, cases);
  Case relu = cases[0];
  relu.op.relu = 1, relu.op.type = GS_F32, relu.op.layout = GS_NHWC;
  test(checks, relu, 1);
  // Large tiles: more than 1.5 a multiprocessor, here of as many groups. Slow, so each layout does
  // one.
  Case forward = make(1, 1, 199 * 3, 199 * 34, 199, {{66, 1, 1, 0, 0, 1}});
  test(checks, forward, 0, false);
  Case data = make(1, 1, 199 * 34, 199 * 3, 199, {{66, 1, 1, 0, 0, 1}});
  data.op.layout = GS_NHWC;
  test(checks, data, 0, false);
  test(checks, make(1, 1, 2, 32, 1, {{8500, 2, 1, 0, 0, 1}}), 0, false);  // narrow tiles
  specials(checks);
  refusals(checks);
  return checks.finish();
}
