package dev.gridstride.examples.report;

import dev.gridstride.examples.game.ConnectFour;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The picture of a game of Connect Four: the discs with the numbers of their moves. */
public final class BoardPicture {
  private static final int CELL = 56;
  private static final int MARGIN = 24;
  private static final int TOP = 48;
  private static final int LEGEND = 56;

  private BoardPicture() {}

  /**
   * Draws a PNG file.
   *
   * @param first who has moved first, by name
   * @param second the other
   * @param moves the columns in the order of play
   */
  public static void save(Path file, String title, String first, String second, List<Integer> moves)
      throws IOException {
    int width = ConnectFour.COLUMNS * CELL + 2 * MARGIN;
    int height = ConnectFour.ROWS * CELL;
    BufferedImage image = Pictures.blank(width, TOP + height + LEGEND);
    Graphics2D g = Pictures.graphics(image);
    g.setColor(Color.BLACK);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
    g.drawString(title, MARGIN, TOP - 18);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
    g.setColor(Charts.GREY);
    for (int c = 0; c < ConnectFour.COLUMNS; c++) {
      for (int r = 0; r < ConnectFour.ROWS; r++) {
        g.drawOval(MARGIN + c * CELL + 3, TOP + r * CELL + 3, CELL - 6, CELL - 6);
      }
    }
    g.drawRect(MARGIN, TOP, ConnectFour.COLUMNS * CELL, height);
    var filled = new int[ConnectFour.COLUMNS];
    for (int i = 0; i < moves.size(); i++) {
      int column = moves.get(i);
      int row = ConnectFour.ROWS - 1 - filled[column]++;
      int x = MARGIN + column * CELL;
      int y = TOP + row * CELL;
      g.setColor(i % 2 == 0 ? Charts.BLUE : Charts.ORANGE);
      g.fillOval(x + 3, y + 3, CELL - 6, CELL - 6);
      g.setColor(Color.WHITE);
      String number = Integer.toString(i + 1);
      int half = g.getFontMetrics().stringWidth(number) / 2;
      g.drawString(number, x + CELL / 2 - half, y + CELL / 2 + 5);
    }
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    int y = TOP + height + 26;
    String[] names = {first, second};
    for (int i = 0; i < 2; i++) {
      g.setColor(i == 0 ? Charts.BLUE : Charts.ORANGE);
      g.fillOval(MARGIN, y + 20 * i - 12, 14, 14);
      g.setColor(Color.BLACK);
      g.drawString(names[i], MARGIN + 22, y + 20 * i);
    }
    g.dispose();
    Pictures.save(file, image);
  }
}
