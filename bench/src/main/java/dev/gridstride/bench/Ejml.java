package dev.gridstride.bench;

import java.util.Map;
import org.ejml.EjmlVersion;
import org.ejml.concurrency.EjmlConcurrency;
import org.ejml.data.DMatrixRMaj;
import org.ejml.data.FMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.CommonOps_FDRM;
import org.ejml.dense.row.CommonOps_MT_DDRM;
import org.ejml.dense.row.CommonOps_MT_FDRM;

/** EJML's {@code CommonOps}, its concurrent ones with several threads. */
final class Ejml implements Library {
  /** One run above this takes seconds. */
  private static final double MOST_FLOPS = 2e10;

  @Override
  public String name() {
    return "ejml";
  }

  @Override
  public boolean offers(Case c) {
    return c.family().equals("gemm")
        && !c.dtype().equals("bf16")
        && GemmFamily.sizes(c).batch() == 1
        && Family.named("gemm").flops(c) <= MOST_FLOPS;
  }

  @Override
  public Map<String, String> about() {
    return Map.of("version", EjmlVersion.VERSION);
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    EjmlConcurrency.setMaxThreads(c.threads());
    var s = GemmFamily.sizes(c);
    return c.dtype().equals("f64") ? new Wide(s, p, c.threads()) : new Single(s, p, c.threads());
  }

  private record Single(
      GemmFamily.Sizes s, FMatrixRMaj a, FMatrixRMaj b, FMatrixRMaj c, int threads)
      implements Contender {
    Single(GemmFamily.Sizes s, Problem p, int threads) {
      this(
          s,
          FMatrixRMaj.wrap(s.rowsA(), s.colsA(), p.floats("a")),
          FMatrixRMaj.wrap(s.rowsB(), s.colsB(), p.floats("b")),
          new FMatrixRMaj(s.m(), s.n()),
          threads);
    }

    @Override
    public void run() {
      if (s.ta()) {
        if (threads > 1) {
          CommonOps_MT_FDRM.multTransA(a, b, c);
        } else {
          CommonOps_FDRM.multTransA(a, b, c);
        }
      } else if (s.tb()) {
        if (threads > 1) {
          CommonOps_MT_FDRM.multTransB(a, b, c);
        } else {
          CommonOps_FDRM.multTransB(a, b, c);
        }
      } else if (threads > 1) {
        CommonOps_MT_FDRM.mult(a, b, c);
      } else {
        CommonOps_FDRM.mult(a, b, c);
      }
    }

    @Override
    public double[] result(String name) {
      return Data.widened(c.data);
    }
  }

  private record Wide(GemmFamily.Sizes s, DMatrixRMaj a, DMatrixRMaj b, DMatrixRMaj c, int threads)
      implements Contender {
    Wide(GemmFamily.Sizes s, Problem p, int threads) {
      this(
          s,
          DMatrixRMaj.wrap(s.rowsA(), s.colsA(), p.doubles("a")),
          DMatrixRMaj.wrap(s.rowsB(), s.colsB(), p.doubles("b")),
          new DMatrixRMaj(s.m(), s.n()),
          threads);
    }

    @Override
    public void run() {
      if (s.ta()) {
        if (threads > 1) {
          CommonOps_MT_DDRM.multTransA(a, b, c);
        } else {
          CommonOps_DDRM.multTransA(a, b, c);
        }
      } else if (s.tb()) {
        if (threads > 1) {
          CommonOps_MT_DDRM.multTransB(a, b, c);
        } else {
          CommonOps_DDRM.multTransB(a, b, c);
        }
      } else if (threads > 1) {
        CommonOps_MT_DDRM.mult(a, b, c);
      } else {
        CommonOps_DDRM.mult(a, b, c);
      }
    }

    @Override
    public double[] result(String name) {
      return c.data;
    }
  }
}
