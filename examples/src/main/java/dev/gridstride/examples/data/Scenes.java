package dev.gridstride.examples.data;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.vision.Box;
import dev.gridstride.vision.Thing;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Made grey pictures of shapes on a noisy ground, and where the shapes are. */
public final class Scenes {
  /** Width and height in pixels. */
  public static final int SIDE = 64;

  /** The classes. */
  public static final List<String> KINDS = List.of("circle", "square", "triangle");

  private static final int MOST = 4;
  private static final double SMALLEST = 10;
  private static final double LARGEST = 24;
  private static final double NOISE = 0.08;
  private static final double MOST_OVERLAP = 0.05;
  private static final int TRIES = 20;

  /** Points of a pixel, in each direction, at which a shape is asked whether it covers them. */
  private static final int SAMPLES = 3;

  private Scenes() {}

  /**
   * A picture.
   *
   * @param pixels row-major, about 0 to 1
   * @param things where the shapes are, in pixels
   */
  public record Scene(float[] pixels, List<Thing> things) {}

  /** The pictures of scenes, f32 {@code [n, 1, SIDE, SIDE]}. */
  public static Tensor images(Device device, List<Scene> scenes) {
    int area = SIDE * SIDE;
    var pixels = new float[scenes.size() * area];
    for (int i = 0; i < scenes.size(); i++) {
      System.arraycopy(scenes.get(i).pixels(), 0, pixels, i * area, area);
    }
    return Tensors.of(device, pixels, scenes.size(), 1, SIDE, SIDE);
  }

  /** A new scene of one to four shapes of random kind, size, place and brightness. */
  public static Scene make(RandomGenerator random) {
    var pixels = new float[SIDE * SIDE];
    double dark = random.nextDouble(0, 0.3);
    double slope = random.nextDouble(-0.2, 0.2);
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) (dark + slope * (i % SIDE) / SIDE + NOISE * random.nextGaussian());
    }
    var things = new ArrayList<Thing>();
    int wanted = 1 + random.nextInt(MOST);
    for (int t = 0; t < TRIES && things.size() < wanted; t++) {
      double width = random.nextDouble(SMALLEST, LARGEST);
      double height = width * random.nextDouble(0.8, 1.25);
      Box box =
          Box.around(
              random.nextDouble(width / 2, SIDE - width / 2),
              random.nextDouble(height / 2, SIDE - height / 2),
              width,
              height);
      int kind = random.nextInt(KINDS.size());
      double light = random.nextDouble(0.45, 0.9);
      if (things.stream().allMatch(other -> other.box().iou(box) <= MOST_OVERLAP)) {
        things.add(new Thing(box, kind));
        draw(pixels, box, kind, light);
      }
    }
    return new Scene(pixels, things);
  }

  private static void draw(float[] pixels, Box box, int kind, double light) {
    for (int i = 0; i < pixels.length; i++) {
      int covered = 0;
      for (int s = 0; s < SAMPLES * SAMPLES; s++) {
        double x = i % SIDE + (s % SAMPLES + 0.5) / SAMPLES;
        double y = i / SIDE + (s / SAMPLES + 0.5) / SAMPLES;
        // from the box's middle, with its sides at -1 and 1
        double u = 2 * (x - box.left()) / (box.right() - box.left()) - 1;
        double v = 2 * (y - box.top()) / (box.bottom() - box.top()) - 1;
        covered += covers(kind, u, v) ? 1 : 0;
      }
      pixels[i] += (float) (light * covered / (SAMPLES * SAMPLES));
    }
  }

  private static boolean covers(int kind, double u, double v) {
    return Math.max(Math.abs(u), Math.abs(v)) <= 1
        && switch (kind) {
          case 0 -> u * u + v * v <= 1;
          case 1 -> true;
          default -> 2 * Math.abs(u) <= v + 1; // the tip is at the top
        };
  }
}
