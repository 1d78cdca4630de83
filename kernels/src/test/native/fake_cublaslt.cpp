// A cuBLASLt that computes on the heap, for tests of the binding without a GPU: plain column-major
// loops in double over what the descriptions say. The constants are those of NVIDIA's public
// documentation, written down here a second time.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef FAKE_VERSION
#define FAKE_VERSION 130101
#endif

namespace {
constexpr int kSuccess = 0, kInvalidValue = 7, kNotSupported = 15;
struct Desc {
  int compute, scale, trans_a = 0, trans_b = 0, epilogue = 1;
  void *bias = nullptr, *aux = nullptr;
  int64_t aux_ld = 0, aux_stride = 0;
};
struct Layout {
  int type;
  uint64_t rows, cols;
  int64_t ld, stride = 0;
  int batch = 1;
};
struct Preference {
  uint64_t workspace = 0;
  uint32_t reductions = 7, alignment[4] = {256, 256, 256, 256};
};
struct Result {
  uint64_t algo[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
constexpr uint64_t kMagic = 0x1234abcd;

template <class T>
int take(T& to, const void* from, size_t bytes) {
  if (bytes != sizeof to) return kInvalidValue;
  memcpy(&to, from, bytes);
  return kSuccess;
}

double load(const void* p, int type, int64_t i) {
  switch (type) {
    case 0:
      return static_cast<const float*>(p)[i];
    case 1:
      return static_cast<const double*>(p)[i];
    default: {  // 14: bf16
      const uint32_t bits = uint32_t{static_cast<const uint16_t*>(p)[i]} << 16;
      float f;
      memcpy(&f, &bits, 4);
      return f;
    }
  }
}
void store(void* p, int type, int64_t i, double v) {
  if (type == 0) {
    static_cast<float*>(p)[i] = static_cast<float>(v);
  } else if (type == 1) {
    static_cast<double*>(p)[i] = v;
  } else {
    const auto f = static_cast<float>(v);
    uint32_t bits;
    memcpy(&bits, &f, 4);
    static_cast<uint16_t*>(p)[i] = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
}
double gelu(double z) {
  return z / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z)));
}
double gelu_gradient(double z) {
  const double h = 1e-6;
  return (gelu(z + h) - gelu(z - h)) / (2 * h);
}
bool aligned(const void* p, uint64_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }
}  // namespace

extern "C" {
size_t cublasLtGetVersion() { return FAKE_VERSION; }
const char* cublasLtGetStatusString(int status) {
  return status == kInvalidValue ? "an invalid value" : "not supported";
}
int cublasLtCreate(void** handle) {
  static int one;
  *handle = &one;
  return kSuccess;
}
int cublasLtMatmulDescCreate(Desc** out, int compute, int scale) {
  *out = new Desc{compute, scale};
  return (compute == 68 && scale == 0) || (compute == 70 && scale == 1) ? kSuccess : kInvalidValue;
}
int cublasLtMatmulDescSetAttribute(Desc* d, int attribute, const void* value, size_t bytes) {
  switch (attribute) {
    case 3:
      return take(d->trans_a, value, bytes);
    case 4:
      return take(d->trans_b, value, bytes);
    case 7:
      return take(d->epilogue, value, bytes);
    case 8:
      return take(d->bias, value, bytes);
    case 11:
      return take(d->aux, value, bytes);
    case 12:
      return take(d->aux_ld, value, bytes);
    case 13:
      return take(d->aux_stride, value, bytes);
    default:
      return kInvalidValue;
  }
}
int cublasLtMatmulDescDestroy(Desc* d) { return delete d, kSuccess; }
int cublasLtMatrixLayoutCreate(Layout** out, int type, uint64_t rows, uint64_t cols, int64_t ld) {
  *out = new Layout{type, rows, cols, ld};
  return ld >= static_cast<int64_t>(rows) ? kSuccess : kInvalidValue;
}
int cublasLtMatrixLayoutSetAttribute(Layout* l, int attribute, const void* value, size_t bytes) {
  return attribute == 5   ? take(l->batch, value, bytes)
         : attribute == 6 ? take(l->stride, value, bytes)
                          : kInvalidValue;
}
int cublasLtMatrixLayoutDestroy(Layout* l) { return delete l, kSuccess; }
int cublasLtMatmulPreferenceCreate(Preference** out) { return *out = new Preference, kSuccess; }
int cublasLtMatmulPreferenceSetAttribute(Preference* p, int attribute, const void* value,
                                         size_t bytes) {
  if (attribute == 1) return take(p->workspace, value, bytes);
  if (attribute == 3) return take(p->reductions, value, bytes);
  return attribute >= 5 && attribute <= 8 ? take(p->alignment[attribute - 5], value, bytes)
                                          : kInvalidValue;
}
int cublasLtMatmulPreferenceDestroy(Preference* p) { return delete p, kSuccess; }

// An algorithm remembers the alignment that it was asked for. Products with k = 7 have none, those
// with k = 5 none for operands without alignment.
int cublasLtMatmulAlgoGetHeuristic(void*, Desc* d, Layout* a, Layout* b, Layout* c, Layout* result,
                                   Preference* p, int wanted, Result* out, int* found) {
  *found = 0;
  const uint64_t k = d->trans_a ? a->rows : a->cols;
  const bool whole = (d->trans_b ? b->cols : b->rows) == k && c == result && wanted == 1 &&
                     (d->trans_a ? a->cols : a->rows) == c->rows &&
                     (d->trans_b ? b->rows : b->cols) == c->cols;
  if (!whole || p->reductions != 2) return kInvalidValue;
  if ((d->epilogue & 4) && !d->bias) return kInvalidValue;
  if ((d->epilogue & 128) && (!d->aux || d->aux_ld % 8)) return kInvalidValue;
  if (k == 7 || (k == 5 && p->alignment[0] < 16)) return kNotSupported;
  *out = Result{{kMagic, p->alignment[0], p->alignment[3]}, 1000, 0, 1, {}};
  *found = 1;
  return kSuccess;
}

int cublasLtMatmul(void*, Desc* d, const void* alpha, const void* a, Layout* la, const void* b,
                   Layout* lb, const void* beta, const void* c, Layout* lc, void* out, Layout* lout,
                   const Result* algorithm, void* workspace, size_t workspace_bytes, void*) {
  const uint64_t need = algorithm->algo[1];
  if (algorithm->algo[0] != kMagic || out != c || lc != lout) return kInvalidValue;
  if (workspace_bytes < 1000 || !workspace || !aligned(workspace, 256)) return kInvalidValue;
  if (!aligned(a, need) || !aligned(b, need) || !aligned(out, need)) return kInvalidValue;
  memset(workspace, 0xff, 1000);
  const double al = load(alpha, d->scale, 0), be = load(beta, d->scale, 0);
  const auto k = static_cast<int64_t>(d->trans_a ? la->rows : la->cols);
  for (int64_t i = 0; i < lc->batch; i++) {
    for (int64_t col = 0; col < static_cast<int64_t>(lc->cols); col++) {
      for (int64_t row = 0; row < static_cast<int64_t>(lc->rows); row++) {
        double sum = 0;
        for (int64_t t = 0; t < k; t++) {
          const int64_t ai = d->trans_a ? t + row * la->ld : row + t * la->ld;
          const int64_t bi = d->trans_b ? col + t * lb->ld : t + col * lb->ld;
          sum += load(a, la->type, i * la->stride + ai) * load(b, lb->type, i * lb->stride + bi);
        }
        const int64_t at = i * lc->stride + row + col * lc->ld;
        const int64_t aux = i * d->aux_stride + row + col * d->aux_ld;
        double z = al * sum + (be == 0 ? 0 : be * load(c, lc->type, at));
        if (d->epilogue == (64 | 128)) {
          z *= gelu_gradient(load(d->aux, lc->type, aux));
        } else {
          if (d->epilogue & 4) z += load(d->bias, lc->type, row);
          if (d->epilogue & 128) store(d->aux, lc->type, aux, z);
          if (d->epilogue & 32) z = gelu(z);
        }
        store(out, lc->type, at, z);
      }
    }
  }
  return kSuccess;
}
}
