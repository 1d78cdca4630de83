// A stable sort of 64-bit words in device memory.
#pragma once
#include <cstdint>

#include "kx/kx.h"
#include "status.h"

namespace gs {
// Bits that numbers in [0, count) need.
inline int bits_for(int64_t count) {
  int bits = 0;
  while (bits < 63 && (count - 1) >> bits > 0) bits++;
  return bits;
}

// Bytes of workspace for a sort of count words, a multiple of 256.
int64_t sort_workspace(int64_t count);

// Sorts count words by their bits [low, high), those that are equal there staying in their order.
// Both buffers are overwritten: *sorted says where the result is, in words or in the workspace.
cudaError_t sort_words(uint64_t* words, int64_t count, int low, int high, void* workspace,
                       gs_stream stream, uint64_t** sorted);
}  // namespace gs
