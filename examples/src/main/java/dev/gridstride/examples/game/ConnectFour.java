package dev.gridstride.examples.game;

/**
 * A position of Connect Four: 6 rows, 7 columns; discs fall down; four in a line win. Seen by the
 * player who is to move.
 *
 * @param mine a bit for each disc of the player to move: 7 for each column, the lowest row first;
 *     the seventh stays empty, so that lines don't go on in the next column
 * @param theirs the other player's discs
 */
public record ConnectFour(long mine, long theirs) {
  /** Number of rows. */
  public static final int ROWS = 6;

  /** Number of columns, which are the moves. */
  public static final int COLUMNS = 7;

  /** The empty board. */
  public static final ConnectFour START = new ConnectFour(0, 0);

  /** Distances between the bits of neighbours: up, across, and the two slanting ways. */
  private static final int[] LINES = {1, 7, 8, 6};

  /** Whether a disc fits into a column. */
  public boolean isLegal(int column) {
    return (((mine | theirs) >> (7 * column + ROWS - 1)) & 1) == 0;
  }

  /** The position after a legal move, seen by the other player. */
  public ConnectFour play(int column) {
    long all = mine | theirs;
    int bottom = 7 * column;
    long disc = (all + (1L << bottom)) & ~all & (0x3FL << bottom);
    return new ConnectFour(theirs, mine | disc);
  }

  /** Whether the player who has just moved has four in a line. */
  public boolean isLost() {
    for (int line : LINES) {
      long pairs = theirs & (theirs >> line);
      if ((pairs & (pairs >> (2 * line))) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Number of discs. */
  public int discs() {
    return Long.bitCount(mine | theirs);
  }

  /** Whether the game has ended: by a line or because the board is full. */
  public boolean isOver() {
    return discs() == ROWS * COLUMNS || isLost();
  }

  /** 1 for a disc of the player to move, -1 for one of the other, 0 for none; row 0 is lowest. */
  public int at(int row, int column) {
    int bit = 7 * column + row;
    return (int) ((mine >> bit) & 1) - (int) ((theirs >> bit) & 1);
  }

  /** Writes two planes of 6 x 7, the discs of the player to move and the other's, from the top. */
  public void write(float[] target, int at) {
    for (int i = 0; i < ROWS * COLUMNS; i++) {
      int disc = at(ROWS - 1 - i / COLUMNS, i % COLUMNS);
      target[at + i] = disc > 0 ? 1 : 0;
      target[at + ROWS * COLUMNS + i] = disc < 0 ? 1 : 0;
    }
  }
}
