// Random numbers and dropout: a thread takes whole Philox blocks, and stores the elements of a
// block as one vector where they lie aligned.
//
// | kernel | for |
// |---|---|
// | random_kernel<TYPE> | all distributions |
// | dropout_kernel<T> | dropout, forward and backward |
#include <cmath>
#include <limits>

#include "casts.h"
#include "elementwise.h"
#include "philox.h"

namespace gs {
namespace {
struct RandomArguments {
  int64_t count, offset;
  uint64_t seed;
  int distribution;
  bool vectors;
  double a, b, last;   // uniform: low, high - low, largest value; normal: mean, deviation
  uint64_t threshold;  // Bernoulli
  int64_t low;
  uint64_t range;
};

// Elements of 8 bytes take two words, but for Bernoulli.
GS_BOTH constexpr int words_of(int type, int distribution) {
  return bytes_of(type) == 8 && distribution != GS_BERNOULLI ? 2 : 1;
}

// The `index`-th element of a block, one word each.
template <int TYPE>
KX_DEVICE Storage<TYPE> one_word(const RandomArguments& r, const PhiloxBlock& b, int index) {
  const uint32_t word = b.word[index];
  if (r.distribution == GS_BERNOULLI) return narrow<TYPE>((int64_t)(word < r.threshold));
  if constexpr (TYPE == GS_F32 || TYPE == GS_BF16 || TYPE == GS_F16) {
    float v;
    if (r.distribution == GS_UNIFORM) {
      constexpr int kBits = TYPE == GS_F32 ? 24 : TYPE == GS_BF16 ? 8 : 11;
      const uint32_t top = word & ~0u << (32 - kBits);
      v = fmaf((float)(top >> 8), (float)r.b, (float)r.a);
      v = v > (float)r.last ? (float)r.last : v;
    } else {
      const int pair = index & ~1;
      const float radius = box_radius(b.word[pair] >> 8);
      const float wave = box_cosine((int)(b.word[pair + 1] >> 8), index % 2 == 0 ? 0 : 3);
      v = fmaf(__fmul_rn(radius, wave), (float)r.b, (float)r.a);
    }
    return kx::from_float<Storage<TYPE>>(v);
  } else {
    return narrow<TYPE>(r.low + (int64_t)((uint64_t)word * r.range >> 32));
  }
}

// The `pair`-th element of a block, two words each.
template <int TYPE>
KX_DEVICE Storage<TYPE> two_words(const RandomArguments& r, const PhiloxBlock& b, int pair) {
  if constexpr (TYPE == GS_F64) {
    if (r.distribution == GS_UNIFORM) {
      const double v = fma(fraction(word_pair(b, pair)), r.b, r.a);
      return v > r.last ? r.last : v;
    }
    const double radius = sqrt(-2 * log(fraction(word_pair(b, 0)) + 0x1p-53));
    const double angle = 2 * 3.14159265358979323846 * fraction(word_pair(b, 1));
    return fma(radius * (pair == 0 ? cos(angle) : sin(angle)), r.b, r.a);
  } else {
    return (Storage<TYPE>)(r.low + (int64_t)__umul64hi(word_pair(b, pair), r.range));
  }
}

template <int TYPE, int E>
struct alignas(E* bytes_of(TYPE) > 16 ? 16 : E * bytes_of(TYPE)) BlockElements {
  Storage<TYPE> v[E];
};

template <int TYPE>
__global__ __launch_bounds__(kElementThreads) void random_kernel(
    const __grid_constant__ RandomArguments r, Storage<TYPE>* y) {
  const auto blocks = [&](auto words, auto element) {
    constexpr int E = 4 / decltype(words)::value;  // elements of a block
    const int64_t first = r.offset / E, skip = r.offset % E;
    const int64_t count = (skip + r.count + E - 1) / E;
    for (int64_t t = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; t < count;
         t += (int64_t)gridDim.x * kElementThreads) {
      const PhiloxBlock b = philox(r.seed, (uint64_t)(first + t));
      BlockElements<TYPE, E> e;
#pragma unroll
      for (int j = 0; j < E; j++) e.v[j] = element(b, j);
      const int64_t at = t * E - skip;
      if (r.vectors && at + E <= r.count) {  // then skip is 0
        reinterpret_cast<BlockElements<TYPE, E>*>(y)[t] = e;
      } else {
#pragma unroll
        for (int j = 0; j < E; j++) {
          if (at + j >= 0 && at + j < r.count) y[at + j] = e.v[j];
        }
      }
    }
  };
  if constexpr (bytes_of(TYPE) == 8) {
    if (r.distribution != GS_BERNOULLI) {
      blocks(std::integral_constant<int, 2>(),
             [&](const PhiloxBlock& b, int j) { return two_words<TYPE>(r, b, j); });
      return;
    }
    blocks(std::integral_constant<int, 1>(), [&](const PhiloxBlock& b, int j) {
      return narrow<TYPE>((int64_t)(b.word[j] < r.threshold));
    });
  } else {
    blocks(std::integral_constant<int, 1>(),
           [&](const PhiloxBlock& b, int j) { return one_word<TYPE>(r, b, j); });
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void dropout_kernel(int64_t count, int64_t offset,
                                                                  uint64_t seed, uint64_t threshold,
                                                                  double scale, bool vectors,
                                                                  const T* x, T* y) {  // y may be x
  using W = kx::wide<T>;
  struct alignas(4 * sizeof(T) > 16 ? 16 : 4 * sizeof(T)) Elements {
    T v[4];
  };
  const int64_t first = offset / 4, skip = offset % 4, blocks = (skip + count + 3) / 4;
  const auto apply = [&](uint32_t word, T v) {
    return word < threshold ? kx::from_float<T>(W(0))
                            : kx::from_float<T>((W)kx::to_float(v) * (W)scale);
  };
  for (int64_t t = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; t < blocks;
       t += (int64_t)gridDim.x * kElementThreads) {
    const int64_t at = t * 4 - skip;
    const PhiloxBlock b = philox(seed, (uint64_t)(first + t));
    if (vectors && at + 4 <= count) {  // then skip is 0
      Elements e = reinterpret_cast<const Elements*>(x)[t];
#pragma unroll
      for (int j = 0; j < 4; j++) e.v[j] = apply(b.word[j], e.v[j]);
      reinterpret_cast<Elements*>(y)[t] = e;
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        if (at + j >= 0 && at + j < count) y[at + j] = apply(b.word[j], x[at + j]);
      }
    }
  }
}

// ---- launchers ----
// round(p 2^32), halves up.
uint64_t threshold_of(double p) { return (uint64_t)std::floor(p * 0x1p32 + 0.5); }

gs_status check_offset(const char* op, int64_t count, int64_t offset) {
  GS_REQUIRE(count >= 0 && count <= INT64_MAX / 16, "%s: count must be addressable; count=%lld", op,
             (long long)count);
  GS_REQUIRE(offset >= 0 && offset <= (int64_t(1) << 61) - count,
             "%s: offset must be in 0..2^61 - count; offset=%lld, count=%lld", op,
             (long long)offset, (long long)count);
  return GS_OK;
}

gs_status check_integers(const gs_random& r) {
  GS_REQUIRE(r.type == GS_I32 || r.type == GS_I64 || r.type == GS_U8,
             "random: type must be i64, i32 or u8; type=%d", r.type);
  const int64_t least = r.type == GS_I64 ? INT64_MIN : r.type == GS_I32 ? INT32_MIN : 0;
  const int64_t most = r.type == GS_I64 ? INT64_MAX : r.type == GS_I32 ? INT32_MAX : 255;
  GS_REQUIRE(r.low < r.high && r.low >= least && r.high - 1 <= most,
             "random: low..high must not be empty and must fit the type; low=%lld, high=%lld, "
             "type=%d",
             (long long)r.low, (long long)r.high, r.type);
  return GS_OK;
}

gs_status check_random(const gs_random& r) {
  GS_REQUIRE(r.type >= GS_F32 && r.type <= GS_U8, "random: no such element type; type=%d", r.type);
  switch (r.distribution) {
    case GS_UNIFORM: {
      GS_REQUIRE(is_floating(r.type), "random: type must be f64, f32, bf16 or f16; type=%d",
                 r.type);
      const double span = r.type == GS_F64 ? r.b - r.a : (double)((float)r.b - (float)r.a);
      GS_REQUIRE(r.a <= r.b && std::isfinite(span),
                 "random: low must not exceed high, and their difference must be finite; low=%g, "
                 "high=%g",
                 r.a, r.b);
      return GS_OK;
    }
    case GS_NORMAL:
      GS_REQUIRE(is_floating(r.type), "random: type must be f64, f32, bf16 or f16; type=%d",
                 r.type);
      GS_REQUIRE(r.b >= 0 && std::isfinite(r.b) && std::isfinite(r.a),
                 "random: std must be finite, not negative; mean=%g, std=%g", r.a, r.b);
      return GS_OK;
    case GS_BERNOULLI:
      GS_REQUIRE(r.a >= 0 && r.a <= 1, "random: p must be in 0..1; p=%g", r.a);
      return GS_OK;
    case GS_INTEGERS:
      return check_integers(r);
    default:
      return fail(GS_INVALID_ARGUMENT, "random: no such distribution; distribution=%d",
                  r.distribution);
  }
}

RandomArguments arguments(const gs_random& op, uint64_t seed, int64_t offset) {
  RandomArguments r{};
  r.count = op.count, r.offset = offset, r.seed = seed, r.distribution = op.distribution;
  r.threshold = threshold_of(op.distribution == GS_BERNOULLI ? op.a : 0);
  r.low = op.low, r.range = (uint64_t)op.high - (uint64_t)op.low;
  r.a = op.a, r.b = op.b;
  if (op.distribution == GS_UNIFORM && op.type == GS_F64) {
    r.b = op.b - op.a;
    r.last = op.a < op.b ? std::nextafter(op.b, -std::numeric_limits<double>::infinity()) : op.b;
  } else if (op.distribution == GS_UNIFORM) {
    const float low = (float)op.a, high = (float)op.b;
    r.b = (high - low) * 0x1p-24f;
    r.last = low < high ? std::nextafter(high, -std::numeric_limits<float>::infinity()) : high;
  }
  return r;
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_random_fill(const gs_random* random, uint64_t seed, int64_t offset, void* y,
                                    gs_stream stream) {
  GS_REQUIRE(random, "random: the description must not be null");
  if (const gs_status s = gs::check_offset("random", random->count, offset)) return s;
  if (const gs_status s = gs::check_random(*random)) return s;
  if (random->count == 0) return GS_OK;
  GS_REQUIRE(y, "random: y must not be null");
  gs::RandomArguments r = gs::arguments(*random, seed, offset);
  const int elements = 4 / gs::words_of(random->type, random->distribution);
  r.vectors = offset % elements == 0 && gs::aligned16({y});
  cudaError_t error = cudaSuccess;
  gs::with_type_code(random->type, [&](auto t) {
    error = KX_LAUNCH(gs::random_kernel<t.value>,
                      gs::element_config(random->count / elements + 2, stream), r,
                      static_cast<gs::Storage<t.value>*>(y));
  });
  return gs::check(error, "random_fill");
}

extern "C" gs_status gs_dropout(int32_t type, int64_t count, double p, uint64_t seed,
                                int64_t offset, const void* x, void* y, gs_stream stream) {
  if (const gs_status s = gs::check_offset("dropout", count, offset)) return s;
  GS_REQUIRE(type >= GS_F32 && type <= GS_F16,
             "dropout: type must be f64, f32, bf16 or f16; type=%d", type);
  GS_REQUIRE(p >= 0 && p <= 1, "dropout: p must be in 0..1; p=%g", p);
  if (count == 0) return GS_OK;
  GS_REQUIRE(x && y, "dropout: operands must not be null");
  const uint64_t threshold = gs::threshold_of(p);
  if (threshold > UINT32_MAX) {
    return gs::check(
        cudaMemsetAsync(y, 0, (size_t)(count * gs::bytes_of(type)), gs::stream_of(stream)),
        "dropout");
  }
  const double scale = p == 1 ? 0 : 1 / (1 - p);
  const bool vectors = offset % 4 == 0 && gs::aligned16({x, y});
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      return cudaErrorInvalidValue;
    } else {
      return KX_LAUNCH(gs::dropout_kernel<T>, gs::element_config(count / 4 + 2, stream), count,
                       offset, seed, threshold, scale, vectors, static_cast<const T*>(x),
                       static_cast<T*>(y));
    }
  };
  return gs::check(gs::with_type(type, launch), "dropout");
}
