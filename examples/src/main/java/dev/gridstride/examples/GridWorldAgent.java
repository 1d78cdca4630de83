package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.GridWorld;
import dev.gridstride.examples.data.Orders;
import dev.gridstride.examples.report.Charts;
import dev.gridstride.examples.report.PolicyPicture;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.metrics.RunningMean;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.knowm.xchart.XYChart;

/**
 * Learns to find food in a maze by trying: reinforcement learning with a deep Q-network.
 *
 * <p>There are no samples with answers. The data are moves that the agent itself has made and
 * remembers; the model, a network, says for each cell what each action will bring in the end (its
 * Q); the objective is that Q agree with itself one move later, {@code Q(s, a) = reward + discount
 * * max Q(s', .)}; the algorithm is gradient descent on random memories, with an older copy of the
 * network on the right-hand side so that it does not chase itself. Mnih et al., "Human-level
 * control through deep reinforcement learning", 2015; van Hasselt et al., "Deep Reinforcement
 * Learning with Double Q-learning", 2016.
 */
public final class GridWorldAgent implements Example {
  private static final GridWorld WORLD =
      new GridWorld(
          ".......", //
          ".###.#.", ".#...#.", ".#.#...", ".#.#.#.", "...#.#F", ".#...##");
  private static final int AGENTS = 16;
  private static final int MEMORIES = 20_000;
  private static final double LEARNING_RATE = 2e-3;
  private static final int COPY_EVERY = 50;
  private static final int LOOK_EVERY = 50;

  /** The agent did {@code action} in {@code cell}, and that is what came of it. */
  private record Memory(int cell, int action, GridWorld.Step result) {}

  @Override
  public String name() {
    return "gridworld";
  }

  @Override
  public String description() {
    return "reinforcement learning: a deep Q-network learns to find food in a maze";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int rounds = options.epochs(options.pick(3_000, 800));
    int batch = options.batch(128);
    var random = new SplittableRandom(options.seed());
    var g = new Generator(options.seed());
    double[] optimum = WORLD.optimum();
    double best = WORLD.mean(optimum);
    report.line(
        "%s: %d x %d cells; %d agents at once, %,d rounds; on %s",
        name(), WORLD.height(), WORLD.width(), AGENTS, rounds, device);

    var memories = new ArrayList<Memory>();
    var seenRounds = new ArrayList<Double>();
    var returns = new ArrayList<Double>();
    var loss = new RunningMean();
    try (Module model = network(device, g);
        Module older = network(device, g);
        var algorithm = new Adam(model.parameters(), LEARNING_RATE)) {
      older.load(model.state());
      var schedule = LrSchedule.cosine(LEARNING_RATE, LEARNING_RATE / 50, 0, rounds);
      int[] at = new int[AGENTS];
      Arrays.setAll(at, i -> start(random));
      for (int round = 0; round < rounds; round++) {
        // Data: each agent makes a move, ever less often a random one.
        double curiosity = Math.max(0.1, 1 - 2.0 * round / rounds);
        int[] wish = policy(model, device, at);
        for (int i = 0; i < AGENTS; i++) {
          boolean curious = random.nextDouble() < curiosity;
          int action = curious ? random.nextInt(WORLD.actions()) : wish[i];
          GridWorld.Step result = WORLD.step(at[i], action, random);
          var memory = new Memory(at[i], action, result);
          if (memories.size() < MEMORIES) {
            memories.add(memory);
          } else {
            memories.set(random.nextInt(MEMORIES), memory);
          }
          // a game that leads nowhere ends at some time too
          boolean over = result.done() || random.nextInt(100) == 0;
          at[i] = over ? start(random) : result.cell();
        }
        algorithm.learningRate(schedule.at(round));
        loss.add(learn(model, older, algorithm, device, sample(memories, batch, random)));
        if ((round + 1) % COPY_EVERY == 0) {
          older.load(model.state());
        }
        if ((round + 1) % LOOK_EVERY == 0 || round + 1 == rounds) {
          double reached = WORLD.mean(WORLD.evaluate(policy(model, device, allCells())));
          seenRounds.add(round + 1.0);
          returns.add(reached);
          if ((round + 1) % (10 * LOOK_EVERY) == 0 || round + 1 == rounds) {
            report.line(
                "round %,d: loss %.4f, mean return %.3f of %.3f",
                round + 1, loss.mean(), reached, best);
            report.result("loss", loss.mean());
            loss.reset();
          }
        }
      }
      int[] policy = policy(model, device, allCells());
      double[] values = WORLD.evaluate(policy);
      double reached = WORLD.mean(values);
      report.line(
          "%nmean return %.4f; value iteration, which knows the rules, %.4f", reached, best);
      report.result("return", reached);
      report.result("optimum", best);
      report.atLeast("share of the best mean return", reached / best, options.pick(0.95, 0.8));
      Safetensors.write(report.file("gridworld.safetensors"), model.state());
      saveCurve(report, seenRounds, returns, best);
      PolicyPicture.save(
          report.file("policy.png"), "gridworld: what the agent does", WORLD, policy, values);
    }
  }

  /** The model: the cell as a one-hot row in, the worth of each action out. */
  private static Module network(Device device, Generator g) {
    return new Sequential(
        new Linear(device, g, WORLD.cells(), 64),
        new ReLU(),
        new Linear(device, g, 64, 64),
        new ReLU(),
        new Linear(device, g, 64, WORLD.actions()));
  }

  /** A step of the algorithm; the loss. */
  private static double learn(
      Module model, Module older, Adam algorithm, Device device, List<Memory> memories) {
    int n = memories.size();
    try (Scope scope = Scope.open()) {
      Tensor before = cells(device, memories.stream().mapToInt(Memory::cell).toArray());
      Tensor after = cells(device, memories.stream().mapToInt(m -> m.result().cell()).toArray());
      long[] actions = memories.stream().mapToLong(Memory::action).toArray();
      var rewards = new float[n];
      var goesOn = new float[n];
      for (int i = 0; i < n; i++) {
        rewards[i] = (float) memories.get(i).result().reward();
        goesOn[i] = memories.get(i).result().done() ? 0 : (float) GridWorld.DISCOUNT;
      }
      // The network chooses the next action, the older copy says what it is worth.
      Tensor target =
          Autograd.noGrad(() -> {
            Tensor next = model.forward(after).argMax(true, 1);
            Tensor worth = older.forward(after).gather(1, next);
            return worth
                .mul(Tensors.of(device, goesOn, n, 1))
                .add(Tensors.of(device, rewards, n, 1));
          });
      Tensor chosen = model.forward(before).gather(1, Tensors.of(device, actions, n, 1));
      Tensor loss = chosen.huberLoss(target, 1);
      loss.backward();
      algorithm.step();
      model.zeroGrad();
      return loss.item();
    }
  }

  /** The action of the largest Q in each cell. */
  private static int[] policy(Module model, Device device, int[] cells) {
    try (Scope scope = Scope.open()) {
      Tensor x = cells(device, cells);
      long[] best = Autograd.noGrad(() -> model.forward(x).argMax(1).toLongArray());
      return Arrays.stream(best).mapToInt(Math::toIntExact).toArray();
    }
  }

  private static Tensor cells(Device device, int[] cells) {
    long[] index = Arrays.stream(cells).asLongStream().toArray();
    return Tensors.of(device, index, index.length).oneHot(WORLD.cells(), DType.F32);
  }

  private static int[] allCells() {
    return Orders.plain(WORLD.cells());
  }

  private static int start(SplittableRandom random) {
    List<Integer> starts = WORLD.starts();
    return starts.get(random.nextInt(starts.size()));
  }

  private static List<Memory> sample(List<Memory> memories, int n, SplittableRandom random) {
    return random.ints(n, 0, memories.size()).mapToObj(memories::get).toList();
  }

  private static void saveCurve(
      Report report, List<Double> rounds, List<Double> returns, double best) throws IOException {
    XYChart chart = Charts.chart("gridworld: learning curve", "round", "mean return of the policy");
    double[] x = rounds.stream().mapToDouble(Double::doubleValue).toArray();
    double[] y = returns.stream().mapToDouble(Double::doubleValue).toArray();
    Charts.line(chart, "deep Q-network", x, y, Charts.BLUE, 2f);
    double[] ends = {0, x[x.length - 1]};
    Charts.line(
        chart,
        "best possible (value iteration)",
        ends,
        new double[] {best, best},
        Charts.ORANGE,
        2f);
    chart.getStyler().setYAxisDecimalPattern("0.0");
    Charts.save(report.file("curve.png"), chart);
  }
}
