/* Gridstride's C ABI: GPU kernels, and the memory, streams and events to run them with.
 *
 * libgridstride_cuda.so and libgridstride_emulator.so export the same functions; the second runs
 * the kernels on the CPU, for tests.
 *
 * Conventions, unless a function says otherwise:
 *  - Matrices are row-major; sizes are elements as int64_t; leading dimensions and strides too.
 *  - Pointers to operands are device memory, aligned to their element type. Any size may be 0; then
 *    nothing is read or written and the pointers may be null. Operands that are written must not
 *    overlap others except as the function allows.
 *  - Functions that take a stream are asynchronous: they return once the work is enqueued, and
 * allocate nothing. Operands must live until the stream has passed the work. Faults of kernels show
 * at a later call.
 *  - Results are the same bits from run to run on one device. NaN and infinities follow IEEE 754.
 *  - Every function may be called from any thread. Calls act on the calling thread's current
 * device.
 *  - Nothing prints, exits, or throws. A status other than GS_OK comes with a message
 * (gs_last_error).
 */
#ifndef GRIDSTRIDE_H_
#define GRIDSTRIDE_H_

#include <stdint.h>

#if defined(__GNUC__)
#define GS_API __attribute__((visibility("default")))
#else
#define GS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* 0: done. Negative: one of ours, below. Positive: CUDA's error code. */
typedef int32_t gs_status;
enum {
  GS_OK = 0,
  GS_INVALID_ARGUMENT = -1, /* the arguments break a rule; the message names it */
  GS_UNSUPPORTED = -2,      /* a valid request that this library or device does not offer */
  GS_NOT_READY = -3         /* gs_stream_query, gs_event_query: not an error */
};

/* A cudaStream_t or cudaEvent_t; null is the default stream. */
typedef void* gs_stream;
typedef void* gs_event;

/* Element types. */
enum {
  GS_F32 = 0,
  GS_F64 = 1,
  GS_BF16 = 2,
  GS_F16 = 3,
  GS_I32 = 4,
  GS_I64 = 5,
  GS_BOOL = 6,
  GS_U8 = 7
};

/* ---- library ---- */

/* Changes with every change of this file that a caller compiled before could notice. */
#define GS_ABI_VERSION 1
GS_API int32_t gs_abi_version(void);

/* "cuda", "emulator", or "emulator-checked". Static storage. */
GS_API const char* gs_backend(void);

/* What went wrong in the calling thread's last call that failed; never null. Valid until the
 * thread's next call that fails. */
GS_API const char* gs_last_error(void);

/* ---- devices ---- */

/* Sets *count to the number of usable devices: 0 where there is no driver or no GPU, and
 * gs_last_error then says why. Fails only for a null count. */
GS_API gs_status gs_device_count(int32_t* count);

typedef struct gs_device_properties {
  char name[256];           /* of the model, zero-terminated */
  int64_t memory_bytes;     /* in all */
  int64_t shared_bytes;     /* largest shared memory of a block */
  int64_t l2_bytes;         /* second-level cache */
  int32_t capability_major; /* compute capability */
  int32_t capability_minor;
  int32_t multiprocessors;
  int32_t warp_threads;
  int32_t driver_version;  /* highest CUDA version it supports, 1000 major + 10 minor */
  int32_t runtime_version; /* CUDA version this library was built with */
} gs_device_properties;

GS_API gs_status gs_device_get_properties(int32_t device, gs_device_properties* properties);

/* Makes device current for the calling thread; 0 is current at first. */
GS_API gs_status gs_device_set(int32_t device);
GS_API gs_status gs_device_get(int32_t* device);

/* Waits for all work of the current device. */
GS_API gs_status gs_device_synchronize(void);

/* ---- memory ---- */

/* Sets *pointer to bytes of device memory, 256-byte aligned (emulator without checks: 16), contents
 * undefined; null for 0 bytes. Stream-ordered: usable by work enqueued in stream behind this call.
 * Comes from a pool that keeps freed memory for reuse. */
GS_API gs_status gs_malloc(void** pointer, int64_t bytes, gs_stream stream);

/* Gives memory of gs_malloc back once stream has passed this call; null does nothing. */
GS_API gs_status gs_free(void* pointer, gs_stream stream);

/* Returns what the current device's pool keeps for reuse, beyond keep_bytes, to the system. */
GS_API gs_status gs_memory_trim(int64_t keep_bytes);

/* Free and total memory of the current device, in bytes. */
GS_API gs_status gs_memory_info(int64_t* free_bytes, int64_t* total_bytes);

/* Page-locked host memory, which copies asynchronously at full speed; null for 0 bytes. */
GS_API gs_status gs_host_malloc(void** pointer, int64_t bytes);
GS_API gs_status gs_host_free(void* pointer);

/* Copies between host and device or within a device. Host memory that is not page-locked: returns
 * when it may be reused. Ranges must not overlap. */
GS_API gs_status gs_copy_to_device(void* target, const void* source, int64_t bytes,
                                   gs_stream stream);
GS_API gs_status gs_copy_to_host(void* target, const void* source, int64_t bytes, gs_stream stream);
GS_API gs_status gs_copy_on_device(void* target, const void* source, int64_t bytes,
                                   gs_stream stream);

/* Sets every byte to the low 8 bits of value. */
GS_API gs_status gs_memset(void* target, int32_t value, int64_t bytes, gs_stream stream);

/* ---- streams and events ---- */

/* A stream that does not wait for the default stream; on the current device. */
GS_API gs_status gs_stream_create(gs_stream* stream);
GS_API gs_status gs_stream_destroy(gs_stream stream);
GS_API gs_status gs_stream_synchronize(gs_stream stream);
/* GS_OK when all enqueued work is done, GS_NOT_READY when not. */
GS_API gs_status gs_stream_query(gs_stream stream);
/* Later work in stream waits for the event's last record. */
GS_API gs_status gs_stream_wait(gs_stream stream, gs_event event);

/* timing: whether gs_event_elapsed will be asked. */
GS_API gs_status gs_event_create(gs_event* event, int32_t timing);
GS_API gs_status gs_event_destroy(gs_event event);
GS_API gs_status gs_event_record(gs_event event, gs_stream stream);
GS_API gs_status gs_event_synchronize(gs_event event);
GS_API gs_status gs_event_query(gs_event event);
/* Milliseconds between two timing events that have been reached. */
GS_API gs_status gs_event_elapsed(float* milliseconds, gs_event start, gs_event end);

/* ---- graphs ---- */

/* Work of one stream, recorded once and run as often as wanted with one call: every launch, copy
 * and fill with the arguments it had. Values behind pointers are read by each run, others (sizes,
 * factors, steps) are those of the recording. What gs_malloc gave in the recorded stream belongs to
 * the graph, keeps its address, and must be freed in the same recording; operands from elsewhere
 * must live as long as the graph. */
typedef void* gs_graph;

/* From now on work enqueued in stream, not the default one, is recorded instead of done. Not in a
 * recording: synchronising or querying the stream, its events, waiting for events, and
 * gs_device_synchronize; each of them makes the recording void. */
GS_API gs_status gs_graph_begin(gs_stream stream);

/* Ends the recording and sets *graph to it; a null graph drops the recording. On failure *graph is
 * null and the stream records no more. */
GS_API gs_status gs_graph_end(gs_stream stream, gs_graph* graph);

/* Sets *count to the number of recorded operations. */
GS_API gs_status gs_graph_size(gs_graph graph, int64_t* count);

/* Enqueues one run in stream. Runs of one graph follow each other, whatever their streams. */
GS_API gs_status gs_graph_launch(gs_graph graph, gs_stream stream);

/* Its runs must be done; null does nothing. */
GS_API gs_status gs_graph_destroy(gs_graph graph);

/* ---- kernels of the caller ---- */

/* A CUmodule and a CUfunction of the driver. The emulator refuses modules with GS_UNSUPPORTED. */
typedef void* gs_module;
typedef void* gs_function;

/* Loads kernels into the current device: PTX text with its zero byte counted in bytes, a cubin, or
 * a fat binary. An image that is cut short is refused; what is inside is trusted as any program is.
 * PTX that does not compile: the message ends with the driver's log. */
GS_API gs_status gs_module_load(gs_module* module, const void* image, int64_t bytes);

/* No kernel of it may be queued, running or part of a graph; null does nothing. */
GS_API gs_status gs_module_unload(gs_module module);

/* The kernel of this name; lives as long as the module. */
GS_API gs_status gs_module_function(gs_function* function, gs_module module, const char* name);

/* Sets *count to the number of the kernel's parameters, and sizes[i] for i < capacity to their
 * bytes. */
GS_API gs_status gs_function_parameters(gs_function function, int64_t* sizes, int32_t capacity,
                                        int32_t* count);

/* Launches grid[0..2] blocks of block[0..2] threads with shared_bytes of dynamic shared memory.
 * arguments[i] points to the value of parameter i, which is copied. */
GS_API gs_status gs_function_launch(gs_function function, const uint32_t* grid,
                                    const uint32_t* block, int64_t shared_bytes, void** arguments,
                                    gs_stream stream);

/* ---- matrix product ---- */

enum {
  GS_IDENTITY = 0,
  GS_RELU = 1,     /* max(z, 0); NaN stays; derivative 0 at 0 */
  GS_GELU = 2,     /* z Phi(z), by erf */
  GS_GELU_TANH = 3 /* z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) */
};

/* How a product is computed. */
enum {
  GS_GEMM_AUTO = 0, /* the first of those below, in descending order, that can */
  GS_GEMM_SIMT = 1, /* fused multiply-adds without tensor cores; all types */
  GS_GEMM_MMA = 2,  /* tensor cores by mma.sync; A and B both bf16, both f16, or f32 with tf32 */
  GS_GEMM_WGMMA = 3 /* tensor cores by wgmma, compute capability 9.0; A and B both bf16 or both f16,
                       leading dimensions and strides multiples of 8. Where alpha or k is 0, or A or
                       B not at a multiple of 16 bytes, as GS_GEMM_MMA */
};

/* C[i] = epilogue(alpha op(A[i]) op(B[i]) + beta C[i]) for i in [0, batch).
 *
 * op(A) is m x k and stored as [m][k], with trans_a as [k][m], rows lda elements apart; op(B) is k
 * x n, stored as [k][n], with trans_b as [n][k], rows ldb apart; C is [m][n], rows ldc apart.
 * Leading dimensions are at least the stored columns. Products lie stride_a, stride_b, stride_c
 * elements apart; 0 uses one A or B for all. stride_c: at least (m - 1) ldc + n when batch > 1.
 *
 * Types: GS_F64 throughout; or GS_F32, GS_BF16 or GS_F16 for each of A, B and C. bias and aux are
 * of C's type.
 *
 * Epilogue, with Z = alpha op(A) op(B) + beta C + bias: forward C = activation(Z), and with
 * save_aux also aux = Z. Backward: C = (alpha op(A) op(B) + beta C) activation'(aux). bias has n
 * elements for all rows and products, aux has the layout of C; both may be null where they are not
 * used. With bias_gradient, which excludes add_bias, bias is written instead: the sum of C as
 * stored over rows and products. */
typedef struct gs_gemm {
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
  int64_t batch, stride_a, stride_b, stride_c;
  int32_t trans_a, trans_b;
  int32_t a_type, b_type, c_type;
  int32_t tf32; /* f32 operands may be rounded to tf32 (10 bits of mantissa, ties away from 0) */
  int32_t activation;
  int32_t backward;
  int32_t add_bias;
  int32_t save_aux;
  int32_t bias_gradient;
  int32_t method;
  int32_t tile; /* of C: 64 or 128 for squares, 256 for 256 x 128 (f32); by wgmma 64, 128 or 256
                   columns of 128 rows; 0: by sizes */
  int32_t splits; /* parts of k, at most 1024; 0 chooses by sizes */
} gs_gemm;

/* Sets *bytes to the workspace that gs_gemm_run needs, 256-byte aligned. GS_UNSUPPORTED: the method
 * can't compute this product on the current device; the message says why. */
GS_API gs_status gs_gemm_workspace(const gs_gemm* gemm, int64_t* bytes);

/* Multiplies, adds and applies the epilogue in f32 (f64 for f64) and rounds once when storing. A
 * sum over k is one chain in the order of k; where C is small and k long, chains over parts of k
 * that are added in order; the parts depend on the description alone. Tensor cores add the
 * terms of 16 k (tf32: 8) at once and may cut off bits below those of the largest. beta = 0 never
 * reads C; alpha = 0 or k = 0 reads neither A nor B; both by value, NaN included. m, n or batch 0
 * does nothing but to set the bias' gradient to 0. alpha and beta are rounded to f32 where sums
 * are. The gradient of the bias is summed in f64. Source: BLAS Level 3 (Dongarra et al., 1990), in
 * row-major order. */
GS_API gs_status gs_gemm_run(const gs_gemm* gemm, double alpha, const void* a, const void* b,
                             double beta, void* c, void* bias, void* aux, void* workspace,
                             gs_stream stream);

/* ---- softmax ---- */

/* Over the middle dimension of a row-major array [outer][size][inner]. */
typedef struct gs_softmax {
  int64_t outer, size, inner;
  int32_t type; /* GS_F32, GS_F64, GS_BF16 or GS_F16, of all operands */
  int32_t log;  /* logarithm of the softmax */
} gs_softmax;

/* y = exp(x - max) / sum(exp(x - max)), or y = x - max - log(sum(exp(x - max))).
 * Computed in f32, f64 for f64; one pass for max and sum (Milakov and Gimelshein, 2018), one to
 * write. y may be x. A row with a NaN, a +Inf or only -Inf is NaN; other -Inf have probability 0.
 */
GS_API gs_status gs_softmax_forward(const gs_softmax* softmax, const void* x, void* y,
                                    gs_stream stream);

/* dx = y (dy - sum(dy y)), or with log dx = dy - exp(y) sum(dy), from the forward's result y. dx
 * may be dy or y. */
GS_API gs_status gs_softmax_backward(const gs_softmax* softmax, const void* y, const void* dy,
                                     void* dx, gs_stream stream);

/* ---- cross-entropy ---- */

enum { GS_REDUCE_NONE = 0, GS_REDUCE_MEAN = 1, GS_REDUCE_SUM = 2 };

/* Softmax cross-entropy of logits [rows][classes][inner], in nats; rows * inner positions.
 *
 * The loss of a position with logits x is sum_c q_c (lse - x_c), lse = log(sum_c exp(x_c)). For a
 * target class t, q_c = (1 - s) weight_t [c = t] + s / classes weight_c; for target probabilities
 * t, q_c = weight_c ((1 - s) t_c + s / classes). The mean divides by the sum of weight_t over the
 * positions that are not ignored (their number without weights), for probabilities by the number of
 * positions; it is NaN when that is 0. As torch.nn.CrossEntropyLoss. */
typedef struct gs_cross_entropy {
  int64_t rows, classes, inner;
  int32_t type;        /* of logits and dlogits: GS_F32, GS_F64, GS_BF16 or GS_F16 */
  int32_t target_type; /* GS_I32 or GS_I64: classes [rows][inner]; type: probabilities as logits */
  double label_smoothing; /* s, in [0, 1] */
  int64_t ignore_index; /* target class of positions that are left out; may be outside 0..classes */
  int32_t reduction;
  int32_t padding;
} gs_cross_entropy;

/* Sets *bytes to the workspace that the functions below need, 256-byte aligned. */
GS_API gs_status gs_cross_entropy_workspace(const gs_cross_entropy* op, int64_t* bytes);

/* Losses, and what else is asked for, with one description:
 *
 *  logits    [rows][classes][inner]
 *  targets   as target_type says
 *  weight    [classes], or null for 1
 *  loss      one element; [rows][inner] without reduction; may be null
 *  lse       [rows][inner], or null; also of ignored positions
 *  dloss     upstream gradient, shaped as the loss; null for 1
 *  dlogits   gradient of scale * sum(dloss * loss) with respect to the logits, or null; may be
 * logits workspace gs_cross_entropy_workspace bytes. Its first 8 bytes hold afterwards the number
 * (int64) of target classes that are neither in 0..classes-1 nor ignored: their loss and gradient
 * are NaN
 *
 * loss, lse, weight and dloss are f32, f64 for f64 logits. A position's sums are formed in that
 * type, those over positions in f64, in a fixed order. A logit of -Inf has probability 0; q_c = 0
 * adds nothing even there; a row with a NaN, a +Inf or only -Inf is NaN. Ignored positions have
 * loss and gradient 0. */
GS_API gs_status gs_cross_entropy_run(const gs_cross_entropy* op, const void* logits,
                                      const void* targets, const void* weight, double scale,
                                      void* loss, void* lse, const void* dloss, void* dlogits,
                                      void* workspace, gs_stream stream);

/* ---- elementwise functions ---- */

/* Functions of one array; a and b are parameters. "y" in the second column: the backward form takes
 * the forward's result instead of x. Signs and clamps also for GS_I32 and GS_I64, wrapping around.
 */
enum {
  GS_NEG = 0,          /*   -x                         */
  GS_ABS = 1,          /*   |x|; gradient 0 at 0       */
  GS_SQUARE = 2,       /*   x^2                        */
  GS_SIGN = 3,         /*   -1, 0 or 1; NaN stays      */
  GS_CLAMP = 4,        /*   min(max(x, a), b); gradient 1 from a to b, both included */
  GS_SQRT = 5,         /* y sqrt(x)                    */
  GS_RSQRT = 6,        /* y 1 / sqrt(x)                */
  GS_RECIPROCAL = 7,   /* y 1 / x                      */
  GS_EXP = 8,          /* y e^x                        */
  GS_LOG = 9,          /*   ln(x)                      */
  GS_SIN = 10,         /*   sin(x)                     */
  GS_COS = 11,         /*   cos(x)                     */
  GS_FLOOR = 12,       /*   floor(x)                   */
  GS_CEIL = 13,        /*   ceil(x)                    */
  GS_ROUND = 14,       /*   nearest integer, ties to even */
  GS_ERF = 15,         /*   error function             */
  GS_U_RELU = 16,      /*   max(x, 0); gradient 0 at 0; NaN stays */
  GS_LEAKY_RELU = 17,  /*   x >= 0 ? x : a x           */
  GS_ELU = 18,         /*   x >= 0 ? x : a (e^x - 1)   */
  GS_U_GELU = 19,      /*   x Phi(x), by erf           */
  GS_U_GELU_TANH = 20, /*   GELU by its tanh approximation */
  GS_SILU = 21,        /*   x / (1 + e^-x)             */
  GS_SIGMOID = 22,     /* y 1 / (1 + e^-x)             */
  GS_TANH = 23,        /* y tanh(x)                    */
  GS_SOFTPLUS = 24,    /*   ln(1 + e^x)                */
  GS_TAN = 25,         /* y tan(x)                     */
  GS_ASIN = 26,        /*   inverse sine; NaN outside [-1, 1] */
  GS_ACOS = 27,        /*   inverse cosine; NaN outside [-1, 1] */
  GS_ATAN = 28,        /*   inverse tangent            */
  GS_SINH = 29,        /*   hyperbolic sine            */
  GS_COSH = 30,        /*   hyperbolic cosine          */
  GS_ASINH = 31,       /*   its inverses; acosh is NaN below 1, atanh outside [-1, 1] */
  GS_ACOSH = 32,
  GS_ATANH = 33
};

/* y[i] = f(x[i]) for i in [0, count). Computed in f32 for f32, bf16 and f16 with CUDA's functions
 * (a few units in the last place), in f64 for f64. y may be x. */
GS_API gs_status gs_unary_forward(int32_t function, int32_t type, int64_t count, double a, double b,
                                  const void* x, void* y, gs_stream stream);

/* dx[i] = dy[i] f'(x[i]); saved is x, or y where the table says so. Floating types; not for SIGN,
 * FLOOR, CEIL, ROUND. dx may be dy or saved. */
GS_API gs_status gs_unary_backward(int32_t function, int32_t type, int64_t count, double a,
                                   double b, const void* saved, const void* dy, void* dx,
                                   gs_stream stream);

/* Functions of two arrays. From GS_EQ on the result is GS_BOOL (0 or 1); with a NaN all but GS_NE
 * are false. */
enum {
  GS_ADD = 0,
  GS_SUB = 1,
  GS_MUL = 2,
  GS_DIV = 3, /* integers: truncated; by 0 gives 0 */
  GS_MAX = 4, /* NaN where either is; +0 is larger than -0 */
  GS_MIN = 5,
  GS_POW = 6, /* integers: wrapping around; a negative exponent gives 0 but for 1 and -1 */
  GS_EQ = 7,
  GS_NE = 8,
  GS_LT = 9,
  GS_LE = 10,
  GS_GT = 11,
  GS_GE = 12,
  GS_AND = 13, /* GS_BOOL only, as the next two */
  GS_OR = 14,
  GS_XOR = 15
};

/* Up to GS_MAX_DIMS dimensions, outermost first, with a stride in elements for each operand; 0
 * broadcasts. */
#define GS_MAX_DIMS 8
typedef struct gs_binary_layout {
  int32_t dims;
  int32_t padding;
  int64_t size[GS_MAX_DIMS];
  int64_t stride_a[GS_MAX_DIMS];
  int64_t stride_b[GS_MAX_DIMS];
  int64_t stride_y[GS_MAX_DIMS];
} gs_binary_layout;

/* y[i] = f(a[i], b[i]); type is that of a and b, and of y unless the result is GS_BOOL. Every type
 * for which the kind makes sense; GS_BOOL takes GS_EQ, GS_NE and the logical ones. bf16 and f16 are
 * computed in f32. y must not name an element twice; it may be a or b with the same strides and
 * element size. */
GS_API gs_status gs_binary(int32_t kind, int32_t type, const gs_binary_layout* layout,
                           const void* a, const void* b, void* y, gs_stream stream);

/* A choice; strides as in gs_binary_layout. */
typedef struct gs_where_layout {
  int32_t dims;
  int32_t padding;
  int64_t size[GS_MAX_DIMS];
  int64_t stride_condition[GS_MAX_DIMS];
  int64_t stride_a[GS_MAX_DIMS];
  int64_t stride_b[GS_MAX_DIMS];
  int64_t stride_y[GS_MAX_DIMS];
} gs_where_layout;

/* y[i] = condition[i] ? a[i] : b[i], the bits copied; condition is GS_BOOL, any type for the rest.
 * y must not name an element twice, and overlaps nothing. */
GS_API gs_status gs_where(int32_t type, const gs_where_layout* layout, const void* condition,
                          const void* a, const void* b, void* y, gs_stream stream);

/* ---- gradient descent ---- */

enum { GS_SGD = 0, GS_ADAM = 1, GS_RMSPROP = 2, GS_ADAGRAD = 3, GS_ADADELTA = 4 };

/* A parameter p of count elements, its gradient g, and the method's state variables in order:
 * SGD: b with momentum. Adam: m, v, with amsgrad vMax. RMSProp: s, with momentum b, with centered
 * mean (in that order, without gaps). Adagrad: s. Adadelta: s, a. */
typedef struct gs_parameter {
  void* p;
  const void* g;
  void* state[3];
  int64_t count;
} gs_parameter;

/* The method and its options; formulas as torch.optim's classes. g is first multiplied by
 * grad_scale, by -1 with maximize, and weight_decay * p is added unless decoupled (then p is
 * multiplied by 1 - lr * weight_decay). */
typedef struct gs_descent {
  int32_t method;
  int32_t type; /* GS_F32 or GS_F64, of all variables */
  int64_t step; /* from 1 */
  double lr;
  double grad_scale;
  double weight_decay;
  int32_t decoupled; /* SGD, Adam */
  int32_t maximize;
  double
      momentum; /* SGD: b = momentum b + (1 - dampening) g, in step 1 b = g; p -= lr b; RMSProp */
  double dampening;
  double beta1; /* Adam: m += (1 - beta1) (g - m) */
  double beta2; /* v = beta2 v + (1 - beta2) g^2; also RMSProp's alpha and Adadelta's rho */
  double eps;
  double lr_decay;  /* Adagrad */
  int32_t nesterov; /* SGD: p -= lr (g + momentum b) */
  int32_t amsgrad;  /* Adam: the largest v so far */
  int32_t centered; /* RMSProp */
  int32_t padding;
} gs_descent;

/* What changes from step to step, in device memory: a graph that captured a step can replay it. The
 * host may write lr, or any other member, between steps. */
typedef struct gs_step_control {
  int64_t step;      /* number of the next step, from 1 */
  double lr;         /* learning rate */
  double grad_scale; /* factor of every gradient; set by gs_step_measure */
  int64_t skip;      /* not 0: steps change nothing; set by gs_step_measure */
  double norm;       /* of all gradients divided by loss_scale; set by gs_step_measure */
  double loss_scale; /* what the loss was multiplied by before backward; 1 for none */
  int64_t streak;    /* steps since one was skipped or loss_scale grew */
} gs_step_control;

/* One step for any number of parameters, in as few launches as their pointers fit in. The table is
 * in host memory and read before the function returns. control: null, or where the step's number
 * and lr are taken from instead, with one more factor of g, and whether to skip. Computed in the
 * variables' type, with factors that depend on step and lr rounded from f64. NaN gradients spread.
 * Elements are independent. */
GS_API gs_status gs_descent_step(const gs_descent* descent, const gs_parameter* parameters,
                                 int64_t parameter_count, const gs_step_control* control,
                                 gs_stream stream);

typedef struct gs_array {
  void* data;
  int64_t count; /* elements */
} gs_array;

/* Sets *bytes to the workspace that the next two functions need for these gradients, 256-byte
 * aligned. */
GS_API gs_status gs_clip_workspace(const gs_array* gradients, int64_t count, int64_t* bytes);

/* Multiplies all gradients by min(1, max_norm / (norm + 1e-6)), where norm is the Euclidean norm of
 * all together, and stores that (f64) unless norm is null. type: GS_F32 or GS_F64. The table is in
 * host memory, as in gs_descent_step. Squares are summed in f64 in a fixed order. A norm of NaN
 * makes every element NaN; an infinite one finite elements 0 and infinite ones NaN. max_norm: not
 * negative; infinite: nothing is multiplied. As torch.nn.utils.clip_grad_norm_. */
GS_API gs_status gs_clip_norm(int32_t type, double max_norm, const gs_array* gradients,
                              int64_t count, double* norm, void* workspace, gs_stream stream);

/* Leaves the gradients as they are and sets norm, skip (when it is not finite) and grad_scale =
 * min( 1, max_norm / (norm + 1e-6)) / loss_scale of a control block. */
GS_API gs_status gs_step_measure(int32_t type, double max_norm, const gs_array* gradients,
                                 int64_t count, gs_step_control* control, void* workspace,
                                 gs_stream stream);

/* Behind the steps of all parameters: adds 1 to step and streak, and every `interval` steps
 * multiplies loss_scale by growth (unless that is infinite; interval 0: never). After a skipped
 * step: multiplies loss_scale by backoff instead. Then skip = 0. growth: at least 1; backoff: in
 * (0, 1]. As torch.amp.GradScaler. */
GS_API gs_status gs_step_advance(gs_step_control* control, double growth, double backoff,
                                 int64_t interval, gs_stream stream);

/* ---- fills and copies ---- */

/* Elements of one operand: up to GS_MAX_DIMS dimensions, outermost first, strides in elements. */
typedef struct gs_layout {
  int32_t dims;
  int32_t padding;
  int64_t size[GS_MAX_DIMS];
  int64_t stride[GS_MAX_DIMS];
} gs_layout;

/* y[i] = cast(value) for every element of the layout, whose strides are not negative and which must
 * not name an element twice. Any type; casts as gs_copy, the second form exact for every int64_t.
 */
GS_API gs_status gs_fill_f64(int32_t type, const gs_layout* layout, double value, void* y,
                             gs_stream stream);
GS_API gs_status gs_fill_i64(int32_t type, const gs_layout* layout, int64_t value, void* y,
                             gs_stream stream);

/* Elements of two operands. Strides of x may be 0, which broadcasts, or negative, which reverses: x
 * points at the element with index 0 in each dimension. */
typedef struct gs_copy_layout {
  int32_t dims;
  int32_t padding;
  int64_t size[GS_MAX_DIMS];
  int64_t stride_x[GS_MAX_DIMS];
  int64_t stride_y[GS_MAX_DIMS];
} gs_copy_layout;

/* y[i] = cast(x[i]): permutations, slices, broadcasts, concatenations, reversals and casts, between
 * any two types. y must not name an element twice; it may be x with the same strides and element
 * size, and must not overlap it otherwise.
 *
 * Casts round once, from the source value: to floating types to nearest, ties to even, beyond the
 * largest to infinity, NaN stays NaN; floating to integers towards zero, saturated, NaN to 0;
 * between integers the low bits; to GS_BOOL 0 or, for all but 0, 1. Without a change of type the
 * bits are copied. */
GS_API gs_status gs_copy(int32_t from, int32_t to, const gs_copy_layout* layout, const void* x,
                         void* y, gs_stream stream);

/* ---- random numbers ---- */

/* All of this is made of the words of Philox4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", 2011): word w of a seed is word w % 4 of the block with counter w / 4, the seed
 * being the key. That is the sequence of cuRAND's Philox generator with subsequence 0. The same
 * numbers on every device and on the CPU, whichever way work is divided. */

enum {
  GS_UNIFORM = 0,   /* low <= value < high, a = low, b = high; floating types */
  GS_NORMAL = 1,    /* a mean, b standard deviation; floating types */
  GS_BERNOULLI = 2, /* 1 with probability a, else 0; any type */
  GS_INTEGERS = 3   /* low <= value < high; GS_I32, GS_I64, GS_U8 */
};

typedef struct gs_random {
  int64_t count;
  int32_t type;
  int32_t distribution;
  double a, b;
  int64_t low, high;
} gs_random;

/* Writes elements e = offset + i, i in [0, count), of a seed's sequence. An element takes word e,
 * or where it has 8 bytes words 2e and 2e + 1 (low word first), but for Bernoulli.
 *
 * Uniform: fma(u, high - low, low), u the top 24 (f32), 53 (f64), 8 (bf16) or 11 (f16) bits as a
 * fraction of 1; what was rounded up to high becomes the number below in f32 and f64. Normal: Box-
 * Muller on pairs of elements with fixed sequences of IEEE operations in f32, the C library's
 * functions in f64 (there devices agree to within two roundings). Bernoulli: word < round(p 2^32).
 * Integers: low + floor(word (high - low) / 2^32), in i64 with 64-bit words.
 * offset: not negative, at most 2^61 - count. low < high; for uniform a <= b and b - a finite. */
GS_API gs_status gs_random_fill(const gs_random* random, uint64_t seed, int64_t offset, void* y,
                                gs_stream stream);

/* y[i] = 0 where word offset + i is below round(p 2^32), else x[i] / (1 - p), by a factor rounded
 * to f32 (f64 for f64). dx is the same function of dy with the same seed and offset. A dropped
 * element is 0 whatever x is; with p = 1 x is not read. Floating types, 16 bits multiply in f32. y
 * may be x. offset as above. */
GS_API gs_status gs_dropout(int32_t type, int64_t count, double p, uint64_t seed, int64_t offset,
                            const void* x, void* y, gs_stream stream);

/* ---- images ---- */

/* Order of the dimensions of images in memory, without gaps; with one spatial dimension NCW and
 * NWC, with three NCDHW and NDHWC. */
enum { GS_NCHW = 0, GS_NHWC = 1 };

enum { GS_POOL_MAX = 0, GS_POOL_AVERAGE = 1 };

/* Window o of one spatial dimension holds the positions o * stride - pad_begin + t * dilation, 0 <=
 * t < kernel. ceil: a last window may reach beyond the padded input, unless it would begin beyond
 * the input and pad_begin (as in PyTorch and ONNX). All but size and padding are positive; the
 * window must fit the padded input, unless ceil is set and size is not 0. */
typedef struct gs_pool_axis {
  int64_t size, kernel, stride, pad_begin, pad_end, dilation;
  int32_t ceil;
  int32_t padding;
} gs_pool_axis;

/* x is [n][c][sizes] and y [n][c][windows], in the order of the layout. axis: the first `axes` are
 * used, outermost first. */
typedef struct gs_pool {
  int32_t kind;
  int32_t type; /* GS_F32, GS_F64, GS_BF16 or GS_F16, of all operands */
  int32_t layout;
  int32_t axes; /* 1 to 3 */
  int64_t n, c;
  gs_pool_axis axis[3];
  int32_t count_include_pad; /* averages divide by the positions inside the padded input */
  int32_t padding;
} gs_pool;

/* Maximum: padding counts as -Inf, a NaN wins, a window of padding alone gives -Inf. Average: the
 * sum divided by the number of positions inside the input (or the padded input); 0 over none.
 * Computed in f32, f64 for f64. indices: null, or for the maximum where each was found, as
 * row-major place in its image's plane, -1 for none; shaped as y. y overlaps nothing. */
GS_API gs_status gs_pool_forward(const gs_pool* pool, const void* x, void* y, int64_t* indices,
                                 gs_stream stream);

/* dx from dy: a maximum's gradient goes to the first element of its window, in row-major order,
 * that equals it (or to the first NaN). x and y, the forward's, are used by the maximum only. Sums
 * in the order of windows. dx overlaps nothing. */
GS_API gs_status gs_pool_backward(const gs_pool* pool, const void* x, const void* y, const void* dy,
                                  void* dx, gs_stream stream);

/* ---- convolution ---- */

/* One spatial dimension: output o reads the inputs o * stride - pad_begin + t * dilation, 0 <= t <
 * kernel, zeros outside of 0..size; negative padding leaves inputs out. The window must fit the
 * padded input. Outputs: (size + pad_begin + pad_end - (kernel - 1) dilation - 1) / stride + 1,
 * rounded down. */
typedef struct gs_conv_axis {
  int64_t size, kernel, stride, pad_begin, pad_end, dilation;
} gs_conv_axis;

/* Convolution (correlation) of images x [n][c][sizes] with w [k][c / groups][kernels] to y
 * [n][k][outs]; x and y in the order of the layout, w row-major in both. Output channels of group g
 * see the input channels of group g. axis: the first `axes` are used, outermost first. */
typedef struct gs_conv {
  int32_t type; /* GS_F32, GS_F64, GS_BF16 or GS_F16, of all operands */
  int32_t layout;
  int32_t axes; /* 1 to 3 */
  int32_t relu; /* forward ends with max(y, 0), NaN staying */
  int64_t n, c, k;
  int64_t groups; /* divides c and k */
  gs_conv_axis axis[3];
} gs_conv;

/* Sets *bytes to the workspace that each pass needs, 256-byte aligned; forward and backward data
 * need none (null) of f32 and f64. */
GS_API gs_status gs_conv_workspace(const gs_conv* conv, int64_t* bytes);

/* y = conv(x, w) + bias, then ReLU where asked for; bias [k], or null for none.
 *
 * Of all convolutions: f32 is computed in f32 without tensor cores, bf16 and f16 on tensor cores
 * with f32 sums, f64 in f64. An element of y or dx is one chain over taps and channels, or the sum
 * of two, by the sizes alone; padding is left out or multiplied as a zero, which matters to weights
 * that are not finite. Results overlap no operand. Implicit products: Chetlur et al., "cuDNN:
 * Efficient Primitives for Deep Learning", 2014. Axes whose size and padding together reach 2^30,
 * and filters of 2^31 elements: unsupported. */
GS_API gs_status gs_conv_forward(const gs_conv* conv, const void* x, const void* w,
                                 const void* bias, void* y, void* workspace, gs_stream stream);

/* dx from dy, the gradient before the ReLU. Every element is written. */
GS_API gs_status gs_conv_backward_data(const gs_conv* conv, const void* dy, const void* w, void* dx,
                                       void* workspace, gs_stream stream);

/* dw, and dbias [k] unless null, from x and dy. An element of dw adds chains over parts of the
 * pixels in a fixed order; dbias is summed in f64. The parts depend on sizes alone. */
GS_API gs_status gs_conv_backward_weight(const gs_conv* conv, const void* x, const void* dy,
                                         void* dw, void* dbias, void* workspace, gs_stream stream);

/* The transposed convolution x [n][k][outs] -> y [n][c][sizes] whose adjoint is described: each
 * input adds its multiple of the kernel to the output, begun with bias [c] or null. w as the
 * adjoint's; ReLU is not offered. dbias [c] sums dy. */
GS_API gs_status gs_conv_transpose_forward(const gs_conv* adjoint, const void* x, const void* w,
                                           const void* bias, void* y, void* workspace,
                                           gs_stream stream);
GS_API gs_status gs_conv_transpose_backward_data(const gs_conv* adjoint, const void* dy,
                                                 const void* w, void* dx, void* workspace,
                                                 gs_stream stream);
GS_API gs_status gs_conv_transpose_backward_weight(const gs_conv* adjoint, const void* x,
                                                   const void* dy, void* dw, void* dbias,
                                                   void* workspace, gs_stream stream);

/* ---- attention ---- */

/* y = softmax(scale q k^T) v for each of `products` (batch times heads): q [products][queries]
 * [depth], k [products / sharing][keys][depth], v [products / sharing][keys][value_depth], y
 * [products][queries][value_depth], row-major. `sharing` neighbouring products use the same keys
 * and values. With causal, query i looks at the keys 0..i, also where the numbers differ. */
typedef struct gs_attention {
  int64_t products, sharing, queries, keys;
  int64_t depth, value_depth; /* at most 256, for f64 64; else unsupported */
  double scale;
  int32_t type; /* GS_F32, GS_F64, GS_BF16 or GS_F16, of all but lse */
  int32_t causal;
} gs_attention;

/* lse [products][queries], f32 (f64 for f64): log(sum(exp(scale q k^T))), for the backward pass;
 * may be null. Computed in f32, f64 for f64, without a matrix of all scores (Dao et al.,
 * "FlashAttention", 2022); up to a depth of 128 the weights of bf16 and f16 are rounded to that
 * type before they multiply the values. A query that looks at no key gives zeros, and an lse of
 * -Inf. One with a score of NaN or +Inf, or with scores of -Inf alone, gives NaN. A value that is
 * not finite may make NaN of the results of queries with other keys of its tile. y overlaps
 * nothing. */
GS_API gs_status gs_attention_forward(const gs_attention* attention, const void* q, const void* k,
                                      const void* v, void* y, void* lse, gs_stream stream);

/* Sets *bytes to the workspace that gs_attention_backward needs, aligned to 256. */
GS_API gs_status gs_attention_workspace(const gs_attention* attention, int64_t* bytes);

/* dq, dk and dv, each null when not wanted, from the forward's operands and results and dy. The
 * weights are computed anew; each element is one sum in a fixed order. Results overlap nothing. */
GS_API gs_status gs_attention_backward(const gs_attention* attention, const void* q, const void* k,
                                       const void* v, const void* y, const void* lse,
                                       const void* dy, void* dq, void* dk, void* dv,
                                       void* workspace, gs_stream stream);

/* ---- normalization ---- */

enum {
  GS_LAYER_NORM = 0, /* a mean for each row of [n][c] */
  GS_RMS_NORM = 1,   /* likewise; the mean is not subtracted, the variance that of about 0 */
  GS_GROUP_NORM = 2, /* a mean for each of the `groups` of neighbouring channels of an image */
  GS_BATCH_NORM = 3  /* a mean for each channel of all images */
};

/* y = (x - mean) rstd gamma + beta, rstd = 1 / sqrt(variance + eps), the variance biased, gamma and
 * beta for each of c channels. x is [n][c][spatial] in the order of the layout. */
typedef struct gs_norm {
  int32_t kind;
  int32_t type;   /* GS_F32, GS_F64, GS_BF16 or GS_F16, of x, y, gamma, beta and their gradients */
  int32_t layout; /* not for rows */
  int32_t padding;
  int64_t n, c, spatial; /* spatial: product of the spatial sizes; 1 for rows */
  int64_t groups;        /* a divisor of c; group norm only */
  double eps;            /* finite, not negative */
} gs_norm;

/* Sets *bytes to the workspace that the functions below need, 256-byte aligned. */
GS_API gs_status gs_norm_workspace(const gs_norm* norm, int64_t* bytes);

/* gamma and beta [c] may be null for 1 and 0; no beta without gamma. mean and rstd, of each mean
 * ([n], [n][groups] or [c]), f64 for f64, else f32, are for the backward pass and may be null. y
 * may be x.
 *
 * Computed in f32, f64 for f64. Two passes over the elements in registers, or over short stretches
 * whose moments are combined in f64 (Chan, Golub and LeVeque, 1979): a large mean costs no digits.
 * NaN and infinities spread through their group by the formula. Of no elements mean and variance
 * are 0; those statistics are written though x is empty.
 *
 * Batch norm: running_mean and running_var [c], of the statistics' type, given together or null,
 * become (1 - momentum) running + momentum batch, with the unbiased variance (0 for one element); a
 * batch without elements leaves them. momentum in 0..1. RMS: mean and beta are null. Ba et al.,
 * "Layer Normalization", 2016; Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019; Wu
 * and He, "Group Normalization", 2018; Ioffe and Szegedy, "Batch Normalization", 2015. */
GS_API gs_status gs_norm_forward(const gs_norm* norm, const void* x, const void* gamma,
                                 const void* beta, void* y, void* mean, void* rstd,
                                 void* running_mean, void* running_var, double momentum,
                                 void* workspace, gs_stream stream);

/* dx, dgamma and dbeta, each null when not wanted, from the forward's x, gamma, mean and rstd, and
 * dy. dx may be dy or x. The part of the mean that rounding to f32 has cut off is recovered. Sums
 * over rows are formed in f32 for the rows of one group of threads and in f64 beyond, in an order
 * that depends on sizes alone. RMS: mean and dbeta are null. */
GS_API gs_status gs_norm_backward(const gs_norm* norm, const void* x, const void* gamma,
                                  const void* mean, const void* rstd, const void* dy, void* dx,
                                  void* dgamma, void* dbeta, void* workspace, gs_stream stream);

/* Batch norm by given statistics, mean and variance [c], and its gradients, for which they are
 * constants. */
GS_API gs_status gs_batch_norm_inference(const gs_norm* norm, const void* x, const void* gamma,
                                         const void* beta, const void* mean, const void* variance,
                                         void* y, void* workspace, gs_stream stream);
GS_API gs_status gs_batch_norm_inference_backward(const gs_norm* norm, const void* x,
                                                  const void* gamma, const void* mean,
                                                  const void* variance, const void* dy, void* dx,
                                                  void* dgamma, void* dbeta, void* workspace,
                                                  gs_stream stream);

/* ---- reductions ---- */

enum {
  GS_REDUCTION_SUM = 0,         /* NaN spreads through all of them */
  GS_REDUCTION_MEAN = 1,        /* NaN over no elements */
  GS_REDUCTION_MAX = 2,         /* -Inf over no elements */
  GS_REDUCTION_MIN = 3,         /* +Inf over no elements */
  GS_REDUCTION_PROD = 4,        /* 1 over no elements */
  GS_REDUCTION_SUM_SQUARES = 5, /* sum(x^2) */
  GS_REDUCTION_L1 = 6,          /* sum(|x|) */
  GS_REDUCTION_L2 = 7,          /* sqrt(sum(x^2)) */
  GS_REDUCTION_LOG_SUM_EXP = 8  /* log(sum(exp(x))) without overflow; -Inf over no elements */
};

/* y: one number for each place in the dimensions of x that are kept, row-major in their order. */
typedef struct gs_reduce {
  int32_t kind;
  int32_t type;  /* of x and y: floating; GS_I32, GS_I64, GS_U8 for sum, prod, max, min */
  uint32_t axes; /* bit i: dimension i is reduced */
  int32_t padding;
  gs_layout x; /* strides may have any sign, and 0 */
} gs_reduce;

/* Sets *bytes to the workspace that the functions below need, 256-byte aligned. */
GS_API gs_status gs_reduce_workspace(const gs_reduce* reduce, int64_t* bytes);

/* Floating sums and products are formed in f64, integers in 64 bits that wrap around, kept to the
 * low bits; parts in an order that depends on sizes alone. y overlaps nothing. The maximum or
 * minimum of no integers is refused. */
GS_API gs_status gs_reduce_forward(const gs_reduce* reduce, const void* x, void* y, void* workspace,
                                   gs_stream stream);

/* dx, row-major without gaps, from the forward's x and y and the gradient dy; floating types. Equal
 * maxima (minima) share the gradient evenly; that of L1 and L2 at 0 is 0. dx overlaps nothing. */
GS_API gs_status gs_reduce_backward(const gs_reduce* reduce, const void* x, const void* y,
                                    const void* dy, void* dx, void* workspace, gs_stream stream);

/* ---- gather and scatter ---- */

/* Entries of one dimension by index: y[o][k][i] = x[o][index[k]][i] for row-major x
 * [outer][size][inner] and y [outer][count][inner].
 *
 * Of all functions here: the first 8 bytes of the workspace hold afterwards the place (int64) of
 * the first index that is out of range, or -1; if there is one, nothing else has been written. */
typedef struct gs_gather {
  int64_t outer, size, inner, count;
  int32_t type;       /* of x and y: any */
  int32_t index_type; /* GS_I32 or GS_I64, of index [count] */
  int32_t from_end;   /* negative indices count from the end; else they are out of range */
  int32_t padding;
} gs_gather;

/* Sets *forward and *add to the bytes of workspace that the two functions need, 256-byte aligned.
 */
GS_API gs_status gs_gather_workspace(const gs_gather* gather, int64_t* forward, int64_t* add);

/* Copies bits. y overlaps nothing. */
GS_API gs_status gs_gather_forward(const gs_gather* gather, const void* x, const void* index,
                                   void* y, void* workspace, gs_stream stream);

/* x[o][index[k]][i] += y[o][k][i] in the order of k, each sum rounded to the type; integers wrap;
 * not GS_BOOL. clear: to zeros instead of to x, which is gs_gather_forward's gradient. x overlaps
 * nothing. Indices are sorted with their places (8 bits a pass), which must fit 64 bits together.
 */
GS_API gs_status gs_gather_add(const gs_gather* gather, const void* y, const void* index, void* x,
                               int32_t clear, void* workspace, gs_stream stream);

/* An index for each element: y[p] = x[p with p[axis] replaced by index[p]], p over all places of
 * index. All operands are row-major without gaps; y has the sizes of index. */
typedef struct gs_gather_elements {
  int32_t type;       /* of x and y: any */
  int32_t index_type; /* GS_I32 or GS_I64 */
  int32_t from_end;   /* as gs_gather */
  int32_t dims;       /* of x and index alike */
  int32_t axis;
  int32_t padding;
  int64_t size_x[GS_MAX_DIMS];
  int64_t size_index[GS_MAX_DIMS]; /* not larger than x but along the axis */
} gs_gather_elements;

/* As gs_gather_workspace. */
GS_API gs_status gs_gather_elements_workspace(const gs_gather_elements* gather, int64_t* forward,
                                              int64_t* scatter);

GS_API gs_status gs_gather_elements_forward(const gs_gather_elements* gather, const void* x,
                                            const void* index, void* y, void* workspace,
                                            gs_stream stream);

/* The other way: target[p with index[p]] = source[p], of several the last along the axis; or with
 * add += source[p], in their order along the axis, as gs_gather_add. Other elements stay. */
GS_API gs_status gs_gather_elements_scatter(const gs_gather_elements* gather, const void* source,
                                            const void* index, void* target, int32_t add,
                                            void* workspace, gs_stream stream);

/* ---- padding ---- */

/* What a border holds. */
enum {
  GS_PAD_CONSTANT = 0,  /* the value */
  GS_PAD_REFLECT = 1,   /* x mirrored at its ends, which are not repeated */
  GS_PAD_REPLICATE = 2, /* the first or last element */
  GS_PAD_CIRCULAR = 3   /* x from its other end */
};

/* y[o] = x[source(o - before)] in each dimension of a row-major x; y's sizes are before + size +
 * after. Negative numbers cut elements off. A border is shorter than the dimension with REFLECT,
 * not longer with CIRCULAR, and none at an empty dimension with REPLICATE. */
typedef struct gs_pad {
  int32_t mode;
  int32_t type; /* of x and y: any */
  int32_t dims;
  int32_t padding;
  int64_t size[GS_MAX_DIMS];
  int64_t before[GS_MAX_DIMS];
  int64_t after[GS_MAX_DIMS];
  double value; /* of GS_PAD_CONSTANT, cast as by gs_fill_f64 */
} gs_pad;

/* Copies bits. y overlaps nothing. */
GS_API gs_status gs_pad_forward(const gs_pad* pad, const void* x, void* y, gs_stream stream);

/* dx[i] = sum of dy[o] over all o that hold x[i], in row-major order of o, in f64, rounded once; 0
 * where none does. Floating types. Every element of dx is written; it overlaps nothing. */
GS_API gs_status gs_pad_backward(const gs_pad* pad, const void* dy, void* dx, gs_stream stream);

/* ---- order ---- */

/* Comparisons are exact in every type; -0 equals 0. Types: GS_F32, GS_F64, GS_BF16, GS_F16, GS_I32,
 * GS_I64. Results depend on the elements alone. */

enum { GS_ARG_MAX = 0, GS_ARG_MIN = 1 };

/* The place of the largest or smallest element along one dimension, which must not be empty. A NaN
 * wins over every number, for the smallest too. */
typedef struct gs_arg_reduce {
  int32_t kind;
  int32_t type;
  int32_t axis;
  int32_t last; /* of equal ones, or of several NaN, the last is taken rather than the first */
  gs_layout x;
} gs_arg_reduce;

/* Sets *bytes to the workspace that gs_arg_reduce_run needs, 256-byte aligned; 0: it may be null.
 */
GS_API gs_status gs_arg_reduce_workspace(const gs_arg_reduce* op, int64_t* bytes);

/* y: places counted from 0, row-major without gaps over the other dimensions; overlaps nothing. */
GS_API gs_status gs_arg_reduce_run(const gs_arg_reduce* op, const void* x, int64_t* y,
                                   void* workspace, gs_stream stream);

/* The k largest or smallest elements along one dimension, best first, equal ones by lower place.
 * NaN is larger than every number: first among the largest, last among the smallest. */
typedef struct gs_top_k {
  int32_t type;
  int32_t axis;
  int32_t largest;
  int32_t padding;
  int64_t k; /* 0 to the axis' size; more than 1024 of more than 2^32-1 elements: unsupported */
  gs_layout x;
} gs_top_k;

/* Sets *bytes to the workspace that both functions need, 256-byte aligned. */
GS_API gs_status gs_top_k_workspace(const gs_top_k* op, int64_t* bytes);

/* values (bits of x) and indices (places counted from 0): row-major without gaps, with size k at
 * the axis. Nothing overlaps. */
GS_API gs_status gs_top_k_forward(const gs_top_k* op, const void* x, void* values, int64_t* indices,
                                  void* workspace, gs_stream stream);

/* dx, row-major without gaps: dy at the places of indices, which are distinct along the axis, 0
 * elsewhere. Floating types. The first 8 bytes of the workspace hold afterwards the place (int64)
 * in indices of the first that is not in 0..size, or -1; such are left out. Nothing overlaps. */
GS_API gs_status gs_top_k_backward(const gs_top_k* op, const void* dy, const int64_t* indices,
                                   void* dx, void* workspace, gs_stream stream);

#ifdef __cplusplus
}
#endif
#endif /* GRIDSTRIDE_H_ */
