// Arg-max, arg-min and the k best against a plain sort of every line; all results are exact.
#include <algorithm>
#include <numeric>

#include "types.h"

namespace {
const TypeInfo kTypes[] = {kFloatTypes[0], kFloatTypes[1],        kFloatTypes[2],
                           kFloatTypes[3], {GS_I32, "i32", 4, 0}, {GS_I64, "i64", 8, 0}};

struct Array2 {  // up to 3 dimensions
  std::vector<int64_t> size, stride;
  int axis;
};

gs_layout layout_of(const Array2& a) {
  gs_layout l{};
  l.dims = static_cast<int32_t>(a.size.size());
  std::copy(a.size.begin(), a.size.end(), l.size);
  std::copy(a.stride.begin(), a.stride.end(), l.stride);
  return l;
}

// The offsets in x of each line, lines row-major over the other dimensions.
std::vector<std::vector<int64_t>> lines_of(const Array2& a) {
  int64_t count = 1;
  for (size_t d = 0; d < a.size.size(); d++) count *= static_cast<int>(d) == a.axis ? 1 : a.size[d];
  std::vector<std::vector<int64_t>> lines(count);
  for (int64_t l = 0; l < count; l++) {
    int64_t rest = l, base = 0;
    for (int d = static_cast<int>(a.size.size()) - 1; d >= 0; d--) {
      if (d == a.axis) continue;
      base += rest % a.size[d] * a.stride[d];
      rest /= a.size[d];
    }
    for (int64_t i = 0; i < a.size[a.axis]; i++) lines[l].push_back(base + i * a.stride[a.axis]);
  }
  return lines;
}

// Many equal ones; NaN, infinities and both zeros in floating types.
std::vector<double> data(const TypeInfo& type, int64_t count) {
  Random random(count);
  std::vector<double> x(count);
  for (int64_t i = 0; i < count; i++) {
    const bool floating = type.epsilon != 0;
    x[i] = floating ? TypedArray::round(type, random() * 9) : std::floor(random() * 1e6);
    switch (i % 17) {
      case 3:
      case 4:
      case 8:
        x[i] = static_cast<double>(random.bits() % 7) - 3;
        break;
      case 5:
        if (floating) x[i] = i % 5 == 0 ? NAN : -0.0;
        break;
      case 6:
        if (floating) x[i] = i % 3 == 0 ? INFINITY : 0;
        break;
      case 7:
        if (floating) x[i] = -INFINITY;
        break;
      default:
        break;
    }
  }
  return x;
}

// NaN above all; the two zeros equal.
int compare(double a, double b) {
  if (a != a || b != b) return (a != a) - (b != b);
  return (a > b) - (a < b);
}

std::string name_of(const TypeInfo& type, const Array2& a) {
  std::string name = type.name;
  for (size_t d = 0; d < a.size.size(); d++) {
    name.append(" ").append(std::to_string(a.size[d])).append(":");
    name.append(std::to_string(a.stride[d]));
  }
  return name.append(" axis ").append(std::to_string(a.axis));
}

int64_t span_of(const Array2& a) {
  int64_t span = 1;
  for (size_t d = 0; d < a.size.size(); d++) span += (a.size[d] - 1) * a.stride[d];
  return span;
}

class Workspace {
 public:
  explicit Workspace(int64_t bytes) : bytes_(static_cast<size_t>(bytes + 256)) {}
  void* data() {
    const auto p = reinterpret_cast<uintptr_t>(bytes_.data());
    return reinterpret_cast<void*>((p + 255) / 256 * 256);
  }

 private:
  Array<unsigned char> bytes_;
};

void arg(Checks& checks, const TypeInfo& type, const Array2& a, size_t misaligned = 0) {
  const auto lines = lines_of(a);
  const auto x = data(type, span_of(a));
  TypedArray x_(type, x, misaligned);
  for (const int kind : {GS_ARG_MAX, GS_ARG_MIN}) {
    for (const int last : {0, 1}) {
      const std::string where = name_of(type, a) + (kind ? " min" : " max") + (last ? " last" : "");
      const gs_arg_reduce op{kind, type.code, a.axis, last, layout_of(a)};
      Array<int64_t> y_(lines.size());
      int64_t bytes = -1;
      ok(checks, gs_arg_reduce_workspace(&op, &bytes), where);
      Workspace space(bytes);
      if (!ok(checks, gs_arg_reduce_run(&op, x_.data(), y_.data(), space.data(), nullptr), where)) {
        continue;
      }
      const auto y = y_.get(checks, where);
      for (size_t l = 0; l < lines.size(); l++) {
        int64_t best = 0;
        for (size_t i = 1; i < lines[l].size(); i++) {
          const double v = x[lines[l][i]], b = x[lines[l][best]];
          const int c = kind == GS_ARG_MAX || v != v || b != b ? compare(v, b) : compare(b, v);
          if (c > 0 || (c == 0 && last)) best = static_cast<int64_t>(i);
        }
        if (!checks.close(static_cast<double>(y[l]), static_cast<double>(best), 0, where)) break;
      }
    }
  }
}

void top(Checks& checks, const TypeInfo& type, const Array2& a, int64_t k, bool largest,
         size_t misaligned = 0) {
  const std::string where =
      name_of(type, a) + (largest ? " largest " : " smallest ") + std::to_string(k);
  const auto lines = lines_of(a);
  const auto x = data(type, span_of(a));
  const int64_t size = a.size[a.axis];
  gs_top_k op{type.code, a.axis, largest, 0, k, layout_of(a)};
  TypedArray x_(type, x, misaligned), values_(type, lines.size() * k, misaligned);
  Array<int64_t> indices_(lines.size() * k);
  int64_t bytes = -1, inner = 1;
  ok(checks, gs_top_k_workspace(&op, &bytes), where);
  Workspace space(bytes);
  if (!ok(checks,
          gs_top_k_forward(&op, x_.data(), values_.data(), indices_.data(), space.data(), nullptr),
          where)) {
    return;
  }
  const auto values = values_.get(checks, where);
  const auto indices = indices_.get(checks, where);
  for (size_t d = a.axis + 1; d < a.size.size(); d++) inner *= a.size[d];
  const bool floating = type.epsilon != 0;
  std::vector<double> dy(lines.size() * k), dx(lines.size() * size);
  for (size_t i = 0; i < dy.size(); i++) dy[i] = static_cast<double>(i % 100 + 1);
  for (size_t l = 0; l < lines.size(); l++) {
    std::vector<int64_t> order(size);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t p, int64_t q) {
      const int c = compare(x[lines[l][p]], x[lines[l][q]]);
      return largest ? c > 0 : c < 0;
    });
    const auto line = static_cast<int64_t>(l);
    for (int64_t j = 0; j < k; j++) {
      const int64_t at = (line / inner * k + j) * inner + line % inner;
      const double want = x[lines[l][order[j]]];
      if (!checks.close(static_cast<double>(indices[at]), static_cast<double>(order[j]), 0,
                        where + " place " + std::to_string(j)) ||
          !checks.close(values[at], want, 0, where)) {
        return;
      }
      checks.that(std::signbit(values[at]) == std::signbit(want) || want != want, where + " sign");
      dx[(line / inner * size + order[j]) * inner + line % inner] = dy[at];
    }
  }
  if (!floating) return;
  TypedArray dy_(type, dy), dx_(type, dx.size());
  ok(checks, gs_top_k_backward(&op, dy_.data(), indices_.data(), dx_.data(), space.data(), nullptr),
     where);
  const auto got = dx_.get(checks, where);
  for (size_t i = 0; i < dx.size(); i++) {
    if (!checks.close(got[i], dx[i], 0, where + " gradient")) return;
  }
}

// Integers that no double tells apart, and places out of range.
void exact(Checks& checks) {
  const std::vector<int64_t> x{INT64_MAX - 1, INT64_MAX, INT64_MIN + 1, INT64_MIN};
  Array<int64_t> x_(x), values(4), y(4);
  gs_top_k op{GS_I64, 0, 1, 0, 4, layout_of({{4}, {1}, 0})};
  Workspace space(256);
  ok(checks, gs_top_k_forward(&op, x_.data(), values.data(), y.data(), space.data(), nullptr), "");
  checks.that(y.get(checks, "") == std::vector<int64_t>{1, 0, 2, 3}, "largest of i64");
  op.largest = 0;
  ok(checks, gs_top_k_forward(&op, x_.data(), values.data(), y.data(), space.data(), nullptr), "");
  checks.that(y.get(checks, "") == std::vector<int64_t>{3, 2, 0, 1}, "smallest of i64");

  gs_top_k floats{GS_F32, 0, 1, 0, 2, layout_of({{4}, {1}, 0})};
  Array<float> dy(std::vector<float>{5, 6}), dx(4);
  Array<int64_t> indices(std::vector<int64_t>{4, 2});
  ok(checks,
     gs_top_k_backward(&floats, dy.data(), indices.data(), dx.data(), space.data(), nullptr),
     "a bad index");
  int64_t bad = -2;
  gs_copy_to_host(&bad, space.data(), 8, nullptr);
  checks.that(bad == 0 && dx.get(checks, "") == std::vector<float>{0, 0, 6, 0}, "a bad index");
}

void refusals(Checks& checks) {
  float v = 0;
  int64_t i = 0;
  const auto bad = GS_INVALID_ARGUMENT;
  gs_arg_reduce arg{GS_ARG_MAX, GS_F32, 0, 0, layout_of({{3}, {1}, 0})};
  gs_top_k top{GS_F32, 0, 1, 0, 2, layout_of({{3}, {1}, 0})};
  const auto refuse = [&](const char* rule) {
    refused(checks, gs_arg_reduce_run(&arg, &v, &i, &v, nullptr), bad, rule);
  };
  const auto refuse_top = [&](const char* rule) {
    refused(checks, gs_top_k_forward(&top, &v, &v, &i, &v, nullptr), bad, rule);
  };
  refused(checks, gs_arg_reduce_run(&arg, nullptr, &i, &v, nullptr), bad, "null");
  refused(checks, gs_top_k_forward(&top, &v, &v, nullptr, &v, nullptr), bad, "null");
  refused(checks, gs_top_k_workspace(&top, nullptr), bad, "null");
  arg.kind = 2;
  refuse("kind=2");
  arg.kind = 0, arg.type = GS_U8;
  refuse("type=7");
  arg.type = GS_F32, arg.axis = 1;
  refuse("axis=1");
  arg.axis = 0, arg.x.size[0] = 0;
  refuse("empty");
  arg.x.dims = 9;
  refuse("dims=9");
  top.k = 4;
  refuse_top("k=4");
  top.k = -1;
  refuse_top("k=-1");
  top.k = 1, top.x.size[0] = -1;
  refuse_top("negative");
  top.x.size[0] = 3, top.type = GS_BOOL;
  refuse_top("type=6");
  top.type = GS_I32;
  refused(checks, gs_top_k_backward(&top, &v, &i, &v, &v, nullptr), bad, "floating");
  top.x.size[0] = int64_t(1) << 33, top.x.stride[0] = 0, top.k = int64_t(1) << 20;
  refused(checks, gs_top_k_forward(&top, &v, &v, &i, &v, nullptr), GS_UNSUPPORTED, "2^32");
}
}  // namespace

int main() {
  require_device();
  Checks checks("order");
  for (const auto& type : kTypes) {
    const bool first = type.code == GS_F32;
    for (const int64_t n : {1, 2, 31, 33, 257}) {
      if (!first && n != 33) continue;
      const Array2 row{{n}, {1}, 0}, rows{{2, n}, {n, 1}, 1}, cols{{n, 3}, {3, 1}, 0};
      for (const auto& a : {row, rows, cols}) {
        arg(checks, type, a);
        for (const int64_t k : {int64_t(0), int64_t(1), n / 2, n}) {
          top(checks, type, a, k, n % 2 == 0);
        }
      }
    }
    arg(checks, type, {{3, 5, 65}, {325, 65, 1}, 1});
    arg(checks, type, {{1100}, {1}, 0}, 1);
    top(checks, type, {{3, 5, 40}, {200, 40, 1}, 1}, 3, true);
    top(checks, type, {{1, 1300}, {1300, 1}, 1}, 40, true, 1);               // selected by radix
    top(checks, type, {{2, 1300}, {1300, 1}, 1}, first ? 1024 : 90, false);  // the most of it
    top(checks, type, {{first ? 2 : 1, 1100}, {1100, 1}, 1}, 1025, true);    // sorted
  }
  const TypeInfo& f32 = kTypes[0];
  arg(checks, f32, {{300, 20}, {1, 300}, 0});        // lines of a transposed array
  arg(checks, f32, {{3, 7}, {20, 2}, 1});            // gaps
  arg(checks, f32, {{3, 7}, {0, 1}, 1});             // the same line three times
  arg(checks, f32, {{5, 7}, {1, 0}, 1});             // equal elements
  arg(checks, f32, {{16500}, {1}, 0});               // rows that are split
  arg(checks, kTypes[4], {{1000, 40}, {40, 1}, 0});  // columns that are split
  top(checks, f32, {{20, 300}, {300, 1}, 0}, 7, false);
  top(checks, f32, {{40, 300}, {1, 40}, 1}, 200, true);
  top(checks, f32, {{5, 7}, {1, 0}, 1}, 4, true);
  top(checks, f32, {{2, 32770}, {32770, 1}, 1}, 5, true);  // lines that are split: a part of 2
  top(checks, kTypes[5], {{33000}, {1}, 0}, 5, false);
  top(checks, f32, {{3, 1100}, {1, 3}, 1}, 1100, true);
  arg(checks, f32, {{0, 3}, {3, 1}, 1});
  exact(checks);
  refusals(checks);
  return checks.finish();
}
