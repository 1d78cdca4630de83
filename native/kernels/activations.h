// The activations of epilogues and elementwise kernels, and their derivatives; T is float or
// double.
#pragma once
#include "gridstride.h"
#include "kx/numeric.h"

namespace gs {
// By comparison, so that NaN stays.
template <class T>
KX_DEVICE T relu(T z) {
  return z > T(0) || z != z ? z : T(0);
}

// The normal distribution function; erfc keeps its relative accuracy for negative z.
template <class T>
KX_DEVICE T normal_cdf(T z) {
  return T(0.5) * erfc(z * T(-0.70710678118654752440));
}
// The same with a relative error of 2e-6 (5e-6 below -6), for results of 16 bits: e^(-z^2/2) times
// a polynomial in 1 / (1 + 0.36 |z|), fitted to the scaled complementary error function on 0..14
// with a relative error of 9e-7; behind that the exponential is 0.
KX_DEVICE float short_normal_cdf(float z) {
  const float a = fabsf(z), t = __fdividef(1.f, fmaf(0.36f, a, 1.f));
  float p = 0.04705611f;
  p = fmaf(p, t, -0.17976406f);
  p = fmaf(p, t, 0.18095315f);
  p = fmaf(p, t, 0.0265499f);
  p = fmaf(p, t, 0.13971907f);
  p = fmaf(p, t, 0.14177248f);
  p = fmaf(p, t, 0.14371304f);
  const float tail = __expf(-0.5f * z * z) * p * t;
  return z < 0.f ? tail : 1.f - tail;
}
// z weight, but 0 where the weight has vanished: at the ends of the range z is infinite there.
template <class T>
KX_DEVICE T weighted(T z, T weight) {
  return weight == T(0) ? T(0) : z * weight;
}
template <class T>
KX_DEVICE T gelu(T z) {
  return weighted(z, normal_cdf(z));
}
KX_DEVICE float short_gelu(float z) { return weighted(z, short_normal_cdf(z)); }
template <class T>
KX_DEVICE T gelu_derivative(T z) {
  return normal_cdf(z) + weighted(z, T(0.39894228040143267794) * exp(T(-0.5) * z * z));
}

KX_DEVICE float short_gelu_derivative(float z) {
  return short_normal_cdf(z) + weighted(z, 0.39894228f * __expf(-0.5f * z * z));
}

template <class T>
KX_DEVICE T gelu_tanh(T z) {
  const T t = tanh(T(0.79788456080286535588) * (z + T(0.044715) * z * z * z));
  return weighted(z, T(0.5) * (T(1) + t));
}
template <class T>
KX_DEVICE T gelu_tanh_derivative(T z) {
  const T t = tanh(T(0.79788456080286535588) * (z + T(0.044715) * z * z * z));
  const T inner = T(0.79788456080286535588) * (T(1) + T(3 * 0.044715) * z * z);
  return T(0.5) * (T(1) + t) + weighted(z * inner, T(0.5) * (T(1) - t * t));
}

template <class T>
KX_DEVICE T activate(int activation, T z) {
  switch (activation) {
    case GS_RELU:
      return relu(z);
    case GS_GELU:
      return gelu(z);
    case GS_GELU_TANH:
      return gelu_tanh(z);
    default:
      return z;
  }
}

template <class T>
KX_DEVICE T activation_derivative(int activation, T z) {
  switch (activation) {
    case GS_RELU:
      return z <= T(0) ? T(0) : T(1);  // as the CPU, also where z is NaN
    case GS_GELU:
      return gelu_derivative(z);
    case GS_GELU_TANH:
      return gelu_tanh_derivative(z);
    default:
      return T(1);
  }
}
}  // namespace gs
