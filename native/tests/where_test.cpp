// Choice between two arrays against a loop over indices.
#include "types.h"

namespace {
const TypeInfo kTypes[] = {kFloatTypes[0],          kFloatTypes[1],        kFloatTypes[2],
                           kFloatTypes[3],          {GS_I32, "i32", 4, 0}, {GS_I64, "i64", 8, 0},
                           {GS_BOOL, "bool", 1, 0}, {GS_U8, "u8", 1, 0}};

int64_t extent(const gs_where_layout& l, const int64_t* stride) {
  int64_t last = 0;
  for (int d = 0; d < l.dims; d++) last += (l.size[d] - 1) * stride[d];
  return last + 1;
}

// offset: elements by which a and y are not aligned; condition_offset likewise.
void test(Checks& checks, const TypeInfo& type, const gs_where_layout& l, int offset,
          int condition_offset) {
  const std::string where = std::string("where ") + type.name + " dims " + std::to_string(l.dims) +
                            " offset " + std::to_string(offset);
  int64_t count = 1;
  for (int d = 0; d < l.dims; d++) count *= l.size[d];
  Random random(count);
  const auto values = [&](int64_t n, double low) {
    std::vector<double> v(n);
    for (auto& x : v) x = low + random.bits() % 60;
    return v;
  };
  const auto a = values(extent(l, l.stride_a), 1), b = values(extent(l, l.stride_b), 101);
  std::vector<unsigned char> c(extent(l, l.stride_condition));
  for (auto& x : c) x = random.bits() % 3;  // also 2 is true
  TypedArray pa(type, a, offset), pb(type, b, 0),
      py(type, values(extent(l, l.stride_y), 201), offset);
  Array<unsigned char> pc(c, condition_offset);
  const auto before = py.get(checks, where);
  if (!ok(checks, gs_where(type.code, &l, pc.data(), pa.data(), pb.data(), py.data(), nullptr),
          where)) {
    return;
  }
  const auto y = py.get(checks, where);
  std::vector<bool> written(y.size());
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = i, at[4] = {};
    for (int d = l.dims - 1; d >= 0; d--) {
      const int64_t index = rest % l.size[d];
      rest /= l.size[d];
      at[0] += index * l.stride_y[d], at[1] += index * l.stride_condition[d];
      at[2] += index * l.stride_a[d], at[3] += index * l.stride_b[d];
    }
    written[at[0]] = true;
    const double want = TypedArray::round(type, c[at[1]] ? a[at[2]] : b[at[3]]);
    if (!checks.close(y[at[0]], want, 0, where)) return;
  }
  for (size_t i = 0; i < y.size(); i++) {
    if (!written[i]) checks.close(y[i], before[i], 0, where + " gap");
  }
}

void bits(Checks& checks) {  // a NaN's payload and the sign of zero are copied
  const std::vector<uint32_t> a = {0x7fa00001u, 0x80000000u}, b = {0xffc12345u, 0};
  Array<uint32_t> pa(a), pb(b), py(2);
  Array<unsigned char> c(std::vector<unsigned char>{1, 0});
  gs_where_layout l{};
  l.dims = 1, l.size[0] = 2;
  l.stride_condition[0] = l.stride_a[0] = l.stride_b[0] = l.stride_y[0] = 1;
  ok(checks, gs_where(GS_F32, &l, c.data(), pa.data(), pb.data(), py.data(), nullptr), "bits");
  checks.that(py.get(checks, "bits") == std::vector<uint32_t>{a[0], b[1]}, "bits");
}

void refusals(Checks& checks) {
  float x = 0;
  gs_where_layout l{};
  l.dims = 1, l.size[0] = 2, l.stride_y[0] = 1;
  const auto bad = GS_INVALID_ARGUMENT;
  refused(checks, gs_where(8, &l, &x, &x, &x, &x, nullptr), bad, "type=8");
  refused(checks, gs_where(GS_F32, nullptr, &x, &x, &x, &x, nullptr), bad, "dims=-1");
  refused(checks, gs_where(GS_F32, &l, nullptr, &x, &x, &x, nullptr), bad, "must not be null");
  l.stride_y[0] = 0;
  refused(checks, gs_where(GS_F32, &l, &x, &x, &x, &x, nullptr), bad, "twice");
  l.size[0] = -1;
  refused(checks, gs_where(GS_F32, &l, &x, &x, &x, &x, nullptr), bad, "negative");
  l.size[0] = 0;
  checks.that(gs_where(GS_F32, &l, nullptr, nullptr, nullptr, nullptr, nullptr) == GS_OK, "empty");
}
}  // namespace

int main() {
  require_device();
  Checks checks("where");
  gs_where_layout flat{}, rows{}, gaps{}, scalar{};
  const auto strides = [](gs_where_layout& l) {
    return std::vector<int64_t*>{l.stride_condition, l.stride_a, l.stride_b, l.stride_y};
  };
  flat.dims = 2, flat.size[0] = 7, flat.size[1] = 11;
  for (auto* s : strides(flat)) s[0] = 11, s[1] = 1;
  rows = flat, rows.stride_condition[0] = 0, rows.stride_b[0] = rows.stride_b[1] = 0;
  gaps.dims = 3, gaps.size[0] = 3, gaps.size[1] = 4, gaps.size[2] = 5;
  gaps.stride_y[0] = 60, gaps.stride_y[1] = 13, gaps.stride_y[2] = 2;
  gaps.stride_a[0] = 1, gaps.stride_a[1] = 3, gaps.stride_a[2] = 12;  // transposed
  gaps.stride_b[1] = 1, gaps.stride_condition[2] = 1;
  for (const auto& type : kTypes) {
    for (const auto& l : {flat, rows, gaps, scalar}) test(checks, type, l, 0, 0);
    test(checks, type, flat, 1, 0);
    test(checks, type, flat, 0, 1);
    for (const int64_t n : {1, 15, 16, 17, 1025}) {
      gs_where_layout line{};
      line.dims = 1, line.size[0] = n;
      for (auto* s : strides(line)) s[0] = 1;
      test(checks, type, line, 0, 0);
      line.stride_b[0] = 0;
      test(checks, type, line, 0, 0);
    }
  }
  bits(checks);
  refusals(checks);
  return checks.finish();
}
