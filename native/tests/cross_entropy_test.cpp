// Cross-entropy against plain loops in double.
#include "types.h"

namespace {
struct Case {
  int64_t rows, classes, inner = 1;
  int target = GS_I32;  // or GS_I64, or GS_F32 for probabilities
  double smoothing = 0;
  bool weighted = false;
  int reduction = GS_REDUCE_MEAN;
  bool upstream = false, ignore = false, in_place = false;
};

void test(Checks& checks, const TypeInfo& type, const Case& t) {
  char name[200];
  snprintf(name, sizeof name, "%s %lldx%lldx%lld target=%d smoothing=%g weighted=%d reduction=%d",
           type.name, (long long)t.rows, (long long)t.classes, (long long)t.inner, t.target,
           t.smoothing, t.weighted, t.reduction);
  const std::string where = name;
  const bool probabilities = t.target == GS_F32;
  const TypeInfo& result = kFloatTypes[type.code == GS_F64 ? 1 : 0];
  gs_cross_entropy op{};
  op.rows = t.rows, op.classes = t.classes, op.inner = t.inner;
  op.type = type.code, op.target_type = probabilities ? type.code : t.target;
  op.label_smoothing = t.smoothing, op.ignore_index = -100, op.reduction = t.reduction;
  const int64_t positions = t.rows * t.inner, count = positions * t.classes;
  const auto at = [&](int64_t p, int64_t c) {
    return (p / t.inner * t.classes + c) * t.inner + p % t.inner;
  };
  Random random(count + t.target);
  std::vector<double> x(count), weight(t.classes), targets(probabilities ? count : positions);
  for (auto& v : x) v = TypedArray::round(type, random() * 6);
  if (count > 50) x[11] = -INFINITY;
  for (auto& v : weight) v = TypedArray::round(result, random() + 1.1);
  if (t.classes > 3) weight[2] = 0;
  if (probabilities) {
    for (auto& v : targets) v = TypedArray::round(type, (random() + 1) / t.classes);
    if (count > 50) targets[11] = 0;
  } else {
    for (int64_t p = 0; p < positions; p++) {
      targets[p] = random.bits() % t.classes;
      if (count > 50 && at(p, static_cast<int64_t>(targets[p])) == 11) targets[p] = 0;
      if (t.ignore && p % 3 == 1) targets[p] = -100;
    }
    if (count > 50 && at(0, 0) == 11) targets[0] = 1;
  }
  if (t.weighted && !probabilities && t.classes > 3) {  // a weight of 0 where the logit is -Inf
    targets[0] = 2;
    x[at(0, 2)] = -INFINITY;
  }
  const int64_t losses = t.reduction == GS_REDUCE_NONE ? positions : 1;
  std::vector<double> dloss(losses);
  for (auto& v : dloss) v = TypedArray::round(result, random());

  const TypeInfo target_info{op.target_type, "",
                             op.target_type == GS_I64   ? size_t(8)
                             : op.target_type == GS_I32 ? size_t(4)
                                                        : type.bytes,
                             0};
  TypedArray logits_(type, x, 1), targets_(target_info, targets), weight_(result, weight),
      dloss_(result, dloss), loss_(result, losses), lse_(result, positions), d_(type, count, 1);
  int64_t bytes = 0;
  checks.that(gs_cross_entropy_workspace(&op, &bytes) == GS_OK && bytes > 0, where);
  void* workspace = nullptr;
  gs_malloc(&workspace, bytes, nullptr);
  const double scale = 2.5;
  const auto run = [&](void* lse, void* gradient) {
    return gs_cross_entropy_run(&op, logits_.data(), targets_.data(),
                                t.weighted ? weight_.data() : nullptr, scale, loss_.data(), lse,
                                t.upstream ? dloss_.data() : nullptr, gradient, workspace, nullptr);
  };
  if (!ok(checks, run(lse_.data(), nullptr), where)) return;  // forward only
  const auto forward_loss = loss_.get(checks, where);
  const auto lse = lse_.get(checks, where);
  if (!ok(checks, run(nullptr, t.in_place ? logits_.data() : d_.data()), where)) return;
  const auto loss = loss_.get(checks, where);
  const auto d = (t.in_place ? logits_ : d_).get(checks, where);
  int64_t invalid = -1;
  gs_copy_to_host(&invalid, workspace, 8, nullptr);
  gs_free(workspace, nullptr);
  checks.close(static_cast<double>(invalid), 0, 0, where + " invalid targets");

  double weight_sum = 0, divisor = 0, sum = 0;
  for (const double w : weight) weight_sum += t.weighted ? w : 1;
  const auto w = [&](int64_t c) { return t.weighted ? weight[c] : 1.0; };
  for (int64_t p = 0; p < positions; p++) {
    if (probabilities) {
      divisor += 1;
    } else if (targets[p] != -100) {
      divisor += w(static_cast<int64_t>(targets[p]));
    }
  }
  if (t.reduction != GS_REDUCE_MEAN) divisor = 1;
  const double base = type.code == GS_F64 ? 1.2e-16 : 6e-8;
  const double terms = 20 + 0.2 * static_cast<double>(t.classes);
  double bound_sum = 0;
  for (int64_t p = 0; p < positions; p++) {
    double max = -INFINITY, exps = 0, value = 0, q_sum = 0;
    for (int64_t c = 0; c < t.classes; c++) max = std::fmax(max, x[at(p, c)]);
    for (int64_t c = 0; c < t.classes; c++) exps += std::exp(x[at(p, c)] - max);
    const double log_sum = max + std::log(exps);
    const bool ignored = !probabilities && targets[p] == -100;
    const auto q = [&](int64_t c) {
      if (probabilities) {
        return w(c) * ((1 - t.smoothing) * targets[at(p, c)] + t.smoothing / t.classes);
      }
      return (targets[p] == c ? (1 - t.smoothing) * w(c) : 0) + t.smoothing / t.classes * w(c);
    };
    double size = 1;
    for (int64_t c = 0; c < t.classes; c++) {
      const double qc = q(c);
      q_sum += qc;
      if (qc != 0) value += qc * (log_sum - x[at(p, c)]);
      if (qc != 0) size += qc * (std::fabs(log_sum) + std::fabs(x[at(p, c)]));
    }
    if (ignored) value = 0;
    const double tolerance = std::isinf(value) ? 0 : size * terms * base;
    bound_sum += tolerance;
    checks.close(lse[p], log_sum, (std::fabs(log_sum) + 1) * terms * base, where + " lse");
    if (t.reduction == GS_REDUCE_NONE) {
      if (!checks.close(loss[p], value, tolerance, where + " loss")) return;
    }
    sum += value;
    const double g =
        scale / divisor * (t.upstream ? dloss[t.reduction == GS_REDUCE_NONE ? p : 0] : 1.0);
    for (int64_t c = 0; c < t.classes; c++) {
      const double probability = std::exp(x[at(p, c)] - log_sum);
      const double want = ignored ? 0 : g * (q_sum * probability - q(c));
      const double close = std::fabs(g) * (q_sum * probability + q(c)) * terms * base +
                           std::fabs(want) * type.epsilon * 1.01 +
                           (type.code == GS_F16 ? 6e-8 : 1e-40);
      if (!checks.close(d[at(p, c)], want, close, where + " dlogits")) return;
    }
  }
  if (t.reduction != GS_REDUCE_NONE) {
    const double want = divisor == 0 ? NAN : sum / divisor;
    checks.close(loss[0], want, bound_sum / divisor + std::fabs(want) * base, where + " loss");
  }
  for (int64_t i = 0; i < losses; i++)
    checks.close(forward_loss[i], loss[i], 0, where + " forward");
}

void invalid_targets(Checks& checks) {
  gs_cross_entropy op{};
  op.rows = 3, op.classes = 4, op.inner = 1, op.type = GS_F32, op.target_type = GS_I64;
  op.ignore_index = 7, op.reduction = GS_REDUCE_NONE;
  Array<float> x(std::vector<float>(12, 1)), loss(3), d(12);
  Array<int64_t> targets(std::vector<int64_t>{4, 7, -1});
  int64_t bytes, bad = 0;
  gs_cross_entropy_workspace(&op, &bytes);
  void* workspace;
  gs_malloc(&workspace, bytes, nullptr);
  ok(checks,
     gs_cross_entropy_run(&op, x.data(), targets.data(), nullptr, 1, loss.data(), nullptr, nullptr,
                          d.data(), workspace, nullptr),
     "invalid targets");
  gs_copy_to_host(&bad, workspace, 8, nullptr);
  gs_free(workspace, nullptr);
  checks.close(static_cast<double>(bad), 2, 0, "number of invalid targets");
  const auto l = loss.get(checks, "invalid"), g = d.get(checks, "invalid");
  for (int i = 0; i < 3; i++) checks.close(l[i], i == 1 ? 0 : NAN, 0, "loss of invalid target");
  for (int i = 0; i < 12; i++) checks.close(g[i], i / 4 == 1 ? 0 : NAN, 0, "its gradient");
}

void refusals(Checks& checks) {
  gs_cross_entropy good{};
  good.rows = 1, good.classes = 2, good.inner = 1, good.type = GS_F32, good.target_type = GS_I32;
  alignas(256) char memory[256];
  const auto refuse = [&](auto change, const char* rule) {
    gs_cross_entropy op = good;
    change(op);
    refused(checks,
            gs_cross_entropy_run(&op, memory, memory, nullptr, 1, memory, nullptr, nullptr, nullptr,
                                 memory, nullptr),
            GS_INVALID_ARGUMENT, rule);
  };
  refuse([](gs_cross_entropy& o) { o.classes = 0; }, "classes=0");
  refuse([](gs_cross_entropy& o) { o.rows = -1; }, "rows=-1");
  refuse([](gs_cross_entropy& o) { o.type = GS_I64; }, "type=5");
  refuse([](gs_cross_entropy& o) { o.target_type = GS_F64; }, "target_type=1");
  refuse([](gs_cross_entropy& o) { o.label_smoothing = NAN; }, "label_smoothing=nan");
  refuse([](gs_cross_entropy& o) { o.reduction = 3; }, "reduction=3");
  refused(checks,
          gs_cross_entropy_run(&good, nullptr, memory, nullptr, 1, memory, nullptr, nullptr,
                               nullptr, memory, nullptr),
          GS_INVALID_ARGUMENT, "logits and targets");
  refused(checks,
          gs_cross_entropy_run(&good, memory, memory, nullptr, 1, memory, nullptr, nullptr, nullptr,
                               nullptr, nullptr),
          GS_INVALID_ARGUMENT, "workspace");
}
}  // namespace

int main() {
  require_device();
  Checks checks("cross_entropy");
  for (const auto& type : kFloatTypes) {
    for (const int target : {GS_I32, GS_I64, GS_F32}) {
      for (const double smoothing : {0., 0.1}) {
        for (const bool weighted : {false, true}) {
          Case t{9, 37, 1, target, smoothing, weighted};
          t.ignore = weighted;
          t.upstream = weighted;
          test(checks, type, t);
          t.rows = 3, t.classes = 5, t.inner = 7, t.reduction = GS_REDUCE_NONE;
          test(checks, type, t);
        }
      }
    }
    Case large{2, 1030, 1, GS_I32, 0.05, true};
    large.in_place = true, large.reduction = GS_REDUCE_SUM;
    test(checks, type, large);
    Case longer{1, 8300, 1, GS_F32, 0.05, true};
    longer.in_place = true;
    test(checks, type, longer);
    Case none{0, 5};
    test(checks, type, none);
  }
  Case vocabulary{2, 50257, 1, GS_I64};
  vocabulary.in_place = true;
  test(checks, kFloatTypes[0], vocabulary);
  vocabulary.smoothing = 0.1, vocabulary.rows = 1;
  test(checks, kFloatTypes[0], vocabulary);
  Case columns{2, 300, 3, GS_I64};
  columns.in_place = true, columns.ignore = true;
  test(checks, kFloatTypes[0], columns);
  test(checks, kFloatTypes[0], {700, 1, 1});
  test(checks, kFloatTypes[0], {2100, 3, 1});  // more positions than partial sums take at once
  invalid_targets(checks);
  refusals(checks);
  return checks.finish();
}
