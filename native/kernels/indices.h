// Operands of indices: how they are read, and how one that is out of range is told.
#pragma once
#include "strides.h"

namespace gs {
// At the start of the workspace, for the caller: where the first index that is out of range lies.
using BadIndex = unsigned long long;
constexpr BadIndex kNoBadIndex = ~0ull;  // -1 to the caller
constexpr int64_t kBadIndexBytes = 256;

struct Indices {
  const void* values;
  int64_t size;  // of the dimension that is indexed
  bool wide;     // int64_t, else int32_t
  bool from_end;

  KX_DEVICE int64_t raw(int64_t k) const {
    return wide ? static_cast<const int64_t*>(values)[k] : static_cast<const int32_t*>(values)[k];
  }
  // An index that has been checked.
  KX_DEVICE int64_t at(int64_t k) const {
    const int64_t i = raw(k);
    return i < 0 ? i + size : i;
  }
  KX_DEVICE bool is_good(int64_t i) const { return i < size && i >= (from_end ? -size : 0); }
};

// To be enqueued before any kernel that notes a bad index.
inline cudaError_t clear_bad_index(void* workspace, gs_stream stream) {
  return cudaMemsetAsync(workspace, 0xff, sizeof(BadIndex), stream_of(stream));
}

// The index operand that a description names; size and types have been checked.
inline Indices indices_of(const void* values, int64_t size, int32_t type, int32_t from_end) {
  return {values, size, type == GS_I64, from_end != 0};
}

// Notes the first of count indices that is out of range; clears the note first.
cudaError_t check_indices(const Indices& indices, int64_t count, void* workspace, gs_stream stream);

// ---- descriptions, checked ----
gs_status check_gather(const gs_gather* op);

// One element for each index: walk goes over the indices in order (operand 0) and over x (operand
// 1), whose stride along the axis is 0; along it an index is worth `step` elements.
struct ElementwiseIndices {
  Walk<2> walk;
  Walk<2> lines;  // the same without the axis
  int64_t count, length, line_count;
  int64_t step, index_step;  // along the axis, of x and of the indices
  int64_t x_count;
};
gs_status describe_gather_elements(const gs_gather_elements* op, ElementwiseIndices* e);
}  // namespace gs
