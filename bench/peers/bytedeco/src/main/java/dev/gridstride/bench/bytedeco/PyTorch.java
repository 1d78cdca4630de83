package dev.gridstride.bench.bytedeco;

import dev.gridstride.bench.Case;
import dev.gridstride.bench.Contender;
import dev.gridstride.bench.Library;
import dev.gridstride.bench.Problem;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's C++ library: TorchScript for single functions, its own API for a training step. */
public final class PyTorch implements Library {
  @Override
  public String name() {
    return "pytorch";
  }

  @Override
  public boolean offers(Case c) {
    return c.family().equals("mnist") || Scripts.of(c, false) != null;
  }

  @Override
  public Map<String, String> about() {
    var about = new TreeMap<String, String>();
    about.put("version", torch.show_config().getString().strip());
    about.put("core", torch.get_cpu_capability().getString());
    about.put("threads", "" + torch.get_num_threads());
    about.put("parallel", torch.get_parallel_info().getString().strip());
    return about;
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    torch.set_num_threads(c.threads());
    if (c.family().equals("mnist")) {
      return faster(new TorchMnist(p, false), new TorchMnist(p, true));
    }
    return c.family().equals("conv")
        ? faster(new Scripted(c, p, false), new Scripted(c, p, true))
        : new Scripted(c, p, false);
  }

  /** The faster of both memory formats, by the best of some runs in turn. */
  private static Contender faster(Contender contiguous, Contender lastChannels) {
    double first = Double.POSITIVE_INFINITY;
    double last = Double.POSITIVE_INFINITY;
    for (int i = 0; i < 8; i++) {
      first = Math.min(first, seconds(contiguous));
      last = Math.min(last, seconds(lastChannels));
    }
    boolean takeFirst = first <= last;
    Contender chosen = takeFirst ? contiguous : lastChannels;
    closeQuietly(takeFirst ? lastChannels : contiguous);
    return new Contender() {
      private boolean fresh = true;

      @Override
      public void run() {
        // the first run is checked: a contender that changes its operands has to start anew
        if (fresh && chosen instanceof TorchMnist m) {
          m.reset();
        }
        fresh = false;
        chosen.run();
      }

      @Override
      public double[] result(String name) {
        return chosen.result(name);
      }

      @Override
      public String note() {
        return takeFirst ? "contiguous" : "channels last";
      }

      @Override
      public void close() {
        closeQuietly(chosen);
      }
    };
  }

  private static void closeQuietly(Contender c) {
    try {
      c.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static double seconds(Contender c) {
    long from = System.nanoTime();
    c.run();
    return (System.nanoTime() - from) * 1e-9;
  }

  /** A tensor with an operand's numbers: f32, or i64 for indices. */
  static Tensor tensor(Problem p, String name) {
    if (p.input(name).values() instanceof int[] indices) {
      long[] wide = Arrays.stream(indices).asLongStream().toArray();
      var i64 = new TensorOptions(torch.ScalarType.Long);
      try (var values = new LongPointer(wide)) {
        return torch.from_blob(values, p.shape(name), i64).clone();
      }
    }
    try (var values = new FloatPointer(p.floats(name))) {
      return torch.from_blob(values, p.shape(name)).clone();
    }
  }

  /** The numbers of a tensor, row-major. */
  static double[] numbers(Tensor t) {
    try (var scope = new PointerScope()) {
      Tensor wide = t.to(torch.ScalarType.Double).contiguous();
      var values = new double[(int) wide.numel()];
      wide.data_ptr_double().get(values);
      return values;
    }
  }

  private static final class Scripted implements Contender {
    private final Scripts scripts;
    private final CompilationUnit unit; // its functions die with it
    private final Function function;
    private final IValue tensors;
    private final IValueVector once;
    private IValue results = new IValue();

    Scripted(Case c, Problem p, boolean lastChannels) {
      scripts = java.util.Objects.requireNonNull(Scripts.of(c, lastChannels));
      unit = torch.compile(scripts.source());
      var operands = new IValueVector();
      for (String name : p.inputs()) {
        operands.push_back(new IValue(tensor(p, name)));
      }
      tensors = unit.get_function(new QualifiedName("setup")).apply(operands);
      function = unit.get_function(new QualifiedName("run"));
      once = new IValueVector(tensors, new IValue(1L));
    }

    @Override
    public void run() {
      try (var guard = new NoGradGuard()) {
        IValue before = results;
        results = function.apply(once);
        before.close();
      }
    }

    @Override
    public void run(long times) {
      if (!scripts.repeats()) {
        for (long i = 0; i < times; i++) {
          run();
        }
        return;
      }
      try (var guard = new NoGradGuard();
          var count = new IValue(times);
          var arguments = new IValueVector(tensors, count)) {
        function.apply(arguments).close();
      }
    }

    @Override
    public double[] result(String name) {
      TensorVector all = results.toTensorVector();
      return numbers(all.get(scripts.results().indexOf(name)));
    }

    @Override
    public void close() {
      results.close();
      once.close();
      tensors.close();
      unit.close();
    }
  }
}
