// Convolution backward data of f32 with few input channels, as in a network's first layer, where a
// tile of the implicit product would be mostly empty.
//
// | kernel | for |
// |---|---|
// | conv_narrow_kernel<C, LAST> | up to C channels; LAST: channels last |
//
// Along an axis, input b stride + r sees output b + base + u with tap (r + pad - (base + u) stride)
// / dilation, where that is one: u runs over a window that is the same for all b and residues r. A
// thread takes some blocks of inputs, each with kResidues residues (of all axes) and all channels:
// an output that it loads is used for all of them, and filters are broadcast from shared memory.
// Residues whose tap there is none are left out.
#include "conv.h"

namespace gs {
namespace {
constexpr int kThreads = 128, kResidues = 4;

// The tap that joins residue r with place u of the window, or -1.
KX_DEVICE int tap_of(const ConvNarrow& p, int d, int u, int r) {
  const int v = r + p.pad[d] - (p.base[d] + u) * p.stride[d];
  if (v < 0 || v % p.dilation[d] != 0 || v / p.dilation[d] >= p.kernel[d]) return -1;
  return v / p.dilation[d];
}

// Grid: blocks of inputs, groups, residues by kResidues.
template <int C, bool LAST>
__global__ __launch_bounds__(kThreads, C == 8 ? 3 : 4) void conv_narrow_kernel(
    const __grid_constant__ ConvNarrow p) {
  constexpr int P = narrow_blocks(C), CP = narrow_pitch(C);
  constexpr int kMaxWindow = kNarrowWeights / (kResidues * kNarrowFilters * CP);
  KX_SHARED(weights, float[kNarrowWeights]);         // [window][residue][filter][channel]
  KX_SHARED(taps, int32_t[kMaxWindow * kResidues]);  // -1: none
  KX_SHARED(residues, uint32_t[kMaxWindow]);         // bits: residues that have a tap
  const int tid = threadIdx.x, window = p.window[0] * p.window[1] * p.window[2];
  const int residue_count = p.residues[0] * p.residues[1] * p.residues[2];
  for (int i = tid; i < window; i += kThreads) {
    const int ux = i % p.window[2], uy = i / p.window[2] % p.window[1];
    const int uz = i / p.window[2] / p.window[1];
    uint32_t mask = 0;
    for (int j = 0; j < kResidues; j++) {
      const int r = (int)blockIdx.z * kResidues + j;
      const int rx = r % p.residues[2], ry = r / p.residues[2] % p.residues[1];
      const int rz = r / p.residues[2] / p.residues[1];
      const int tz = tap_of(p, 0, uz, rz), ty = tap_of(p, 1, uy, ry), tx = tap_of(p, 2, ux, rx);
      const bool exists = r < residue_count && tz >= 0 && ty >= 0 && tx >= 0;
      taps[i * kResidues + j] = exists ? (tz * p.kernel[1] + ty) * p.kernel[2] + tx : -1;
      if (exists) mask |= 1u << j;
    }
    residues[i] = mask;
  }
  const int64_t count = p.images * p.blocks[0] * p.blocks[1] * p.blocks[2];
  const int64_t first = (int64_t)blockIdx.x * (kThreads * P) + tid;
  int32_t place[P][3];
  int64_t at[P];
#pragma unroll
  for (int i = 0; i < P; i++) {
    int64_t n = first + i * kThreads;
    if (n >= count) n = 0;  // its results are not stored
    for (int d = 2; d >= 0; d--) place[i][d] = (int)take_digit(n, p.blocks[d]) + p.base[d];
    at[i] = n * p.y_image + place[i][0] * p.y_step[0] + place[i][1] * p.y_step[1] +
            place[i][2] * p.y_step[2];
  }

  for (int64_t group = blockIdx.y; group < p.groups; group += gridDim.y) {
    const float* w = p.w + group * p.filters * p.w_filter;
    const float* dy = p.dy + group * p.filters * p.y_channel;
    float sums[kResidues][P][C] = {};
    for (int64_t k0 = 0; k0 < p.filters; k0 += p.chunk) {
      const int filters = (int)min(p.filters - k0, (int64_t)p.chunk);
      __syncthreads();  // the taps are complete; all are done with the last filters
      for (int i = tid; i < window * kResidues * p.chunk * CP; i += kThreads) {
        const int c = i % CP, k = i / CP % p.chunk, tap = taps[i / CP / p.chunk];
        weights[i] = c < p.channels && k < filters && tap >= 0
                         ? w[(k0 + k) * p.w_filter + c * p.w_channel + tap]
                         : 0.f;
      }
      __syncthreads();  // the filters are complete
      int u = -1;
      for (int uz = 0; uz < p.window[0]; uz++) {
        for (int uy = 0; uy < p.window[1]; uy++) {
          for (int ux = 0; ux < p.window[2]; ux++) {
            const uint32_t mask = residues[++u];
            if (mask == 0) continue;
            const float* from[P];
            bool inside[P];
#pragma unroll
            for (int i = 0; i < P; i++) {
              inside[i] = (uint32_t)(place[i][0] + uz) < (uint32_t)p.out[0] &&
                          (uint32_t)(place[i][1] + uy) < (uint32_t)p.out[1] &&
                          (uint32_t)(place[i][2] + ux) < (uint32_t)p.out[2];
              from[i] = dy + (at[i] + uz * p.y_step[0] + uy * p.y_step[1] + ux * p.y_step[2] +
                              k0 * p.y_channel);
            }
#pragma unroll 1
            for (int k = 0; k < filters; k += 4) {
              float values[P][4];
#pragma unroll
              for (int i = 0; i < P; i++) {
                if (LAST && p.vector) {
                  Pack<float> pack = {};
                  if (inside[i]) pack = *reinterpret_cast<const Pack<float>*>(from[i] + k);
#pragma unroll
                  for (int j = 0; j < 4; j++) values[i][j] = pack.v[j];
                } else {
#pragma unroll
                  for (int j = 0; j < 4; j++) {
                    values[i][j] =
                        inside[i] && k + j < filters ? from[i][(k + j) * p.y_channel] : 0.f;
                  }
                }
              }
              const float* with = weights + (u * (kResidues * p.chunk) + k) * CP;
#pragma unroll
              for (int r = 0; r < kResidues; r++) {
                if ((mask >> r & 1) == 0) continue;
#pragma unroll
                for (int j = 0; j < 4; j++) {
                  float tap[C];
                  const Pack < float,
                      CP<4 ? CP : 4>* packs = reinterpret_cast < const Pack<float, CP<4 ? CP : 4>*>(
                                                                     with + (r * p.chunk + j) * CP);
#pragma unroll
                  for (int c = 0; c < C; c++) tap[c] = packs[c / 4].v[c % 4];
#pragma unroll
                  for (int i = 0; i < P; i++) {
#pragma unroll
                    for (int c = 0; c < C; c++) {
                      sums[r][i][c] = fma(values[i][j], tap[c], sums[r][i][c]);
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    float* dx = p.dx + group * p.channels * p.x_channel;
    const float* bias = p.bias ? p.bias + group * p.channels : nullptr;
#pragma unroll
    for (int r = 0; r < kResidues; r++) {
      const int residue = (int)blockIdx.z * kResidues + r;
      if (residue >= residue_count) break;
      const int rx = residue % p.residues[2], ry = residue / p.residues[2] % p.residues[1];
      const int rz = residue / p.residues[2] / p.residues[1];
#pragma unroll
      for (int i = 0; i < P; i++) {
        int64_t n = first + i * kThreads;
        if (n >= count) break;
        const int x = (int)take_digit(n, p.blocks[2]) * p.stride[2] + rx;
        const int y = (int)take_digit(n, p.blocks[1]) * p.stride[1] + ry;
        const int z = (int)take_digit(n, p.blocks[0]) * p.stride[0] + rz;
        if (x >= p.size[2] || y >= p.size[1] || z >= p.size[0]) continue;
        float* to = dx + (n * p.x_image + z * p.x_step[0] + y * p.x_step[1] + x * p.x_step[2]);
#pragma unroll
        for (int c = 0; c < C; c++) {
          if (c >= p.channels) break;
          to[c * p.x_channel] = sums[r][i][c] + (bias ? bias[c] : 0.f);
        }
      }
    }
  }
}

template <int C>
cudaError_t launch(const ConvNarrow& p, gs_stream stream) {
  const int64_t count = p.images * p.blocks[0] * p.blocks[1] * p.blocks[2];
  const int64_t tile = kThreads * narrow_blocks(C), tiles = (count + tile - 1) / tile;
  if (tiles > INT32_MAX) return cudaErrorInvalidConfiguration;
  const int residues = p.residues[0] * p.residues[1] * p.residues[2];
  const kx::launch_config config{dim3((unsigned)tiles, (unsigned)std::min(p.groups, int64_t(65535)),
                                      (unsigned)((residues + kResidues - 1) / kResidues)),
                                 dim3(kThreads), 0, stream_of(stream)};
  return kx::launch("conv_narrow_kernel",
                    p.last ? conv_narrow_kernel<C, true> : conv_narrow_kernel<C, false>, config, p);
}

int64_t weights_of(const ConvNarrow& p, int filters) {
  const int64_t window = (int64_t)p.window[0] * p.window[1] * p.window[2];
  return window * kResidues * filters * narrow_pitch((int)p.channels);
}
}  // namespace

bool conv_narrow_fits(const ConvNarrow& p) {
  const int64_t residues = (int64_t)p.residues[0] * p.residues[1] * p.residues[2];
  return p.channels <= 8 && residues <= 256 && weights_of(p, kNarrowFilters) <= kNarrowWeights;
}

cudaError_t conv_narrow(const ConvNarrow& arguments, gs_stream stream) {
  ConvNarrow p = arguments;
  // Outputs of more filters at a time would no longer stay in L1 while the window moves.
  p.chunk =
      weights_of(p, 2 * kNarrowFilters) <= kNarrowWeights ? 2 * kNarrowFilters : kNarrowFilters;
  return p.channels == 1   ? launch<1>(p, stream)
         : p.channels <= 3 ? launch<3>(p, stream)
                           : launch<8>(p, stream);
}
}  // namespace gs
