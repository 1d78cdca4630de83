// The norm of gradients, clipping, and the control block of steps, against double.
#include <limits>
#include <memory>

#include "types.h"

namespace {
constexpr double kInf = std::numeric_limits<double>::infinity();

struct Gradients {
  std::vector<std::vector<double>> values;
  std::vector<std::unique_ptr<TypedArray>> arrays;
  std::vector<gs_array> table;
  double norm = 0;

  Gradients(const TypeInfo& type, const std::vector<int64_t>& sizes) {
    Random random(sizes.size());
    double sum = 0;
    for (size_t i = 0; i < sizes.size(); i++) {
      std::vector<double> v(sizes[i]);
      for (auto& x : v) x = TypedArray::round(type, random()), sum += x * x;
      values.push_back(v);
      arrays.push_back(std::make_unique<TypedArray>(type, v, i % 3));
      table.push_back({arrays.back()->data(), sizes[i]});
    }
    norm = std::sqrt(sum);
  }
  int64_t count() const { return static_cast<int64_t>(table.size()); }
  int64_t workspace(Checks& checks) {
    int64_t bytes = 0;
    checks.that(gs_clip_workspace(table.data(), count(), &bytes) == GS_OK && bytes % 256 == 0,
                "workspace");
    return bytes;
  }
  // Every element must be what it was, times the factor.
  void expect(Checks& checks, const TypeInfo& type, double factor, const std::string& where) {
    for (size_t i = 0; i < values.size(); i++) {
      const auto got = arrays[i]->get(checks, where);
      for (size_t j = 0; j < got.size(); j++) {
        const double want = values[i][j] * factor;
        // One rounding, and those of the factor in f64.
        const double tolerance = factor == 1 ? 0 : std::fabs(want) * (type.epsilon + 1e-12);
        if (!checks.close(got[j], want, tolerance, where)) return;
      }
    }
  }
};

void clips(Checks& checks, const TypeInfo& type, const std::vector<int64_t>& sizes) {
  Gradients g(type, sizes);
  Array<unsigned char> work(g.workspace(checks));
  const auto clip = [&](double max_norm, double* norm) {
    return gs_clip_norm(type.code, max_norm, g.table.data(), g.count(), norm, work.data(), nullptr);
  };
  Array<double> norm(1);
  const std::string where = std::string("clip ") + type.name + " " + std::to_string(sizes.size());
  // Sums of n squares in f64: their error is far below n units in the last place.
  const double tolerance = g.norm * 1e-12;
  if (!ok(checks, clip(kInf, norm.data()), where)) return;
  checks.close(norm.get(checks, where)[0], g.norm, tolerance, where + " norm");
  g.expect(checks, type, 1, where + " infinite");
  ok(checks, clip(g.norm * 1.5 + 1, norm.data()), where);
  g.expect(checks, type, 1, where + " below");
  ok(checks, clip(g.norm / 3, nullptr), where);
  g.expect(checks, type, g.norm / 3 / (g.norm + 1e-6), where + " above");
  ok(checks, clip(0, norm.data()), where);
  g.expect(checks, type, 0, where + " zero");
}

void special(Checks& checks) {
  const float inf = INFINITY, nan = NAN;
  Array<float> x(std::vector<float>{1, inf, 2}), work(128);
  const gs_array g{x.data(), 3};
  Array<double> norm(1);
  ok(checks, gs_clip_norm(GS_F32, 1, &g, 1, norm.data(), work.data(), nullptr), "infinite");
  auto got = x.get(checks, "infinite");
  checks.that(got[0] == 0 && got[1] != got[1] && got[2] == 0, "an infinite norm");
  checks.that(norm.get(checks, "infinite")[0] == kInf, "an infinite norm");
  x.set({1, nan, 2});
  ok(checks, gs_clip_norm(GS_F32, 1, &g, 1, norm.data(), work.data(), nullptr), "NaN");
  got = x.get(checks, "NaN");
  checks.that(got[0] != got[0] && got[1] != got[1] && got[2] != got[2], "a norm of NaN");
  ok(checks, gs_clip_norm(GS_F32, 1, nullptr, 0, norm.data(), work.data(), nullptr), "none");
  checks.that(norm.get(checks, "none")[0] == 0, "the norm of nothing");
}

// Two steps by hand, one skipped, one in which the loss scale grows.
void control(Checks& checks, const TypeInfo& type) {
  Gradients g(type, {5, 4099});
  Array<unsigned char> work(g.workspace(checks));
  Array<gs_step_control> control(std::vector<gs_step_control>{{7, 0.1, 0, 0, 0, 8, 1}});
  const auto measure = [&](double max_norm) {
    ok(checks,
       gs_step_measure(type.code, max_norm, g.table.data(), g.count(), control.data(), work.data(),
                       nullptr),
       "measure");
    return control.get(checks, "measure")[0];
  };
  const auto advance = [&](int64_t interval) {
    ok(checks, gs_step_advance(control.data(), 2, 0.5, interval, nullptr), "advance");
    return control.get(checks, "advance")[0];
  };
  const double norm = g.norm / 8;
  gs_step_control c = measure(kInf);
  checks.close(c.norm, norm, norm * 1e-12, "norm");
  checks.that(c.grad_scale == 1. / 8 && c.skip == 0 && c.step == 7 && c.lr == 0.1, "unclipped");
  c = measure(norm / 4);
  const double factor = norm / 4 / (norm + 1e-6) / 8;
  checks.close(c.grad_scale, factor, factor * 1e-12, "grad_scale");
  g.expect(checks, type, 1, "measured only");
  c = advance(3);
  checks.that(c.step == 8 && c.streak == 2 && c.loss_scale == 8 && c.lr == 0.1, "advance");
  c = advance(3);
  checks.that(c.step == 9 && c.streak == 0 && c.loss_scale == 16, "growth");
  g.values[1][4000] = NAN, g.arrays[1]->set(g.values[1]);
  c = measure(1);
  checks.that(c.skip == 1, "NaN");
  c = advance(1);
  checks.that(c.step == 9 && c.streak == 0 && c.loss_scale == 8 && c.skip == 0, "backoff");
  g.values[1][4000] = kInf, g.arrays[1]->set(g.values[1]);
  checks.that(measure(1).skip == 1, "infinity");
  control.set({{1, 0.1, 1, 0, 0, 1e308, 0}});
  checks.that(advance(1).loss_scale == 1e308, "stays finite");
  checks.that(advance(0).streak == 1, "never grows");
}

void refusals(Checks& checks) {
  float x = 0;
  int64_t bytes;
  gs_array g{&x, 1};
  gs_step_control* none = nullptr;
  const auto bad = GS_INVALID_ARGUMENT;
  refused(checks, gs_clip_workspace(&g, -1, &bytes), bad, "count=-1");
  refused(checks, gs_clip_workspace(nullptr, 1, &bytes), bad, "must not be null");
  refused(checks, gs_clip_workspace(&g, 1, nullptr), bad, "bytes must not be null");
  refused(checks, gs_clip_norm(GS_BF16, 1, &g, 1, nullptr, &x, nullptr), bad, "type=2");
  refused(checks, gs_clip_norm(GS_F32, -1, &g, 1, nullptr, &x, nullptr), bad, "max_norm=-1");
  refused(checks, gs_clip_norm(GS_F32, NAN, &g, 1, nullptr, &x, nullptr), bad, "max_norm=");
  refused(checks, gs_clip_norm(GS_F32, 1, &g, 1, nullptr, nullptr, nullptr), bad, "workspace");
  refused(checks, gs_step_measure(GS_F32, 1, &g, 1, none, &x, nullptr), bad, "control");
  refused(checks, gs_step_advance(none, 2, 0.5, 1, nullptr), bad, "control");
  auto* some = reinterpret_cast<gs_step_control*>(&bytes);
  refused(checks, gs_step_advance(some, 0.5, 0.5, 1, nullptr), bad, "growth=0.5");
  refused(checks, gs_step_advance(some, 2, 0, 1, nullptr), bad, "backoff=0");
  refused(checks, gs_step_advance(some, 2, 0.5, -1, nullptr), bad, "interval=-1");
  g.data = nullptr;
  refused(checks, gs_clip_norm(GS_F32, 1, &g, 1, nullptr, &x, nullptr), bad, "gradient 0");
  g.count = -1;
  refused(checks, gs_clip_norm(GS_F32, 1, &g, 1, nullptr, &x, nullptr), bad, "count=-1");
}
}  // namespace

int main() {
  require_device();
  Checks checks("step");
  std::vector<int64_t> many;  // more than fit in one launch
  for (int i = 0; i < 201; i++) many.push_back(i % 7);
  for (const auto& type : {kFloatTypes[0], kFloatTypes[1]}) {
    clips(checks, type, {1, 0, 3, 255, 257, 16383});
    clips(checks, type, {16385, 5, 32769});
    clips(checks, type, many);
    control(checks, type);
  }
  special(checks);
  refusals(checks);
  return checks.finish();
}
