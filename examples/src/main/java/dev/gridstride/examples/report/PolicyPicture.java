package dev.gridstride.examples.report;

import dev.gridstride.examples.data.GridWorld;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Polygon;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** The picture of a policy in a maze: where it goes from each cell, and what it can expect. */
public final class PolicyPicture {
  private static final int CELL = 72;
  private static final int MARGIN = 24;
  private static final int TOP = 48;
  private static final int LEGEND = 76;
  private static final double[] ANGLES = {-Math.PI / 2, 0, Math.PI / 2, Math.PI};

  private PolicyPicture() {}

  /**
   * Draws a PNG file.
   *
   * @param policy an action for each cell
   * @param values the expected return from each cell
   */
  public static void save(Path file, String title, GridWorld world, int[] policy, double[] values)
      throws IOException {
    if (Pictures.impossible(file)) {
      return;
    }
    int width = world.width() * CELL + 2 * MARGIN;
    BufferedImage image = Pictures.blank(width, TOP + world.height() * CELL + LEGEND);
    Graphics2D g = Pictures.graphics(image);
    g.setColor(Color.BLACK);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
    g.drawString(title, MARGIN, TOP - 18);
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    for (int c = 0; c < world.cells(); c++) {
      int x = MARGIN + c % world.width() * CELL;
      int y = TOP + c / world.width() * CELL;
      g.setColor(colour(world, c, values[c]));
      g.fillRect(x, y, CELL, CELL);
      g.setColor(Charts.GREY);
      g.drawRect(x, y, CELL, CELL);
      g.setColor(Color.BLACK);
      if (world.isFood(c)) {
        g.drawString("food", x + CELL / 2 - 14, y + CELL / 2 + 5);
      } else if (!world.isWall(c)) {
        arrow(g, x + CELL / 2, y + CELL / 2 - 8, ANGLES[policy[c]]);
        g.drawString(
            String.format(Locale.ROOT, "%.1f", values[c]), x + CELL / 2 - 10, y + CELL - 8);
      }
    }
    int y = TOP + world.height() * CELL + 30;
    g.setColor(new Color(0x444444));
    g.fillRect(MARGIN, y - 12, 14, 14);
    g.setColor(Charts.ORANGE);
    g.fillRect(MARGIN + 90, y - 12, 14, 14);
    g.setColor(Color.BLACK);
    g.drawString("wall", MARGIN + 22, y);
    g.drawString("food", MARGIN + 112, y);
    g.drawString("arrow: action of the policy; number: expected return", MARGIN, y + 24);
    g.dispose();
    Pictures.save(file, image);
  }

  private static Color colour(GridWorld world, int cell, double value) {
    if (world.isWall(cell)) {
      return new Color(0x444444);
    }
    if (world.isFood(cell)) {
      return Charts.ORANGE;
    }
    float strength = (float) Math.clamp(value / 10, 0, 1);
    return new Color(1 - 0.6f * strength, 1 - 0.25f * strength, 1 - 0.1f * strength);
  }

  private static void arrow(Graphics2D g, int x, int y, double angle) {
    Graphics2D turned = (Graphics2D) g.create();
    turned.rotate(angle, x, y);
    turned.setStroke(new BasicStroke(3));
    turned.drawLine(x - 14, y, x + 8, y);
    turned.fill(new Polygon(new int[] {x + 5, x + 16, x + 5}, new int[] {y - 7, y, y + 7}, 3));
    turned.dispose();
  }
}
