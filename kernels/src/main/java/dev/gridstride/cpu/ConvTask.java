package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/** A block of rows of one image and group of a {@link ConvPass}: a task of the thread pool. */
final class ConvTask implements ConvRun.Worker {
  private static final Scratch SOURCE = new Scratch();
  private static final Scratch TARGET = new Scratch();

  final ConvPass p;
  private final ConvRectangle rectangle;
  private final ConvImages.Box box = new ConvImages.Box();

  MemorySegment from = Tiles.ZEROS;
  MemorySegment to = Tiles.ZEROS;
  @Nullable MemorySegment bias;
  private int image;
  int group;
  int z;
  private int y0;
  private int y1;
  private int x0;
  private int x1;
  int b0;
  int b1;

  /** The part's packed weights. */
  MemorySegment panels = Tiles.ZEROS;

  MemorySegment a = Tiles.ZEROS;
  long aBase;
  MemorySegment c = Tiles.ZEROS;
  long cBase;

  /** Bytes between neighbouring planes, rows and pixels of c. */
  long cDepth;

  long cRow;
  long cPixel;

  /** One task after the other, of the runs of {@code p}. */
  ConvTask(ConvPass p) {
    this.p = p;
    this.rectangle = new ConvRectangle(this);
  }

  @Override
  public void run(ConvRun<?> run, int index) {
    from = run.from;
    to = run.to;
    bias = run.bias;
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
    run();
    close();
  }

  /** Keeps nothing of the run, and no thread's memory, alive. */
  private void close() {
    from = Tiles.ZEROS;
    to = Tiles.ZEROS;
    bias = null;
    panels = Tiles.ZEROS;
    a = Tiles.ZEROS;
    c = Tiles.ZEROS;
    rectangle.close();
  }

  private void run() {
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
      a = from;
      aBase = p.src.at(image, group * p.cs, 0, 0, 0) * p.es;
      return;
    }
    long nd = ConvPhase.need(p.phases[0], z, z + 1, 0, p.src.d);
    long nh = ConvPhase.need(p.phases[1], y0, y1, 0, p.src.h);
    long nw = ConvPhase.need(p.phases[2], x0, x1, -(1 << 30), 1 << 30);
    a = SOURCE.get(p.source.depth() * p.slabPlanes + 64);
    box.set(image, group * p.cs, group * p.cs + p.cs, ConvPhase.low(nw), ConvPhase.high(nw));
    for (int d = ConvPhase.low(nd); d < ConvPhase.high(nd); d++) {
      for (int h = ConvPhase.low(nh); h < ConvPhase.high(nh); h++) {
        long off =
            (d - ConvPhase.low(nd)) * p.source.depth() + (h - ConvPhase.low(nh)) * p.source.row();
        p.src.loadRow(from, box, d, h, a, off, p.source.pixel());
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
      c = to;
      cBase = p.dst.at(image, group * p.cd, 0, 0, 0) * p.es;
      cPixel = (long) p.dst.channels * p.es;
      cRow = cPixel * p.dst.w;
      cDepth = cRow * p.dst.h;
      if (p.bringsTarget) {
        bringTarget();
      }
      return;
    }
    cPixel = (long) (Math.min(p.cdPadded, b1 * p.block) - firstChannel()) * p.es;
    cRow = cPixel * (x1 - x0);
    cDepth = 0;
    c = TARGET.get(cRow * (y1 - y0));
    cBase = -(y0 * cRow + x0 * cPixel + (long) firstChannel() * p.es);
  }

  private void bringTarget() {
    long first = cBase + z * cDepth + y0 * cRow + x0 * cPixel;
    if (p.parts == 1) {
      long bytes = (y1 - y0 - 1) * cRow + (x1 - x0) * cPixel;
      ConvLoops.BEST.readAhead(c, first, bytes);
      return;
    }
    long bytes = (long) (endChannel() - firstChannel()) * p.es;
    for (int y = 0; y < y1 - y0; y++) {
      for (int x = 0; x < x1 - x0; x++) {
        long pixel = first + y * cRow + x * cPixel;
        ConvLoops.BEST.readAhead(c, pixel + (long) firstChannel() * p.es, bytes);
      }
    }
  }

  private void closeTarget() {
    int channels = endChannel() - firstChannel();
    for (int y = y0; y < y1; y++) {
      long off = cBase + z * cDepth + y * cRow + x0 * cPixel + (long) firstChannel() * p.es;
      if (p.relu && channels * (long) p.es == cPixel) {
        relu(off, (long) channels * (x1 - x0));
      } else if (p.relu) {
        for (int x = x0; x < x1; x++) {
          relu(off + (x - x0) * cPixel, channels);
        }
      }
      if (!p.directTarget) {
        int first = group * p.cd;
        box.set(image, first + firstChannel(), first + endChannel(), x0, x1);
        p.dst.storeRow(to, box, z, y, c, off, cPixel);
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
    int d = 0;
    for (int i = 0; i < q.dSpans.length; i++) {
      d = q.dSpans[i].from() <= id ? i : d;
    }
    rectangle.open(q);
    // one call takes all blocks of channels: a block alone would read a vector of each pixel
    for (int b = b0; b < (p.channelwise ? b0 + 1 : b1); b++) {
      for (ConvCombo.Chunk chunk : q.chunks) {
        for (int h = 0; h < q.hSpans.length; h++) {
          for (int w = 0; w < q.wSpans.length; w++) {
            int i0 = Math.max(ih0, q.hSpans[h].from());
            int i1 = Math.min(ih1, q.hSpans[h].to());
            int j0 = Math.max(iw0, q.wSpans[w].from());
            int j1 = Math.min(iw1, q.wSpans[w].to());
            if (i0 < i1 && j0 < j1) {
              rectangle.set(b, chunk, id, i0, i1, j0, j1);
              if (p.channelwise) {
                rectangle.channels(q.inside(d, h, w));
              } else {
                rectangle.run(q.dSpans[d], q.hSpans[h], q.wSpans[w]);
              }
            }
          }
        }
      }
    }
  }
}
