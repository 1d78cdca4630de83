// A cuDNN that computes on the heap, for tests of the binding without a GPU: plain loops in double
// over what the descriptors say, and a log of the calls. It refuses what the real one documents no
// support for. The constants are those of NVIDIA's public documentation, written down here a second
// time.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#ifndef FAKE_VERSION
#define FAKE_VERSION 92400
#endif
#if FAKE_VERSION >= 90000
#define BAD_PARAM 2000
#define NOT_SUPPORTED 3000
#else
#define BAD_PARAM 3
#define NOT_SUPPORTED 9
#endif

namespace {
enum Type { kFloat = 0, kDouble = 1, kHalf = 2, kBFloat16 = 9 };
constexpr int kMaxDims = 8;

// One struct for all descriptors; kind says which. Filters keep the strides that their format
// means.
struct Desc {
  char kind;
  int type = -1, n = 0, dim[kMaxDims] = {}, stride[kMaxDims] = {};
  int format = -1, pad[3] = {}, step[3] = {}, dilation[3] = {}, mode = -1, groups = 1, math = 0;
};

std::string g_log, g_failing, g_error;
int g_status = 0, g_live = 0;

std::string list(const int* v, int n) {
  std::string s;
  for (int i = 0; i < n; i++) s += (i ? "," : "") + std::to_string(v[i]);
  return "[" + s + "]";
}

// Each function begins with this: it logs the call and fails where the test asked for it.
int enter(const char* name, const std::string& arguments = "") {
  g_log += std::string(name) + "(" + arguments + ")\n";
  g_error.clear();
  if (g_failing != name) return 0;
  g_failing.clear();
  g_error = "asked for\nby a test";
  return g_status;
}

double load(const void* p, int type, int64_t i) {
  switch (type) {
    case kFloat:
      return static_cast<const float*>(p)[i];
    case kDouble:
      return static_cast<const double*>(p)[i];
    case kHalf:
      return static_cast<double>(static_cast<const _Float16*>(p)[i]);
    default: {
      const uint32_t bits = uint32_t{static_cast<const uint16_t*>(p)[i]} << 16;
      float f;
      memcpy(&f, &bits, 4);
      return f;
    }
  }
}
void store(void* p, int type, int64_t i, double v) {
  switch (type) {
    case kFloat:
      static_cast<float*>(p)[i] = static_cast<float>(v);
      break;
    case kDouble:
      static_cast<double*>(p)[i] = v;
      break;
    case kHalf:
      static_cast<_Float16*>(p)[i] = static_cast<_Float16>(v);
      break;
    default: {
      const auto f = static_cast<float>(v);
      uint32_t b;
      memcpy(&b, &f, 4);
      static_cast<uint16_t*>(p)[i] = static_cast<uint16_t>((b + 0x7fff + (b >> 16 & 1)) >> 16);
    }
  }
}

// Strides of dimensions in the order image, channel, space.
void pack(int* stride, const int* dim, int n, bool channels_last) {
  int step = 1;
  if (channels_last) stride[1] = 1, step = dim[1];
  for (int i = n - 1; i >= 2; i--) stride[i] = step, step *= dim[i];
  if (!channels_last) stride[1] = step, step *= dim[1];
  stride[0] = step;
}
bool packed(const Desc* t, bool channels_last) {
  int want[kMaxDims];
  pack(want, t->dim, t->n, channels_last);
  for (int i = 0; i < t->n; i++) {
    if (t->dim[i] > 1 && t->stride[i] != want[i]) return false;
  }
  return true;
}

// What the documentation asks of the descriptors of a pass: one layout, fitting sizes, and the math
// that keeps f32 from TF32.
int examine(const Desc* x, const Desc* w, const Desc* y, const Desc* c, int algorithm) {
  if (x->kind != 't' || y->kind != 't' || w->kind != 'f' || c->kind != 'c') return BAD_PARAM;
  const int n = x->n;
  if (w->n != n || y->n != n || c->n != n - 2 || c->mode != 1 || algorithm != 1) return BAD_PARAM;
  if (x->type != w->type || y->type != w->type || c->type != kFloat) return BAD_PARAM;
  if (c->math != (x->type == kFloat ? 3 : 1) || x->type == kDouble) return BAD_PARAM;
  if (!packed(x, w->format == 1) || !packed(y, w->format == 1)) return NOT_SUPPORTED;
  if (x->dim[1] != w->dim[1] * c->groups || y->dim[1] != w->dim[0] || x->dim[0] != y->dim[0]) {
    return BAD_PARAM;
  }
  for (int i = 0; i < n - 2; i++) {
    const int reach = (w->dim[i + 2] - 1) * c->dilation[i] + 1;
    if (y->dim[i + 2] != (x->dim[i + 2] + 2 * c->pad[i] - reach) / c->step[i] + 1) return BAD_PARAM;
  }
  return w->dim[0] == 7 ? NOT_SUPPORTED : 0;
}
size_t bytes(const Desc* w, int pass) {
  bool taps = false;
  for (int i = 2; i < w->n; i++) taps |= w->dim[i] > 1;
  return taps ? 1000 * (pass + 1) : 0;
}
int64_t count(const Desc* d) {
  int64_t n = 1;
  for (int i = 0; i < d->n; i++) n *= d->dim[i];
  return n;
}

// Calls each(x index, w index, y index) for every product of the convolution.
template <class F>
void products(const Desc* x, const Desc* w, const Desc* y, const Desc* c, F each) {
  const int n = x->n, space = n - 2, per_group = w->dim[1];
  for (int64_t at_y = 0, ny = count(y); at_y < ny; at_y++) {
    int iy[kMaxDims];
    int64_t rest = at_y, index_y = 0;
    for (int i = n - 1; i >= 0; i--) iy[i] = rest % y->dim[i], rest /= y->dim[i];
    for (int i = 0; i < n; i++) index_y += int64_t{iy[i]} * y->stride[i];
    const int first = iy[1] / (w->dim[0] / c->groups) * per_group;
    int64_t taps = count(w) / w->dim[0];
    for (int64_t t = 0; t < taps; t++) {
      int iw[kMaxDims] = {iy[1]};
      rest = t;
      for (int i = n - 1; i >= 1; i--) iw[i] = rest % w->dim[i], rest /= w->dim[i];
      int64_t index_w = 0, index_x = int64_t{iy[0]} * x->stride[0];
      for (int i = 0; i < n; i++) index_w += int64_t{iw[i]} * w->stride[i];
      index_x += int64_t{first + iw[1]} * x->stride[1];
      bool inside = true;
      for (int i = 0; i < space; i++) {
        const int at = iy[i + 2] * c->step[i] - c->pad[i] + iw[i + 2] * c->dilation[i];
        inside &= at >= 0 && at < x->dim[i + 2];
        index_x += int64_t{at} * x->stride[i + 2];
      }
      if (inside) each(index_x, index_w, index_y);
    }
  }
}

int run(int pass, const float* alpha, const float* beta, const Desc* x, const void* px,
        const Desc* w, const void* pw, const Desc* y, const void* py, const Desc* c, int algorithm,
        void* work, size_t given) {
  if (const int bad = examine(x, w, y, c, algorithm)) return bad;
  const size_t need = bytes(w, pass);
  if (given < need || (need > 0 && (!work || reinterpret_cast<uintptr_t>(work) % 256))) {
    return BAD_PARAM;
  }
  if (need) memset(work, 0xff, need);
  const Desc* out = pass == 0 ? y : pass == 1 ? x : w;
  void* result = const_cast<void*>(pass == 0 ? py : pass == 1 ? px : pw);
  const int64_t n = count(out);
  auto* sums = new double[n]();
  products(x, w, y, c, [&](int64_t ix, int64_t iw, int64_t iy) {
    if (pass == 0) sums[iy] += load(px, x->type, ix) * load(pw, w->type, iw);
    if (pass == 1) sums[ix] += load(py, y->type, iy) * load(pw, w->type, iw);
    if (pass == 2) sums[iw] += load(px, x->type, ix) * load(py, y->type, iy);
  });
  for (int64_t i = 0; i < n; i++) {
    const double old = *beta == 0 ? 0 : *beta * load(result, out->type, i);
    store(result, out->type, i, *alpha * sums[i] + old);
  }
  delete[] sums;
  return 0;
}

int make(const char* name, char kind, Desc** out) {
  const int status = enter(name);
  if (status == 0) *out = new Desc{kind}, g_live++;
  return status;
}
int free_one(const char* name, Desc* d) {
  const int status = enter(name);
  delete d;
  g_live--;
  return status;
}

// Rows of a tensor [outer, size, inner, 1] without gaps.
template <class F>
void rows(const Desc* t, F each) {
  for (int o = 0; o < t->dim[0]; o++) {
    for (int i = 0; i < t->dim[2]; i++)
      each(int64_t{o} * t->stride[0] + i, t->stride[1], t->dim[1]);
  }
}
int examine_softmax(int algorithm, int mode, const Desc* d) {
  return (algorithm == 1 || algorithm == 2) && mode == 1 && d->kind == 't' && d->n == 4 &&
                 d->dim[3] == 1 && packed(d, false)
             ? 0
             : BAD_PARAM;
}
}  // namespace

#define CHECK(call) \
  if (const int status = call) return status

extern "C" {
// ---- for the tests ----
const char* fake_log() { return g_log.c_str(); }
void fake_forget() { g_log.clear(); }
int fake_live() { return g_live; }
void fake_fail(const char* function, int status) { g_failing = function, g_status = status; }

// ---- cuDNN ----
size_t cudnnGetVersion() { return FAKE_VERSION; }
const char* cudnnGetErrorString(int status) {
  return status == BAD_PARAM       ? "CUDNN_STATUS_BAD_PARAM"
         : status == NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                   : "CUDNN_STATUS_OTHER";
}
#if FAKE_VERSION >= 90000
void cudnnGetLastErrorString(char* text, size_t size) {
  snprintf(text, size, "%s", g_error.c_str());
}
#endif
int cudnnCreate(void** handle) {
  static int one;
  *handle = &one;
  return enter("cudnnCreate");
}
int cudnnSetStream(void*, void* stream) {
  return enter("cudnnSetStream", stream ? "a stream" : "null");
}
int cudnnCreateTensorDescriptor(Desc** d) { return make("cudnnCreateTensorDescriptor", 't', d); }
int cudnnCreateFilterDescriptor(Desc** d) { return make("cudnnCreateFilterDescriptor", 'f', d); }
int cudnnCreateConvolutionDescriptor(Desc** d) {
  return make("cudnnCreateConvolutionDescriptor", 'c', d);
}
int cudnnDestroyTensorDescriptor(Desc* d) { return free_one("cudnnDestroyTensorDescriptor", d); }
int cudnnDestroyFilterDescriptor(Desc* d) { return free_one("cudnnDestroyFilterDescriptor", d); }
int cudnnDestroyConvolutionDescriptor(Desc* d) {
  return free_one("cudnnDestroyConvolutionDescriptor", d);
}
int cudnnSetTensorNdDescriptor(Desc* d, int type, int n, const int* dim, const int* stride) {
  CHECK(enter("cudnnSetTensorNdDescriptor",
              std::to_string(type) + ", " + list(dim, n) + ", " + list(stride, n)));
  if (d->kind != 't' || n < 3 || n > kMaxDims) return BAD_PARAM;
  d->type = type, d->n = n;
  std::copy(dim, dim + n, d->dim);
  std::copy(stride, stride + n, d->stride);
  return 0;
}
int cudnnSetFilterNdDescriptor(Desc* d, int type, int format, int n, const int* dim) {
  CHECK(enter("cudnnSetFilterNdDescriptor",
              std::to_string(type) + ", " + std::to_string(format) + ", " + list(dim, n)));
  if (d->kind != 'f' || n < 3 || n > kMaxDims || format < 0 || format > 1) return BAD_PARAM;
  d->type = type, d->n = n, d->format = format;
  std::copy(dim, dim + n, d->dim);
  pack(d->stride, dim, n, format == 1);
  return 0;
}
int cudnnSetConvolutionNdDescriptor(Desc* d, int n, const int* pad, const int* stride,
                                    const int* dilation, int mode, int type) {
  CHECK(enter("cudnnSetConvolutionNdDescriptor",
              list(pad, n) + ", " + list(stride, n) + ", " + list(dilation, n) + ", " +
                  std::to_string(mode) + ", " + std::to_string(type)));
  if (d->kind != 'c' || n < 2 || n > 3) return BAD_PARAM;
  d->n = n, d->mode = mode, d->type = type;
  std::copy(pad, pad + n, d->pad);
  std::copy(stride, stride + n, d->step);
  std::copy(dilation, dilation + n, d->dilation);
  return 0;
}
int cudnnSetConvolutionGroupCount(Desc* d, int groups) {
  CHECK(enter("cudnnSetConvolutionGroupCount", std::to_string(groups)));
  d->groups = groups;
  return 0;
}
int cudnnSetConvolutionMathType(Desc* d, int math) {
  CHECK(enter("cudnnSetConvolutionMathType", std::to_string(math)));
  d->math = math;
  return 0;
}
int cudnnGetConvolutionForwardWorkspaceSize(void*, Desc* x, Desc* w, Desc* c, Desc* y,
                                            int algorithm, size_t* size) {
  CHECK(enter("cudnnGetConvolutionForwardWorkspaceSize", std::to_string(algorithm)));
  *size = bytes(w, 0);
  return examine(x, w, y, c, algorithm);
}
int cudnnGetConvolutionBackwardDataWorkspaceSize(void*, Desc* w, Desc* y, Desc* c, Desc* x,
                                                 int algorithm, size_t* size) {
  CHECK(enter("cudnnGetConvolutionBackwardDataWorkspaceSize", std::to_string(algorithm)));
  *size = bytes(w, 1);
  return examine(x, w, y, c, algorithm);
}
int cudnnGetConvolutionBackwardFilterWorkspaceSize(void*, Desc* x, Desc* y, Desc* c, Desc* w,
                                                   int algorithm, size_t* size) {
  CHECK(enter("cudnnGetConvolutionBackwardFilterWorkspaceSize", std::to_string(algorithm)));
  *size = bytes(w, 2);
  return examine(x, w, y, c, algorithm);
}
int cudnnConvolutionForward(void*, const float* alpha, Desc* x, void* px, Desc* w, void* pw,
                            Desc* c, int algorithm, void* work, size_t given, const float* beta,
                            Desc* y, void* py) {
  CHECK(enter("cudnnConvolutionForward", "beta " + std::to_string(static_cast<int>(*beta))));
  return run(0, alpha, beta, x, px, w, pw, y, py, c, algorithm, work, given);
}
int cudnnConvolutionBackwardData(void*, const float* alpha, Desc* w, void* pw, Desc* y, void* py,
                                 Desc* c, int algorithm, void* work, size_t given,
                                 const float* beta, Desc* x, void* px) {
  CHECK(enter("cudnnConvolutionBackwardData", "beta " + std::to_string(static_cast<int>(*beta))));
  return run(1, alpha, beta, x, px, w, pw, y, py, c, algorithm, work, given);
}
int cudnnConvolutionBackwardFilter(void*, const float* alpha, Desc* x, void* px, Desc* y, void* py,
                                   Desc* c, int algorithm, void* work, size_t given,
                                   const float* beta, Desc* w, void* pw) {
  CHECK(enter("cudnnConvolutionBackwardFilter", "beta " + std::to_string(static_cast<int>(*beta))));
  return run(2, alpha, beta, x, px, w, pw, y, py, c, algorithm, work, given);
}
int cudnnSoftmaxForward(void*, int algorithm, int mode, const void* alpha, Desc* x, const void* px,
                        const void* beta, Desc* y, void* py) {
  CHECK(enter("cudnnSoftmaxForward", std::to_string(algorithm)));
  CHECK(examine_softmax(algorithm, mode, x));
  const int t = x->type, factor = t == kDouble ? kDouble : kFloat;
  if (load(alpha, factor, 0) != 1 || load(beta, factor, 0) != 0 || x != y) return BAD_PARAM;
  rows(x, [&](int64_t at, int64_t step, int n) {
    double most = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++) most = std::max(most, load(px, t, at + i * step));
    for (int i = 0; i < n; i++) sum += std::exp(load(px, t, at + i * step) - most);
    for (int i = 0; i < n; i++) {
      const double d = load(px, t, at + i * step) - most;
      store(py, t, at + i * step, algorithm == 2 ? d - std::log(sum) : std::exp(d) / sum);
    }
  });
  return 0;
}
#ifndef FAKE_LACKS_SOFTMAX_BACKWARD
int cudnnSoftmaxBackward(void*, int algorithm, int mode, const void* alpha, Desc* y, const void* py,
                         Desc* dy, const void* pdy, const void* beta, Desc* dx, void* pdx) {
  CHECK(enter("cudnnSoftmaxBackward", std::to_string(algorithm)));
  CHECK(examine_softmax(algorithm, mode, y));
  const int t = y->type, factor = t == kDouble ? kDouble : kFloat;
  if (load(alpha, factor, 0) != 1 || load(beta, factor, 0) != 0 || y != dy || dy != dx) {
    return BAD_PARAM;
  }
  if (pdx == py) return BAD_PARAM;
  rows(y, [&](int64_t at, int64_t step, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      const double g = load(pdy, t, at + i * step);
      sum += algorithm == 2 ? g : g * load(py, t, at + i * step);
    }
    for (int i = 0; i < n; i++) {
      const double v = load(py, t, at + i * step), g = load(pdy, t, at + i * step);
      store(pdx, t, at + i * step, algorithm == 2 ? g - std::exp(v) * sum : v * (g - sum));
    }
  });
  return 0;
}
#endif
}
