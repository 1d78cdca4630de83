package dev.gridstride.data;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.MemorySegment;

/**
 * Examples in two tensors, one row of each an example. The tensors stay the caller's and must stay
 * open.
 */
public final class TensorDataset implements Dataset {
  /** Makes the batch's tensor of some rows. */
  private interface Rows {
    Tensor of(long[] indices);
  }

  private final long size;
  private final Rows x;
  private final Rows y;

  private TensorDataset(Tensor x, Rows xRows, Tensor y) {
    if (x.rank() < 1 || y.rank() < 1 || x.size(0) != y.size(0)) {
      throw InvalidArgumentException.of(
          "tensorDataset", "y", "must have as many rows as x", "x=%s, y=%s", x, y);
    }
    this.size = x.size(0);
    this.x = xRows;
    this.y = y.dtype() == DType.U8 ? labels(y) : copies(y);
  }

  /**
   * Rows of {@code x} and {@code y} as they are; u8 targets become i64 class numbers.
   *
   * @throws InvalidArgumentException when the numbers of rows differ or a tensor is not contiguous
   */
  public static TensorDataset of(Tensor x, Tensor y) {
    return new TensorDataset(x, copies(x), y);
  }

  /**
   * Images of bytes, turned into f32 as they are read: {@code (byte / 255 - mean) / std} by
   * channel.
   *
   * @param images u8 [n, h, w], then with one channel, or [n, c, h, w]
   * @param y targets; u8 becomes i64 class numbers
   * @param mean one for each channel
   * @param std one for each channel, not 0
   * @throws InvalidArgumentException when a rule above is broken
   */
  public static TensorDataset images(Tensor images, Tensor y, double[] mean, double[] std) {
    long channels = images.rank() == 4 ? images.size(1) : 1;
    if (images.dtype() != DType.U8
        || images.rank() < 3
        || images.rank() > 4
        || mean.length != channels
        || std.length != channels) {
      throw InvalidArgumentException.of(
          "tensorDataset.images",
          "images",
          "must be u8 [n, h, w] or [n, c, h, w] with a mean and a std for each channel",
          "images=%s, means=%d, stds=%d",
          images,
          mean.length,
          std.length);
    }
    return new TensorDataset(images, normalised(images, mean, std), y);
  }

  private static void checkRows(Tensor t) {
    if (!t.isContiguous()) {
      throw InvalidArgumentException.of(
          "tensorDataset", "tensor", "must be contiguous", "tensor=%s", t);
    }
  }

  private static long[] dims(Tensor t, long rows) {
    long[] dims = t.shape().dims();
    dims[0] = rows;
    return dims;
  }

  private static Rows copies(Tensor t) {
    checkRows(t);
    long bytes = t.size(0) == 0 ? 0 : t.dtype().bytes(t.count() / t.size(0));
    return indices -> {
      Tensor out = Tensor.empty(t.device(), t.dtype(), dims(t, indices.length));
      for (int i = 0; i < indices.length; i++) {
        out.buffer()
            .slice(i * bytes, bytes)
            .copyFrom(t.buffer().slice(Math.multiplyExact(indices[i], bytes), bytes));
      }
      return out;
    };
  }

  private static Rows labels(Tensor t) {
    long[] all = t.toLongArray();
    int row = t.size(0) == 0 ? 0 : Math.toIntExact(t.count() / t.size(0));
    Device device = t.device();
    return indices -> {
      var chosen = new long[indices.length * row];
      for (int i = 0; i < indices.length; i++) {
        System.arraycopy(all, Math.toIntExact(indices[i] * row), chosen, i * row, row);
      }
      Tensor out = Tensor.empty(device, DType.I64, dims(t, indices.length));
      out.buffer().copyFrom(MemorySegment.ofArray(chosen));
      return out;
    };
  }

  private static Rows normalised(Tensor t, double[] mean, double[] std) {
    checkRows(t);
    int row = t.size(0) == 0 ? 0 : Math.toIntExact(t.count() / t.size(0));
    int plane = row / mean.length;
    var table = new float[mean.length][256];
    for (int c = 0; c < mean.length; c++) {
      for (int v = 0; v < 256; v++) {
        table[c][v] = (float) ((v / 255.0 - mean[c]) / std[c]);
      }
    }
    return indices -> {
      long[] d = dims(t, indices.length);
      long[] withChannels = d.length == 4 ? d : new long[] {d[0], 1, d[1], d[2]};
      Tensor out = Tensor.empty(t.device(), DType.F32, withChannels);
      var bytes = new byte[row];
      var floats = new float[row];
      for (int i = 0; i < indices.length; i++) {
        t.buffer()
            .slice(Math.multiplyExact(indices[i], (long) row), row)
            .copyTo(MemorySegment.ofArray(bytes));
        for (int c = 0; c < table.length; c++) {
          float[] of = table[c];
          for (int p = c * plane; p < (c + 1) * plane; p++) {
            floats[p] = of[bytes[p] & 0xFF];
          }
        }
        long width = DType.F32.bytes(row);
        out.buffer().slice(i * width, width).copyFrom(MemorySegment.ofArray(floats));
      }
      return out;
    };
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public Batch batch(long[] indices) {
    for (long i : indices) {
      if (i < 0 || i >= size) {
        throw InvalidArgumentException.of(
            "tensorDataset.batch", "index", "must be in 0..size", "index=%d, size=%d", i, size);
      }
    }
    return new Batch(x.of(indices), y.of(indices));
  }
}
