"""What compare.py measures: each family gives cases, a case prepares operands and runs both implementations.

`bytes` are the least that must move through memory, `flops` the operations of the formula; 0 for what is bound
by memory. Data is normal, never zeros; results are filled with NaN before values are compared.
"""
import ctypes

import torch
import torch.nn.functional as F

import measure

BF16, F32 = torch.bfloat16, torch.float32
NAMES = {F32: "f32", torch.float64: "f64", BF16: "bf16", torch.float16: "f16"}
# of a relative error in the norm: some roundings of the type
TOLERANCE = {F32: 3e-6, BF16: 8e-3, torch.float16: 1e-3}


def type_number(gs, dtype):
    return {F32: gs.GS_F32, torch.float64: gs.GS_F64, BF16: gs.GS_BF16, torch.float16: gs.GS_F16}[dtype]


def workspace(function, description, device, results=1):
    sizes = [ctypes.c_int64() for _ in range(results)]
    function(description, *sizes)
    return torch.empty(max(1, *(s.value for s in sizes)), dtype=torch.uint8, device=device)


class Case:
    """One op, dtype and shape. Subclasses make operand sets, run ours and theirs, and give the exact result."""

    family = op = shape = ""
    flops = bytes = 0
    timing = False  # while measured, when a result need not be assembled for comparison

    def __init__(self, gs, dtype):
        self.gs, self.type, self.dtype = gs, dtype, NAMES[dtype]
        self.tolerance = TOLERANCE[dtype]
        self.sets, self.operands = 0, []

    def prepare(self, device, sets):
        self.device, self.sets = device, sets
        self.operands = [self.make() for _ in range(sets)]

    def release(self):
        self.operands = []

    def normal(self, *shape):
        return torch.randn(*shape, device=self.device, dtype=F32).to(self.type)

    def empty(self, *shape, dtype=None):
        return torch.full(shape, float("nan"), device=self.device, dtype=dtype or self.type)

    def stream(self):
        return torch.cuda.current_stream().cuda_stream if self.device.type == "cuda" else None

    def errors(self):
        """Relative errors of ours and theirs."""
        self.ours(0)
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        ours = self.result(0).clone()
        theirs = self.theirs(0)
        exact = self.exact(0)
        return measure.relative_error(ours, exact), measure.relative_error(theirs, exact)


class Gemm(Case):
    family = "gemm"

    def __init__(self, gs, dtype, m, n, k, ta, tb):
        super().__init__(gs, dtype)
        self.m, self.n, self.k, self.ta, self.tb = m, n, k, ta, tb
        self.op, self.shape = "gemm_" + "nt"[ta] + "nt"[tb], f"{m}x{n}x{k}"
        size = dtype.itemsize
        self.flops, self.bytes = 2 * m * n * k, size * (m * k + k * n + m * n)

    def make(self):
        a = self.normal(*((self.k, self.m) if self.ta else (self.m, self.k)))
        b = self.normal(*((self.n, self.k) if self.tb else (self.k, self.n)))
        gs, t = self.gs, type_number(self.gs, self.type)
        self.description = gs.gs_gemm(m=self.m, n=self.n, k=self.k, lda=a.shape[1], ldb=b.shape[1], ldc=self.n, batch=1,
                                      trans_a=self.ta, trans_b=self.tb, a_type=t, b_type=t, c_type=t)
        return (a, b, self.empty(self.m, self.n), self.empty(self.m, self.n),
                workspace(gs.gs_gemm_workspace, self.description, self.device))

    def ours(self, i):
        a, b, c, _, work = self.operands[i]
        self.gs.gs_gemm_run(self.description, 1.0, a.data_ptr(), b.data_ptr(), 0.0, c.data_ptr(), None, None,
                            work.data_ptr(), self.stream())

    def result(self, i):
        return self.operands[i][2]

    def factors(self, i):
        a, b, *_ = self.operands[i]
        return a.T if self.ta else a, b.T if self.tb else b

    def theirs(self, i):
        a, b = self.factors(i)
        return torch.mm(a, b, out=self.operands[i][3])

    def exact(self, i):
        a, b = self.factors(i)
        return a.double() @ b.double()


def gemm(gs, quick):
    sizes = [(128,) * 3, (512,) * 3, (1000,) * 3] if quick else [(n,) * 3 for n in (128, 256, 512, 1024, 2048, 4096, 8192)]
    skewed = [] if quick else [(64, 4096, 4096), (4096, 64, 4096), (256, 256, 65536), (8192, 1024, 64), (64, 10, 128)]
    for dtype in (F32, BF16):
        for m, n, k in sizes:
            for ta, tb in [(0, 0), (0, 1), (1, 0)]:
                yield Gemm(gs, dtype, m, n, k, ta, tb)
        for m, n, k in skewed:
            yield Gemm(gs, dtype, m, n, k, 0, 0)


class Softmax(Case):
    family = "softmax"

    def __init__(self, gs, dtype, rows, size, log, backward):
        super().__init__(gs, dtype)
        self.rows, self.size, self.log, self.backward = rows, size, log, backward
        self.op = ("log_" if log else "") + "softmax" + ("_backward" if backward else "")
        self.shape = f"{rows}x{size}"
        self.bytes = (3 if backward else 2) * rows * size * dtype.itemsize

    def make(self):
        x = self.normal(self.rows, self.size)
        y = F.log_softmax(x, 1) if self.log else F.softmax(x, 1)
        return x, y, self.normal(self.rows, self.size), self.empty(self.rows, self.size)

    def ours(self, i):
        x, y, dy, out = self.operands[i]
        gs = self.gs
        s = gs.gs_softmax(outer=self.rows, size=self.size, inner=1, type=type_number(gs, self.type), log=self.log)
        if self.backward:
            gs.gs_softmax_backward(s, y.data_ptr(), dy.data_ptr(), out.data_ptr(), self.stream())
        else:
            gs.gs_softmax_forward(s, x.data_ptr(), out.data_ptr(), self.stream())

    def result(self, i):
        return self.operands[i][3]

    def theirs(self, i):
        x, y, dy, _ = self.operands[i]
        if self.backward:
            function = torch.ops.aten._log_softmax_backward_data if self.log else torch.ops.aten._softmax_backward_data
            return function(dy, y, 1, self.type)
        return F.log_softmax(x, 1) if self.log else F.softmax(x, 1)

    def exact(self, i):
        x, y, dy, _ = (t.double() for t in self.operands[i])
        if self.backward:
            return dy - y.exp() * dy.sum(1, True) if self.log else y * (dy - (dy * y).sum(1, True))
        return F.log_softmax(x, 1) if self.log else F.softmax(x, 1)


def softmax(gs, quick):
    shapes = [(64, 1000)] if quick else [(65536, 64), (32768, 1024), (16384, 4096), (4096, 32768), (1024, 131072)]
    for dtype in (F32, BF16):
        for rows, size in shapes:
            for backward in (False, True):
                yield Softmax(gs, dtype, rows, size, 0, backward)
        yield Softmax(gs, dtype, *shapes[len(shapes) // 2], 1, False)


class CrossEntropy(Case):
    """Loss and gradient in one call; PyTorch's eager forward and backward."""

    family, op = "cross_entropy", "cross_entropy_both"

    def __init__(self, gs, dtype, rows, classes):
        super().__init__(gs, dtype)
        self.rows, self.classes, self.shape = rows, classes, f"{rows}x{classes}"
        self.bytes = 2 * rows * classes * dtype.itemsize
        self.description = gs.gs_cross_entropy(
            rows=rows, classes=classes, inner=1, type=type_number(gs, dtype), target_type=gs.GS_I64,
            ignore_index=-100, reduction=gs.GS_REDUCE_MEAN)

    def make(self):
        return (self.normal(self.rows, self.classes).requires_grad_(),
                torch.randint(self.classes, (self.rows,), device=self.device), self.empty(1, dtype=F32),
                self.empty(self.rows, self.classes),
                workspace(self.gs.gs_cross_entropy_workspace, self.description, self.device))

    def ours(self, i):
        x, t, loss, dx, work = self.operands[i]
        self.gs.gs_cross_entropy_run(self.description, x.data_ptr(), t.data_ptr(), None, 1.0, loss.data_ptr(), None,
                                     None, dx.data_ptr(), work.data_ptr(), self.stream())

    def result(self, i):
        return self.operands[i][3]

    def theirs(self, i):
        x, t, *_ = self.operands[i]
        return torch.autograd.grad(F.cross_entropy(x, t), x)[0]

    def exact(self, i):
        x, t, *_ = self.operands[i]
        p = F.softmax(x.detach().double(), 1)
        p[torch.arange(self.rows, device=self.device), t] -= 1
        return p / self.rows


def cross_entropy(gs, quick):
    for dtype in (F32, BF16):
        for rows, classes in [(64, 10), (32, 1000)] if quick else [(64, 10), (8192, 1000), (16384, 4096), (8192, 50257),
                                                                    (4096, 131072)]:
            yield CrossEntropy(gs, dtype, rows, classes)


class Conv(Case):
    """Forward, backward data, backward weight; PyTorch's in the layout that ours has."""

    family = "conv"

    def __init__(self, gs, dtype, direction, nhwc, n, c, k, size, kernel, stride, pad, groups=1):
        super().__init__(gs, dtype)
        self.direction, self.nhwc = direction, nhwc
        self.n, self.c, self.k, self.size, self.groups = n, c, k, size, groups
        self.kernel, self.stride, self.pad = kernel, stride, pad
        self.out = (size + 2 * pad - kernel) // stride + 1
        self.op = f"conv_{direction}_{'nhwc' if nhwc else 'nchw'}"
        self.shape = f"n{n} c{c} k{k} {size}^2 f{kernel} s{stride} g{groups}"
        self.flops = 2 * n * k * self.out ** 2 * c // groups * kernel ** 2
        self.bytes = dtype.itemsize * (n * c * size ** 2 + n * k * self.out ** 2 + k * c // groups * kernel ** 2)
        self.tolerance = 1e-5 if direction == "weight" and dtype is F32 else TOLERANCE[dtype]
        self.description = gs.gs_conv(type=type_number(gs, dtype), layout=gs.GS_NHWC if nhwc else gs.GS_NCHW, axes=2,
                                      n=n, c=c, k=k, groups=groups)
        for axis in range(2):
            a = self.description.axis[axis]
            a.size, a.kernel, a.stride, a.pad_begin, a.pad_end, a.dilation = size, kernel, stride, pad, pad, 1

    def image(self, channels, size):
        t = self.normal(self.n, channels, size, size)
        return t.contiguous(memory_format=torch.channels_last) if self.nhwc else t

    def make(self):
        x, dy = self.image(self.c, self.size), self.image(self.k, self.out)
        w = self.normal(self.k, self.c // self.groups, self.kernel, self.kernel)
        out = {"forward": dy, "data": x, "weight": w}[self.direction]
        work = workspace(self.gs.gs_conv_workspace, self.description, self.device)
        w_theirs = w.contiguous(memory_format=torch.channels_last) if self.nhwc else w
        return x, w, dy, torch.full_like(out, float("nan")), work, w_theirs

    def ours(self, i):
        x, w, dy, out, work, _ = self.operands[i]
        gs, s = self.gs, self.stream()
        if self.direction == "forward":
            gs.gs_conv_forward(self.description, x.data_ptr(), w.data_ptr(), None, out.data_ptr(),
                               work.data_ptr(), s)
        elif self.direction == "data":
            gs.gs_conv_backward_data(self.description, dy.data_ptr(), w.data_ptr(), out.data_ptr(),
                                     work.data_ptr(), s)
        else:
            gs.gs_conv_backward_weight(self.description, x.data_ptr(), dy.data_ptr(), out.data_ptr(), None,
                                       work.data_ptr(), s)

    def result(self, i):
        return self.operands[i][3]

    def compute(self, x, w, dy):
        if self.direction == "forward":
            return F.conv2d(x, w, stride=self.stride, padding=self.pad, groups=self.groups)
        mask = [self.direction == "data", self.direction == "weight", False]
        return torch.ops.aten.convolution_backward(
            dy, x, w, None, [self.stride] * 2, [self.pad] * 2, [1, 1], False, [0, 0], self.groups,
            mask)[0 if self.direction == "data" else 1]

    def theirs(self, i):
        x, _, dy, *_, w = self.operands[i]
        return self.compute(x, w, dy)

    def exact(self, i):
        x, w, dy, *_ = self.operands[i]
        return self.compute(x.double(), w.double(), dy.double())


def conv(gs, quick):
    shapes = ([(2, 8, 16, 14, 3, 1, 1), (2, 3, 8, 20, 5, 2, 2)] if quick else
              [(64, 1, 32, 28, 3, 1, 0), (64, 32, 64, 26, 3, 1, 0), (32, 3, 64, 224, 7, 2, 3), (32, 64, 64, 56, 3, 1, 1),
               (32, 128, 128, 28, 3, 1, 1), (32, 512, 512, 7, 3, 1, 1), (32, 64, 256, 56, 1, 1, 0),
               (32, 256, 512, 56, 1, 2, 0)])
    depthwise = [(2, 8, 8, 14, 3, 1, 1)] if quick else [(32, 128, 128, 56, 3, 1, 1)]
    for nhwc in (False, True):
        for direction in ("forward", "data", "weight"):
            for shape in shapes:
                yield Conv(gs, F32, direction, nhwc, *shape)
            for shape in depthwise:
                yield Conv(gs, F32, direction, nhwc, *shape, groups=shape[1])
            for shape in shapes if quick else shapes[2:7]:
                yield Conv(gs, BF16, direction, nhwc, *shape)


class Adam(Case):
    family, op = "descent", "adamw_step"

    def __init__(self, gs, sizes, shape):
        super().__init__(gs, F32)
        self.sizes, self.shape = sizes, shape
        self.bytes = 28 * sum(sizes)
        self.description = gs.gs_descent(method=gs.GS_ADAM, type=gs.GS_F32, step=1, lr=1e-3, grad_scale=1.0,
                                         weight_decay=0.01, decoupled=1, beta1=0.9, beta2=0.999, eps=1e-8)

    def make(self):
        ours = [[self.normal(n) for n in self.sizes] for _ in range(2)]
        state = [[torch.zeros(n, device=self.device) for n in self.sizes] for _ in range(2)]
        table = (self.gs.gs_parameter * len(self.sizes))()
        for j, n in enumerate(self.sizes):
            table[j].p, table[j].g, table[j].count = ours[0][j].data_ptr(), ours[1][j].data_ptr(), n
            table[j].state[0], table[j].state[1] = state[0][j].data_ptr(), state[1][j].data_ptr()
        parameters = [torch.nn.Parameter(p.clone()) for p in ours[0]]
        for p, g in zip(parameters, ours[1]):
            p.grad = g
        start = torch.cat(ours[0]).double()
        fused = self.device.type == "cuda"
        theirs = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, fused=fused, capturable=fused)
        return ours, state, table, parameters, theirs, start

    def ours(self, i):
        table = self.operands[i][2]
        self.gs.gs_descent_step(self.description, table, len(self.sizes), None, self.stream())

    def result(self, i):
        return torch.cat(self.operands[i][0][0])

    def theirs(self, i):
        self.operands[i][4].step()
        return None if self.timing else torch.cat([p.detach() for p in self.operands[i][3]])

    def exact(self, i):
        ours, *_, start = self.operands[i]
        g = torch.cat(ours[1]).double()
        m, v = 0.1 * g / (1 - 0.9), 0.001 * g * g / (1 - 0.999)
        return start * (1 - 1e-3 * 0.01) - 1e-3 * m / (v.sqrt() + 1e-8)


def descent(gs, quick):
    yield Adam(gs, [1000] if quick else [100_000_000], "1 tensor" if quick else "1 x 100M")
    yield Adam(gs, [100, 1000, 17] if quick else [5000] * 200, "3 small" if quick else "200 x 5000")


class Unary(Case):
    family = "elementwise"

    def __init__(self, gs, dtype, op, count):
        super().__init__(gs, dtype)
        self.op, self.count, self.shape = op, count, str(count)
        self.bytes = 2 * count * dtype.itemsize
        self.number = {"gelu": gs.GS_U_GELU, "exp": gs.GS_EXP, "relu": gs.GS_U_RELU}[op]
        self.function = {"gelu": F.gelu, "exp": torch.exp, "relu": F.relu}[op]

    def make(self):
        return self.normal(self.count), self.empty(self.count)

    def ours(self, i):
        x, y = self.operands[i]
        self.gs.gs_unary_forward(self.number, type_number(self.gs, self.type), self.count, 0.0, 0.0, x.data_ptr(),
                                 y.data_ptr(), self.stream())

    def result(self, i):
        return self.operands[i][1]

    def theirs(self, i):
        return self.function(self.operands[i][0])

    def exact(self, i):
        return self.function(self.operands[i][0].double())


def elementwise(gs, quick):
    for dtype in (F32, BF16):
        for op in ("relu", "gelu", "exp"):
            yield Unary(gs, dtype, op, 10_007 if quick else 1 << 27)


class Sum(Case):
    """Over the second of two dimensions (rows) or the first (columns)."""

    family = "reduce"

    def __init__(self, gs, rows, cols, axis):
        super().__init__(gs, F32)
        self.rows, self.cols, self.axis = rows, cols, axis
        self.op, self.shape = f"sum_axis{axis}", f"{rows}x{cols}"
        self.bytes = 4 * rows * cols
        self.tolerance = 1e-5

    def make(self):
        gs = self.gs
        layout = gs.gs_layout(dims=2)
        layout.size[0], layout.size[1], layout.stride[0], layout.stride[1] = self.rows, self.cols, self.cols, 1
        d = gs.gs_reduce(kind=gs.GS_REDUCTION_SUM, type=gs.GS_F32, axes=1 << self.axis, x=layout)
        out = self.rows if self.axis else self.cols
        return d, self.normal(self.rows, self.cols), self.empty(out), workspace(
            gs.gs_reduce_workspace, d, self.device)

    def ours(self, i):
        d, x, y, work = self.operands[i]
        self.gs.gs_reduce_forward(d, x.data_ptr(), y.data_ptr(), work.data_ptr(), self.stream())

    def result(self, i):
        return self.operands[i][2]

    def theirs(self, i):
        return self.operands[i][1].sum(self.axis)

    def exact(self, i):
        return self.operands[i][1].double().sum(self.axis)


def reduce(gs, quick):
    for rows, cols in [(100, 333)] if quick else [(16384, 8192), (1 << 20, 64), (64, 1 << 20)]:
        for axis in (0, 1):
            yield Sum(gs, rows, cols, axis)


FAMILIES = {"gemm": gemm, "softmax": softmax, "cross_entropy": cross_entropy, "conv": conv, "descent": descent,
            "elementwise": elementwise, "reduce": reduce}
