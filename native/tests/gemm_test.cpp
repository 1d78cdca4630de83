// The matrix product against plain loops in double (long double for f64).
#include <array>

#include "abi.h"

namespace {
struct Case {
  int64_t m, n, k;
  bool ta = false, tb = false;
  double alpha = 1, beta = 0;
  int64_t pad_a = 0, pad_b = 0, pad_c = 0, batch = 1;
  int activation = GS_IDENTITY;
  bool backward = false, bias = false, save_aux = false, share_b = false;
  size_t misaligned = 0;
};

double activation(int f, double z) {
  switch (f) {
    case GS_RELU:
      return z > 0 ? z : 0;
    case GS_GELU:
      return z * 0.5 * std::erfc(-z / std::sqrt(2.0));
    case GS_GELU_TANH:
      return z / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z)));
    default:
      return z;
  }
}
// By central differences: shares nothing with the kernels' formulas.
double derivative(int f, double z) {
  if (f == GS_RELU) return z > 0;
  const double h = 1e-5;
  return (activation(f, z + h) - activation(f, z - h)) / (2 * h);
}

gs_status run(const gs_gemm& g, float alpha, const float* a, const float* b, float beta, float* c,
              const float* bias, float* aux) {
  return gs_gemm_f32(&g, alpha, a, b, beta, c, bias, aux, nullptr);
}
gs_status run(const gs_gemm& g, double alpha, const double* a, const double* b, double beta,
              double* c, const double* bias, double* aux) {
  return gs_gemm_f64(&g, alpha, a, b, beta, c, bias, aux, nullptr);
}

template <class T>
void test(Checks& checks, const Case& t) {
  char name[200];
  snprintf(name, sizeof name,
           "f%zu %lldx%lldx%lld ta=%d tb=%d alpha=%g beta=%g batch=%lld act=%d backward=%d",
           sizeof(T) * 8, (long long)t.m, (long long)t.n, (long long)t.k, t.ta, t.tb, t.alpha,
           t.beta, (long long)t.batch, t.activation, t.backward);
  const std::string where = name;
  gs_gemm g{};
  g.m = t.m, g.n = t.n, g.k = t.k, g.batch = t.batch;
  g.trans_a = t.ta, g.trans_b = t.tb;
  g.lda = (t.ta ? t.m : t.k) + t.pad_a;
  g.ldb = (t.tb ? t.k : t.n) + t.pad_b;
  g.ldc = t.n + t.pad_c;
  g.stride_a = (t.ta ? t.k : t.m) * g.lda + t.pad_a;
  g.stride_b = t.share_b ? 0 : (t.tb ? t.n : t.k) * g.ldb;
  g.stride_c = t.m * g.ldc + t.pad_c;
  g.activation = t.activation, g.backward = t.backward, g.add_bias = t.bias;
  g.save_aux = t.save_aux;

  Random random(t.m * 7 + t.n * 3 + t.k);
  const auto draw = [&](int64_t n) {
    std::vector<T> v(n);
    for (auto& x : v) x = static_cast<T>(random());
    return v;
  };
  const auto a = draw(g.stride_a * t.batch);
  const auto b = draw((t.tb ? t.n : t.k) * g.ldb + (t.share_b ? 0 : g.stride_b * (t.batch - 1)));
  const auto bias = draw(t.n), aux = draw(g.stride_c * t.batch);
  auto c = draw(g.stride_c * t.batch);
  if (t.beta == 0) {
    for (auto& x : c) x = static_cast<T>(NAN);  // must not be read
  }
  Array<T> da(a, t.misaligned), db(b, t.misaligned), dc(c, t.misaligned), daux(aux, t.misaligned),
      dbias(bias, t.misaligned);
  if (!ok(checks,
          run(g, static_cast<T>(t.alpha), da.data(), db.data(), static_cast<T>(t.beta), dc.data(),
              dbias.data(), daux.data()),
          where)) {
    return;
  }
  const auto got = dc.get(checks, where), got_aux = daux.get(checks, where);
  const double eps = sizeof(T) == 4 ? 6e-8 : 1.2e-16;
  for (int64_t p = 0; p < t.batch; p++) {
    for (int64_t i = 0; i < t.m; i++) {
      for (int64_t j = 0; j < g.ldc; j++) {
        const int64_t at = p * g.stride_c + i * g.ldc + j;
        if (j >= t.n) {  // between the rows
          checks.close(got[at], c[at], 0, where + " padding");
          continue;
        }
        long double sum = 0, size = 0;
        for (int64_t k = 0; k < t.k && t.alpha != 0; k++) {
          const long double x = a[p * g.stride_a + (t.ta ? k * g.lda + i : i * g.lda + k)];
          const long double y = b[p * g.stride_b + (t.tb ? j * g.ldb + k : k * g.ldb + j)];
          sum += x * y;
          size += fabsl(x * y);
        }
        double z = static_cast<double>(sum * t.alpha);
        double bound = static_cast<double>(size) * std::fabs(t.alpha) + 1;
        if (t.beta != 0) z += t.beta * c[at];
        double want;
        if (t.backward) {
          want = z * derivative(t.activation, aux[at]);
        } else {
          if (t.bias) z += bias[j];
          want = activation(t.activation, z);
          checks.close(got_aux[at], t.save_aux ? z : static_cast<double>(aux[at]),
                       t.save_aux ? bound * (t.k + 4) * eps : 0, where + " aux");
        }
        // k + 4 roundings of at most eps each; the activations' slopes are below 1.2. Central
        // differences are good to 1e-9.
        const double tolerance = bound * (t.k + 8) * 1.2 * eps + (t.backward ? 1e-9 * bound : 0);
        if (!checks.close(got[at], want, tolerance, where)) return;
      }
    }
  }
}

template <class T>
void shapes(Checks& checks) {
  for (const int64_t m : {1, 63, 64, 65}) {
    for (const int64_t n : {1, 64, 67}) {
      for (const int64_t k : {1, 7, 8, 41}) test<T>(checks, {m, n, k});
    }
  }
  for (int trans = 0; trans < 4; trans++) {
    const bool ta = trans & 1, tb = trans & 2;
    test<T>(checks, {65, 33, 70, ta, tb, 1.5, 0.5});
    test<T>(checks, {32, 36, 24, ta, tb, -1, 0, 4, 8, 4, 3});
    test<T>(checks, {31, 37, 29, ta, tb, 1, 1, 3, 1, 5, 2});
    Case odd{36, 40, 44, ta, tb, 1, 0.25};
    odd.misaligned = 1;
    test<T>(checks, odd);
  }
  for (const int f : {GS_IDENTITY, GS_RELU, GS_GELU, GS_GELU_TANH}) {
    Case forward{33, 66, 20, false, true};
    forward.activation = f, forward.bias = true, forward.save_aux = true, forward.batch = 2;
    test<T>(checks, forward);
    Case backward{33, 66, 20, true, false, 1, 0.5};
    backward.activation = f, backward.backward = true;
    test<T>(checks, backward);
  }
  Case shared{5, 6, 7};
  shared.batch = 4, shared.share_b = true;
  test<T>(checks, shared);
  for (const auto& [m, n, k, batch] :
       {std::array<int64_t, 4>{0, 5, 6, 1}, {5, 0, 6, 1}, {5, 6, 0, 1}, {5, 6, 7, 0}}) {
    Case zero{m, n, k, false, false, 1, 0.5};
    zero.batch = batch;
    test<T>(checks, zero);
  }
  test<T>(checks, {5, 6, 7, false, false, 0, 0.5});
  test<T>(checks, {5, 6, 7, false, false, 0, 0});
}

// NaN in A and B are not read with alpha = 0, and spread otherwise.
void nans(Checks& checks) {
  gs_gemm g{};
  g.m = 2, g.n = 3, g.k = 4, g.lda = 4, g.ldb = 3, g.ldc = 3, g.batch = 1;
  std::vector<float> a(8, 1), b(12, 1), c(6, 2);
  a[5] = NAN;
  Array<float> da(a), db(b), dc(c);
  ok(checks, gs_gemm_f32(&g, 1, da.data(), db.data(), 1, dc.data(), nullptr, nullptr, nullptr), "");
  auto got = dc.get(checks, "nan");
  for (int i = 0; i < 6; i++) checks.close(got[i], i < 3 ? 6 : NAN, 0, "NaN in A");
  dc.set(c);
  ok(checks, gs_gemm_f32(&g, 0, da.data(), db.data(), 1, dc.data(), nullptr, nullptr, nullptr), "");
  got = dc.get(checks, "nan");
  for (int i = 0; i < 6; i++) checks.close(got[i], 2, 0, "alpha 0");
}

void refusals(Checks& checks) {
  gs_gemm good{};
  good.m = 2, good.n = 3, good.k = 4, good.lda = 4, good.ldb = 3, good.ldc = 3, good.batch = 1;
  float x = 0;
  const auto refuse = [&](auto change, const char* rule) {
    gs_gemm g = good;
    change(g);
    refused(checks, gs_gemm_f32(&g, 1, &x, &x, 0, &x, nullptr, nullptr, nullptr),
            GS_INVALID_ARGUMENT, rule);
  };
  refused(checks, gs_gemm_f32(nullptr, 1, &x, &x, 0, &x, nullptr, nullptr, nullptr),
          GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_gemm_f32(&good, 1, nullptr, &x, 0, &x, nullptr, nullptr, nullptr),
          GS_INVALID_ARGUMENT, "a and b must not be null");
  refused(checks, gs_gemm_f32(&good, 1, &x, &x, 0, nullptr, nullptr, nullptr, nullptr),
          GS_INVALID_ARGUMENT, "c must not be null");
  refuse([](gs_gemm& g) { g.m = -1; }, "m=-1");
  refuse([](gs_gemm& g) { g.lda = 3; }, "lda=3 (4)");
  refuse([](gs_gemm& g) { g.trans_b = 1; }, "ldb=3 (4)");
  refuse([](gs_gemm& g) { g.ldc = 2; }, "ldc=2 (3)");
  refuse([](gs_gemm& g) { g.stride_a = -1; }, "stride_a=-1");
  refuse([](gs_gemm& g) { g.batch = 2, g.stride_c = 5; }, "stride_c=5");
  refuse([](gs_gemm& g) { g.lda = INT64_MAX; }, "addressable");
  refuse([](gs_gemm& g) { g.activation = 4; }, "activation=4");
  refuse([](gs_gemm& g) { g.add_bias = 1; }, "bias must not be null");
  refuse([](gs_gemm& g) { g.save_aux = 1; }, "aux must not be null");
  refuse([](gs_gemm& g) { g.backward = 1, g.add_bias = 1; }, "backward form");
}
}  // namespace

int main() {
  require_device();
  Checks checks("gemm");
  shapes<float>(checks);
  shapes<double>(checks);
  // Large tiles: at least 64 of 128 x 128, edges and full tiles, more steps than stages.
  for (int trans = 0; trans < 4; trans++) {
    Case t{129, 130, 37, (trans & 1) != 0, (trans & 2) != 0, 1, 0.5};
    t.batch = 16;
    test<float>(checks, t);
  }
  // More products than blocks along the batch.
  Case many{2, 3, 9};
  many.batch = 1030;
  test<float>(checks, many);
  nans(checks);
  refusals(checks);
  return checks.finish();
}
