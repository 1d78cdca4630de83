package dev.gridstride;

import dev.gridstride.device.Device;
import dev.gridstride.device.UnsupportedException;
import java.util.Optional;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.opentest4j.TestAbortedException;

/**
 * The device that a run of the tensor tests is about: {@code -Dgridstride.test.device=emulator} or
 * {@code cuda}, else the CPU. One suite for all of them, against one oracle.
 *
 * <p>A test that needs what the device does not offer is skipped there, by the sentence with which
 * the op refuses.
 */
public final class TestDevice implements TestExecutionExceptionHandler {
  private static final String NAME = System.getProperty("gridstride.test.device", "cpu");

  /** Called by JUnit. */
  public TestDevice() {}

  /** The device under test. */
  public static Device get() {
    return switch (NAME) {
      case "cpu" -> Device.cpu();
      case "cuda" -> Device.cuda(0);
      case "emulator" -> Device.emulator();
      default -> throw new IllegalArgumentException("gridstride.test.device=" + NAME);
    };
  }

  /** Whether the device under test is the CPU. */
  public static boolean isCpu() {
    return NAME.equals("cpu");
  }

  @Override
  public void handleTestExecutionException(ExtensionContext context, Throwable thrown)
      throws Throwable {
    String message = Optional.ofNullable(thrown.getMessage()).orElse("");
    // an assertion about another exception quotes this one
    boolean refused = thrown instanceof UnsupportedException || thrown instanceof AssertionError;
    if (!isCpu()
        && refused
        && (message.contains(": not supported on " + get().name() + ": ")
            || message.endsWith("does not run on host threads"))) {
      throw new TestAbortedException(message);
    }
    throw thrown;
  }
}
