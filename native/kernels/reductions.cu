// Sums, extremes, products and norms over any dimensions of an array of any strides, and their
// gradients.
//
// | kernel | for |
// |---|---|
// | reduce_rows_kernel<T, GROUP> | reduced elements side by side: 8 threads, a warp or a block an
// output |
// | reduce_packs_kernel<T> | outputs side by side, a plain matrix: a thread has 16 bytes of them,
// lines of threads share the depth |
// | reduce_cols_kernel<T> | other outputs side by side: a warp has 32, 8 warps share the depth |
// | reduce_total_kernel<T, GROUP> | adds the parts of outputs whose depth was split: a thread, or
// where there are many parts a warp an output |
// | reduce_backward_kernel<T> | an element of dx a thread |
//
// Parts are combined in an order that depends on sizes alone. Floating sums run in f64: these
// kernels wait for memory.
#include "accumulate.h"
#include "strides.h"

namespace gs {
namespace {
struct ReduceArguments {
  Walk<1> kept, reduced;
  int64_t outputs, depth, chunk;
  int term, kind, splits;
  bool vectors, finished;  // 16-byte loads; the results go to y
};

template <class T>
KX_DEVICE T finish(int kind, int64_t depth, State<Sum<T>> s) {
  if constexpr (std::is_integral_v<T>) {
    return (T)s.v;
  } else {
    double v = s.v;
    if (kind == GS_REDUCTION_MEAN) v /= (double)depth;
    if (kind == GS_REDUCTION_L2) v = sqrt(v);
    if (kind == GS_REDUCTION_LOG_SUM_EXP) {
      v = s.v != s.v || s.max == -minus_infinity<double>() ? s.v * s.max
          : s.v == 0                                       ? minus_infinity<double>()
                                                           : log(s.v) + s.max;
    }
    return kx::from_float<T>((kx::wide<T>)v);
  }
}

template <class T>
KX_DEVICE void store(const ReduceArguments& p, int64_t output, int64_t split, State<Sum<T>> s,
                     State<Sum<T>>* partial, T* y) {
  if (p.finished) {
    y[output] = finish<T>(p.kind, p.depth, s);
  } else {
    partial[split * p.outputs + output] = s;
  }
}

// Grid: outputs, splits. y: the results, or for kEqual what is compared with.
template <class T, int GROUP>
__global__ __launch_bounds__(kGroupThreads,
                             1) void reduce_rows_kernel(const __grid_constant__ ReduceArguments p,
                                                        const T* x, State<Sum<T>>* partial, T* y) {
  using A = Sum<T>;
  KX_SHARED(scratch, State<A>[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  const int64_t begin = blockIdx.y * p.chunk, end = min(begin + p.chunk, p.depth);
  with_term<T>(p.term, [&](auto constant) {
    const int term = constant;
    constexpr int kRows = kGroupThreads / GROUP;
    for (int64_t first = (int64_t)blockIdx.x * kRows; first < p.outputs;
         first += (int64_t)gridDim.x * kRows) {
      // A warp's groups beyond the last output do its work again, so that all shuffle.
      const int64_t o = min(first + threadIdx.x / GROUP, p.outputs - 1);
      const bool own = first + threadIdx.x / GROUP == o;
      const T* row = x + place(p.kept, o);
      T result{};
      if (term == kEqual) result = y[o];
      State<A> s = empty_state<A>(term);
      int64_t i = begin;
      if (p.vectors) {
        constexpr int V = Pack<T>::kSize;
        const int64_t packs = (end - begin) / V;
        for (int64_t k = lane; k < packs; k += 2 * GROUP) {
          const auto* at = reinterpret_cast<const Pack<T>*>(row + begin) + k;
          const bool two = k + GROUP < packs;
          const Pack<T> e = at[0], f = at[two ? GROUP : 0];
#pragma unroll
          for (int v = 0; v < V; v++) add<T>(term, s, e.v[v], result);
          if (two) {
#pragma unroll
            for (int v = 0; v < V; v++) add<T>(term, s, f.v[v], result);
          }
        }
        i += packs * V;
      }
      for (i += lane; i < end; i += GROUP) add<T>(term, s, row[place(p.reduced, i)], result);
#pragma unroll
      for (int distance = (GROUP < 32 ? GROUP : 32) / 2; distance > 0; distance >>= 1) {
        State<A> other{__shfl_xor_sync(0xffffffffu, s.v, distance), 0};
        if (term == kExp) other.max = __shfl_xor_sync(0xffffffffu, s.max, distance);
        s = combine<T>(term, s, other);
      }
      if constexpr (GROUP > 32) {
        __syncthreads();  // the last output's reads of scratch
        if (lane % 32 == 0) scratch[lane / 32] = s;
        __syncthreads();  // the warps' states are complete
        s = scratch[0];
        for (int w = 1; w < GROUP / 32; w++) s = combine<T>(term, s, scratch[w]);
      }
      if (lane == 0 && own) store<T>(p, o, blockIdx.y, s, partial, y);
    }
  });
}

template <class T>
__global__ __launch_bounds__(kGroupThreads,
                             1) void reduce_cols_kernel(const __grid_constant__ ReduceArguments p,
                                                        const T* x, State<Sum<T>>* partial, T* y) {
  using A = Sum<T>;
  constexpr int kLines = kGroupThreads / 32;
  KX_SHARED(lines, State<A>[kLines][32]);
  const int lane = threadIdx.x % 32, line = threadIdx.x / 32;
  const int64_t begin = blockIdx.y * p.chunk, end = min(begin + p.chunk, p.depth);
  with_term<T>(p.term, [&](auto constant) {
    const int term = constant;
    for (int64_t first = (int64_t)blockIdx.x * 32; first < p.outputs;
         first += (int64_t)gridDim.x * 32) {
      const int64_t o = first + lane;
      State<A> s = empty_state<A>(term);
      if (o < p.outputs) {
        const T* col = x + place(p.kept, o);
        T result{};
        if (term == kEqual) result = y[o];
        for (int64_t i = begin + line; i < end; i += kLines) {
          add<T>(term, s, col[place(p.reduced, i)], result);
        }
      }
      lines[line][lane] = s;
      __syncthreads();  // the lines are complete
      if (line == 0 && o < p.outputs) {
        for (int l = 1; l < kLines; l++) s = combine<T>(term, s, lines[l][lane]);
        store<T>(p, o, blockIdx.y, s, partial, y);
      }
      __syncthreads();  // before the next outputs' lines
    }
  });
}

// Grid: packs of outputs, splits. A block has kGroupThreads / width lines of `width` packs.
template <class T>
__global__ __launch_bounds__(kGroupThreads,
                             1) void reduce_packs_kernel(const __grid_constant__ ReduceArguments p,
                                                         int width, const T* x,
                                                         State<Sum<T>>* partial, T* y) {
  using A = Sum<T>;
  constexpr int V = Pack<T>::kSize, kUnroll = sizeof(T) < 4 ? 4 : 8;
  KX_SHARED(lines, State<A>[kGroupThreads]);
  const int column = threadIdx.x % width, line = threadIdx.x / width, depth = kGroupThreads / width;
  const int64_t begin = blockIdx.y * p.chunk, end = min(begin + p.chunk, p.depth);
  const int64_t pitch = p.reduced.stride[0][0], packs = p.outputs / V;
  with_term<T>(p.term, [&](auto constant) {
    const int term = constant;
    for (int64_t first = (int64_t)blockIdx.x * width; first < packs;
         first += (int64_t)gridDim.x * width) {
      const int64_t pack = first + column;
      State<A> s[V];
      Pack<T> result{};
#pragma unroll
      for (int e = 0; e < V; e++) s[e] = empty_state<A>(term);
      if (pack < packs) {
        const T* col = x + pack * V;
        if (term == kEqual) result = reinterpret_cast<const Pack<T>*>(y)[pack];
        int64_t i = begin + line;
        for (; i + (kUnroll - 1) * depth < end; i += kUnroll * depth) {
          Pack<T> v[kUnroll];
#pragma unroll
          for (int u = 0; u < kUnroll; u++) {
            v[u] = *reinterpret_cast<const Pack<T>*>(col + (i + u * depth) * pitch);
          }
#pragma unroll
          for (int u = 0; u < kUnroll; u++) {
#pragma unroll
            for (int e = 0; e < V; e++) add<T>(term, s[e], v[u].v[e], result.v[e]);
          }
        }
        for (; i < end; i += depth) {
          const Pack<T> v = *reinterpret_cast<const Pack<T>*>(col + i * pitch);
#pragma unroll
          for (int e = 0; e < V; e++) add<T>(term, s[e], v.v[e], result.v[e]);
        }
      }
#pragma unroll
      for (int e = 0; e < V; e++) {
        if (depth > 1) {
          lines[threadIdx.x] = s[e];
          __syncthreads();  // the packs' lines are complete
          if (line == 0) {
            for (int l = 1; l < depth; l++) {
              s[e] = combine<T>(term, s[e], lines[l * width + column]);
            }
          }
          __syncthreads();  // before the next elements' lines
        }
        if (line == 0 && pack < packs) store<T>(p, pack * V + e, blockIdx.y, s[e], partial, y);
      }
    }
  });
}

// y: the results; else `values` takes the sums as they are.
template <class T, int GROUP>
__global__ __launch_bounds__(kElementThreads) void reduce_total_kernel(
    const __grid_constant__ ReduceArguments p, const State<Sum<T>>* partial, T* y, Sum<T>* values) {
  using A = Sum<T>;
  const int lane = threadIdx.x % GROUP;
  for (int64_t o = ((int64_t)blockIdx.x * kElementThreads + threadIdx.x) / GROUP; o < p.outputs;
       o += (int64_t)gridDim.x * (kElementThreads / GROUP)) {
    State<A> s = partial[lane * p.outputs + o];
    for (int i = lane + GROUP; i < p.splits; i += GROUP) {
      s = combine<T>(p.term, s, partial[i * p.outputs + o]);
    }
#pragma unroll
    for (int distance = GROUP / 2; distance > 0; distance >>= 1) {
      const State<A> other{__shfl_xor_sync(0xffffffffu, s.v, distance),
                           __shfl_xor_sync(0xffffffffu, s.max, distance)};
      s = combine<T>(p.term, s, other);
    }
    if (lane > 0) continue;
    if (values) {
      values[o] = s.v;
    } else {
      y[o] = finish<T>(p.kind, p.depth, s);
    }
  }
}

// walk: dx (no gaps), x, y, in the order of dx. first, second: by kind, the number of elements that
// equal the result; the product of those that are not 0 and the number of zeros.
template <class T>
__global__ __launch_bounds__(kElementThreads) void reduce_backward_kernel(
    int kind, int64_t count, int64_t depth, const __grid_constant__ Walk<3> walk, const T* x,
    const T* y, const T* dy, const double* first, const double* second, T* dx) {
  using W = kx::wide<T>;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at = 0, output = 0;
    for (int d = walk.dims - 1; d >= 0; d--) {
      const int64_t digit = take_digit(rest, walk.size[d]);
      at += digit * walk.stride[1][d];
      output += digit * walk.stride[2][d];
    }
    const W g = kx::to_float(dy[output]);
    W v = 0, result = 0, d;
    if (kind != GS_REDUCTION_SUM && kind != GS_REDUCTION_MEAN) {
      v = kx::to_float(x[at]), result = kx::to_float(y[output]);
    }
    switch (kind) {
      case GS_REDUCTION_SUM:
        d = g;
        break;
      case GS_REDUCTION_MEAN:
        d = g / (W)depth;
        break;
      case GS_REDUCTION_MAX:
      case GS_REDUCTION_MIN:
        d = v == result || (v != v && result != result) ? g / (W)first[output] : W(0);
        break;
      case GS_REDUCTION_PROD: {
        const double others = first[output], zeros = second[output];
        d = zeros == 0 ? (W)(others / v * g) : v == 0 && zeros == 1 ? (W)(others * g) : W(0);
        break;
      }
      case GS_REDUCTION_SUM_SQUARES:
        d = W(2) * v * g;
        break;
      case GS_REDUCTION_L1:
        d = v > 0 ? g : v < 0 ? -g : v * g;  // 0 at 0, NaN at NaN
        break;
      case GS_REDUCTION_L2:
        d = result == 0 ? W(0) : v / result * g;
        break;
      default:
        d = exp(v - result) * g;
    }
    dx[i] = kx::from_float<T>(d);
  }
}

// ---- launchers ----
int term_of(int kind) {
  switch (kind) {
    case GS_REDUCTION_MAX:
      return kMax;
    case GS_REDUCTION_MIN:
      return kMin;
    case GS_REDUCTION_PROD:
      return kProd;
    case GS_REDUCTION_SUM_SQUARES:
    case GS_REDUCTION_L2:
      return kSquares;
    case GS_REDUCTION_L1:
      return kMagnitudes;
    case GS_REDUCTION_LOG_SUM_EXP:
      return kExp;
    default:
      return kSum;
  }
}

constexpr int64_t round_up(int64_t v, int64_t to) { return (v + to - 1) / to * to; }
bool by_columns(const ReduceArguments& p) {
  if (p.kept.dims == 0 || p.reduced.dims == 0) return false;
  return std::llabs(p.kept.stride[0][p.kept.dims - 1]) <
         std::llabs(p.reduced.stride[0][p.reduced.dims - 1]);
}

// Checks the description; the arguments but for what depends on pointers.
gs_status describe(const gs_reduce* op, ReduceArguments* p) {
  GS_REQUIRE(op, "reduce: the description must not be null");
  GS_REQUIRE(op->kind >= GS_REDUCTION_SUM && op->kind <= GS_REDUCTION_LOG_SUM_EXP,
             "reduce: no such kind; kind=%d", op->kind);
  const bool integer = op->type == GS_I32 || op->type == GS_I64 || op->type == GS_U8;
  const int term = term_of(op->kind);
  GS_REQUIRE(
      (op->type >= GS_F32 && op->type <= GS_F16) ||
          (integer && term <= kProd && op->kind != GS_REDUCTION_MEAN),
      "reduce: type must be f64, f32, bf16, f16, or for sum, prod, max and min i64, i32, u8; "
      "type=%d, kind=%d",
      op->type, op->kind);
  const gs_layout& x = op->x;
  GS_REQUIRE(x.dims >= 0 && x.dims <= GS_MAX_DIMS, "reduce: x must have 0 to 8 dimensions; dims=%d",
             x.dims);
  GS_REQUIRE(op->axes >> x.dims == 0, "reduce: axes must name dimensions; axes=%#x, dims=%d",
             op->axes, x.dims);
  const int64_t count = count_of(x.dims, x.size);
  GS_REQUIRE(count >= 0 && addressable_strides(x.dims, x.size, x.stride),
             "reduce: sizes must not be negative and all elements addressable; dims=%d", x.dims);
  GS_REQUIRE(count > 0 || !integer || (term != kMax && term != kMin),
             "reduce: x must not be empty for the maximum or minimum of integers");
  *p = {};
  p->kept = joined(x, ~op->axes), p->reduced = joined(x, op->axes);
  p->outputs = count_of(p->kept), p->depth = count_of(p->reduced);
  p->term = term, p->kind = op->kind;
  const int64_t wanted =
      by_columns(*p) ? std::min(1024 * 32 / std::max(p->outputs, (int64_t)1), p->depth / 256)
                     : std::min(1024 / std::max(p->outputs, (int64_t)1), p->depth / 8192);
  p->splits = (int)std::clamp(wanted, (int64_t)1, (int64_t)1024);
  p->chunk = std::max(round_up((p->depth + p->splits - 1) / p->splits, 16), (int64_t)16);
  return GS_OK;
}

int64_t partial_bytes(const ReduceArguments& p) {
  return round_up((int64_t)sizeof(State<double>) * p.splits * p.outputs, 256);
}

// Packs of outputs side by side in a block: all, where they alone fill any device, else at least
// 128 bytes of them.
int pack_width(int64_t packs) {
  constexpr int64_t kFilling = 1 << 16;
  if (packs >= kFilling) return kGroupThreads;
  int width = 8;
  while (width < 32 && width * 2 <= packs) width *= 2;
  return width;
}
constexpr int64_t kShortDepth = 256;  // of rows for 8 threads

// Reduces to y, or where `values` is given to that; y may then be what is compared with.
template <class T>
cudaError_t run(ReduceArguments p, const void* x, void* y, Sum<T>* values, void* workspace,
                gs_stream stream) {
  const T* px = static_cast<const T*>(x);
  T* py = static_cast<T*>(y);
  auto* partial = static_cast<State<Sum<T>>*>(workspace);
  constexpr int64_t V = Pack<T>::kSize;
  p.finished = p.splits == 1 && !values;
  p.vectors = p.reduced.dims == 1 && p.reduced.stride[0][0] == 1 && aligned16({x});
  for (int d = 0; d < p.kept.dims; d++) p.vectors &= p.kept.stride[0][d] % V == 0;
  const auto config = [&](int64_t items, int64_t each) {
    return kx::launch_config{
        dim3((unsigned)std::min((items + each - 1) / each, (int64_t)2048), (unsigned)p.splits),
        dim3(kGroupThreads), 0, stream_of(stream)};
  };
  const auto rows = [&](auto kernel, int64_t each) {
    return kx::launch("reduce_rows_kernel", kernel, config(p.outputs, each), p, px, partial, py);
  };
  cudaError_t error;
  if (!by_columns(p)) {
    error = p.vectors && p.depth <= kShortDepth ? rows(reduce_rows_kernel<T, 8>, 32)
            : p.depth <= 1024                   ? rows(reduce_rows_kernel<T, 32>, 8)
                                                : rows(reduce_rows_kernel<T, kGroupThreads>, 1);
  } else if (p.outputs % V == 0 && p.kept.dims == 1 && p.kept.stride[0][0] == 1 &&
             p.reduced.dims == 1 && p.reduced.stride[0][0] % V == 0 && aligned16({x, y})) {
    const int width = pack_width(p.outputs / V);
    error =
        KX_LAUNCH(reduce_packs_kernel<T>, config(p.outputs / V, width), p, width, px, partial, py);
  } else {
    error = KX_LAUNCH(reduce_cols_kernel<T>, config(p.outputs, 32), p, px, partial, py);
  }
  if (error != cudaSuccess || p.finished) return error;
  const auto total = [&](auto kernel, int64_t threads) {
    return kx::launch("reduce_total_kernel", kernel, element_config(threads, stream), p,
                      static_cast<const State<Sum<T>>*>(partial), py, values);
  };
  return p.splits >= 32 ? total(reduce_total_kernel<T, 32>, p.outputs * 32)
                        : total(reduce_total_kernel<T, 1>, p.outputs);
}

template <class T>
cudaError_t backward(const gs_reduce& op, ReduceArguments p, const void* x, const void* y,
                     const void* dy, void* dx, void* workspace, gs_stream stream) {
  double* first = reinterpret_cast<double*>(static_cast<char*>(workspace) + partial_bytes(p));
  double* second = first + p.outputs;
  cudaError_t error = cudaSuccess;
  const auto prepare = [&](int term, double* values) {
    if (error != cudaSuccess) return;
    p.term = term;
    error = run<T>(p, x, const_cast<void*>(y), values, workspace, stream);
  };
  if (p.term == kMax || p.term == kMin) {
    prepare(kEqual, first);
  } else if (p.term == kProd) {
    prepare(kNonzero, first);
    prepare(kZeros, second);
  }
  if (error != cudaSuccess) return error;
  Walk<3> walk;
  walk.dims = op.x.dims;
  int64_t dx_stride = 1, y_stride = 1;
  for (int d = op.x.dims - 1; d >= 0; d--) {
    const bool reduced = op.axes >> d & 1;
    walk.size[d] = op.x.size[d];
    walk.stride[0][d] = dx_stride, dx_stride *= op.x.size[d];
    walk.stride[1][d] = op.x.stride[d];
    walk.stride[2][d] = reduced ? 0 : y_stride;
    if (!reduced) y_stride *= op.x.size[d];
  }
  const int64_t count = p.outputs * p.depth;
  return KX_LAUNCH(reduce_backward_kernel<T>, element_config(count, stream), op.kind, count,
                   p.depth, merged(walk), static_cast<const T*>(x), static_cast<const T*>(y),
                   static_cast<const T*>(dy), static_cast<const double*>(first),
                   static_cast<const double*>(second), static_cast<T*>(dx));
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_reduce_workspace(const gs_reduce* op, int64_t* bytes) {
  gs::ReduceArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  GS_REQUIRE(bytes, "reduce: bytes must not be null");
  *bytes = gs::partial_bytes(p) + gs::round_up(16 * p.outputs, 256);
  return GS_OK;
}

extern "C" gs_status gs_reduce_forward(const gs_reduce* op, const void* x, void* y, void* workspace,
                                       gs_stream stream) {
  gs::ReduceArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  if (p.outputs == 0) return GS_OK;
  GS_REQUIRE((x || p.depth == 0) && y && workspace,
             "reduce: operands and workspace must not be null");
  const auto launch = [&](auto zero) {
    return gs::run<decltype(zero)>(p, x, y, nullptr, workspace, stream);
  };
  return gs::check(gs::with_type(op->type, launch), "reduce_forward");
}

extern "C" gs_status gs_reduce_backward(const gs_reduce* op, const void* x, const void* y,
                                        const void* dy, void* dx, void* workspace,
                                        gs_stream stream) {
  gs::ReduceArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  GS_REQUIRE(op->type <= GS_F16, "reduce: type must be floating to have a gradient; type=%d",
             op->type);
  if (p.outputs == 0 || p.depth == 0) return GS_OK;
  GS_REQUIRE(x && y && dy && dx && workspace, "reduce: operands and workspace must not be null");
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      return cudaErrorInvalidValue;
    } else {
      return gs::backward<T>(*op, p, x, y, dy, dx, workspace, stream);
    }
  };
  return gs::check(gs::with_type(op->type, launch), "reduce_backward");
}
