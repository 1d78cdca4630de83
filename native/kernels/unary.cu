// Elementwise functions of one array, forward and backward.
//
// One kernel a type and direction; the function is chosen by a branch that is the same for all
// threads: these kernels wait for memory, and 34 times as many of them would not be faster.
#include "activations.h"
#include "elementwise.h"

namespace gs {
namespace {
constexpr bool has_integers(int function) { return function <= GS_CLAMP; }
constexpr bool differentiable(int function) {
  return function != GS_SIGN && function != GS_FLOOR && function != GS_CEIL && function != GS_ROUND;
}

template <class W>
KX_DEVICE W sigmoid(W x) {
  return W(1) / (W(1) + exp(-x));
}
template <class W>
KX_DEVICE W sign(W x) {
  return x > W(0) ? W(1) : x < W(0) ? W(-1) : x;  // 0 and NaN stay
}

template <class W>
KX_DEVICE W apply(int function, W x, W a, W b) {
  switch (function) {
    case GS_NEG:
      return -x;
    case GS_ABS:
      return fabs(x);
    case GS_SQUARE:
      return x * x;
    case GS_SIGN:
      return sign(x);
    case GS_CLAMP: {
      const W low = x < a ? a : x;
      return low > b ? b : low;
    }
    case GS_SQRT:
      return sqrt(x);
    case GS_RSQRT:
      return W(1) / sqrt(x);
    case GS_RECIPROCAL:
      return W(1) / x;
    case GS_EXP:
      return exp(x);
    case GS_LOG:
      return log(x);
    case GS_SIN:
      return sin(x);
    case GS_COS:
      return cos(x);
    case GS_FLOOR:
      return floor(x);
    case GS_CEIL:
      return ceil(x);
    case GS_ROUND:
      return rint(x);
    case GS_ERF:
      return erf(x);
    case GS_U_RELU:
      return relu(x);
    case GS_LEAKY_RELU:
      return x >= W(0) ? x : a * x;
    case GS_ELU:
      return x >= W(0) ? x : a * expm1(x);
    case GS_U_GELU:
      return gelu(x);
    case GS_U_GELU_TANH:
      return gelu_tanh(x);
    case GS_SILU:
      return x * sigmoid(x);
    case GS_SIGMOID:
      return sigmoid(x);
    case GS_TANH:
      return tanh(x);
    case GS_TAN:
      return tan(x);
    case GS_ASIN:
      return asin(x);
    case GS_ACOS:
      return acos(x);
    case GS_ATAN:
      return atan(x);
    case GS_SINH:
      return sinh(x);
    case GS_COSH:
      return cosh(x);
    case GS_ASINH:
      return asinh(x);
    case GS_ACOSH:
      return acosh(x);
    case GS_ATANH:
      return atanh(x);
    default:  // softplus, without overflow
      return x > W(0) ? x + log1p(exp(-x)) : log1p(exp(x));
  }
}

// In unsigned arithmetic: wraps around.
template <class T>
KX_DEVICE T apply_integer(int function, T x, T a, T b) {
  using U = std::make_unsigned_t<T>;
  switch (function) {
    case GS_NEG:
      return (T)(U(0) - (U)x);
    case GS_ABS:
      return x < 0 ? (T)(U(0) - (U)x) : x;
    case GS_SQUARE:
      return (T)((U)x * (U)x);
    case GS_SIGN:
      return (T)((x > 0) - (x < 0));
    default:
      return x < a ? (a > b ? b : a) : x > b ? b : x;
  }
}

// The derivative; s is x, or y for the functions that save it.
template <class W>
KX_DEVICE W slope(int function, W s, W a, W b) {
  switch (function) {
    case GS_NEG:
      return W(-1);
    case GS_ABS:
      return sign(s);
    case GS_SQUARE:
      return W(2) * s;
    case GS_CLAMP:
      return s >= a && s <= b ? W(1) : W(0);
    case GS_SQRT:
      return W(0.5) / s;
    case GS_RSQRT:
      return W(-0.5) * s * s * s;
    case GS_RECIPROCAL:
      return -s * s;
    case GS_EXP:
      return s;
    case GS_LOG:
      return W(1) / s;
    case GS_SIN:
      return cos(s);
    case GS_COS:
      return -sin(s);
    case GS_ERF:
      return W(1.12837916709551257390) * exp(-s * s);
    case GS_U_RELU:
      return s > W(0) ? W(1) : W(0);
    case GS_LEAKY_RELU:
      return s >= W(0) ? W(1) : a;
    case GS_ELU:
      return s >= W(0) ? W(1) : a * exp(s);
    case GS_U_GELU:
      return gelu_derivative(s);
    case GS_U_GELU_TANH:
      return gelu_tanh_derivative(s);
    case GS_SILU: {
      const W p = sigmoid(s);
      return p + s * p * (W(1) - p);
    }
    case GS_SIGMOID:
      return s * (W(1) - s);
    case GS_TANH:
      return W(1) - s * s;
    case GS_TAN:
      return W(1) + s * s;
    case GS_ASIN:
      return W(1) / sqrt((W(1) - s) * (W(1) + s));
    case GS_ACOS:
      return W(-1) / sqrt((W(1) - s) * (W(1) + s));
    case GS_ATAN:
      return W(1) / (W(1) + s * s);
    case GS_SINH:
      return cosh(s);
    case GS_COSH:
      return sinh(s);
    case GS_ASINH:
      return W(1) / sqrt(W(1) + s * s);
    case GS_ACOSH:
      return W(1) / (sqrt(s - W(1)) * sqrt(s + W(1)));
    case GS_ATANH:
      return W(1) / ((W(1) - s) * (W(1) + s));
    default:
      return sigmoid(s);
  }
}

template <class T>
KX_DEVICE T forward_element(int function, T x, double a, double b) {
  if constexpr (std::is_integral_v<T>) {
    return apply_integer(function, x, (T)a, (T)b);
  } else {
    using W = kx::wide<T>;
    if constexpr (sizeof(T) == 2) {
      if (function == GS_U_GELU) return kx::from_float<T>(short_gelu(kx::to_float(x)));
    }
    return kx::from_float<T>(apply<W>(function, kx::to_float(x), (W)a, (W)b));
  }
}
template <class T>
KX_DEVICE T backward_element(int function, T saved, T dy, double a, double b) {
  using W = kx::wide<T>;
  if constexpr (sizeof(T) == 2) {
    if (function == GS_U_GELU) {
      return kx::from_float<T>(kx::to_float(dy) * short_gelu_derivative(kx::to_float(saved)));
    }
  }
  return kx::from_float<T>((W)kx::to_float(dy) *
                           slope<W>(function, kx::to_float(saved), (W)a, (W)b));
}

// The first `packs` packs of elements, then one by one.
template <class T>
__global__ __launch_bounds__(kElementThreads,
                             1) void unary_forward_kernel(int function, int64_t count,
                                                          int64_t packs, double a, double b,
                                                          const T* x, T* y) {
  constexpr int V = Pack<T>::kSize;
  const int64_t first = (int64_t)blockIdx.x * kElementThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kElementThreads;
  for (int64_t i = first; i < packs; i += stride) {
    Pack<T> p = reinterpret_cast<const Pack<T>*>(x)[i];
    constexpr int kLast = std::is_integral_v<T> ? GS_CLAMP : GS_ATANH;
    with_constant<0, kLast>(function, [&](auto f) {
#pragma unroll
      for (int j = 0; j < V; j++) p.v[j] = forward_element(f.value, p.v[j], a, b);
    });
    reinterpret_cast<Pack<T>*>(y)[i] = p;
  }
  for (int64_t i = packs * V + first; i < count; i += stride) {
    y[i] = forward_element(function, x[i], a, b);
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads,
                             1) void unary_backward_kernel(int function, int64_t count,
                                                           int64_t packs, double a, double b,
                                                           const T* saved, const T* dy, T* dx) {
  constexpr int V = Pack<T>::kSize;
  const int64_t first = (int64_t)blockIdx.x * kElementThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kElementThreads;
  for (int64_t i = first; i < packs; i += stride) {
    const Pack<T> s = reinterpret_cast<const Pack<T>*>(saved)[i];
    Pack<T> g = reinterpret_cast<const Pack<T>*>(dy)[i];
    with_constant<0, GS_ATANH>(function, [&](auto f) {
#pragma unroll
      for (int j = 0; j < V; j++) g.v[j] = backward_element(f.value, s.v[j], g.v[j], a, b);
    });
    reinterpret_cast<Pack<T>*>(dx)[i] = g;
  }
  for (int64_t i = packs * V + first; i < count; i += stride) {
    dx[i] = backward_element(function, saved[i], dy[i], a, b);
  }
}

gs_status check_unary(int32_t function, int32_t type, int64_t count, bool pointers, bool backward) {
  GS_REQUIRE(function >= GS_NEG && function <= GS_ATANH, "unary: no such function; function=%d",
             function);
  const bool integer = type == GS_I32 || type == GS_I64;
  GS_REQUIRE((type >= GS_F32 && type <= GS_F16) || (integer && has_integers(function) && !backward),
             "unary: type must be f32, f64, bf16 or f16, or i32 or i64 where offered; type=%d, "
             "function=%d",
             type, function);
  GS_REQUIRE(!backward || differentiable(function),
             "unary: the function must have a gradient; function=%d", function);
  GS_REQUIRE(count >= 0 && count <= INT64_MAX / 16, "unary: count must be addressable; count=%lld",
             (long long)count);
  GS_REQUIRE(count == 0 || pointers, "unary: operands must not be null");
  return GS_OK;
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_unary_forward(int32_t function, int32_t type, int64_t count, double a,
                                      double b, const void* x, void* y, gs_stream stream) {
  if (gs_status s = gs::check_unary(function, type, count, x && y, false)) return s;
  if (count == 0) return GS_OK;
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, uint8_t>) {
      return cudaErrorInvalidValue;
    } else {
      const int64_t packs = gs::aligned16({x, y}) ? count / gs::Pack<T>::kSize : 0;
      return KX_LAUNCH(
          gs::unary_forward_kernel<T>,
          gs::element_config(std::max(packs, count - packs * gs::Pack<T>::kSize), stream), function,
          count, packs, a, b, static_cast<const T*>(x), static_cast<T*>(y));
    }
  };
  return gs::check(gs::with_type(type, launch), "unary_forward");
}

extern "C" gs_status gs_unary_backward(int32_t function, int32_t type, int64_t count, double a,
                                       double b, const void* saved, const void* dy, void* dx,
                                       gs_stream stream) {
  if (gs_status s = gs::check_unary(function, type, count, saved && dy && dx, true)) return s;
  if (count == 0) return GS_OK;
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      return cudaErrorInvalidValue;
    } else {
      const int64_t packs = gs::aligned16({saved, dy, dx}) ? count / gs::Pack<T>::kSize : 0;
      return KX_LAUNCH(
          gs::unary_backward_kernel<T>,
          gs::element_config(std::max(packs, count - packs * gs::Pack<T>::kSize), stream), function,
          count, packs, a, b, static_cast<const T*>(saved), static_cast<const T*>(dy),
          static_cast<T*>(dx));
    }
  };
  return gs::check(gs::with_type(type, launch), "unary_backward");
}
