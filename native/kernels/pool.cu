// Maximum and average pooling in one to three spatial dimensions, forward and backward.
//
// | kernel | for |
// |---|---|
// | pool_forward_kernel<T, V> | V channels a thread: 4 (f64: 2) of channels-last images, else 1 |
// | pool_backward_kernel<T, V> | the same; an element of dx gathers from the windows that hold it |
//
// Backward gathers, so it needs neither atomics nor a cleared dx, and adds in the order of windows.
// Without stored indices it looks a window's earlier elements up again: little for the usual 2 x 2
// and 3 x 3, quadratic in the window's size where windows overlap.
#include "strides.h"

namespace gs {
namespace {
struct PoolAxisArguments {
  int64_t size, kernel, stride, pad, pad_end, dilation, out;
};
struct PoolArguments {
  PoolAxisArguments axis[3];
  int64_t images, channels;  // channels-first images count as images of one channel
  bool max, count_padding;
};

// Taps t in [from, to) of the window that begins at start lie inside the input.
struct Taps {
  int64_t from, to;
};
KX_DEVICE int64_t steps_up(int64_t distance, int64_t step) {
  return step == 1 ? distance : (distance + step - 1) / step;
}
KX_DEVICE Taps taps_of(const PoolAxisArguments& a, int64_t start) {
  const int64_t from = start < 0 ? steps_up(-start, a.dilation) : 0;
  return {from, start >= a.size ? 0 : min(a.kernel, steps_up(a.size - start, a.dilation))};
}
// How many elements of a window an average counts along one axis.
KX_DEVICE int64_t counted(const PoolArguments& p, const PoolAxisArguments& a, int64_t start) {
  if (p.count_padding) {
    const int64_t end = a.size + a.pad_end;
    return start >= end ? 0 : min(a.kernel, steps_up(end - start, a.dilation));
  }
  const Taps t = taps_of(a, start);
  return t.to > t.from ? t.to - t.from : 0;
}
template <class W>
KX_DEVICE W factor_of(const PoolArguments& p, const int64_t (&start)[3]) {
  const int64_t n = counted(p, p.axis[0], start[0]) * counted(p, p.axis[1], start[1]) *
                    counted(p, p.axis[2], start[2]);
  return W(1) / (W)(n == 0 ? 1 : n);
}

// Calls f(pixel) for the elements of a window inside the input, in row-major order.
template <class F>
KX_DEVICE void for_window(const PoolArguments& p, const int64_t (&start)[3], F f) {
  const Taps a = taps_of(p.axis[0], start[0]), b = taps_of(p.axis[1], start[1]),
             c = taps_of(p.axis[2], start[2]);
  for (int64_t i = a.from; i < a.to; i++) {
    const int64_t plane = (start[0] + i * p.axis[0].dilation) * p.axis[1].size;
    for (int64_t j = b.from; j < b.to; j++) {
      const int64_t row = (plane + start[1] + j * p.axis[1].dilation) * p.axis[2].size + start[2];
      for (int64_t k = c.from; k < c.to; k++) f(row + k * p.axis[2].dilation);
    }
  }
}

template <class T, int V>
__global__ __launch_bounds__(kElementThreads) void pool_forward_kernel(
    const __grid_constant__ PoolArguments p, const T* x, T* y, int64_t* indices) {
  using W = kx::wide<T>;
  using Pixel = Pack<T, V>;
  const int64_t packs = p.channels / V;
  const int64_t pixels = p.axis[0].size * p.axis[1].size * p.axis[2].size;
  const int64_t count = p.images * p.axis[0].out * p.axis[1].out * p.axis[2].out * packs;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, start[3];
    const int64_t pack = take_digit(rest, packs);
#pragma unroll
    for (int d = 2; d >= 0; d--) {
      start[d] = take_digit(rest, p.axis[d].out) * p.axis[d].stride - p.axis[d].pad;
    }
    const Pixel* image = reinterpret_cast<const Pixel*>(x) + rest * pixels * packs + pack;
    W value[V];
    int64_t place[V];
#pragma unroll
    for (int v = 0; v < V; v++) value[v] = p.max ? -static_cast<W>(INFINITY) : W(0), place[v] = -1;
    for_window(p, start, [&](int64_t pixel) {
      const Pixel in = image[pixel * packs];
#pragma unroll
      for (int v = 0; v < V; v++) {
        const W e = kx::to_float(in.v[v]);
        if (!p.max) {
          value[v] += e;
        } else if (place[v] < 0 || e > value[v] || (e != e && value[v] == value[v])) {
          value[v] = e, place[v] = pixel;
        }
      }
    });
    const W factor = p.max ? W(1) : factor_of<W>(p, start);
    Pixel out;
#pragma unroll
    for (int v = 0; v < V; v++) out.v[v] = kx::from_float<T>(value[v] * factor);
    reinterpret_cast<Pixel*>(y)[i] = out;
    if (indices) {
#pragma unroll
      for (int v = 0; v < V; v++) indices[i * V + v] = place[v];
    }
  }
}

// The windows o in [from, to) that can hold input position i.
struct Windows {
  int64_t from, to;
};
KX_DEVICE Windows windows_of(const PoolAxisArguments& a, int64_t i) {
  const int64_t place = i + a.pad, before = place - (a.kernel - 1) * a.dilation;
  return {before <= 0 ? 0 : (before + a.stride - 1) / a.stride,
          min(a.out, (int64_t)(place / a.stride) + 1)};
}
KX_DEVICE bool holds(const PoolAxisArguments& a, int64_t start, int64_t i) {
  return a.dilation == 1 || (i - start) % a.dilation == 0;
}

template <class W>
KX_DEVICE bool same(W a, W b) {
  return a == b || (a != a && b != b);
}

template <class T, int V>
__global__ __launch_bounds__(kElementThreads) void pool_backward_kernel(
    const __grid_constant__ PoolArguments p, const T* x, const T* y, const T* dy, T* dx) {
  using W = kx::wide<T>;
  using Pixel = Pack<T, V>;
  const int64_t packs = p.channels / V;
  const int64_t pixels = p.axis[0].size * p.axis[1].size * p.axis[2].size;
  const int64_t count = p.images * pixels * packs;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at[3];
    const int64_t pack = take_digit(rest, packs);
#pragma unroll
    for (int d = 2; d >= 0; d--) at[d] = take_digit(rest, p.axis[d].size);
    const int64_t place = (at[0] * p.axis[1].size + at[1]) * p.axis[2].size + at[2];
    const Pixel* image = reinterpret_cast<const Pixel*>(x) + rest * pixels * packs + pack;
    Pixel here{};
    if (p.max) here = image[place * packs];
    W sum[V] = {};
    const Windows wa = windows_of(p.axis[0], at[0]), wb = windows_of(p.axis[1], at[1]),
                  wc = windows_of(p.axis[2], at[2]);
    for (int64_t a = wa.from; a < wa.to; a++) {
      for (int64_t b = wb.from; b < wb.to; b++) {
        for (int64_t c = wc.from; c < wc.to; c++) {
          const int64_t start[3] = {a * p.axis[0].stride - p.axis[0].pad,
                                    b * p.axis[1].stride - p.axis[1].pad,
                                    c * p.axis[2].stride - p.axis[2].pad};
          if (!holds(p.axis[0], start[0], at[0]) || !holds(p.axis[1], start[1], at[1]) ||
              !holds(p.axis[2], start[2], at[2])) {
            continue;
          }
          const int64_t window =
              ((rest * p.axis[0].out + a) * p.axis[1].out + b) * p.axis[2].out + c;
          const Pixel g = reinterpret_cast<const Pixel*>(dy)[window * packs + pack];
          if (!p.max) {
            const W factor = factor_of<W>(p, start);
#pragma unroll
            for (int v = 0; v < V; v++) sum[v] += (W)kx::to_float(g.v[v]) * factor;
            continue;
          }
          const Pixel largest = reinterpret_cast<const Pixel*>(y)[window * packs + pack];
          bool mine[V], any = false;
#pragma unroll
          for (int v = 0; v < V; v++) {
            mine[v] = same(kx::to_float(here.v[v]), kx::to_float(largest.v[v]));
            any |= mine[v];
          }
          if (!any) continue;
          for_window(p, start, [&](int64_t pixel) {
            if (pixel >= place) return;  // the first of equal ones takes the gradient
            const Pixel in = image[pixel * packs];
#pragma unroll
            for (int v = 0; v < V; v++) {
              mine[v] = mine[v] && !same(kx::to_float(in.v[v]), kx::to_float(largest.v[v]));
            }
          });
#pragma unroll
          for (int v = 0; v < V; v++) {
            if (mine[v]) sum[v] += kx::to_float(g.v[v]);
          }
        }
      }
    }
    Pixel out;
#pragma unroll
    for (int v = 0; v < V; v++) out.v[v] = kx::from_float<T>(sum[v]);
    reinterpret_cast<Pixel*>(dx)[i] = out;
  }
}

// ---- launchers ----
constexpr int64_t kAxisLimit = INT32_MAX;

// Number of windows; the axis has been checked.
int64_t windows(const gs_pool_axis& a) {
  const int64_t reach = (a.kernel - 1) * a.dilation + 1;
  const int64_t free = a.size + a.pad_begin + a.pad_end - reach;
  if (!a.ceil) return free / a.stride + 1;
  const int64_t n = (free > 0 ? (free + a.stride - 1) / a.stride : 0) + 1;
  // A window that would begin beyond the input and the padding before it is left out.
  return (n - 1) * a.stride >= a.size + a.pad_begin ? n - 1 : n;
}

gs_status check_axis(const gs_pool_axis& a, int index) {
  const auto in = [](int64_t v, int64_t low) { return v >= low && v <= kAxisLimit; };
  GS_REQUIRE(in(a.size, 0) && in(a.kernel, 1) && in(a.stride, 1) && in(a.dilation, 1) &&
                 in(a.pad_begin, 0) && in(a.pad_end, 0),
             "pool: size and padding must be in 0..2^31-1, kernel, stride and dilation in "
             "1..2^31-1; axis %d: size=%lld, kernel=%lld, stride=%lld, dilation=%lld, "
             "padding=%lld+%lld",
             index, (long long)a.size, (long long)a.kernel, (long long)a.stride,
             (long long)a.dilation, (long long)a.pad_begin, (long long)a.pad_end);
  const int64_t padded = a.size + a.pad_begin + a.pad_end;
  GS_REQUIRE((a.kernel - 1) * a.dilation + 1 <= padded || (a.ceil && a.size > 0),
             "pool: kernel must not be larger than the padded input; axis %d: kernel=%lld, "
             "dilation=%lld, input=%lld, padding=%lld+%lld",
             index, (long long)a.kernel, (long long)a.dilation, (long long)a.size,
             (long long)a.pad_begin, (long long)a.pad_end);
  return GS_OK;
}

// Checks the description and fills in the arguments and numbers of elements.
gs_status prepare(const gs_pool* op, PoolArguments* p, int64_t* inputs, int64_t* outputs) {
  GS_REQUIRE(op, "pool: the description must not be null");
  GS_REQUIRE(op->kind == GS_POOL_MAX || op->kind == GS_POOL_AVERAGE,
             "pool: kind must be GS_POOL_MAX or GS_POOL_AVERAGE; kind=%d", op->kind);
  GS_REQUIRE(op->type >= GS_F32 && op->type <= GS_F16,
             "pool: type must be f64, f32, bf16 or f16; type=%d", op->type);
  GS_REQUIRE(op->layout == GS_NCHW || op->layout == GS_NHWC,
             "pool: layout must be GS_NCHW or GS_NHWC; layout=%d", op->layout);
  GS_REQUIRE(op->axes >= 1 && op->axes <= 3, "pool: axes must be 1 to 3 dimensions; axes=%d",
             op->axes);
  GS_REQUIRE(op->n >= 0 && op->c >= 0, "pool: sizes must not be negative; n=%lld, c=%lld",
             (long long)op->n, (long long)op->c);
  *p = {};
  int64_t in[5] = {op->n, op->c, 1, 1, 1}, out[5] = {op->n, op->c, 1, 1, 1};
  for (int d = 0; d < 3; d++) p->axis[d] = {1, 1, 1, 0, 0, 1, 1};
  for (int d = 0; d < op->axes; d++) {
    const gs_pool_axis& a = op->axis[d];
    if (const gs_status s = check_axis(a, d)) return s;
    p->axis[3 - op->axes + d] = {a.size,    a.kernel,   a.stride,  a.pad_begin,
                                 a.pad_end, a.dilation, windows(a)};
    in[2 + d] = a.size, out[2 + d] = windows(a);
  }
  *inputs = count_of(5, in), *outputs = count_of(5, out);
  GS_REQUIRE(*inputs >= 0 && *outputs >= 0, "pool: x and y must be addressable; n=%lld, c=%lld",
             (long long)op->n, (long long)op->c);
  const bool last = op->layout == GS_NHWC;
  p->images = last ? op->n : op->n * op->c, p->channels = last ? op->c : 1;
  p->max = op->kind == GS_POOL_MAX;
  p->count_padding = op->count_include_pad != 0;
  return GS_OK;
}

template <class T>
cudaError_t forward(const PoolArguments& p, int64_t outputs, const void* x, void* y,
                    int64_t* indices, gs_stream stream) {
  constexpr int V = sizeof(T) == 8 ? 2 : 4;
  const T* px = static_cast<const T*>(x);
  T* py = static_cast<T*>(y);
  if (p.channels % V == 0 && aligned16({x, y})) {
    return kx::launch("pool_forward_kernel", pool_forward_kernel<T, V>,
                      element_config(outputs / V, stream), p, px, py, indices);
  }
  return kx::launch("pool_forward_kernel", pool_forward_kernel<T, 1>,
                    element_config(outputs, stream), p, px, py, indices);
}

template <class T>
cudaError_t backward(const PoolArguments& p, int64_t inputs, const void* x, const void* y,
                     const void* dy, void* dx, gs_stream stream) {
  constexpr int V = sizeof(T) == 8 ? 2 : 4;
  const T *px = static_cast<const T*>(x), *py = static_cast<const T*>(y),
          *pdy = static_cast<const T*>(dy);
  T* pdx = static_cast<T*>(dx);
  if (p.channels % V == 0 && aligned16({x, y, dy, dx})) {
    return kx::launch("pool_backward_kernel", pool_backward_kernel<T, V>,
                      element_config(inputs / V, stream), p, px, py, pdy, pdx);
  }
  return kx::launch("pool_backward_kernel", pool_backward_kernel<T, 1>,
                    element_config(inputs, stream), p, px, py, pdy, pdx);
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_pool_forward(const gs_pool* pool, const void* x, void* y, int64_t* indices,
                                     gs_stream stream) {
  gs::PoolArguments p;
  int64_t inputs, outputs;
  if (const gs_status s = gs::prepare(pool, &p, &inputs, &outputs)) return s;
  GS_REQUIRE(!indices || p.max, "pool: indices must be null for averages");
  if (outputs == 0) return GS_OK;
  GS_REQUIRE((x || inputs == 0) && y, "pool: operands must not be null");
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      return cudaErrorInvalidValue;
    } else {
      return gs::forward<T>(p, outputs, x, y, indices, stream);
    }
  };
  return gs::check(gs::with_type(pool->type, launch), "pool_forward");
}

extern "C" gs_status gs_pool_backward(const gs_pool* pool, const void* x, const void* y,
                                      const void* dy, void* dx, gs_stream stream) {
  gs::PoolArguments p;
  int64_t inputs, outputs;
  if (const gs_status s = gs::prepare(pool, &p, &inputs, &outputs)) return s;
  if (inputs == 0) return GS_OK;
  GS_REQUIRE(dx && (outputs == 0 || (dy && (!p.max || (x && y)))),
             "pool: operands must not be null");
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      return cudaErrorInvalidValue;
    } else {
      return gs::backward<T>(p, inputs, x, y, dy, dx, stream);
    }
  };
  return gs::check(gs::with_type(pool->type, launch), "pool_backward");
}
