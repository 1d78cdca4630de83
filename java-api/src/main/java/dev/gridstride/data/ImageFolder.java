package dev.gridstride.data;

import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.io.FileException;
import dev.gridstride.io.FormatException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * Pictures in folders, one folder for each class: {@code root/class/picture.jpg}.
 *
 * <p>Files ending in png, jpg, jpeg, gif or bmp are pictures, others are passed over. A picture is
 * scaled until it covers a square of {@code size} pixels, and what sticks out is cut off evenly; it
 * is read anew each time that it is asked for. Examples are f32 {@code [n, 3, size, size]}, {@code
 * (value - mean) / std} of values from 0 to 1, with i64 classes {@code [n]}; classes are numbered
 * in the order of their folders' names. Needs the module java.desktop.
 */
public final class ImageFolder implements Dataset {
  private record Picture(Path file, int label) {}

  private final Device device;
  private final int size;
  private final float mean;
  private final float std;
  private final List<String> classes = new ArrayList<>();
  private final List<Picture> pictures = new ArrayList<>();

  /**
   * The pictures under {@code root}.
   *
   * @param device where batches are made
   * @param size width and height of the examples in pixels, at least 1
   * @param mean subtracted from each value
   * @param std divides each value; positive
   * @throws FileException when the folder can't be read or holds no picture
   */
  public ImageFolder(Device device, Path root, int size, double mean, double std) {
    if (size < 1 || !(std > 0)) {
      throw InvalidArgumentException.of(
          "imageFolder", "size", "must be at least 1, std positive", "size=%d, std=%s", size, std);
    }
    this.device = device;
    this.size = size;
    this.mean = (float) mean;
    this.std = (float) std;
    try {
      for (Path folder : sorted(root)) {
        if (Files.isDirectory(folder)) {
          int before = pictures.size();
          for (Path file : sorted(folder)) {
            if (isPicture(file)) {
              pictures.add(new Picture(file, classes.size()));
            }
          }
          if (pictures.size() > before) {
            classes.add(String.valueOf(folder.getFileName()));
          }
        }
      }
    } catch (IOException e) {
      throw new FileException(root, "can't be read: " + e.getMessage(), e);
    }
    if (pictures.isEmpty()) {
      throw new FileException(root, "holds no folders with pictures (png, jpg, gif, bmp)");
    }
  }

  private static List<Path> sorted(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private static boolean isPicture(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    return Files.isRegularFile(file)
        && Stream.of(".png", ".jpg", ".jpeg", ".gif", ".bmp").anyMatch(name::endsWith);
  }

  /** Names of the folders, by the numbers of the classes. */
  public List<String> classes() {
    return List.copyOf(classes);
  }

  @Override
  public long size() {
    return pictures.size();
  }

  @Override
  public Batch batch(long[] indices) {
    int area = size * size;
    var values = new float[Math.multiplyExact(indices.length, 3 * area)];
    var labels = new long[indices.length];
    for (int i = 0; i < indices.length; i++) {
      if (indices[i] < 0 || indices[i] >= pictures.size()) {
        throw InvalidArgumentException.of(
            "imageFolder.batch",
            "index",
            "must be in 0..size",
            "index=%d, size=%d",
            indices[i],
            pictures.size());
      }
      Picture p = pictures.get((int) indices[i]);
      labels[i] = p.label;
      int[] colours = covering(read(p.file)).getRGB(0, 0, size, size, null, 0, size);
      for (int k = 0; k < 3; k++) {
        for (int j = 0; j < area; j++) {
          int value = colours[j] >> (16 - 8 * k) & 0xFF;
          values[(3 * i + k) * area + j] = (value / 255f - mean) / std;
        }
      }
    }
    return new Batch(
        Tensors.of(device, values, indices.length, 3, size, size),
        Tensors.of(device, labels, indices.length));
  }

  private static BufferedImage read(Path file) {
    try {
      BufferedImage image = ImageIO.read(file.toFile());
      if (image == null) {
        throw new FormatException(file, "start", "is no picture of a known format");
      }
      return image;
    } catch (IOException e) {
      throw new FormatException(file, "picture", "is damaged: " + e.getMessage(), e);
    }
  }

  /** Scaled until it covers the square, the middle of it. */
  private BufferedImage covering(BufferedImage image) {
    double scale = (double) size / Math.min(image.getWidth(), image.getHeight());
    int width = (int) Math.round(image.getWidth() * scale);
    int height = (int) Math.round(image.getHeight() * scale);
    var square = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = square.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    g.drawImage(image, (size - width) / 2, (size - height) / 2, width, height, null);
    g.dispose();
    return square;
  }
}
