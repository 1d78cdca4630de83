package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Every public method of the op level, called with arguments that break its rules: sizes that are
 * negative or overflow, wrong types, buffers that are short, closed, misaligned, of another device
 * or shared, nulls. Each call returns or throws a typed exception that names the rule; the JVM
 * stays.
 *
 * <p>{@code -Dgridstride.test.illegal=100000} makes more calls than by default, {@code
 * -Dgridstride.test.illegal.from=SEED} others.
 */
@ExtendWith(TestDevice.class)
final class IllegalArgumentsTest {
  private static final int CALLS =
      Integer.getInteger("gridstride.test.illegal", TestDevice.isCpu() ? 6000 : 2000);
  private static final int FROM = Integer.getInteger("gridstride.test.illegal.from", 1);
  private static final int MOST_REPORTED = 30;

  private static final List<Executable> SURFACE = PublicSurface.all();

  /** What runs an op. */
  private static final List<Executable> PLANS =
      SURFACE.stream().filter(e -> PublicSurface.plans().contains(e.getDeclaringClass())).toList();

  /** The first device that is not the one under test. */
  private static Device other(Device device) {
    try {
      return TestDevice.isCpu() ? Device.emulator() : Device.cpu();
    } catch (DeviceException absent) {
      return device;
    }
  }

  static String words(Executable called, Object[] arguments) {
    String words =
        Arrays.stream(arguments)
            .map(v -> v != null && v.getClass().isArray() ? v.getClass().getSimpleName() : "" + v)
            .collect(Collectors.joining(", "));
    return called.getDeclaringClass().getSimpleName() + "." + called.getName() + "(" + words + ")";
  }

  @Test
  void findsTheWholeSurface() {
    var names =
        SURFACE.stream()
            .map(e -> e.getDeclaringClass().getSimpleName())
            .collect(Collectors.toSet());
    assertThat(names).contains("Gemm", "Plan", "Layout", "StepControl", "Philox", "ConvAxis");
    assertThat(SURFACE).hasSizeGreaterThan(400);
    assertThat(PLANS).hasSizeGreaterThan(45); // run, forward, backward of each op
  }

  @Test
  @Timeout(value = 15, unit = TimeUnit.MINUTES) // on a busy machine
  void everyCallReturnsOrNamesTheRule() throws Exception {
    Device device = TestDevice.get();
    Device other = other(device);
    Map<String, String> failures = new LinkedHashMap<>();
    int refused = 0;
    try (var worker = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory())) {
      for (int i = 0; i < CALLS && failures.size() < MOST_REPORTED; i++) {
        long seed = FROM + (long) i;
        // plans' methods as often as all others
        List<Executable> from = seed % 2 == 0 ? SURFACE : PLANS;
        Executable called = from.get((int) (seed / 2 % from.size()));
        var call = worker.submit(() -> attempt(seed, called, device, other));
        try {
          String failure = call.get(30, TimeUnit.SECONDS);
          if (failure == null) {
            refused++;
          } else if (!failure.isEmpty()) {
            failures.putIfAbsent(
                called + failure.lines().findFirst().get(), "seed " + seed + ": " + failure);
          }
        } catch (TimeoutException endless) {
          worker.shutdownNow();
          throw new AssertionError("seed " + seed + ": no end of " + called, endless);
        } catch (ExecutionException broken) {
          failures.put(
              "seed " + seed, "seed " + seed + ": " + called + ": " + trace(broken.getCause()));
        }
      }
    }
    assertThat(String.join("\n", failures.values())).isEmpty();
    assertThat(refused).as("calls that were refused").isGreaterThan(CALLS / 4);
  }

  /** Null when the call was refused as it should be, "" when it was legal, else what is wrong. */
  private static String attempt(long seed, Executable called, Device device, Device other)
      throws Exception {
    try (var drawn = new DrawnArguments(seed, device, other)) {
      Object on = null;
      if (called instanceof Method && !Modifier.isStatic(called.getModifiers())) {
        on = drawn.instance(called.getDeclaringClass());
        if (on == null) {
          return "";
        }
      }
      Object[] arguments = drawn.arguments(called, drawn.below(8) > 0);
      Throwable thrown = drawn.call(called, on, arguments);
      if (thrown == null) {
        return "";
      }
      return DrawnArguments.acceptable(thrown, arguments)
          ? null
          : words(called, arguments) + " of " + on + ": " + trace(thrown);
    }
  }

  private static String trace(Throwable thrown) {
    return thrown
        + (thrown.getCause() == null ? "" : " caused by " + thrown.getCause())
        + Arrays.stream((thrown.getCause() == null ? thrown : thrown.getCause()).getStackTrace())
            .limit(6)
            .map(f -> "\n    at " + f)
            .collect(Collectors.joining());
  }
}
