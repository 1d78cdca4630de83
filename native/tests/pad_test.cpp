// Padding and its gradient against loops that walk one element at a time.
#include <algorithm>

#include "types.h"

namespace {
const TypeInfo kTypes[] = {kFloatTypes[0],          kFloatTypes[1],        kFloatTypes[2],
                           kFloatTypes[3],          {GS_I32, "i32", 4, 0}, {GS_I64, "i64", 8, 0},
                           {GS_BOOL, "bool", 1, 0}, {GS_U8, "u8", 1, 0}};

using Sizes = std::vector<int64_t>;
struct Case {
  Sizes size, before, after;
};

// Walks from the nearer end to place p, which may lie outside; -1: the constant.
int64_t walk(int mode, int64_t p, int64_t size) {
  if (p >= 0 && p < size) return p;
  if (mode == GS_PAD_CONSTANT) return -1;
  int64_t at = p < 0 ? 0 : size - 1;
  const int64_t direction = p < 0 ? 1 : -1;
  for (int64_t i = 0; i < (p < 0 ? -p : p - size + 1); i++) {
    if (mode == GS_PAD_REFLECT) at += direction;
    if (mode == GS_PAD_CIRCULAR) at = (at - direction + size) % size;
  }
  return at;
}

gs_pad pad_of(int mode, int32_t type, const Case& c) {
  gs_pad op{};
  op.mode = mode, op.type = type, op.dims = static_cast<int32_t>(c.size.size()), op.value = 1;
  std::copy(c.size.begin(), c.size.end(), op.size);
  std::copy(c.before.begin(), c.before.end(), op.before);
  std::copy(c.after.begin(), c.after.end(), op.after);
  return op;
}

void test(Checks& checks, int mode, const TypeInfo& type, const Case& c, size_t misaligned) {
  std::string where = std::string(type.name) + " mode " + std::to_string(mode);
  int64_t inputs = 1, outputs = 1;
  for (size_t d = 0; d < c.size.size(); d++) {
    where.append(" ").append(std::to_string(c.size[d])).append(":");
    where.append(std::to_string(c.before[d])).append(":").append(std::to_string(c.after[d]));
    inputs *= c.size[d], outputs *= c.before[d] + c.size[d] + c.after[d];
  }
  std::vector<int64_t> source(outputs);
  for (int64_t o = 0; o < outputs; o++) {
    int64_t rest = o, step = 1;
    for (int d = static_cast<int>(c.size.size()) - 1; d >= 0; d--) {
      const int64_t out = c.before[d] + c.size[d] + c.after[d];
      const int64_t i = walk(mode, rest % out - c.before[d], c.size[d]);
      source[o] = i < 0 || source[o] < 0 ? -1 : source[o] + i * step;
      rest /= out, step *= c.size[d];
    }
  }
  std::vector<double> x(inputs), y(outputs), dy(outputs), dx(inputs);
  for (int64_t i = 0; i < inputs; i++) x[i] = type.code == GS_BOOL ? i % 2 : i % 100 + 2;
  for (int64_t o = 0; o < outputs; o++) y[o] = source[o] < 0 ? 1 : x[source[o]];
  const gs_pad op = pad_of(mode, type.code, c);
  TypedArray x_(type, x, misaligned), y_(type, outputs, misaligned);
  if (!ok(checks, gs_pad_forward(&op, x_.data(), y_.data(), nullptr), where)) return;
  const auto got = y_.get(checks, where);
  for (int64_t o = 0; o < outputs; o++) {
    if (!checks.close(got[o], y[o], 0, where + " at " + std::to_string(o))) return;
  }
  if (type.epsilon == 0) return;
  Random random(outputs);
  for (auto& v : dy) v = TypedArray::round(type, random());
  for (int64_t o = 0; o < outputs; o++) {
    if (source[o] >= 0) dx[source[o]] += dy[o];  // the same order, in double
  }
  TypedArray dy_(type, dy, misaligned), dx_(type, inputs, misaligned);
  if (!ok(checks, gs_pad_backward(&op, dy_.data(), dx_.data(), nullptr), where)) return;
  const auto gradient = dx_.get(checks, where);
  for (int64_t i = 0; i < inputs; i++) {
    // f16 sums go through a conversion of the test's own with one rounding: all are exact.
    const double want = TypedArray::round(type, dx[i]);
    if (!checks.close(gradient[i], want, type.code == GS_BF16 ? std::fabs(want) * 0.008 : 0,
                      where + " gradient")) {
      return;
    }
  }
}

void refusals(Checks& checks) {
  float v = 0;
  const auto refuse = [&](int mode, const Case& c, const char* rule) {
    const gs_pad op = pad_of(mode, GS_F32, c);
    refused(checks, gs_pad_forward(&op, &v, &v, nullptr), GS_INVALID_ARGUMENT, rule);
  };
  refuse(4, {{3}, {1}, {1}}, "mode=4");
  refuse(GS_PAD_REFLECT, {{3}, {3}, {0}}, "longer than");
  refuse(GS_PAD_CIRCULAR, {{3}, {0}, {4}}, "longer than");
  refuse(GS_PAD_REPLICATE, {{0}, {0}, {4}}, "longer than");
  refuse(GS_PAD_CONSTANT, {{3}, {-2}, {-2}}, "negative");
  refuse(GS_PAD_CONSTANT, {{-1}, {2}, {2}}, "negative");
  refuse(GS_PAD_CONSTANT, {{3}, {INT64_MAX}, {1}}, "before=9223372036854775807");
  refuse(GS_PAD_CONSTANT, {{3, 3}, {INT64_MAX / 4, 0}, {0, 0}}, "addressable");
  gs_pad op = pad_of(GS_PAD_CONSTANT, GS_I32, {{3}, {1}, {1}});
  refused(checks, gs_pad_backward(&op, &v, &v, nullptr), GS_INVALID_ARGUMENT, "floating");
  refused(checks, gs_pad_forward(&op, &v, nullptr, nullptr), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_pad_forward(nullptr, &v, &v, nullptr), GS_INVALID_ARGUMENT, "null");
  op.dims = 9;
  refused(checks, gs_pad_forward(&op, &v, &v, nullptr), GS_INVALID_ARGUMENT, "dims=9");
  op.dims = 1, op.type = 8;
  refused(checks, gs_pad_forward(&op, &v, &v, nullptr), GS_INVALID_ARGUMENT, "type=8");
}
}  // namespace

int main() {
  require_device();
  Checks checks("pad");
  const Case cases[] = {
      {{5}, {2}, {3}},
      {{5}, {4}, {4}},
      {{5}, {-2}, {1}},
      {{5}, {-3}, {-2}},
      {{5}, {-5}, {2}},
      {{2}, {1}, {0}},
      {{1}, {0}, {0}},
      {{}, {}, {}},
      {{3, 4}, {2, 0}, {0, 0}},
      {{2, 3, 4}, {0, 0, 0}, {0, 0, 0}},
      {{2, 3, 4, 5}, {0, 0, 2, 1}, {0, 0, 1, -1}},
      {{2, 4, 5, 16}, {0, 2, 1, 0}, {0, 1, 3, 0}},  // 16-byte elements
      {{2, 2, 3, 3, 2}, {1, 0, 2, 0, 1}, {0, 0, 1, 0, -1}},
      {{2, 2, 2, 2, 2, 2, 2, 2}, {0, 1, 0, 0, 1, 0, 0, 1}, {1, 0, 0, 1, 0, 0, 1, 0}},
      {{3, 70}, {1, 33}, {2, 65}},
      {{0, 3}, {0, 1}, {0, 1}},
      {{3, 0}, {1, 0}, {1, 0}}};
  for (const auto& type : kTypes) {
    for (const auto& c : cases) {
      for (const int mode : {GS_PAD_CONSTANT, GS_PAD_REFLECT, GS_PAD_REPLICATE, GS_PAD_CIRCULAR}) {
        test(checks, mode, type, c, c.size.size() == 4);
        if (c.size.size() >= 3) test(checks, mode, type, c, 0);
      }
    }
    test(checks, GS_PAD_CONSTANT, type, {{2, 3}, {9, 1}, {0, 40}}, 0);
    test(checks, GS_PAD_CONSTANT, type, {{0, 3}, {2, 1}, {0, 4}}, 0);
    test(checks, GS_PAD_REPLICATE, type, {{3, 1}, {9, 6}, {8, 9}}, 0);
  }
  refusals(checks);
  return checks.finish();
}
