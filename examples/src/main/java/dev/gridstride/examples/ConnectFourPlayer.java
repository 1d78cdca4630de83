package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Orders;
import dev.gridstride.examples.game.ConnectFour;
import dev.gridstride.examples.game.Games;
import dev.gridstride.examples.game.Games.Game;
import dev.gridstride.examples.game.Games.Lesson;
import dev.gridstride.examples.game.TreeSearch;
import dev.gridstride.examples.game.TreeSearch.Evaluator;
import dev.gridstride.examples.game.TreeSearch.Opinion;
import dev.gridstride.examples.report.BoardPicture;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Epoch;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.BatchNorm2d;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.Flatten;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Adam;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Learns Connect Four from nothing but its rules, by playing against itself: as AlphaGo Zero did.
 *
 * <p>The data are the positions of its own games. The model says of a position which moves are
 * likely and who will win. The objective: agree with the moves that a tree search, guided by the
 * model, has tried most, and with how the game ended. The algorithm alternates: play games with
 * search, descend the gradient on what they showed; better opinions make a better search, and that
 * better opinions. Silver et al., "Mastering the game of Go without human knowledge", 2017.
 */
public final class ConnectFourPlayer implements Example {
  private static final int COLUMNS = ConnectFour.COLUMNS;
  private static final int AREA = ConnectFour.ROWS * COLUMNS;
  private static final int CHANNELS = 32;
  private static final double LEARNING_RATE = 2e-3;

  /** Rounds of games whose positions are learnt from. */
  private static final int REMEMBERED = 4;

  @Override
  public String name() {
    return "connect4";
  }

  @Override
  public String description() {
    return "self-play: a network and a tree search teach each other Connect Four";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int rounds = options.epochs(options.pick(20, 2));
    int batch = options.batch(128);
    int games = options.limit(options.pick(96, 32));
    int simulations = options.pick(64, 12);
    var random = new SplittableRandom(options.seed());
    try (Module model = network(device, new Generator(options.seed()));
        var algorithm = new Adam(model.parameters(), LEARNING_RATE)) {
      report.line(
          "%s: %d rounds of %d games, %d simulations a move; %,d parameters; on %s",
          name(), rounds, games, simulations, model.parameterCount(), device);
      report.history().measures("won", "won against plain tree search, %");
      Evaluator thought = opinions(model, device);
      var memory = new ArrayList<List<Lesson>>();
      for (int round = 1; round <= rounds; round++) {
        memory.add(Games.play(thought, games, simulations, random));
        if (memory.size() > REMEMBERED) {
          memory.removeFirst();
        }
        List<Lesson> lessons = memory.stream().flatMap(List::stream).toList();
        try (var progress = report.epoch(round, rounds, lessons.size())) {
          double fresh = loss(model, device, memory.getLast());
          learn(model, algorithm, device, lessons, batch, random, progress);
          var rivals = new SplittableRandom(options.seed() + round);
          Evaluator plain = TreeSearch.rollouts(rivals);
          int some = options.limit(20);
          double score = Games.score(Games.match(thought, plain, some, simulations, rivals));
          progress.end(fresh, score);
        }
      }
      int many = options.limit(options.pick(100, 20));
      var rivals = new SplittableRandom(~options.seed());
      double againstRandom = Games.score(Games.match(thought, null, 2 * many, simulations, rivals));
      List<Game> played =
          Games.match(thought, TreeSearch.rollouts(rivals), many, simulations, rivals);
      double againstPlain = Games.score(played);
      report.line("%nwon, a draw counting half, with %d simulations a move:", simulations);
      report.line("against random moves        %.1f%% of %d", 100 * againstRandom, 2 * many);
      report.line("against plain tree search   %.1f%% of %d", 100 * againstPlain, many);
      report.result("againstRandom", againstRandom);
      report.result("againstPlainSearch", againstPlain);
      report.atLeast("won against random", againstRandom, options.pick(0.99, 0.7));
      report.atLeast("won against plain search", againstPlain, options.pick(0.6, 0.2));
      Safetensors.write(report.file("connect4.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      saveGame(report, played);
    }
  }

  /** The longest of the games that the learnt player has begun and won, or else the first game. */
  private static void saveGame(Report report, List<Game> played) throws IOException {
    int shown =
        IntStream.range(0, played.size())
            .boxed()
            .filter(i -> i % 2 == 0 && played.get(i).result() == 1)
            .max(Comparator.comparingInt(i -> played.get(i).moves().size()))
            .orElse(0);
    BoardPicture.save(
        report.file("game.png"),
        "connect4: the longest game won",
        "the learnt player, after two moves by chance",
        "plain Monte Carlo tree search",
        played.get(shown).moves());
  }

  /** The model: two planes of discs in, a logit for each column and the end out. */
  private static Module network(Device device, Generator g) {
    return new Sequential(
        block(device, g, 2),
        block(device, g, CHANNELS),
        block(device, g, CHANNELS),
        new Flatten(),
        new Linear(device, g, (long) CHANNELS * AREA, 128),
        new ReLU(),
        new Linear(device, g, 128, COLUMNS + 1));
  }

  private static Module block(Device device, Generator g, long in) {
    return new Sequential(
        new Conv2d(device, g, in, CHANNELS, 3, ConvOptions.DEFAULT.withPadding(1), false),
        new BatchNorm2d(device, CHANNELS),
        new ReLU());
  }

  private static Tensor planes(Device device, List<ConnectFour> positions) {
    var x = new float[positions.size() * 2 * AREA];
    for (int i = 0; i < positions.size(); i++) {
      positions.get(i).write(x, i * 2 * AREA);
    }
    return Tensors.of(device, x, positions.size(), 2, ConnectFour.ROWS, COLUMNS);
  }

  private static Evaluator opinions(Module model, Device device) {
    return positions -> {
      model.eval();
      try (Scope scope = Scope.open()) {
        Tensor x = planes(device, positions);
        Tensor[] y = Autograd.noGrad(() -> model.forward(x).split(1, COLUMNS, 1));
        double[] moves = y[0].softmax(1).toDoubleArray();
        double[] ends = y[1].tanh().toDoubleArray();
        return IntStream.range(0, positions.size())
            .mapToObj(i ->
                new Opinion(Arrays.copyOfRange(moves, i * COLUMNS, (i + 1) * COLUMNS), ends[i]))
            .toList();
      }
    };
  }

  private static void learn(
      Module model,
      Adam algorithm,
      Device device,
      List<Lesson> lessons,
      int batch,
      SplittableRandom random,
      Epoch progress) {
    model.train();
    int[] order = Orders.shuffled(lessons.size(), random);
    for (int from = 0; from < order.length; from += batch) {
      int to = Math.min(from + batch, order.length);
      List<Lesson> some = Arrays.stream(order, from, to).mapToObj(lessons::get).toList();
      try (Scope scope = Scope.open()) {
        // a mirrored position is as good, with mirrored moves
        Tensor loss = objective(model, device, some, random.nextBoolean());
        loss.backward();
        algorithm.step();
        model.zeroGrad();
        progress.step(some.size(), loss.item());
      }
    }
  }

  /** The objective: moves as the search has tried them, and the end as it came. */
  private static Tensor objective(
      Module model, Device device, List<Lesson> lessons, boolean mirrored) {
    int n = lessons.size();
    var moves = new float[n * COLUMNS];
    var ends = new float[n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(lessons.get(i).moves(), 0, moves, i * COLUMNS, COLUMNS);
      ends[i] = lessons.get(i).end();
    }
    Tensor x = planes(device, lessons.stream().map(Lesson::position).toList());
    Tensor target = Tensors.of(device, moves, n, COLUMNS);
    Tensor[] y = model.forward(mirrored ? x.flip(3) : x).split(1, COLUMNS, 1);
    Tensor moving = y[0].crossEntropy(mirrored ? target.flip(1) : target);
    return moving.add(y[1].tanh().mseLoss(Tensors.of(device, ends, n, 1)));
  }

  /** On games that have not been learnt from yet. */
  private static double loss(Module model, Device device, List<Lesson> lessons) {
    model.eval();
    try (Scope scope = Scope.open()) {
      return Autograd.noGrad(() -> objective(model, device, lessons, false).item());
    }
  }
}
