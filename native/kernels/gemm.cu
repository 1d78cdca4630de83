// The matrix product behind the C ABI: checks, the choice of a method, and the parts of k.
//
// | kernel | for |
// |---|---|
// | gemm_simt.cu | any types, f64, strict f32 |
// | gemm_mma.cu | bf16, f16, tf32 on request |
// | gemm_sm90a.cu | bf16, f16 on Hopper |
// | gemm_sum_parts_kernel<W> | adds the parts of k in order, then the epilogue |
#include <algorithm>

#include "device.h"
#include "elementwise.h"
#include "gemm.h"
#include "gemm_rules.h"
#include "status.h"

namespace gs {
namespace {
// A thread takes a quad of neighbours.
template <class W>
__global__ __launch_bounds__(kElementThreads) void gemm_sum_parts_kernel(
    const __grid_constant__ GemmArguments<W> p) {
  const int64_t quads = (p.n + 3) / 4, count = quads * p.m * p.batch;
  const bool vector = p.n % 4 == 0;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    const int64_t col = i % quads * 4, row = i / quads % p.m, product = i / quads / p.m;
    const int left = (int)min(p.n - col, (int64_t)4);
    W z[4], part[4];
    load_quad(z, partial_row(p, 0, product, row) + col, left, vector);
    for (int s = 1; s < p.splits; s++) {
      load_quad(part, partial_row(p, s, product, row) + col, left, vector);
#pragma unroll
      for (int j = 0; j < 4; j++) z[j] += part[j];
    }
    finish(p, z, product * p.stride_c + row * p.ldc + col, col, left);
  }
}

// ---- checks ----
// Whether (count - 1) * pitch + columns fits in what offsets can address, in elements.
bool addressable(int64_t count, int64_t pitch, int64_t columns) {
  int64_t product, sum;
  return count == 0 || (!__builtin_mul_overflow(count - 1, pitch, &product) &&
                        !__builtin_add_overflow(product, columns, &sum) && sum <= INT64_MAX / 16);
}
bool is_float_type(int32_t type) { return type >= GS_F32 && type <= GS_F16; }
bool is_16_bit(int32_t type) { return type == GS_BF16 || type == GS_F16; }

gs_status check_description(const gs_gemm* g) {
  GS_REQUIRE(g, "gemm: the description must not be null");
  GS_REQUIRE(is_float_type(g->a_type) && is_float_type(g->b_type) && is_float_type(g->c_type),
             "gemm: types must be f64, f32, bf16 or f16; a=%d, b=%d, c=%d", g->a_type, g->b_type,
             g->c_type);
  const bool wide = g->c_type == GS_F64;
  GS_REQUIRE(wide == (g->a_type == GS_F64) && wide == (g->b_type == GS_F64),
             "gemm: types must all be f64 or none; a=%d, b=%d, c=%d", g->a_type, g->b_type,
             g->c_type);
  GS_REQUIRE(g->m >= 0 && g->n >= 0 && g->k >= 0 && g->batch >= 0,
             "gemm: sizes must not be negative; m=%lld, n=%lld, k=%lld, batch=%lld",
             (long long)g->m, (long long)g->n, (long long)g->k, (long long)g->batch);
  const int64_t a_cols = g->trans_a ? g->m : g->k, b_cols = g->trans_b ? g->k : g->n;
  const int64_t a_rows = g->trans_a ? g->k : g->m, b_rows = g->trans_b ? g->n : g->k;
  GS_REQUIRE(g->lda >= a_cols && g->ldb >= b_cols && g->ldc >= g->n,
             "gemm: leading dimensions must be at least the stored columns; lda=%lld (%lld), "
             "ldb=%lld (%lld), ldc=%lld (%lld)",
             (long long)g->lda, (long long)a_cols, (long long)g->ldb, (long long)b_cols,
             (long long)g->ldc, (long long)g->n);
  GS_REQUIRE(g->stride_a >= 0 && g->stride_b >= 0 && g->stride_c >= 0,
             "gemm: strides must not be negative; stride_a=%lld, stride_b=%lld, stride_c=%lld",
             (long long)g->stride_a, (long long)g->stride_b, (long long)g->stride_c);
  GS_REQUIRE(addressable(a_rows, g->lda, a_cols) && addressable(b_rows, g->ldb, b_cols) &&
                 addressable(g->m, g->ldc, g->n) && addressable(g->batch, g->stride_a, 0) &&
                 addressable(g->batch, g->stride_b, 0) && addressable(g->batch, g->stride_c, 0),
             "gemm: operands must be addressable; m=%lld, n=%lld, k=%lld, batch=%lld",
             (long long)g->m, (long long)g->n, (long long)g->k, (long long)g->batch);
  GS_REQUIRE(g->batch <= 1 || g->m == 0 || g->n == 0 || g->stride_c >= (g->m - 1) * g->ldc + g->n,
             "gemm: products must not overlap in C; stride_c=%lld", (long long)g->stride_c);
  GS_REQUIRE(g->activation >= GS_IDENTITY && g->activation <= GS_GELU_TANH,
             "gemm: activation must be one of GS_IDENTITY..GS_GELU_TANH; activation=%d",
             g->activation);
  GS_REQUIRE(!g->backward || (!g->add_bias && !g->save_aux),
             "gemm: a backward form neither adds a bias nor saves aux");
  GS_REQUIRE(!(g->bias_gradient && g->add_bias),
             "gemm: the bias can't be added where its gradient is stored");
  GS_REQUIRE(g->method >= GS_GEMM_AUTO && g->method <= GS_GEMM_WGMMA,
             "gemm: method must be one of GS_GEMM_AUTO..GS_GEMM_WGMMA; method=%d", g->method);
  GS_REQUIRE(g->tile == 0 || g->tile == 64 || g->tile == 128 || g->tile == 256,
             "gemm: tile must be 64, 128, 256 or 0; tile=%d", g->tile);
  GS_REQUIRE(g->splits >= 0 && g->splits <= 1024, "gemm: splits must be 0 to 1024; splits=%d",
             g->splits);
  const auto in_int = [](int64_t v) { return v <= INT32_MAX; };
  if (!in_int(g->k) || !in_int((g->m + 63) / 64) || !in_int((g->n + 63) / 64) ||
      !in_int((g->m + 63) / 64 * ((g->n + 63) / 64))) {
    return fail(
        GS_UNSUPPORTED,
        "gemm: C has more than 2^31 - 1 tiles, or k is above 2^31 - 1; m=%lld, n=%lld, k=%lld",
        (long long)g->m, (long long)g->n, (long long)g->k);
  }
  return GS_OK;
}

// Why a method can't do it here, or null.
const char* refusal(const gs_gemm& g, int32_t method) {
  if (method == GS_GEMM_MMA) {
    if (g.a_type != g.b_type) return "mma needs A and B of one type";
    if (!is_16_bit(g.a_type) && !(g.a_type == GS_F32 && g.tf32)) {
      return "mma takes bf16 or f16, or f32 with tf32 allowed";
    }
    if (g.tile == 256) return "mma has no tiles of 256";
    if (device_capability() < 80) return "mma needs compute capability 8.0";
  }
  if (method == GS_GEMM_WGMMA) {
    const auto whole = [&](int64_t ld, int64_t stride) {
      return ld % 8 == 0 && (g.batch <= 1 || stride % 8 == 0);
    };
    if (g.a_type != g.b_type || !is_16_bit(g.a_type)) return "wgmma takes bf16 or f16, A as B";
    if (device_capability() != 90) return "wgmma needs compute capability 9.0";
    if (!whole(g.lda, g.stride_a) || !whole(g.ldb, g.stride_b)) {
      return "wgmma needs leading dimensions and strides that are multiples of 8";
    }
    if (std::max({g.m, g.n, g.batch}) > INT32_MAX - 256) return "wgmma needs sizes below 2^31";
  }
  if (method == GS_GEMM_SIMT && g.tile > 64 && (g.a_type != GS_F32 || g.b_type != GS_F32)) {
    return "simt has tiles of 64 only but for f32";
  }
  return nullptr;
}

// The description's method, or the first in order that can.
gs_status choose(const gs_gemm& g, int32_t* method) {
  *method = g.method;
  if (g.method == GS_GEMM_AUTO) {
    *method = GS_GEMM_WGMMA;
    while (*method > GS_GEMM_SIMT && refusal(g, *method)) --*method;
  }
  const char* reason = refusal(g, *method);
  return reason ? fail(GS_UNSUPPORTED, "gemm: %s", reason) : GS_OK;
}

int64_t part_bytes(const gs_gemm& g, const Parts& parts) {
  if (parts.splits == 1) return 0;
  return round_up(parts.splits * g.batch * g.m * g.n * (g.c_type == GS_F64 ? 8 : 4), 256);
}

// The gradient of the bias: the column sums of C.
gs_reduce bias_reduction(const gs_gemm& g) {
  gs_reduce r{};
  r.kind = GS_REDUCTION_SUM, r.type = g.c_type, r.axes = 3;
  r.x.dims = 3;
  r.x.size[0] = g.batch, r.x.size[1] = g.m, r.x.size[2] = g.n;
  r.x.stride[0] = g.stride_c, r.x.stride[1] = g.ldc, r.x.stride[2] = 1;
  return r;
}

// ---- launches ----
bool aligned(const void* p, int32_t type, int64_t extent, int64_t ld, int64_t stride) {
  const int64_t vector = type == GS_F64 ? 2 : type == GS_F32 ? 4 : 8;
  return aligned16({p}) && extent % vector == 0 && ld % vector == 0 && stride % vector == 0;
}

struct Operands {
  const void *a, *b, *bias;
  void *c, *aux, *workspace;
};

template <class W>
cudaError_t run(const gs_gemm& g, int32_t method, const Parts& parts, W alpha, W beta,
                const Operands& o, cudaStream_t stream) {
  GemmArguments<W> p{};
  p.m = g.m, p.n = g.n, p.k = alpha == W(0) ? 0 : g.k;
  p.lda = g.lda, p.ldb = g.ldb, p.ldc = g.ldc;
  p.batch = g.batch, p.stride_a = g.stride_a, p.stride_b = g.stride_b, p.stride_c = g.stride_c;
  p.a = o.a, p.b = o.b, p.c = o.c, p.bias = o.bias, p.aux = o.aux;
  p.alpha = alpha, p.beta = beta;
  p.a_type = g.a_type, p.b_type = g.b_type, p.c_type = g.c_type;
  p.activation = g.activation;
  p.plain = beta == W(0) && !g.backward && !o.bias && !o.aux && g.activation == GS_IDENTITY;
  p.trans_a = g.trans_a != 0, p.trans_b = g.trans_b != 0, p.backward = g.backward != 0;
  p.splits = parts.splits, p.chunk = parts.chunk, p.tile = parts.tile;
  p.partial = static_cast<W*>(o.workspace);
  p.vector_a = aligned(o.a, g.a_type, g.trans_a ? g.m : g.k, g.lda, g.stride_a);
  p.vector_b = aligned(o.b, g.b_type, g.trans_b ? g.k : g.n, g.ldb, g.stride_b);
  const int64_t c_bytes = sizeof(W) == 8 || g.c_type == GS_F32 ? 16 : 8;
  const auto quads = [&](const void* x) { return reinterpret_cast<uintptr_t>(x) % c_bytes == 0; };
  p.vector_c = quads(o.c) && quads(o.aux) && g.ldc % 4 == 0 && g.stride_c % 4 == 0;
  cudaError_t error;
  if constexpr (std::is_same_v<W, double>) {
    error = gemm_simt(p, stream);
  } else {
    if (method == GS_GEMM_WGMMA && (p.k == 0 || !aligned16({p.a, p.b}))) {
      method = GS_GEMM_MMA;
      p.tile = std::min(p.tile, 128);
    }
    error = method == GS_GEMM_WGMMA ? gemm_wgmma(p, stream)
            : method == GS_GEMM_MMA ? gemm_mma(p, stream)
                                    : gemm_simt(p, stream);
  }
  if (error != cudaSuccess || p.splits == 1) return error;
  return KX_LAUNCH(gemm_sum_parts_kernel<W>, element_config((p.n + 3) / 4 * p.m * p.batch, stream),
                   p);
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_gemm_workspace(const gs_gemm* g, int64_t* bytes) {
  if (const gs_status status = gs::check_description(g)) return status;
  GS_REQUIRE(bytes, "gemm: bytes must not be null");
  int32_t method;
  if (const gs_status status = gs::choose(*g, &method)) return status;
  int64_t reduction = 0;
  if (g->bias_gradient) {
    const gs_reduce r = gs::bias_reduction(*g);
    if (const gs_status status = gs_reduce_workspace(&r, &reduction)) return status;
  }
  *bytes = gs::part_bytes(*g, gs::parts_of(*g, method, g->k)) + reduction;
  return GS_OK;
}

extern "C" gs_status gs_gemm_run(const gs_gemm* g, double alpha, const void* a, const void* b,
                                 double beta, void* c, void* bias, void* aux, void* workspace,
                                 gs_stream stream) {
  if (const gs_status status = gs::check_description(g)) return status;
  int32_t method;
  if (const gs_status status = gs::choose(*g, &method)) return status;
  const bool wide = g->c_type == GS_F64, some = g->m > 0 && g->n > 0 && g->batch > 0;
  const bool multiplies = g->k > 0 && (wide ? alpha != 0 : (float)alpha != 0);
  GS_REQUIRE(!some || c, "gemm: c must not be null");
  GS_REQUIRE(!some || !multiplies || (a && b), "gemm: a and b must not be null");
  GS_REQUIRE(g->n == 0 || !(g->bias_gradient || (some && g->add_bias)) || bias,
             "gemm: bias must not be null with add_bias or bias_gradient");
  GS_REQUIRE(!some || !(g->save_aux || g->backward) || aux,
             "gemm: aux must not be null with save_aux or backward");
  const gs::Parts parts = gs::parts_of(*g, method, multiplies ? g->k : 0);
  const int64_t bytes = gs::part_bytes(*g, parts);
  GS_REQUIRE(!((some && bytes > 0) || (g->n > 0 && g->bias_gradient)) || workspace,
             "gemm: workspace must not be null");
  if (some) {
    const gs::Operands o{
        a,        b, g->add_bias ? bias : nullptr, c, g->save_aux || g->backward ? aux : nullptr,
        workspace};
    const cudaError_t error =
        wide ? gs::run<double>(*g, method, parts, alpha, beta, o, gs::stream_of(stream))
             : gs::run<float>(*g, method, parts, (float)alpha, (float)beta, o,
                              gs::stream_of(stream));
    if (error != cudaSuccess) return gs::check(error, "gemm");
  }
  if (!g->bias_gradient) return GS_OK;
  const gs_reduce r = gs::bias_reduction(*g);
  return gs_reduce_forward(&r, c, bias, static_cast<char*>(workspace) + bytes, stream);
}
