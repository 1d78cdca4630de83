// What the tiled products share: vectors and slices of shared memory, the order of threads in a
// tile.
#pragma once
#include "kx/kx.h"

namespace gs {
template <class T>
KX_DEVICE void load4(T (&to)[4], const T* from) {
  if constexpr (sizeof(T) == 4) {
    const float4 v = *reinterpret_cast<const float4*>(from);
    to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
  } else {
    const double2 v = reinterpret_cast<const double2*>(from)[0];
    const double2 w = reinterpret_cast<const double2*>(from)[1];
    to[0] = v.x, to[1] = v.y, to[2] = w.x, to[3] = w.y;
  }
}
template <class T>
KX_DEVICE void store4(T* to, const T (&from)[4]) {
  if constexpr (sizeof(T) == 4) {
    *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
  } else {
    reinterpret_cast<double2*>(to)[0] = make_double2(from[0], from[1]);
    reinterpret_cast<double2*>(to)[1] = make_double2(from[2], from[3]);
  }
}

// Where a fragment of an mma (columns 2q and 2q + 1 of rows g) goes in a slice of 32 columns
// without padding: quads are exchanged, so that neither the fragments' stores nor the rows' loads
// have bank conflicts.
KX_DEVICE int exchanged_quad(int row, int quad) { return quad ^ (row & 3) << 1; }
KX_DEVICE float* slice_place(float* slice, int row, int col) {
  return slice + row * 32 + exchanged_quad(row, col / 4) * 4 + col % 4;
}
}  // namespace gs
