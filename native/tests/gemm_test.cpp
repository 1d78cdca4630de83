// The matrix product against plain loops in long double.
#include <array>

#include "types.h"

namespace {
const TypeInfo& kF32 = kFloatTypes[0];
const TypeInfo& kF64 = kFloatTypes[1];
const TypeInfo& kBF16 = kFloatTypes[2];
const TypeInfo& kF16 = kFloatTypes[3];

struct Types {
  TypeInfo a, b, c;
  int32_t method;
  bool tf32 = false;
};
Types all(const TypeInfo& t, int32_t method) { return {t, t, t, method}; }

struct Case {
  int64_t m, n, k;
  bool ta = false, tb = false;
  double alpha = 1, beta = 0;
  int64_t pad_a = 0, pad_b = 0, pad_c = 0, batch = 1;
  int activation = GS_IDENTITY;
  bool backward = false, bias = false, save_aux = false, bias_gradient = false, share_b = false;
  size_t misaligned = 0;
  int tile = 0, splits = 0;
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

gs_gemm describe(const Types& types, const Case& t) {
  gs_gemm g{};
  g.m = t.m, g.n = t.n, g.k = t.k, g.batch = t.batch;
  g.trans_a = t.ta, g.trans_b = t.tb;
  g.lda = (t.ta ? t.m : t.k) + t.pad_a;
  g.ldb = (t.tb ? t.k : t.n) + t.pad_b;
  g.ldc = t.n + t.pad_c;
  g.stride_a = (t.ta ? t.k : t.m) * g.lda + t.pad_a;
  g.stride_b = t.share_b ? 0 : (t.tb ? t.n : t.k) * g.ldb;
  g.stride_c = t.m * g.ldc + t.pad_c;
  g.a_type = types.a.code, g.b_type = types.b.code, g.c_type = types.c.code;
  g.tf32 = types.tf32, g.method = types.method, g.tile = t.tile, g.splits = t.splits;
  g.activation = t.activation, g.backward = t.backward, g.add_bias = t.bias;
  g.save_aux = t.save_aux, g.bias_gradient = t.bias_gradient;
  return g;
}

void test(Checks& checks, const Types& types, const Case& t) {
  char name[200];
  snprintf(name, sizeof name,
           "%s,%s,%s method=%d %lldx%lldx%lld ta=%d tb=%d alpha=%g beta=%g batch=%lld act=%d "
           "backward=%d",
           types.a.name, types.b.name, types.c.name, types.method, (long long)t.m, (long long)t.n,
           (long long)t.k, t.ta, t.tb, t.alpha, t.beta, (long long)t.batch, t.activation,
           t.backward);
  const std::string where = name, in_gaps = where + " padding", in_aux = where + " aux";
  const gs_gemm g = describe(types, t);
  Random random(t.m * 7 + t.n * 3 + t.k);
  const auto draw = [&](const TypeInfo& type, int64_t n) {
    std::vector<double> v(n);
    for (auto& x : v) x = TypedArray::round(type, random());
    return v;
  };
  const auto a = draw(types.a, g.stride_a * t.batch);
  const auto b =
      draw(types.b, (t.tb ? t.n : t.k) * g.ldb + (t.share_b ? 0 : g.stride_b * (t.batch - 1)));
  const auto bias = draw(types.c, t.n), aux = draw(types.c, g.stride_c * t.batch);
  auto c = draw(types.c, g.stride_c * t.batch);
  if (t.beta == 0) {
    for (auto& x : c) x = NAN;  // must not be read
  }
  TypedArray da(types.a, a, t.misaligned), db(types.b, b, t.misaligned),
      dc(types.c, c, t.misaligned), daux(types.c, aux, t.misaligned),
      dbias(types.c, bias, t.misaligned);
  int64_t bytes = -1;
  if (!ok(checks, gs_gemm_workspace(&g, &bytes), where)) return;
  Array<unsigned char> workspace(bytes);
  if (!ok(checks,
          gs_gemm_run(&g, t.alpha, da.data(), db.data(), t.beta, dc.data(), dbias.data(),
                      daux.data(), bytes ? workspace.data() : nullptr, nullptr),
          where)) {
    return;
  }
  workspace.get(checks, where + " workspace");
  const auto got = dc.get(checks, where), got_aux = daux.get(checks, where);
  const bool wide = types.c.code == GS_F64;
  const double eps = wide ? 1.2e-16 : 6e-8, stored = wide || types.c.code == GS_F32 ? 0 : 1;
  // Operands rounded to tf32 are off by at most 2^-11 each.
  const double operands = types.tf32 && types.method == GS_GEMM_MMA ? 1.01 / 1024 : 0;
  std::vector<double> column(t.n), column_size(t.n);
  for (int64_t p = 0; p < t.batch; p++) {
    for (int64_t i = 0; i < t.m; i++) {
      for (int64_t j = 0; j < g.ldc; j++) {
        const int64_t at = p * g.stride_c + i * g.ldc + j;
        if (j >= t.n) {  // between the rows
          checks.close(got[at], c[at], 0, in_gaps);
          continue;
        }
        long double sum = 0, size = 0;
        for (int64_t k = 0; k < t.k && t.alpha != 0; k++) {
          const double x = a[p * g.stride_a + (t.ta ? k * g.lda + i : i * g.lda + k)];
          const double y = b[p * g.stride_b + (t.tb ? j * g.ldb + k : k * g.ldb + j)];
          const long double product = static_cast<long double>(x) * y;
          sum += product;
          size += fabsl(product);
        }
        double z = static_cast<double>(sum * t.alpha);
        double bound = static_cast<double>(size) * std::fabs(t.alpha) + 1;
        if (t.beta != 0) z += t.beta * c[at];
        // k + 8 roundings of at most eps each; the activations' slopes are below 1.2. Central
        // differences are good to 1e-9. The result is rounded once to its type.
        const double sums = bound * ((t.k + 8) * eps + operands) * 1.2;
        double want;
        if (t.backward) {
          want = z * derivative(t.activation, aux[at]);
        } else {
          if (t.bias) z += bias[j];
          want = activation(t.activation, z);
          checks.close(got_aux[at], t.save_aux ? z : aux[at],
                       t.save_aux ? sums + stored * types.c.epsilon * std::fabs(z) : 0, in_aux);
        }
        column[j] += got[at], column_size[j] += std::fabs(got[at]);
        const double tolerance = sums + stored * types.c.epsilon * 1.01 * std::fabs(want) +
                                 (t.backward ? 1e-9 * bound : 0);
        if (!checks.close(got[at], want, tolerance, where)) return;
      }
    }
  }
  const auto got_bias = dbias.get(checks, where);
  for (int64_t j = 0; j < t.n; j++) {
    checks.close(got_bias[j], t.bias_gradient ? column[j] : bias[j],
                 t.bias_gradient
                     ? 1e-12 * column_size[j] + 1.01 * types.c.epsilon * std::fabs(column[j])
                     : 0,
                 where + " bias");
  }
}

// Edges of the small tile, every way to store operands, copies of each width.
void shapes(Checks& checks, const Types& types) {
  const int64_t vector = 16 / (int64_t)types.a.bytes;
  for (const auto& [m, n, k] :
       {std::array<int64_t, 3>{1, 1, 1}, {63, 64, 8}, {64, 67, 1}, {65, 1, 41}, {1, 65, 33}}) {
    test(checks, types, {m, n, k});
  }
  for (int trans = 0; trans < 4; trans++) {
    const bool ta = trans & 1, tb = trans & 2;
    test(checks, types, {65, 33, 70, ta, tb, 1.5, 0.5});
    // Aligned, more steps than stages.
    test(checks, types, {72, 40, 168, ta, tb, -1, 0, vector, 2 * vector, 4});
    test(checks, types, {31, 37, 29, ta, tb, 1, 1, 3, 1, 5, 2});
    test(checks, types, {16, 24, 40, ta, tb, 1, 1, 3, 1, 5});
    Case odd{24, 16, 40, ta, tb, 1, 0.25};
    odd.misaligned = 1;
    test(checks, types, odd);
  }
  Case shared{5, 6, 7};
  shared.batch = 4, shared.share_b = true, shared.bias_gradient = true;
  test(checks, types, shared);
}

void epilogues(Checks& checks, const Types& types) {
  for (const int f : {GS_IDENTITY, GS_RELU, GS_GELU, GS_GELU_TANH}) {
    Case forward{33, 18, 20, false, true};
    forward.activation = f, forward.bias = true, forward.save_aux = true, forward.batch = 2;
    test(checks, types, forward);
    Case backward{33, 20, 20, true, false, 1, 0.5};
    backward.activation = f, backward.backward = true, backward.bias_gradient = true;
    test(checks, types, backward);
  }
}

void edges(Checks& checks, const Types& types) {
  for (const auto& [m, n, k, batch] :
       {std::array<int64_t, 4>{0, 5, 6, 1}, {5, 0, 6, 1}, {5, 6, 0, 1}, {5, 6, 7, 0}}) {
    Case zero{m, n, k, false, false, 1, 0.5};
    zero.batch = batch;
    test(checks, types, zero);
    zero.bias_gradient = true;
    test(checks, types, zero);
  }
  test(checks, types, {5, 6, 7, false, false, 0, 0.5});
  test(checks, types, {5, 6, 7, false, false, 0, 0});
}

// Parts of k, the last one shorter; by themselves where there are few tiles and a long k.
void parts(Checks& checks, const Types& types) {
  for (int trans = 0; trans < 4; trans++) {
    Case t{7, 9, 150, (trans & 1) != 0, (trans & 2) != 0, 0.5, trans % 2 * 2.0};
    t.splits = 2;
    t.activation = GS_RELU, t.save_aux = true, t.bias = true, t.pad_c = trans;
    test(checks, types, t);
  }
  Case t{3, 8, 1600, false, true};
  t.batch = 2, t.bias_gradient = true;
  test(checks, types, t);
  const gs_gemm g = describe(types, t);
  int64_t bytes = 0;
  gs_gemm_workspace(&g, &bytes);
  checks.that(bytes >= 3 * 2 * 3 * 8 * (types.c.code == GS_F64 ? 8 : 4), "k was not split");
}

// Large tiles: edges and full tiles, once more steps than stages.
void large(Checks& checks, const Types& types, int tile) {
  for (int trans = 0; trans < 4; trans++) {
    Case t{tile + 1, 136, 20, (trans & 1) != 0, (trans & 2) != 0, 1, 0.5};
    if (t.ta) t.pad_a = 7;
    if (trans == 0) t.k = 168;
    t.tile = tile;
    test(checks, types, t);
  }
}

// One block takes several tiles, products and parts in turn; more steps than stages.
void persistent(Checks& checks, const Types& types, int tile) {
  for (int trans = 0; trans < 4; trans++) {
    Case t{trans & 1 ? 136 : 131,
           trans & 2 ? 268 : 272,
           200,
           (trans & 1) != 0,
           (trans & 2) != 0,
           1,
           0.5};
    t.tile = tile, t.pad_b = trans & 2 ? 0 : 8;
    t.batch = trans == 0 ? 2 : 1, t.share_b = true, t.splits = trans == 3 ? 2 : 1;
    if (trans == 2) t.k = 8 * 64 + 40;
    test(checks, types, t);
  }
  Case odd{70, 72, 64, false, true};  // no 16-byte addresses: mma's path
  odd.misaligned = 1;
  test(checks, types, odd);
  test(checks, types, {70, 72, 64, false, true, 0, 0.5});
}

// NaN in A and B are not read with alpha = 0, and spread otherwise.
void nans(Checks& checks, const Types& types) {
  gs_gemm g = describe(types, {2, 3, 4});
  std::vector<double> a(8, 1), b(12, 1), c(6, 2);
  a[5] = NAN;
  TypedArray da(types.a, a), db(types.b, b), dc(types.c, c);
  const auto run = [&](double alpha) {
    dc.set(c);
    ok(checks,
       gs_gemm_run(&g, alpha, da.data(), db.data(), 1, dc.data(), nullptr, nullptr, nullptr,
                   nullptr),
       "nan");
    return dc.get(checks, "nan");
  };
  auto got = run(1);
  for (int i = 0; i < 6; i++) checks.close(got[i], i < 3 ? 6 : NAN, 0, "NaN in A");
  got = run(0);
  for (int i = 0; i < 6; i++) checks.close(got[i], 2, 0, "alpha 0");
}

void refusals(Checks& checks) {
  const gs_gemm good = describe(all(kF32, GS_GEMM_AUTO), {2, 3, 4});
  float x = 0;
  const auto run = [&](const gs_gemm* g, const float* a, float* c) {
    return gs_gemm_run(g, 1, a, &x, 0, c, nullptr, nullptr, nullptr, nullptr);
  };
  const auto refuse = [&](auto change, const char* rule, gs_status status = GS_INVALID_ARGUMENT) {
    gs_gemm g = good;
    change(g);
    refused(checks, run(&g, &x, &x), status, rule);
  };
  refused(checks, run(nullptr, &x, &x), GS_INVALID_ARGUMENT, "null");
  refused(checks, run(&good, nullptr, &x), GS_INVALID_ARGUMENT, "a and b must not be null");
  refused(checks, run(&good, &x, nullptr), GS_INVALID_ARGUMENT, "c must not be null");
  refused(checks, gs_gemm_workspace(&good, nullptr), GS_INVALID_ARGUMENT, "bytes");
  refuse([](gs_gemm& g) { g.m = -1; }, "m=-1");
  refuse([](gs_gemm& g) { g.lda = 3; }, "lda=3 (4)");
  refuse([](gs_gemm& g) { g.trans_b = 1; }, "ldb=3 (4)");
  refuse([](gs_gemm& g) { g.ldc = 2; }, "ldc=2 (3)");
  refuse([](gs_gemm& g) { g.stride_a = -1; }, "stride_a=-1");
  refuse([](gs_gemm& g) { g.batch = 2, g.stride_c = 5; }, "stride_c=5");
  refuse([](gs_gemm& g) { g.lda = INT64_MAX; }, "addressable");
  refuse([](gs_gemm& g) { g.activation = 4; }, "activation=4");
  refuse([](gs_gemm& g) { g.add_bias = 1; }, "bias must not be null");
  refuse([](gs_gemm& g) { g.bias_gradient = 1; }, "bias must not be null");
  refuse([](gs_gemm& g) { g.bias_gradient = g.add_bias = 1; }, "its gradient");
  refuse([](gs_gemm& g) { g.save_aux = 1; }, "aux must not be null");
  refuse([](gs_gemm& g) { g.backward = 1, g.add_bias = 1; }, "backward form");
  refuse([](gs_gemm& g) { g.k = g.lda = 2000; }, "workspace must not be null");
  refuse([](gs_gemm& g) { g.a_type = GS_I32; }, "a=4");
  refuse([](gs_gemm& g) { g.b_type = GS_F64; }, "must all be f64 or none");
  refuse([](gs_gemm& g) { g.method = 9; }, "method=9");
  refuse([](gs_gemm& g) { g.tile = 32; }, "tile=32");
  refuse([](gs_gemm& g) { g.tile = 128, g.a_type = g.b_type = g.c_type = GS_F64; },
         "tiles of 64 only", GS_UNSUPPORTED);
  refuse([](gs_gemm& g) { g.method = GS_GEMM_WGMMA; }, "bf16 or f16", GS_UNSUPPORTED);
  refuse([](gs_gemm& g) { g.splits = -1; }, "splits=-1");
  refuse([](gs_gemm& g) { g.method = GS_GEMM_MMA; }, "tf32 allowed", GS_UNSUPPORTED);
  refuse([](gs_gemm& g) { g.method = GS_GEMM_MMA, g.a_type = GS_F16; }, "of one type",
         GS_UNSUPPORTED);
  // An older device.
  gs_gemm bf16 = describe(all(kBF16, GS_GEMM_MMA), {2, 3, 4});
  int64_t bytes;
  setenv("GRIDSTRIDE_CAPABILITY", "75", 1);
  refused(checks, gs_gemm_workspace(&bf16, &bytes), GS_UNSUPPORTED, "8.0");
  bf16.method = GS_GEMM_AUTO;
  checks.that(gs_gemm_workspace(&bf16, &bytes) == GS_OK, "no method for an older device");
  gs_gemm hopper = describe(all(kBF16, GS_GEMM_WGMMA), {80, 80, 64});
  setenv("GRIDSTRIDE_CAPABILITY", "80", 1);
  refused(checks, gs_gemm_workspace(&hopper, &bytes), GS_UNSUPPORTED, "9.0");
  unsetenv("GRIDSTRIDE_CAPABILITY");
  hopper.lda = 65;
  refused(checks, gs_gemm_workspace(&hopper, &bytes), GS_UNSUPPORTED, "multiples of 8");
}
}  // namespace

int main() {
  require_device();
  Checks checks("gemm");
  const Types simt32 = all(kF32, GS_GEMM_SIMT), simt64 = all(kF64, GS_GEMM_SIMT);
  const Types mma_bf16 = all(kBF16, GS_GEMM_MMA);
  const Types mma_f16{kF16, kF16, kF32, GS_GEMM_MMA};
  const Types tf32{kF32, kF32, kF32, GS_GEMM_MMA, true};
  const Types mixed{kBF16, kF32, kF16, GS_GEMM_SIMT};
  for (const Types& types : {simt32, simt64, mma_bf16, mma_f16, tf32, mixed}) {
    shapes(checks, types);
    parts(checks, types);
    if (checks.failed()) return checks.finish();
  }
  for (const Types& types : {simt32, simt64, mma_bf16, mixed}) epilogues(checks, types);
  for (const Types& types : {simt32, mma_bf16, tf32}) large(checks, types, 128);
  large(checks, simt32, 256);
  for (const Types& types : {simt32, simt64, mma_bf16, all(kF16, GS_GEMM_AUTO)}) {
    edges(checks, types);
  }
  for (const Types& types : {simt32, mma_bf16}) nans(checks, types);
  persistent(checks, {kBF16, kBF16, kBF16, GS_GEMM_WGMMA}, 64);
  persistent(checks, {kBF16, kBF16, kBF16, GS_GEMM_WGMMA}, 128);
  persistent(checks, {kF16, kF16, kF32, GS_GEMM_WGMMA}, 256);
  // More products than blocks along the batch.
  Case many{2, 3, 9};
  many.batch = 514;
  test(checks, simt32, many);
  test(checks, mma_f16, many);
  refusals(checks);
  return checks.finish();
}
