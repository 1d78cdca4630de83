// The k best elements along one dimension, sorted.
//
// | kernel | for |
// |---|---|
// | top_k_warp_kernel<T> | small k * size: a warp a line, which looks for the next best k times |
// | top_k_select_kernel<T> | k up to 1024: a block a line, or a part of one, selects by radix |
// | top_k_words_kernel<T>, sort.h, top_k_sorted_kernel<T> | larger k: whole lines are sorted |
// | top_k_backward_kernel<T> | an element of dy a thread |
//
// Keys are turned so that the best is the smallest. Of equal keys the lower place is better: all
// methods keep elements of one key in the order of their places, so all give the same result.
// Selection by radix: Alabi et al., "Fast k-selection algorithms for graphics processing units",
// 2012. Strided lines are read element by element.
#include "indices.h"
#include "order.h"
#include "reduce.h"
#include "sort.h"

namespace gs {
namespace {
constexpr int kMostSelected = 1024;
constexpr int64_t kWarpWork = 4096;         // k * size up to which a warp takes a line
constexpr int64_t kLinesForBlocks = 512;    // lines that fill a device without being split
constexpr int64_t kSortedAtOnce = 1 << 24;  // elements, so that the workspace is bounded
constexpr int kWarps = kGroupThreads / 32;

struct TopKArguments {
  Lines lines;
  int64_t k;
  bool largest;

  // Where result j of a line lies.
  KX_DEVICE int64_t result(int64_t line, int64_t j) const {
    return (line / lines.inner * k + j) * lines.inner + line % lines.inner;
  }
  template <class T>
  KX_DEVICE OrderKey<T> key(T element) const {
    const OrderKey<T> k = order_key(element);
    return largest ? kLargestKey<T> - k : k;
  }
};

// ---- a warp a line ----
template <class T>
__global__ __launch_bounds__(kGroupThreads) void top_k_warp_kernel(
    const __grid_constant__ TopKArguments p, const T* x, T* values, int64_t* indices) {
  using K = OrderKey<T>;
  const int lane = threadIdx.x % 32;
  for (int64_t l = (int64_t)blockIdx.x * kWarps + threadIdx.x / 32; l < p.lines.count;
       l += (int64_t)gridDim.x * kWarps) {
    const T* line = x + place(p.lines.walk, l);
    K last = 0;
    int64_t last_place = -1;
    for (int64_t j = 0; j < p.k; j++) {
      K best = kLargestKey<T>;
      int64_t best_place = INT64_MAX;
      for (int64_t i = lane; i < p.lines.size; i += 32) {
        const K key = p.key(line[i * p.lines.step]);
        const bool left = key > last || (key == last && i > last_place);
        if (left && (key < best || best_place == INT64_MAX)) best = key, best_place = i;
      }
#pragma unroll
      for (int distance = 16; distance > 0; distance >>= 1) {
        const K key = __shfl_xor_sync(0xffffffffu, best, distance);
        const int64_t at = __shfl_xor_sync(0xffffffffu, best_place, distance);
        if (key < best || (key == best && at < best_place)) best = key, best_place = at;
      }
      if (lane == 0) {
        values[p.result(l, j)] = line[best_place * p.lines.step];
        indices[p.result(l, j)] = best_place;
      }
      last = best, last_place = best_place;
    }
  }
}

// ---- a block a line or part ----
// What a block selects from: the places of a part of a line, or a list of places.
struct Selection {
  int64_t chunk, parts;  // elements of a part but for the last; parts of a line
  const int64_t* list;   // of each line `length` places; null: the whole line
  int64_t* found;        // takes places instead of results: of each line `length`, k of a part
  int64_t length;
};

template <class K>
struct Threshold {
  K prefix;  // the key's bits from shift on
  int shift;
  uint32_t need;  // elements with this prefix that are among the best, in the order of places
};

// Finds the prefix of the key of the last of the n best of `count` elements.
template <class T, class F>
KX_DEVICE Threshold<OrderKey<T>> threshold_of(int64_t count, uint32_t n, F key_of, uint32_t* digits,
                                              uint32_t* scratch, uint32_t* chosen) {
  using K = OrderKey<T>;
  Threshold<K> t{0, kOrderBits<T>, n};
  while (t.shift > 0) {
    const int shift = t.shift - 8;
    digits[threadIdx.x] = 0;
    __syncthreads();  // the counts are cleared, and the last choice has been read
    for (int64_t i = threadIdx.x; i < count; i += kGroupThreads) {
      const K key = key_of(i);
      if (t.shift == kOrderBits<T> || key >> t.shift == t.prefix) {
        atomicAdd(&digits[(key >> shift) & 255], 1u);
      }
    }
    __syncthreads();  // the counts are complete
    const uint32_t here = digits[threadIdx.x];
    uint32_t total;
    const uint32_t before = block_prefix(here, scratch, &total);
    if (before < t.need && t.need <= before + here) {
      chosen[0] = threadIdx.x, chosen[1] = t.need - before, chosen[2] = here;
    }
    __syncthreads();  // the choice is made
    t.prefix = t.prefix << 8 | chosen[0];
    t.shift = shift, t.need = chosen[1];
    if (t.need == chosen[2]) break;  // all with this prefix are among the best
  }
  return t;
}

// Sorts pairs by key, then place; length is a power of 2. Bitonic (Batcher, 1968).
template <class K>
KX_DEVICE void sort_pairs(K* keys, int64_t* places, int length) {
  for (int size = 2; size <= length; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      __syncthreads();  // the last exchanges are done
      for (int i = threadIdx.x; i < length / 2; i += kGroupThreads) {
        const int a = 2 * i - (i & (stride - 1)), b = a + stride;
        const bool after = keys[a] > keys[b] || (keys[a] == keys[b] && places[a] > places[b]);
        if (after == ((a & size) == 0)) {
          const K key = keys[a];
          const int64_t at = places[a];
          keys[a] = keys[b], places[a] = places[b];
          keys[b] = key, places[b] = at;
        }
      }
    }
  }
  __syncthreads();  // the pairs are in order
}

template <class T>
__global__ __launch_bounds__(kGroupThreads,
                             1) void top_k_select_kernel(const __grid_constant__ TopKArguments p,
                                                         const __grid_constant__ Selection s,
                                                         const T* x, T* values, int64_t* indices) {
  using K = OrderKey<T>;
  KX_SHARED(digits, uint32_t[256]);
  KX_SHARED(scratch, uint32_t[kWarps]);
  KX_SHARED(chosen, uint32_t[3]);
  KX_SHARED(counts, uint32_t[2][kWarps]);  // of each warp: below the threshold, at it
  KX_SHARED(keys, K[kMostSelected]);
  KX_SHARED(places, int64_t[kMostSelected]);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (int64_t task = blockIdx.x; task < p.lines.count * s.parts; task += gridDim.x) {
    const int64_t l = task / s.parts, part = task % s.parts;
    const T* line = x + place(p.lines.walk, l);
    const int64_t first = part * s.chunk;
    const int64_t count = min(s.chunk, (s.list ? s.length : p.lines.size) - first);
    const int64_t* list = s.list ? s.list + l * s.length : nullptr;
    const auto place_of = [&](int64_t i) { return list ? list[first + i] : first + i; };
    const auto key_of = [&](int64_t i) { return p.key(line[place_of(i) * p.lines.step]); };
    const auto n = (uint32_t)min(p.k, count);
    const Threshold<K> t = threshold_of<T>(count, n, key_of, digits, scratch, chosen);

    // Each warp takes one stretch, so that the order of places is the order of warps and lanes.
    const int64_t stretch = (count + kGroupThreads - 1) / kGroupThreads * 32;
    const int64_t begin = min(warp * stretch, count), end = min(begin + stretch, count);
    uint32_t below = 0, at = 0;
    for (int64_t base = begin; base < end; base += 32) {
      const int64_t i = base + lane;
      const K prefix = i < end ? key_of(i) >> t.shift : 0;
      below += __popc(__ballot_sync(0xffffffffu, i < end && prefix < t.prefix));
      at += __popc(__ballot_sync(0xffffffffu, i < end && prefix == t.prefix));
    }
    if (lane == 0) counts[0][warp] = below, counts[1][warp] = at;
    __syncthreads();  // the warps' counts are complete
    below = 0, at = 0;
    for (int w = 0; w < warp; w++) below += counts[0][w], at += counts[1][w];
    for (int64_t base = begin; base < end; base += 32) {
      const int64_t i = base + lane;
      const K key = i < end ? key_of(i) : 0, prefix = key >> t.shift;
      const uint32_t lower = (1u << lane) - 1;
      const uint32_t are_below = __ballot_sync(0xffffffffu, i < end && prefix < t.prefix);
      const uint32_t are_at = __ballot_sync(0xffffffffu, i < end && prefix == t.prefix);
      const uint32_t rank = at + __popc(are_at & lower);
      uint32_t slot = n;
      if (are_below >> lane & 1) slot = below + __popc(are_below & lower);
      if ((are_at >> lane & 1) && rank < t.need) slot = n - t.need + rank;
      if (slot < n) {
        if (s.found) {
          s.found[l * s.length + part * p.k + slot] = place_of(i);
        } else {
          keys[slot] = key, places[slot] = place_of(i);
        }
      }
      below += __popc(are_below), at += __popc(are_at);
    }
    if (!s.found) {
      int length = 1;
      while (length < (int)n) length *= 2;
      for (int i = n + threadIdx.x; i < length; i += kGroupThreads) {
        keys[i] = kLargestKey<T>, places[i] = INT64_MAX;
      }
      sort_pairs(keys, places, length);
      for (int j = threadIdx.x; j < (int)n; j += kGroupThreads) {
        values[p.result(l, j)] = line[places[j] * p.lines.step];
        indices[p.result(l, j)] = places[j];
      }
    }
    __syncthreads();  // before the next task's
  }
}

// ---- sorted lines ----
// Words of a group of lines: 32 bits of what is sorted by next, above the place in the group.
enum class Part { kLow, kHigh, kLine };

// sorted: words of the last sort, or null for the order of places.
template <class T>
__global__ __launch_bounds__(kElementThreads) void top_k_words_kernel(
    const __grid_constant__ TopKArguments p, Part part, int64_t first_line, int64_t count,
    const T* x, const uint64_t* sorted, uint64_t* words) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    const uint32_t at = sorted ? (uint32_t)sorted[i] : (uint32_t)i;
    int64_t rest = at;
    const int64_t within = take_digit(rest, p.lines.size);
    uint32_t upper = (uint32_t)rest;
    if (part != Part::kLine) {
      const uint64_t key = p.key(x[place(p.lines.walk, first_line + rest) + within * p.lines.step]);
      upper = (uint32_t)(part == Part::kHigh ? key >> 32 : key);
    }
    words[i] = (uint64_t)upper << 32 | at;
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void top_k_sorted_kernel(
    const __grid_constant__ TopKArguments p, int64_t first_line, int64_t lines, const T* x,
    const uint64_t* sorted, T* values, int64_t* indices) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < lines * p.k;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t l = i;
    const int64_t j = take_digit(l, p.k);
    const int64_t within = (uint32_t)sorted[l * p.lines.size + j] - l * p.lines.size;
    l += first_line;
    values[p.result(l, j)] = x[place(p.lines.walk, l) + within * p.lines.step];
    indices[p.result(l, j)] = within;
  }
}

// ---- the gradient ----
template <class T>
__global__ __launch_bounds__(kElementThreads) void top_k_backward_kernel(
    int64_t count, int64_t k, int64_t size, int64_t inner, BadIndex* bad, const T* dy,
    const int64_t* indices, T* dx) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    const int64_t index = indices[i];
    if (index < 0 || index >= size) {
      atomicMin(bad, (BadIndex)i);
    } else {
      dx[(i / inner / k * size + index) * inner + i % inner] = dy[i];
    }
  }
}

// ---- launchers ----
int64_t chunk_of(int64_t k) { return std::max(16 * k, (int64_t)16384); }
bool by_warps(const TopKArguments& p) {
  return p.k <= kWarpWork && p.lines.size <= kWarpWork / std::max(p.k, (int64_t)1);
}
// Parts that a line is split into before the selection among what they found.
int64_t parts_of(const TopKArguments& p) {
  const int64_t chunk = chunk_of(p.k);
  const bool split =
      p.lines.size >= 2 * chunk && (p.lines.count < kLinesForBlocks || p.lines.size > INT32_MAX);
  return split ? (p.lines.size + chunk - 1) / chunk : 1;
}
int64_t found_length(const TopKArguments& p, int64_t parts) {
  return (parts - 1) * p.k + std::min(p.k, p.lines.size - (parts - 1) * chunk_of(p.k));
}
int64_t lines_at_once(const TopKArguments& p) {
  return std::clamp(kSortedAtOnce / p.lines.size, (int64_t)1, p.lines.count);
}

int64_t workspace_of(const TopKArguments& p) {
  if (p.k == 0 || p.lines.count == 0 || by_warps(p)) return 0;
  if (p.k > kMostSelected) {
    const int64_t elements = lines_at_once(p) * p.lines.size;
    return (8 * elements + 255) / 256 * 256 + sort_workspace(elements);
  }
  const int64_t parts = parts_of(p);
  return parts > 1 ? 8 * p.lines.count * found_length(p, parts) : 0;
}

gs_status describe(const gs_top_k* op, TopKArguments* p) {
  GS_REQUIRE(op, "top_k: the description must not be null");
  if (const gs_status s = check_ordered("top_k", op->type, op->axis, op->x)) return s;
  const int64_t size = op->x.size[op->axis];
  GS_REQUIRE(op->k >= 0 && op->k <= size, "top_k: k must be in 0..size; k=%lld, size=%lld",
             (long long)op->k, (long long)size);
  p->lines = lines_of(op->x, op->axis);
  p->k = op->k, p->largest = op->largest != 0;
  if (op->k > kMostSelected && size > UINT32_MAX) {
    return fail(GS_UNSUPPORTED,
                "top_k: more than 1024 of more than 2^32-1 elements; k=%lld, size=%lld",
                (long long)op->k, (long long)size);
  }
  return GS_OK;
}

template <class T>
cudaError_t select(const TopKArguments& p, const T* x, T* values, int64_t* indices, void* workspace,
                   gs_stream stream) {
  const auto launch = [&](const Selection& s) {
    const int64_t tasks = p.lines.count * s.parts;
    const kx::launch_config config{dim3((unsigned)std::min(tasks, (int64_t)8192)),
                                   dim3(kGroupThreads), 0, stream_of(stream)};
    return KX_LAUNCH(top_k_select_kernel<T>, config, p, s, x, values, indices);
  };
  const int64_t parts = parts_of(p);
  if (parts == 1) return launch({p.lines.size, 1, nullptr, nullptr, 0});
  auto* found = static_cast<int64_t*>(workspace);
  const int64_t length = found_length(p, parts);
  const cudaError_t error = launch({chunk_of(p.k), parts, nullptr, found, length});
  if (error != cudaSuccess) return error;
  return launch({length, 1, found, nullptr, length});
}

template <class T>
cudaError_t sort(const TopKArguments& p, const T* x, T* values, int64_t* indices, void* workspace,
                 gs_stream stream) {
  const int64_t group = lines_at_once(p);
  auto* words = static_cast<uint64_t*>(workspace);
  char* space = static_cast<char*>(workspace) + (8 * group * p.lines.size + 255) / 256 * 256;
  for (int64_t first = 0; first < p.lines.count; first += group) {
    const int64_t lines = std::min(group, p.lines.count - first), count = lines * p.lines.size;
    uint64_t* sorted = nullptr;
    const auto pass = [&](Part part, int bits) {
      if (bits == 0) return cudaSuccess;
      const cudaError_t error =
          KX_LAUNCH(top_k_words_kernel<T>, element_config(count, stream), p, part, first, count, x,
                    static_cast<const uint64_t*>(sorted), words);
      if (error != cudaSuccess) return error;
      return sort_words(words, count, 32, 32 + bits, space, stream, &sorted);
    };
    constexpr int kBits = kOrderBits<T>;
    cudaError_t error = pass(Part::kLow, std::min(kBits, 32));
    if (error == cudaSuccess && kBits > 32) error = pass(Part::kHigh, 32);
    if (error == cudaSuccess) error = pass(Part::kLine, bits_for(lines));
    if (error != cudaSuccess) return error;
    error = KX_LAUNCH(top_k_sorted_kernel<T>, element_config(lines * p.k, stream), p, first, lines,
                      x, static_cast<const uint64_t*>(sorted), values, indices);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

template <class T>
cudaError_t forward(const TopKArguments& p, const void* x, void* values, int64_t* indices,
                    void* workspace, gs_stream stream) {
  const T* px = static_cast<const T*>(x);
  T* pv = static_cast<T*>(values);
  if (by_warps(p)) {
    return KX_LAUNCH(top_k_warp_kernel<T>, element_config(p.lines.count * 32, stream), p, px, pv,
                     indices);
  }
  return p.k <= kMostSelected ? select(p, px, pv, indices, workspace, stream)
                              : sort(p, px, pv, indices, workspace, stream);
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_top_k_workspace(const gs_top_k* op, int64_t* bytes) {
  gs::TopKArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  GS_REQUIRE(bytes, "top_k: bytes must not be null");
  *bytes = std::max(gs::workspace_of(p), gs::kBadIndexBytes);
  return GS_OK;
}

extern "C" gs_status gs_top_k_forward(const gs_top_k* op, const void* x, void* values,
                                      int64_t* indices, void* workspace, gs_stream stream) {
  gs::TopKArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  if (p.k == 0 || p.lines.count == 0) return GS_OK;
  GS_REQUIRE(x && values && indices && workspace, "top_k: operands and workspace must not be null");
  const auto launch = [&](auto zero) {
    return gs::forward<decltype(zero)>(p, x, values, indices, workspace, stream);
  };
  return gs::check(gs::with_ordered_type(op->type, launch), "top_k_forward");
}

extern "C" gs_status gs_top_k_backward(const gs_top_k* op, const void* dy, const int64_t* indices,
                                       void* dx, void* workspace, gs_stream stream) {
  gs::TopKArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  GS_REQUIRE(op->type <= GS_F16, "top_k: type must be floating to have a gradient; type=%d",
             op->type);
  const int64_t count = p.lines.count * p.k, inputs = p.lines.count * p.lines.size;
  GS_REQUIRE(workspace && (inputs == 0 || (dx && (count == 0 || (dy && indices)))),
             "top_k: operands and workspace must not be null");
  cudaError_t error = gs::clear_bad_index(workspace, stream);
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    const cudaError_t cleared =
        cudaMemsetAsync(dx, 0, (size_t)inputs * sizeof(T), gs::stream_of(stream));
    if (cleared != cudaSuccess || count == 0) return cleared;
    return KX_LAUNCH(gs::top_k_backward_kernel<T>, gs::element_config(count, stream), count, p.k,
                     p.lines.size, p.lines.inner, static_cast<gs::BadIndex*>(workspace),
                     static_cast<const T*>(dy), indices, static_cast<T*>(dx));
  };
  if (error == cudaSuccess && inputs > 0) error = gs::with_ordered_type(op->type, launch);
  return gs::check(error, "top_k_backward");
}
