// Elementwise functions of two arrays with broadcasting.
//
// | kernel | for |
// |---|---|
// | binary_contiguous_kernel<T, R> | operands without gaps or broadcasting, in 16-byte vectors |
// | binary_strided_kernel<T, R> | any strides; dimensions that can be are merged before the launch
// |
#include "elementwise.h"

namespace gs {
namespace {
constexpr bool is_predicate(int kind) { return kind >= GS_EQ; }
constexpr bool is_logical(int kind) { return kind >= GS_AND; }

// Equal: of zeros the positive (the maximum) or the negative one.
template <class W>
KX_DEVICE W maximum(W p, W q) {
  if (p != p || q != q) return p + q;
  return p == q ? (signbit(p) ? q : p) : p > q ? p : q;
}
template <class W>
KX_DEVICE W minimum(W p, W q) {
  if (p != p || q != q) return p + q;
  return p == q ? (signbit(p) ? p : q) : p < q ? p : q;
}

template <class W>
KX_DEVICE W apply(int kind, W p, W q) {
  switch (kind) {
    case GS_ADD:
      return p + q;
    case GS_SUB:
      return p - q;
    case GS_MUL:
      return p * q;
    case GS_DIV:
      return p / q;
    case GS_MAX:
      return maximum(p, q);
    case GS_MIN:
      return minimum(p, q);
    default:
      return pow(p, q);
  }
}

template <class T>
KX_DEVICE T power(T p, T q) {
  using U = std::make_unsigned_t<T>;
  if (q < 0) return p == 1 || (p == -1 && q % 2 == 0) ? 1 : p == -1 ? -1 : 0;
  U result = 1, factor = (U)p;
  for (U e = (U)q; e > 0; e /= 2) {
    if (e % 2 == 1) result *= factor;
    factor *= factor;
  }
  return (T)result;
}
// In unsigned arithmetic: wraps around.
template <class T>
KX_DEVICE T apply_integer(int kind, T p, T q) {
  using U = std::make_unsigned_t<T>;
  switch (kind) {
    case GS_ADD:
      return (T)((U)p + (U)q);
    case GS_SUB:
      return (T)((U)p - (U)q);
    case GS_MUL:
      return (T)((U)p * (U)q);
    case GS_DIV:
      return q == 0 ? 0 : q == -1 ? (T)(U(0) - (U)p) : p / q;
    case GS_MAX:
      return p > q ? p : q;
    case GS_MIN:
      return p < q ? p : q;
    default:
      return power(p, q);
  }
}

template <class W>
KX_DEVICE bool compare(int kind, W p, W q) {
  switch (kind) {
    case GS_EQ:
      return p == q;
    case GS_NE:
    case GS_XOR:
      return p != q;
    case GS_LT:
      return p < q;
    case GS_LE:
      return p <= q;
    case GS_GT:
      return p > q;
    case GS_GE:
      return p >= q;
    case GS_AND:
      return p != W(0) && q != W(0);
    default:
      return p != W(0) || q != W(0);
  }
}

// R: the result's type; uint8_t for predicates.
template <class T, class R>
KX_DEVICE R element(int kind, T p, T q) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return compare<int>(kind, p != 0, q != 0);
  } else if constexpr (std::is_same_v<R, uint8_t>) {
    if constexpr (std::is_integral_v<T>) {
      return compare(kind, p, q);
    } else {
      return compare(kind, kx::to_float(p), kx::to_float(q));
    }
  } else if constexpr (std::is_integral_v<T>) {
    return apply_integer(kind, p, q);
  } else {
    return kx::from_float<R>(apply<kx::wide<T>>(kind, kx::to_float(p), kx::to_float(q)));
  }
}

template <class T, class R>
__global__ __launch_bounds__(kElementThreads) void binary_contiguous_kernel(int kind, int64_t count,
                                                                            int64_t packs,
                                                                            const T* a, const T* b,
                                                                            R* y) {
  constexpr int V = Pack<T>::kSize;
  struct alignas(V * sizeof(R)) Results {
    R v[V];
  };
  const int64_t first = (int64_t)blockIdx.x * kElementThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kElementThreads;
  for (int64_t i = first; i < packs; i += stride) {
    const Pack<T> p = reinterpret_cast<const Pack<T>*>(a)[i];
    const Pack<T> q = reinterpret_cast<const Pack<T>*>(b)[i];
    Results r;
    constexpr bool kPredicate = std::is_same_v<R, uint8_t>;
    constexpr int kFirst = kPredicate ? GS_EQ : GS_ADD, kLast = kPredicate ? GS_XOR : GS_POW;
    with_constant<kFirst, kLast>(kind, [&](auto k) {
#pragma unroll
      for (int j = 0; j < V; j++) r.v[j] = element<T, R>(k.value, p.v[j], q.v[j]);
    });
    reinterpret_cast<Results*>(y)[i] = r;
  }
  for (int64_t i = packs * V + first; i < count; i += stride)
    y[i] = element<T, R>(kind, a[i], b[i]);
}

template <class T, class R>
__global__ __launch_bounds__(kElementThreads) void binary_strided_kernel(
    int kind, int64_t count, const __grid_constant__ gs_binary_layout l, const T* a, const T* b,
    R* y) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at_a = 0, at_b = 0, at_y = 0;
    for (int d = l.dims - 1; d >= 0; d--) {
      // 64-bit division is slow, and rarely needed.
      int64_t index;
      if (rest <= UINT32_MAX && l.size[d] <= UINT32_MAX) {
        index = (uint32_t)rest % (uint32_t)l.size[d];
        rest = (uint32_t)rest / (uint32_t)l.size[d];
      } else {
        index = rest % l.size[d];
        rest /= l.size[d];
      }
      at_a += index * l.stride_a[d];
      at_b += index * l.stride_b[d];
      at_y += index * l.stride_y[d];
    }
    y[at_y] = element<T, R>(kind, a[at_a], b[at_b]);
  }
}

// ---- launchers ----
// Drops dimensions of size 1, merges neighbours that are one dimension for all operands.
gs_binary_layout merged(const gs_binary_layout& l) {
  gs_binary_layout m{};
  for (int d = 0; d < l.dims; d++) {
    if (l.size[d] == 1) continue;
    const int last = m.dims - 1;
    const auto continues = [&](const int64_t* outer, const int64_t* inner) {
      return outer[last] == inner[d] * l.size[d];
    };
    if (m.dims > 0 && continues(m.stride_a, l.stride_a) && continues(m.stride_b, l.stride_b) &&
        continues(m.stride_y, l.stride_y)) {
      m.size[last] *= l.size[d];
    } else {
      m.size[m.dims++] = l.size[d];
    }
    m.stride_a[m.dims - 1] = l.stride_a[d];
    m.stride_b[m.dims - 1] = l.stride_b[d];
    m.stride_y[m.dims - 1] = l.stride_y[d];
  }
  return m;
}

template <class T, class R>
cudaError_t run(int kind, int64_t count, const gs_binary_layout& layout, const void* a,
                const void* b, void* y, gs_stream stream) {
  const gs_binary_layout l = merged(layout);
  const T *pa = static_cast<const T*>(a), *pb = static_cast<const T*>(b);
  R* py = static_cast<R*>(y);
  const bool contiguous = l.dims == 0 || (l.dims == 1 && l.stride_a[0] == 1 && l.stride_b[0] == 1 &&
                                          l.stride_y[0] == 1);
  if (contiguous) {
    const int64_t packs = aligned16({a, b, y}) ? count / Pack<T>::kSize : 0;
    return kx::launch("binary_contiguous_kernel", binary_contiguous_kernel<T, R>,
                      element_config(std::max(packs, count - packs * Pack<T>::kSize), stream), kind,
                      count, packs, pa, pb, py);
  }
  return kx::launch("binary_strided_kernel", binary_strided_kernel<T, R>,
                    element_config(count, stream), kind, count, l, pa, pb, py);
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_binary(int32_t kind, int32_t type, const gs_binary_layout* layout,
                               const void* a, const void* b, void* y, gs_stream stream) {
  GS_REQUIRE(kind >= GS_ADD && kind <= GS_XOR, "binary: no such kind; kind=%d", kind);
  const bool equality = kind == GS_EQ || kind == GS_NE;
  GS_REQUIRE(type >= GS_F32 && type <= GS_BOOL &&
                 (gs::is_logical(kind) ? type == GS_BOOL : type != GS_BOOL || equality),
             "binary: the kind is not offered for this type; kind=%d, type=%d", kind, type);
  GS_REQUIRE(layout && layout->dims >= 0 && layout->dims <= GS_MAX_DIMS,
             "binary: the layout must have 0 to 8 dimensions; dims=%d", layout ? layout->dims : -1);
  int64_t count = 1;
  for (int d = 0; d < layout->dims; d++) {
    GS_REQUIRE(layout->size[d] >= 0 && !__builtin_mul_overflow(count, layout->size[d], &count) &&
                   count <= INT64_MAX / 16,
               "binary: sizes must not be negative and their product addressable; size[%d]=%lld", d,
               (long long)layout->size[d]);
  }
  if (count == 0) return GS_OK;
  GS_REQUIRE(a && b && y, "binary: operands must not be null");
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, uint8_t>) {
      if (!gs::is_predicate(kind)) return gs::run<T, T>(kind, count, *layout, a, b, y, stream);
    }
    return gs::run<T, uint8_t>(kind, count, *layout, a, b, y, stream);
  };
  return gs::check(gs::with_type(type, launch), "binary");
}
