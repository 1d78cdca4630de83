// Softmax cross-entropy, forward and backward.
//
// | kernel | purpose |
// |---|---|
// | cross_entropy_divisor_kernel | counts valid targets, sums their weights and the class weights |
// | cross_entropy_held_kernel<T, GROUP, PACKS> | inner = 1, up to 16 KB of logits a position: in
// the registers of a warp or a block | | cross_entropy_long_kernel<T, THREADS> | inner = 1, more
// logits: a block a position, in shared memory as far as they fit | |
// cross_entropy_columns_kernel<T> | inner > 1: a thread a position, neighbours coalesced | |
// cross_entropy_loss_kernel | sum of the positions' losses |
//
// A position's logits are read once for maximum and sum (online, Milakov and Gimelshein, 2018);
// what of them is not held is read once more, mostly from a cache, when the gradient, smoothing or
// target probabilities ask for it.
#include <algorithm>

#include "kx/kx.h"
#include "rows.h"
#include "status.h"

namespace gs {
namespace {
constexpr int kParts =
    256;  // partial sums over positions: one for each block and thread count alike

// At the start of the workspace; the positions' losses follow.
struct alignas(256) Header {
  int64_t invalid;    // targets that are neither in range nor ignored; first, for the caller
  double divisor;     // of the loss
  double weight_sum;  // of all classes
  double parts[kParts];
  double weights[kParts];
  int64_t bad[kParts];
};

template <class W>
struct Operands {
  const void *logits, *targets;
  const W *weight, *dloss;
  W *loss, *lse;
  void* dlogits;
  Header* header;
  double* losses;  // of the positions
  int64_t positions, classes, inner, ignore_index;
  W keep, spread;  // 1 - s, s / classes
  double scale;
  int target_type, reduction;
  int parts;  // partial sums over positions; depends on sizes only
  bool probabilities;
  bool vectors;  // logits and dlogits are aligned alike

  KX_DEVICE int64_t target(int64_t position) const {
    return target_type == GS_I32 ? static_cast<const int32_t*>(targets)[position]
                                 : static_cast<const int64_t*>(targets)[position];
  }
  KX_DEVICE W class_weight(int64_t c) const { return weight ? weight[c] : W(1); }
};

template <class V>
KX_DEVICE V part(const V* parts, int count) {
  return (int)threadIdx.x < count ? parts[threadIdx.x] : V(0);
}

// Each block sums every gridDim.x-th stretch of kGroupThreads positions; a second launch of one
// block adds the blocks' sums, so that the order is fixed.
template <class W>
__global__ __launch_bounds__(kGroupThreads, 1) void cross_entropy_divisor_kernel(
    const __grid_constant__ Operands<W> o) {
  KX_SHARED(sums, double[kGroupThreads / 32]);
  KX_SHARED(counts, int64_t[kGroupThreads / 32]);
  double valid = 0, weights = 0;
  int64_t bad = 0;
  const int64_t first = (int64_t)blockIdx.x * kGroupThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kGroupThreads;
  if (!o.probabilities) {
    for (int64_t p = first; p < o.positions; p += stride) {
      const int64_t t = o.target(p);
      if (t == o.ignore_index) continue;
      if (t < 0 || t >= o.classes) {
        bad++;
      } else {
        valid += o.class_weight(t);
      }
    }
  }
  if (o.weight) {
    for (int64_t c = first; c < o.classes; c += stride) weights += o.weight[c];
  }
  valid = group_sum<kGroupThreads>(valid, sums);
  weights = group_sum<kGroupThreads>(weights, sums);
  bad = group_sum<kGroupThreads>(bad, counts);
  if (threadIdx.x == 0) {
    o.header->parts[blockIdx.x] = valid;
    o.header->weights[blockIdx.x] = weights;
    o.header->bad[blockIdx.x] = bad;
  }
}

template <class W>
__global__ __launch_bounds__(kGroupThreads, 1) void cross_entropy_finish_divisor_kernel(
    const __grid_constant__ Operands<W> o) {
  KX_SHARED(sums, double[kGroupThreads / 32]);
  KX_SHARED(counts, int64_t[kGroupThreads / 32]);
  const double valid = group_sum<kGroupThreads>(part(o.header->parts, o.parts), sums);
  const double weights = group_sum<kGroupThreads>(part(o.header->weights, o.parts), sums);
  const int64_t bad = group_sum<kGroupThreads>(part(o.header->bad, o.parts), counts);
  if (threadIdx.x == 0) {
    const double mean = o.probabilities ? (double)o.positions : valid;
    o.header->divisor = o.reduction == GS_REDUCE_MEAN ? mean : 1.;
    o.header->weight_sum = o.weight ? weights : (double)o.classes;
    o.header->invalid = bad;
  }
}

// What of a position's result the class t contributes, and how its gradient is formed.
template <class W>
struct Position {
  int64_t index, t;
  bool ignored, invalid;
  W factor;  // of the gradient

  KX_DEVICE Position(const Operands<W>& o, int64_t p)
      : index(p), t(0), ignored(false), invalid(false) {
    if (!o.probabilities) {
      t = o.target(p);
      ignored = t == o.ignore_index;
      invalid = !ignored && (t < 0 || t >= o.classes);
    }
    double g = o.scale / o.header->divisor;
    if (o.dloss) g *= (double)o.dloss[o.reduction == GS_REDUCE_NONE ? p : 0];
    factor = invalid ? static_cast<W>(NAN) : (W)g;
  }
  // q_c; at: where the target probability of class c lies.
  template <class T>
  KX_DEVICE W coefficient(const Operands<W>& o, int64_t c, int64_t at) const {
    if (o.probabilities) {
      const W probability = kx::to_float(static_cast<const T*>(o.targets)[at]);
      return o.class_weight(c) * (o.keep * probability + o.spread);
    }
    const W smooth = o.spread == W(0) ? W(0) : o.spread * o.class_weight(c);
    return c == t ? o.keep * o.class_weight(c) + smooth : smooth;
  }
  // The loss from total = sum of q and dot = sum of q (x - max).
  KX_DEVICE void store(const Operands<W>& o, const OnlineSum<W>& s, W total, W dot) const {
    if (o.lse) o.lse[index] = s.max + log(s.sum);
    if (!o.loss) return;
    W loss = total * log(s.sum) - dot;
    if (ignored) loss = 0;
    if (invalid) loss = static_cast<W>(NAN);
    if (o.reduction == GS_REDUCE_NONE) {
      o.loss[index] = loss;
    } else {
      o.losses[index] = loss;
    }
  }
};

// The sums of q and of q (x - max) over a position's classes.
template <class T>
struct Weighted {
  using W = kx::wide<T>;
  W total = 0, dot = 0;

  // Of a single target; logits: the position's.
  KX_DEVICE void take_target(const Operands<W>& o, const Position<W>& position, const T* logits,
                             W max) {
    if (position.ignored || position.invalid) return;
    total = o.class_weight(position.t);
    if (total != W(0)) dot = total * ((W)kx::to_float(logits[position.t]) - max);
  }
  // Of the logits v of classes from `first` on, which may lie outside.
  KX_DEVICE void add(const Operands<W>& o, const Position<W>& position, int64_t first,
                     const W (&v)[Pack<T>::kSize], W max) {
#pragma unroll
    for (int e = 0; e < Pack<T>::kSize; e++) {
      const int64_t c = first + e;
      if (c < 0 || c >= o.classes) continue;  // outside
      const W q = position.template coefficient<T>(o, c, position.index * o.classes + c);
      total += q;
      if (q != W(0)) dot += q * (v[e] - max);
    }
  }
  // The gradient of the logits v, in their place.
  KX_DEVICE void gradient(const Operands<W>& o, const Position<W>& position, bool one_hot,
                          int64_t first, const OnlineSum<W>& s, W (&v)[Pack<T>::kSize]) const {
    const W share = total / s.sum;
#pragma unroll
    for (int e = 0; e < Pack<T>::kSize; e++) {
      const int64_t c = first + e;
      W q = c == position.t ? total : W(0);
      if (!one_hot && c >= 0 && c < o.classes) {
        q = position.template coefficient<T>(o, c, position.index * o.classes + c);
      }
      const W gradient = position.factor * (exp_for<T>(v[e] - s.max) * share - q);
      v[e] = position.ignored ? W(0) : gradient;
    }
  }
};

template <class T, int GROUP, int PACKS>
__global__ __launch_bounds__(kGroupThreads, 1) void cross_entropy_held_kernel(
    const __grid_constant__ Operands<kx::wide<T>> o) {
  using W = kx::wide<T>;
  using Held = HeldRow<T, GROUP, PACKS>;
  KX_SHARED(scratch, W[2 * kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  const bool one_hot = !o.probabilities && o.spread == W(0);
  const int64_t stride = (int64_t)gridDim.x * (kGroupThreads / GROUP);
  for (int64_t p = (int64_t)blockIdx.x * (kGroupThreads / GROUP) + threadIdx.x / GROUP;
       p < o.positions; p += stride) {
    const T* logits = static_cast<const T*>(o.logits) + p * o.classes;
    const RowPacks<T, int> packs(logits, o.classes, o.vectors);
    Held r;
    r.load(packs, logits, lane, minus_infinity_of<T>());
    const Position<W> position(o, p);
    W own;
    const OnlineSum<W> s = r.sum(packs, false, &own, scratch);
    Weighted<T> sums;
    if (one_hot) {
      sums.take_target(o, position, logits, s.max);
    } else {
      r.each(packs, lane, [&](const W(&v)[Held::V], Words&, int k) {
        sums.add(o, position, packs.place(k), v, s.max);
      });
      sums.total = group_sum<GROUP>(sums.total, scratch);
      sums.dot = group_sum<GROUP>(sums.dot, scratch);
    }
    if constexpr (GROUP == 32) {
      __syncwarp();
    } else {
      __syncthreads();
    }  // all have read the target's logit, which the gradient may overwrite
    if (lane == 0) position.store(o, s, sums.total, sums.dot);
    if (!o.dlogits) continue;
    T* dlogits = static_cast<T*>(o.dlogits) + p * o.classes;
    r.each(packs, lane, [&](W(&v)[Held::V], Words&, int k) {
      sums.gradient(o, position, one_hot, packs.place(k), s, v);
      packs.store(dlogits, k, packed<T>(v));
    });
  }
}

template <class T, int THREADS>
__global__ __launch_bounds__(THREADS, row_blocks<T>(THREADS)) void cross_entropy_long_kernel(
    const __grid_constant__ Operands<kx::wide<T>> o, int64_t held) {
  using W = kx::wide<T>;
  using Row = LongRow<T, THREADS>;
  KX_SHARED(scratch, W[2 * THREADS / 32]);
  Words* kept = kx::dynamic_shared<Words>();
  const bool one_hot = !o.probabilities && o.spread == W(0);
  for (int64_t p = blockIdx.x; p < o.positions; p += gridDim.x) {
    const T* logits = static_cast<const T*>(o.logits) + p * o.classes;
    const RowPacks<T, int64_t> packs(logits, o.classes, o.vectors);
    const Row r{packs, held};
    const OnlineSum<W> s = r.sum(logits, kept, scratch);
    const Position<W> position(o, p);
    // Calls f(logits, number) for each pack, the last ones first.
    const auto again = [&](auto f) {
      for (int64_t k = r.last(); k >= 0; k -= Row::kStep) {
        Words words[Row::kBatch];
        r.again(logits, minus_infinity_of<T>(), kept, k, words);
#pragma unroll
        for (int j = 0; j < Row::kBatch; j++) {
          W v[Row::V];
          unpack<T>(words[j], v);
          f(v, k + j * THREADS);
        }
      }
    };
    Weighted<T> sums;
    if (one_hot) {
      sums.take_target(o, position, logits, s.max);
    } else {
      again(
          [&](const W(&v)[Row::V], int64_t k) { sums.add(o, position, packs.place(k), v, s.max); });
      sums.total = group_sum<THREADS>(sums.total, scratch);
      sums.dot = group_sum<THREADS>(sums.dot, scratch);
    }
    __syncthreads();  // all have read the target's logit, which the gradient may overwrite
    if (threadIdx.x == 0) position.store(o, s, sums.total, sums.dot);
    if (!o.dlogits) continue;
    T* dlogits = static_cast<T*>(o.dlogits) + p * o.classes;
    again([&](W(&v)[Row::V], int64_t k) {
      sums.gradient(o, position, one_hot, packs.place(k), s, v);
      packs.store_streaming(dlogits, k, packed<T>(v));
    });
  }
}

template <class T>
__global__ __launch_bounds__(kGroupThreads, 1) void cross_entropy_columns_kernel(
    const __grid_constant__ Operands<kx::wide<T>> o) {
  using W = kx::wide<T>;
  const T* logits = static_cast<const T*>(o.logits);
  T* dlogits = static_cast<T*>(o.dlogits);
  for (int64_t p = (int64_t)blockIdx.x * kGroupThreads + threadIdx.x; p < o.positions;
       p += (int64_t)gridDim.x * kGroupThreads) {
    const Position<W> position(o, p);
    const int64_t base = p / o.inner * o.classes * o.inner + p % o.inner;
    OnlineSum<W> s;
    for (int64_t c = 0; c < o.classes; c++) s.add(kx::to_float(logits[base + c * o.inner]));
    s.finish();
    W total = 0, dot = 0;
    for (int64_t c = 0; c < o.classes; c++) {
      const int64_t at = base + c * o.inner;
      const W q = position.template coefficient<T>(o, c, at);
      total += q;
      if (q != W(0)) dot += q * ((W)kx::to_float(logits[at]) - s.max);
    }
    position.store(o, s, total, dot);
    if (!dlogits) continue;
    const W inverse = W(1) / s.sum;
    for (int64_t c = 0; c < o.classes; c++) {
      const int64_t at = base + c * o.inner;
      const W probability = exp((W)kx::to_float(logits[at]) - s.max) * inverse;
      const W q = position.template coefficient<T>(o, c, at);
      const W gradient = position.factor * (total * probability - q);
      dlogits[at] = kx::from_float<T>(position.ignored ? W(0) : gradient);
    }
  }
}

// Partial sums of the losses, then (parts_only false, one block) the result.
template <class W>
__global__ __launch_bounds__(kGroupThreads, 1) void cross_entropy_loss_kernel(
    const __grid_constant__ Operands<W> o, bool finish) {
  KX_SHARED(sums, double[kGroupThreads / 32]);
  if (finish) {
    const double sum = group_sum<kGroupThreads>(part(o.header->parts, o.parts), sums);
    if (threadIdx.x == 0) {
      const double divisor = o.header->divisor;
      o.loss[0] = (W)(divisor == 0 ? (double)NAN : sum / divisor);
    }
    return;
  }
  double sum = 0;
  for (int64_t p = (int64_t)blockIdx.x * kGroupThreads + threadIdx.x; p < o.positions;
       p += (int64_t)gridDim.x * kGroupThreads) {
    sum += o.losses[p];
  }
  sum = group_sum<kGroupThreads>(sum, sums);
  if (threadIdx.x == 0) o.header->parts[blockIdx.x] = sum;
}

// ---- launchers ----
unsigned blocks(int64_t wanted) { return (unsigned)std::min(wanted, (int64_t)65536); }

// The positions, where a position's logits are neighbours.
template <class T>
cudaError_t rows(Operands<kx::wide<T>> o, gs_stream stream) {
  const T *logits = static_cast<const T*>(o.logits), *dlogits = static_cast<const T*>(o.dlogits);
  o.vectors = !dlogits || same_alignment16(logits, dlogits);
  const int64_t packs = most_packs(logits, o.classes, o.vectors);
  const auto held = [&](auto kernel, int group) {
    const int64_t each = kGroupThreads / group;
    const kx::launch_config config{dim3(blocks((o.positions + each - 1) / each)),
                                   dim3(kGroupThreads), 0, stream_of(stream)};
    return kx::launch("cross_entropy_held_kernel", kernel, config, o);
  };
  if (packs <= 32 * 2) return held(cross_entropy_held_kernel<T, 32, 2>, 32);
  if (packs <= 32 * 8) return held(cross_entropy_held_kernel<T, 32, 8>, 32);
  if (packs <= kGroupThreads * 4) {
    return held(cross_entropy_held_kernel<T, kGroupThreads, 4>, kGroupThreads);
  }
  const bool again = dlogits || o.probabilities || o.spread != 0;
  const int64_t shared = again ? long_row_shared<T>(packs * 16) : 0;
  return with_row_threads<T>(packs * 16, [&](auto threads) {
    constexpr int THREADS = threads;
    const kx::launch_config config{dim3(blocks(o.positions)), dim3(THREADS), (size_t)shared,
                                   stream_of(stream)};
    return kx::launch("cross_entropy_long_kernel", cross_entropy_long_kernel<T, THREADS>, config, o,
                      shared / 16);
  });
}

template <class T>
gs_status run(const gs_cross_entropy& op, const void* logits, const void* targets,
              const void* weight, double scale, void* loss, void* lse, const void* dloss,
              void* dlogits, void* workspace, gs_stream stream) {
  using W = kx::wide<T>;
  Operands<W> o{};
  o.logits = logits, o.targets = targets, o.dlogits = dlogits;
  o.weight = static_cast<const W*>(weight), o.dloss = static_cast<const W*>(dloss);
  o.loss = static_cast<W*>(loss), o.lse = static_cast<W*>(lse);
  o.header = static_cast<Header*>(workspace);
  o.losses = reinterpret_cast<double*>(o.header + 1);
  o.positions = op.rows * op.inner, o.classes = op.classes, o.inner = op.inner;
  o.ignore_index = op.ignore_index;
  o.keep = (W)(1 - op.label_smoothing);
  o.spread = (W)(op.label_smoothing / (double)op.classes);
  o.scale = scale;
  o.target_type = op.target_type, o.reduction = op.reduction;
  o.probabilities = op.target_type == op.type;
  constexpr int64_t kStretch = 4 * kGroupThreads;
  o.parts = (int)std::clamp((std::max(o.positions, o.classes) + kStretch - 1) / kStretch,
                            (int64_t)1, (int64_t)kParts);

  const auto one = [&](unsigned grid) {
    return kx::launch_config{dim3(grid), dim3(kGroupThreads), 0, stream_of(stream)};
  };
  const auto enqueue = [&](cudaError_t error) { return check(error, "cross_entropy"); };
  if (gs_status s = enqueue(KX_LAUNCH(cross_entropy_divisor_kernel<W>, one(o.parts), o))) return s;
  if (gs_status s = enqueue(KX_LAUNCH(cross_entropy_finish_divisor_kernel<W>, one(1), o))) return s;
  if (o.positions > 0) {
    gs_status status;
    if (op.inner > 1) {
      const int64_t wanted = (o.positions + kGroupThreads - 1) / kGroupThreads;
      status = enqueue(KX_LAUNCH(cross_entropy_columns_kernel<T>, one(blocks(wanted)), o));
    } else {
      status = enqueue(rows<T>(o, stream));
    }
    if (status) return status;
  }
  if (!loss || op.reduction == GS_REDUCE_NONE) return GS_OK;
  if (gs_status s = enqueue(KX_LAUNCH(cross_entropy_loss_kernel<W>, one(o.parts), o, false)))
    return s;
  return enqueue(KX_LAUNCH(cross_entropy_loss_kernel<W>, one(1), o, true));
}

gs_status check_op(const gs_cross_entropy* op) {
  GS_REQUIRE(op, "cross_entropy: the description must not be null");
  int64_t count;
  GS_REQUIRE(op->rows >= 0 && op->classes >= 1 && op->inner >= 0 &&
                 !__builtin_mul_overflow(op->rows, op->classes, &count) &&
                 !__builtin_mul_overflow(count, op->inner, &count) && count <= INT64_MAX / 16,
             "cross_entropy: sizes must not be negative, classes at least 1, their product "
             "addressable; rows=%lld, classes=%lld, inner=%lld",
             (long long)op->rows, (long long)op->classes, (long long)op->inner);
  GS_REQUIRE(op->type >= GS_F32 && op->type <= GS_F16,
             "cross_entropy: type must be f32, f64, bf16 or f16; type=%d", op->type);
  GS_REQUIRE(op->target_type == GS_I32 || op->target_type == GS_I64 || op->target_type == op->type,
             "cross_entropy: target_type must be i32, i64 or the logits' type; target_type=%d",
             op->target_type);
  GS_REQUIRE(op->label_smoothing >= 0 && op->label_smoothing <= 1,
             "cross_entropy: label_smoothing must be in [0, 1]; label_smoothing=%g",
             op->label_smoothing);
  GS_REQUIRE(op->reduction >= GS_REDUCE_NONE && op->reduction <= GS_REDUCE_SUM,
             "cross_entropy: reduction must be one of GS_REDUCE_*; reduction=%d", op->reduction);
  return GS_OK;
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_cross_entropy_workspace(const gs_cross_entropy* op, int64_t* bytes) {
  GS_REQUIRE(bytes, "cross_entropy: bytes must not be null");
  *bytes = 0;
  if (const gs_status status = gs::check_op(op)) return status;
  *bytes = (int64_t)sizeof(gs::Header) + op->rows * op->inner * (int64_t)sizeof(double);
  return GS_OK;
}

extern "C" gs_status gs_cross_entropy_run(const gs_cross_entropy* op, const void* logits,
                                          const void* targets, const void* weight, double scale,
                                          void* loss, void* lse, const void* dloss, void* dlogits,
                                          void* workspace, gs_stream stream) {
  if (const gs_status status = gs::check_op(op)) return status;
  GS_REQUIRE(op->rows == 0 || op->inner == 0 || (logits && targets),
             "cross_entropy: logits and targets must not be null");
  GS_REQUIRE(workspace && reinterpret_cast<uintptr_t>(workspace) % 16 == 0,
             "cross_entropy: workspace must not be null, and aligned");
  switch (op->type) {
    case GS_F32:
      return gs::run<float>(*op, logits, targets, weight, scale, loss, lse, dloss, dlogits,
                            workspace, stream);
    case GS_F64:
      return gs::run<double>(*op, logits, targets, weight, scale, loss, lse, dloss, dlogits,
                             workspace, stream);
    case GS_BF16:
      return gs::run<kx::bf16>(*op, logits, targets, weight, scale, loss, lse, dloss, dlogits,
                               workspace, stream);
    default:
      return gs::run<kx::f16>(*op, logits, targets, weight, scale, loss, lse, dloss, dlogits,
                              workspace, stream);
  }
}
