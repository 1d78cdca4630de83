// Gradient descent against loops in double.
#include <memory>

#include "types.h"

namespace {
struct Case {
  const char* name;
  gs_descent d;
};

gs_descent method(int m, double momentum = 0) {
  gs_descent d{};
  d.method = m, d.step = 3, d.lr = 0.01, d.grad_scale = 0.5, d.momentum = momentum;
  d.beta1 = 0.9, d.beta2 = m == GS_RMSPROP || m == GS_ADADELTA ? 0.95 : 0.999, d.eps = 1e-6;
  return d;
}

int states(const gs_descent& d) {
  switch (d.method) {
    case GS_SGD:
      return d.momentum != 0 ? 1 : 0;
    case GS_ADAM:
      return d.amsgrad ? 3 : 2;
    case GS_RMSPROP:
      return 1 + (d.momentum != 0 ? 1 : 0) + (d.centered ? 1 : 0);
    case GS_ADAGRAD:
      return 1;
    default:
      return 2;
  }
}

// The formulas of the methods' papers and of torch.optim, one element.
void oracle(const gs_descent& d, double extra, double& p, double g, double* s) {
  g *= d.grad_scale * extra * (d.maximize ? -1 : 1);
  if (d.decoupled) {
    p *= 1 - d.lr * d.weight_decay;
  } else {
    g += d.weight_decay * p;
  }
  switch (d.method) {
    case GS_SGD:
      if (d.momentum != 0) {
        s[0] = d.step == 1 ? g : d.momentum * s[0] + (1 - d.dampening) * g;
        g = d.nesterov ? g + d.momentum * s[0] : s[0];
      }
      p -= d.lr * g;
      return;
    case GS_ADAM: {
      s[0] = d.beta1 * s[0] + (1 - d.beta1) * g;
      s[1] = d.beta2 * s[1] + (1 - d.beta2) * g * g;
      double v = s[1];
      if (d.amsgrad) v = s[2] = std::fmax(s[1], s[2]);
      const double m = s[0] / (1 - std::pow(d.beta1, d.step));
      p -= d.lr * m / (std::sqrt(v / (1 - std::pow(d.beta2, d.step))) + d.eps);
      return;
    }
    case GS_RMSPROP: {
      s[0] = d.beta2 * s[0] + (1 - d.beta2) * g * g;
      double v = s[0];
      if (d.centered) {
        double& mean = s[d.momentum != 0 ? 2 : 1];
        mean = d.beta2 * mean + (1 - d.beta2) * g;
        v -= mean * mean;
      }
      double u = g / (std::sqrt(v) + d.eps);
      if (d.momentum != 0) u = s[1] = d.momentum * s[1] + u;
      p -= d.lr * u;
      return;
    }
    case GS_ADAGRAD:
      s[0] += g * g;
      p -= d.lr / (1 + (d.step - 1) * d.lr_decay) * g / (std::sqrt(s[0]) + d.eps);
      return;
    default: {
      s[0] = d.beta2 * s[0] + (1 - d.beta2) * g * g;
      const double u = std::sqrt(s[1] + d.eps) / std::sqrt(s[0] + d.eps) * g;
      s[1] = d.beta2 * s[1] + (1 - d.beta2) * u * u;
      p -= d.lr * u;
    }
  }
}

void test(Checks& checks, const TypeInfo& type, const Case& t, const std::vector<int64_t>& sizes,
          bool with_control) {
  gs_descent d = t.d;
  d.type = type.code;
  const int count = states(d);
  Random random(sizes.size());
  std::vector<std::vector<double>> values;  // p, g, states of each parameter
  std::vector<std::unique_ptr<TypedArray>> arrays;
  std::vector<gs_parameter> table;
  for (size_t i = 0; i < sizes.size(); i++) {
    gs_parameter o{};
    o.count = sizes[i];
    for (int k = 0; k < 2 + count; k++) {
      std::vector<double> v(sizes[i]);
      // Second moments are positive, and above the squared mean.
      const bool moment = (d.method == GS_ADAM && k >= 3) || (d.method == GS_RMSPROP && k == 2) ||
                          d.method == GS_ADAGRAD || d.method == GS_ADADELTA;
      for (auto& x : v) {
        x = TypedArray::round(type, k >= 2 && moment ? std::fabs(random()) + 1.5 : random());
      }
      values.push_back(v);
      arrays.push_back(std::make_unique<TypedArray>(type, v, i % 3 == 1 && k == 0 ? 1 : 0));
      void* p = arrays.back()->data();
      if (k == 0) {
        o.p = p;
      } else if (k == 1) {
        o.g = p;
      } else {
        o.state[k - 2] = p;
      }
    }
    table.push_back(o);
  }
  // What the control block says holds, not the description.
  Array<gs_step_control> control(std::vector<gs_step_control>{{d.step, d.lr, 0.25, 0, 0, 1, 0}});
  if (with_control) d.step = -1, d.lr = 1e9;
  const std::string where = std::string(t.name) + " " + type.name;
  if (!ok(checks,
          gs_descent_step(&d, table.data(), static_cast<int64_t>(table.size()),
                          with_control ? control.data() : nullptr, nullptr),
          where)) {
    return;
  }
  d.step = t.d.step, d.lr = t.d.lr;
  const double base = type.code == GS_F64 ? 1.2e-16 : 6e-8;
  for (size_t i = 0; i < sizes.size(); i++) {
    const size_t first = i * (2 + count);
    std::vector<std::vector<double>> got;
    for (int k = 0; k < 2 + count; k++) got.push_back(arrays[first + k]->get(checks, where));
    for (int64_t j = 0; j < sizes[i]; j++) {
      double p = values[first][j], s[3] = {};
      for (int k = 0; k < count; k++) s[k] = values[first + 2 + k][j];
      oracle(d, with_control ? 0.25 : 1, p, values[first + 1][j], s);
      // Some ten roundings of values up to 10.
      bool good = checks.close(got[0][j], p, 100 * base, where + " p");
      good = good && checks.close(got[1][j], values[first + 1][j], 0, where + " g");
      for (int k = 0; k < count; k++) {
        good = good && checks.close(got[2 + k][j], s[k], 100 * base, where + " state");
      }
      if (!good) return;
    }
  }
}

// A control block that says so leaves everything as it is.
void skipped(Checks& checks) {
  gs_descent d = method(GS_ADAM);
  d.type = GS_F32;
  const std::vector<float> one(5000, 1.f);
  Array<float> p(one), g(one), m(one), v(one);
  const gs_parameter o{p.data(), g.data(), {m.data(), v.data(), nullptr}, 5000};
  Array<gs_step_control> control(std::vector<gs_step_control>{{1, 0.1, 1, 1, 0, 1, 0}});
  ok(checks, gs_descent_step(&d, &o, 1, control.data(), nullptr), "skipped");
  for (auto* a : {&p, &m, &v}) checks.that(a->get(checks, "skipped") == one, "skipped step");
}

void refusals(Checks& checks) {
  float x = 0;
  gs_descent d = method(GS_ADAM);
  gs_parameter o{&x, &x, {&x, nullptr, nullptr}, 1};
  const auto bad = GS_INVALID_ARGUMENT;
  refused(checks, gs_descent_step(nullptr, &o, 1, nullptr, nullptr), bad, "null");
  refused(checks, gs_descent_step(&d, &o, 1, nullptr, nullptr), bad, "lacks p, g or one of 2");
  refused(checks, gs_descent_step(&d, nullptr, 1, nullptr, nullptr), bad, "must not be null");
  refused(checks, gs_descent_step(&d, &o, -1, nullptr, nullptr), bad, "parameter_count=-1");
  o.count = -1;
  refused(checks, gs_descent_step(&d, &o, 1, nullptr, nullptr), bad, "count=-1");
  d.step = 0;
  refused(checks, gs_descent_step(&d, &o, 1, nullptr, nullptr), bad, "step=0");
  d.step = 1, d.type = GS_BF16;
  refused(checks, gs_descent_step(&d, &o, 1, nullptr, nullptr), bad, "type=2");
  d.type = GS_F32, d.method = 5;
  refused(checks, gs_descent_step(&d, &o, 1, nullptr, nullptr), bad, "method=5");
  d.method = GS_SGD;
  checks.that(gs_descent_step(&d, nullptr, 0, nullptr, nullptr) == GS_OK, "no parameters");
}
}  // namespace

int main() {
  require_device();
  Checks checks("descent");
  std::vector<Case> cases = {{"sgd", method(GS_SGD)},
                             {"sgd momentum", method(GS_SGD, 0.9)},
                             {"sgd first step", method(GS_SGD, 0.9)},
                             {"sgd nesterov", method(GS_SGD, 0.9)},
                             {"adam", method(GS_ADAM)},
                             {"adamw amsgrad", method(GS_ADAM)},
                             {"rmsprop", method(GS_RMSPROP)},
                             {"rmsprop centered", method(GS_RMSPROP)},
                             {"rmsprop centered momentum", method(GS_RMSPROP, 0.9)},
                             {"adagrad", method(GS_ADAGRAD)},
                             {"adadelta", method(GS_ADADELTA)}};
  cases[1].d.dampening = 0.3, cases[1].d.weight_decay = 0.1;
  cases[2].d.step = 1, cases[2].d.dampening = 0.3;
  cases[3].d.nesterov = 1, cases[3].d.weight_decay = 0.1, cases[3].d.decoupled = 1;
  cases[4].d.weight_decay = 0.1, cases[4].d.maximize = 1;
  cases[5].d.weight_decay = 0.1, cases[5].d.decoupled = 1, cases[5].d.amsgrad = 1;
  cases[7].d.centered = cases[8].d.centered = 1;
  cases[9].d.lr_decay = 0.1;
  const std::vector<int64_t> few = {1, 3, 0, 64, 255, 4096, 4097, 5}, long_one = {8193};
  std::vector<int64_t> many;  // more than fit in one launch
  for (int i = 0; i < 101; i++) many.push_back(i % 7);
  for (const auto& type : {kFloatTypes[0], kFloatTypes[1]}) {
    for (const auto& t : cases) test(checks, type, t, few, false);
    for (const auto& t : cases) test(checks, type, t, {5, 4097}, true);
    test(checks, type, cases[4], many, true);
    test(checks, type, cases[5], long_one, true);
  }
  skipped(checks);
  refusals(checks);
  return checks.finish();
}
