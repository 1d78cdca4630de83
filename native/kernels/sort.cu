// Stable radix sort of 64-bit words, 8 bits a pass from the lowest (LSD).
//
// | kernel | for |
// |---|---|
// | sort_tile_kernel | up to 2048 words: a block, all passes in shared memory |
// | sort_count_kernel | how often each digit occurs in each tile of 2048 words |
// | sort_scan_kernel | a block a digit: prefix sums of its counts over the tiles |
// | sort_scatter_kernel | orders a tile by the digit, then writes runs of equal digits |
//
// A word's rank among equal digits of its warp comes from ballots, so the order is stable and fixed
// (multisplit; Ashkiani et al., "GPU Multisplit", 2016). Counts are integers: their atomic sums in
// shared memory do not depend on the order.
#include "reduce.h"
#include "sort.h"

namespace gs {
namespace {
constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;
constexpr int kSortThreads = kGroupThreads;
static_assert(kSortThreads == kDigits, "a thread a digit where digits are added up");
constexpr int kWarps = kSortThreads / 32, kItems = 8, kTile = kSortThreads * kItems;

struct Tile {
  uint64_t words[kTile];
  uint32_t counts[kWarps][kDigits];
  uint32_t starts[kDigits];  // where each digit begins in the ordered tile
};

KX_DEVICE int place_in_tile(int item) {
  return (int)(threadIdx.x / 32 * kItems + item) * 32 + (int)threadIdx.x % 32;
}

KX_DEVICE int digit_of(uint64_t word, int shift, int bits) {
  return (int)(word >> shift) & ((1 << bits) - 1);
}

// Orders a tile, whose words the threads hold, by a digit: into tile.words. Words from count on are
// taken as of the last digit, so they stay at the end.
KX_DEVICE void order_tile(Tile& tile, uint32_t* sums, const uint64_t (&words)[kItems], int count,
                          int shift, int bits) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (int d = lane; d < kDigits; d += 32) tile.counts[warp][d] = 0;
  __syncwarp();  // the counts are cleared
  uint32_t rank[kItems];
  uint8_t digits[kItems];
#pragma unroll
  for (int j = 0; j < kItems; j++) {
    const int digit = place_in_tile(j) < count ? digit_of(words[j], shift, bits) : (1 << bits) - 1;
    uint32_t peers = 0xffffffffu;
    for (int b = 0; b < bits; b++) {
      const bool one = digit >> b & 1;
      const uint32_t ones = __ballot_sync(0xffffffffu, one);
      peers &= one ? ones : ~ones;
    }
    const uint32_t before = tile.counts[warp][digit];
    const uint32_t lower = peers & ((1u << lane) - 1);
    rank[j] = before + __popc(lower);
    digits[j] = (uint8_t)digit;
    __syncwarp();  // all have read the count
    if (lower == 0) tile.counts[warp][digit] = before + __popc(peers);
    __syncwarp();  // the count is raised
  }
  __syncthreads();  // the warps' counts are complete
  uint32_t sum = 0, total;
#pragma unroll
  for (int w = 0; w < kWarps; w++) {
    const uint32_t c = tile.counts[w][threadIdx.x];
    tile.counts[w][threadIdx.x] = sum;
    sum += c;
  }
  tile.starts[threadIdx.x] = block_prefix(sum, sums, &total);
  __syncthreads();  // starts and the sums over earlier warps are complete
#pragma unroll
  for (int j = 0; j < kItems; j++) {
    tile.words[tile.starts[digits[j]] + tile.counts[warp][digits[j]] + rank[j]] = words[j];
  }
  __syncthreads();  // the tile is in order
}

__global__ __launch_bounds__(kSortThreads) void sort_tile_kernel(uint64_t* words, int count,
                                                                 int low, int high) {
  KX_SHARED(tile, Tile);
  KX_SHARED(sums, uint32_t[kWarps]);
  uint64_t mine[kItems];
#pragma unroll
  for (int j = 0; j < kItems; j++) {
    const int i = place_in_tile(j);
    mine[j] = i < count ? words[i] : 0;
  }
  for (int shift = low; shift < high; shift += kDigitBits) {
    order_tile(tile, sums, mine, count, shift, min(kDigitBits, high - shift));
#pragma unroll
    for (int j = 0; j < kItems; j++) mine[j] = tile.words[place_in_tile(j)];
  }
#pragma unroll
  for (int j = 0; j < kItems; j++) {
    const int i = place_in_tile(j);
    if (i < count) words[i] = mine[j];
  }
}

// counts: [digit][tile].
__global__ __launch_bounds__(kSortThreads) void sort_count_kernel(const uint64_t* words,
                                                                  int64_t count, int shift,
                                                                  int bits, int64_t* counts) {
  KX_SHARED(digits, uint32_t[kDigits]);
  digits[threadIdx.x] = 0;
  __syncthreads();  // the counts are cleared
  const int64_t first = (int64_t)blockIdx.x * kTile;
#pragma unroll
  for (int j = 0; j < kItems; j++) {
    const int64_t i = first + place_in_tile(j);
    if (i < count) atomicAdd(&digits[digit_of(words[i], shift, bits)], 1u);
  }
  __syncthreads();  // the counts are complete
  counts[threadIdx.x * (int64_t)gridDim.x + blockIdx.x] = digits[threadIdx.x];
}

// Turns a digit's counts into prefix sums; totals takes the digit's number.
__global__ __launch_bounds__(kSortThreads) void sort_scan_kernel(int64_t tiles, int64_t* counts,
                                                                 int64_t* totals) {
  KX_SHARED(sums, int64_t[kWarps]);
  int64_t* row = counts + blockIdx.x * tiles;
  int64_t before = 0;
  for (int64_t first = 0; first < tiles; first += kSortThreads) {
    const int64_t i = first + threadIdx.x;
    const int64_t c = i < tiles ? row[i] : 0;
    int64_t total;
    const int64_t prefix = block_prefix(c, sums, &total);
    if (i < tiles) row[i] = before + prefix;
    before += total;
  }
  if (threadIdx.x == 0) totals[blockIdx.x] = before;
}

__global__ __launch_bounds__(kSortThreads) void sort_scatter_kernel(const uint64_t* words,
                                                                    int64_t count, int shift,
                                                                    int bits, const int64_t* counts,
                                                                    const int64_t* totals,
                                                                    uint64_t* sorted) {
  KX_SHARED(tile, Tile);
  KX_SHARED(sums, uint32_t[kWarps]);
  KX_SHARED(long_sums, int64_t[kWarps]);
  KX_SHARED(targets, int64_t[kDigits]);  // of a digit's word, less its place in the tile
  const int64_t first = (int64_t)blockIdx.x * kTile;
  const int here = (int)min((int64_t)kTile, count - first);
  uint64_t mine[kItems];
#pragma unroll
  for (int j = 0; j < kItems; j++) {
    const int i = place_in_tile(j);
    mine[j] = i < here ? words[first + i] : 0;
  }
  order_tile(tile, sums, mine, here, shift, bits);
  int64_t total;
  const int64_t begin = block_prefix(totals[threadIdx.x], long_sums, &total);
  targets[threadIdx.x] = begin + counts[threadIdx.x * (int64_t)gridDim.x + blockIdx.x] -
                         (int64_t)tile.starts[threadIdx.x];
  __syncthreads();  // the targets are complete
  for (int i = threadIdx.x; i < here; i += kSortThreads) {
    const uint64_t word = tile.words[i];
    sorted[targets[digit_of(word, shift, bits)] + i] = word;
  }
}

// ---- launchers ----
int64_t tiles_of(int64_t count) { return (count + kTile - 1) / kTile; }
constexpr int64_t round_up(int64_t v) { return (v + 255) / 256 * 256; }
}  // namespace

int64_t sort_workspace(int64_t count) {
  if (count <= kTile) return 0;
  return round_up(8 * count) + round_up(8 * kDigits * (tiles_of(count) + 1));
}

cudaError_t sort_words(uint64_t* words, int64_t count, int low, int high, void* workspace,
                       gs_stream stream, uint64_t** sorted) {
  *sorted = words;
  if (count <= 1 || low >= high) return cudaSuccess;
  const int64_t tiles = tiles_of(count);
  const auto config = [&](int64_t grid) {
    return kx::launch_config{dim3((unsigned)grid), dim3(kSortThreads), 0, stream_of(stream)};
  };
  if (tiles == 1) {
    return KX_LAUNCH(sort_tile_kernel, config(1), words, (int)count, low, high);
  }
  uint64_t* from = words;
  uint64_t* to = static_cast<uint64_t*>(workspace);
  int64_t* counts = reinterpret_cast<int64_t*>(static_cast<char*>(workspace) + round_up(8 * count));
  int64_t* totals = counts + kDigits * tiles;
  for (int shift = low; shift < high; shift += kDigitBits) {
    const int bits = std::min(kDigitBits, high - shift);
    cudaError_t error =
        KX_LAUNCH(sort_count_kernel, config(tiles), from, count, shift, bits, counts);
    if (error != cudaSuccess) return error;
    error = KX_LAUNCH(sort_scan_kernel, config(kDigits), tiles, counts, totals);
    if (error != cudaSuccess) return error;
    error =
        KX_LAUNCH(sort_scatter_kernel, config(tiles), from, count, shift, bits, counts, totals, to);
    if (error != cudaSuccess) return error;
    std::swap(from, to);
  }
  *sorted = from;
  return cudaSuccess;
}
}  // namespace gs
