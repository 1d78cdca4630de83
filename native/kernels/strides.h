// Walks over arrays of any strides: dimensions put in order and merged before the launch, indices
// taken apart in the kernel.
#pragma once
#include <algorithm>
#include <cstdlib>

#include "elementwise.h"

namespace gs {
// Takes the last digit off an index: returns rest % size and leaves rest / size. 64-bit division is
// slow, and rarely needed.
KX_DEVICE int64_t take_digit(int64_t& rest, int64_t size) {
  int64_t digit;
  if (rest <= UINT32_MAX && size <= UINT32_MAX) {
    digit = (uint32_t)rest % (uint32_t)size;
    rest = (uint32_t)rest / (uint32_t)size;
  } else {
    digit = rest % size;
    rest /= size;
  }
  return digit;
}

// The same elements at OPERANDS places each; strides in elements.
template <int OPERANDS>
struct Walk {
  int dims = 0;
  int64_t size[GS_MAX_DIMS] = {};
  int64_t stride[OPERANDS][GS_MAX_DIMS] = {};
};

// Where index i of the walk lies for an operand.
template <int OPERANDS>
KX_DEVICE int64_t place(const Walk<OPERANDS>& w, int64_t i, int operand = 0) {
  if (w.dims == 1) return i * w.stride[operand][0];
  int64_t at = 0;
  for (int d = w.dims - 1; d >= 0; d--) at += take_digit(i, w.size[d]) * w.stride[operand][d];
  return at;
}

// Drops dimensions of size 1, puts the rest in the order of operand 0's strides, and merges
// neighbours that are one dimension for all operands.
template <int OPERANDS>
Walk<OPERANDS> merged(const Walk<OPERANDS>& w) {
  int order[GS_MAX_DIMS], kept = 0;
  for (int d = 0; d < w.dims; d++) {
    if (w.size[d] != 1) order[kept++] = d;
  }
  std::stable_sort(order, order + kept, [&](int a, int b) {
    return std::llabs(w.stride[0][a]) > std::llabs(w.stride[0][b]);
  });
  Walk<OPERANDS> m;
  for (int i = 0; i < kept; i++) {
    const int d = order[i], last = m.dims - 1;
    bool continues = last >= 0;
    for (int p = 0; p < OPERANDS && continues; p++) {
      continues = m.stride[p][last] == w.stride[p][d] * w.size[d];
    }
    if (continues) {
      m.size[last] *= w.size[d];
    } else {
      m.size[m.dims++] = w.size[d];
    }
    for (int p = 0; p < OPERANDS; p++) m.stride[p][m.dims - 1] = w.stride[p][d];
  }
  return m;
}

// The dimensions d of a layout with bit d of `axes` set: the order stays, neighbours are merged.
inline Walk<1> joined(const gs_layout& l, uint32_t axes) {
  Walk<1> w;
  for (int d = 0; d < l.dims; d++) {
    if ((axes >> d & 1) == 0 || l.size[d] == 1) continue;
    const int last = w.dims - 1;
    if (last >= 0 && w.stride[0][last] == l.stride[d] * l.size[d]) {
      w.size[last] *= l.size[d];
    } else {
      w.size[w.dims++] = l.size[d];
    }
    w.stride[0][w.dims - 1] = l.stride[d];
  }
  return w;
}

// Product of the sizes, or -1 when one is negative or elements of 16 bytes could not be addressed.
inline int64_t count_of(int dims, const int64_t* size) {
  int64_t count = 1;
  for (int d = 0; d < dims; d++) {
    if (size[d] < 0 || __builtin_mul_overflow(count, std::max(size[d], (int64_t)1), &count) ||
        count > INT64_MAX / 16) {
      return -1;
    }
  }
  return std::find(size, size + dims, 0) != size + dims ? 0 : count;
}

template <int OPERANDS>
int64_t count_of(const Walk<OPERANDS>& w) {
  return count_of(w.dims, w.size);
}

// Whether all places are addressable in elements of 16 bytes; sizes as count_of takes them.
inline bool addressable_strides(int dims, const int64_t* size, const int64_t* stride) {
  int64_t span = 0;
  for (int d = 0; d < dims; d++) {
    int64_t step;
    if (size[d] == 0) return true;
    if (stride[d] == INT64_MIN ||
        __builtin_mul_overflow(size[d] - 1, std::llabs(stride[d]), &step) ||
        __builtin_add_overflow(span, step, &span) || span > INT64_MAX / 16) {
      return false;
    }
  }
  return true;
}

// Whether two indices may name one element: a stride is not positive or too small.
inline bool overlaps_itself(int dims, const int64_t* size, const int64_t* stride) {
  int order[GS_MAX_DIMS], kept = 0;
  for (int d = 0; d < dims; d++) {
    if (size[d] > 1) order[kept++] = d;
  }
  std::stable_sort(order, order + kept, [&](int a, int b) { return stride[a] < stride[b]; });
  int64_t reach = 0;
  for (int i = 0; i < kept; i++) {
    if (stride[order[i]] <= reach) return true;
    reach += (size[order[i]] - 1) * stride[order[i]];
  }
  return false;
}
}  // namespace gs
