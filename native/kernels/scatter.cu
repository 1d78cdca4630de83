// Entries added or put back by index, without atomics on them and in the order of the sources.
//
// | kernel | for |
// |---|---|
// | scatter_words_kernel | one word for each index: target and place; the first bad index |
// | scatter_clear_kernel | zeros, when no index is bad |
// | scatter_add_kernel<T, V> | words sorted by target: a thread adds up V columns of a target |
// | scatter_put_kernel<T> | the same for single elements of which the last stays |
// | scatter_lines_kernel<T, ADD> | many short lines: a thread walks along one |
//
// The sort is stable, so the words of one target lie side by side in the order of their places: the
// sum of each has a fixed order, and no two threads write to one element.
#include "accumulate.h"
#include "casts.h"
#include "indices.h"
#include "sort.h"

namespace gs {
namespace {
// What the sorted words say: a target in the upper bits, a place among the indices in the lower.
struct SortedTargets {
  const uint64_t* words;
  int64_t count;
  int place_bits;

  KX_DEVICE int64_t target(int64_t s) const { return (int64_t)(words[s] >> place_bits); }
  KX_DEVICE int64_t place(int64_t s) const {
    return (int64_t)(words[s] & ((uint64_t(1) << place_bits) - 1));
  }
  // The end of the words from s on that have its target.
  KX_DEVICE int64_t end(int64_t s) const {
    const int64_t t = target(s);
    int64_t inside = s, step = 1;
    while (inside + step < count && target(inside + step) == t) inside += step, step *= 2;
    int64_t outside = min(inside + step, count);
    while (outside - inside > 1) {
      const int64_t middle = inside + (outside - inside) / 2;
      if (target(middle) == t) {
        inside = middle;
      } else {
        outside = middle;
      }
    }
    return outside;
  }
};

template <class T>
KX_DEVICE T sum_of(T a, T b) {
  if constexpr (sizeof(T) == 2) {
    return kx::from_float<T>(kx::to_float(a) + kx::to_float(b));
  } else {
    return plus(a, b);
  }
}

// A target is place(walk) + index * step. Bad indices get target 0: what is sorted is then unused.
__global__ __launch_bounds__(kElementThreads) void scatter_words_kernel(
    Indices indices, const __grid_constant__ Walk<2> walk, int64_t step, int64_t count,
    int place_bits, BadIndex* bad, uint64_t* words) {
  for (int64_t k = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; k < count;
       k += (int64_t)gridDim.x * kElementThreads) {
    int64_t target = 0;
    if (indices.is_good(indices.raw(k))) {
      target = place(walk, k, 1) + indices.at(k) * step;
    } else {
      atomicMin(bad, (BadIndex)k);
    }
    words[k] = (uint64_t)target << place_bits | (uint64_t)k;
  }
}

__global__ __launch_bounds__(kElementThreads) void scatter_clear_kernel(int64_t bytes,
                                                                        int64_t packs,
                                                                        const BadIndex* bad,
                                                                        uint8_t* x) {
  if (*bad != kNoBadIndex) return;
  const int64_t first = (int64_t)blockIdx.x * kElementThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kElementThreads;
  const Pack<uint32_t> zero{};
  for (int64_t i = first; i < packs; i += stride) reinterpret_cast<Pack<uint32_t>*>(x)[i] = zero;
  for (int64_t i = packs * 16 + first; i < bytes; i += stride) x[i] = 0;
}

// size: targets of each of the `outer` arrays; packs: V columns each.
template <class T, int V>
__global__ __launch_bounds__(kElementThreads) void scatter_add_kernel(SortedTargets sorted,
                                                                      int64_t outer, int64_t size,
                                                                      int64_t packs,
                                                                      const BadIndex* bad,
                                                                      const T* y, T* x) {
  if (*bad != kNoBadIndex) return;
  using Columns = Pack<T, V>;
  const int64_t items = outer * sorted.count * packs;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < items;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i;
    const int64_t pack = take_digit(rest, packs), s = take_digit(rest, sorted.count);
    const int64_t target = sorted.target(s);
    if (s > 0 && sorted.target(s - 1) == target) continue;  // its first word's thread adds it
    Columns* to = reinterpret_cast<Columns*>(x) + (rest * size + target) * packs + pack;
    const Columns* from = reinterpret_cast<const Columns*>(y) + rest * sorted.count * packs + pack;
    const int64_t end = sorted.end(s);
    Columns sum = *to;
#pragma unroll 4
    for (int64_t w = s; w < end; w++) {
      const Columns v = from[sorted.place(w) * packs];
#pragma unroll
      for (int j = 0; j < V; j++) sum.v[j] = sum_of(sum.v[j], v.v[j]);
    }
    *to = sum;
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void scatter_put_kernel(SortedTargets sorted,
                                                                      const BadIndex* bad,
                                                                      const T* source, T* x) {
  if (*bad != kNoBadIndex) return;
  for (int64_t s = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; s < sorted.count;
       s += (int64_t)gridDim.x * kElementThreads) {
    const int64_t target = sorted.target(s);
    if (s + 1 < sorted.count && sorted.target(s + 1) == target) continue;  // a later one stays
    x[target] = source[sorted.place(s)];
  }
}

template <class T, bool ADD>
__global__ __launch_bounds__(kElementThreads) void scatter_lines_kernel(
    Indices indices, const __grid_constant__ ElementwiseIndices e, const BadIndex* bad,
    const T* source, T* x) {
  if (*bad != kNoBadIndex) return;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < e.line_count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t at = place(e.lines, i, 0);
    T* line = x + place(e.lines, i, 1);
    for (int64_t k = 0; k < e.length; k++, at += e.index_step) {
      T* to = line + indices.at(at) * e.step;
      if constexpr (ADD) {
        *to = sum_of(*to, source[at]);
      } else {
        *to = source[at];
      }
    }
  }
}

// ---- launchers ----
// In the workspace, behind the first bad index: the words, then what their sort needs.
struct Targets {
  uint64_t* words;
  void* sort_space;
};
Targets targets_in(void* workspace, int64_t count) {
  char* words = static_cast<char*>(workspace) + kBadIndexBytes;
  return {reinterpret_cast<uint64_t*>(words), words + (8 * count + 255) / 256 * 256};
}
int64_t sorted_bytes(int64_t count) {
  return kBadIndexBytes + (8 * count + 255) / 256 * 256 + sort_workspace(count);
}
bool fit_a_word(int64_t targets, int64_t count) {
  return bits_for(targets) + bits_for(count) <= 64;
}

// Words, sorted by target.
cudaError_t sort_targets(const Indices& indices, const Walk<2>& walk, int64_t step, int64_t count,
                         int64_t targets, void* workspace, gs_stream stream,
                         SortedTargets* sorted) {
  const Targets t = targets_in(workspace, count);
  const int place_bits = bits_for(count);
  *sorted = {t.words, count, place_bits};
  cudaError_t error = clear_bad_index(workspace, stream);
  if (error != cudaSuccess || count == 0) return error;
  error = KX_LAUNCH(scatter_words_kernel, element_config(count, stream), indices, walk, step, count,
                    place_bits, static_cast<BadIndex*>(workspace), t.words);
  if (error != cudaSuccess) return error;
  uint64_t* words;
  error = sort_words(t.words, count, place_bits, place_bits + bits_for(targets), t.sort_space,
                     stream, &words);
  sorted->words = words;
  return error;
}

template <class T, int V>
cudaError_t add_columns(const SortedTargets& sorted, int64_t outer, int64_t size, int64_t inner,
                        const void* y, void* x, const BadIndex* bad, gs_stream stream) {
  const int64_t packs = inner / V;
  return kx::launch("scatter_add_kernel", scatter_add_kernel<T, V>,
                    element_config(outer * sorted.count * packs, stream), sorted, outer, size,
                    packs, bad, static_cast<const T*>(y), static_cast<T*>(x));
}

cudaError_t add_sorted(int32_t type, const SortedTargets& sorted, int64_t outer, int64_t size,
                       int64_t inner, const void* y, void* x, void* workspace, gs_stream stream) {
  const auto* bad = static_cast<const BadIndex*>(workspace);
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    constexpr int V = Pack<T>::kSize;
    return inner % V == 0 && aligned16({x, y})
               ? add_columns<T, V>(sorted, outer, size, inner, y, x, bad, stream)
               : add_columns<T, 1>(sorted, outer, size, inner, y, x, bad, stream);
  });
}

cudaError_t scatter_add(const gs_gather& op, const void* y, const void* index, void* x, bool clear,
                        void* workspace, gs_stream stream) {
  const Indices indices = indices_of(index, op.size, op.index_type, op.from_end);
  SortedTargets sorted;
  cudaError_t error = sort_targets(indices, {}, 1, op.count, op.size, workspace, stream, &sorted);
  const int64_t targets = op.outer * op.size * op.inner;
  if (error == cudaSuccess && clear && targets > 0) {
    const int64_t bytes = targets * bytes_of(op.type), packs = aligned16({x}) ? bytes / 16 : 0;
    error = KX_LAUNCH(scatter_clear_kernel, element_config(packs ? packs : bytes, stream), bytes,
                      packs, static_cast<const BadIndex*>(workspace), static_cast<uint8_t*>(x));
  }
  if (error != cudaSuccess || op.count == 0 || targets == 0) return error;
  return add_sorted(op.type, sorted, op.outer, op.size, op.inner, y, x, workspace, stream);
}

// Whether there are lines enough for a thread each, or so short that sorting would take longer.
bool by_lines(const ElementwiseIndices& e) { return e.line_count >= 1 << 15 || e.length <= 32; }

cudaError_t scatter_lines(const gs_gather_elements& op, const ElementwiseIndices& e,
                          const Indices& indices, const void* source, void* target, bool add,
                          void* workspace, gs_stream stream) {
  const cudaError_t error = check_indices(indices, e.count, workspace, stream);
  if (error != cudaSuccess) return error;
  const auto config = element_config(e.line_count, stream);
  const auto* bad = static_cast<const BadIndex*>(workspace);
  const auto launch = [&](auto constant, auto zero) {
    using T = decltype(zero);
    return kx::launch("scatter_lines_kernel", scatter_lines_kernel<T, constant.value>, config,
                      indices, e, bad, static_cast<const T*>(source), static_cast<T*>(target));
  };
  return add ? with_type(op.type, [&](auto zero) { return launch(std::true_type(), zero); })
             : with_width(bytes_of(op.type),
                          [&](auto zero) { return launch(std::false_type(), zero); });
}

cudaError_t scatter_elements(const gs_gather_elements& op, const ElementwiseIndices& e,
                             const void* source, const void* index, void* target, bool add,
                             void* workspace, gs_stream stream) {
  const Indices indices = indices_of(index, op.size_x[op.axis], op.index_type, op.from_end);
  if (by_lines(e)) {
    return scatter_lines(op, e, indices, source, target, add, workspace, stream);
  }
  SortedTargets sorted;
  const cudaError_t error =
      sort_targets(indices, e.walk, e.step, e.count, e.x_count, workspace, stream, &sorted);
  if (error != cudaSuccess) return error;
  if (add) return add_sorted(op.type, sorted, 1, e.x_count, 1, source, target, workspace, stream);
  return with_width(bytes_of(op.type), [&](auto zero) {
    using T = decltype(zero);
    return KX_LAUNCH(scatter_put_kernel<T>, element_config(e.count, stream), sorted,
                     static_cast<const BadIndex*>(workspace), static_cast<const T*>(source),
                     static_cast<T*>(target));
  });
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_gather_workspace(const gs_gather* op, int64_t* forward, int64_t* add) {
  if (const gs_status s = gs::check_gather(op)) return s;
  GS_REQUIRE(forward && add, "gather: bytes must not be null");
  *forward = gs::kBadIndexBytes, *add = gs::sorted_bytes(op->count);
  return GS_OK;
}

extern "C" gs_status gs_gather_add(const gs_gather* op, const void* y, const void* index, void* x,
                                   int32_t clear, void* workspace, gs_stream stream) {
  if (const gs_status s = gs::check_gather(op)) return s;
  GS_REQUIRE(op->type != GS_BOOL, "gather_add: type must be one with addition; type=%d", op->type);
  GS_REQUIRE(
      workspace && (index || op->count == 0) &&
          (op->outer == 0 || op->inner == 0 || ((x || op->size == 0) && (y || op->count == 0))),
      "gather_add: operands and workspace must not be null");
  if (!gs::fit_a_word(op->size, op->count)) {
    return gs::fail(GS_UNSUPPORTED,
                    "gather_add: an index and its place must fit 64 bits; size=%lld, count=%lld",
                    (long long)op->size, (long long)op->count);
  }
  return gs::check(gs::scatter_add(*op, y, index, x, clear != 0, workspace, stream), "gather_add");
}

extern "C" gs_status gs_gather_elements_workspace(const gs_gather_elements* op, int64_t* forward,
                                                  int64_t* scatter) {
  gs::ElementwiseIndices e;
  if (const gs_status s = gs::describe_gather_elements(op, &e)) return s;
  GS_REQUIRE(forward && scatter, "gather_elements: bytes must not be null");
  *forward = gs::kBadIndexBytes;
  *scatter = gs::by_lines(e) ? gs::kBadIndexBytes : gs::sorted_bytes(e.count);
  return GS_OK;
}

extern "C" gs_status gs_gather_elements_scatter(const gs_gather_elements* op, const void* source,
                                                const void* index, void* target, int32_t add,
                                                void* workspace, gs_stream stream) {
  gs::ElementwiseIndices e;
  if (const gs_status s = gs::describe_gather_elements(op, &e)) return s;
  GS_REQUIRE(!add || op->type != GS_BOOL, "scatter_add: type must be one with addition; type=%d",
             op->type);
  GS_REQUIRE(workspace && (e.count == 0 || (index && source && (target || e.x_count == 0))),
             "gather_elements: operands and workspace must not be null");
  if (e.count == 0) {
    return gs::check(gs::clear_bad_index(workspace, stream), "gather_elements_scatter");
  }
  if (!gs::by_lines(e) && !gs::fit_a_word(e.x_count, e.count)) {
    return gs::fail(GS_UNSUPPORTED,
                    "gather_elements: an element and its place must fit 64 bits; x=%lld, "
                    "indices=%lld",
                    (long long)e.x_count, (long long)e.count);
  }
  return gs::check(gs::scatter_elements(*op, e, source, index, target, add != 0, workspace, stream),
                   "gather_elements_scatter");
}
