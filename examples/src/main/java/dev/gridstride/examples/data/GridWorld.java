package dev.gridstride.examples.data;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * A maze: food ends the game and is worth 10, walking into a wall costs 5 and leads nowhere, and
 * one step in ten goes in a random direction. Because the rules are known here, the best possible
 * play can be computed, which an agent who only plays cannot.
 */
public final class GridWorld {
  /** What a return of n steps from now is worth less: a factor for each step. */
  public static final double DISCOUNT = 0.95;

  private static final double FOOD = 10;
  private static final double WALL = -5;
  private static final double SLIP = 0.1;
  private static final int[][] MOVES = {{-1, 0}, {0, 1}, {1, 0}, {0, -1}};
  private static final double CONVERGED = 1e-10;

  private final String[] map;

  /**
   * A maze.
   *
   * @param map rows of one length: {@code #} for a wall, {@code F} for food, else free
   */
  public GridWorld(String... map) {
    this.map = map.clone();
  }

  /** What a move leads to. */
  public record Step(int cell, double reward, boolean done) {}

  /** Number of rows. */
  public int height() {
    return map.length;
  }

  /** Number of columns. */
  public int width() {
    return map[0].length();
  }

  /** Number of cells; cell {@code row * width + column}. */
  public int cells() {
    return height() * width();
  }

  /** Number of actions: up, right, down, left. */
  public int actions() {
    return MOVES.length;
  }

  /** Whether a cell is a wall. */
  public boolean isWall(int cell) {
    return at(cell) == '#';
  }

  /** Whether there is food in a cell. */
  public boolean isFood(int cell) {
    return at(cell) == 'F';
  }

  private char at(int cell) {
    return map[cell / width()].charAt(cell % width());
  }

  /** The cells in which a game can begin. */
  public List<Integer> starts() {
    var free = new ArrayList<Integer>();
    for (int c = 0; c < cells(); c++) {
      if (!isWall(c) && !isFood(c)) {
        free.add(c);
      }
    }
    return free;
  }

  /** Plays one move; it may slip. */
  public Step step(int cell, int action, RandomGenerator random) {
    int move = random.nextDouble() < SLIP ? random.nextInt(MOVES.length) : action;
    return move(cell, move);
  }

  private Step move(int cell, int action) {
    int row = cell / width() + MOVES[action][0];
    int column = cell % width() + MOVES[action][1];
    boolean outside = row < 0 || row >= height() || column < 0 || column >= width();
    int next = outside ? cell : row * width() + column;
    if (outside || isWall(next)) {
      return new Step(cell, WALL, false);
    }
    return isFood(next) ? new Step(next, FOOD, true) : new Step(next, 0, false);
  }

  /** The expected return of an action when the cells after it are worth {@code values}. */
  private double worth(int cell, int action, double[] values) {
    double sum = 0;
    for (int a = 0; a < MOVES.length; a++) {
      double p = SLIP / MOVES.length + (a == action ? 1 - SLIP : 0);
      Step s = move(cell, a);
      sum += p * (s.reward + (s.done ? 0 : DISCOUNT * values[s.cell]));
    }
    return sum;
  }

  /** The return that the best play can expect from each cell, by value iteration. */
  public double[] optimum() {
    return solve((cell, values) ->
        IntStream.range(0, MOVES.length)
            .mapToDouble(a -> worth(cell, a, values))
            .max()
            .orElseThrow());
  }

  /** The return that a policy, an action for each cell, can expect from each cell. */
  public double[] evaluate(int[] policy) {
    return solve((cell, values) -> worth(cell, policy[cell], values));
  }

  private interface Backup {
    double of(int cell, double[] values);
  }

  private double[] solve(Backup backup) {
    var values = new double[cells()];
    double change;
    do {
      change = 0;
      for (int cell : starts()) {
        double v = backup.of(cell, values);
        change = Math.max(change, Math.abs(v - values[cell]));
        values[cell] = v;
      }
    } while (change > CONVERGED);
    return values;
  }

  /** The mean over all starts. */
  public double mean(double[] values) {
    return starts().stream().mapToDouble(c -> values[c]).average().orElse(Double.NaN);
  }
}
