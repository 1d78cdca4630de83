package dev.gridstride.examples.game;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Monte Carlo tree search: looks ahead where it is worth it.
 *
 * <p>Each simulation goes down the tree, by the move with the largest {@code Q + C p sqrt(N) / (1 +
 * n)}: what it has brought on average, and a bonus for moves that are thought likely and have
 * seldom been tried (PUCT). At the end it adds a position, asks what that is worth, and tells all
 * positions on the way. Silver et al., "Mastering the game of Go without human knowledge", 2017.
 */
public final class TreeSearch {
  private static final double C = 1.5;

  /** Share of chance in the first moves of a game that is played for learning. */
  private static final double NOISE = 0.25;

  /**
   * What is thought of a position.
   *
   * @param moves a weight for each column; they need not add up to 1
   * @param value from -1, lost, to 1, won, for the player to move
   */
  public record Opinion(double[] moves, double value) {}

  /** Thinks about positions, of which none is over. */
  @FunctionalInterface
  public interface Evaluator {
    /** An opinion on each position. */
    List<Opinion> of(List<ConnectFour> positions);
  }

  private static final class Node {
    final ConnectFour position;
    final Node[] next = new Node[ConnectFour.COLUMNS];
    final double[] likely = new double[ConnectFour.COLUMNS];
    final int[] visits = new int[ConnectFour.COLUMNS];
    final double[] sums = new double[ConnectFour.COLUMNS];
    int total;

    Node(ConnectFour position) {
      this.position = position;
    }

    void expect(double[] moves) {
      double sum = 0;
      for (int c = 0; c < likely.length; c++) {
        likely[c] = position.isLegal(c) ? moves[c] + 1e-9 : 0;
        sum += likely[c];
      }
      for (int c = 0; c < likely.length; c++) {
        likely[c] /= sum;
      }
    }

    int best() {
      int best = -1;
      double most = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < likely.length; c++) {
        if (position.isLegal(c)) {
          double mean = visits[c] == 0 ? 0 : sums[c] / visits[c];
          double score = mean + C * likely[c] * Math.sqrt(total + 1.0) / (1 + visits[c]);
          if (score > most) {
            most = score;
            best = c;
          }
        }
      }
      return best;
    }
  }

  private final Node root;
  private final List<Node> path = new ArrayList<>();
  private final List<Integer> moves = new ArrayList<>();

  private TreeSearch(ConnectFour position, Opinion opinion, @Nullable RandomGenerator noise) {
    root = new Node(position);
    root.expect(opinion.moves);
    if (noise != null) {
      var mixed = new double[ConnectFour.COLUMNS];
      var chance = new double[ConnectFour.COLUMNS];
      double sum = 0;
      for (int c = 0; c < mixed.length; c++) {
        // evenly distributed over all ways to share 1 among the moves
        chance[c] = position.isLegal(c) ? -Math.log(1 - noise.nextDouble()) : 0;
        sum += chance[c];
      }
      for (int c = 0; c < mixed.length; c++) {
        mixed[c] = (1 - NOISE) * root.likely[c] + NOISE * chance[c] / sum;
      }
      root.expect(mixed);
    }
  }

  /**
   * Searches from several positions side by side, so that the evaluator is asked about many at a
   * time.
   *
   * @param positions none of which is over
   * @param simulations of each search
   * @param noise a source of chance for games that are played to learn from; else null
   * @return how often each column was tried first, a row for each position
   */
  public static int[][] visits(
      List<ConnectFour> positions,
      int simulations,
      Evaluator evaluator,
      @Nullable RandomGenerator noise) {
    List<Opinion> first = evaluator.of(positions);
    var searches = new ArrayList<TreeSearch>();
    for (int i = 0; i < positions.size(); i++) {
      searches.add(new TreeSearch(positions.get(i), first.get(i), noise));
    }
    for (int s = 0; s < simulations; s++) {
      var waiting = new ArrayList<TreeSearch>();
      var leaves = new ArrayList<ConnectFour>();
      for (TreeSearch search : searches) {
        ConnectFour leaf = search.descend();
        if (leaf.isOver()) {
          search.tell(leaf.isLost() ? -1 : 0);
        } else {
          waiting.add(search);
          leaves.add(leaf);
        }
      }
      List<Opinion> opinions = leaves.isEmpty() ? List.of() : evaluator.of(leaves);
      for (int i = 0; i < opinions.size(); i++) {
        waiting.get(i).add(opinions.get(i));
      }
    }
    return searches.stream().map(search -> search.root.visits.clone()).toArray(int[][]::new);
  }

  /** Goes down to a position that is not in the tree yet. */
  private ConnectFour descend() {
    path.clear();
    moves.clear();
    Node node = root;
    while (true) {
      int move = node.best();
      path.add(node);
      moves.add(move);
      Node next = node.next[move];
      if (next == null) {
        return node.position.play(move);
      }
      node = next;
    }
  }

  private void add(Opinion opinion) {
    Node last = path.getLast();
    int move = moves.getLast();
    var leaf = new Node(last.position.play(move));
    leaf.expect(opinion.moves);
    last.next[move] = leaf;
    tell(opinion.value);
  }

  /** What the position at the end is worth for its player: the opposite one move before. */
  private void tell(double value) {
    double worth = value;
    for (int i = path.size() - 1; i >= 0; i--) {
      worth = -worth;
      Node node = path.get(i);
      node.visits[moves.get(i)]++;
      node.sums[moves.get(i)] += worth;
      node.total++;
    }
  }

  /**
   * Plain Monte Carlo: all moves are likely, and a game by chance says what a position is worth.
   */
  public static Evaluator rollouts(RandomGenerator random) {
    var even = new double[ConnectFour.COLUMNS];
    Arrays.fill(even, 1);
    return positions -> positions.stream().map(p -> new Opinion(even, rollout(p, random))).toList();
  }

  private static double rollout(ConnectFour position, RandomGenerator random) {
    ConnectFour p = position;
    double sign = 1;
    while (!p.isOver()) {
      p = p.play(randomMove(p, random));
      sign = -sign;
    }
    return p.isLost() ? -sign : 0;
  }

  /** A legal move by chance. */
  public static int randomMove(ConnectFour p, RandomGenerator random) {
    int move;
    do {
      move = random.nextInt(ConnectFour.COLUMNS);
    } while (!p.isLegal(move));
    return move;
  }
}
