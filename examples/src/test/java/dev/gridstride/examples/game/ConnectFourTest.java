package dev.gridstride.examples.game;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.examples.game.TreeSearch.Evaluator;
import dev.gridstride.examples.game.TreeSearch.Opinion;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ConnectFourTest {
  /** Whether four discs of one player lie in a line, square by square. */
  private static boolean hasLine(int[][] board, int player) {
    int[][] ways = {{0, 1}, {1, 0}, {1, 1}, {1, -1}};
    for (int r = 0; r < 6; r++) {
      for (int c = 0; c < 7; c++) {
        for (int[] way : ways) {
          int n = 0;
          while (n < 4
              && r + n * way[0] < 6
              && c + n * way[1] >= 0
              && c + n * way[1] < 7
              && board[r + n * way[0]][c + n * way[1]] == player) {
            n++;
          }
          if (n == 4) {
            return true;
          }
        }
      }
    }
    return false;
  }

  @Test
  void randomGamesFollowTheRules() {
    var random = new SplittableRandom(2);
    int lost = 0;
    int full = 0;
    for (int game = 0; game < 400; game++) {
      var board = new int[6][7];
      var height = new int[7];
      ConnectFour p = ConnectFour.START;
      int player = 1;
      while (!p.isOver()) {
        for (int c = 0; c < 7; c++) {
          assertThat(p.isLegal(c)).isEqualTo(height[c] < 6);
        }
        int move = TreeSearch.randomMove(p, random);
        board[height[move]++][move] = player;
        p = p.play(move);
        player = -player;
        for (int i = 0; i < 42; i++) {
          assertThat(p.at(i / 7, i % 7)).isEqualTo(player * board[i / 7][i % 7]);
        }
        assertThat(p.isLost()).isEqualTo(hasLine(board, -player));
        assertThat(p.discs()).isEqualTo(Arrays.stream(height).sum());
      }
      lost += p.isLost() ? 1 : 0;
      full += p.discs() == 42 ? 1 : 0;
    }
    assertThat(lost).isGreaterThan(380);
    assertThat(full).isPositive();
  }

  @Test
  void planesBeginAtTheTop() {
    var x = new float[84];
    ConnectFour.START.play(3).play(0).write(x, 0);
    // the first player's disc is at the bottom of column 3, the second's of column 0
    assertThat(IntStream.range(0, 84).filter(i -> x[i] != 0)).containsExactly(5 * 7 + 3, 42 + 35);
  }

  private static ConnectFour after(int... moves) {
    ConnectFour p = ConnectFour.START;
    for (int m : moves) {
      p = p.play(m);
    }
    return p;
  }

  private static int best(int[] visits) {
    return IntStream.range(0, 7).reduce(0, (a, b) -> visits[b] > visits[a] ? b : a);
  }

  @Test
  void plainSearchWinsAndPreventsLosing() {
    var plain = TreeSearch.rollouts(new SplittableRandom(5));
    List<ConnectFour> positions =
        List.of(
            after(0, 6, 0, 6, 0, 6), // the fourth in column 0 wins
            after(0, 6, 0, 6, 0), // the fourth in column 0 must be taken
            after(2, 2, 3, 3, 4)); // two ways to win: lost, but a move all the same
    int[][] visits = TreeSearch.visits(positions, 400, plain, null);
    assertThat(best(visits[0])).isZero();
    assertThat(best(visits[1])).isZero();
    for (int[] v : visits) {
      assertThat(Arrays.stream(v).sum()).isEqualTo(400);
    }
  }

  @Test
  void searchFollowsOpinions() {
    // all moves into column 2, until it is full
    Evaluator two =
        positions ->
            positions.stream()
                .map(p -> new Opinion(new double[] {0, 0, 1, 0, 0, 0, 0}, 0.5))
                .toList();
    int[][] visits = TreeSearch.visits(List.of(ConnectFour.START), 20, two, null);
    assertThat(best(visits[0])).isEqualTo(2);
    ConnectFour full = after(2, 2, 2, 2, 2, 2);
    assertThat(TreeSearch.visits(List.of(full), 20, two, new SplittableRandom(1))[0][2]).isZero();
  }

  @Test
  void gamesOfTheSamePlayersAreEvenAndLessonsAgreeWithTheirEnds() {
    var random = new SplittableRandom(9);
    var plain = TreeSearch.rollouts(random);
    var games = Games.match(plain, null, 40, 30, random);
    assertThat(Games.score(games)).isGreaterThan(0.8);
    for (var game : games) {
      ConnectFour p = after(game.moves().stream().mapToInt(Integer::intValue).toArray());
      assertThat(p.isOver()).isTrue();
      assertThat(game.result() == 0.5).isEqualTo(!p.isLost());
    }
    for (var lesson : Games.play(plain, 4, 10, random)) {
      assertThat(lesson.position().isOver()).isFalse();
      float sum = 0;
      for (float share : lesson.moves()) {
        sum += share;
      }
      // shares of 10 visits
      assertThat(sum).isBetween(1 - 1e-6f, 1 + 1e-6f);
      assertThat(lesson.end()).isIn(-1f, -0f, 0f, 1f);
    }
  }
}
