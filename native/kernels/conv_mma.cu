// Convolution forward and backward data of bf16 and f16 on tensor cores: tiles of implicit products
// (conv.h, conv_mma.h), with filters copied into the order of the product first.
//
// | kernel | for |
// |---|---|
// | conv_pack_kernel<T> | the filters of all phases, depth innermost |
// | conv_mma_kernel<T, false, 1, MI, WN> | channels last, in chunks of eight |
// | conv_mma_kernel<T, false, 0, MI, 2> | else |
//
// A tile has 32 MI x 32 WN results.
#include "conv_mma.h"

namespace gs {
namespace {
constexpr int64_t kManyTiles = 128;  // about a multiprocessor's each: larger tiles may be taken

// w[column][depth] of each group and phase. Grid: elements, groups, phases.
template <class T>
__global__ __launch_bounds__(kElementThreads) void conv_pack_kernel(
    const __grid_constant__ ConvArguments p, T* packed) {
  const ConvGrid& g = p.grid[blockIdx.z];
  const int64_t depth = tap_count(p, g), pitch = packed_pitch(depth), count = p.cols * pitch;
  for (int64_t group = blockIdx.y; group < p.groups; group += gridDim.y) {
    const T* w = static_cast<const T*>(p.b) + group * p.group_b;
    T* to = packed + p.packed[blockIdx.z] + group * count;
    for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
         i += (int64_t)gridDim.x * kElementThreads) {
      int64_t col = i;
      const int64_t k = take_digit(col, pitch);
      to[i] = k < depth ? w[tap_index(p, g, k).other + col * p.b_col] : kx::from_float<T>(0.f);
    }
  }
}

// Forward of one tap and whole chunks: the filters are in that order already.
bool packed_already(const ConvArguments& p) {
  const ConvGrid& g = p.grid[0];
  return p.b_along_depth && p.phases == 1 && g.taps[0] * g.taps[1] * g.taps[2] == 1 &&
         p.channels % kPackedChunk == 0 && aligned16({p.b});
}

template <class T>
cudaError_t pack(ConvArguments& p, void* workspace, gs_stream stream) {
  if (packed_already(p)) return cudaSuccess;
  int64_t start = 0, most = 0;
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    const int64_t count = p.cols * packed_pitch(p.channels * g.taps[0] * g.taps[1] * g.taps[2]);
    p.packed[i] = start;
    start += p.groups * count, most = std::max(most, count);
  }
  const kx::launch_config config{
      dim3((unsigned)std::clamp((most + kElementThreads - 1) / kElementThreads, int64_t(1),
                                int64_t(4096)),
           (unsigned)std::min(p.groups, int64_t(1024)), (unsigned)p.phases),
      dim3(kElementThreads), 0, stream_of(stream)};
  const cudaError_t error = KX_LAUNCH(conv_pack_kernel<T>, config, p, static_cast<T*>(workspace));
  p.b = workspace;
  return error;
}

template <class T, bool VECTOR>
cudaError_t multiply_tiles(const ConvArguments& p, gs_stream stream) {
  int64_t rows = 0;
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    rows = std::max(rows, p.images * g.pixels[0] * g.pixels[1] * g.pixels[2]);
  }
  const auto tiles = [&](int64_t side) {
    return (rows + 127) / 128 * ((p.cols + side - 1) / side) * p.groups * p.phases;
  };
  const unsigned phases = (unsigned)p.phases;
  if constexpr (VECTOR) {  // loads of single elements take too many registers
    if (p.cols > 64 && tiles(128) >= kManyTiles) {
      return launch_conv_mma<T, false, true, 4, 4>(p, rows, phases, stream);
    }
  }
  return tiles(64) >= kManyTiles ? launch_conv_mma<T, false, VECTOR, 4, 2>(p, rows, phases, stream)
                                 : launch_conv_mma<T, false, VECTOR, 2, 2>(p, rows, phases, stream);
}

template <class T>
cudaError_t run(ConvArguments p, void* workspace, gs_stream stream) {
  const cudaError_t error = pack<T>(p, workspace, stream);
  if (error != cudaSuccess) return error;
  const bool last = p.channel_fastest;
  // Channels of all groups lie side by side: images, rows and pixels begin at multiples of them.
  p.vector_out = last && p.cols % 8 == 0 && aligned16({p.out});
  const bool vector = last && p.channels % 8 == 0 && aligned16({p.a});
  return vector ? multiply_tiles<T, true>(p, stream) : multiply_tiles<T, false>(p, stream);
}
}  // namespace

int64_t conv_packed_bytes(int64_t groups, int64_t cols, int64_t depth, int64_t phases) {
  return 2 * groups * cols * (depth + phases * (kPackedChunk - 1));
}

cudaError_t conv_mma(int32_t type, const ConvArguments& p, void* workspace, gs_stream stream) {
  return type == GS_BF16 ? run<kx::bf16>(p, workspace, stream) : run<kx::f16>(p, workspace, stream);
}
}  // namespace gs
