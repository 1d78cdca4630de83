package dev.gridstride.examples.report;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/** Images in memory and as PNG files. */
final class Pictures {
  private Pictures() {}

  /** A white image. */
  static BufferedImage blank(int width, int height) {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width, height);
    g.dispose();
    return image;
  }

  /** For drawing text and shapes with smooth edges. */
  static Graphics2D graphics(BufferedImage image) {
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    return g;
  }

  /** Images side by side. */
  static BufferedImage row(List<BufferedImage> images) {
    int width = images.stream().mapToInt(BufferedImage::getWidth).sum();
    int height = images.stream().mapToInt(BufferedImage::getHeight).max().orElse(1);
    BufferedImage all = blank(Math.max(1, width), height);
    Graphics2D g = all.createGraphics();
    int x = 0;
    for (BufferedImage image : images) {
      g.drawImage(image, x, 0, null);
      x += image.getWidth();
    }
    g.dispose();
    return all;
  }

  /**
   * Whether there can be no pictures with text, which is said in one line: Java needs a font, and a
   * small server may have none.
   */
  static boolean impossible(Path file) {
    try {
      blank(1, 1).createGraphics().getFontMetrics();
      return false;
    } catch (RuntimeException | LinkageError noFontConfiguration) {
      System.err.println(
          "no picture "
              + file
              + ": Java finds no fonts on this machine (install fontconfig and a font)");
      return true;
    }
  }

  static void save(Path file, BufferedImage image) throws IOException {
    if (!ImageIO.write(image, "png", file.toFile())) {
      throw new IOException("no PNG writer for " + file);
    }
  }
}
