package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How a batch of images lies in memory, and the copies between it and a slab: a piece of one image
 * in a thread's scratch memory, channels last, in the type that is computed in.
 */
final class ConvImages {
  final DType type;
  final int n;
  final int channels;
  final int d;
  final int h;
  final int w;

  /** Whether the channels of a pixel lie side by side. */
  final boolean channelsLast;

  /** Whether a kernel can read and write the elements as they are. */
  final boolean nativeType;

  /** Bytes of an element in memory, and of one in a slab. */
  private final int bytes;

  final int slabBytes;

  /** Distances in elements. */
  final long imageStep;

  final long channelStep;
  final long pixelStep;

  private final Elements from;
  private final Elements slab;

  ConvImages(DType type, boolean channelsLast, int n, int channels, int d, int h, int w) {
    this.type = type;
    this.n = n;
    this.channels = channels;
    this.d = d;
    this.h = h;
    this.w = w;
    this.channelsLast = channelsLast || channels == 1 || (long) d * h * w == 1;
    this.nativeType = type == DType.F32 || type == DType.F64;
    this.bytes = type.bytes();
    this.slabBytes = type == DType.F64 ? 8 : 4;
    this.imageStep = (long) channels * d * h * w;
    this.channelStep = this.channelsLast ? 1 : (long) d * h * w;
    this.pixelStep = this.channelsLast ? channels : 1;
    this.from = Elements.of(type);
    this.slab = Elements.of(type == DType.F64 ? DType.F64 : DType.F32);
  }

  /** Whether a kernel can work on the memory itself. */
  boolean direct() {
    return channelsLast && nativeType;
  }

  /** Element of channel {@code c} of a pixel. */
  long at(int image, int c, int z, int y, int x) {
    return image * imageStep + c * channelStep + (((long) z * h + y) * w + x) * pixelStep;
  }

  /**
   * A piece of a slab: rows of pixels {@code x0} to {@code x1} (excluded) of channels {@code c0} to
   * {@code c1} (excluded). A task has one for all of its pieces.
   */
  static final class Box {
    private int image;
    private int c0;
    private int c1;
    private int x0;
    private int x1;

    Box set(int image, int c0, int c1, int x0, int x1) {
      this.image = image;
      this.c0 = c0;
      this.c1 = c1;
      this.x0 = x0;
      this.x1 = x1;
      return this;
    }
  }

  /** Copies one row of pixels to a slab; pixels outside the image become zeros. */
  void loadRow(
      MemorySegment memory, Box box, int z, int y, MemorySegment to, long toOff, long pixel) {
    int x0 = Math.clamp(box.x0, 0, w);
    int x1 = Math.clamp(box.x1, 0, w);
    int c = box.c1 - box.c0;
    if (x0 >= x1) {
      zero(to, toOff, box.x1 - box.x0, pixel, c);
      return;
    }
    zero(to, toOff, x0 - box.x0, pixel, c);
    zero(to, toOff + (x1 - box.x0) * pixel, box.x1 - x1, pixel, c);
    copyIn(
        memory,
        box,
        at(box.image, box.c0, z, y, x0),
        x1 - x0,
        to,
        toOff + (x0 - box.x0) * pixel,
        pixel);
  }

  private void copyIn(
      MemorySegment memory, Box box, long at, int pixels, MemorySegment to, long toOff, long step) {
    int c = box.c1 - box.c0;
    if (channelsLast && nativeType) {
      if (c == channels && step == (long) c * bytes) {
        MemorySegment.copy(memory, at * bytes, to, toOff, pixels * step);
        return;
      }
      for (int x = 0; x < pixels; x++) {
        MemorySegment.copy(
            memory, (at + x * pixelStep) * bytes, to, toOff + x * step, (long) c * bytes);
      }
    } else if (type == DType.F32) {
      ConvLoops.BEST.transpose(memory, at * 4, channelStep * 4, c, pixels, to, toOff, step);
    } else {
      for (int x = 0; x < pixels; x++) {
        long place = (toOff + x * step) / slabBytes;
        for (int i = 0; i < c; i++) {
          slab.set(to, place + i, from.get(memory, at + x * pixelStep + i * channelStep));
        }
      }
    }
  }

  /** Copies one row of pixels from a slab. */
  void storeRow(
      MemorySegment memory, Box box, int z, int y, MemorySegment slabs, long off, long step) {
    int c = box.c1 - box.c0;
    int pixels = box.x1 - box.x0;
    long at = at(box.image, box.c0, z, y, box.x0);
    if (channelsLast && nativeType) {
      for (int x = 0; x < pixels; x++) {
        MemorySegment.copy(
            slabs, off + x * step, memory, (at + x * pixelStep) * bytes, (long) c * bytes);
      }
    } else if (type == DType.F32) {
      ConvLoops.BEST.transpose(slabs, off, step, pixels, c, memory, at * 4, channelStep * 4);
    } else {
      for (int x = 0; x < pixels; x++) {
        long place = (off + x * step) / slabBytes;
        for (int i = 0; i < c; i++) {
          from.set(memory, at + x * pixelStep + i * channelStep, slab.get(slabs, place + i));
        }
      }
    }
  }

  private void zero(MemorySegment to, long off, int pixels, long step, int c) {
    if (pixels <= 0) {
      return;
    }
    if (slabBytes == 4) {
      for (int x = 0; x < pixels; x++) {
        for (int i = 0; i < c; i++) {
          to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, off + x * step + 4L * i, 0f);
        }
      }
    } else {
      for (int x = 0; x < pixels; x++) {
        for (int i = 0; i < c; i++) {
          to.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, off + x * step + 8L * i, 0.0);
        }
      }
    }
  }
}
