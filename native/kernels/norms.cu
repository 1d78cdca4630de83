// Layer, root-mean-square, group and batch normalization, forward and backward: which passes are
// run, and what combines their partial results.
//
// | kernel | for |
// |---|---|
// | norm_statistics_kernel<W> | moments of a mean's parts: a warp a mean |
// | norm_gradient_kernel<T> | sums of a mean's parts: a warp a mean |
// | norm_given_kernel<W> | numbers of means and variances that are given |
// | norm_parameters_kernel<T> | dgamma and dbeta: a warp a channel |
//
// Rows that fit the registers of a group of threads need one kernel (norm_rows.cu); all else two
// passes over the images (norm_images.cu) with one of these kernels between them. Longer rows are
// images of one channel. Parts are combined in an order that depends on sizes alone.
#include "norms.h"

namespace gs {
namespace {
// Where the parts of mean k are: part j of `count`.
struct Members {
  int64_t count, first, per_split, channels;

  KX_DEVICE Members(const NormShape& p, int64_t k) : channels(p.channels) {
    per_split = p.per_group();
    count = (p.groups == 0 ? p.images : 1) * p.splits * per_split;
    first = p.groups == 0 ? k : k / p.groups * p.splits * channels + k % p.groups * per_split;
  }
  KX_DEVICE int64_t partial(int64_t j) const {
    return first + j / per_split * channels + j % per_split;
  }
  KX_DEVICE int64_t channel(int64_t j) const { return partial(j) % channels; }
};

// Calls f(index) for each of count items: one a warp.
template <class F>
KX_DEVICE void each_warp(int64_t count, F f) {
  constexpr int kWarps = kGroupThreads / 32;
  for (int64_t k = (int64_t)blockIdx.x * kWarps + threadIdx.x / 32; k < count;
       k += (int64_t)gridDim.x * kWarps) {
    f(k);
  }
}

template <class W>
__global__ __launch_bounds__(kGroupThreads) void norm_statistics_kernel(
    const __grid_constant__ NormShape p, int64_t stats, const Moments* partial, Stat* to, W* mean,
    W* rstd, W* running_mean, W* running_var, double momentum) {
  const int lane = threadIdx.x % 32;
  each_warp(stats, [&](int64_t k) {
    const Members members(p, k);
    Moments m{};
    for (int64_t j = lane; j < members.count; j += 32) m = combine(m, partial[members.partial(j)]);
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1) {
      Moments other;
      other.count = __shfl_down_sync(0xffffffffu, m.count, distance);
      other.mean = __shfl_down_sync(0xffffffffu, m.mean, distance);
      other.squares = __shfl_down_sync(0xffffffffu, m.squares, distance);
      m = combine(m, other);
    }
    if (lane != 0) return;
    const Stat s = stat_of<W>(m, p.eps);
    to[k] = s;
    if (mean) mean[k] = (W)s.pivot;
    if (rstd) rstd[k] = (W)s.rstd;
    if (running_mean && m.count > 0) {
      const double unbiased = m.squares / (m.count > 1 ? m.count - 1 : 1);
      running_mean[k] = (W)((1 - momentum) * running_mean[k] + momentum * m.mean);
      running_var[k] = (W)((1 - momentum) * running_var[k] + momentum * unbiased);
    }
  });
}

// gamma: of each channel, or null where the sums are weighted already.
template <class T>
__global__ __launch_bounds__(kGroupThreads) void norm_gradient_kernel(
    const __grid_constant__ NormShape p, int64_t stats, double n, const NormSums* partial,
    const T* gamma, const kx::wide<T>* mean, const kx::wide<T>* rstd, Stat* to) {
  const int lane = threadIdx.x % 32;
  each_warp(stats, [&](int64_t k) {
    const Members members(p, k);
    NormSums s{};
    for (int64_t j = lane; j < members.count; j += 32) {
      const NormSums part = partial[members.partial(j)];
      const double g = gamma ? (double)kx::to_float(gamma[members.channel(j)]) : 1.0;
      s.dy += g * part.dy, s.dyx += g * part.dyx, s.x += part.x;
    }
    s.dy = group_sum<32>(s.dy, (double*)nullptr);
    s.dyx = group_sum<32>(s.dyx, (double*)nullptr);
    s.x = group_sum<32>(s.x, (double*)nullptr);
    if (lane == 0) to[k] = gradient_of(mean ? mean[k] : 0, rstd[k], s, n, p.centered);
  });
}

template <class W>
__global__ __launch_bounds__(kElementThreads) void norm_given_kernel(int64_t count, double eps,
                                                                     const W* mean,
                                                                     const W* variance, Stat* to) {
  for (int64_t k = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; k < count;
       k += (int64_t)gridDim.x * kElementThreads) {
    to[k] = {mean[k], 0, 1 / sqrt(variance[k] + eps), 0, 0};
  }
}

// stats: of the means, or null where the sums are of normalized elements already.
template <class T>
__global__ __launch_bounds__(kGroupThreads) void norm_parameters_kernel(
    const __grid_constant__ NormShape p, const NormSums* partial, const Stat* stats, T* dgamma,
    T* dbeta) {
  using W = kx::wide<T>;
  const int lane = threadIdx.x % 32;
  each_warp(p.channels, [&](int64_t c) {
    double g = 0, b = 0;
    for (int64_t j = lane; j < p.images * p.splits; j += 32) {
      const NormSums part = partial[j * p.channels + c];
      b += part.dy;
      if (stats) {
        const Stat& s = stats[p.stat(j / p.splits, c)];
        g += s.rstd * (part.dyx - s.low * part.dy);
      } else {
        g += part.dyx;
      }
    }
    g = group_sum<32>(g, (double*)nullptr);
    b = group_sum<32>(b, (double*)nullptr);
    if (lane == 0 && dgamma) dgamma[c] = kx::from_float<T>((W)g);
    if (lane == 0 && dbeta) dbeta[c] = kx::from_float<T>((W)b);
  });
}

// ---- launchers ----
constexpr int64_t round_up(int64_t v, int64_t to) { return (v + to - 1) / to * to; }

// A checked description.
struct Norm {
  gs_norm op;
  NormShape shape;   // images; longer rows are such of one channel
  NormShape by_row;  // rows: all of them as places of one image, for dgamma and dbeta
  int64_t stats, members, parameters;
  bool rows;

  int64_t stat_bytes() const { return round_up((int64_t)sizeof(Stat) * stats, 256); }
  static int64_t partial_bytes(const NormShape& s) {
    return round_up((int64_t)sizeof(NormSums) * s.images * s.splits * s.channels, 256);
  }
  NormRows as_rows() const { return {op.n, op.c, op.eps, op.kind == GS_LAYER_NORM}; }
};
static_assert(sizeof(NormSums) == sizeof(Moments));

gs_status describe(const gs_norm* op, Norm* norm) {
  GS_REQUIRE(op, "norm: the description must not be null");
  GS_REQUIRE(op->kind >= GS_LAYER_NORM && op->kind <= GS_BATCH_NORM, "norm: no such kind; kind=%d",
             op->kind);
  GS_REQUIRE(op->type >= GS_F32 && op->type <= GS_F16,
             "norm: type must be f32, f64, bf16 or f16; type=%d", op->type);
  const bool rows = op->kind <= GS_RMS_NORM;
  GS_REQUIRE(rows || op->layout == GS_NCHW || op->layout == GS_NHWC,
             "norm: layout must be NCHW or NHWC; layout=%d", op->layout);
  int64_t count;
  GS_REQUIRE(op->n >= 0 && op->c >= 0 && op->spatial >= 0 &&
                 !__builtin_mul_overflow(op->n, op->c, &count) &&
                 !__builtin_mul_overflow(count, op->spatial, &count) && count <= INT64_MAX / 64 &&
                 op->n <= INT64_MAX / 64 && op->c <= INT64_MAX / 64,
             "norm: sizes must not be negative and their product addressable; n=%lld, c=%lld, "
             "spatial=%lld",
             (long long)op->n, (long long)op->c, (long long)op->spatial);
  GS_REQUIRE(!rows || op->spatial == 1, "norm: spatial must be 1 for rows; spatial=%lld",
             (long long)op->spatial);
  GS_REQUIRE(op->eps >= 0 && op->eps < (double)INFINITY,
             "norm: eps must be finite and not negative; eps=%g", op->eps);
  const bool group = op->kind == GS_GROUP_NORM;
  GS_REQUIRE(!group || (op->groups > 0 && op->c % op->groups == 0),
             "norm: groups must divide the channels; groups=%lld, c=%lld", (long long)op->groups,
             (long long)op->c);
  int64_t groups;
  GS_REQUIRE(
      !group || (!__builtin_mul_overflow(op->n, op->groups, &groups) && groups <= INT64_MAX / 64),
      "norm: there are too many groups; n=%lld, groups=%lld", (long long)op->n,
      (long long)op->groups);
  *norm = {};
  Norm& p = *norm;
  p.op = *op, p.rows = rows, p.parameters = op->c;
  NormShape& s = p.shape;
  s.eps = op->eps, s.centered = op->kind != GS_RMS_NORM;
  if (rows) {
    s.images = op->n, s.channels = 1, s.spatial = op->c, s.groups = 1;
    p.stats = op->n, p.members = op->c;
    p.by_row = s;
    p.by_row.images = 1, p.by_row.channels = op->c, p.by_row.spatial = op->n;
    p.by_row.groups = 0, p.by_row.last = true;
  } else if (group) {
    s.images = op->n, s.channels = op->c, s.spatial = op->spatial, s.groups = op->groups;
    s.last = op->c > 1 && (op->layout == GS_NHWC || op->spatial == 1);
    p.stats = op->n * op->groups, p.members = op->c / op->groups * op->spatial;
  } else {
    // Where the images of a channel lie one after the other, they are one image.
    s.last = op->c > 1 && (op->layout == GS_NHWC || op->spatial == 1);
    const bool one = s.last || op->c == 1;
    s.images = one ? 1 : op->n, s.channels = op->c;
    s.spatial = one ? op->n * op->spatial : op->spatial;
    p.stats = op->c, p.members = op->n * op->spatial;
  }
  return with_float(op->type,
                    [&](auto t) {
                      set_splits<decltype(t)>(&p.shape);
                      if (p.rows) set_splits<decltype(t)>(&p.by_row);
                      return cudaSuccess;
                    }) == cudaSuccess
             ? GS_OK
             : GS_INVALID_ARGUMENT;
}

kx::launch_config warps_config(int64_t count, gs_stream stream) {
  return groups_config(count, 32, 65536, stream);
}

// Workspace: Stat[stats], partial results of the shape, of by_row.
struct Workspace {
  Stat* stats;
  void *partial, *by_row;
  Workspace(const Norm& p, void* workspace) {
    auto* at = static_cast<char*>(workspace);
    stats = reinterpret_cast<Stat*>(at);
    partial = at + p.stat_bytes();
    by_row = at + p.stat_bytes() + Norm::partial_bytes(p.shape);
  }
};

template <class T>
int64_t workspace_bytes(const Norm& p) {
  const int64_t parts = fits_backward<T>(p.op.c) && p.rows
                            ? (int64_t)sizeof(kx::wide<T>) * 2 * row_parts<T>(p.as_rows()) * p.op.c
                            : 0;
  if (p.rows && fits_backward<T>(p.op.c)) return round_up(parts, 256);
  return p.stat_bytes() + Norm::partial_bytes(p.shape) +
         (p.rows ? Norm::partial_bytes(p.by_row) : 0);
}

// The operands of all functions.
struct Operands {
  const void *x, *gamma, *beta, *dy;
  void *y, *mean, *rstd, *running_mean, *running_var, *dgamma, *dbeta, *workspace;
  double momentum;
};

template <class T>
cudaError_t forward(const Norm& p, const Operands& o, gs_stream stream) {
  using W = kx::wide<T>;
  const T *x = static_cast<const T*>(o.x), *gamma = static_cast<const T*>(o.gamma),
          *beta = static_cast<const T*>(o.beta);
  T* y = static_cast<T*>(o.y);
  W *mean = static_cast<W*>(o.mean), *rstd = static_cast<W*>(o.rstd);
  if (p.rows && fits_forward<T>(p.op.c)) {
    return rows_forward<T>(p.as_rows(), x, gamma, beta, y, mean, rstd, stream);
  }
  const Workspace w(p, o.workspace);
  auto* partial = static_cast<Moments*>(w.partial);
  cudaError_t error = moments_pass<T>(p.shape, x, partial, stream);
  if (error != cudaSuccess) return error;
  error = KX_LAUNCH(norm_statistics_kernel<W>, warps_config(p.stats, stream), p.shape, p.stats,
                    static_cast<const Moments*>(partial), w.stats, mean, rstd,
                    static_cast<W*>(o.running_mean), static_cast<W*>(o.running_var), o.momentum);
  if (error != cudaSuccess) return error;
  return apply_pass<T>(p.shape, kNormForward, p.rows, x, gamma, beta, w.stats, nullptr, y, stream);
}

template <class T>
cudaError_t given(const Norm& p, const Operands& o, const Workspace& w, gs_stream stream) {
  using W = kx::wide<T>;
  return KX_LAUNCH(norm_given_kernel<W>, element_config(p.stats, stream), p.stats, p.op.eps,
                   static_cast<const W*>(o.mean), static_cast<const W*>(o.rstd), w.stats);
}

template <class T>
cudaError_t inference(const Norm& p, const Operands& o, gs_stream stream) {
  const Workspace w(p, o.workspace);
  const cudaError_t error = given<T>(p, o, w, stream);
  if (error != cudaSuccess) return error;
  return apply_pass<T>(p.shape, kNormForward, false, static_cast<const T*>(o.x),
                       static_cast<const T*>(o.gamma), static_cast<const T*>(o.beta), w.stats,
                       nullptr, static_cast<T*>(o.y), stream);
}

// o.rstd holds the variances of a frozen pass.
template <class T>
cudaError_t backward(const Norm& p, const Operands& o, bool frozen, gs_stream stream) {
  using W = kx::wide<T>;
  const T *x = static_cast<const T*>(o.x), *gamma = static_cast<const T*>(o.gamma),
          *dy = static_cast<const T*>(o.dy);
  T *dx = static_cast<T*>(o.y), *dgamma = static_cast<T*>(o.dgamma),
    *dbeta = static_cast<T*>(o.dbeta);
  const W *mean = static_cast<const W*>(o.mean), *rstd = static_cast<const W*>(o.rstd);
  if (p.rows && fits_backward<T>(p.op.c)) {
    return rows_backward<T>(p.as_rows(), x, gamma, mean, rstd, dy, dx, dgamma, dbeta,
                            static_cast<W*>(o.workspace), stream);
  }
  const Workspace w(p, o.workspace);
  auto* partial = static_cast<NormSums*>(w.partial);
  const bool parameters = dgamma || dbeta;
  cudaError_t error = cudaSuccess;
  if (frozen) error = given<T>(p, o, w, stream);
  if (error == cudaSuccess && (parameters || !frozen)) {
    error = sums_pass<T>(p.shape, x, dy, p.rows ? gamma : nullptr, mean, nullptr, partial, stream);
  }
  if (error == cudaSuccess && !frozen) {
    error = KX_LAUNCH(norm_gradient_kernel<T>, warps_config(p.stats, stream), p.shape, p.stats,
                      (double)p.members, static_cast<const NormSums*>(partial),
                      p.rows ? nullptr : gamma, mean, rstd, w.stats);
  }
  if (error == cudaSuccess && parameters) {
    const Stat* stats = p.rows ? nullptr : w.stats;
    if (p.rows) {
      partial = static_cast<NormSums*>(w.by_row);
      error = sums_pass<T>(p.by_row, x, dy, nullptr, nullptr, w.stats, partial, stream);
    }
    if (error != cudaSuccess) return error;
    error = KX_LAUNCH(norm_parameters_kernel<T>, warps_config(p.parameters, stream),
                      p.rows ? p.by_row : p.shape, static_cast<const NormSums*>(partial), stats,
                      dgamma, dbeta);
  }
  if (error != cudaSuccess || !dx) return error;
  return apply_pass<T>(p.shape, frozen ? kNormFrozen : kNormBackward, p.rows, x, gamma, nullptr,
                       w.stats, dy, dx, stream);
}

// Checks the description and which operands must be there; `elements` says whether x and its like
// are, `statistics` whether those of each mean are.
gs_status prepare(const gs_norm* op, bool elements, bool statistics, const Operands& o, Norm* p) {
  if (const gs_status s = describe(op, p)) return s;
  const bool empty = p->op.n == 0 || p->op.c == 0 || p->op.spatial == 0;
  GS_REQUIRE(empty || elements, "norm: operands must not be null");
  GS_REQUIRE(p->stats == 0 || statistics, "norm: statistics must not be null");
  GS_REQUIRE(!o.beta || o.gamma, "norm: beta must not be given without gamma");
  return GS_OK;
}

gs_status need_workspace(const Norm& p, const void* workspace) {
  int64_t bytes = 0;
  with_float(p.op.type, [&](auto t) {
    bytes = workspace_bytes<decltype(t)>(p);
    return cudaSuccess;
  });
  GS_REQUIRE(bytes == 0 || (workspace && reinterpret_cast<uintptr_t>(workspace) % 16 == 0),
             "norm: a workspace of %lld bytes is needed, aligned to 256", (long long)bytes);
  return GS_OK;
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_norm_workspace(const gs_norm* norm, int64_t* bytes) {
  gs::Norm p;
  if (const gs_status s = gs::describe(norm, &p)) return s;
  GS_REQUIRE(bytes, "norm: bytes must not be null");
  gs::with_float(norm->type, [&](auto t) {
    *bytes = gs::workspace_bytes<decltype(t)>(p);
    return cudaSuccess;
  });
  return GS_OK;
}

extern "C" gs_status gs_norm_forward(const gs_norm* norm, const void* x, const void* gamma,
                                     const void* beta, void* y, void* mean, void* rstd,
                                     void* running_mean, void* running_var, double momentum,
                                     void* workspace, gs_stream stream) {
  gs::Operands o{};
  o.x = x, o.gamma = gamma, o.beta = beta, o.y = y, o.mean = mean, o.rstd = rstd;
  o.running_mean = running_mean, o.running_var = running_var, o.momentum = momentum;
  o.workspace = workspace;
  gs::Norm p;
  if (const gs_status s = gs::prepare(norm, x && y, true, o, &p)) return s;
  GS_REQUIRE(norm->kind != GS_RMS_NORM || (!mean && !beta),
             "norm: mean and beta must be null for the root mean square");
  GS_REQUIRE(!running_mean == !running_var && (!running_mean || norm->kind == GS_BATCH_NORM),
             "norm: running averages must be given together, and for batch norm only");
  GS_REQUIRE(momentum >= 0 && momentum <= 1, "norm: momentum must be in 0..1; momentum=%g",
             momentum);
  if (const gs_status s = gs::need_workspace(p, workspace)) return s;
  return gs::check(
      gs::with_float(norm->type, [&](auto t) { return gs::forward<decltype(t)>(p, o, stream); }),
      "norm_forward");
}

extern "C" gs_status gs_norm_backward(const gs_norm* norm, const void* x, const void* gamma,
                                      const void* mean, const void* rstd, const void* dy, void* dx,
                                      void* dgamma, void* dbeta, void* workspace,
                                      gs_stream stream) {
  gs::Operands o{};
  o.x = x, o.gamma = gamma, o.dy = dy, o.y = dx, o.dgamma = dgamma, o.dbeta = dbeta;
  o.mean = const_cast<void*>(mean), o.rstd = const_cast<void*>(rstd), o.workspace = workspace;
  gs::Norm p;
  const bool centered = norm && norm->kind != GS_RMS_NORM;
  if (const gs_status s = gs::prepare(norm, x && dy, rstd && (mean || !centered), o, &p)) return s;
  GS_REQUIRE(centered || (!mean && !dbeta),
             "norm: mean and dbeta must be null for the root mean square");
  if (const gs_status s = gs::need_workspace(p, workspace)) return s;
  return gs::check(
      gs::with_float(norm->type,
                     [&](auto t) { return gs::backward<decltype(t)>(p, o, false, stream); }),
      "norm_backward");
}

extern "C" gs_status gs_batch_norm_inference(const gs_norm* norm, const void* x, const void* gamma,
                                             const void* beta, const void* mean,
                                             const void* variance, void* y, void* workspace,
                                             gs_stream stream) {
  gs::Operands o{};
  o.x = x, o.gamma = gamma, o.beta = beta, o.y = y, o.workspace = workspace;
  o.mean = const_cast<void*>(mean), o.rstd = const_cast<void*>(variance);
  gs::Norm p;
  if (const gs_status s = gs::prepare(norm, x && y, mean && variance, o, &p)) return s;
  GS_REQUIRE(norm->kind == GS_BATCH_NORM, "norm: inference is of batch norm; kind=%d", norm->kind);
  if (const gs_status s = gs::need_workspace(p, workspace)) return s;
  return gs::check(
      gs::with_float(norm->type, [&](auto t) { return gs::inference<decltype(t)>(p, o, stream); }),
      "batch_norm_inference");
}

extern "C" gs_status gs_batch_norm_inference_backward(const gs_norm* norm, const void* x,
                                                      const void* gamma, const void* mean,
                                                      const void* variance, const void* dy,
                                                      void* dx, void* dgamma, void* dbeta,
                                                      void* workspace, gs_stream stream) {
  gs::Operands o{};
  o.x = x, o.gamma = gamma, o.dy = dy, o.y = dx, o.dgamma = dgamma, o.dbeta = dbeta;
  o.mean = const_cast<void*>(mean), o.rstd = const_cast<void*>(variance), o.workspace = workspace;
  gs::Norm p;
  if (const gs_status s = gs::prepare(norm, x && dy, mean && variance, o, &p)) return s;
  GS_REQUIRE(norm->kind == GS_BATCH_NORM, "norm: inference is of batch norm; kind=%d", norm->kind);
  if (const gs_status s = gs::need_workspace(p, workspace)) return s;
  return gs::check(
      gs::with_float(norm->type,
                     [&](auto t) { return gs::backward<decltype(t)>(p, o, true, stream); }),
      "batch_norm_inference_backward");
}
