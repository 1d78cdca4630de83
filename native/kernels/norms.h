// What the kernels of normalizations share: the shape, moments, and the numbers of a mean.
#pragma once
#include "elementwise.h"
#include "reduce.h"

namespace gs {
// Images of channels of `spatial` elements, channels first or last. The mean is that of a group of
// channels of an image; with groups = 0 of a channel of all images. Work on the elements of a
// channel of an image is cut into `splits` of `chunk`.
struct NormShape {
  int64_t images, channels, spatial, groups;
  int64_t splits, chunk;
  double eps;
  bool last, centered;

  KX_DEVICE int64_t per_group() const { return groups == 0 ? 1 : channels / groups; }
  KX_DEVICE int64_t stat(int64_t image, int64_t channel) const {
    return groups == 0 ? channel : image * groups + channel / per_group();
  }
  // Elements of split s.
  KX_DEVICE int64_t length(int64_t s) const { return min(chunk, spatial - s * chunk); }
};

// Number, mean and sum of squared deviations; not centered, the mean is 0 and the deviations are
// the elements.
struct Moments {
  double count, mean, squares;
};

// Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
// Variances", 1979.
// share: b.count / (a.count + b.count).
KX_DEVICE Moments combine(Moments a, Moments b, double share) {
  const double delta = b.mean - a.mean;
  return {a.count + b.count, a.mean + delta * share,
          a.squares + b.squares + delta * delta * a.count * share};
}
KX_DEVICE Moments combine(Moments a, Moments b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  return combine(a, b, b.count / (a.count + b.count));
}

KX_DEVICE bool finite(double v) { return fabs(v) < minus_infinity<double>() * -1; }

// Moments from the sums of n deviations from a pivot that is near the mean, and of their squares.
KX_DEVICE Moments moments_about(double pivot, double n, double sum, double squares, bool centered) {
  if (!centered) return {n, 0, squares};
  const double share = 1 / n, rest = squares - sum * sum * share;
  return {n, pivot + sum * share, rest < 0 ? 0 : rest};
}

// What the elements of a mean share. The mean is kept as what its stored type can hold, the pivot,
// and what rounding has cut off. The gradient is dx = dy gamma rstd + (x - pivot) b + o.
struct Stat {
  double pivot, low, rstd, b, o;
};

template <class W>
KX_DEVICE Stat stat_of(Moments m, double eps) {
  Stat s{};
  s.pivot = (W)m.mean;
  // An infinite pivot stands for a mean that f32 can't hold: nothing is left to correct.
  s.low = finite(s.pivot) ? m.mean - s.pivot : 0;
  s.rstd = rsqrt((m.count == 0 ? 0 : m.squares / m.count) + eps);
  return s;
}

// Sums of a channel or of a row: dy, dy (x - pivot), x - pivot.
struct NormSums {
  double dy, dyx, x;
};

// The sums over a group, all in one exchange of a block; without `centered` only of dyx. scratch: 3
// GROUP / 32 elements of shared memory.
template <int GROUP>
KX_DEVICE NormSums group_sums(NormSums s, bool centered, double* scratch) {
  s.dyx = group_sum<32>(s.dyx, scratch);
  if (centered) s.dy = group_sum<32>(s.dy, scratch), s.x = group_sum<32>(s.x, scratch);
  if constexpr (GROUP > 32) {
    constexpr int kWarps = GROUP / 32;
    __syncthreads();  // the last exchange's reads of scratch
    if (threadIdx.x % 32 == 0) {
      double* to = scratch + threadIdx.x / 32 * 3;
      to[0] = s.dy, to[1] = s.dyx, to[2] = s.x;
    }
    __syncthreads();  // the warps' sums are complete
    s = {scratch[0], scratch[1], scratch[2]};
#pragma unroll
    for (int w = 1; w < kWarps; w++) {
      s.dy += scratch[3 * w], s.dyx += scratch[3 * w + 1], s.x += scratch[3 * w + 2];
    }
  }
  return s;
}

// The gradient's numbers from sums weighted by gamma, over n elements.
KX_DEVICE Stat gradient_of(double pivot, double rstd, NormSums s, double n, bool centered) {
  const double share = 1 / n;
  Stat r{};
  r.pivot = pivot, r.rstd = rstd;
  r.low = centered && n > 0 ? s.x * share : 0;
  r.b = -rstd * rstd * rstd * (s.dyx - r.low * s.dy) * share;
  r.o = centered ? -rstd * s.dy * share - r.b * r.low : 0;
  return r;
}

// Up to GROUP * PACKS packs of neighbours, in the registers of a group: its lanes take whole packs
// where the run is made of such, else every GROUP-th element.
template <class T, int GROUP, int PACKS>
struct Run {
  using W = kx::wide<T>;
  static constexpr int V = Pack<T>::kSize;
  static constexpr int kPacks = PACKS, kCapacity = GROUP * PACKS * V;

  W v[PACKS][V];

  static KX_DEVICE int place(int j, int e, int lane, bool vectors) {
    return vectors ? (j * GROUP + lane) * V + e : (j * V + e) * GROUP + lane;
  }

  // Pack j of n <= kCapacity elements; with vectors n is a multiple of V and x of 16 bytes. Places
  // beyond the end keep their value.
  static KX_DEVICE void load_pack(const T* x, int j, int n, int lane, bool vectors, W (&out)[V]) {
    if (vectors) {
      const int at = place(j, 0, lane, true);
      if (at < n) {
        const Pack<T> pack = *reinterpret_cast<const Pack<T>*>(x + at);
#pragma unroll
        for (int e = 0; e < V; e++) out[e] = kx::to_float(pack.v[e]);
      }
    } else {
#pragma unroll
      for (int e = 0; e < V; e++) {
        const int at = place(j, e, lane, false);
        if (at < n) out[e] = kx::to_float(x[at]);
      }
    }
  }
  // The same, or `value` where there is no array.
  static KX_DEVICE void load_pack_or(W value, const T* x, int j, int n, int lane, bool vectors,
                                     W (&out)[V]) {
#pragma unroll
    for (int e = 0; e < V; e++) out[e] = value;
    if (x) load_pack(x, j, n, lane, vectors, out);
  }

  // Whether any lane has elements in pack j: the same for all lanes. Asked of short runs of warps
  // and of the longest runs only: in others the branches keep loads apart and take registers.
  static KX_DEVICE bool used(int j, int n) {
    constexpr int kBytes = PACKS * V * (int)sizeof(W);
    constexpr bool kAsked = (GROUP <= 32 && kBytes <= 64) || kBytes > 128;
    return !kAsked || j * GROUP * V < n;
  }

  KX_DEVICE void load(const T* x, int n, int lane, bool vectors) {
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      if (used(j, n)) load_pack(x, j, n, lane, vectors, v[j]);
    }
  }

  static KX_DEVICE void store_pack(T* y, int j, int n, int lane, bool vectors, const W (&in)[V]) {
    if (vectors) {
      const int at = place(j, 0, lane, true);
      if (at < n) {
        Pack<T> pack;
#pragma unroll
        for (int e = 0; e < V; e++) pack.v[e] = kx::from_float<T>(in[e]);
        *reinterpret_cast<Pack<T>*>(y + at) = pack;
      }
    } else {
#pragma unroll
      for (int e = 0; e < V; e++) {
        const int at = place(j, e, lane, false);
        if (at < n) y[at] = kx::from_float<T>(in[e]);
      }
    }
  }

  // Two passes over the registers; packs are summed in A, all else in double. The group calls.
  template <class A>
  KX_DEVICE Moments moments_in(int n, int lane, bool vectors, bool centered, double* scratch) {
    double pivot = 0;
    if (centered) {
      double sum = 0;
      each_pack<A>(n, lane, vectors, 0, [&](A s, A) { sum += s; });
      pivot = (A)(group_sum<GROUP>(sum, scratch) / n);
    }
    double sum = 0, squares = 0;
    each_pack<A>(n, lane, vectors, (A)pivot, [&](A s, A q) { sum += s, squares += q; });
    if (centered) sum = group_sum<GROUP>(sum, scratch);
    squares = group_sum<GROUP>(squares, scratch);
    return moments_about(pivot, n, sum, squares, centered);
  }

  // Of n elements that have been loaded; every thread of the group gets the same.
  KX_DEVICE Moments moments(int n, int lane, bool vectors, bool centered, double* scratch) {
    if (n == 0) return {0, 0, 0};
    const Moments m = moments_in<W>(n, lane, vectors, centered, scratch);
    if (std::is_same_v<W, double> || finite(m.squares)) return m;
    return moments_in<double>(n, lane, vectors, centered, scratch);  // beyond the range of f32
  }

 private:
  // Calls f(sum, sum of squares) of the deviations of each pack.
  template <class A, class F>
  KX_DEVICE void each_pack(int n, int lane, bool vectors, A pivot, F f) {
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      if (!used(j, n)) break;
      A sum = 0, squares = 0;
#pragma unroll
      for (int e = 0; e < V; e++) {
        if (place(j, e, lane, vectors) < n) {
          const A d = (A)v[j][e] - pivot;
          sum += d;
          squares += d * d;
        }
      }
      f(sum, squares);
    }
  }
};

// Packs of a run that fill `bytes` of a thread's registers.
template <class T>
constexpr int packs_of(int bytes) {
  return bytes / (int)sizeof(kx::wide<T>) / Pack<T>::kSize;
}

inline kx::launch_config groups_config(int64_t groups, int group, int64_t most, gs_stream stream) {
  const int64_t each = kGroupThreads / group, wanted = (groups + each - 1) / each;
  return {dim3((unsigned)std::clamp(wanted, (int64_t)1, most)), dim3(kGroupThreads), 0,
          stream_of(stream)};
}

// ---- norm_rows.cu: rows that fit the registers of a group ----
struct NormRows {
  int64_t rows, cols;
  double eps;
  bool centered;
};
template <class T>
bool fits_forward(int64_t cols);
template <class T>
bool fits_backward(int64_t cols);
// Parts that the backward pass leaves of dgamma and dbeta: [parts][2][cols].
template <class T>
int64_t row_parts(const NormRows& p);
template <class T>
cudaError_t rows_forward(const NormRows& p, const T* x, const T* gamma, const T* beta, T* y,
                         kx::wide<T>* mean, kx::wide<T>* rstd, gs_stream stream);
template <class T>
cudaError_t rows_backward(const NormRows& p, const T* x, const T* gamma, const kx::wide<T>* mean,
                          const kx::wide<T>* rstd, const T* dy, T* dx, T* dgamma, T* dbeta,
                          kx::wide<T>* partial, gs_stream stream);

// ---- norm_images.cu: passes over images, each channel of an image by itself ----
// Partial results of split s of a channel of an image: at (image * splits + s) * channels +
// channel.
template <class T>
cudaError_t moments_pass(const NormShape& p, const T* x, Moments* partial, gs_stream stream);
// Sums about the means (null for 0). weights: of the elements of a channel, or null. rows: the
// numbers of each row (place) of channels-last images, which take the place of the means; dyx then
// sums dy (x - pivot - low) rstd.
template <class T>
cudaError_t sums_pass(const NormShape& p, const T* x, const T* dy, const T* weights,
                      const kx::wide<T>* mean, const Stat* rows, NormSums* partial,
                      gs_stream stream);
// What to do with the numbers: the result, the gradient, that of constant numbers.
enum NormStep { kNormForward, kNormBackward, kNormFrozen };
// gamma and beta of each channel, or with per_element of each element of a channel; or null.
template <class T>
cudaError_t apply_pass(const NormShape& p, NormStep step, bool per_element, const T* x,
                       const T* gamma, const T* beta, const Stat* stats, const T* dy, T* y,
                       gs_stream stream);
// Cuts channels so that all passes fill any device.
template <class T>
void set_splits(NormShape* p);

// The result of one element; scale = rstd, offset = -low rstd.
template <class W>
struct Numbers {
  W pivot, scale, offset, b, o;
  KX_DEVICE explicit Numbers(const Stat& s)
      : pivot((W)s.pivot), scale((W)s.rstd), offset((W)(-s.low * s.rstd)), b((W)s.b), o((W)s.o) {}
  template <NormStep STEP>
  KX_DEVICE W of(W x, W dy, W gamma, W beta) const {
    if constexpr (STEP == kNormForward) return ((x - pivot) * scale + offset) * gamma + beta;
    if constexpr (STEP == kNormBackward) return dy * gamma * scale + (x - pivot) * b + o;
    return dy * gamma * scale;
  }
};
}  // namespace gs
