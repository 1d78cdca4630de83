// What reductions accumulate, element by element and part by part.
#pragma once
#include "reduce.h"

namespace gs {
// What is accumulated; those from kSquares on are floating only, the last three serve gradients.
enum Term { kSum, kMax, kMin, kProd, kSquares, kMagnitudes, kExp, kEqual, kNonzero, kZeros };

template <class T>
using Sum = std::conditional_t<std::is_integral_v<T>, int64_t, double>;

// Sums, and for kExp the maximum that they are relative to.
template <class A>
struct State {
  A v, max;
};

template <class T>
KX_DEVICE double exp_of(double x) {
  if constexpr (std::is_same_v<T, double>) {
    return exp(x);
  } else {
    return expf((float)x);
  }
}

template <class A>
KX_DEVICE State<A> empty_state(int term) {
  if constexpr (std::is_same_v<A, int64_t>) {
    return {term == kMax ? INT64_MIN : term == kMin ? INT64_MAX : A(term == kProd), 0};
  } else {
    const A inf = INFINITY;
    const A v = term == kMax ? -inf : term == kMin ? inf : A(term == kProd || term == kNonzero);
    return {v, -inf};
  }
}

template <class A>
KX_DEVICE A plus(A p, A q) {
  if constexpr (std::is_integral_v<A>) {
    return (A)((uint64_t)p + (uint64_t)q);
  } else {
    return p + q;
  }
}
template <class A>
KX_DEVICE A times(A p, A q) {
  if constexpr (std::is_integral_v<A>) {
    return (A)((uint64_t)p * (uint64_t)q);
  } else {
    return p * q;
  }
}

// NaN wins.
template <class T, class A>
KX_DEVICE State<A> combine(int term, State<A> p, State<A> q) {
  switch (term) {
    case kMax:
      return q.v > p.v || q.v != q.v ? q : p;
    case kMin:
      return q.v < p.v || q.v != q.v ? q : p;
    case kProd:
    case kNonzero:
      return {times(p.v, q.v), 0};
    case kExp:
      if constexpr (!std::is_integral_v<T>) {
        const A max = larger(p.max, q.max);
        return {(p.max == max ? p.v : p.v * exp_of<T>(p.max - max)) +
                    (q.max == max ? q.v : q.v * exp_of<T>(q.max - max)),
                max};
      }
      return p;
    default:
      return {plus(p.v, q.v), 0};
  }
}

template <class T>
KX_DEVICE void add(int term, State<Sum<T>>& s, T element, T result) {
  using A = Sum<T>;
  if constexpr (std::is_integral_v<T>) {
    s = combine<T>(term, s, State<A>{element, 0});
  } else {
    A e = kx::to_float(element);
    switch (term) {
      case kExp:
        if (e > s.max) {
          s.v = s.v * exp_of<T>(s.max - e) + 1;
          s.max = e;
        } else if (e != minus_infinity<A>()) {
          s.v += e == s.max ? A(1) : A(exp_of<T>(e - s.max));
        }
        return;
      case kSquares:
        e *= e;
        break;
      case kMagnitudes:
        e = fabs(e);
        break;
      case kZeros:
        e = e == 0;
        break;
      case kNonzero:
        e = e == 0 ? A(1) : e;
        break;
      case kEqual: {
        const A r = kx::to_float(result);
        e = e == r || (e != e && r != r);
        break;
      }
      default:
        break;
    }
    s = combine<T>(term, s, State<A>{e, 0});
  }
}

// A term that the compiler knows.
template <int TERM>
struct Known {
  KX_DEVICE constexpr operator int() const { return TERM; }
};

// Calls f with the term: as a constant where it matters, so that the loops have no branches.
template <class T, class F>
KX_DEVICE void with_term(int term, F f) {
  if (term == kSum) {
    f(Known<kSum>());
  } else if (!std::is_integral_v<T> && term == kMax) {
    f(Known<kMax>());
  } else if (!std::is_integral_v<T> && term == kSquares) {
    f(Known<kSquares>());
  } else {
    f(term);
  }
}
}  // namespace gs
