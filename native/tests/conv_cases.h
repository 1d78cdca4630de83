// Convolutions against plain loops in double: what their test programs share.
#pragma once
#include <algorithm>

#include "types.h"

struct Case {
  gs_conv op;
  int64_t out[3] = {1, 1, 1}, size[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t pixels = 1, outs = 1, taps = 1;
};

inline Case make(int32_t axes, int64_t n, int64_t c, int64_t k, int64_t groups,
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

inline int64_t at(const gs_conv& op, int64_t channels, int64_t pixels, int64_t n, int64_t c,
                  int64_t p) {
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

inline std::string name(const Case& t) {
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
inline void compare(Checks& checks, const TypeInfo& type, const Sum& want,
                    const std::vector<double>& got, const std::string& where) {
  // Tensor cores cut sums off rather than round them: twice as much.
  const double base = type.code == GS_F64 ? 1.2e-16 : type.code == GS_F32 ? 6e-8 : 1.2e-7;
  for (size_t i = 0; i < got.size(); i++) {
    const double tolerance = want.size[i] * base * static_cast<double>(want.terms[i] + 4) +
                             std::fabs(want.value[i]) * type.epsilon * 1.01 +
                             (type.code == GS_F16 ? 6e-8 : 0);
    if (!checks.close(got[i], want.value[i], tolerance, where + " at " + std::to_string(i))) return;
  }
}

inline void test(Checks& checks, const Case& t, size_t misaligned, bool transposed = true) {
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

// Both layouts and every type.
inline void test_all(Checks& checks, std::vector<Case>& cases) {
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
}
