"""More cases for compare.py: attention, norms, moving data, indices."""
import torch
import torch.nn.functional as F

from cases import BF16, F32, TOLERANCE, Case, type_number, workspace


class Attention(Case):
    """Causal or not, a head's keys of its own; PyTorch's scaled_dot_product_attention picks its kernel."""

    family = "attention"

    def __init__(self, gs, dtype, batch, heads, length, depth, causal, backward):
        super().__init__(gs, dtype)
        self.batch, self.heads, self.length, self.depth = batch, heads, length, depth
        self.causal, self.backward = causal, backward
        self.op = ("causal_" if causal else "") + "attention" + ("_backward" if backward else "")
        self.shape = f"b{batch} h{heads} l{length} d{depth}"
        pairs = batch * heads * length * length // (2 if causal else 1)
        self.flops = (10 if backward else 4) * pairs * depth
        self.bytes = (8 if backward else 4) * batch * heads * length * depth * dtype.itemsize
        self.tolerance = 4 * TOLERANCE[dtype]
        self.description = gs.gs_attention(
            products=batch * heads, sharing=1, queries=length, keys=length, depth=depth, value_depth=depth,
            scale=depth ** -0.5, type=type_number(gs, dtype), causal=causal)

    def make(self):
        q, k, v, dy = (self.normal(self.batch, self.heads, self.length, self.depth) for _ in range(4))
        y, lse = torch.empty_like(q), self.empty(self.batch * self.heads, self.length, dtype=F32)
        self.gs.gs_attention_forward(self.description, q.data_ptr(), k.data_ptr(), v.data_ptr(), y.data_ptr(),
                                     lse.data_ptr(), self.stream())
        out = [torch.full_like(q, float("nan")) for _ in range(3 if self.backward else 1)]
        work = workspace(self.gs.gs_attention_workspace, self.description, self.device)
        leaves = [t.detach().clone().requires_grad_(self.backward) for t in (q, k, v)]
        graph = F.scaled_dot_product_attention(*leaves, is_causal=bool(self.causal)) if self.backward else None
        return q, k, v, dy, y, lse, out, work, leaves, graph

    def ours(self, i):
        q, k, v, dy, y, lse, out, work, *_ = self.operands[i]
        if self.backward:
            self.gs.gs_attention_backward(
                self.description, q.data_ptr(), k.data_ptr(), v.data_ptr(), y.data_ptr(), lse.data_ptr(),
                dy.data_ptr(), *(t.data_ptr() for t in out), work.data_ptr(), self.stream())
        else:
            self.gs.gs_attention_forward(self.description, q.data_ptr(), k.data_ptr(), v.data_ptr(),
                                         out[0].data_ptr(), None, self.stream())

    def result(self, i):
        return torch.cat([t.flatten() for t in self.operands[i][6]])

    def theirs(self, i):
        dy, leaves, graph = self.operands[i][3], self.operands[i][8], self.operands[i][9]
        if not self.backward:
            return F.scaled_dot_product_attention(*leaves, is_causal=bool(self.causal)).flatten()
        gradients = torch.autograd.grad(graph, leaves, dy, retain_graph=True)
        return None if self.timing else torch.cat([t.flatten() for t in gradients])

    def exact(self, i):
        q, k, v = (t.detach().double().requires_grad_(self.backward) for t in self.operands[i][8])
        mask = torch.ones(self.length, self.length, dtype=torch.bool, device=self.device).tril()
        scores = q @ k.transpose(-1, -2) * self.depth ** -0.5
        y = (scores.masked_fill(~mask, float("-inf")) if self.causal else scores).softmax(-1) @ v
        if not self.backward:
            return y.flatten()
        return torch.cat([t.flatten() for t in torch.autograd.grad(y, (q, k, v), self.operands[i][3].double())])


def attention(gs, quick):
    shapes = [(2, 2, 100, 64)] if quick else [(8, 16, 512, 64), (4, 16, 2048, 64), (4, 16, 2048, 128), (1, 16, 4096, 256)]
    for dtype in (BF16, F32):
        for shape in shapes:
            for causal in (0, 1):
                for backward in (False, True):
                    if not (dtype is F32 and causal):
                        yield Attention(gs, dtype, *shape, causal, backward)


class LayerNorm(Case):
    family = "norm"

    def __init__(self, gs, dtype, rows, size, backward):
        super().__init__(gs, dtype)
        self.rows, self.size, self.backward = rows, size, backward
        self.op, self.shape = "layer_norm" + ("_backward" if backward else ""), f"{rows}x{size}"
        self.bytes = (3 if backward else 2) * rows * size * dtype.itemsize
        self.tolerance = 4 * TOLERANCE[dtype]
        self.description = gs.gs_norm(kind=gs.GS_LAYER_NORM, type=type_number(gs, dtype), n=rows, c=size, spatial=1,
                                      groups=1, eps=1e-5)

    def make(self):
        x, dy, gamma, beta = self.normal(self.rows, self.size), self.normal(self.rows, self.size), \
            self.normal(self.size), self.normal(self.size)
        _, mean, rstd = torch.ops.aten.native_layer_norm(x, [self.size], gamma, beta, 1e-5)
        out = [torch.full_like(x, float("nan"))] + [torch.full_like(gamma, float("nan")) for _ in range(2)]
        work = workspace(self.gs.gs_norm_workspace, self.description, self.device)
        return x, dy, gamma, beta, mean.to(F32).contiguous(), rstd.to(F32).contiguous(), out, work, mean, rstd

    def ours(self, i):
        x, dy, gamma, beta, mean, rstd, out, work, *_ = self.operands[i]
        if self.backward:
            self.gs.gs_norm_backward(self.description, x.data_ptr(), gamma.data_ptr(), mean.data_ptr(), rstd.data_ptr(),
                                     dy.data_ptr(), *(t.data_ptr() for t in out), work.data_ptr(), self.stream())
        else:
            self.gs.gs_norm_forward(self.description, x.data_ptr(), gamma.data_ptr(), beta.data_ptr(), out[0].data_ptr(),
                                    mean.data_ptr(), rstd.data_ptr(), None, None, 0.0, work.data_ptr(), self.stream())

    def result(self, i):
        return self.operands[i][6][0]

    def theirs(self, i):
        x, dy, gamma, beta, *_, mean, rstd = self.operands[i]
        if self.backward:
            return torch.ops.aten.native_layer_norm_backward(dy, x, [self.size], mean, rstd, gamma, beta, [True] * 3)[0]
        return torch.ops.aten.native_layer_norm(x, [self.size], gamma, beta, 1e-5)[0]

    def exact(self, i):
        x, dy, gamma, beta, *_ = (t.double() for t in self.operands[i][:4])
        x = x.requires_grad_()
        y = F.layer_norm(x, [self.size], gamma, beta, 1e-5)
        return torch.autograd.grad(y, x, dy)[0] if self.backward else y.detach()


class BatchNorm(Case):
    """Training statistics, NCHW or NHWC."""

    family = "norm"

    def __init__(self, gs, nhwc, n, c, size):
        super().__init__(gs, F32)
        self.nhwc, self.n, self.c, self.size = nhwc, n, c, size
        self.op, self.shape = f"batch_norm_{'nhwc' if nhwc else 'nchw'}", f"n{n} c{c} {size}^2"
        self.bytes = 12 * n * c * size * size  # read for the statistics, read again, written
        self.tolerance = 1e-5
        self.description = gs.gs_norm(kind=gs.GS_BATCH_NORM, type=gs.GS_F32, layout=gs.GS_NHWC if nhwc else gs.GS_NCHW,
                                      n=n, c=c, spatial=size * size, groups=1, eps=1e-5)

    def make(self):
        x = self.normal(self.n, self.c, self.size, self.size)
        x = x.contiguous(memory_format=torch.channels_last) if self.nhwc else x
        statistics = [torch.empty(self.c, device=self.device) for _ in range(2)]
        running = [torch.zeros(self.c, device=self.device), torch.ones(self.c, device=self.device)]
        work = workspace(self.gs.gs_norm_workspace, self.description, self.device)
        return x, self.normal(self.c), self.normal(self.c), torch.full_like(x, float("nan")), statistics, running, work

    def ours(self, i):
        x, gamma, beta, y, (mean, rstd), (m, v), work = self.operands[i]
        self.gs.gs_norm_forward(self.description, x.data_ptr(), gamma.data_ptr(), beta.data_ptr(), y.data_ptr(),
                                mean.data_ptr(), rstd.data_ptr(), m.data_ptr(), v.data_ptr(), 0.1, work.data_ptr(),
                                self.stream())

    def result(self, i):
        return self.operands[i][3]

    def theirs(self, i):
        x, gamma, beta, _, _, (m, v), _ = self.operands[i]
        return F.batch_norm(x, m, v, gamma, beta, True, 0.1, 1e-5)

    def exact(self, i):
        x, gamma, beta, *_ = self.operands[i]
        return F.batch_norm(x.double(), None, None, gamma.double(), beta.double(), True, 0.1, 1e-5)


def norm(gs, quick):
    for dtype in (F32, BF16):
        for rows, size in [(10, 100)] if quick else [(65536, 256), (16384, 1024), (8192, 4096), (1024, 65536)]:
            for backward in (False, True):
                yield LayerNorm(gs, dtype, rows, size, backward)
    for nhwc in (False, True):
        for n, c, size in [(2, 3, 5)] if quick else [(32, 64, 112), (32, 512, 14)]:
            yield BatchNorm(gs, nhwc, n, c, size)


class Transpose(Case):
    family, op = "move", "transpose"

    def __init__(self, gs, dtype, rows, cols):
        super().__init__(gs, dtype)
        self.rows, self.cols, self.shape = rows, cols, f"{rows}x{cols}"
        self.bytes = 2 * rows * cols * dtype.itemsize
        self.tolerance = 0
        self.layout = gs.gs_copy_layout(dims=2)
        for d, (size, stride_x, stride_y) in enumerate([(cols, 1, rows), (rows, cols, 1)]):
            self.layout.size[d], self.layout.stride_x[d], self.layout.stride_y[d] = size, stride_x, stride_y

    def make(self):
        return self.normal(self.rows, self.cols), self.empty(self.cols, self.rows), self.empty(self.cols, self.rows)

    def ours(self, i):
        x, y, _ = self.operands[i]
        t = type_number(self.gs, self.type)
        self.gs.gs_copy(t, t, self.layout, x.data_ptr(), y.data_ptr(), self.stream())

    def result(self, i):
        return self.operands[i][1]

    def theirs(self, i):
        return self.operands[i][2].copy_(self.operands[i][0].T)

    def exact(self, i):
        return self.operands[i][0].T.double()


class Gather(Case):
    """Rows of a table, and its gradient beside PyTorch's embedding backward."""

    family = "move"

    def __init__(self, gs, size, count, inner, backward):
        super().__init__(gs, F32)
        self.size, self.count, self.inner, self.backward = size, count, inner, backward
        self.op, self.shape = "gather" + ("_add" if backward else ""), f"{count} of {size}x{inner}"
        self.bytes = 4 * inner * (count + (size if backward else count)) + 8 * count
        self.description = gs.gs_gather(outer=1, size=size, inner=inner, count=count, type=gs.GS_F32,
                                        index_type=gs.GS_I64)

    def make(self):
        index = torch.randint(self.size, (self.count,), device=self.device)
        work = workspace(self.gs.gs_gather_workspace, self.description, self.device, 2)
        out = self.size if self.backward else self.count
        return (self.normal(self.count if self.backward else self.size, self.inner), index, self.empty(out, self.inner),
                work)

    def ours(self, i):
        x, index, y, work = self.operands[i]
        if self.backward:
            self.gs.gs_gather_add(self.description, x.data_ptr(), index.data_ptr(), y.data_ptr(), 1, work.data_ptr(),
                                  self.stream())
        else:
            self.gs.gs_gather_forward(self.description, x.data_ptr(), index.data_ptr(), y.data_ptr(), work.data_ptr(),
                                      self.stream())

    def result(self, i):
        return self.operands[i][2]

    def theirs(self, i):
        x, index, *_ = self.operands[i]
        if self.backward:
            return torch.ops.aten.embedding_dense_backward(x, index, self.size, -1, False)
        return torch.index_select(x, 0, index)

    def exact(self, i):
        x, index, *_ = self.operands[i]
        if self.backward:
            return torch.zeros(self.size, self.inner, dtype=torch.double, device=self.device).index_add_(
                0, index, x.double())
        return x[index].double()


def move(gs, quick):
    for dtype in (F32, BF16):
        for rows, cols in [(33, 65)] if quick else [(8192, 8192), (1 << 20, 64)]:
            yield Transpose(gs, dtype, rows, cols)
    for size, count, inner in [(50, 100, 8)] if quick else [(50257, 16384, 768), (1000, 65536, 64)]:
        for backward in (False, True):
            yield Gather(gs, size, count, inner, backward)


class TopK(Case):
    family, op = "top_k", "top_k"

    def __init__(self, gs, rows, size, k):
        super().__init__(gs, F32)
        self.rows, self.size, self.k, self.shape = rows, size, k, f"{k} of {rows}x{size}"
        self.bytes = 4 * rows * size + 12 * rows * k
        self.tolerance = 0
        layout = gs.gs_layout(dims=2)
        layout.size[0], layout.size[1], layout.stride[0], layout.stride[1] = rows, size, size, 1
        self.description = gs.gs_top_k(type=gs.GS_F32, axis=1, largest=1, k=k, x=layout)

    def make(self):
        work = workspace(self.gs.gs_top_k_workspace, self.description, self.device)
        return (self.normal(self.rows, self.size), self.empty(self.rows, self.k),
                torch.empty(self.rows, self.k, dtype=torch.int64, device=self.device), work)

    def ours(self, i):
        x, values, indices, work = self.operands[i]
        self.gs.gs_top_k_forward(self.description, x.data_ptr(), values.data_ptr(), indices.data_ptr(), work.data_ptr(),
                                 self.stream())

    def result(self, i):
        return self.operands[i][1]

    def theirs(self, i):
        return torch.topk(self.operands[i][0], self.k)[0]

    def exact(self, i):
        return torch.sort(self.operands[i][0], 1, descending=True)[0][:, :self.k].double()


def top_k(gs, quick):
    for rows, size, k in [(3, 100, 5)] if quick else [(65536, 64, 8), (256, 50257, 50), (256, 50257, 1024),
                                                       (1, 10_000_000, 50)]:
        yield TopK(gs, rows, size, k)


FAMILIES = {"attention": attention, "norm": norm, "move": move, "top_k": top_k}
