package dev.gridstride.examples.data;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.Options;
import dev.gridstride.examples.UsageException;
import dev.gridstride.io.Idx;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;

/** Grey images with a class each, from a pair of IDX files in the form of MNIST's. */
public final class Digits {
  private final byte[] pixels;
  private final long[] labels;
  private final int height;
  private final int width;

  private Digits(byte[] pixels, long[] labels, int height, int width) {
    this.pixels = pixels;
    this.labels = labels;
    this.height = height;
    this.width = width;
  }

  /**
   * A batch on a device.
   *
   * @param images f32 {@code [n, 1, height, width]}
   * @param labels i64 {@code [n]}
   */
  public record Batch(Tensor images, Tensor labels) {}

  /**
   * Reads {@code <set>-images-idx3-ubyte} and {@code <set>-labels-idx1-ubyte} (with or without
   * {@code .gz}) of the user's folder or else of the bundled MNIST.
   *
   * @param set {@code train} or {@code t10k}
   * @param classes labels must be less
   */
  public static Digits read(Options options, String set, int classes) {
    String images3 = set + "-images-idx3-ubyte";
    String labels1 = set + "-labels-idx1-ubyte";
    Path imageFile = options.dataFile("mnist", images3, images3 + ".gz");
    Path labelFile = options.dataFile("mnist", labels1, labels1 + ".gz");
    try (Tensor images = Idx.read(Device.cpu(), imageFile);
        Tensor labels = Idx.read(Device.cpu(), labelFile)) {
      if (images.dtype() != DType.U8 || images.rank() != 3 || images.count() == 0) {
        throw new UsageException(
            imageFile
                + " must hold u8 images [n, height, width]; it holds "
                + images.dtype()
                + images.shape());
      }
      if (labels.dtype() != DType.U8 || labels.rank() != 1 || labels.size(0) != images.size(0)) {
        throw new UsageException(
            labelFile
                + " must hold a u8 label for each of "
                + images.size(0)
                + " images; it holds "
                + labels.dtype()
                + labels.shape());
      }
      int n = options.limit(Math.toIntExact(images.size(0)));
      int height = Math.toIntExact(images.size(1));
      int width = Math.toIntExact(images.size(2));
      var pixels = new byte[Math.toIntExact(images.count())];
      images.copyTo(MemorySegment.ofArray(pixels));
      long[] classOf = Arrays.copyOf(labels.toLongArray(), n);
      for (long c : classOf) {
        if (c >= classes) {
          throw new UsageException(
              labelFile + " must hold labels below " + classes + "; it holds " + c);
        }
      }
      return new Digits(Arrays.copyOf(pixels, n * height * width), classOf, height, width);
    }
  }

  /** The first {@code n} images, or all when there are fewer. */
  public Digits first(int n) {
    int m = Math.min(n, size());
    return new Digits(
        Arrays.copyOf(pixels, m * height * width), Arrays.copyOf(labels, m), height, width);
  }

  /** The images whose class is as wanted, in their order. */
  public Digits only(IntPredicate wanted) {
    int[] kept = Arrays.stream(order()).filter(i -> wanted.test(label(i))).toArray();
    int size = height * width;
    var some = new byte[kept.length * size];
    for (int i = 0; i < kept.length; i++) {
      System.arraycopy(pixels, kept[i] * size, some, i * size, size);
    }
    return new Digits(some, Arrays.stream(kept).mapToLong(i -> labels[i]).toArray(), height, width);
  }

  /**
   * These images, for a network that halves their sides twice.
   *
   * @throws UsageException when their sides are not multiples of 4
   */
  public Digits inFours() {
    if (height % 4 != 0 || width % 4 != 0) {
      throw new UsageException(
          "the images must have sides that are multiples of 4; these are %d x %d"
              .formatted(height, width));
    }
    return this;
  }

  /** Number of images. */
  public int size() {
    return labels.length;
  }

  /** Height of an image. */
  public int height() {
    return height;
  }

  /** Width of an image. */
  public int width() {
    return width;
  }

  /** The class of image {@code i}. */
  public int label(int i) {
    return (int) labels[i];
  }

  /** Image {@code i}, row-major, from 0 to 1. */
  public float[] image(int i) {
    var image = new float[height * width];
    write(i, 0, 1, image, 0);
    return image;
  }

  /** The numbers of all images in their order. */
  public int[] order() {
    return Orders.plain(size());
  }

  /** The numbers of all images in a random order. */
  public int[] shuffled(RandomGenerator random) {
    return Orders.shuffled(size(), random);
  }

  /** The images {@code order[from..to]}, their grey values 0..1 made {@code (v - mean) / std}. */
  public Batch batch(Device device, int[] order, int from, int to, float mean, float std) {
    int size = height * width;
    var x = new float[(to - from) * size];
    var y = new long[to - from];
    for (int i = from; i < to; i++) {
      write(order[i], mean, std, x, (i - from) * size);
      y[i - from] = labels[order[i]];
    }
    return new Batch(
        Tensors.of(device, x, to - from, 1, height, width), Tensors.of(device, y, to - from));
  }

  private void write(int i, float mean, float std, float[] target, int at) {
    int size = height * width;
    float scale = 1 / (255 * std);
    float shift = -mean / std;
    for (int p = 0; p < size; p++) {
      target[at + p] = (pixels[i * size + p] & 0xFF) * scale + shift;
    }
  }
}
