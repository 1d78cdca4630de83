// Rows of neighbouring elements that are read once: as packs of 16 bytes, held in registers or in
// shared memory until the row's sums are known.
#pragma once
#include "device.h"
#include "elementwise.h"
#include "reduce.h"

namespace gs {
inline bool same_alignment16(const void* a, const void* b) {
  return (reinterpret_cast<uintptr_t>(a) ^ reinterpret_cast<uintptr_t>(b)) % 16 == 0;
}

// A pack of elements as it lies in memory. Elements are unpacked where they are used, so that
// those of 16 bits share registers.
struct alignas(16) Words {
  uint32_t w[4];
};
template <class T>
KX_DEVICE void unpack(const Words& words, kx::wide<T> (&out)[Pack<T>::kSize]) {
  Pack<T> pack;
  memcpy(&pack, &words, 16);
#pragma unroll
  for (int e = 0; e < Pack<T>::kSize; e++) out[e] = kx::to_float(pack.v[e]);
}
template <class T>
KX_DEVICE Words packed(const kx::wide<T> (&in)[Pack<T>::kSize]) {
  Words words;
  if constexpr (sizeof(T) == 2) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      words.w[i] = std::is_same_v<T, kx::bf16> ? kx::pack_bf16(in[2 * i], in[2 * i + 1])
                                               : kx::pack_f16(in[2 * i], in[2 * i + 1]);
    }
  } else {
    memcpy(&words, &in, 16);
  }
  return words;
}

// The packs of a row lie between addresses that are multiples of 16 bytes, so that rows of any size
// are read by 16-byte loads but for their ends. Without `vectors`, where arrays are not aligned
// alike, packs start with the row and elements are read one by one. I: int or int64_t.
template <class T, class I>
struct RowPacks {
  static constexpr int V = Pack<T>::kSize;
  I size, count;  // elements, packs
  int shift;      // elements of the first pack that lie before the row
  bool vectors;

  // row: the start of the row in any of the arrays.
  KX_DEVICE RowPacks(const T* row, int64_t size, bool vectors)
      : size((I)size),
        shift(vectors ? (int)(reinterpret_cast<uintptr_t>(row) % 16 / sizeof(T)) : 0),
        vectors(vectors) {
    count = (this->size + shift + V - 1) / V;
  }
  // The place in the row of the first element of pack k.
  KX_DEVICE I place(I k) const { return k * V - shift; }

  KX_DEVICE Words load(const T* row, I k, T outside) const {
    const I at = place(k);
    if (vectors && at >= 0 && at + V <= size) return *reinterpret_cast<const Words*>(row + at);
    Pack<T> pack;
#pragma unroll
    for (int e = 0; e < V; e++) {
      pack.v[e] = at + e >= 0 && at + e < size ? row[at + e] : outside;
    }
    Words words;
    memcpy(&words, &pack, 16);
    return words;
  }
  KX_DEVICE void store(T* row, I k, const Words& words) const {
    const I at = place(k);
    if (vectors && at >= 0 && at + V <= size) {
      *reinterpret_cast<Words*>(row + at) = words;
      return;
    }
    Pack<T> pack;
    memcpy(&pack, &words, 16);
#pragma unroll
    for (int e = 0; e < V; e++) {
      if (at + e >= 0 && at + e < size) row[at + e] = pack.v[e];
    }
  }
  // The same for results that a cache should not keep.
  KX_DEVICE void store_streaming(T* row, I k, const Words& words) const {
    const I at = place(k);
    if (vectors && at >= 0 && at + V <= size) {
      uint4 bits;
      memcpy(&bits, &words, 16);
      __stcs(reinterpret_cast<uint4*>(row + at), bits);
    } else {
      store(row, k, words);
    }
  }
};

// Packs that a row of any alignment may have.
template <class T>
int64_t most_packs(const T* x, int64_t size, bool vectors) {
  constexpr int64_t V = Pack<T>::kSize;
  const bool whole = !vectors || (size % V == 0 && aligned16({x}));
  return (size + V - 1 + (whole ? 0 : V - 1)) / V;
}

// The exponential, for results of type T: for 16-bit types by the approximation in hardware, whose
// error of some 1e-6 they can't show.
template <class T>
KX_DEVICE kx::wide<T> exp_for(kx::wide<T> x) {
  if constexpr (sizeof(T) == 2) {
    return __expf(x);
  } else {
    return exp(x);
  }
}
// A term of a sum of exponentials, x <= 0: where the error of the approximation grows, terms fade.
template <class W>
KX_DEVICE W exp_term(W x) {
  if constexpr (sizeof(W) == 4) {
    return __expf(x);
  } else {
    return exp(x);
  }
}

template <class T>
KX_DEVICE T minus_infinity_of() {
  return kx::from_float<T>(minus_infinity<kx::wide<T>>());
}
// What to subtract before exponentials: not an infinity from itself where all is -Inf.
template <class W>
KX_DEVICE W finite_base(W max) {
  return max == minus_infinity<W>() ? W(0) : max;
}

// A row in the registers of GROUP threads: a part of a warp, a warp, or the block.
template <class T, int GROUP, int PACKS>
struct HeldRow {
  using W = kx::wide<T>;
  static constexpr int V = Pack<T>::kSize, kLanes = GROUP < 32 ? GROUP : 32;
  Words p[PACKS];

  KX_DEVICE void load(const RowPacks<T, int>& packs, const T* row, int lane, T outside) {
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      p[j] = j * GROUP < packs.count ? packs.load(row, j * GROUP + lane, outside) : Words{};
    }
  }
  // Calls f(elements, words, number) for each pack.
  template <class F>
  KX_DEVICE void each(const RowPacks<T, int>& packs, int lane, F f) {
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      if (j * GROUP < packs.count) {
        if constexpr (sizeof(T) == 2) {
#pragma unroll
          for (int i = 0; i < 4; i++) kx::opaque(p[j].w[i]);
        }
        W v[V];
        unpack<T>(p[j], v);
        f(v, p[j], j * GROUP + lane);
      }
    }
  }
  // Maximum and sum of exponentials of the row; own: the maximum over the warp, to which the
  // exponentials that take the place of the elements (with `keep`) are relative. The group calls.
  // scratch: 2 GROUP / 32 elements. Elements outside are -Inf.
  KX_DEVICE OnlineSum<W> sum(const RowPacks<T, int>& packs, bool keep, W* own, W* scratch) {
    OnlineSum<W> s;
    each(packs, 0, [&](const W(&v)[V], Words&, int) {
#pragma unroll
      for (int e = 0; e < V; e++) s.max = fmax(s.max, v[e]);
    });
    *own = s.max = group_max<kLanes>(s.max, (W*)nullptr);
    const W base = finite_base(s.max);
    each(packs, 0, [&](W(&v)[V], Words& words, int) {
#pragma unroll
      for (int e = 0; e < V; e++) {
        v[e] = exp_for<T>(v[e] - base);
        s.sum += v[e];
      }
      if (keep) words = packed<T>(v);
    });
    s.sum = group_sum<kLanes>(s.sum, (W*)nullptr);
    s.template exchange<GROUP>(scratch);
    s.finish();
    return s;
  }
};

// ---- rows longer than that: a block a row ----
// The first `held` packs are kept in shared memory, each for the thread that has read it; the rest
// is read again, the last packs first: these are most likely in a cache still.
// Threads of a block, from sizes alone: the order of sums depends on it. In f64 exponentials need
// the registers of 512.
constexpr int64_t kHalfShared = 134
                                << 10;  // bytes; most of them fit half a multiprocessor's memory
template <class T>
int long_row_threads(int64_t bytes) {
  return sizeof(T) == 8 || bytes <= kHalfShared ? 512 : 1024;
}
// Blocks on a multiprocessor that registers must allow.
template <class T>
constexpr int row_blocks(int threads) {
  return sizeof(T) == 8 ? 1 : 1024 / threads;
}

// Bytes of shared memory for a row of `bytes`: two blocks of 512 threads share a multiprocessor.
template <class T>
int64_t long_row_shared(int64_t bytes) {
  constexpr int64_t kOwn = 2048;  // the block's arrays and what the system keeps
  const int64_t most = device_shared_bytes();
  const int64_t share = long_row_threads<T>(bytes) == 512 ? most / 2 : most;
  return std::max(std::min(bytes, share - kOwn), (int64_t)0);
}

// Calls f with the number of threads as a constant.
template <class T, class F>
cudaError_t with_row_threads(int64_t bytes, F f) {
  if constexpr (sizeof(T) < 8) {
    if (long_row_threads<T>(bytes) == 1024) return f(std::integral_constant<int, 1024>());
  }
  return f(std::integral_constant<int, 512>());
}

// BATCH: packs that a thread loads at a time.
template <class T, int THREADS, int BATCH = sizeof(T) == 8 ? 2 : 4>
struct LongRow {
  using W = kx::wide<T>;
  static constexpr int V = Pack<T>::kSize;
  static constexpr int kBatch = BATCH;
  static constexpr int64_t kStep = (int64_t)kBatch * THREADS;
  const RowPacks<T, int64_t>& packs;
  int64_t held;

  // Calls f(packs, number of the first) for kBatch packs at a time, THREADS apart, of which some
  // may lie behind the row; keeps them.
  template <class F>
  KX_DEVICE void read(const T* row, T outside, Words* kept, F f) const {
    for (int64_t k = threadIdx.x; k < packs.count; k += kStep) {
      Words p[kBatch];
#pragma unroll
      for (int j = 0; j < kBatch; j++) p[j] = packs.load(row, k + j * THREADS, outside);
#pragma unroll
      for (int j = 0; j < kBatch; j++) {
        if (k + j * THREADS < held) kept[k + j * THREADS] = p[j];
      }
      f(p, k);
    }
  }
  // The first pack of this thread's last batch, from which `again` goes down to 0 by kStep.
  KX_DEVICE int64_t last() const { return (packs.count - 1) / kStep * kStep + threadIdx.x; }
  KX_DEVICE void again(const T* row, T outside, const Words* kept, int64_t k,
                       Words (&p)[kBatch]) const {
#pragma unroll
    for (int j = 0; j < kBatch; j++) {
      const int64_t at = k + j * THREADS;
      p[j] = at < held ? kept[at] : packs.load(row, at, outside);
    }
  }

  // Maximum and sum of exponentials of the row; the block calls. scratch: 2 THREADS / 32 elements.
  KX_DEVICE OnlineSum<W> sum(const T* row, Words* kept, W* scratch) const {
    OnlineSum<W> s;
    read(row, minus_infinity_of<T>(), kept, [&](Words(&p)[kBatch], int64_t) {
      W max = s.max;
#pragma unroll
      for (int j = 0; j < kBatch; j++) {
        W v[V];
        unpack<T>(p[j], v);
#pragma unroll
        for (int e = 0; e < V; e++) max = fmax(max, v[e]);
      }
      if (max > s.max) s.sum *= exp(s.max - max);
      s.max = max;
      const W base = finite_base(max);
#pragma unroll
      for (int j = 0; j < kBatch; j++) {
        if constexpr (sizeof(T) == 2) {
#pragma unroll
          for (int i = 0; i < 4; i++) kx::opaque(p[j].w[i]);
        }
        W v[V], sum = 0;
        unpack<T>(p[j], v);
#pragma unroll
        for (int e = 0; e < V; e++) sum += exp_term(v[e] - base);
        s.sum += sum;
      }
    });
    s.template combine<THREADS>(scratch);
    return s;
  }
};
}  // namespace gs
