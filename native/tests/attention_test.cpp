// Attention against its definition in double.
#include <algorithm>

#include "types.h"

namespace {
struct Oracle {
  gs_attention op;
  std::vector<double> y, lse, dq, dk, dv;

  Oracle(const gs_attention& op, const std::vector<double>& q, const std::vector<double>& k,
         const std::vector<double>& v, const std::vector<double>& dy)
      : op(op),
        y(op.products * op.queries * op.value_depth),
        lse(op.products * op.queries, -INFINITY),
        dq(q.size()),
        dk(k.size()),
        dv(v.size()) {
    const int64_t e = op.depth, d = op.value_depth;
    for (int64_t b = 0; b < op.products; b++) {
      const double* keys = k.data() + b / op.sharing * op.keys * e;
      const double* values = v.data() + b / op.sharing * op.keys * d;
      double* dkeys = dk.data() + b / op.sharing * op.keys * e;
      double* dvalues = dv.data() + b / op.sharing * op.keys * d;
      for (int64_t i = 0; i < op.queries; i++) {
        const int64_t row = b * op.queries + i;
        const int64_t seen = op.causal ? std::min(op.keys, i + 1) : op.keys;
        std::vector<double> w(seen), dw(seen);
        double max = -INFINITY, sum = 0, delta = 0;
        for (int64_t j = 0; j < seen; j++) {
          for (int64_t c = 0; c < e; c++) w[j] += q[row * e + c] * keys[j * e + c];
          w[j] *= op.scale;
          max = w[j] != w[j] ? w[j] : std::fmax(max, w[j]);
        }
        for (double& s : w) sum += s = std::exp(s - max);
        if (seen > 0) lse[row] = max + std::log(sum);
        for (int64_t j = 0; j < seen; j++) {
          w[j] /= sum;
          for (int64_t c = 0; c < d; c++) {
            y[row * d + c] += w[j] * values[j * d + c];
            dw[j] += dy[row * d + c] * values[j * d + c];
            dvalues[j * d + c] += w[j] * dy[row * d + c];
          }
          delta += w[j] * dw[j];
        }
        for (int64_t j = 0; j < seen; j++) {
          const double ds = op.scale * w[j] * (dw[j] - delta);
          for (int64_t c = 0; c < e; c++) {
            dq[row * e + c] += ds * keys[j * e + c];
            dkeys[j * e + c] += ds * q[row * e + c];
          }
        }
      }
    }
  }
};

std::vector<double> random(const TypeInfo& type, int64_t count, uint64_t seed) {
  Random r(seed);
  std::vector<double> v(static_cast<size_t>(count));
  for (double& e : v) e = TypedArray::round(type, r());
  return v;
}

// Elements are of order 1 and sums of up to k products of f32 precision: off by sqrt(k) roundings,
// and by one of the stored type; the gradients use the stored, rounded y.
void expect(Checks& checks, TypedArray& got, const std::vector<double>& want, double tolerance,
            const std::string& where) {
  const auto values = got.get(checks, where);
  for (size_t i = 0; i < want.size(); i++) {
    const double allowed = std::isfinite(want[i]) ? tolerance * (1 + std::fabs(want[i])) : 0;
    if (!checks.close(values[i], want[i], allowed, where + " at " + std::to_string(i))) {
      return;
    }
  }
}

void test(Checks& checks, const TypeInfo& type, const gs_attention& op, size_t offset = 0) {
  const TypeInfo& stats = kFloatTypes[type.code == GS_F64];
  const int64_t heads = op.products / op.sharing;
  const auto q = random(type, op.products * op.queries * op.depth, 1),
             k = random(type, heads * op.keys * op.depth, 2),
             v = random(type, heads * op.keys * op.value_depth, 3),
             dy = random(type, op.products * op.queries * op.value_depth, 4);
  const Oracle oracle(op, q, k, v, dy);
  const std::string where = std::string(type.name) + " " + std::to_string(op.products) + "/" +
                            std::to_string(op.sharing) + " " + std::to_string(op.queries) + "x" +
                            std::to_string(op.keys) + " depth " + std::to_string(op.depth) + " " +
                            std::to_string(op.value_depth) + (op.causal ? " causal" : "");
  TypedArray tq(type, q, offset), tk(type, k, offset), tv(type, v, offset), tdy(type, dy, offset),
      ty(type, dy.size(), offset), lse(stats, oracle.lse.size()), dq(type, q.size()),
      dk(type, k.size()), dv(type, v.size());
  int64_t bytes = -1;
  checks.that(gs_attention_workspace(&op, &bytes) == GS_OK && bytes >= 0, where + " workspace");
  Array<unsigned char> workspace(static_cast<size_t>(bytes), 0);
  if (!ok(checks,
          gs_attention_forward(&op, tq.data(), tk.data(), tv.data(), ty.data(), lse.data(),
                               nullptr),
          where)) {
    return;
  }
  const double terms = static_cast<double>(std::max({op.queries * op.sharing, op.keys, op.depth}));
  const double eps = 4 * type.epsilon, sums = 16 * stats.epsilon * std::sqrt(terms);
  expect(checks, ty, oracle.y, eps + sums, where + " y");
  expect(checks, lse, oracle.lse, sums, where + " lse");
  if (!ok(checks,
          gs_attention_backward(&op, tq.data(), tk.data(), tv.data(), ty.data(), lse.data(),
                                tdy.data(), dq.data(), dk.data(), dv.data(), workspace.data(),
                                nullptr),
          where)) {
    return;
  }
  expect(checks, dq, oracle.dq, 4 * (eps + sums), where + " dq");
  expect(checks, dk, oracle.dk, 4 * (eps + sums), where + " dk");
  expect(checks, dv, oracle.dv, 4 * (eps + sums), where + " dv");
}

gs_attention op_of(const TypeInfo& type, int64_t products, int64_t sharing, int64_t queries,
                   int64_t keys, int64_t depth, int64_t value_depth, bool causal) {
  return {products, sharing, queries, keys, depth, value_depth, 0.7, type.code, causal};
}

// Scores far apart, NaN, infinities: as the softmax has them.
void specials(Checks& checks) {
  const TypeInfo& type = kFloatTypes[0];
  const gs_attention op{1, 1, 5, 2, 2, 1, 1, GS_F32, 0};
  const double inf = INFINITY;
  const std::vector<double> q = {1e4, 0, 0, 1e4, double(NAN), 0, -inf, 1, inf, 1};
  const std::vector<double> k = {1e4, 0, 1, 1e4}, v = {5, 7}, want = {5, 7, NAN, NAN, NAN};
  TypedArray tq(type, q), tk(type, k), tv(type, v), ty(type, want.size());
  ok(checks,
     gs_attention_forward(&op, tq.data(), tk.data(), tv.data(), ty.data(), nullptr, nullptr),
     "specials");
  expect(checks, ty, want, 0, "specials");
}

void refusals(Checks& checks) {
  float x[4] = {};
  const TypeInfo& type = kFloatTypes[0];
  const auto forward = [&](const gs_attention& op, gs_status status, const char* rule) {
    refused(checks, gs_attention_forward(&op, x, x, x, x, x, nullptr), status, rule);
  };
  refused(checks, gs_attention_forward(nullptr, x, x, x, x, x, nullptr), GS_INVALID_ARGUMENT,
          "null");
  gs_attention op = op_of(type, 2, 1, 1, 1, 1, 1, false);
  op.type = GS_I32, forward(op, GS_INVALID_ARGUMENT, "type=4");
  forward(op_of(type, 2, 1, -1, 1, 1, 1, false), GS_INVALID_ARGUMENT, "queries=-1");
  forward(op_of(type, 3, 2, 1, 1, 1, 1, false), GS_INVALID_ARGUMENT, "sharing=2");
  forward(op_of(type, 2, 1, 1, 1, 257, 1, false), GS_UNSUPPORTED, "depth=257");
  forward(op_of(kFloatTypes[1], 2, 1, 1, 1, 1, 65, false), GS_UNSUPPORTED, "value_depth=65");
  forward(op_of(type, int64_t(1) << 40, 1, int64_t(1) << 40, 1, 1, 1, false), GS_INVALID_ARGUMENT,
          "addressable");
  op = op_of(type, 2, 1, 1, 1, 1, 1, false);
  refused(checks, gs_attention_forward(&op, nullptr, x, x, x, x, nullptr), GS_INVALID_ARGUMENT,
          "null");
  refused(checks, gs_attention_backward(&op, x, x, x, x, x, x, x, x, x, nullptr, nullptr),
          GS_INVALID_ARGUMENT, "workspace");
}
}  // namespace

int main() {
  require_device();
  Checks checks("attention");
  for (const auto& type : kFloatTypes) {
    test(checks, type, op_of(type, 1, 1, 1, 1, 1, 1, false));
    test(checks, type, op_of(type, 2, 2, 65, 33, 7, type.code == GS_F64 ? 63 : 65, true), 1);
    test(checks, type, op_of(type, 1, 1, 33, 65, 40, 24, false));
  }
  for (const auto& type : {kFloatTypes[2], kFloatTypes[3]}) {
    test(checks, type, op_of(type, 2, 1, 70, 200, 128, 96, true));
    test(checks, type, op_of(type, 1, 1, 17, 129, 64, 72, false), 1);
    test(checks, type, op_of(type, 4, 2, 100, 130, 64, 40, true));  // heads that share keys
    test(checks, type, op_of(type, 1, 1, 3, 5, 130, 8, false));  // beyond the tensor cores' kernel
    test(checks, type, op_of(type, 2, 1, 3, 0, 2, 2, false));
  }
  const TypeInfo& f32 = kFloatTypes[0];
  test(checks, f32, op_of(f32, 4, 2, 3, 130, 16, 16, false));
  test(checks, f32, op_of(f32, 1, 1, 130, 66, 36, 4, true));
  test(checks, f32, op_of(f32, 1, 1, 5, 70, 130, 255, true));
  test(checks, f32, op_of(f32, 1, 1, 3, 5, 0, 3, false));
  test(checks, f32, op_of(f32, 2, 1, 3, 0, 2, 2, false));  // nothing to look at
  test(checks, f32, op_of(f32, 2, 1, 0, 3, 2, 2, true));
  test(checks, f32, op_of(f32, 0, 1, 3, 3, 2, 2, true));
  specials(checks);
  refusals(checks);
  return checks.finish();
}
