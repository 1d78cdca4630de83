package dev.gridstride.data;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import java.util.random.RandomGenerator;

/**
 * Changes images as another look at the same thing would: turned, moved, scaled, slanted, mirrored,
 * each image by chance of its own. Trained on such images, a model learns what does not matter.
 *
 * <p>Each pixel of the result is taken from the place it came from, between pixels by bilinear
 * interpolation, outside of the image as 0. Computed on the host; the same random numbers give the
 * same images.
 *
 * @param degrees turns by up to so many degrees, either way
 * @param shift moves by up to this part of the image's side, in each direction
 * @param scale enlarges or shrinks by up to this part, below 1
 * @param shear slants by up to this part of the height
 * @param mirror whether every second image is mirrored, left to right
 */
public record RandomAffine(
    double degrees, double shift, double scale, double shear, boolean mirror) {
  /** Checks the bounds. */
  public RandomAffine {
    if (!(degrees >= 0
        && degrees <= 180
        && shift >= 0
        && shift <= 1
        && scale >= 0
        && scale < 1
        && shear >= 0
        && shear <= 1)) {
      throw InvalidArgumentException.of(
          "randomAffine",
          "bounds",
          "must be in 0..180 for degrees, 0..1 for shift and shear, below 1 for scale",
          "degrees=%s, shift=%s, scale=%s, shear=%s",
          degrees,
          shift,
          scale,
          shear);
    }
  }

  /**
   * The images, each changed anew.
   *
   * @param images f32 {@code [n, channels, height, width]}
   * @return a new tensor of the same shape on the same device, without history
   * @throws InvalidArgumentException when the images have another rank or type
   */
  public Tensor apply(Tensor images, RandomGenerator random) {
    if (images.rank() != 4 || images.dtype() != DType.F32) {
      throw InvalidArgumentException.of(
          "randomAffine", "images", "must be f32 [n, channels, height, width]", "%s", images);
    }
    float[] x = images.toFloatArray();
    var y = new float[x.length];
    int channels = (int) images.size(1);
    int height = (int) images.size(2);
    int width = (int) images.size(3);
    for (int i = 0; i < images.size(0); i++) {
      double angle = Math.toRadians(within(random, degrees));
      double zoom = 1 + within(random, scale);
      double slant = within(random, shear);
      double down = within(random, shift) * height;
      double right = within(random, shift) * width;
      double side = mirror && random.nextBoolean() ? -1 : 1;
      double cos = Math.cos(angle) / zoom;
      double sin = Math.sin(angle) / zoom;
      for (int row = 0; row < height; row++) {
        for (int column = 0; column < width; column++) {
          // from the middle of the image, against the way that the image goes
          double v = row - (height - 1) / 2.0 - down;
          double u = column - (width - 1) / 2.0 - right;
          double fromRow = cos * v - sin * u;
          double fromColumn = side * (sin * v + cos * u + slant * fromRow);
          double r = fromRow + (height - 1) / 2.0;
          double c = fromColumn + (width - 1) / 2.0;
          for (int k = 0; k < channels; k++) {
            int plane = (i * channels + k) * height * width;
            y[plane + row * width + column] = between(x, plane, height, width, r, c);
          }
        }
      }
    }
    return Tensors.of(images.device(), y, images.shape().dims());
  }

  private static double within(RandomGenerator random, double bound) {
    return bound * (2 * random.nextDouble() - 1);
  }

  private static float between(float[] x, int plane, int height, int width, double r, double c) {
    int top = (int) Math.floor(r);
    int left = (int) Math.floor(c);
    double low = r - top;
    double after = c - left;
    double sum = 0;
    for (int k = 0; k < 4; k++) {
      int row = top + k / 2;
      int column = left + k % 2;
      if (row >= 0 && row < height && column >= 0 && column < width) {
        double weight = (k / 2 == 0 ? 1 - low : low) * (k % 2 == 0 ? 1 - after : after);
        sum += weight * x[plane + row * width + column];
      }
    }
    return (float) sum;
  }
}
