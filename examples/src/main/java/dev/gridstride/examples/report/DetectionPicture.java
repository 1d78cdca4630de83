package dev.gridstride.examples.report;

import dev.gridstride.vision.Box;
import dev.gridstride.vision.Detection;
import dev.gridstride.vision.Thing;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A picture of grey images with the boxes that a detector found in them, and the true ones. */
public final class DetectionPicture {
  private static final int GAP = 14;
  private static final int TOP = 44;
  private static final int LEGEND = 40;
  private static final BasicStroke FOUND = new BasicStroke(2.5f);
  private static final BasicStroke TRUE =
      new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 10, new float[] {5}, 0);

  private record Cell(float[] pixels, List<Detection> found, List<Thing> truth) {}

  private final String title;
  private final List<String> kinds;
  private final int side;
  private final int columns;
  private final int scale;
  private final List<Cell> cells = new ArrayList<>();

  /**
   * An empty picture.
   *
   * @param kinds names of the classes
   * @param side width and height of an image
   * @param columns images in a row
   * @param scale screen pixels for one of an image's
   */
  public DetectionPicture(String title, List<String> kinds, int side, int columns, int scale) {
    this.title = title;
    this.kinds = List.copyOf(kinds);
    this.side = side;
    this.columns = columns;
    this.scale = scale;
  }

  /** Adds an image, row-major from 0 (black) to 1 (white), with its boxes in pixels. */
  public void add(float[] pixels, List<Detection> found, List<Thing> truth) {
    cells.add(new Cell(pixels, found, truth));
  }

  /** Writes a PNG file. */
  public void save(Path file) throws IOException {
    int rows = Math.ceilDiv(cells.size(), columns);
    int step = side * scale + GAP;
    BufferedImage image = Pictures.blank(GAP + columns * step, TOP + rows * step + LEGEND);
    Graphics2D g = Pictures.graphics(image);
    g.setColor(Color.BLACK);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
    g.drawString(title, GAP, TOP - 16);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 12));
    for (int i = 0; i < cells.size(); i++) {
      Graphics2D part =
          (Graphics2D)
              g.create(
                  GAP + i % columns * step, TOP + i / columns * step, side * scale, side * scale);
      draw(part, cells.get(i));
      part.dispose();
    }
    legend(g, TOP + rows * step + 16);
    g.dispose();
    Pictures.save(file, image);
  }

  private void draw(Graphics2D g, Cell cell) {
    var grey = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < side * side; i++) {
      int v = Math.round(255 * Math.clamp(cell.pixels[i], 0f, 1f));
      grey.setRGB(i % side, i / side, new Color(v, v, v).getRGB());
    }
    g.drawImage(grey, 0, 0, side * scale, side * scale, null);
    for (Thing t : cell.truth) {
      g.setStroke(TRUE);
      g.setColor(Color.WHITE);
      outline(g, t.box());
    }
    for (Detection d : cell.found) {
      g.setStroke(FOUND);
      g.setColor(Charts.colour(d.label()));
      outline(g, d.box());
      int x = (int) Math.clamp(scale * d.box().left(), 0, side * scale - 26.0);
      int y = (int) Math.clamp(scale * d.box().top() - 14, 0, side * scale - 14.0);
      g.fillRect(x, y, 26, 14);
      g.setColor(Color.WHITE);
      g.drawString(String.format(Locale.ROOT, "%.2f", Math.min(d.score(), 0.99)), x + 1, y + 12);
    }
  }

  private void outline(Graphics2D g, Box b) {
    int x = (int) Math.round(scale * b.left());
    int y = (int) Math.round(scale * b.top());
    int right = (int) Math.round(scale * b.right());
    int bottom = (int) Math.round(scale * b.bottom());
    g.drawRect(x, y, right - x, bottom - y);
  }

  private void legend(Graphics2D g, int y) {
    int x = GAP;
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    for (int k = 0; k < kinds.size(); k++) {
      g.setColor(Charts.colour(k));
      g.setStroke(FOUND);
      g.drawRect(x, y - 10, 16, 12);
      g.setColor(Color.BLACK);
      g.drawString(kinds.get(k) + " found, with its score", x + 24, y);
      x += 40 + g.getFontMetrics().stringWidth(kinds.get(k) + " found, with its score");
    }
    g.setColor(Color.BLACK);
    g.fillRect(x - 2, y - 13, 22, 18);
    g.setColor(Color.WHITE);
    g.setStroke(TRUE);
    g.drawRect(x + 1, y - 10, 16, 12);
    g.setColor(Color.BLACK);
    g.drawString("true box", x + 26, y);
  }
}
