// Convolutions behind the C ABI: checks, the arguments of the passes, and which kernels run.
//
// | file | kernels for |
// |---|---|
// | conv_fma.cu, conv_fma_weight.cu | all passes of f32, implicit products in tiles |
// | conv_mma.cu, conv_mma_weight.cu | the same of bf16 and f16, on tensor cores |
// | conv_gemm.cu | the same of f64: forward and backward data |
// | conv_weight.cu | backward weight of f64; sums of the parts, gradient of the bias |
// | conv_depthwise.cu | all passes with one channel and filter a group, f32 |
// | conv_narrow.cu | backward data with few channels a group, f32 |
// | conv_direct.cu | all passes with few channels a group, whatever else does not do |
#include <numeric>

#include "conv.h"

namespace gs {
namespace {
constexpr int64_t kLimit = INT32_MAX, kPlaces = 1 << 30;
constexpr int64_t kFewColumns = 8;  // fewer fill too little of a tile

// A description in three axes, with everything derived from it.
struct Shape {
  gs_conv_axis axis[3];
  int64_t out[3], filters, channels, taps;  // filters and channels of a group
  int64_t x_count, w_count, y_count;
};

struct Strides {
  int64_t image, channel, step[3];
};
Strides strides_of(const gs_conv& op, int64_t channels, const int64_t (&size)[3]) {
  const bool last = op.layout == GS_NHWC;
  const int64_t unit = last ? channels : 1, pixels = size[0] * size[1] * size[2];
  return {pixels * channels, last ? 1 : pixels, {size[1] * size[2] * unit, size[2] * unit, unit}};
}

gs_status check_axis(const gs_conv_axis& a, int index) {
  const auto in = [](int64_t v, int64_t low) { return v >= low && v <= kLimit; };
  GS_REQUIRE(in(a.size, 0) && in(a.kernel, 1) && in(a.stride, 1) && in(a.dilation, 1) &&
                 in(a.pad_begin, -kLimit) && in(a.pad_end, -kLimit),
             "conv: size must be in 0..2^31-1, kernel, stride and dilation in 1..2^31-1, padding "
             "an int; axis %d: size=%lld, kernel=%lld, stride=%lld, dilation=%lld, "
             "padding=%lld+%lld",
             index, (long long)a.size, (long long)a.kernel, (long long)a.stride,
             (long long)a.dilation, (long long)a.pad_begin, (long long)a.pad_end);
  const int64_t padded = a.size + a.pad_begin + a.pad_end, reach = (a.kernel - 1) * a.dilation + 1;
  GS_REQUIRE(reach <= padded,
             "conv: kernel must not be larger than the padded input; axis %d: kernel=%lld, "
             "dilation=%lld, input=%lld, padding=%lld+%lld",
             index, (long long)a.kernel, (long long)a.dilation, (long long)a.size,
             (long long)a.pad_begin, (long long)a.pad_end);
  if (a.size + std::llabs(a.pad_begin) + std::llabs(a.pad_end) >= kPlaces) {
    return fail(GS_UNSUPPORTED,
                "conv: size and padding together must be below 2^30 here; axis %d: size=%lld, "
                "padding=%lld+%lld",
                index, (long long)a.size, (long long)a.pad_begin, (long long)a.pad_end);
  }
  return GS_OK;
}

gs_status describe(const gs_conv* op, Shape* s) {
  GS_REQUIRE(op, "conv: the description must not be null");
  GS_REQUIRE(op->type >= GS_F32 && op->type <= GS_F16,
             "conv: type must be f64, f32, bf16 or f16; type=%d", op->type);
  GS_REQUIRE(op->layout == GS_NCHW || op->layout == GS_NHWC,
             "conv: layout must be GS_NCHW or GS_NHWC; layout=%d", op->layout);
  GS_REQUIRE(op->axes >= 1 && op->axes <= 3, "conv: axes must be 1 to 3 dimensions; axes=%d",
             op->axes);
  GS_REQUIRE(op->n >= 0 && op->c >= 0 && op->k >= 0,
             "conv: sizes must not be negative; n=%lld, c=%lld, k=%lld", (long long)op->n,
             (long long)op->c, (long long)op->k);
  GS_REQUIRE(op->groups >= 1 && op->c % op->groups == 0 && op->k % op->groups == 0,
             "conv: groups must be positive and divide the channels; groups=%lld, c=%lld, k=%lld",
             (long long)op->groups, (long long)op->c, (long long)op->k);
  *s = {};
  s->filters = op->k / op->groups, s->channels = op->c / op->groups;
  int64_t x[5] = {op->n, op->c, 1, 1, 1}, w[5] = {op->k, s->channels, 1, 1, 1},
          y[5] = {op->n, op->k, 1, 1, 1};
  for (int d = 0; d < 3; d++) s->axis[d] = {1, 1, 1, 0, 0, 1}, s->out[d] = 1;
  for (int i = 0; i < op->axes; i++) {
    const gs_conv_axis& a = op->axis[i];
    if (const gs_status status = check_axis(a, i)) return status;
    const int d = 3 - op->axes + i;
    s->axis[d] = a;
    s->out[d] = (a.size + a.pad_begin + a.pad_end - (a.kernel - 1) * a.dilation - 1) / a.stride + 1;
    x[2 + d] = a.size, w[2 + d] = a.kernel, y[2 + d] = s->out[d];
  }
  s->x_count = count_of(5, x), s->w_count = count_of(5, w), s->y_count = count_of(5, y);
  GS_REQUIRE(s->x_count >= 0 && s->w_count >= 0 && s->y_count >= 0,
             "conv: operands must be addressable; n=%lld, c=%lld, k=%lld", (long long)op->n,
             (long long)op->c, (long long)op->k);
  s->taps = w[2] * w[3] * w[4];
  if (s->taps > kLimit || std::max(s->filters, s->channels) > kLimit / s->taps) {
    return fail(GS_UNSUPPORTED,
                "conv: a filter must have fewer than 2^31 elements here; channels=%lld, "
                "filters=%lld, taps=%lld",
                (long long)s->channels, (long long)s->filters, (long long)s->taps);
  }
  return GS_OK;
}

// Whether conv_depthwise.cu does it. Large strides leave its strips' places no room in 32 bits.
bool depthwise(const gs_conv& op, const Shape& s) {
  if (op.type != GS_F32 || s.filters != 1 || s.channels != 1) return false;
  if (s.taps > kDepthwiseTaps || op.c > (1 << 20)) return false;
  return std::all_of(s.axis, s.axis + 3, [](const gs_conv_axis& a) { return a.stride < 1 << 20; });
}

bool by_fma(const gs_conv& op, const ConvArguments& p) {
  return op.type == GS_F32 && conv_fma_fits(p);
}

bool by_mma(const gs_conv& op) { return op.type == GS_BF16 || op.type == GS_F16; }

// x gathered by output pixels and taps, for forward and backward weight.
ConvArguments over_outputs(const gs_conv& op, const Shape& s) {
  const int64_t sizes[3] = {s.axis[0].size, s.axis[1].size, s.axis[2].size};
  const Strides x = strides_of(op, op.c, sizes), y = strides_of(op, op.k, s.out);
  ConvArguments p{};
  p.images = op.n, p.groups = op.groups, p.channels = s.channels, p.cols = s.filters;
  p.a_image = x.image, p.a_channel = x.channel, p.group_a = s.channels * x.channel;
  p.other_image = y.image;
  p.w_channel = s.taps;
  int64_t w_step = 1;
  for (int d = 2; d >= 0; d--) {
    const gs_conv_axis& a = s.axis[d];
    p.size[d] = (int32_t)a.size, p.a_step[d] = x.step[d], p.other_step[d] = y.step[d];
    p.step[d] = (int32_t)a.stride, p.tap_step[d] = (int32_t)a.dilation;
    // A stride or dilation that is never taken may be larger than any place.
    if (s.out[d] == 1) p.step[d] = 0;
    if (a.kernel == 1) p.tap_step[d] = 0;
    p.grid[0].pixels[d] = (int32_t)s.out[d], p.grid[0].start[d] = (int32_t)-a.pad_begin;
    p.grid[0].taps[d] = (int32_t)a.kernel;
    p.w_step[d] = w_step, w_step *= a.kernel;
  }
  p.phases = p.splits = 1;
  p.channel_fastest = op.layout == GS_NHWC;
  return p;
}

// Copies of the filters that forward (columns: the filters, a phase) and backward data (the
// channels, at most as many phases as taps) need; an upper bound.
int64_t packed_bytes(const gs_conv& op, const Shape& s, int64_t cols, int64_t phases) {
  if (!by_mma(op) || cols < kFewColumns || s.w_count == 0) return 0;
  const int64_t depth = s.filters * s.channels / cols * s.taps;
  return conv_packed_bytes(op.groups, cols, depth, phases);
}

// Forward or backward data.
cudaError_t launch(const gs_conv& op, const Shape& s, const ConvArguments& p, void* workspace,
                   gs_stream stream) {
  if (depthwise(op, s)) return conv_depthwise(p, stream);
  if (p.cols < kFewColumns) return conv_direct(op.type, p, stream);
  if (by_mma(op)) return conv_mma(op.type, p, workspace, stream);
  return by_fma(op, p) ? conv_fma(p, stream) : conv_tiled(op.type, p, stream);
}

gs_status forward(const gs_conv& op, const Shape& s, const void* x, const void* w, const void* bias,
                  void* y, void* workspace, gs_stream stream) {
  if (s.y_count == 0) return GS_OK;
  GS_REQUIRE((x || s.x_count == 0) && (w || s.w_count == 0) && y,
             "conv: operands must not be null");
  GS_REQUIRE(workspace || packed_bytes(op, s, s.filters, 1) == 0,
             "conv: workspace must not be null");
  ConvArguments p = over_outputs(op, s);
  const int64_t y_channel = strides_of(op, op.k, s.out).channel;
  p.a = x, p.b = w, p.bias = bias, p.out = y;
  p.b_col = s.channels * s.taps, p.group_b = s.filters * p.b_col;
  p.out_col = y_channel, p.group_out = s.filters * y_channel;
  p.rows_fastest = op.layout == GS_NCHW, p.b_along_depth = true;
  p.relu = op.relu != 0;
  return check(launch(op, s, p, workspace, stream), "conv_forward");
}

// One axis' share of a phase of backward data: the inputs first, first + stride, ...
struct Residue {
  int64_t pixels, start, taps, first_tap;
};
Residue residue_of(const gs_conv_axis& a, int64_t first) {
  const int64_t every = a.stride / std::gcd(a.stride, a.dilation);  // taps between those that meet
  Residue r{(a.size - first + a.stride - 1) / a.stride, 0, 0, 0};
  for (int64_t t = 0; t < std::min(every, a.kernel); t++) {
    const int64_t distance = first + a.pad_begin - t * a.dilation;
    if (distance % a.stride == 0) {
      r.first_tap = t, r.start = distance / a.stride, r.taps = (a.kernel - t + every - 1) / every;
      break;
    }
  }
  return r;
}

// Arguments of conv_narrow.cu; false where it is of no use.
bool narrow_arguments(const gs_conv& op, const Shape& s, const Strides& x, const Strides& y,
                      ConvNarrow* p) {
  if (op.type != GS_F32 || s.channels >= kFewColumns) return false;
  *p = {};
  p->images = op.n, p->filters = s.filters, p->channels = s.channels, p->groups = op.groups;
  for (int d = 0; d < 3; d++) {
    const gs_conv_axis& a = s.axis[d];
    const int64_t residues = std::min(a.stride, a.size);
    if (a.stride >= 1 << 20 || residues > 64 || a.kernel > 256) return false;
    // The outputs that meet a residue of block 0.
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int64_t r = 0; r < residues; r++) {
      for (int64_t t = 0; t < a.kernel; t++) {
        const int64_t distance = r + a.pad_begin - t * a.dilation;
        if (distance % a.stride != 0) continue;
        low = std::min(low, distance / a.stride), high = std::max(high, distance / a.stride);
      }
    }
    if (high < low) low = 0, high = -1;
    if (high - low >= kNarrowWeights) return false;
    p->base[d] = (int32_t)low, p->window[d] = (int32_t)(high - low + 1);
    p->residues[d] = (int32_t)residues;
    p->stride[d] = (int32_t)a.stride, p->pad[d] = (int32_t)a.pad_begin;
    p->dilation[d] = (int32_t)a.dilation, p->kernel[d] = (int32_t)a.kernel;
    p->size[d] = (int32_t)a.size, p->out[d] = (int32_t)s.out[d];
    p->blocks[d] = (int32_t)((a.size + a.stride - 1) / a.stride);
    p->x_step[d] = x.step[d], p->y_step[d] = y.step[d];
  }
  p->x_image = x.image, p->x_channel = x.channel, p->y_image = y.image, p->y_channel = y.channel;
  p->w_channel = s.taps, p->w_filter = s.channels * s.taps;
  p->last = op.layout == GS_NHWC;
  return conv_narrow_fits(*p);
}

gs_status backward_data(const gs_conv& op, const Shape& s, const void* dy, const void* w,
                        const void* bias, void* dx, void* workspace, gs_stream stream) {
  if (s.x_count == 0) return GS_OK;
  GS_REQUIRE((dy || s.y_count == 0) && (w || s.w_count == 0) && dx,
             "conv: operands must not be null");
  GS_REQUIRE(workspace || packed_bytes(op, s, s.channels, s.taps) == 0,
             "conv: workspace must not be null");
  const int64_t sizes[3] = {s.axis[0].size, s.axis[1].size, s.axis[2].size};
  const Strides x = strides_of(op, op.c, sizes), y = strides_of(op, op.k, s.out);
  ConvNarrow narrow;
  if (!depthwise(op, s) && narrow_arguments(op, s, x, y, &narrow)) {
    narrow.dy = static_cast<const float*>(dy), narrow.w = static_cast<const float*>(w);
    narrow.bias = static_cast<const float*>(bias), narrow.dx = static_cast<float*>(dx);
    narrow.vector = narrow.last && s.filters % 4 == 0 && aligned16({dy});
    return check(conv_narrow(narrow, stream), "conv_backward_data");
  }
  ConvArguments p{};
  p.a = dy, p.b = w, p.bias = bias, p.out = dx;
  p.images = op.n, p.groups = op.groups, p.channels = s.filters, p.cols = s.channels;
  p.a_image = y.image, p.a_channel = y.channel, p.group_a = s.filters * y.channel;
  p.other_image = x.image, p.out_col = x.channel, p.group_out = s.channels * x.channel;
  p.w_channel = s.channels * s.taps, p.b_col = s.taps, p.group_b = s.filters * p.w_channel;
  int64_t w_step[3], phases[3], total = 1;
  for (int d = 2; d >= 0; d--) {
    const gs_conv_axis& a = s.axis[d];
    w_step[d] = d == 2 ? 1 : w_step[d + 1] * s.axis[d + 1].kernel;
    const int64_t common = std::gcd(a.stride, a.dilation);
    p.size[d] = (int32_t)s.out[d], p.a_step[d] = y.step[d], p.other_step[d] = a.stride * x.step[d];
    p.step[d] = 1, p.tap_step[d] = (int32_t)(-a.dilation / common);
    p.w_step[d] = a.stride / common * w_step[d];
    phases[d] = std::min(a.stride, a.size), total *= phases[d];
  }
  p.splits = 1;
  p.channel_fastest = op.layout == GS_NHWC, p.rows_fastest = op.layout == GS_NCHW;
  for (int64_t phase = 0; phase < total; phase++) {
    ConvGrid& g = p.grid[p.phases++];
    g = {};
    int64_t rest = phase;
    for (int d = 2; d >= 0; d--) {
      const int64_t first = rest % phases[d];
      rest /= phases[d];
      const Residue r = residue_of(s.axis[d], first);
      g.pixels[d] = (int32_t)r.pixels, g.start[d] = (int32_t)r.start, g.taps[d] = (int32_t)r.taps;
      g.other_start += first * x.step[d], g.w_start += r.first_tap * w_step[d];
    }
    if (p.phases < kConvPhases && phase + 1 < total) continue;
    const cudaError_t error = launch(op, s, p, workspace, stream);
    if (error != cudaSuccess) return check(error, "conv_backward_data");
    p.phases = 0;
  }
  return GS_OK;
}

// ---- backward weight ----
constexpr int64_t round_up(int64_t v, int64_t to) { return (v + to - 1) / to * to; }

// Parts of the pixels: enough to fill any device, of at least 256 pixels each, in at most 64 MiB
// beyond the first; from sizes alone, so that results do not depend on the device.
int64_t weight_splits(const gs_conv& op, const Shape& s) {
  const int64_t depth = op.n * s.out[0] * s.out[1] * s.out[2];
  if (s.w_count == 0) return 1;
  const ConvArguments p = over_outputs(op, s);
  int64_t wanted;
  if (depthwise(op, s)) {
    wanted = conv_depthwise_splits(p);
  } else if (s.filters < kFewColumns) {
    wanted = (op.layout == GS_NHWC ? 262144 : 16384) / s.w_count;
  } else if (by_fma(op, p)) {
    wanted = conv_fma_splits(p);
  } else if (by_mma(op)) {
    wanted = conv_mma_splits(p);
  } else {
    const int64_t tiles = (s.channels * s.taps + 63) / 64 * ((s.filters + 63) / 64) * op.groups;
    wanted = 1024 / tiles;
  }
  wanted = std::min({wanted, (depth + 255) / 256, (int64_t(1) << 24) / s.w_count, int64_t(1024)});
  return std::max(wanted, depth / kPlaces + 1);  // a part's pixels are counted in 32 bits
}
int64_t bias_splits(const gs_conv& op, int64_t pixels) {
  return std::clamp(op.n * pixels / 4096, int64_t(1), int64_t(256));
}
bool needs_partials(const gs_conv& op, int64_t splits) {
  return splits > 1 || op.type == GS_BF16 || op.type == GS_F16;
}
int64_t partial_bytes(const gs_conv& op, const Shape& s) {
  const int64_t splits = weight_splits(op, s);
  const int64_t bytes = splits * s.w_count * (op.type == GS_F64 ? 8 : 4);
  return needs_partials(op, splits) ? round_up(bytes, 256) : 0;
}

// dbias: sums of `source` (dy; for the transposed form x), of so many channels and pixels.
gs_status backward_weight(const gs_conv& op, const Shape& s, const void* x, const void* dy,
                          void* dw, bool bias_of_x, void* dbias, void* workspace,
                          gs_stream stream) {
  const int64_t partials = partial_bytes(op, s);
  const int64_t bias_channels = bias_of_x ? op.c : op.k;
  GS_REQUIRE(s.w_count == 0 || ((x || s.x_count == 0) && (dy || s.y_count == 0) && dw),
             "conv: operands must not be null");
  const bool bias = dbias && bias_channels > 0;
  GS_REQUIRE(!((s.w_count > 0 && partials > 0) || bias) || workspace,
             "conv: workspace must not be null");
  if (s.w_count > 0) {
    ConvArguments p = over_outputs(op, s);
    const int64_t y_channel = strides_of(op, op.k, s.out).channel;
    const int64_t depth = op.n * s.out[0] * s.out[1] * s.out[2], splits = weight_splits(op, s);
    p.a = x, p.b = dy, p.out = partials > 0 ? workspace : dw;
    p.b_col = y_channel, p.group_b = s.filters * y_channel;
    p.out_col = s.channels * s.taps, p.group_out = s.filters * p.out_col;
    p.rows_fastest = true;
    p.splits = (int32_t)splits, p.split_stride = s.w_count;
    const int64_t step = by_mma(op) ? 32 : 8;
    p.chunk = std::max(round_up((depth + splits - 1) / splits, step), step);
    const int64_t vector = op.type == GS_F64 ? 2 : 4;
    p.vector_a = op.layout == GS_NHWC && s.channels % vector == 0 && aligned16({x});
    p.vector_b = op.layout == GS_NHWC && s.filters % vector == 0 && aligned16({dy});
    cudaError_t error = depthwise(op, s)          ? conv_depthwise_weight(p, stream)
                        : s.filters < kFewColumns ? conv_direct_weight(op.type, p, stream)
                        : by_mma(op)              ? conv_mma_weight(op.type, p, stream)
                        : by_fma(op, p)           ? conv_fma_weight(p, stream)
                                                  : conv_tiled_weight(op.type, p, stream);
    if (error == cudaSuccess && partials > 0) {
      const bool taps_outside = p.channel_fastest && by_mma(op) && s.filters >= kFewColumns;
      error = conv_sum_splits(op.type, s.w_count, p.splits, s.channels, taps_outside ? s.taps : 1,
                              workspace, dw, stream);
    }
    if (error != cudaSuccess) return check(error, "conv_backward_weight");
  }
  if (!bias) return GS_OK;
  const auto pixels_of = [](const int64_t(&n)[3]) { return n[0] * n[1] * n[2]; };
  const int64_t sizes[3] = {s.axis[0].size, s.axis[1].size, s.axis[2].size};
  const int64_t pixels = bias_of_x ? pixels_of(sizes) : pixels_of(s.out);
  const bool last = op.layout == GS_NHWC;
  double* sums = reinterpret_cast<double*>(static_cast<char*>(workspace) + partials);
  return check(
      conv_channel_sums(op.type, last ? op.n * pixels : op.n, bias_channels, last ? 1 : pixels,
                        (int32_t)bias_splits(op, pixels), bias_of_x ? x : dy, sums, dbias, stream),
      "conv_backward_weight");
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_conv_workspace(const gs_conv* op, int64_t* bytes) {
  gs::Shape s;
  if (const gs_status status = gs::describe(op, &s)) return status;
  GS_REQUIRE(bytes, "conv: bytes must not be null");
  const int64_t channels = std::max(op->c, op->k);
  *bytes = std::max({gs::partial_bytes(*op, s) + gs::round_up(256 * channels * 8, 256),
                     gs::packed_bytes(*op, s, s.filters, 1),
                     gs::packed_bytes(*op, s, s.channels, s.taps)});
  return GS_OK;
}

extern "C" gs_status gs_conv_forward(const gs_conv* op, const void* x, const void* w,
                                     const void* bias, void* y, void* workspace, gs_stream stream) {
  gs::Shape s;
  if (const gs_status status = gs::describe(op, &s)) return status;
  return gs::forward(*op, s, x, w, bias, y, workspace, stream);
}

extern "C" gs_status gs_conv_backward_data(const gs_conv* op, const void* dy, const void* w,
                                           void* dx, void* workspace, gs_stream stream) {
  gs::Shape s;
  if (const gs_status status = gs::describe(op, &s)) return status;
  return gs::backward_data(*op, s, dy, w, nullptr, dx, workspace, stream);
}

extern "C" gs_status gs_conv_backward_weight(const gs_conv* op, const void* x, const void* dy,
                                             void* dw, void* dbias, void* workspace,
                                             gs_stream stream) {
  gs::Shape s;
  if (const gs_status status = gs::describe(op, &s)) return status;
  return gs::backward_weight(*op, s, x, dy, dw, false, dbias, workspace, stream);
}

extern "C" gs_status gs_conv_transpose_forward(const gs_conv* adjoint, const void* x, const void* w,
                                               const void* bias, void* y, void* workspace,
                                               gs_stream stream) {
  gs::Shape s;
  if (const gs_status status = gs::describe(adjoint, &s)) return status;
  return gs::backward_data(*adjoint, s, x, w, bias, y, workspace, stream);
}

extern "C" gs_status gs_conv_transpose_backward_data(const gs_conv* adjoint, const void* dy,
                                                     const void* w, void* dx, void* workspace,
                                                     gs_stream stream) {
  gs::Shape s;
  if (const gs_status status = gs::describe(adjoint, &s)) return status;
  return gs::forward(*adjoint, s, dy, w, nullptr, dx, workspace, stream);
}

extern "C" gs_status gs_conv_transpose_backward_weight(const gs_conv* adjoint, const void* x,
                                                       const void* dy, void* dw, void* dbias,
                                                       void* workspace, gs_stream stream) {
  gs::Shape s;
  if (const gs_status status = gs::describe(adjoint, &s)) return status;
  return gs::backward_weight(*adjoint, s, dy, x, dw, true, dbias, workspace, stream);
}
