// Softmax against plain loops in double.
#include "types.h"

namespace {
struct Shape {
  int64_t outer, size, inner;
};

void compute(const std::vector<double>& x, const Shape& s, bool log_form, std::vector<double>& y) {
  y.resize(x.size());
  for (int64_t o = 0; o < s.outer; o++) {
    for (int64_t n = 0; n < s.inner; n++) {
      const auto at = [&](int64_t c) { return (o * s.size + c) * s.inner + n; };
      double max = -INFINITY, sum = 0;
      for (int64_t c = 0; c < s.size; c++) max = std::fmax(max, x[at(c)]);
      for (int64_t c = 0; c < s.size; c++) sum += std::exp(x[at(c)] - max);
      for (int64_t c = 0; c < s.size; c++) {
        const double v = x[at(c)] - max;
        y[at(c)] = log_form ? v - std::log(sum) : std::exp(v) / sum;
      }
    }
  }
}

// misaligned, other: elements that x, dy and that y, dx lie behind an aligned address.
void test(Checks& checks, const TypeInfo& type, const Shape& shape, bool log_form, double range,
          size_t misaligned, size_t other) {
  const std::string where = std::string(log_form ? "log_softmax " : "softmax ") + type.name + " " +
                            std::to_string(shape.outer) + "x" + std::to_string(shape.size) + "x" +
                            std::to_string(shape.inner);
  const gs_softmax op{shape.outer, shape.size, shape.inner, type.code, log_form};
  const int64_t count = shape.outer * shape.size * shape.inner;
  Random random(count);
  std::vector<double> x(count), dy(count), y, stored(count);
  for (auto& v : x) v = TypedArray::round(type, random() * range);
  for (auto& v : dy) v = TypedArray::round(type, random());
  if (count > 40) x[7] = -INFINITY;
  TypedArray x_(type, x, misaligned), y_(type, count, other);
  if (!ok(checks, gs_softmax_forward(&op, x_.data(), y_.data(), nullptr), where)) return;
  compute(x, shape, log_form, y);
  const auto got = y_.get(checks, where);
  // A sum of n terms in order: a few roundings each; log: absolute errors of x - max and log.
  const double terms = 8 + 0.1 * static_cast<double>(shape.size);
  const double base = type.code == GS_F64 ? 1.2e-16 : 6e-8;
  for (int64_t i = 0; i < count; i++) {
    const double size = log_form ? std::fabs(y[i]) + 1 : y[i];
    const double tolerance = std::isinf(y[i])
                                 ? 0
                                 : size * (type.epsilon * 1.01 + terms * base) +
                                       (log_form ? 2 * range * base : range * base * y[i]) +
                                       (type.code == GS_F16 ? 6e-8 : 1e-40);
    if (!checks.close(got[i], y[i], tolerance, where + " at " + std::to_string(i))) return;
  }
  // In place: the same bits where packs are cut alike.
  if (!ok(checks, gs_softmax_forward(&op, x_.data(), x_.data(), nullptr), where)) return;
  checks.that(other != misaligned ||
                  memcmp(x_.get(checks, where).data(), got.data(), count * sizeof(double)) == 0,
              where + ": in place differs");
  // Backward, from the stored result.
  TypedArray g_(type, dy, misaligned), d_(type, count, other);
  if (!ok(checks, gs_softmax_backward(&op, y_.data(), g_.data(), d_.data(), nullptr), where))
    return;
  const auto d = d_.get(checks, where);
  for (int64_t o = 0; o < shape.outer; o++) {
    for (int64_t n = 0; n < shape.inner; n++) {
      const auto at = [&](int64_t c) { return (o * shape.size + c) * shape.inner + n; };
      double dot = 0, absolute = 0;
      for (int64_t c = 0; c < shape.size; c++) {
        const double term = log_form ? dy[at(c)] : dy[at(c)] * got[at(c)];
        dot += term;
        absolute += std::fabs(term);
      }
      for (int64_t c = 0; c < shape.size; c++) {
        const double p = log_form ? std::exp(got[at(c)]) : got[at(c)];
        const double want = log_form ? dy[at(c)] - p * dot : p * (dy[at(c)] - dot);
        const double size = p * (absolute + 1) + (log_form ? std::fabs(dy[at(c)]) : 0);
        const double tolerance = size * (terms * base + 4 * base * (1 + std::fabs(got[at(c)]))) +
                                 std::fabs(want) * type.epsilon * 1.01 +
                                 (type.code == GS_F16 ? 6e-8 : 1e-40);
        if (!checks.close(d[at(c)], want, tolerance, where + " backward")) return;
      }
    }
  }
  if (!ok(checks, gs_softmax_backward(&op, y_.data(), g_.data(), g_.data(), nullptr), where))
    return;
  checks.that(other != misaligned ||
                  memcmp(g_.get(checks, where).data(), d.data(), count * sizeof(double)) == 0,
              where + ": backward in place differs");
}

void specials(Checks& checks) {
  const double inf = INFINITY;
  const std::vector<std::vector<double>> rows = {
      {1, NAN, 2},      {1, inf, 2},     {-inf, -inf, -inf}, {-inf, 3, -inf},
      {1e38, -1e38, 0}, {-inf, -inf, 5}, {inf, -inf, 0}};
  for (const int64_t inner : {1, 2}) {
    for (const bool log_form : {false, true}) {
      for (const auto& row : rows) {
        std::vector<double> x, y;
        for (double v : row) {
          for (int64_t i = 0; i < inner; i++) x.push_back(v);
        }
        const Shape shape{1, 3, inner};
        const gs_softmax op{1, 3, inner, GS_F32, log_form};
        TypedArray a(kFloatTypes[0], x), b(kFloatTypes[0], x.size());
        if (!ok(checks, gs_softmax_forward(&op, a.data(), b.data(), nullptr), "specials")) return;
        compute(x, shape, log_form, y);
        const bool bad = row[0] != row[0] || row[1] != row[1] || row[0] == inf || row[1] == inf ||
                         (row[0] == -inf && row[1] == -inf && row[2] == -inf);
        const auto got = b.get(checks, "specials");
        for (size_t i = 0; i < x.size(); i++) {
          checks.close(got[i], bad ? NAN : TypedArray::round(kFloatTypes[0], y[i]), 0, "specials");
        }
      }
    }
  }
}

void refusals(Checks& checks) {
  float x = 0;
  gs_softmax op{1, 1, 1, GS_F32, 0};
  refused(checks, gs_softmax_forward(nullptr, &x, &x, nullptr), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_softmax_forward(&op, nullptr, &x, nullptr), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_softmax_backward(&op, &x, nullptr, &x, nullptr), GS_INVALID_ARGUMENT, "null");
  op.type = GS_I32;
  refused(checks, gs_softmax_forward(&op, &x, &x, nullptr), GS_INVALID_ARGUMENT, "type=4");
  op = {-1, 1, 1, GS_F32, 0};
  refused(checks, gs_softmax_forward(&op, &x, &x, nullptr), GS_INVALID_ARGUMENT, "outer=-1");
  op = {int64_t(1) << 40, int64_t(1) << 40, 1, GS_F32, 0};
  refused(checks, gs_softmax_forward(&op, &x, &x, nullptr), GS_INVALID_ARGUMENT, "addressable");
  for (const gs_softmax& zero : {gs_softmax{0, 5, 1, GS_F32, 0}, gs_softmax{5, 0, 3, GS_F32, 1}}) {
    checks.that(gs_softmax_forward(&zero, nullptr, nullptr, nullptr) == GS_OK, "zero sizes");
    checks.that(gs_softmax_backward(&zero, nullptr, nullptr, nullptr, nullptr) == GS_OK, "zero");
  }
}
}  // namespace

int main() {
  require_device();
  Checks checks("softmax");
  for (const auto& type : kFloatTypes) {
    for (const bool log_form : {false, true}) {
      for (const Shape& shape : {Shape{1, 1, 1},
                                 {9, 31, 1},
                                 {9, 32, 1},
                                 {35, 64, 1},
                                 {33, 65, 1},
                                 {9, 257, 1},
                                 {3, 1024, 1},
                                 {2, 1025, 1},
                                 {2, 4097, 1},
                                 {1, 8200, 1},
                                 {2, 1, 3},
                                 {3, 17, 5},
                                 {2, 5, 260}}) {
        test(checks, type, shape, log_form, 8, shape.size % 2, shape.size % 2);
      }
    }
  }
  test(checks, kFloatTypes[0], {2, 50257, 1}, false, 20, 1, 1);
  test(checks, kFloatTypes[0], {2, 50257, 1}, true, 20, 0, 0);
  test(checks, kFloatTypes[0], {1, 60001, 1}, false, 20, 0, 0);  // more than is held
  test(checks, kFloatTypes[2], {1, 70001, 1}, false, 20, 0, 0);
  test(checks, kFloatTypes[2], {3, 77, 1}, false, 8, 0, 1);  // not aligned alike
  test(checks, kFloatTypes[0], {2, 4100, 1}, false, 8, 1, 0);
  test(checks, kFloatTypes[0], {1, 300, 2}, false, 90, 0, 0);  // overflows without the shift
  specials(checks);
  refusals(checks);
  return checks.finish();
}
