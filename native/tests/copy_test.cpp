// Fills, copies and casts against plain loops.
#include <algorithm>

#include "types.h"

namespace {
const TypeInfo kTypes[] = {kFloatTypes[0],          kFloatTypes[1],        kFloatTypes[2],
                           kFloatTypes[3],          {GS_I32, "i32", 4, 0}, {GS_I64, "i64", 8, 0},
                           {GS_BOOL, "bool", 1, 0}, {GS_U8, "u8", 1, 0}};

struct Layout {
  std::vector<int64_t> size, x, y;
  int64_t first = 0;  // where x's element 0 lies
};

gs_copy_layout layout_of(const Layout& l) {
  gs_copy_layout c{};
  c.dims = static_cast<int32_t>(l.size.size());
  for (size_t d = 0; d < l.size.size(); d++) {
    c.size[d] = l.size[d], c.stride_x[d] = l.x[d], c.stride_y[d] = l.y[d];
  }
  return c;
}

// Calls f(place in x, place in y) for every element.
template <class F>
void for_each(const Layout& l, F f) {
  int64_t count = 1;
  for (int64_t s : l.size) count *= s;
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = i, x = l.first, y = 0;
    for (int d = static_cast<int>(l.size.size()) - 1; d >= 0; d--) {
      x += rest % l.size[d] * l.x[d], y += rest % l.size[d] * l.y[d];
      rest /= l.size[d];
    }
    f(x, y);
  }
}

void copy(Checks& checks, const TypeInfo& type, const Layout& l, size_t misaligned) {
  std::string where = std::string("copy ") + type.name;
  for (size_t d = 0; d < l.size.size(); d++) {
    where += " " + std::to_string(l.size[d]) + ":" + std::to_string(l.x[d]) + ":" +
             std::to_string(l.y[d]);
  }
  int64_t extent_x = 1, extent_y = 1;
  for_each(l, [&](int64_t x, int64_t y) {
    extent_x = std::max(extent_x, x + 1), extent_y = std::max(extent_y, y + 1);
  });
  Random random(extent_x);
  const size_t b = type.bytes;
  std::vector<unsigned char> x(extent_x * b), before(extent_y * b, 0x5a);
  for (auto& v : x) v = static_cast<unsigned char>(random.bits());
  Array<unsigned char> from(x, misaligned * b), to(before, misaligned * b);
  const gs_copy_layout c = layout_of(l);
  if (!ok(checks, gs_copy(type.code, type.code, &c, from.data() + l.first * b, to.data(), nullptr),
          where)) {
    return;
  }
  for_each(l, [&](int64_t i, int64_t j) { memcpy(&before[j * b], &x[i * b], b); });
  checks.that(to.get(checks, where) == before, where + ": differs");
}

// A cast by the rules, in double (every value here is exact in it).
double cast(const TypeInfo& to, bool from_floating, double v) {
  if (to.epsilon != 0) return TypedArray::round(to, v);
  if (to.code == GS_BOOL) return v != 0;
  const int bits = to.code == GS_I64 ? 64 : to.code == GS_I32 ? 32 : 8;
  if (!from_floating) {
    const auto i = static_cast<int64_t>(v);
    return bits == 64 ? v : bits == 32 ? static_cast<int32_t>(i) : static_cast<uint8_t>(i);
  }
  if (v != v) return 0;
  const double high = to.code == GS_U8 ? 255 : std::ldexp(1, bits - 1) - (bits == 64 ? 0 : 1);
  const double low = to.code == GS_U8 ? 0 : -std::ldexp(1, bits - 1);
  return std::fmin(std::fmax(std::trunc(v), low), high);
}

void casts(Checks& checks, const TypeInfo& from, const TypeInfo& to, bool strided,
           size_t misaligned) {
  const std::string where = std::string("cast ") + from.name + " to " + to.name;
  const bool floating = from.epsilon != 0;
  std::vector<double> x;
  Random random(7);
  for (int i = 0; i < 61; i++) x.push_back(floating ? random() * 300 : std::floor(random() * 99));
  if (floating) {
    for (double v : {0.0, 0.5, -0.5, 1e30, -1e30, 255.5, 300.0, 1e10, -1e10, 65519.0, 65520.0}) {
      x.push_back(v);
    }
    x.push_back(NAN), x.push_back(INFINITY), x.push_back(-INFINITY);
  }
  for (auto& v : x) {
    if (from.code == GS_BOOL) v = std::fabs(v) > 50;
    if (from.code == GS_U8) v = std::fabs(v);
    if (floating) v = TypedArray::round(from, v);
  }
  if (from.code == GS_I64 || from.code == GS_I32) {
    for (double v : {2147483647.0, -2147483648.0, 65536.0, 16777217.0}) x.push_back(v);
  }
  const auto count = static_cast<int64_t>(x.size());
  const Layout l{{count}, {1}, {strided ? 3 : 1}};
  TypedArray in(from, x, misaligned), out(to, strided ? 3 * count - 2 : count, misaligned);
  const gs_copy_layout c = layout_of(l);
  if (!ok(checks, gs_copy(from.code, to.code, &c, in.data(), out.data(), nullptr), where)) return;
  const auto got = out.get(checks, where);
  for (int64_t i = 0; i < count; i++) {
    double want = cast(to, floating, x[i]);
    if (to.code == GS_I64 && floating && std::fabs(want) >= 0x1p63) {
      want = std::copysign(0x1p63, want);  // the largest, read back as double
    }
    checks.close(got[strided ? 3 * i : i], want, 0, where + " of " + std::to_string(x[i]));
  }
  if (from.bytes == to.bytes && !strided) {
    ok(checks, gs_copy(from.code, to.code, &c, in.data(), in.data(), nullptr), where);
    std::vector<double> want(count);
    TypedArray same(to, count);
    Array<unsigned char> bytes(count * to.bytes);
    gs_copy_on_device(bytes.data(), in.data(), count * to.bytes, nullptr);
    gs_copy_on_device(same.data(), out.data(), count * to.bytes, nullptr);
    gs_copy_on_device(out.data(), bytes.data(), count * to.bytes, nullptr);
    const auto first = same.get(checks, where), second = out.get(checks, where);
    checks.that(memcmp(first.data(), second.data(), count * 8) == 0, where + ": in place");
  }
}

// Ties that a second rounding would miss.
void rounding(Checks& checks) {
  const gs_copy_layout c = layout_of({{2}, {1}, {1}});
  Array<double> d(std::vector<double>{1 + 0x1p-8 + 0x1p-40, 1 + 0x1p-11 + 0x1p-40});
  Array<uint16_t> h(2);
  ok(checks, gs_copy(GS_F64, GS_BF16, &c, d.data(), h.data(), nullptr), "bf16");
  checks.that(bf16_to_float(h.get(checks, "bf16")[0]) == 1 + 0x1p-7, "double to bf16");
  ok(checks, gs_copy(GS_F64, GS_F16, &c, d.data(), h.data(), nullptr), "f16");
  checks.that(f16_to_double(h.get(checks, "f16")[1]) == 1 + 0x1p-10, "double to f16");
  const int64_t tie = (int64_t(1) << 60) + (int64_t(1) << 52);
  Array<int64_t> i(std::vector<int64_t>{tie + 1, -tie - 1});
  ok(checks, gs_copy(GS_I64, GS_BF16, &c, i.data(), h.data(), nullptr), "i64");
  const float up = 0x1p60f * (1 + 0x1p-7f);
  const auto got = h.get(checks, "i64");
  checks.that(bf16_to_float(got[0]) == up && bf16_to_float(got[1]) == -up, "i64 to bf16");
  Array<float> f(2);
  i.set({(int64_t(1) << 24) + 1, INT64_MAX});
  ok(checks, gs_copy(GS_I64, GS_F32, &c, i.data(), f.data(), nullptr), "i64 to f32");
  const auto floats = f.get(checks, "i64 to f32");
  checks.that(floats[0] == 0x1p24f && floats[1] == 0x1p63f, "i64 to f32");
}

void fill(Checks& checks, const TypeInfo& type, const Layout& l, double value, bool integer,
          size_t misaligned) {
  const std::string where = std::string("fill ") + type.name + " " + std::to_string(value);
  int64_t extent = 1;
  for_each(l, [&](int64_t, int64_t y) { extent = std::max(extent, y + 1); });
  std::vector<double> before(extent, 1);
  TypedArray y(type, before, misaligned);
  gs_layout g{};
  g.dims = static_cast<int32_t>(l.size.size());
  std::copy(l.size.begin(), l.size.end(), g.size);
  std::copy(l.y.begin(), l.y.end(), g.stride);
  const gs_status status =
      integer ? gs_fill_i64(type.code, &g, static_cast<int64_t>(value), y.data(), nullptr)
              : gs_fill_f64(type.code, &g, value, y.data(), nullptr);
  if (!ok(checks, status, where)) return;
  for_each(l, [&](int64_t, int64_t i) { before[i] = cast(type, !integer, value); });
  const auto got = y.get(checks, where);
  for (int64_t i = 0; i < extent; i++) checks.close(got[i], before[i], 0, where);
}

void refusals(Checks& checks) {
  float v = 0;
  const auto bad = GS_INVALID_ARGUMENT;
  gs_copy_layout c = layout_of({{3}, {1}, {1}});
  gs_layout g{};
  g.dims = 1, g.size[0] = 3, g.stride[0] = 1;
  refused(checks, gs_copy(0, 0, nullptr, &v, &v, nullptr), bad, "null");
  refused(checks, gs_copy(0, 0, &c, nullptr, &v, nullptr), bad, "null");
  refused(checks, gs_copy(8, 0, &c, &v, &v, nullptr), bad, "from=8");
  refused(checks, gs_copy(0, -1, &c, &v, &v, nullptr), bad, "type=-1");
  refused(checks, gs_fill_f64(9, &g, 0, &v, nullptr), bad, "type=9");
  refused(checks, gs_fill_i64(0, nullptr, 0, &v, nullptr), bad, "null");
  refused(checks, gs_fill_i64(0, &g, 0, nullptr, nullptr), bad, "null");
  c.stride_y[0] = 0;
  refused(checks, gs_copy(0, 0, &c, &v, &v, nullptr), bad, "twice");
  c = layout_of({{4, 3}, {3, 1}, {2, 1}});
  refused(checks, gs_copy(0, 0, &c, &v, &v, nullptr), bad, "twice");
  c.size[0] = -1;
  refused(checks, gs_copy(0, 0, &c, &v, &v, nullptr), bad, "negative");
  c.dims = 9;
  refused(checks, gs_copy(0, 0, &c, &v, &v, nullptr), bad, "dims=9");
  g.stride[0] = int64_t(1) << 60;
  refused(checks, gs_fill_f64(0, &g, 0, &v, nullptr), bad, "addressable");
  c = layout_of({{4, 0}, {3, 1}, {3, 1}});
  checks.that(gs_copy(0, 0, &c, nullptr, nullptr, nullptr) == GS_OK, "empty");
  g.size[0] = 0;
  checks.that(gs_fill_f64(0, &g, 0, nullptr, nullptr) == GS_OK, "empty");
}
}  // namespace

int main() {
  require_device();
  Checks checks("copy");
  const Layout layouts[] = {
      {{}, {}, {}},
      {{1027}, {1}, {1}},                       // a block
      {{33, 65}, {1, 33}, {65, 1}},             // transposed: a tile and one more each way
      {{31, 32}, {1, 40}, {32, 1}},             // one less
      {{3, 9, 40}, {360, 1, 9}, {400, 40, 1}},  // a batch, with gaps in y
      {{2, 3, 5, 7}, {105, 1, 21, 3}, {105, 35, 7, 1}},
      {{16, 9, 8}, {8, 128, 1}, {72, 8, 1}},  // rows of 8: wide elements
      {{5, 12}, {12, 1}, {20, 1}},
      {{4, 6}, {0, 1}, {6, 1}},  // broadcast
      {{4, 6}, {1, 0}, {6, 1}},
      {{4, 6}, {-6, 1}, {6, 1}, 18},  // reversed
      {{40, 16}, {1, -40}, {16, 1}, 600},
      {{7, 1, 3, 1}, {3, 99, 1, 5}, {3, 0, 1, 0}},  // sizes of 1: any stride
      {{2, 2, 2, 2, 2, 2, 2, 3}, {1, 2, 4, 8, 16, 32, 64, 128}, {192, 96, 48, 24, 12, 6, 3, 1}},
      {{2100, 8, 8}, {64, 1, 8}, {64, 8, 1}},  // more tiles than blocks
      {{70000, 2}, {2, 1}, {1, 70000}},        // the target's order differs
  };
  for (const auto& l : layouts) {
    for (const auto& type : kTypes) {
      const bool large = !l.size.empty() && l.size[0] > 1000;
      if (large && type.code != GS_F32) continue;
      copy(checks, type, l, 0);
      if (!large) copy(checks, type, l, 1);
    }
  }
  for (const auto& from : kTypes) {
    for (const auto& to : kTypes) {
      if (from.code == to.code) continue;
      for (const size_t misaligned : {0, 1}) {
        casts(checks, from, to, false, misaligned);
        casts(checks, from, to, true, misaligned);
      }
    }
  }
  rounding(checks);
  const Layout fills[] = {{{}, {}, {}},
                          {{1}, {1}, {1}},
                          {{1030}, {1}, {1}},
                          {{5, 8}, {0, 0}, {10, 1}},
                          {{3, 7}, {0, 0}, {1, 3}},
                          {{3, 5, 2}, {0, 0, 0}, {40, 6, 2}}};
  for (const auto& type : kTypes) {
    for (const auto& l : fills) {
      for (const size_t misaligned : {0, 1}) {
        fill(checks, type, l, 0, true, misaligned);
        fill(checks, type, l, 42, true, misaligned);
        fill(checks, type, l, 2.75, false, misaligned);
        fill(checks, type, l, NAN, false, misaligned);
        fill(checks, type, l, -1e30, false, misaligned);
      }
    }
  }
  refusals(checks);
  return checks.finish();
}
