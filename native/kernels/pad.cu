// Borders added to an array or cut off, and their gradient.
//
// | kernel | for |
// |---|---|
// | pad_forward_kernel<T> | an element of y a thread; T as wide as trailing dimensions without a
// border and addresses allow, up to 16 bytes |
// | pad_backward_kernel<TYPE, V> | V elements of dx a thread, which adds up the places that hold
// them |
//
// Backward gathers, so it needs neither atomics nor a cleared dx, and adds in row-major order.
#include "casts.h"
#include "strides.h"

namespace gs {
namespace {
using Wide16 = uint4;

struct PadAxisArguments {
  int64_t size, before, out;
};
// The dimensions, outermost first; behind them `block` elements that have no border.
struct PadArguments {
  PadAxisArguments axis[GS_MAX_DIMS];
  int64_t block;
  int mode, dims;
};

// The input that output o of an axis holds; -1: the constant.
KX_DEVICE int64_t source_of(int mode, const PadAxisArguments& a, int64_t o) {
  const int64_t i = o - a.before;
  if (i >= 0 && i < a.size) return i;
  switch (mode) {
    case GS_PAD_REFLECT:
      return i < 0 ? -i : 2 * (a.size - 1) - i;
    case GS_PAD_REPLICATE:
      return i < 0 ? 0 : a.size - 1;
    case GS_PAD_CIRCULAR:
      return i < 0 ? i + a.size : i - a.size;
    default:
      return -1;
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void pad_forward_kernel(
    const __grid_constant__ PadArguments p, int64_t count, T constant, const T* x, T* y) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at = take_digit(rest, p.block), step = p.block;
    bool inside = true;
    for (int d = p.dims - 1; d >= 0; d--) {
      const int64_t from = source_of(p.mode, p.axis[d], take_digit(rest, p.axis[d].out));
      inside &= from >= 0;
      at += from * step;
      step *= p.axis[d].size;
    }
    y[i] = inside ? x[at] : constant;
  }
}

// The outputs of an axis that hold input i: up to three stretches, ascending.
struct Holders {
  int64_t begin[3];
  int64_t count[3];

  KX_DEVICE int64_t total() const { return count[0] + count[1] + count[2]; }
  KX_DEVICE int64_t at(int64_t n) const {
    if (n < count[0]) return begin[0] + n;
    n -= count[0];
    return n < count[1] ? begin[1] + n : begin[2] + (n - count[1]);
  }
};
KX_DEVICE void put(Holders& h, int slot, int64_t from, int64_t to, int64_t out) {
  h.begin[slot] = max(from, (int64_t)0);
  h.count[slot] = max(min(to, out) - h.begin[slot], (int64_t)0);
}
KX_DEVICE Holders holders_of(int mode, const PadAxisArguments& a, int64_t i) {
  Holders h{};
  const int64_t own = i + a.before;
  if (mode == GS_PAD_REPLICATE) {
    put(h, 1, i == 0 ? 0 : own, i == a.size - 1 ? a.out : own + 1, a.out);
    return h;
  }
  put(h, 1, own, own + 1, a.out);
  if (mode == GS_PAD_REFLECT) {
    const int64_t mirrored = 2 * (a.size - 1) - i + a.before;
    if (i > 0) put(h, 0, a.before - i, a.before - i + 1, a.out);
    if (i < a.size - 1) put(h, 2, mirrored, mirrored + 1, a.out);
  } else if (mode == GS_PAD_CIRCULAR) {
    put(h, 0, own - a.size, own - a.size + 1, a.out);
    put(h, 2, own + a.size, own + a.size + 1, a.out);
  }
  return h;
}

// block and count: in packs of V.
template <int TYPE, int V>
__global__ __launch_bounds__(kElementThreads) void pad_backward_kernel(
    const __grid_constant__ PadArguments p, int64_t count, const Storage<TYPE>* dy,
    Storage<TYPE>* dx) {
  using Elements = Pack<Storage<TYPE>, V>;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t first = i, places = 1;
    const int64_t in_block = take_digit(first, p.block);
    int64_t rest = first;
    for (int d = p.dims - 1; d >= 0; d--) {
      places *= holders_of(p.mode, p.axis[d], take_digit(rest, p.axis[d].size)).total();
    }
    double sum[V] = {};
    // The places are numbered in row-major order; each number is taken apart anew, since the usual
    // element has one place.
    for (int64_t n = 0; n < places; n++) {
      int64_t number = n, at = in_block, step = p.block;
      rest = first;
      for (int d = p.dims - 1; d >= 0; d--) {
        const Holders h = holders_of(p.mode, p.axis[d], take_digit(rest, p.axis[d].size));
        at += h.at(take_digit(number, h.total())) * step;
        step *= p.axis[d].out;
      }
      const Elements g = reinterpret_cast<const Elements*>(dy)[at];
#pragma unroll
      for (int v = 0; v < V; v++) sum[v] += widen<TYPE>(g.v[v]);
    }
    Elements result;
#pragma unroll
    for (int v = 0; v < V; v++) result.v[v] = narrow<TYPE>(sum[v]);
    reinterpret_cast<Elements*>(dx)[i] = result;
  }
}

// ---- launchers ----
gs_status check_axis(const gs_pad& op, int d, PadAxisArguments* a) {
  const int64_t size = op.size[d], before = op.before[d], after = op.after[d];
  int64_t out;
  GS_REQUIRE(size >= 0 && !__builtin_add_overflow(size, before, &out) &&
                 !__builtin_add_overflow(out, after, &out) && out >= 0,
             "pad: sizes must not be negative; dimension %d: size=%lld, before=%lld, after=%lld", d,
             (long long)size, (long long)before, (long long)after);
  const int64_t most = op.mode == GS_PAD_REFLECT     ? std::max(size - 1, (int64_t)0)
                       : op.mode == GS_PAD_CIRCULAR  ? size
                       : op.mode == GS_PAD_REPLICATE ? (size == 0 ? 0 : INT64_MAX)
                                                     : INT64_MAX;
  GS_REQUIRE(std::max(before, after) <= most,
             "pad: the border must not be longer than its mode allows; mode=%d, dimension %d: "
             "size=%lld, before=%lld, after=%lld",
             op.mode, d, (long long)size, (long long)before, (long long)after);
  *a = {size, before, out};
  return GS_OK;
}
bool plain(const PadAxisArguments& a) { return a.before == 0 && a.out == a.size; }

// Checks the description; neighbours without a border become one dimension, trailing ones the
// block.
gs_status describe(const gs_pad* op, PadArguments* p, int64_t* inputs, int64_t* outputs) {
  GS_REQUIRE(op, "pad: the description must not be null");
  GS_REQUIRE(op->mode >= GS_PAD_CONSTANT && op->mode <= GS_PAD_CIRCULAR,
             "pad: no such mode; mode=%d", op->mode);
  GS_REQUIRE(op->type >= GS_F32 && op->type <= GS_U8, "pad: no such element type; type=%d",
             op->type);
  GS_REQUIRE(op->dims >= 0 && op->dims <= GS_MAX_DIMS,
             "pad: x must have 0 to 8 dimensions; dims=%d", op->dims);
  *p = {};
  p->mode = op->mode, p->block = 1;
  int64_t out[GS_MAX_DIMS];
  PadAxisArguments axis[GS_MAX_DIMS];
  for (int d = 0; d < op->dims; d++) {
    if (const gs_status s = check_axis(*op, d, &axis[d])) return s;
    out[d] = axis[d].out;
  }
  *inputs = count_of(op->dims, op->size), *outputs = count_of(op->dims, out);
  GS_REQUIRE(*inputs >= 0 && *outputs >= 0, "pad: x and y must be addressable; dims=%d", op->dims);
  int dims = op->dims;
  while (dims > 0 && plain(axis[dims - 1])) p->block *= axis[--dims].size;
  for (int d = 0; d < dims; d++) {
    PadAxisArguments* last = p->dims > 0 ? &p->axis[p->dims - 1] : nullptr;
    if (last && plain(*last) && plain(axis[d])) {
      last->size *= axis[d].size, last->out = last->size;
    } else {
      p->axis[p->dims++] = axis[d];
    }
  }
  return GS_OK;
}

cudaError_t forward(PadArguments p, int type, int64_t outputs, double value, const void* x, void* y,
                    gs_stream stream) {
  uint64_t bits = 0;
  with_type_code(type, [&](auto t) {
    const auto element = narrow<t.value>(value);
    memcpy(&bits, &element, sizeof element);
  });
  const int bytes = bytes_of(type);
  for (int b = bytes; b < 8; b *= 2) bits |= bits << (8 * b);
  const auto lowest = reinterpret_cast<uintptr_t>(x) | reinterpret_cast<uintptr_t>(y) |
                      (uintptr_t)(p.block * bytes) | 16;
  const int wide = (int)(lowest & -lowest);
  const int64_t count = outputs * bytes / wide;
  p.block = p.block * bytes / wide;
  const auto launch = [&](auto constant) {
    using T = decltype(constant);
    return KX_LAUNCH(pad_forward_kernel<T>, element_config(count, stream), p, count, constant,
                     static_cast<const T*>(x), static_cast<T*>(y));
  };
  if (wide == 16) {
    const auto low = (uint32_t)bits, high = (uint32_t)(bits >> 32);
    return launch(Wide16{low, high, low, high});
  }
  return with_width(wide, [&](auto zero) { return launch((decltype(zero))bits); });
}

template <int TYPE>
cudaError_t backward(PadArguments p, int64_t inputs, const void* dy, void* dx, gs_stream stream) {
  using T = Storage<TYPE>;
  constexpr int V = Pack<T>::kSize;
  const T* from = static_cast<const T*>(dy);
  T* to = static_cast<T*>(dx);
  if (p.block % V == 0 && aligned16({dy, dx})) {
    p.block /= V;
    return kx::launch("pad_backward_kernel", pad_backward_kernel<TYPE, V>,
                      element_config(inputs / V, stream), p, inputs / V, from, to);
  }
  return kx::launch("pad_backward_kernel", pad_backward_kernel<TYPE, 1>,
                    element_config(inputs, stream), p, inputs, from, to);
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_pad_forward(const gs_pad* pad, const void* x, void* y, gs_stream stream) {
  gs::PadArguments p;
  int64_t inputs, outputs;
  if (const gs_status s = gs::describe(pad, &p, &inputs, &outputs)) return s;
  if (outputs == 0) return GS_OK;
  GS_REQUIRE((x || inputs == 0) && y, "pad: operands must not be null");
  return gs::check(gs::forward(p, pad->type, outputs, pad->value, x, y, stream), "pad_forward");
}

extern "C" gs_status gs_pad_backward(const gs_pad* pad, const void* dy, void* dx,
                                     gs_stream stream) {
  gs::PadArguments p;
  int64_t inputs, outputs;
  if (const gs_status s = gs::describe(pad, &p, &inputs, &outputs)) return s;
  GS_REQUIRE(gs::is_floating(pad->type), "pad: type must be floating to have a gradient; type=%d",
             pad->type);
  if (inputs == 0) return GS_OK;
  GS_REQUIRE((dy || outputs == 0) && dx, "pad: operands must not be null");
  const auto run = [&](auto type) {
    return gs::backward<decltype(type)::value>(p, inputs, dy, dx, stream);
  };
  switch (pad->type) {
    case GS_F32:
      return gs::check(run(std::integral_constant<int, GS_F32>()), "pad_backward");
    case GS_F64:
      return gs::check(run(std::integral_constant<int, GS_F64>()), "pad_backward");
    case GS_BF16:
      return gs::check(run(std::integral_constant<int, GS_BF16>()), "pad_backward");
    default:
      return gs::check(run(std::integral_constant<int, GS_F16>()), "pad_backward");
  }
}
