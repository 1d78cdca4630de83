// Reductions against plain loops in double.
#include <algorithm>

#include "types.h"

namespace {
const TypeInfo kI32{GS_I32, "i32", 4, 0}, kI64{GS_I64, "i64", 8, 0}, kU8{GS_U8, "u8", 1, 0};
const char* const kNames[] = {"sum",         "mean", "max", "min",        "prod",
                              "sum squares", "L1",   "L2",  "log sum exp"};

struct Shape {
  std::vector<int64_t> size, stride;
  uint32_t axes;
};

gs_reduce op_of(int32_t kind, int32_t type, const Shape& s) {
  gs_reduce op{};
  op.kind = kind, op.type = type, op.axes = s.axes, op.x.dims = static_cast<int32_t>(s.size.size());
  std::copy(s.size.begin(), s.size.end(), op.x.size);
  std::copy(s.stride.begin(), s.stride.end(), op.x.stride);
  return op;
}

// Calls f(index in row-major order, place in x, output) for each element.
template <class F>
void for_each(const Shape& s, F f) {
  int64_t count = 1;
  for (int64_t n : s.size) count *= n;
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = i, at = 0, output = 0, y_stride = 1;
    for (int d = static_cast<int>(s.size.size()) - 1; d >= 0; d--) {
      const int64_t digit = rest % s.size[d];
      rest /= s.size[d];
      at += digit * s.stride[d];
      if (!(s.axes >> d & 1)) output += digit * y_stride, y_stride *= s.size[d];
    }
    f(i, at, output);
  }
}

double reduce(int kind, const std::vector<double>& v) {
  double sum = 0, product = 1, max = -INFINITY, min = INFINITY, squares = 0, l1 = 0;
  for (double e : v) {
    sum += e, product *= e, squares += e * e, l1 += std::fabs(e);
    max = e != e || max != max ? NAN : std::fmax(max, e);
    min = e != e || min != min ? NAN : std::fmin(min, e);
  }
  switch (kind) {
    case GS_REDUCTION_SUM:
      return sum;
    case GS_REDUCTION_MEAN:
      return sum / static_cast<double>(v.size());
    case GS_REDUCTION_MAX:
      return max;
    case GS_REDUCTION_MIN:
      return min;
    case GS_REDUCTION_PROD:
      return product;
    case GS_REDUCTION_SUM_SQUARES:
      return squares;
    case GS_REDUCTION_L1:
      return l1;
    case GS_REDUCTION_L2:
      return std::sqrt(squares);
    default: {
      if (max != max || std::isinf(max)) return max;
      double exponentials = 0;
      for (double e : v) exponentials += std::exp(e - max);
      return max + std::log(exponentials);
    }
  }
}

double slope(int kind, const std::vector<double>& v, size_t i, double y) {
  switch (kind) {
    case GS_REDUCTION_SUM:
      return 1;
    case GS_REDUCTION_MEAN:
      return 1 / static_cast<double>(v.size());
    case GS_REDUCTION_MAX:
    case GS_REDUCTION_MIN:
      return v[i] == y || (y != y && v[i] != v[i])
                 ? 1.0 / static_cast<double>(
                             std::count_if(v.begin(), v.end(),
                                           [&](double e) { return e == y || (e != e && y != y); }))
                 : 0;
    case GS_REDUCTION_PROD: {
      double p = 1;
      for (size_t j = 0; j < v.size(); j++) p *= j == i ? 1 : v[j];
      return p;
    }
    case GS_REDUCTION_SUM_SQUARES:
      return 2 * v[i];
    case GS_REDUCTION_L1:
      return v[i] > 0 ? 1 : v[i] < 0 ? -1 : v[i];
    case GS_REDUCTION_L2:
      return y == 0 ? 0 : v[i] / y;
    default:
      return std::exp(v[i] - y);
  }
}

void test(Checks& checks, int32_t kind, const TypeInfo& type, const Shape& s, size_t misaligned,
          bool specials) {
  std::string where = std::string(kNames[kind]) + " " + type.name;
  int64_t extent = 1, outputs = 1, count = 1;
  for (size_t d = 0; d < s.size.size(); d++) {
    where += " " + std::to_string(s.size[d]) + (s.axes >> d & 1 ? "*" : "");
    extent += (s.size[d] - 1) * s.stride[d], count *= s.size[d];
    if (!(s.axes >> d & 1)) outputs *= s.size[d];
  }
  const bool integer = type.epsilon == 0;
  extent = count == 0 ? 0 : extent;
  Random random(kind * 100 + count);
  std::vector<double> x(extent);
  for (auto& v : x) {
    v = integer ? std::floor(random() * 7) : TypedArray::round(type, random() * 2);
    if (type.code == GS_U8) v = std::fabs(v);
    // Near 1, so that products of many stay in range; and equal ones, and zeros.
    if (kind == GS_REDUCTION_PROD && !integer) v = TypedArray::round(type, 1 + v / 32);
    if (specials && !integer) v = std::floor(v);
  }
  if (specials && !integer && extent > 70) {
    x[3] = NAN, x[40] = INFINITY, x[extent - 1] = -INFINITY;
  }
  std::vector<std::vector<double>> elements(outputs);
  std::vector<std::pair<int64_t, size_t>> places(count);
  for_each(s, [&](int64_t i, int64_t at, int64_t o) {
    places[i] = {o, elements[o].size()};
    elements[o].push_back(x[at]);
  });
  const gs_reduce op = op_of(kind, type.code, s);
  TypedArray x_(type, x, misaligned), y_(type, outputs, misaligned);
  int64_t bytes = 0;
  if (!ok(checks, gs_reduce_workspace(&op, &bytes), where)) return;
  Array<unsigned char> space(bytes, 64);
  if (!ok(checks, gs_reduce_forward(&op, x_.data(), y_.data(), space.data(), nullptr), where))
    return;
  const auto y = y_.get(checks, where);
  const double base = type.code == GS_F64 ? 1.2e-16 : 6e-8;
  for (int64_t o = 0; o < outputs; o++) {
    double want = reduce(kind, elements[o]);
    if (integer) {  // small enough to be exact, but for products, which wrap
      int64_t product = 1;
      for (double e : elements[o]) {
        product = (int64_t)((uint64_t)product * (uint64_t)(int64_t)e);
      }
      if (kind == GS_REDUCTION_PROD) want = static_cast<double>(product);
      if (type.code == GS_I32) want = static_cast<int32_t>(static_cast<int64_t>(want));
      if (type.code == GS_U8) {
        want = static_cast<uint8_t>(kind == GS_REDUCTION_PROD ? product : (int64_t)want);
      }
      if (kind == GS_REDUCTION_PROD && type.code == GS_I32) want = static_cast<int32_t>(product);
      checks.close(y[o], want, 0, where);
      continue;
    }
    const bool exact = kind == GS_REDUCTION_MAX || kind == GS_REDUCTION_MIN;
    double magnitude = 0;
    for (double e : elements[o]) magnitude += std::fabs(e);
    // f64 sums: n roundings of f64; exponentials in f32 for f32.
    const double n = static_cast<double>(elements[o].size());
    const double sums = 2.3e-16 * n * (magnitude + 1) * (kind == GS_REDUCTION_SUM_SQUARES ? 2 : 1);
    const double tolerance =
        exact || std::isinf(want)
            ? 0
            : sums + std::fabs(want) * (type.epsilon * 1.01 + 2.3e-16 * n) +
                  (kind == GS_REDUCTION_LOG_SUM_EXP ? 8 * base * (1 + std::fabs(want)) : 0) +
                  (type.code == GS_F16 ? 6e-8 : 0);
    if (!checks.close(y[o], want, tolerance, where)) return;
  }
  if (integer || count == 0) return;
  std::vector<double> dy(outputs);
  for (auto& v : dy) v = TypedArray::round(type, random());
  TypedArray g_(type, dy, misaligned), d_(type, count, misaligned);
  if (!ok(checks,
          gs_reduce_backward(&op, x_.data(), y_.data(), g_.data(), d_.data(), space.data(),
                             nullptr),
          where + " backward")) {
    return;
  }
  const auto dx = d_.get(checks, where);
  std::vector<bool> special(outputs);
  for (int64_t o = 0; o < outputs; o++) {
    for (double e : elements[o]) special[o] = special[o] || e != e || std::isinf(e);
  }
  // The oracle takes a whole depth for an element.
  for (int64_t i = 0; i < count; i += 1 + count / 1000) {
    const auto [o, k] = places[i];
    const auto& v = elements[o];
    if (special[o] && kind != GS_REDUCTION_SUM && kind != GS_REDUCTION_MAX) continue;
    const double want = dy[o] * slope(kind, v, k, y[o]);
    // From the rounded y.
    const double relative = type.epsilon * (kind == GS_REDUCTION_LOG_SUM_EXP ? 8 : 3) +
                            base * (8 + std::fabs(y[o])) + 2.3e-16 * static_cast<double>(v.size());
    const double scale =
        kind == GS_REDUCTION_LOG_SUM_EXP ? std::fabs(dy[o]) * (1 + std::fabs(y[o])) : 0;
    const double tolerance =
        std::fabs(want) * relative + scale * type.epsilon + (type.code == GS_F16 ? 6e-8 : 1e-38);
    if (!checks.close(dx[i], want, tolerance, where + " backward")) return;
  }
}

void refusals(Checks& checks) {
  float v = 0;
  int64_t bytes;
  const Shape s{{3, 2}, {2, 1}, 1};
  const auto refuse = [&](const gs_reduce& op, const char* rule) {
    refused(checks, gs_reduce_forward(&op, &v, &v, &v, nullptr), GS_INVALID_ARGUMENT, rule);
    refused(checks, gs_reduce_workspace(&op, &bytes), GS_INVALID_ARGUMENT, rule);
    refused(checks, gs_reduce_backward(&op, &v, &v, &v, &v, &v, nullptr), GS_INVALID_ARGUMENT,
            rule);
  };
  gs_reduce op = op_of(0, GS_F32, s);
  const auto bad = GS_INVALID_ARGUMENT;
  refused(checks, gs_reduce_forward(nullptr, &v, &v, &v, nullptr), bad, "null");
  refused(checks, gs_reduce_forward(&op, nullptr, &v, &v, nullptr), bad, "null");
  refused(checks, gs_reduce_forward(&op, &v, &v, nullptr, nullptr), bad, "workspace");
  refused(checks, gs_reduce_backward(&op, &v, &v, nullptr, &v, &v, nullptr), bad, "null");
  refused(checks, gs_reduce_workspace(&op, nullptr), bad, "bytes");
  op.kind = 9;
  refuse(op, "kind=9");
  refuse(op_of(GS_REDUCTION_MEAN, GS_I32, s), "type=4");
  refuse(op_of(GS_REDUCTION_SUM, GS_BOOL, s), "type=6");
  op = op_of(0, GS_F32, s), op.axes = 4;
  refuse(op, "axes=0x4");
  op = op_of(0, GS_F32, s), op.x.dims = 9;
  refuse(op, "dims=9");
  op = op_of(0, GS_F32, s), op.x.size[1] = -1;
  refuse(op, "negative");
  refuse(op_of(GS_REDUCTION_MAX, GS_I64, {{0, 2}, {2, 1}, 1}), "empty");
  op = op_of(GS_REDUCTION_SUM, GS_I64, s);
  refused(checks, gs_reduce_backward(&op, &v, &v, &v, &v, &v, nullptr), bad, "floating");
  op = op_of(GS_REDUCTION_SUM, GS_F32, {{3, 0}, {1, 1}, 1});
  checks.that(gs_reduce_forward(&op, nullptr, nullptr, nullptr, nullptr) == GS_OK, "no outputs");
}
}  // namespace

int main() {
  require_device();
  Checks checks("reduce");
  const Shape shapes[] = {
      {{}, {}, 0},
      {{1}, {1}, 1},
      {{31}, {1}, 1},
      {{33}, {1}, 0},                      // nothing is reduced
      {{9, 65}, {65, 1}, 2},               // rows, a warp each
      {{35, 64}, {64, 1}, 2},              // rows, 8 threads each
      {{3, 1033}, {1036, 1}, 2},           // rows, a block each
      {{37, 33}, {33, 1}, 1},              // columns
      {{299, 48}, {48, 1}, 1},             // columns in packs
      {{5, 7, 6}, {42, 6, 1}, 5},          // around the kept dimension
      {{5, 7, 6}, {42, 6, 1}, 2},          // the middle
      {{4, 3, 2, 5}, {30, 10, 5, 1}, 10},  // two apart
      {{6, 8}, {1, 6}, 2},                 // transposed
      {{6, 4}, {0, 1}, 1},                 // broadcast
      {{2, 3}, {20, 4}, 3},                // all, with gaps
      {{0, 3}, {3, 1}, 1},                 // over no elements
      {{2, 1, 40}, {40, 7, 1}, 6},
  };
  for (int32_t kind = GS_REDUCTION_SUM; kind <= GS_REDUCTION_LOG_SUM_EXP; kind++) {
    for (const auto& s : shapes) {
      for (const auto& type : kFloatTypes) {
        test(checks, kind, type, s, 0, false);
        test(checks, kind, type, s, 1, true);
      }
      if (kind == GS_REDUCTION_MEAN || kind > GS_REDUCTION_PROD) continue;
      const bool extreme = kind == GS_REDUCTION_MAX || kind == GS_REDUCTION_MIN;
      if (!s.size.empty() && s.size[0] == 0 && extreme) continue;
      for (const auto& type : {kI32, kI64, kU8}) test(checks, kind, type, s, kind % 2, false);
    }
    // Split depths, of rows and of columns.
    test(checks, kind, kFloatTypes[0], {{2, 20011}, {20012, 1}, 2}, 0, false);
    test(checks, kind, kFloatTypes[1], {{1, 16399}, {16399, 1}, 3}, 1, false);
    test(checks, kind, kFloatTypes[0], {{1031, 33}, {33, 1}, 1}, 0, true);
    test(checks, kind, kFloatTypes[2], {{8200, 16}, {16, 1}, 1}, 0, false);
  }
  test(checks, GS_REDUCTION_SUM, kFloatTypes[0], {{2, 262160}, {262160, 1}, 1}, 0, false);
  // More outputs than blocks.
  test(checks, GS_REDUCTION_SUM, kFloatTypes[0], {{2050, 1025}, {1025, 1}, 2}, 0, false);
  refusals(checks);
  return checks.finish();
}
