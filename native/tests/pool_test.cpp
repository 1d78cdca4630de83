// Pooling against plain loops in double.
#include <algorithm>

#include "types.h"

namespace {
// One to three axes seen as three.
struct Spatial {
  int64_t size[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, pad[3] = {},
          pad_end[3] = {}, dilation[3] = {1, 1, 1}, out[3] = {1, 1, 1};
};

int64_t windows_of(const gs_pool_axis& a) {
  int64_t n = 0;
  // Windows that lie in the padded input; with ceil those that begin in the input or before it too.
  for (int64_t o = 0;; o++) {
    const int64_t start = o * a.stride, end = start + (a.kernel - 1) * a.dilation + 1;
    const int64_t padded = a.size + a.pad_begin + a.pad_end;
    const bool fits = end <= padded;
    const bool overhangs = a.ceil && (o == 0 || start - a.stride + end - start < padded) &&
                           start < a.size + a.pad_begin;
    if (!fits && !overhangs) return n;
    n++;
  }
}

struct Pooled {
  std::vector<double> y, dx;
  std::vector<int64_t> indices;
};

Pooled compute(const gs_pool& op, const Spatial& s, const std::vector<double>& x,
               const std::vector<double>& dy) {
  Pooled r;
  r.y.resize(dy.size()), r.dx.assign(x.size(), 0), r.indices.assign(dy.size(), -1);
  const int64_t pixels = s.size[0] * s.size[1] * s.size[2], outs = s.out[0] * s.out[1] * s.out[2];
  for (int64_t n = 0; n < op.n; n++) {
    for (int64_t c = 0; c < op.c; c++) {
      const auto in = [&](int64_t p) {
        return op.layout == GS_NCHW ? (n * op.c + c) * pixels + p : (n * pixels + p) * op.c + c;
      };
      for (int64_t w = 0; w < outs; w++) {
        const int64_t o[3] = {w / s.out[2] / s.out[1], w / s.out[2] % s.out[1], w % s.out[2]};
        std::vector<int64_t> inside;
        int64_t padded = 0;
        for (int64_t t = 0; t < s.kernel[0] * s.kernel[1] * s.kernel[2]; t++) {
          const int64_t taps[3] = {t / s.kernel[2] / s.kernel[1], t / s.kernel[2] % s.kernel[1],
                                   t % s.kernel[2]};
          int64_t pixel = 0;
          bool in_input = true, in_padded = true;
          for (int d = 0; d < 3; d++) {
            const int64_t at = o[d] * s.stride[d] - s.pad[d] + taps[d] * s.dilation[d];
            in_input &= at >= 0 && at < s.size[d];
            in_padded &= at < s.size[d] + s.pad_end[d];
            pixel = pixel * s.size[d] + at;
          }
          if (in_input) inside.push_back(pixel);
          padded += in_padded;
        }
        const int64_t at =
            op.layout == GS_NCHW ? (n * op.c + c) * outs + w : (n * outs + w) * op.c + c;
        if (op.kind == GS_POOL_MAX) {
          double m = -INFINITY;
          for (int64_t p : inside) m = x[in(p)] != x[in(p)] || x[in(p)] > m ? x[in(p)] : m;
          r.y[at] = m;
          for (int64_t p : inside) {
            if (x[in(p)] == m || (m != m && x[in(p)] != x[in(p)])) {
              r.indices[at] = p, r.dx[in(p)] += dy[at];
              break;
            }
          }
        } else {
          const int64_t n_counted =
              op.count_include_pad ? padded : static_cast<int64_t>(inside.size());
          const double divisor = static_cast<double>(std::max(n_counted, int64_t(1)));
          double sum = 0;
          for (int64_t p : inside) sum += x[in(p)], r.dx[in(p)] += dy[at] / divisor;
          r.y[at] = sum / divisor;
        }
      }
    }
  }
  return r;
}

void test(Checks& checks, gs_pool op, size_t misaligned, bool specials) {
  const TypeInfo& type = kFloatTypes[op.type];
  std::string where = std::string(op.kind == GS_POOL_MAX ? "max " : "average ") + type.name +
                      (op.layout == GS_NCHW ? " NCHW " : " NHWC ") + std::to_string(op.n) + "x" +
                      std::to_string(op.c);
  Spatial s;
  for (int d = 0; d < op.axes; d++) {
    const gs_pool_axis& a = op.axis[d];
    const int e = 3 - op.axes + d;
    s.size[e] = a.size, s.kernel[e] = a.kernel, s.stride[e] = a.stride, s.pad[e] = a.pad_begin;
    s.pad_end[e] = a.pad_end, s.dilation[e] = a.dilation, s.out[e] = windows_of(a);
    where += " " + std::to_string(a.size) + "/" + std::to_string(a.kernel);
  }
  const int64_t planes = op.n * op.c, inputs = planes * s.size[0] * s.size[1] * s.size[2],
                outputs = planes * s.out[0] * s.out[1] * s.out[2];
  Random random(inputs);
  std::vector<double> x(inputs), dy(outputs);
  // Few values: many equal ones in a window.
  for (auto& v : x) v = specials ? std::floor(random() * 3) : TypedArray::round(type, random());
  for (auto& v : dy) v = TypedArray::round(type, random());
  if (specials) {
    for (size_t i = 0; i < x.size(); i += 7) x[i] = i % 3 == 0 ? NAN : -INFINITY;
  }
  const Pooled want = compute(op, s, x, dy);
  TypedArray x_(type, x, misaligned), y_(type, outputs, misaligned), g_(type, dy, misaligned),
      d_(type, inputs, misaligned);
  Array<int64_t> i_(outputs);
  int64_t* indices = op.kind == GS_POOL_MAX ? i_.data() : nullptr;
  if (!ok(checks, gs_pool_forward(&op, x_.data(), y_.data(), indices, nullptr), where)) return;
  const auto y = y_.get(checks, where);
  // Sums of a window's elements: a rounding each.
  const double terms = static_cast<double>(s.kernel[0] * s.kernel[1] * s.kernel[2]) + 2;
  const double base = type.code == GS_F64 ? 1.2e-16 : 6e-8;
  const bool max = op.kind == GS_POOL_MAX;
  for (int64_t i = 0; i < outputs; i++) {
    const double tolerance =
        max ? 0 : 3 * terms * base + std::fabs(want.y[i]) * type.epsilon * 1.01 + 1e-7 * !terms;
    if (!checks.close(y[i], want.y[i], std::isinf(want.y[i]) ? 0 : tolerance, where)) return;
  }
  if (max) checks.that(i_.get(checks, where) == want.indices, where + ": indices");
  const bool any = outputs > 0 && max;
  if (!ok(checks,
          gs_pool_backward(&op, any ? x_.data() : nullptr, any ? y_.data() : nullptr, g_.data(),
                           d_.data(), nullptr),
          where)) {
    return;
  }
  const auto dx = d_.get(checks, where);
  for (int64_t i = 0; i < inputs; i++) {
    const double tolerance = terms * terms * base + std::fabs(want.dx[i]) * type.epsilon * 1.01;
    if (!checks.close(dx[i], want.dx[i], tolerance, where + " backward")) return;
  }
}

gs_pool pool(int32_t axes, int64_t n, int64_t c, std::vector<gs_pool_axis> axis) {
  gs_pool op{};
  op.axes = axes, op.n = n, op.c = c;
  std::copy(axis.begin(), axis.end(), op.axis);
  return op;
}

void refusals(Checks& checks) {
  float v = 0;
  const auto refuse = [&](gs_pool op, const char* rule) {
    refused(checks, gs_pool_forward(&op, &v, &v, nullptr, nullptr), GS_INVALID_ARGUMENT, rule);
    refused(checks, gs_pool_backward(&op, &v, &v, &v, &v, nullptr), GS_INVALID_ARGUMENT, rule);
  };
  const gs_pool good = pool(1, 1, 1, {{4, 2, 2, 0, 0, 1, 0, 0}});
  gs_pool op = good;
  refused(checks, gs_pool_forward(nullptr, &v, &v, nullptr, nullptr), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_pool_forward(&op, nullptr, &v, nullptr, nullptr), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_pool_backward(&op, nullptr, &v, &v, &v, nullptr), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_pool_backward(&op, &v, &v, &v, nullptr, nullptr), GS_INVALID_ARGUMENT, "null");
  int64_t index;
  op.kind = GS_POOL_AVERAGE;
  refused(checks, gs_pool_forward(&op, &v, &v, &index, nullptr), GS_INVALID_ARGUMENT, "indices");
  op.kind = 2;
  refuse(op, "kind=2");
  op = good, op.type = GS_I32;
  refuse(op, "type=4");
  op = good, op.layout = 2;
  refuse(op, "layout=2");
  op = good, op.axes = 4;
  refuse(op, "axes=4");
  op = good, op.n = -1;
  refuse(op, "n=-1");
  op = good, op.axis[0].stride = 0;
  refuse(op, "stride=0");
  op = good, op.axis[0].pad_end = -1;
  refuse(op, "padding=0+-1");
  op = good, op.axis[0].kernel = 5;
  refuse(op, "larger than the padded input");
  op = good, op.n = op.c = int64_t(1) << 32;
  refuse(op, "addressable");
  op = good, op.n = 0;
  checks.that(gs_pool_forward(&op, nullptr, nullptr, nullptr, nullptr) == GS_OK, "empty");
  checks.that(gs_pool_backward(&op, nullptr, nullptr, nullptr, nullptr, nullptr) == GS_OK, "empty");
}
}  // namespace

int main() {
  require_device();
  Checks checks("pool");
  const gs_pool cases[] = {
      pool(2, 2, 3, {{8, 2, 2, 0, 0, 1, 0, 0}, {6, 2, 2, 0, 0, 1, 0, 0}}),
      pool(2, 1, 8, {{7, 3, 2, 1, 1, 1, 0, 0}, {9, 3, 2, 1, 0, 1, 0, 0}}),   // overlapping
      pool(2, 2, 16, {{5, 2, 2, 0, 0, 1, 1, 0}, {7, 3, 1, 2, 1, 2, 0, 0}}),  // ceil, dilated
      pool(1, 3, 5, {{11, 4, 3, 2, 2, 1, 1, 0}}),
      pool(1, 1, 4, {{2, 5, 1, 0, 0, 1, 1, 0}}),  // overhanging
      pool(1, 1, 4, {{3, 1, 1, 3, 2, 1, 0, 0}}),  // padding alone
      pool(1, 1, 2, {{9, 2, 5, 0, 0, 3, 0, 0}}),  // gaps
      pool(3, 2, 4, {{3, 2, 1, 1, 0, 1, 0, 0}, {4, 3, 2, 0, 1, 1, 0, 0}, {5, 2, 2, 1, 1, 2, 1, 0}}),
      pool(3, 1, 4, {{5, 2, 1, 0, 0, 2, 0, 0}, {6, 2, 2, 0, 0, 3, 0, 0}, {3, 2, 1, 0, 0, 1, 0, 0}}),
      pool(2, 1, 1, {{13, 13, 1, 0, 0, 1, 0, 0}, {11, 11, 1, 0, 0, 1, 0, 0}}),  // global
      pool(2, 3, 37, {{9, 2, 1, 0, 0, 1, 0, 0}, {5, 5, 5, 0, 0, 1, 0, 0}}),
      pool(1, 2, 4, {{0, 2, 1, 1, 1, 1, 0, 0}}),  // no input
      pool(1, 2, 0, {{4, 2, 1, 1, 1, 1, 0, 0}}),
      pool(1, 1, 1, {{1, 1, 1, 0, 0, 1, 0, 0}}),
  };
  for (gs_pool op : cases) {
    for (op.kind = GS_POOL_MAX; op.kind <= GS_POOL_AVERAGE; op.kind++) {
      for (op.layout = GS_NCHW; op.layout <= GS_NHWC; op.layout++) {
        for (op.type = GS_F32; op.type <= GS_F16; op.type++) {
          test(checks, op, 0, false);
          if (op.kind == GS_POOL_MAX) test(checks, op, 1, true);
          op.count_include_pad = 1;
          if (op.kind == GS_POOL_AVERAGE) test(checks, op, 1, false);
          op.count_include_pad = 0;
        }
      }
    }
  }
  refusals(checks);
  return checks.finish();
}
