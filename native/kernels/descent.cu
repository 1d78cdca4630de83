// One step of a gradient descent method for many parameters at once.
//
// descent_kernel<T, METHOD>: a block updates one chunk of one parameter.
#include <algorithm>
#include <cmath>

#include "chunks.h"

namespace gs {
namespace {
constexpr int kMaxParameters = 48;
constexpr int64_t kChunk = 4096;  // elements; small enough that a small model fills the device

// The same factors for all elements, rounded from double.
template <class T>
struct Factors {
  T decay, momentum, gain, beta2, rest1, rest2, eps;
  bool nesterov, amsgrad, centered, has_momentum;
};

// Those that change from step to step, and what they are made of.
template <class T>
struct StepFactors {
  T scale, keep, lr, rate, root;
  int first;
};
struct Schedule {
  double scale, weight_decay, beta1, beta2, lr_decay;  // weight_decay: decoupled, else 0
  int method;
};

// On the host when the step is known there; in the kernel, in double again, from a control block.
template <class T>
KX_BOTH StepFactors<T> step_factors(const Schedule& s, int64_t number, double lr, double scale) {
  const double step = static_cast<double>(number);
  StepFactors<T> f;
  f.scale = (T)(s.scale * scale);
  f.keep = (T)(1 - lr * s.weight_decay);
  f.lr = (T)lr;
  f.rate =
      (T)(s.method == GS_ADAM ? lr / (1 - pow(s.beta1, step)) : lr / (1 + (step - 1) * s.lr_decay));
  f.root = (T)sqrt(1 - pow(s.beta2, step));
  f.first = number == 1;
  return f;
}

template <class T>
struct Table {
  Factors<T> f;
  StepFactors<T> step;
  Schedule schedule;
  const gs_step_control* control;  // null, or from where the step's factors are computed
  int count;
  int end[kMaxParameters];  // chunks up to and including each parameter
  int mean;                 // RMSProp: which state is the mean
  gs_parameter parameters[kMaxParameters];
};
static_assert(sizeof(Table<double>) <= 4096, "limit of kernel arguments");

template <class T>
KX_DEVICE T not_smaller(T a, T b) {  // NaN where either is
  return a > b || a != a ? a : b;
}

// New value of p; the state s is updated.
template <int METHOD, class T>
KX_DEVICE T update(const Factors<T>& f, const StepFactors<T>& step, int mean, T p, T g, T (&s)[3]) {
  if constexpr (METHOD == GS_SGD) {
    if (f.has_momentum) {
      s[0] = step.first ? g : f.momentum * s[0] + f.gain * g;
      g = f.nesterov ? g + f.momentum * s[0] : s[0];
    }
    return p * step.keep - step.lr * g;
  } else if constexpr (METHOD == GS_ADAM) {
    s[0] += f.rest1 * (g - s[0]);
    s[1] = f.beta2 * s[1] + f.rest2 * g * g;
    T v = s[1];
    if (f.amsgrad) v = s[2] = not_smaller(v, s[2]);
    return p * step.keep - step.rate * s[0] / (sqrt(v) / step.root + f.eps);
  } else if constexpr (METHOD == GS_RMSPROP) {
    s[0] = f.beta2 * s[0] + f.rest2 * g * g;
    T variance = s[0];
    if (f.centered) {
      T m = mean == 1 ? s[1] : s[2];  // not a reference: s would have to lie in memory
      m += f.rest2 * (g - m);
      if (mean == 1) {
        s[1] = m;
      } else {
        s[2] = m;
      }
      variance -= m * m;
    }
    T d = g / (sqrt(variance) + f.eps);
    if (f.has_momentum) d = s[1] = d + f.momentum * s[1];
    return p - step.lr * d;
  } else if constexpr (METHOD == GS_ADAGRAD) {
    s[0] += g * g;
    return p - step.rate * g / (sqrt(s[0]) + f.eps);
  } else {
    s[0] = f.beta2 * s[0] + f.rest2 * g * g;
    const T d = sqrt(s[1] + f.eps) / sqrt(s[0] + f.eps) * g;
    s[1] = f.beta2 * s[1] + f.rest2 * d * d;
    return p - step.lr * d;
  }
}

template <class T, int METHOD>
__global__ __launch_bounds__(kElementThreads,
                             1) void descent_kernel(const __grid_constant__ Table<T> table) {
  constexpr int V = Pack<T>::kSize;
  KX_SHARED(shared, StepFactors<T>);
  StepFactors<T> step = table.step;
  if (table.control) {
    if (table.control->skip) return;
    if (threadIdx.x == 0) {
      shared = step_factors<T>(table.schedule, table.control->step, table.control->lr,
                               table.control->grad_scale);
    }
    __syncthreads();  // the factors are complete
    step = shared;
  }
  const int low = array_of_block(table.end, table.count);
  const gs_parameter& o = table.parameters[low];
  const int64_t chunk = (int)blockIdx.x - (low > 0 ? table.end[low - 1] : 0);
  const int64_t base = chunk * kChunk;
  const int n = (int)min(o.count - base, kChunk);
  const Factors<T>& f = table.f;
  T* p = static_cast<T*>(o.p) + base;
  const T* g = static_cast<const T*>(o.g) + base;
  T* states[3];
  uintptr_t bits = reinterpret_cast<uintptr_t>(p) | reinterpret_cast<uintptr_t>(g);
#pragma unroll
  for (int k = 0; k < 3; k++) {
    states[k] = o.state[k] ? static_cast<T*>(o.state[k]) + base : nullptr;
    bits |= reinterpret_cast<uintptr_t>(states[k]);
  }
  const int packs = bits % 16 == 0 ? n / V : 0;
  for (int i = threadIdx.x; i < packs; i += kElementThreads) {
    Pack<T> pp = reinterpret_cast<Pack<T>*>(p)[i];
    const Pack<T> pg = reinterpret_cast<const Pack<T>*>(g)[i];
    Pack<T> ps[3] = {};
#pragma unroll
    for (int k = 0; k < 3; k++) {
      if (states[k]) ps[k] = reinterpret_cast<Pack<T>*>(states[k])[i];
    }
#pragma unroll
    for (int j = 0; j < V; j++) {
      T s[3] = {ps[0].v[j], ps[1].v[j], ps[2].v[j]};
      pp.v[j] =
          update<METHOD>(f, step, table.mean, pp.v[j], pg.v[j] * step.scale + f.decay * pp.v[j], s);
#pragma unroll
      for (int k = 0; k < 3; k++) ps[k].v[j] = s[k];
    }
    reinterpret_cast<Pack<T>*>(p)[i] = pp;
#pragma unroll
    for (int k = 0; k < 3; k++) {
      if (states[k]) reinterpret_cast<Pack<T>*>(states[k])[i] = ps[k];
    }
  }
  for (int i = packs * V + threadIdx.x; i < n; i += kElementThreads) {
    T s[3] = {};
#pragma unroll
    for (int k = 0; k < 3; k++) {
      if (states[k]) s[k] = states[k][i];
    }
    p[i] = update<METHOD>(f, step, table.mean, p[i], g[i] * step.scale + f.decay * p[i], s);
#pragma unroll
    for (int k = 0; k < 3; k++) {
      if (states[k]) states[k][i] = s[k];
    }
  }
}

// ---- launchers ----
int state_count(const gs_descent& d) {
  switch (d.method) {
    case GS_SGD:
      return d.momentum != 0;
    case GS_ADAM:
      return d.amsgrad ? 3 : 2;
    case GS_RMSPROP:
      return 1 + (d.momentum != 0) + (d.centered != 0);
    case GS_ADAGRAD:
      return 1;
    default:
      return 2;
  }
}

template <class T>
Factors<T> factors(const gs_descent& d) {
  Factors<T> f{};
  f.decay = (T)(d.decoupled ? 0 : d.weight_decay);
  f.momentum = (T)d.momentum;
  f.gain = (T)(1 - d.dampening);
  f.rest1 = (T)(1 - d.beta1);
  f.beta2 = (T)d.beta2, f.rest2 = (T)(1 - d.beta2);
  f.eps = (T)d.eps;
  f.nesterov = d.nesterov != 0, f.amsgrad = d.amsgrad != 0, f.centered = d.centered != 0;
  f.has_momentum = d.momentum != 0;
  return f;
}

Schedule schedule_of(const gs_descent& d) {
  return {d.maximize ? -d.grad_scale : d.grad_scale,
          d.decoupled ? d.weight_decay : 0,
          d.beta1,
          d.beta2,
          d.lr_decay,
          d.method};
}

template <class T>
cudaError_t launch_table(int method, const Table<T>& table, gs_stream stream) {
  const kx::launch_config config{dim3((unsigned)table.end[table.count - 1]), dim3(kElementThreads),
                                 0, stream_of(stream)};
  const auto kernel = method == GS_SGD       ? descent_kernel<T, GS_SGD>
                      : method == GS_ADAM    ? descent_kernel<T, GS_ADAM>
                      : method == GS_RMSPROP ? descent_kernel<T, GS_RMSPROP>
                      : method == GS_ADAGRAD ? descent_kernel<T, GS_ADAGRAD>
                                             : descent_kernel<T, GS_ADADELTA>;
  return kx::launch("descent_kernel", kernel, config, table);
}

template <class T>
gs_status run(const gs_descent& d, const gs_parameter* parameters, int64_t parameter_count,
              const gs_step_control* control, gs_stream stream) {
  Table<T> table{};
  table.f = factors<T>(d);
  table.schedule = schedule_of(d);
  table.control = control;
  if (!control) table.step = step_factors<T>(table.schedule, d.step, d.lr, 1);
  table.mean = d.momentum != 0 ? 2 : 1;
  const int states = state_count(d);
  int64_t chunks = 0;
  const auto flush = [&] {
    const cudaError_t error = table.count ? launch_table<T>(d.method, table, stream) : cudaSuccess;
    table.count = 0;
    chunks = 0;
    return check(error, "descent_step");
  };
  for (int64_t i = 0; i < parameter_count; i++) {
    const gs_parameter& o = parameters[i];
    if (o.count == 0) continue;
    const int64_t own = (o.count + kChunk - 1) / kChunk;
    if (table.count == kMaxParameters || chunks + own > INT32_MAX) {
      if (const gs_status status = flush()) return status;
    }
    gs_parameter& to = table.parameters[table.count];
    to = o;
    for (int k = states; k < 3; k++) to.state[k] = nullptr;  // what the method does not use
    chunks += own;
    table.end[table.count++] = (int)chunks;
  }
  return flush();
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_descent_step(const gs_descent* descent, const gs_parameter* parameters,
                                     int64_t parameter_count, const gs_step_control* control,
                                     gs_stream stream) {
  GS_REQUIRE(descent, "descent_step: the description must not be null");
  GS_REQUIRE(descent->method >= GS_SGD && descent->method <= GS_ADADELTA,
             "descent_step: no such method; method=%d", descent->method);
  GS_REQUIRE(descent->type == GS_F32 || descent->type == GS_F64,
             "descent_step: type must be f32 or f64; type=%d", descent->type);
  GS_REQUIRE(control || descent->step >= 1, "descent_step: step must be at least 1; step=%lld",
             (long long)descent->step);
  GS_REQUIRE(parameter_count >= 0 && (parameter_count == 0 || parameters),
             "descent_step: parameters must not be null, their number not negative; "
             "parameter_count=%lld",
             (long long)parameter_count);
  const int states = gs::state_count(*descent);
  for (int64_t i = 0; i < parameter_count; i++) {
    const gs_parameter& o = parameters[i];
    GS_REQUIRE(o.count >= 0 && o.count <= INT32_MAX * gs::kChunk,
               "descent_step: parameter %lld must have 0 to 2^43 elements; count=%lld",
               (long long)i, (long long)o.count);
    bool present = o.p && o.g;
    for (int k = 0; k < states; k++) present = present && o.state[k];
    GS_REQUIRE(o.count == 0 || present,
               "descent_step: parameter %lld lacks p, g or one of %d state variables", (long long)i,
               states);
  }
  return descent->type == GS_F32
             ? gs::run<float>(*descent, parameters, parameter_count, control, stream)
             : gs::run<double>(*descent, parameters, parameter_count, control, stream);
}
