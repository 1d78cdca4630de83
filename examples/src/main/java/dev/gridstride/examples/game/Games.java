package dev.gridstride.examples.game;

import dev.gridstride.examples.game.TreeSearch.Evaluator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Many games of Connect Four side by side: of a player against itself, and of two players. */
public final class Games {
  private static final int COLUMNS = ConnectFour.COLUMNS;
  private static final int AREA = ConnectFour.ROWS * COLUMNS;

  /** So many first moves of a game are drawn by their visits, so that games differ. */
  private static final int DRAWN_MOVES = 10;

  /** Judged games begin with so many moves by chance. */
  private static final int OPENING = 2;

  private Games() {}

  /**
   * What a position of a game teaches.
   *
   * @param position seen by the player to move
   * @param moves the share of each column in the search
   * @param end 1 when that player has won in the end, -1 when he has lost, 0 for a draw
   */
  public record Lesson(ConnectFour position, float[] moves, float end) {}

  /**
   * A game between two players.
   *
   * @param moves the columns in the order of play
   * @param result 1 when the first player has won, 0.5 for a draw, 0 otherwise
   */
  public record Game(List<Integer> moves, double result) {}

  /** Games of a player against itself, with chance in their moves, and what they teach. */
  public static List<Lesson> play(
      Evaluator thought, int games, int simulations, SplittableRandom random) {
    var lessons = new ArrayList<Lesson>();
    var histories = new ArrayList<List<Lesson>>();
    var now = new ArrayList<ConnectFour>();
    for (int i = 0; i < games; i++) {
      histories.add(new ArrayList<>());
      now.add(ConnectFour.START);
    }
    for (int move = 0; !now.isEmpty(); move++) {
      int[][] visits = TreeSearch.visits(now, simulations, thought, random);
      for (int i = now.size() - 1; i >= 0; i--) {
        var share = new float[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) {
          share[c] = (float) visits[i][c] / simulations;
        }
        List<Lesson> history = histories.get(i);
        history.add(new Lesson(now.get(i), share, 0));
        ConnectFour next =
            now.get(i).play(move < DRAWN_MOVES ? drawn(visits[i], random) : most(visits[i]));
        now.set(i, next);
        if (next.isOver()) {
          // who has moved last has won, if anybody has
          float end = next.isLost() ? 1 : 0;
          for (int k = history.size() - 1; k >= 0; k--, end = -end) {
            lessons.add(new Lesson(history.get(k).position(), history.get(k).moves(), end));
          }
          now.remove(i);
          histories.remove(i);
        }
      }
    }
    return lessons;
  }

  private static int drawn(int[] visits, SplittableRandom random) {
    int at = random.nextInt(Arrays.stream(visits).sum());
    int move = 0;
    while (at >= visits[move]) {
      at -= visits[move++];
    }
    return move;
  }

  private static int most(int[] visits) {
    return IntStream.range(0, COLUMNS).reduce(0, (a, b) -> visits[b] > visits[a] ? b : a);
  }

  /**
   * Games side by side; the first player begins every second one.
   *
   * @param second null for moves by chance
   */
  public static List<Game> match(
      Evaluator first,
      @Nullable Evaluator second,
      int games,
      int simulations,
      SplittableRandom random) {
    var now = new ConnectFour[games];
    var moves = new ArrayList<List<Integer>>();
    for (int i = 0; i < games; i++) {
      now[i] = ConnectFour.START;
      moves.add(new ArrayList<>());
      for (int m = 0; m < OPENING; m++) {
        int move = TreeSearch.randomMove(now[i], random);
        moves.getLast().add(move);
        now[i] = now[i].play(move);
      }
    }
    for (int m = 0; m < AREA; m++) {
      for (int turn = 0; turn < 2; turn++) {
        // games of one parity, in which it is this player's turn
        int parity = (m + turn) % 2;
        int[] open =
            IntStream.range(0, games).filter(i -> i % 2 == parity && !now[i].isOver()).toArray();
        List<ConnectFour> positions = IntStream.of(open).mapToObj(i -> now[i]).toList();
        Evaluator player = turn == 0 ? first : second;
        int[][] visits =
            player == null || open.length == 0
                ? new int[0][]
                : TreeSearch.visits(positions, simulations, player, null);
        for (int k = 0; k < open.length; k++) {
          int move = player == null ? TreeSearch.randomMove(now[open[k]], random) : most(visits[k]);
          moves.get(open[k]).add(move);
          now[open[k]] = now[open[k]].play(move);
        }
      }
    }
    return IntStream.range(0, games)
        .mapToObj(i -> {
          boolean firstMovedLast = (moves.get(i).size() - OPENING) % 2 == (i % 2 == 0 ? 1 : 0);
          return new Game(moves.get(i), now[i].isLost() ? (firstMovedLast ? 1 : 0) : 0.5);
        })
        .toList();
  }

  /** Mean result of the first player: 1 for a game that it has won, 0.5 for a draw. */
  public static double score(List<Game> games) {
    return games.stream().mapToDouble(Game::result).average().orElse(Double.NaN);
  }
}
