package dev.gridstride.examples.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.random.RandomGenerator;

/**
 * Made colour pictures of ten classes in the form of CIFAR-10's binary files, for trying a program
 * out without the data: stripes of a width and a colour, on noise, which mirroring leaves as they
 * are.
 */
public final class MadePictures {
  private static final int SIDE = 32;
  private static final int CLASSES = 10;
  private static final double NOISE = 30;
  private static final double[] WAVES = {3, 5, 8, 13, 24};

  private MadePictures() {}

  /** Writes {@code n} pictures, the classes in turn. */
  public static void write(Path file, int n, RandomGenerator random) throws IOException {
    int record = 1 + 3 * SIDE * SIDE;
    var bytes = new byte[n * record];
    for (int i = 0; i < n; i++) {
      int kind = i % CLASSES;
      bytes[i * record] = (byte) kind;
      // five widths, two colours: no class is known by one of them alone
      double length = WAVES[kind % 5];
      double angle = random.nextDouble(0, Math.PI);
      double phase = random.nextDouble(0, 2 * Math.PI);
      double[] strength = kind < 5 ? new double[] {90, 60, 20} : new double[] {20, 60, 90};
      for (int p = 0; p < SIDE * SIDE; p++) {
        double along = Math.cos(angle) * (p % SIDE) + Math.sin(angle) * (p / SIDE);
        double wave = Math.sin(2 * Math.PI * along / length + phase);
        for (int c = 0; c < 3; c++) {
          double value = 128 + strength[c] * wave + NOISE * random.nextGaussian();
          bytes[i * record + 1 + c * SIDE * SIDE + p] =
              (byte) Math.clamp(Math.round(value), 0, 255);
        }
      }
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, bytes);
  }
}
