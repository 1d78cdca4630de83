package dev.gridstride.examples.verify;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.examples.onnx.Node;
import dev.gridstride.examples.onnx.Operators;
import dev.gridstride.examples.verify.Verdict.Status;
import dev.gridstride.io.FileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Runs conformance cases on a device. */
public final class Verifier {
  private final Device device;
  private final @Nullable Double relative;
  private final @Nullable Double absolute;

  /**
   * A verifier.
   *
   * @param relative tolerance for floating outputs, in parts of the expected number; null for 1e-5,
   *     or more where a narrower type than f32 has part
   * @param absolute tolerance beside it; null for 1e-6, or more for narrower types
   */
  public Verifier(Device device, @Nullable Double relative, @Nullable Double absolute) {
    this.device = device;
    this.relative = relative;
    this.absolute = absolute;
  }

  /** The folders of cases at and under {@code root}, by name. */
  public static List<Path> cases(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(p -> p.endsWith(Case.FILE) && Files.isRegularFile(p))
          .map(p -> p.toAbsolutePath().normalize())
          .map(p -> p.resolveSibling(""))
          .sorted(Comparator.comparing(Path::toString))
          .toList();
    }
  }

  /** Runs the case in a folder. */
  public Verdict run(Path folder) throws IOException {
    Case c;
    try {
      c = Case.read(folder);
    } catch (IllegalArgumentException e) {
      return new Verdict(
          String.valueOf(folder.getFileName()), "", device.name(), Status.FAIL, 0, 0, reason(e));
    }
    var comparison = new Comparison(relative, absolute);
    try (Scope scope = Scope.open()) {
      compute(c, comparison);
    } catch (FileException | ClosedException | DeviceException e) {
      return verdict(c, Status.FAIL, comparison, reason(e));
    } catch (GridstrideException e) {
      return verdict(c, Status.UNSUPPORTED, comparison, reason(e)); // refused, with the rule
    } catch (RuntimeException e) {
      return verdict(c, Status.FAIL, comparison, reason(e));
    }
    String mistake = comparison.mistake();
    return mistake == null
        ? verdict(c, Status.PASS, comparison, "")
        : verdict(c, Status.FAIL, comparison, mistake);
  }

  private Verdict verdict(Case c, Status status, Comparison comparison, String reason) {
    return new Verdict(
        c.name(),
        c.op(),
        device.name(),
        status,
        comparison.maxAbsError(),
        comparison.maxRelError(),
        reason);
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? e.toString() : message.replaceAll("\\s*\\R\\s*", " ");
  }

  private void compute(Case c, Comparison comparison) {
    Map<String, Tensor> values = new HashMap<>();
    DType narrowest = DType.F64;
    for (Case.Value value : c.inputs()) {
      Tensor x = c.load(device, value);
      values.put(value.name(), x);
      narrowest = narrower(narrowest, x.dtype());
    }
    for (Case.Value value : c.outputs()) {
      narrowest = narrower(narrowest, Case.dtype(value));
    }
    for (Case.Step step : c.nodes()) {
      run(c, step, values);
    }
    for (Case.Value value : c.outputs()) {
      Tensor actual = values.get(value.name());
      if (actual == null) {
        throw new IllegalStateException("no node gives the output " + value.name());
      }
      Tensor expected = c.load(device, value);
      if (c.nondeterministic()) {
        comparison.sameKind(value.name(), actual, expected);
      } else {
        comparison.compare(value.name(), actual, expected, narrowest);
      }
    }
    if (c.nondeterministic()) {
      Drawn.check(c, values, comparison);
    }
  }

  private static DType narrower(DType a, DType b) {
    return b.isFloating() && b.bytes() <= a.bytes() && b != DType.F64 && a != DType.BF16 ? b : a;
  }

  private void run(Case c, Case.Step step, Map<String, Tensor> values) {
    List<@Nullable Tensor> inputs = new ArrayList<>();
    for (String name : step.inputs()) {
      Tensor x = values.get(name);
      if (x == null && !name.isEmpty()) {
        throw new IllegalStateException("no value for the input " + name + " of " + step.op());
      }
      inputs.add(x);
    }
    var node =
        new Node(
            step.op(),
            step.domain(),
            c.opset(step.domain()),
            device,
            inputs,
            step.outputs(),
            step.attributes());
    List<Tensor> outputs = Operators.run(node);
    for (int i = 0; i < Math.min(outputs.size(), step.outputs().size()); i++) {
      if (!step.outputs().get(i).isEmpty()) {
        values.put(step.outputs().get(i), outputs.get(i));
      }
    }
  }
}
