// Convolutions against plain loops in double.
#include <algorithm>

#include "types.h"

namespace {
struct Case {
  gs_conv op;
  int64_t out[3] = {1, 1, 1}, size[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t pixels = 1, outs = 1, taps = 1;
};

Case make(int32_t axes, int64_t n, int64_t c, int64_t k, int64_t groups,
          std::vector<gs_conv_axis> axis) {
  Case t{};
  t.op.axes = axes, t.op.n = n, t.op.c = c, t.op.k = k, t.op.groups = groups;
  std::copy(axis.begin(), axis.end(), t.op.axis);
  for (int i = 0; i < axes; i++) {
    const gs_conv_axis& a = axis[i];
    const int64_t free = a.size + a.pad_begin + a.pad_end - (a.kernel - 1) * a.dilation - 1;
    t.out[i] = free / a.stride + 1, t.size[i] = a.size, t.kernel[i] = a.kernel;
    t.pixels *= t.size[i], t.outs *= t.out[i], t.taps *= t.kernel[i];
  }
  return t;
}

int64_t at(const gs_conv& op, int64_t channels, int64_t pixels, int64_t n, int64_t c, int64_t p) {
  return op.layout == GS_NCHW ? (n * channels + c) * pixels + p : (n * pixels + p) * channels + c;
}

// Calls f(x index, w index, y index) for every product of the convolution.
template <class F>
void for_products(const Case& t, F f) {
  const gs_conv& op = t.op;
  const int64_t channels = op.c / op.groups, filters = op.k / op.groups;
  for (int64_t o = 0; o < t.outs; o++) {
    for (int64_t tap = 0; tap < t.taps; tap++) {
      int64_t rest_o = o, rest_t = tap, places[3];
      bool inside = true;
      for (int d = 2; d >= 0; d--) {
        const gs_conv_axis one{1, 1, 1, 0, 0, 1};
        const gs_conv_axis& a = d < op.axes ? op.axis[d] : one;
        places[d] = rest_o % t.out[d] * a.stride - a.pad_begin + rest_t % t.kernel[d] * a.dilation;
        inside &= places[d] >= 0 && places[d] < t.size[d];
        rest_o /= t.out[d], rest_t /= t.kernel[d];
      }
      if (!inside) continue;
      const int64_t pixel = (places[0] * t.size[1] + places[1]) * t.size[2] + places[2];
      for (int64_t n = 0; n < op.n; n++) {
        for (int64_t k = 0; k < op.k; k++) {
          for (int64_t c = 0; c < channels; c++) {
            f(at(op, op.c, t.pixels, n, k / filters * channels + c, pixel),
              (k * channels + c) * t.taps + tap, at(op, op.k, t.outs, n, k, o));
          }
        }
      }
    }
  }
}

std::string name(const Case& t) {
  std::string s = std::string("conv ") + kFloatTypes[t.op.type].name +
                  (t.op.layout == GS_NCHW ? " NCHW " : " NHWC ") + std::to_string(t.op.n) + "," +
                  std::to_string(t.op.c) + "," + std::to_string(t.op.k) + "/" +
                  std::to_string(t.op.groups);
  for (int d = 0; d < t.op.axes; d++) {
    s += " " + std::to_string(t.size[d]) + "*" + std::to_string(t.kernel[d]);
  }
  return s;
}

struct Sum {
  std::vector<double> value, size;
  std::vector<int64_t> terms;
  explicit Sum(size_t n) : value(n), size(n), terms(n) {}
  void add(int64_t i, double v) { value[i] += v, size[i] += std::fabs(v), terms[i]++; }
};

// Chains of n fused multiply-adds: n roundings of sums that the absolute terms bound.
void compare(Checks& checks, const TypeInfo& type, const Sum& want, const std::vector<double>& got,
             const std::string& where) {
  // Tensor cores cut sums off rather than round them: twice as much.
  const double base = type.code == GS_F64 ? 1.2e-16 : type.code == GS_F32 ? 6e-8 : 1.2e-7;
  for (size_t i = 0; i < got.size(); i++) {
    const double tolerance = want.size[i] * base * static_cast<double>(want.terms[i] + 4) +
                             std::fabs(want.value[i]) * type.epsilon * 1.01 +
                             (type.code == GS_F16 ? 6e-8 : 0);
    if (!checks.close(got[i], want.value[i], tolerance, where + " at " + std::to_string(i))) return;
  }
}

void test(Checks& checks, const Case& t, size_t misaligned, bool transposed = true) {
  const gs_conv& op = t.op;
  const TypeInfo& type = kFloatTypes[op.type];
  const std::string where = name(t);
  const int64_t x_count = op.n * op.c * t.pixels, y_count = op.n * op.k * t.outs,
                w_count = op.k * (op.c / op.groups) * t.taps;
  Random random(x_count + w_count);
  const auto draw = [&](int64_t count) {
    std::vector<double> v(count);
    for (auto& e : v) e = TypedArray::round(type, random());
    return v;
  };
  const auto x = draw(x_count), w = draw(w_count), dy = draw(y_count), bias = draw(op.k),
             bias_c = draw(op.c);
  Sum y(y_count), dx(x_count), dw(w_count), dbias(op.k), ty(x_count), tbias(op.c);
  for (int64_t n = 0; n < op.n; n++) {
    for (int64_t k = 0; k < op.k; k++) {
      for (int64_t o = 0; o < t.outs; o++) {
        const int64_t i = at(op, op.k, t.outs, n, k, o);
        y.add(i, bias[k]), dbias.add(k, dy[i]);
      }
    }
    for (int64_t c = 0; c < op.c; c++) {
      for (int64_t p = 0; p < t.pixels; p++) {
        const int64_t i = at(op, op.c, t.pixels, n, c, p);
        ty.add(i, bias_c[c]), tbias.add(c, x[i]);
      }
    }
  }
  for_products(t, [&](int64_t i, int64_t j, int64_t o) {
    y.add(o, x[i] * w[j]), dx.add(i, dy[o] * w[j]), dw.add(j, x[i] * dy[o]);
    ty.add(i, dy[o] * w[j]);
  });
  if (op.relu) {
    for (auto& v : y.value) v = std::fmax(v, 0);
  }
  TypedArray x_(type, x, misaligned), w_(type, w, misaligned), g_(type, dy, misaligned),
      b_(type, bias, misaligned), c_(type, bias_c, misaligned);
  TypedArray y_(type, y_count, misaligned), dx_(type, x_count, misaligned),
      dw_(type, w_count, misaligned), db_(type, op.k, misaligned), dc_(type, op.c, misaligned);
  int64_t bytes = 0;
  if (!ok(checks, gs_conv_workspace(&op, &bytes), where)) return;
  Array<unsigned char> space(bytes, 64);
  const auto run = [&](gs_status status, const char* pass) {
    return ok(checks, status, where + pass);
  };
  if (!run(gs_conv_forward(&op, x_.data(), w_.data(), b_.data(), y_.data(), space.data(), nullptr),
           " forward") ||
      !run(gs_conv_backward_data(&op, g_.data(), w_.data(), dx_.data(), space.data(), nullptr),
           " data") ||
      !run(gs_conv_backward_weight(&op, x_.data(), g_.data(), dw_.data(), db_.data(), space.data(),
                                   nullptr),
           " weight")) {
    return;
  }
  compare(checks, type, y, y_.get(checks, where), where + " forward");
  compare(checks, type, dx, dx_.get(checks, where), where + " data");
  const auto first = dw_.get(checks, where);
  compare(checks, type, dw, first, where + " weight");
  compare(checks, type, dbias, db_.get(checks, where), where + " bias");
  space.get(checks, where + " workspace");
  // Without bias; the transposed form; the same bits again.
  if (op.relu || !transposed) return;
  for (int64_t n = 0; n < op.n; n++) {
    for (int64_t k = 0; k < op.k; k++) {
      for (int64_t o = 0; o < t.outs; o++) y.value[at(op, op.k, t.outs, n, k, o)] -= bias[k];
    }
  }
  if (!run(gs_conv_transpose_forward(&op, g_.data(), w_.data(), c_.data(), dx_.data(), space.data(),
                                     nullptr),
           " transposed") ||
      !run(gs_conv_transpose_backward_data(&op, x_.data(), w_.data(), y_.data(), space.data(),
                                           nullptr),
           " transposed data") ||
      !run(gs_conv_transpose_backward_weight(&op, g_.data(), x_.data(), dw_.data(), dc_.data(),
                                             space.data(), nullptr),
           " transposed weight")) {
    return;
  }
  compare(checks, type, ty, dx_.get(checks, where), where + " transposed");
  compare(checks, type, y, y_.get(checks, where), where + " transposed data");
  compare(checks, type, tbias, dc_.get(checks, where), where + " transposed bias");
  checks.that(dw_.get(checks, where) == first, where + ": other bits the second time");
}

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
      make(2, 2, 10, 10, 10, {plain7, {6, 3, 2, 1, 1, 1}}),              // depthwise
      make(1, 2, 10, 10, 10, {{300, 2, 1, 0, 1, 1}}),                    // depthwise, splits
      make(2, 1, 36, 36, 36, {plain7, {9, 3, 1, 1, 1, 1}}),              // depthwise, vectors
      make(2, 1, 8, 8, 8, {{11, 5, 2, 2, 2, 1}, {10, 4, 1, 2, 0, 2}}),   // depthwise, any taps
      make(3, 2, 4, 4, 4, {{4, 3, 1, 1, 1, 1}, {9, 3, 1, 1, 1, 1}, {9, 3, 1, 1, 1, 1}}),
      make(1, 1, 3, 3, 3, {{70, 50, 1, 3, 3, 1}}),                       // depthwise, long
      make(1, 2, 3, 3, 3, {{1100, 9, 1, 4, 4, 1}}),                      // depthwise, long rows
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
  for (size_t i = 0; i < cases.size(); i++) {
    Case& t = cases[i];
    for (t.op.layout = GS_NCHW; t.op.layout <= GS_NHWC; t.op.layout++) {
      for (t.op.type = GS_F32; t.op.type <= GS_F16; t.op.type++) {
        // The narrow types differ in loads and stores only.
        if (t.op.type >= GS_BF16 && i % 4 != static_cast<size_t>(t.op.type - GS_BF16)) continue;
        test(checks, t, t.op.type == GS_F32 ? 0 : 1);
      }
    }
  }
  // Tensor cores, operands in vectors where the sizes allow.
  std::vector<Case> chunks = {
      make(2, 2, 16, 24, 1, {plain7, {5, 3, 1, 1, 1, 1}}),
      make(2, 1, 24, 16, 1, {{9, 3, 2, 1, 1, 1}, {8, 3, 2, 1, 0, 1}}),   // stride 2
      make(2, 2, 48, 24, 3, {even, plain7}),                             // groups
      make(2, 3, 16, 72, 1, {{6, 1, 1, 0, 0, 1}, {5, 1, 1, 0, 0, 1}}),   // 1x1: no copy of filters
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
  Case relu = cases[0];
  relu.op.relu = 1, relu.op.type = GS_F32, relu.op.layout = GS_NHWC;
  test(checks, relu, 1);
  relu = chunks[0], relu.op.relu = 1, relu.op.type = GS_BF16, relu.op.layout = GS_NHWC;
  test(checks, relu, 0);
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
