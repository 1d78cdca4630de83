package dev.gridstride.bench;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;

/** What the JIT compiler of this JVM is doing. */
final class Jit {
  private Jit() {}

  /** Whether a compilation is going on or waits: its queues are not all empty. */
  static boolean isBusy() {
    try {
      Object queues =
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "compilerQueue",
                  null,
                  null);
      return queues
          .toString()
          .lines()
          .anyMatch(l ->
              !l.isBlank()
                  && !l.equals("Empty")
                  && !l.endsWith("queue:")
                  && !l.startsWith("Current compiles:"));
    } catch (JMException e) {
      throw new IllegalStateException("the JIT's queues can't be read", e);
    }
  }
}
