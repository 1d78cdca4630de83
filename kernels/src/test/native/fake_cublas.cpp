// A cuBLAS 12 that computes on the heap, for tests of JCuda's binding without a GPU: plain
// column-major loops in double. The constants are those of NVIDIA's public documentation, written
// down a second time. JCuda's library asks for symbols of the version libcublas.so.12 (see
// JCudaVendorsTest).
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {
constexpr int kSuccess = 0, kInvalidValue = 7, kNotSupported = 15;
constexpr int kFloat = 0, kDouble = 1, kCompute32 = 68, kCompute64 = 70;
struct Handle {
  int math = 0;
  void* workspace = nullptr;
  size_t bytes = 0;
};

double load(const void* p, int type, int64_t i) {
  return type == kFloat ? static_cast<const float*>(p)[i] : static_cast<const double*>(p)[i];
}
void store(void* p, int type, int64_t i, double v) {
  if (type == kFloat) {
    static_cast<float*>(p)[i] = static_cast<float>(v);
  } else {
    static_cast<double*>(p)[i] = v;
  }
}
}  // namespace

extern "C" {
int cublasCreate_v2(Handle** handle) {
  *handle = new Handle;
  return kSuccess;
}
int cublasSetMathMode(Handle* h, int math) {
  h->math = math;
  return kSuccess;
}
// As documented: the workspace is the library's own again.
int cublasSetStream_v2(Handle* h, void*) {
  h->workspace = nullptr;
  return kSuccess;
}
int cublasSetWorkspace_v2(Handle* h, void* workspace, size_t bytes) {
  h->workspace = workspace;
  h->bytes = bytes;
  return workspace && reinterpret_cast<uintptr_t>(workspace) % 256 == 0 ? kSuccess : kInvalidValue;
}
int cublasGemmStridedBatchedEx(Handle* h, int trans_a, int trans_b, int m, int n, int k,
                               const void* alpha, const void* a, int a_type, int lda,
                               long long stride_a, const void* b, int b_type, int ldb,
                               long long stride_b, const void* beta, void* c, int c_type, int ldc,
                               long long stride_c, int batch, int compute, int algorithm) {
  const bool wide = compute == kCompute64;
  if (h->math != 16 || !h->workspace || (!wide && compute != kCompute32) || algorithm != -1) {
    return kInvalidValue;
  }
  if (a_type != b_type || lda < (trans_a ? k : m) || ldb < (trans_b ? n : k) || ldc < m) {
    return kInvalidValue;
  }
  if (k == 7 || a_type > kDouble) return kNotSupported;
  memset(h->workspace, 0xff, h->bytes);
  const int factor = wide ? kDouble : kFloat;
  const double al = load(alpha, factor, 0), be = load(beta, factor, 0);
  for (int64_t i = 0; i < batch; i++) {
    for (int64_t col = 0; col < n; col++) {
      for (int64_t row = 0; row < m; row++) {
        double sum = 0;
        for (int64_t t = 0; t < k; t++) {
          const int64_t ai = trans_a ? t + row * lda : row + t * lda;
          const int64_t bi = trans_b ? col + t * ldb : t + col * ldb;
          sum += load(a, a_type, i * stride_a + ai) * load(b, b_type, i * stride_b + bi);
        }
        const int64_t at = i * stride_c + row + col * ldc;
        store(c, c_type, at, al * sum + (be == 0 ? 0 : be * load(c, c_type, at)));
      }
    }
  }
  return kSuccess;
}
}
