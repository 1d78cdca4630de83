package dev.gridstride.cpu;

import dev.gridstride.cpu.ConvPhase.Span;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A block of rows of one image and group of a {@link ConvPass}: a task of the thread pool. */
final class ConvTask {
  private static final Scratch SOURCE = new Scratch();
  private static final Scratch TARGET = new Scratch();

  final ConvPass p;
  final ConvPass.Run run;
  private final int image;
  final int group;
  final int z;
  private final int y0;
  private final int y1;
  private final int x0;
  private final int x1;
  final int b0;
  final int b1;

  /** The part's packed weights. */
  final MemorySegment panels;

  MemorySegment a;
  long aBase;
  MemorySegment c;
  long cBase;
  ConvPass.Steps target;

  ConvTask(ConvPass p, ConvPass.Run run, int index) {
    this.p = p;
    this.run = run;
    int part = index / p.tasksOfPart;
    b0 = (int) ((long) p.blocks * part / p.parts);
    b1 = (int) ((long) p.blocks * (part + 1) / p.parts);
    int i = index % p.tasksOfPart;
    x0 = i % p.columnBlocks * p.columns;
    x1 = Math.min(p.dst.w, x0 + p.columns);
    i /= p.columnBlocks;
    y0 = i % p.rowBlocks * p.rows;
    y1 = Math.min(p.dst.h, y0 + p.rows);
    i /= p.rowBlocks;
    z = i % p.dst.d;
    i /= p.dst.d;
    image = i % p.src.n;
    group = i / p.src.n;
    panels = ConvPartPanels.get(p, run, part, group, b0, b1);
    a = run.from();
    c = run.to();
    target = p.source;
  }

  void run() {
    openSource();
    openTarget();
    for (ConvCombo q : p.combos) {
      if (z >= q.d.first && (z - q.d.first) % q.d.step == 0) {
        run(q, (z - q.d.first) / q.d.step);
      }
    }
    closeTarget();
  }

  private void openSource() {
    if (p.directSource) {
      a = run.from();
      aBase = p.src.at(image, group * p.cs, 0, 0, 0) * p.es;
      return;
    }
    long nd = ConvPhase.need(p.phases[0], z, z + 1, 0, p.src.d);
    long nh = ConvPhase.need(p.phases[1], y0, y1, 0, p.src.h);
    long nw = ConvPhase.need(p.phases[2], x0, x1, -(1 << 30), 1 << 30);
    a = SOURCE.get(p.source.depth() * p.slabPlanes + 64);
    var box =
        new ConvImages.Box(
            image, group * p.cs, group * p.cs + p.cs, ConvPhase.low(nw), ConvPhase.high(nw));
    for (int d = ConvPhase.low(nd); d < ConvPhase.high(nd); d++) {
      for (int h = ConvPhase.low(nh); h < ConvPhase.high(nh); h++) {
        long off =
            (d - ConvPhase.low(nd)) * p.source.depth() + (h - ConvPhase.low(nh)) * p.source.row();
        p.src.loadRow(run.from(), box, d, h, a, off, p.source.pixel());
      }
    }
    aBase =
        -(ConvPhase.low(nd) * p.source.depth()
            + ConvPhase.low(nh) * p.source.row()
            + ConvPhase.low(nw) * p.source.pixel());
  }

  private int firstChannel() {
    return b0 * p.block;
  }

  private int endChannel() {
    return Math.min(p.cd, b1 * p.block);
  }

  private void openTarget() {
    if (p.directTarget) {
      c = run.to();
      cBase = p.dst.at(image, group * p.cd, 0, 0, 0) * p.es;
      long pixel = (long) p.dst.channels * p.es;
      target = new ConvPass.Steps(pixel * p.dst.w * p.dst.h, pixel * p.dst.w, pixel);
      if (p.bringsTarget) {
        bringTarget();
      }
      return;
    }
    long pixel = (long) (Math.min(p.cdPadded, b1 * p.block) - firstChannel()) * p.es;
    target = new ConvPass.Steps(0, pixel * (x1 - x0), pixel);
    c = TARGET.get(target.row() * (y1 - y0));
    cBase = -(y0 * target.row() + x0 * pixel + (long) firstChannel() * p.es);
  }

  private void bringTarget() {
    long first = cBase + z * target.depth() + y0 * target.row() + x0 * target.pixel();
    if (p.parts == 1) {
      long bytes = (y1 - y0 - 1) * target.row() + (x1 - x0) * target.pixel();
      ConvLoops.BEST.readAhead(c, first, bytes);
      return;
    }
    long bytes = (long) (endChannel() - firstChannel()) * p.es;
    for (int y = 0; y < y1 - y0; y++) {
      for (int x = 0; x < x1 - x0; x++) {
        long pixel = first + y * target.row() + x * target.pixel();
        ConvLoops.BEST.readAhead(c, pixel + (long) firstChannel() * p.es, bytes);
      }
    }
  }

  private void closeTarget() {
    int channels = endChannel() - firstChannel();
    for (int y = y0; y < y1; y++) {
      long off =
          cBase
              + z * target.depth()
              + y * target.row()
              + x0 * target.pixel()
              + (long) firstChannel() * p.es;
      if (p.relu && channels * (long) p.es == target.pixel()) {
        relu(off, (long) channels * (x1 - x0));
      } else if (p.relu) {
        for (int x = x0; x < x1; x++) {
          relu(off + (x - x0) * target.pixel(), channels);
        }
      }
      if (!p.directTarget) {
        var box =
            new ConvImages.Box(
                image, group * p.cd + firstChannel(), group * p.cd + endChannel(), x0, x1);
        p.dst.storeRow(run.to(), box, z, y, c, off, target.pixel());
      }
    }
  }

  private void relu(long off, long count) {
    if (p.es == 4) {
      ConvLoops.BEST.relu(c, off, count);
      return;
    }
    for (long i = 0; i < count; i++) {
      double v = c.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, off + 8 * i);
      c.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, off + 8 * i, v < 0 ? 0 : v);
    }
  }

  private void run(ConvCombo q, int id) {
    int ih0 = q.h.indexAt(y0);
    int ih1 = q.h.indexAt(y1);
    int iw0 = q.w.indexAt(x0);
    int iw1 = q.w.indexAt(x1);
    if (ih0 >= ih1 || iw0 >= iw1) {
      return;
    }
    Span d = q.dSpans[0];
    for (Span s : q.dSpans) {
      d = s.from() <= id ? s : d;
    }
    var rectangle = new ConvRectangle(this, q);
    // one call takes all blocks of channels: a block alone would read a vector of each pixel
    for (int b = b0; b < (p.channelwise ? b0 + 1 : b1); b++) {
      for (ConvCombo.Chunk chunk : q.chunks) {
        for (Span h : q.hSpans) {
          for (Span w : q.wSpans) {
            int i0 = Math.max(ih0, h.from());
            int i1 = Math.min(ih1, h.to());
            int j0 = Math.max(iw0, w.from());
            int j1 = Math.min(iw1, w.to());
            if (i0 < i1 && j0 < j1) {
              rectangle.set(b, chunk, id, i0, i1, j0, j1);
              if (p.channelwise) {
                rectangle.channels(q.inside(d, h, w));
              } else {
                rectangle.run(d, h, w);
              }
            }
          }
        }
      }
    }
  }
}
