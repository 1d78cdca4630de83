package dev.gridstride.kernels;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.NormOracle.Kind;
import dev.gridstride.testing.TestArray;

/** One normalization, whichever op it is. */
record NormCase(
    Kind kind, DType type, ImageLayout layout, int n, int c, int s, int groups, double eps) {
  private static final Device DEVICE = TestDevice.get();
  private static final Stream STREAM = DEVICE.defaultStream();

  static NormCase rows(Kind kind, DType type, int rows, int cols) {
    return new NormCase(kind, type, ImageLayout.NCHW, rows, cols, 1, 1, 1e-5);
  }

  int count() {
    return n * c * s;
  }

  int stats() {
    return kind == Kind.BATCH ? c : n * groups;
  }

  DType statType() {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  NormOracle oracle() {
    return new NormOracle(kind, layout == ImageLayout.NHWC, n, c, s, groups, eps);
  }

  void forward(TestArray x, TestArray g, TestArray b, TestArray y, TestArray m, TestArray r) {
    Buffer gamma = g == null ? null : g.buffer();
    Buffer beta = b == null ? null : b.buffer();
    switch (kind) {
      case LAYER ->
          DEVICE
              .plan(new LayerNorm(type, n, c, eps))
              .forward(STREAM, x.buffer(), gamma, beta, y.buffer(), m.buffer(), r.buffer());
      case RMS ->
          DEVICE
              .plan(new RmsNorm(type, n, c, eps))
              .forward(STREAM, x.buffer(), gamma, y.buffer(), r.buffer());
      case GROUP ->
          DEVICE
              .plan(new GroupNorm(type, layout, n, c, s, groups, eps))
              .forward(STREAM, x.buffer(), gamma, beta, y.buffer(), m.buffer(), r.buffer());
      case BATCH ->
          DEVICE
              .plan(new BatchNorm(type, layout, n, c, s, eps))
              .forward(
                  STREAM,
                  x.buffer(),
                  gamma,
                  beta,
                  y.buffer(),
                  m.buffer(),
                  r.buffer(),
                  null,
                  null,
                  0);
    }
  }

  void backward(
      TestArray x,
      TestArray g,
      TestArray m,
      TestArray r,
      TestArray dy,
      TestArray dx,
      TestArray dg,
      TestArray db) {
    Buffer gamma = g == null ? null : g.buffer();
    Buffer dxs = dx == null ? null : dx.buffer();
    Buffer dgs = dg == null ? null : dg.buffer();
    Buffer dbs = db == null ? null : db.buffer();
    Buffer xs = x.buffer();
    Buffer ms = m.buffer();
    Buffer rs = r.buffer();
    Buffer dys = dy.buffer();
    switch (kind) {
      case LAYER ->
          DEVICE
              .plan(new LayerNorm(type, n, c, eps))
              .backward(STREAM, xs, gamma, ms, rs, dys, dxs, dgs, dbs);
      case RMS ->
          DEVICE.plan(new RmsNorm(type, n, c, eps)).backward(STREAM, xs, gamma, rs, dys, dxs, dgs);
      case GROUP ->
          DEVICE
              .plan(new GroupNorm(type, layout, n, c, s, groups, eps))
              .backward(STREAM, xs, gamma, ms, rs, dys, dxs, dgs, dbs);
      case BATCH ->
          DEVICE
              .plan(new BatchNorm(type, layout, n, c, s, eps))
              .backward(STREAM, xs, gamma, ms, rs, dys, dxs, dgs, dbs);
    }
  }
}
