package dev.gridstride.examples.report;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A picture of many small grey images in rows, each with a caption of up to two lines. */
public final class ImageSheet {
  private static final int GAP = 12;
  private static final int LINE = 16;
  private static final int TITLE = 34;

  private record Cell(BufferedImage image, String[] caption) {}

  private final String title;
  private final int columns;
  private final int scale;
  private final List<Cell> cells = new ArrayList<>();

  /**
   * An empty sheet.
   *
   * @param columns images in a row
   * @param scale screen pixels for one of an image's
   */
  public ImageSheet(String title, int columns, int scale) {
    this.title = title;
    this.columns = columns;
    this.scale = scale;
  }

  /**
   * Adds an image.
   *
   * @param pixels row-major grey values from 0 (white here: ink on paper) to 1 (black)
   * @param caption at most two lines
   */
  public void add(float[] pixels, int width, int height, String... caption) {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      int grey = 255 - Math.round(255 * Math.clamp(pixels[i], 0f, 1f));
      image.setRGB(i % width, i / width, new Color(grey, grey, grey).getRGB());
    }
    cells.add(new Cell(image, caption));
  }

  /** Writes the sheet as a PNG file. */
  public void save(Path file) throws IOException {
    if (Pictures.impossible(file)) {
      return;
    }
    Font small = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    Font large = new Font(Font.SANS_SERIF, Font.BOLD, 17);
    Graphics2D probe = Pictures.graphics(Pictures.blank(1, 1));
    int cellWidth = 0;
    int cellHeight = 0;
    int lines = 0;
    for (Cell c : cells) {
      cellWidth = Math.max(cellWidth, c.image().getWidth() * scale);
      cellHeight = Math.max(cellHeight, c.image().getHeight() * scale);
      lines = Math.max(lines, c.caption().length);
      for (String text : c.caption()) {
        cellWidth = Math.max(cellWidth, probe.getFontMetrics(small).stringWidth(text));
      }
    }
    int used = Math.max(1, Math.min(columns, cells.size()));
    int rows = (cells.size() + used - 1) / used;
    int rowHeight = cellHeight + lines * LINE + GAP;
    int width = GAP + used * (cellWidth + GAP);
    width = Math.max(width, probe.getFontMetrics(large).stringWidth(title) + 2 * GAP);
    probe.dispose();
    BufferedImage sheet = Pictures.blank(width, TITLE + rows * rowHeight + GAP);
    Graphics2D g = Pictures.graphics(sheet);
    g.setColor(Color.BLACK);
    g.setFont(large);
    g.drawString(title, GAP, TITLE - 12);
    g.setFont(small);
    for (int i = 0; i < cells.size(); i++) {
      Cell c = cells.get(i);
      int x = GAP + i % used * (cellWidth + GAP);
      int y = TITLE + i / used * rowHeight;
      int w = c.image().getWidth() * scale;
      int h = c.image().getHeight() * scale;
      g.drawImage(c.image(), x, y, w, h, null);
      g.setColor(Charts.GREY);
      g.drawRect(x, y, w - 1, h - 1);
      g.setColor(Color.BLACK);
      for (int line = 0; line < c.caption().length; line++) {
        g.drawString(c.caption()[line], x, y + h + (line + 1) * LINE - 2);
      }
    }
    g.dispose();
    Pictures.save(file, sheet);
  }
}
