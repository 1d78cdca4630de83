// Elementwise functions against the C library in double.
#include "types.h"

namespace {
const TypeInfo kI32{GS_I32, "i32", 4, 0}, kI64{GS_I64, "i64", 8, 0}, kBool{GS_BOOL, "bool", 1, 0};

double cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double value(int f, double x, double a, double b) {
  switch (f) {
    case GS_NEG:
      return -x;
    case GS_ABS:
      return std::fabs(x);
    case GS_SQUARE:
      return x * x;
    case GS_SIGN:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case GS_CLAMP:
      return x != x ? x : std::fmin(std::fmax(x, a), b);
    case GS_SQRT:
      return std::sqrt(x);
    case GS_RSQRT:
      return 1 / std::sqrt(x);
    case GS_RECIPROCAL:
      return 1 / x;
    case GS_EXP:
      return std::exp(x);
    case GS_LOG:
      return std::log(x);
    case GS_SIN:
      return std::sin(x);
    case GS_COS:
      return std::cos(x);
    case GS_FLOOR:
      return std::floor(x);
    case GS_CEIL:
      return std::ceil(x);
    case GS_ROUND:
      return std::nearbyint(x);
    case GS_ERF:
      return std::erf(x);
    case GS_U_RELU:
      return x > 0 || x != x ? x : 0;
    case GS_LEAKY_RELU:
      return x >= 0 ? x : a * x;
    case GS_ELU:
      return x >= 0 ? x : a * std::expm1(x);
    case GS_U_GELU:
      return x * cdf(x);
    case GS_U_GELU_TANH:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case GS_SILU:
      return x * sigmoid(x);
    case GS_SIGMOID:
      return sigmoid(x);
    case GS_TANH:
      return std::tanh(x);
    case GS_TAN:
      return std::tan(x);
    case GS_ASIN:
      return std::asin(x);
    case GS_ACOS:
      return std::acos(x);
    case GS_ATAN:
      return std::atan(x);
    case GS_SINH:
      return std::sinh(x);
    case GS_COSH:
      return std::cosh(x);
    case GS_ASINH:
      return std::asinh(x);
    case GS_ACOSH:
      return std::acosh(x);
    case GS_ATANH:
      return std::atanh(x);
    default:
      return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
  }
}
bool saves_result(int f) {
  return f == GS_SQRT || f == GS_RSQRT || f == GS_RECIPROCAL || f == GS_EXP || f == GS_SIGMOID ||
         f == GS_TANH || f == GS_TAN;
}
bool has_gradient(int f) { return f != GS_SIGN && f != GS_FLOOR && f != GS_CEIL && f != GS_ROUND; }
bool positive(int f) { return f == GS_SQRT || f == GS_RSQRT || f == GS_LOG || f == GS_RECIPROCAL; }
bool within_one(int f) { return f == GS_TAN || f == GS_ASIN || f == GS_ACOS || f == GS_ATANH; }

void unary(Checks& checks, int f, const TypeInfo& type, int64_t count, size_t misaligned) {
  const std::string where =
      "unary " + std::to_string(f) + " " + type.name + " " + std::to_string(count);
  const bool integer = type.epsilon == 0;
  const double a = f == GS_CLAMP ? -0.5 : 0.25, b = 0.75;
  Random random(f * 100 + count);
  std::vector<double> x(count), dy(count);
  for (auto& v : x) {
    v = random() * 3;
    if (positive(f)) v = std::fabs(v) + 0.5;
    if (within_one(f)) v *= 0.3;
    if (f == GS_ACOSH) v = std::fabs(v) + 1.5;
    v = integer ? std::floor(v) : TypedArray::round(type, v);
  }
  for (auto& v : dy) v = TypedArray::round(integer ? kFloatTypes[0] : type, random());
  if (count > 20 && !integer) {
    x[3] = NAN, x[4] = 0, x[5] = -0.0;
    if (f != GS_U_GELU && f != GS_U_GELU_TANH && f != GS_SILU) x[6] = INFINITY;
  }
  TypedArray in(type, x, misaligned), out(type, count, misaligned);
  if (!ok(checks, gs_unary_forward(f, type.code, count, a, b, in.data(), out.data(), nullptr),
          where)) {
    return;
  }
  const auto y = out.get(checks, where);
  const double base = type.code == GS_F64 ? 1.2e-16 : 6e-8;
  const double bottom = type.code == GS_F16 ? 6e-8 : 1e-38;
  for (int64_t i = 0; i < count; i++) {
    const double want =
        integer && f == GS_CLAMP ? std::fmin(std::fmax(x[i], 0), 0) : value(f, x[i], a, b);
    // A few units in the last place; tanh GELU and softplus add terms of that size.
    const double tolerance =
        std::isinf(want) ? 0
                         : std::fabs(want) * (type.epsilon * 1.01 + 16 * base) +
                               (integer ? 0 : 8 * base * std::fmin(1, std::fabs(x[i]))) + bottom;
    if (!checks.close(y[i], want, tolerance, where + " x=" + std::to_string(x[i]))) return;
  }
  if (!has_gradient(f) || integer) return;
  TypedArray g(type, dy, misaligned), d(type, count, misaligned);
  auto& saved = saves_result(f) ? out : in;
  if (!ok(checks,
          gs_unary_backward(f, type.code, count, a, b, saved.data(), g.data(), d.data(), nullptr),
          where)) {
    return;
  }
  const auto got = d.get(checks, where);
  for (int64_t i = 0; i < count; i++) {
    if (x[i] != x[i] || std::isinf(x[i]) || x[i] == 0) continue;
    const double h = 1e-5;  // central differences: good to 1e-9, away from kinks
    if ((f == GS_CLAMP && (std::fabs(x[i] - a) < 0.01 || std::fabs(x[i] - b) < 0.01)) ||
        std::fabs(x[i]) < 0.01) {
      continue;
    }
    const double want = dy[i] * (value(f, x[i] + h, a, b) - value(f, x[i] - h, a, b)) / (2 * h);
    // From the rounded y: its error counts three times in y^3.
    const double tolerance =
        std::fabs(dy[i]) * 1e-7 + std::fabs(want) * (type.epsilon * 8 + 32 * base) +
        std::fabs(dy[i]) * (saves_result(f) ? 4 * type.epsilon * (1 + std::fabs(y[i] * y[i])) : 0) +
        std::fabs(dy[i]) * 16 * base + bottom;
    if (!checks.close(got[i], want, tolerance, where + " backward x=" + std::to_string(x[i])))
      return;
  }
  ok(checks,
     gs_unary_backward(f, type.code, count, a, b, saved.data(), g.data(), saved.data(), nullptr),
     where);
  checks.that(memcmp(saved.get(checks, where).data(), got.data(), count * 8) == 0 || count > 20,
              where + " in place");
}

double function(int kind, double p, double q, bool integer) {
  switch (kind) {
    case GS_ADD:
      return p + q;
    case GS_SUB:
      return p - q;
    case GS_MUL:
      return p * q;
    case GS_DIV:
      return integer ? (q == 0 ? 0 : std::trunc(p / q)) : p / q;
    case GS_MAX:
      return p != p || q != q ? NAN : std::fmax(p, q);
    case GS_MIN:
      return p != p || q != q ? NAN : std::fmin(p, q);
    case GS_POW:
      return integer && q < 0 ? (std::fabs(p) == 1 ? std::pow(p, q) : 0) : std::pow(p, q);
    case GS_EQ:
      return p == q;
    case GS_NE:
    case GS_XOR:
      return p != q;
    case GS_LT:
      return p < q;
    case GS_LE:
      return p <= q;
    case GS_GT:
      return p > q;
    case GS_GE:
      return p >= q;
    case GS_AND:
      return p != 0 && q != 0;
    default:
      return p != 0 || q != 0;
  }
}

void binary(Checks& checks, int kind, const TypeInfo& type, const gs_binary_layout& l,
            size_t misaligned) {
  const std::string where =
      "binary " + std::to_string(kind) + " " + type.name + " dims " + std::to_string(l.dims);
  int64_t count = 1, extent_a = 1, extent_b = 1, extent_y = 1;
  for (int d = 0; d < l.dims; d++) {
    count *= l.size[d];
    extent_a += (l.size[d] - 1) * l.stride_a[d];
    extent_b += (l.size[d] - 1) * l.stride_b[d];
    extent_y += (l.size[d] - 1) * l.stride_y[d];
  }
  const bool integer = type.epsilon == 0, predicate = kind >= GS_EQ;
  Random random(kind * 10 + count);
  std::vector<double> a(extent_a), b(extent_b);
  const auto draw = [&] {
    if (type.code == GS_BOOL) return static_cast<double>(random.bits() % 2);
    const double v = random() * (integer ? 7 : 2);
    return integer ? std::floor(v) : TypedArray::round(type, v);
  };
  for (auto& v : a)
    v = kind == GS_POW && !integer ? TypedArray::round(type, std::fabs(draw())) : draw();
  for (auto& v : b) v = draw();
  if (extent_a > 20 && !integer) a[3] = NAN;
  if (extent_b > 20 && !integer) b[5] = NAN, b[6] = a[6];
  const TypeInfo& result = predicate ? kBool : type;
  TypedArray a_(type, a, misaligned), b_(type, b, misaligned), y_(result, extent_y, misaligned);
  const auto before = y_.get(checks, where);
  if (!ok(checks, gs_binary(kind, type.code, &l, a_.data(), b_.data(), y_.data(), nullptr),
          where)) {
    return;
  }
  const auto y = y_.get(checks, where);
  std::vector<bool> written(extent_y);
  const double base = type.code == GS_F64 ? 1.2e-16 : 6e-8;
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = i, pa = 0, pb = 0, py = 0;
    for (int d = l.dims - 1; d >= 0; d--) {
      const int64_t index = rest % l.size[d];
      rest /= l.size[d];
      pa += index * l.stride_a[d], pb += index * l.stride_b[d], py += index * l.stride_y[d];
    }
    written[py] = true;
    const double want = function(kind, a[pa], b[pb], integer);
    const double tolerance = integer || predicate
                                 ? 0
                                 : std::fabs(want) * (type.epsilon * 1.01 + 16 * base) +
                                       (type.code == GS_F16 ? 6e-8 : 1e-38);
    if (!checks.close(y[py], want, std::isinf(want) ? 0 : tolerance,
                      where + " of " + std::to_string(a[pa]) + ", " + std::to_string(b[pb]))) {
      return;
    }
  }
  for (int64_t i = 0; i < extent_y; i++) {
    if (!written[i]) checks.close(y[i], before[i], 0, where + " gap");
  }
}

void specials(Checks& checks) {
  // Wrapping, and the signs of zeros.
  const int32_t low = INT32_MIN;
  Array<int32_t> a(std::vector<int32_t>{low, low, INT32_MAX, 5}),
      b(std::vector<int32_t>{-1, 1, 1, 0}), y(4);
  gs_binary_layout l{};
  l.dims = 1, l.size[0] = 4, l.stride_a[0] = l.stride_b[0] = l.stride_y[0] = 1;
  ok(checks, gs_binary(GS_DIV, GS_I32, &l, a.data(), b.data(), y.data(), nullptr), "div");
  auto got = y.get(checks, "div");
  checks.that(got == std::vector<int32_t>{low, low, INT32_MAX, 0}, "integer division");
  ok(checks, gs_binary(GS_ADD, GS_I32, &l, a.data(), b.data(), y.data(), nullptr), "add");
  got = y.get(checks, "add");
  checks.that(got == std::vector<int32_t>{INT32_MAX, low + 1, low, 5}, "wrapping addition");
  ok(checks, gs_unary_forward(GS_NEG, GS_I32, 4, 0, 0, a.data(), y.data(), nullptr), "neg");
  checks.that(y.get(checks, "neg")[0] == low, "wrapping negation");
  Array<float> p(std::vector<float>{0.f, -0.f, 0.f, -0.f}),
      q(std::vector<float>{-0.f, 0.f, 0.f, -0.f}), r(4);
  ok(checks, gs_binary(GS_MAX, GS_F32, &l, p.data(), q.data(), r.data(), nullptr), "max");
  auto zeros = r.get(checks, "max");
  checks.that(!std::signbit(zeros[0]) && !std::signbit(zeros[1]) && std::signbit(zeros[3]),
              "max of 0");
  ok(checks, gs_binary(GS_MIN, GS_F32, &l, p.data(), q.data(), r.data(), nullptr), "min");
  zeros = r.get(checks, "min");
  checks.that(std::signbit(zeros[0]) && std::signbit(zeros[1]) && !std::signbit(zeros[2]),
              "min of 0");
}

void refusals(Checks& checks) {
  float x = 0;
  gs_binary_layout l{};
  l.dims = 1, l.size[0] = 1;
  const auto bad = GS_INVALID_ARGUMENT;
  refused(checks, gs_unary_forward(34, GS_F32, 1, 0, 0, &x, &x, nullptr), bad, "function=34");
  refused(checks, gs_unary_forward(GS_EXP, GS_I32, 1, 0, 0, &x, &x, nullptr), bad, "type=4");
  refused(checks, gs_unary_forward(GS_EXP, GS_F32, -1, 0, 0, &x, &x, nullptr), bad, "count=-1");
  refused(checks, gs_unary_forward(GS_EXP, GS_F32, 1, 0, 0, nullptr, &x, nullptr), bad, "null");
  refused(checks, gs_unary_backward(GS_SIGN, GS_F32, 1, 0, 0, &x, &x, &x, nullptr), bad,
          "gradient");
  refused(checks, gs_unary_backward(GS_NEG, GS_I64, 1, 0, 0, &x, &x, &x, nullptr), bad, "type=5");
  refused(checks, gs_binary(16, GS_F32, &l, &x, &x, &x, nullptr), bad, "kind=16");
  refused(checks, gs_binary(GS_ADD, GS_BOOL, &l, &x, &x, &x, nullptr), bad, "type=6");
  refused(checks, gs_binary(GS_AND, GS_F32, &l, &x, &x, &x, nullptr), bad, "kind=13");
  refused(checks, gs_binary(GS_ADD, GS_F32, nullptr, &x, &x, &x, nullptr), bad, "dims=-1");
  refused(checks, gs_binary(GS_ADD, GS_F32, &l, &x, nullptr, &x, nullptr), bad, "null");
  l.size[0] = -2;
  refused(checks, gs_binary(GS_ADD, GS_F32, &l, &x, &x, &x, nullptr), bad, "size[0]=-2");
  l.size[0] = 0;
  checks.that(gs_binary(GS_ADD, GS_F32, &l, nullptr, nullptr, nullptr, nullptr) == GS_OK, "empty");
  checks.that(gs_unary_forward(GS_EXP, GS_F32, 0, 0, 0, nullptr, nullptr, nullptr) == GS_OK,
              "empty");
}
}  // namespace

int main() {
  require_device();
  Checks checks("elementwise");
  for (const auto& type : kFloatTypes) {
    for (int f = GS_NEG; f <= GS_ATANH; f++) {
      unary(checks, f, type, 67, 0);
      unary(checks, f, type, 19, 1);
    }
    for (const int64_t count : {1, 3, 4, 5, 1023, 1024, 1025})
      unary(checks, GS_EXP, type, count, 0);
  }
  for (const auto& type : {kI32, kI64}) {
    for (int f = GS_NEG; f <= GS_CLAMP; f++) unary(checks, f, type, 67, f % 2);
  }
  gs_binary_layout flat{}, rows{}, outer{}, gaps{};
  flat.dims = 2, flat.size[0] = 7, flat.size[1] = 11;
  for (auto* s : {flat.stride_a, flat.stride_b, flat.stride_y}) s[0] = 11, s[1] = 1;
  rows = flat, rows.stride_b[0] = 0;  // a row added to each
  outer = flat, outer.stride_a[1] = 0, outer.stride_a[0] = 1, outer.stride_b[0] = 0;
  gaps.dims = 4;
  for (int d = 0; d < 4; d++) gaps.size[d] = d == 1 ? 1 : 3 + d;
  gaps.stride_y[3] = 2, gaps.stride_y[2] = 14, gaps.stride_y[0] = 80;
  gaps.stride_a[3] = 5, gaps.stride_a[2] = 1, gaps.stride_a[0] = 40;  // transposed
  gaps.stride_b[2] = 1, gaps.stride_b[0] = 9;
  gs_binary_layout scalar{}, columns = flat;
  columns.stride_b[0] = 1, columns.stride_b[1] = 0;  // a column added to each
  for (const auto& l : {flat, rows, columns, outer, gaps, scalar}) {
    for (int kind = GS_ADD; kind <= GS_GE; kind++) {
      for (const auto& type : kFloatTypes) binary(checks, kind, type, l, kind % 2);
      binary(checks, kind, kI32, l, 0);
      binary(checks, kind, kI64, l, 1);
    }
    for (const int kind : {GS_EQ, GS_NE, GS_AND, GS_OR, GS_XOR}) binary(checks, kind, kBool, l, 0);
  }
  specials(checks);
  refusals(checks);
  return checks.finish();
}
