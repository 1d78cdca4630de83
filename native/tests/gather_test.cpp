// Gather, scatter and the sort behind scatter-add, against plain loops; all results are exact.
#include <algorithm>

#include "types.h"

namespace {
const TypeInfo kTypes[] = {kFloatTypes[0],          kFloatTypes[1],        kFloatTypes[2],
                           kFloatTypes[3],          {GS_I32, "i32", 4, 0}, {GS_I64, "i64", 8, 0},
                           {GS_BOOL, "bool", 1, 0}, {GS_U8, "u8", 1, 0}};
const TypeInfo kI32{GS_I32, "i32", 4, 0}, kI64{GS_I64, "i64", 8, 0};

class Workspace {
 public:
  explicit Workspace(int64_t bytes) : bytes_(static_cast<size_t>(bytes + 256)) {}
  void* data() {
    const auto p = reinterpret_cast<uintptr_t>(bytes_.data());
    return reinterpret_cast<void*>((p + 255) / 256 * 256);
  }
  int64_t bad(Checks& checks) {
    int64_t position = 0;
    ok(checks, gs_copy_to_host(&position, data(), 8, nullptr), "workspace");
    return position;
  }

 private:
  Array<unsigned char> bytes_;
};

// Uniform, or with many equal ones.
std::vector<double> indices(int64_t count, int64_t size, bool skewed, bool from_end) {
  Random random(count + 3 * size);
  std::vector<double> index(count);
  for (auto& v : index) {
    const auto i = static_cast<int64_t>(random.bits() % size);
    v = static_cast<double>(skewed && random.bits() % 4 != 0 ? size / 2 : i);
    if (from_end && random.bits() % 2) v -= static_cast<double>(size);
  }
  return index;
}

// Sums that rounding changes, but for the types in which the order would not show.
std::vector<double> values(const TypeInfo& type, size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<double> v(count);
  for (auto& e : v) {
    e = type.epsilon != 0      ? TypedArray::round(type, random() * 3)
        : type.code == GS_BOOL ? random.bits() % 2
                               : random.bits() % 200;
  }
  return v;
}

double sum(const TypeInfo& type, double a, double b) {
  return type.code == GS_U8 ? static_cast<uint8_t>(a + b) : TypedArray::round(type, a + b);
}

void same(Checks& checks, const std::vector<double>& got, const std::vector<double>& want,
          const std::string& where) {
  for (size_t i = 0; i < want.size(); i++) {
    if (!checks.close(got[i], want[i], 0, where + " at " + std::to_string(i))) return;
  }
}

void rows(Checks& checks, const TypeInfo& type, const TypeInfo& index_type, int64_t outer,
          int64_t size, int64_t inner, int64_t count, bool skewed, size_t misaligned) {
  char name[160];
  snprintf(name, sizeof name, "%s %lldx%lldx%lld, %lld indices, +%zu", type.name, (long long)outer,
           (long long)size, (long long)inner, (long long)count, misaligned);
  const std::string where = name;
  gs_gather op{outer, size, inner, count, type.code, index_type.code, index_type.code == GS_I32, 0};
  const auto index = indices(count, size, skewed, op.from_end);
  const auto row = [&](int64_t k) {
    return static_cast<int64_t>(index[k]) + (index[k] < 0 ? size : 0);
  };
  const auto x = values(type, outer * size * inner, 1), dy = values(type, outer * count * inner, 2);
  TypedArray x_(type, x, misaligned), index_(index_type, index, misaligned),
      dy_(type, dy, misaligned), y_(type, dy.size(), misaligned), dx_(type, x.size(), misaligned);
  int64_t forward = 0, add = 0;
  ok(checks, gs_gather_workspace(&op, &forward, &add), where);
  Workspace forward_space(forward), add_space(add);

  std::vector<double> y(dy.size()), dx(x.size()), sums = x;
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t k = 0; k < count; k++) {
      for (int64_t i = 0; i < inner; i++) {
        const int64_t from = (o * size + row(k)) * inner + i, to = (o * count + k) * inner + i;
        y[to] = x[from];
        dx[from] = sum(type, dx[from], dy[to]);
        sums[from] = sum(type, sums[from], dy[to]);
      }
    }
  }
  const auto status =
      gs_gather_forward(&op, x_.data(), index_.data(), y_.data(), forward_space.data(), nullptr);
  if (!ok(checks, status, where)) return;
  same(checks, y_.get(checks, where), y, where + " gather");
  checks.that(forward_space.bad(checks) == -1, where + ": no bad index");
  if (type.code == GS_BOOL) return;
  const auto run = [&](TypedArray& to, int32_t clear) {
    return ok(
        checks,
        gs_gather_add(&op, dy_.data(), index_.data(), to.data(), clear, add_space.data(), nullptr),
        where);
  };
  if (!run(dx_, 1)) return;
  same(checks, dx_.get(checks, where), dx, where + " gradient");
  if (!run(x_, 0)) return;
  same(checks, x_.get(checks, where), sums, where + " add");
  checks.that(add_space.bad(checks) == -1, where + ": no bad index");
}

using Sizes = std::vector<int64_t>;

int64_t product(const Sizes& sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  return n;
}

void elements(Checks& checks, const TypeInfo& type, const TypeInfo& index_type, const Sizes& size_x,
              const Sizes& size_index, int axis, bool skewed) {
  std::string where = std::string("elements ") + type.name;
  for (size_t d = 0; d < size_x.size(); d++) {
    where.append(" ").append(std::to_string(size_x[d])).append(":");
    where.append(std::to_string(size_index[d]));
  }
  where.append(" axis ").append(std::to_string(axis));
  gs_gather_elements op{};
  op.type = type.code, op.index_type = index_type.code, op.from_end = 1;
  op.dims = static_cast<int32_t>(size_x.size()), op.axis = axis;
  std::copy(size_x.begin(), size_x.end(), op.size_x);
  std::copy(size_index.begin(), size_index.end(), op.size_index);
  const auto index = indices(product(size_index), size_x[axis], skewed, true);
  std::vector<int64_t> at(index.size());
  for (size_t p = 0; p < at.size(); p++) {
    auto rest = static_cast<int64_t>(p);
    int64_t step = 1;
    for (int d = op.dims - 1; d >= 0; d--) {
      int64_t i = rest % size_index[d];
      rest /= size_index[d];
      if (d == axis) i = static_cast<int64_t>(index[p]) + (index[p] < 0 ? size_x[d] : 0);
      at[p] += i * step;
      step *= size_x[d];
    }
  }
  const auto x = values(type, product(size_x), 3), s = values(type, at.size(), 4);
  TypedArray x_(type, x), index_(index_type, index), s_(type, s), y_(type, s.size());
  int64_t forward = 0, scatter = 0;
  ok(checks, gs_gather_elements_workspace(&op, &forward, &scatter), where);
  Workspace forward_space(forward), scatter_space(scatter);
  std::vector<double> y(s.size()), put = x, sums = x;
  for (size_t p = 0; p < at.size(); p++) {
    y[p] = x[at[p]], put[at[p]] = s[p];
    sums[at[p]] = sum(type, sums[at[p]], s[p]);
  }
  if (!ok(checks,
          gs_gather_elements_forward(&op, x_.data(), index_.data(), y_.data(), forward_space.data(),
                                     nullptr),
          where)) {
    return;
  }
  same(checks, y_.get(checks, where), y, where + " gather");
  const auto run = [&](int32_t add) {
    return ok(checks,
              gs_gather_elements_scatter(&op, s_.data(), index_.data(), x_.data(), add,
                                         scatter_space.data(), nullptr),
              where);
  };
  if (!run(0)) return;
  same(checks, x_.get(checks, where), put, where + " scatter");
  checks.that(scatter_space.bad(checks) == -1, where + ": no bad index");
  if (type.code == GS_BOOL) return;
  x_.set(x);
  if (!run(1)) return;
  same(checks, x_.get(checks, where), sums, where + " add");
}

// The first of several bad indices is told, and nothing is written.
void bad_indices(Checks& checks) {
  const int64_t count = 700;
  std::vector<double> index(count, 1);
  const std::vector<double> x{1, 2, 3}, y(count, 7);
  TypedArray x_(kTypes[0], x), y_(kTypes[0], y);
  for (const TypeInfo& type : {kI32, kI64}) {
    for (const auto& [first, value] : {std::pair(600, 3.), std::pair(5, -1.), std::pair(0, -4.)}) {
      for (const int from_end : {0, 1}) {
        if (from_end && value == -1) continue;
        auto changed = index;
        changed[first] = value, changed[699] = 99;
        TypedArray i_(type, changed);
        gs_gather op{1, 3, 1, count, GS_F32, type.code, from_end, 0};
        gs_gather_elements each{};
        each.type = GS_F32, each.index_type = type.code, each.from_end = from_end, each.dims = 1;
        each.size_x[0] = 3, each.size_index[0] = count;
        int64_t forward = 0, add = 0, a = 0, b = 0;
        gs_gather_workspace(&op, &forward, &add);
        gs_gather_elements_workspace(&each, &a, &b);
        Workspace space(std::max(add, b));
        void *w = space.data(), *px = x_.data(), *py = y_.data(), *pi = i_.data();
        const auto told = [&](gs_status status, const char* what) {
          ok(checks, status, what);
          checks.close(static_cast<double>(space.bad(checks)), first, 0, what);
        };
        told(gs_gather_forward(&op, px, pi, py, w, nullptr), "forward");
        told(gs_gather_add(&op, py, pi, px, 0, w, nullptr), "add");
        told(gs_gather_add(&op, py, pi, px, 1, w, nullptr), "clear and add");
        told(gs_gather_elements_forward(&each, px, pi, py, w, nullptr), "elements");
        told(gs_gather_elements_scatter(&each, py, pi, px, 0, w, nullptr), "scatter");
        told(gs_gather_elements_scatter(&each, py, pi, px, 1, w, nullptr), "scatter and add");
        each.dims = 2, each.size_x[1] = 40, each.size_index[0] = 20, each.size_index[1] = 35;
        std::vector<double> wide(120, 5);
        TypedArray wide_(kTypes[0], wide);
        told(gs_gather_elements_scatter(&each, py, pi, wide_.data(), 1, w, nullptr), "lines");
        same(checks, wide_.get(checks, "bad"), wide, "written in spite of a bad index");
      }
    }
  }
  same(checks, x_.get(checks, "bad"), x, "written in spite of a bad index");
  same(checks, y_.get(checks, "bad"), y, "written in spite of a bad index");
}

void refusals(Checks& checks) {
  float v = 0;
  int64_t bytes = 0;
  const auto bad = GS_INVALID_ARGUMENT;
  const gs_gather good{1, 3, 2, 4, GS_F32, GS_I32, 0, 0};
  const auto refuse = [&](auto change, const char* rule) {
    gs_gather op = good;
    change(op);
    refused(checks, gs_gather_forward(&op, &v, &v, &v, &v, nullptr), bad, rule);
  };
  refuse([](gs_gather& o) { o.size = -1; }, "size=-1");
  refuse([](gs_gather& o) { o.count = int64_t(1) << 62; }, "addressable");
  refuse([](gs_gather& o) { o.type = 8; }, "type=8");
  refuse([](gs_gather& o) { o.index_type = GS_U8; }, "index_type=7");
  refused(checks, gs_gather_forward(&good, &v, nullptr, &v, &v, nullptr), bad, "null");
  refused(checks, gs_gather_forward(&good, &v, &v, &v, nullptr, nullptr), bad, "null");
  refused(checks, gs_gather_forward(nullptr, &v, &v, &v, &v, nullptr), bad, "null");
  refused(checks, gs_gather_add(&good, nullptr, &v, &v, 0, &v, nullptr), bad, "null");
  refused(checks, gs_gather_workspace(&good, nullptr, &bytes), bad, "null");
  gs_gather flags = good;
  flags.type = GS_BOOL;
  refused(checks, gs_gather_add(&flags, &v, &v, &v, 0, &v, nullptr), bad, "addition");
  const gs_gather large{0, int64_t(1) << 40, 1, int64_t(1) << 30, GS_F32, GS_I32, 0, 0};
  refused(checks, gs_gather_add(&large, &v, &v, &v, 0, &v, nullptr), GS_UNSUPPORTED, "64 bits");
  gs_gather_elements each{};
  each.dims = 2, each.index_type = GS_I64;
  each.size_x[0] = 3, each.size_x[1] = 2, each.size_index[0] = 5, each.size_index[1] = 3;
  const auto call = [&] { return gs_gather_elements_forward(&each, &v, &v, &v, &v, nullptr); };
  refused(checks, call(), bad, "dimension 1: 3 indices, x 2");
  each.axis = 2;
  refused(checks, call(), bad, "axis=2");
  each.dims = 9;
  refused(checks, call(), bad, "dims=9");
  each.dims = 2, each.axis = 0, each.size_index[1] = -1;
  refused(checks, call(), bad, "negative");
  each.size_index[1] = 2, each.type = GS_BOOL;
  refused(checks, gs_gather_elements_scatter(&each, &v, &v, &v, 1, &v, nullptr), bad, "addition");
  refused(checks, gs_gather_elements_scatter(&each, &v, &v, nullptr, 0, &v, nullptr), bad, "null");
}
}  // namespace

int main() {
  require_device();
  Checks checks("gather");
  for (const auto& type : kTypes) {
    for (const TypeInfo& index : {kI32, kI64}) {
      rows(checks, type, index, 1, 5, 1, 7, false, 0);
      rows(checks, type, index, 3, 4, 1, 9, true, 1);
      rows(checks, type, index, 1, 10, 16, 33, true, 0);
    }
    rows(checks, type, kI64, 2, 3, 16, 5, false, 1);
    rows(checks, type, kI32, 2, 7, 65, 5, false, 0);
    rows(checks, type, kI64, 1, 1, 8, 3, false, 0);
    elements(checks, type, kI32, {5}, {9}, 0, false);
    elements(checks, type, kI64, {6}, {50}, 0, true);
    elements(checks, type, kI64, {3, 4}, {3, 2}, 1, false);
    elements(checks, type, kI32, {3, 4, 5}, {2, 6, 3}, 1, true);
    elements(checks, type, kI64, {2, 3, 300}, {2, 40, 7}, 1, false);
  }
  rows(checks, kTypes[0], kI64, 1, 3, 4200, 2, false, 0);  // several parts of a row
  rows(checks, kTypes[0], kI64, 0, 3, 2, 2, false, 0);
  rows(checks, kTypes[0], kI64, 2, 3, 0, 2, false, 0);
  rows(checks, kTypes[0], kI64, 2, 3, 2, 0, false, 0);
  // Around a tile of the sort (2048 words) and a digit (256).
  for (const int64_t count : {31, 256, 2047, 2048, 2049, 6200}) {
    rows(checks, kTypes[0], kI32, 1, 257, 1, count, false, 0);
  }
  rows(checks, kTypes[0], kI64, 1, 70001, 1, 4100, true, 0);  // three digits
  rows(checks, kTypes[0], kI64, 1, 2, 1, 2500, true, 0);      // one bit
  if (strcmp(gs_backend(), "emulator-checked") != 0) {
    rows(checks, kTypes[5], kI64, 1, 256, 1, 530000, false, 0);  // more tiles than scanned at once
  }
  elements(checks, kTypes[0], kI32, {2, 3, 2, 5, 2}, {1, 2, 2, 90, 2}, 3, true);
  elements(checks, kTypes[0], kI32, {4, 2, 3, 2}, {1, 2, 2, 1}, 0, false);
  elements(checks, kTypes[0], kI32, {3, 4}, {0, 4}, 0, false);
  elements(checks, kTypes[0], kI32, {2, 3000}, {2, 2100}, 1, false);
  elements(checks, kTypes[2], kI64, {7}, {3000}, 0, true);
  bad_indices(checks);
  refusals(checks);
  return checks.finish();
}
