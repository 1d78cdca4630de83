package dev.gridstride.examples.cli;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.examples.report.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.VectorShape;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code info}: what Gridstride runs on here, and why not on something else. */
@Command(
    name = "info",
    description = "Shows devices, backends and why each was refused, vector width and versions.",
    mixinStandardHelpOptions = true)
final class InfoCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "As one JSON object.")
  private boolean json;

  /** A backend's state: the devices that it offers, or why there is none. */
  private record Backend(DeviceKind kind, List<Device> devices, String reason) {
    String state() {
      return (devices.isEmpty() ? "refused: " : "usable: ") + reason;
    }
  }

  @Override
  public void run() {
    var out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.write(facts()));
      return;
    }
    var runtime = Runtime.version();
    out.println("gridstride  " + Gridstride.Version.read());
    out.println("java        " + runtime + ", " + System.getProperty("java.vm.name"));
    out.println("system      " + system() + ", " + processors() + " processors");
    out.println("vectors     " + vectors());
    out.println("threads     " + Device.cpu().threads());
    for (Backend b : backends()) {
      out.printf("%-10s  %s%n", b.kind(), b.state());
    }
    for (String line : Device.libraryReport()) {
      int colon = line.indexOf(": ");
      out.printf("%-10s  %s%n", line.substring(0, colon), line.substring(colon + 2));
    }
    out.println("auto        " + Device.best().name());
  }

  private static Map<String, @Nullable Object> facts() {
    var facts = new LinkedHashMap<String, @Nullable Object>();
    facts.put("version", Gridstride.Version.read());
    facts.put("java", Runtime.version().toString());
    facts.put("system", system());
    facts.put("processors", processors());
    facts.put("vectorBits", vectorBits());
    facts.put("threads", Device.cpu().threads());
    facts.put("auto", Device.best().name());
    var backends = new ArrayList<Object>();
    for (Backend b : backends()) {
      var devices = new ArrayList<Object>();
      for (Device d : b.devices()) {
        devices.add(Json.object("name", d.name(), "description", d.description()));
      }
      backends.add(
          Json.object(
              "kind",
              b.kind().toString(),
              "usable",
              !b.devices().isEmpty(),
              "reason",
              b.reason(),
              "devices",
              devices));
    }
    facts.put("backends", backends);
    facts.put("libraries", Device.libraryReport());
    return facts;
  }

  private static List<Backend> backends() {
    var backends = new ArrayList<Backend>();
    for (DeviceKind kind : DeviceKind.values()) {
      String prefix = kind + ": ";
      String reason =
          Device.discoveryReport().stream()
              .filter(line -> line.startsWith(prefix))
              .map(line -> line.substring(prefix.length()))
              .findFirst()
              .orElse("this installation has no " + kind + " backend");
      var devices = Device.all().stream().filter(d -> d.kind() == kind).toList();
      backends.add(new Backend(kind, devices, reason));
    }
    return backends;
  }

  private static String system() {
    return "%s %s, %s"
        .formatted(
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            System.getProperty("os.arch"));
  }

  private static int processors() {
    return Runtime.getRuntime().availableProcessors();
  }

  private static String vectors() {
    int bits = vectorBits();
    if (bits > 0) {
      return bits + " bits (Vector API)";
    }
    return switchedOff()
        ? "none: scalar code, by -Dgridstride.simd=off"
        : "none: scalar code; start java with --add-modules jdk.incubator.vector";
  }

  private static boolean switchedOff() {
    return System.getProperty("gridstride.simd", "on").equalsIgnoreCase("off");
  }

  /** Width of the vectors that the CPU kernels use; 0 for scalar code. */
  private static int vectorBits() {
    boolean present = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    return present && !switchedOff() ? Width.bits() : 0;
  }

  /** Apart, so that this command also starts where the module is absent. */
  private static final class Width {
    static int bits() {
      return VectorShape.preferredShape().vectorBitSize();
    }
  }
}
