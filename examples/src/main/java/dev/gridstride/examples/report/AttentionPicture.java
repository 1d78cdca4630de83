package dev.gridstride.examples.report;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The picture of what a network looks at: for each character that it writes, those that it reads.
 */
public final class AttentionPicture {
  private static final int CELL = 22;
  private static final int MARGIN = 20;
  private static final int LEFT = 64;
  private static final int TOP = 72;
  private static final int LEGEND = 56;
  private static final int GAP = 46;

  /**
   * One map: weights[i][j] is how much the character i of {@code written} looked at j of {@code
   * read}.
   */
  private record Map(String read, String written, double[][] weights) {}

  private final String title;
  private final List<Map> maps = new ArrayList<>();

  /** An empty picture. */
  public AttentionPicture(String title) {
    this.title = title;
  }

  /**
   * Adds a map below the others.
   *
   * @param weights a row for each character of {@code written}, a column for each of {@code read},
   *     from 0 to 1
   */
  public void add(String read, String written, double[][] weights) {
    maps.add(new Map(read, written, weights));
  }

  /** Writes the picture as a PNG file. */
  public void save(Path file) throws IOException {
    int columns = maps.stream().mapToInt(m -> m.read.length()).max().orElse(1);
    int rows = maps.stream().mapToInt(m -> m.written.length()).sum();
    int width = Math.max(LEFT + columns * CELL + MARGIN, 420);
    BufferedImage image =
        Pictures.blank(width, TOP + rows * CELL + Math.max(0, maps.size() - 1) * GAP + LEGEND);
    Graphics2D g = Pictures.graphics(image);
    g.setColor(Color.BLACK);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
    g.drawString(title, MARGIN, 28);
    int y = TOP;
    for (Map map : maps) {
      draw(g, map, y);
      y += map.written.length() * CELL + GAP;
    }
    legend(g, y - GAP + 30);
    g.dispose();
    Pictures.save(file, image);
  }

  private static void draw(Graphics2D g, Map map, int top) {
    Font letters = new Font(Font.MONOSPACED, Font.PLAIN, 15);
    for (int j = 0; j < map.read.length(); j++) {
      letter(g, letters, map.read.charAt(j), LEFT + j * CELL, top - CELL);
    }
    for (int i = 0; i < map.written.length(); i++) {
      int y = top + i * CELL;
      letter(g, letters, map.written.charAt(i), LEFT - CELL - 2, y);
      for (int j = 0; j < map.read.length(); j++) {
        g.setColor(colour(map.weights[i][j]));
        g.fillRect(LEFT + j * CELL, y, CELL, CELL);
        g.setColor(new Color(0xE4E4E4));
        g.drawRect(LEFT + j * CELL, y, CELL, CELL);
      }
    }
    g.setColor(Color.BLACK);
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    g.drawString("read \u2192", MARGIN - 8, top - 7);
    Graphics2D turned = (Graphics2D) g.create();
    turned.rotate(-Math.PI / 2);
    turned.drawString("\u2190 written", -(top + 68), MARGIN + 4);
    turned.dispose();
  }

  private static void letter(Graphics2D g, Font font, char c, int x, int y) {
    g.setColor(Color.BLACK);
    g.setFont(font);
    int w = g.getFontMetrics().charWidth(c);
    g.drawString(String.valueOf(c), x + (CELL - w) / 2, y + CELL - 6);
  }

  private static void legend(Graphics2D g, int y) {
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    g.setColor(Color.BLACK);
    g.drawString("weight of attention: 0", LEFT, y);
    int x = LEFT + g.getFontMetrics().stringWidth("weight of attention: 0") + 8;
    for (int i = 0; i < 100; i++) {
      g.setColor(colour(i / 99.0));
      g.fillRect(x + i, y - 12, 1, 14);
    }
    g.setColor(Charts.GREY);
    g.drawRect(x, y - 12, 100, 14);
    g.setColor(Color.BLACK);
    g.drawString("1", x + 108, y);
  }

  /** White to blue. */
  private static Color colour(double weight) {
    double w = Math.clamp(weight, 0, 1);
    Color full = Charts.BLUE;
    return new Color(
        (int) Math.round(255 + w * (full.getRed() - 255)),
        (int) Math.round(255 + w * (full.getGreen() - 255)),
        (int) Math.round(255 + w * (full.getBlue() - 255)));
  }
}
