// Layer, root-mean-square, group and batch normalization against their definitions in double.
#include <algorithm>

#include "types.h"

namespace {
const char* const kNames[] = {"layer", "rms", "group", "batch"};
const TypeInfo& f32 = kFloatTypes[0];

gs_norm op_of(int32_t kind, int32_t type, int32_t layout, int64_t n, int64_t c, int64_t spatial,
              int64_t groups = 1) {
  return {kind, type, layout, 0, n, c, spatial, groups, 1e-5};
}
gs_norm rows_of(int32_t kind, int32_t type, int64_t rows, int64_t cols) {
  return op_of(kind, type, GS_NCHW, rows, cols, 1);
}

struct Oracle {
  gs_norm op;
  std::vector<double> mean, var, y, dx, dgamma, dbeta;

  explicit Oracle(const gs_norm& op) : op(op) {
    const int64_t stats = op.kind == GS_BATCH_NORM   ? op.c
                          : op.kind == GS_GROUP_NORM ? op.n * op.groups
                                                     : op.n;
    mean.resize(stats), var.resize(stats);
    y.resize(count()), dx.resize(count()), dgamma.resize(op.c), dbeta.resize(op.c);
  }
  size_t count() const { return op.n * op.c * op.spatial; }
  size_t stats() const { return mean.size(); }
  double members() const {
    return static_cast<double>(op.kind == GS_BATCH_NORM   ? op.n * op.spatial
                               : op.kind == GS_GROUP_NORM ? op.c / op.groups * op.spatial
                                                          : op.c);
  }
  // Calls f(place, channel, mean's index).
  template <class F>
  void each(F f) const {
    for (int64_t i = 0; i < op.n; i++) {
      for (int64_t j = 0; j < op.c; j++) {
        for (int64_t k = 0; k < op.spatial; k++) {
          const int64_t at = op.layout == GS_NHWC ? (i * op.spatial + k) * op.c + j
                                                  : (i * op.c + j) * op.spatial + k;
          f(at, j,
            op.kind == GS_BATCH_NORM   ? j
            : op.kind == GS_GROUP_NORM ? i * op.groups + j / (op.c / op.groups)
                                       : i);
        }
      }
    }
  }
  double rstd(size_t k) const { return 1 / std::sqrt(var[k] + op.eps); }
  void measure(const std::vector<double>& x) {
    const double m = members();
    if (op.kind != GS_RMS_NORM) each([&](int64_t at, int64_t, int64_t k) { mean[k] += x[at] / m; });
    each([&](int64_t at, int64_t, int64_t k) {
      var[k] += (x[at] - mean[k]) * (x[at] - mean[k]) / m;
    });
  }
  void forward(const std::vector<double>& x, const std::vector<double>& gamma,
               const std::vector<double>& beta) {
    each([&](int64_t at, int64_t c, int64_t k) {
      y[at] = (x[at] - mean[k]) * rstd(k) * gamma[c] + beta[c];
    });
  }
  // frozen: mean and variance do not depend on x.
  void backward(const std::vector<double>& x, const std::vector<double>& gamma,
                const std::vector<double>& dy, bool frozen) {
    std::vector<double> sum(stats()), products(stats());
    each([&](int64_t at, int64_t c, int64_t k) {
      const double v = (x[at] - mean[k]) * rstd(k);
      dgamma[c] += dy[at] * v, dbeta[c] += dy[at];
      sum[k] += dy[at] * gamma[c], products[k] += dy[at] * gamma[c] * v;
    });
    each([&](int64_t at, int64_t c, int64_t k) {
      double g = dy[at] * gamma[c];
      if (!frozen) {
        g -= (x[at] - mean[k]) * rstd(k) * products[k] / members();
        if (op.kind != GS_RMS_NORM) g -= sum[k] / members();
      }
      dx[at] = g * rstd(k);
    });
  }
};

std::vector<double> random(const TypeInfo& type, size_t count, uint64_t seed, double mean = 0) {
  Random r(seed);
  std::vector<double> v(count);
  for (double& e : v) e = TypedArray::round(type, 2 * r() + mean);
  return v;
}
const TypeInfo& stat_type(const TypeInfo& type) { return kFloatTypes[type.code == GS_F64]; }
const TypeInfo& type_of(const gs_norm& op) {
  return *std::find_if(std::begin(kFloatTypes), std::end(kFloatTypes),
                       [&](const TypeInfo& t) { return t.code == op.type; });
}

void expect(Checks& checks, const std::vector<double>& got, const std::vector<double>& want,
            double relative, double absolute, const std::string& where) {
  for (size_t i = 0; i < want.size(); i++) {
    if (!checks.close(got[i], want[i], relative * std::fabs(want[i]) + absolute,
                      where + " at " + std::to_string(i))) {
      return;
    }
  }
}

struct Options {
  size_t offset = 0;  // of the operands in elements: not aligned to vectors
  bool parameters = true, in_place = false;
  double mean = 0;
};

Array<unsigned char> workspace_of(Checks& checks, const gs_norm& op) {
  int64_t bytes = -1;
  checks.that(gs_norm_workspace(&op, &bytes) == GS_OK && bytes >= 0, "workspace");
  return Array<unsigned char>(static_cast<size_t>(bytes), 0);
}

// Elements are of order 1 to 5 and a few roundings from exact; a gradient of gamma is a sum of k
// products, off by at most sqrt(k) roundings of terms of order 1.
void test(Checks& checks, const gs_norm& op, Options options = {}) {
  const TypeInfo& type = type_of(op);
  const TypeInfo& stats = stat_type(type);
  const bool rms = op.kind == GS_RMS_NORM;
  Oracle oracle(op);
  const std::string where =
      std::string(kNames[op.kind]) + " " + type.name + " " + std::to_string(op.n) + "x" +
      std::to_string(op.c) + "x" + std::to_string(op.spatial) + "/" + std::to_string(op.groups) +
      (op.layout == GS_NHWC ? " nhwc" : "") + (options.offset ? " offset" : "");
  const auto x = random(type, oracle.count(), 1, options.mean);
  const auto dy = random(type, oracle.count(), 2);
  std::vector<double> gamma(op.c, 1), beta(op.c, 0);
  if (options.parameters) {
    gamma = random(type, op.c, 3);
    if (!rms) beta = random(type, op.c, 4);
  }
  oracle.measure(x), oracle.forward(x, gamma, beta), oracle.backward(x, gamma, dy, false);
  TypedArray tx(type, x, options.offset), tdy(type, dy, options.offset),
      tgamma(type, gamma, options.offset), tbeta(type, beta, options.offset),
      ty(type, oracle.count(), options.offset), tdgamma(type, op.c), tdbeta(type, op.c),
      mean(stats, oracle.stats()), rstd(stats, oracle.stats());
  auto workspace = workspace_of(checks, op);
  void* g = options.parameters ? tgamma.data() : nullptr;
  void* b = options.parameters && !rms ? tbeta.data() : nullptr;
  void* m = rms ? nullptr : mean.data();
  if (!ok(checks,
          gs_norm_forward(&op, tx.data(), g, b, ty.data(), m, rstd.data(), nullptr, nullptr, 0,
                          workspace.data(), nullptr),
          where)) {
    return;
  }
  const double eps = 2 * type.epsilon, stat_eps = 2 * stats.epsilon;
  expect(checks, ty.get(checks, where), oracle.y, 8 * eps, 16 * eps, where + " y");
  if (!rms) {
    expect(checks, mean.get(checks, where), oracle.mean, 4 * stat_eps, 4 * stat_eps,
           where + " mean");
  }
  std::vector<double> want(oracle.stats());
  for (size_t k = 0; k < want.size(); k++) want[k] = oracle.rstd(k);
  expect(checks, rstd.get(checks, where), want, 8 * stat_eps, 0, where + " rstd");
  const double scale = want.empty() ? 1 : *std::max_element(want.begin(), want.end());
  void* dx = options.in_place ? tdy.data() : ty.data();
  if (!ok(checks,
          gs_norm_backward(&op, tx.data(), g, m, rstd.data(), tdy.data(), dx, tdgamma.data(),
                           rms ? nullptr : tdbeta.data(), workspace.data(), nullptr),
          where)) {
    return;
  }
  expect(checks, (options.in_place ? tdy : ty).get(checks, where), oracle.dx, 16 * eps,
         64 * scale * eps, where + " dx");
  const double sums = 32 * eps * std::sqrt(std::max(1.0, double(op.n * op.spatial)));
  expect(checks, tdgamma.get(checks, where), oracle.dgamma, 16 * eps, sums, where + " dgamma");
  if (!rms) {
    expect(checks, tdbeta.get(checks, where), oracle.dbeta, 16 * eps, sums, where + " dbeta");
  }
}

// Running averages, then the pass that uses them.
void inference(Checks& checks, const TypeInfo& type, int32_t layout, int64_t n, int64_t c,
               int64_t spatial) {
  const TypeInfo& stats = stat_type(type);
  const gs_norm op = op_of(GS_BATCH_NORM, type.code, layout, n, c, spatial);
  const std::string where = std::string("running ") + type.name + " " + std::to_string(n);
  Oracle oracle(op);
  const auto x = random(type, oracle.count(), 1), dy = random(type, oracle.count(), 2),
             gamma = random(type, c, 3), beta = random(type, c, 4);
  std::vector<double> m(c), v(c);
  for (int64_t i = 0; i < c; i++)
    m[i] = static_cast<double>(i), v[i] = static_cast<double>(1 + i % 3);
  TypedArray tx(type, x), tdy(type, dy), tgamma(type, gamma), tbeta(type, beta),
      ty(type, oracle.count()), mean(stats, m), var(stats, v), dgamma(type, c), dbeta(type, c);
  auto workspace = workspace_of(checks, op);
  ok(checks,
     gs_norm_forward(&op, tx.data(), nullptr, nullptr, ty.data(), nullptr, nullptr, mean.data(),
                     var.data(), 0.25, workspace.data(), nullptr),
     where);
  oracle.measure(x);
  const double count = oracle.members();
  for (int64_t i = 0; i < c; i++) {
    if (count == 0) continue;
    m[i] = 0.75 * m[i] + 0.25 * oracle.mean[i];
    v[i] = 0.75 * v[i] + 0.25 * oracle.var[i] * count / std::max(1.0, count - 1);
  }
  expect(checks, mean.get(checks, where), m, 1e-6, 1e-6, where + " mean");
  expect(checks, var.get(checks, where), v, 1e-6, 1e-6, where + " var");
  oracle.mean = mean.get(checks, where), oracle.var = var.get(checks, where);
  oracle.forward(x, gamma, beta), oracle.backward(x, gamma, dy, true);
  ok(checks,
     gs_batch_norm_inference(&op, tx.data(), tgamma.data(), tbeta.data(), mean.data(), var.data(),
                             ty.data(), workspace.data(), nullptr),
     where);
  const double eps = 2 * type.epsilon, size = 10 * eps * (1 + static_cast<double>(c));
  expect(checks, ty.get(checks, where), oracle.y, 8 * eps, size, where + " y");
  ok(checks,
     gs_batch_norm_inference_backward(&op, tx.data(), tgamma.data(), mean.data(), var.data(),
                                      tdy.data(), ty.data(), dgamma.data(), dbeta.data(),
                                      workspace.data(), nullptr),
     where);
  expect(checks, ty.get(checks, where), oracle.dx, 8 * eps, 8 * eps, where + " dx");
  expect(checks, dgamma.get(checks, where), oracle.dgamma, 16 * eps, 4 * size, where + " dgamma");
  expect(checks, dbeta.get(checks, where), oracle.dbeta, 16 * eps, 4 * size, where + " dbeta");
}

// NaN, infinities, squares beyond f32's range, no variance: as the definition says, and a bad
// element stays in its group.
void specials(Checks& checks, const gs_norm& op) {
  for (const double first : {double(NAN), double(INFINITY), -1e30, 3.0}) {
    Oracle oracle(op);
    std::vector<double> x = random(f32, oracle.count(), 1);
    if (first == 3) std::fill(x.begin(), x.end(), 3);
    for (double& e : x) e = TypedArray::round(f32, first == -1e30 ? e * 1e30 : e);
    x[0] = TypedArray::round(f32, first);
    oracle.measure(x), oracle.forward(x, std::vector<double>(op.c, 1), std::vector<double>(op.c));
    TypedArray tx(f32, x);
    auto workspace = workspace_of(checks, op);
    const std::string where = std::string(kNames[op.kind]) + " special " + std::to_string(first);
    ok(checks,
       gs_norm_forward(&op, tx.data(), nullptr, nullptr, tx.data(), nullptr, nullptr, nullptr,
                       nullptr, 0, workspace.data(), nullptr),
       where);
    expect(checks, tx.get(checks, where), oracle.y, 1e-6, 4e-6, where);
  }
}

void refusals(Checks& checks) {
  float x[4] = {};
  const auto forward = [&](gs_norm op, const char* rule) {
    refused(checks,
            gs_norm_forward(&op, x, nullptr, nullptr, x, nullptr, nullptr, nullptr, nullptr, 0,
                            nullptr, nullptr),
            GS_INVALID_ARGUMENT, rule);
  };
  refused(checks, gs_norm_workspace(nullptr, nullptr), GS_INVALID_ARGUMENT, "null");
  gs_norm op = rows_of(GS_LAYER_NORM, GS_F32, 2, 2);
  op.kind = 4, forward(op, "kind=4");
  forward(rows_of(GS_LAYER_NORM, GS_I32, 2, 2), "type=4");
  forward(rows_of(GS_RMS_NORM, GS_F32, -2, 2), "n=-2");
  forward(rows_of(GS_RMS_NORM, GS_F32, int64_t(1) << 40, int64_t(1) << 40), "addressable");
  op = rows_of(GS_LAYER_NORM, GS_F32, 2, 2), op.eps = NAN, forward(op, "eps=nan");
  op = rows_of(GS_LAYER_NORM, GS_F32, 2, 2), op.spatial = 2, forward(op, "spatial=2");
  forward(op_of(GS_GROUP_NORM, GS_F32, GS_NCHW, 1, 4, 1, 3), "groups=3");
  forward(op_of(GS_GROUP_NORM, GS_F32, 7, 1, 4, 1, 2), "layout=7");
  op = op_of(GS_BATCH_NORM, GS_F32, GS_NCHW, 1, 4, 1), forward(op, "workspace");
  op = rows_of(GS_LAYER_NORM, GS_F32, 2, 2);
  const auto with = [&](const gs_norm& o, void* beta, void* running, double momentum) {
    return gs_norm_forward(&o, x, nullptr, beta, x, nullptr, nullptr, running, nullptr, momentum,
                           nullptr, nullptr);
  };
  refused(checks, with(op, x, nullptr, 0), GS_INVALID_ARGUMENT, "without gamma");
  refused(checks, with(op, nullptr, x, 0), GS_INVALID_ARGUMENT, "together");
  refused(checks, with(op, nullptr, nullptr, 2), GS_INVALID_ARGUMENT, "momentum=2");
  refused(checks,
          gs_norm_backward(&op, x, nullptr, nullptr, x, x, x, nullptr, nullptr, nullptr, nullptr),
          GS_INVALID_ARGUMENT, "statistics");
  refused(checks, gs_batch_norm_inference(&op, x, nullptr, nullptr, x, x, x, nullptr, nullptr),
          GS_INVALID_ARGUMENT, "of batch norm");
}
}  // namespace

int main() {
  require_device();
  Checks checks("norm");
  for (const auto& type : kFloatTypes) {
    const int64_t v = 16 / static_cast<int64_t>(type.bytes);  // elements of a vector
    for (const int32_t kind : {GS_LAYER_NORM, GS_RMS_NORM}) {
      for (const int64_t cols :
           {int64_t(1), v, int64_t(37), 32 * v + v, int64_t(512), int64_t(520)}) {
        test(checks, rows_of(kind, type.code, 9, cols), {.offset = size_t(cols % 3 == 1)});
      }
    }
    for (const int32_t layout : {GS_NCHW, GS_NHWC}) {
      test(checks, op_of(GS_GROUP_NORM, type.code, layout, 2, 6, 5, 2));
      test(checks, op_of(GS_GROUP_NORM, type.code, layout, 2, 4 * v, 2 * v, 2));
      test(checks, op_of(GS_BATCH_NORM, type.code, layout, 3, 5, 7));
      test(checks, op_of(GS_BATCH_NORM, type.code, layout, 3, v, 4 * v), {.in_place = true});
      inference(checks, type, layout, 3, 5, 4);
    }
  }
  test(checks, rows_of(GS_LAYER_NORM, GS_F32, 2, 4096));
  test(checks, rows_of(GS_LAYER_NORM, GS_F32, 2, 4097));
  test(checks, rows_of(GS_RMS_NORM, GS_BF16, 2, 8192), {.in_place = true});
  test(checks, rows_of(GS_LAYER_NORM, GS_F32, 3, 8200));   // forward in registers alone
  test(checks, rows_of(GS_LAYER_NORM, GS_F32, 2, 16400));  // as images
  test(checks, rows_of(GS_RMS_NORM, GS_F32, 2, 16401), {.offset = 1});
  test(checks, rows_of(GS_LAYER_NORM, GS_F16, 601, 16));  // several rows a group
  test(checks, rows_of(GS_LAYER_NORM, GS_F32, 20, 70), {.parameters = false, .mean = 1e6});
  for (const int32_t layout : {GS_NCHW, GS_NHWC}) {
    for (const auto kind : {GS_GROUP_NORM, GS_BATCH_NORM}) {
      test(checks, op_of(kind, GS_F32, layout, 2, 3, 4100), {.parameters = false, .mean = -1e6});
      test(checks, op_of(kind, GS_F32, layout, 1, 36, 70, kind == GS_GROUP_NORM ? 12 : 1));
      test(checks, op_of(kind, GS_F32, layout, 1, 1, 700), {.offset = 1});
      test(checks, op_of(kind, GS_F32, layout, 65, 4, 1), {.in_place = true});
      test(checks, op_of(kind, GS_F32, layout, 0, 4, 3));
      test(checks, op_of(kind, GS_F32, layout, 2, 4, 0));
      specials(checks, op_of(kind, GS_F32, layout, 2, 4, 9));
    }
    inference(checks, f32, layout, 1, 4, 1);  // no unbiased variance
    inference(checks, f32, layout, 0, 4, 2);  // no elements: the averages stay
  }
  for (const auto kind : {GS_LAYER_NORM, GS_RMS_NORM}) {
    test(checks, rows_of(kind, GS_F32, 0, 4));
    test(checks, rows_of(kind, GS_F32, 4, 0));
    specials(checks, rows_of(kind, GS_F32, 2, 40));
  }
  refusals(checks);
  return checks.finish();
}
