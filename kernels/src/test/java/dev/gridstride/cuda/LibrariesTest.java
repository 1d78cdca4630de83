package dev.gridstride.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceProvider.Discovery;
import dev.gridstride.kernels.Unary;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** Broken environments: each gives one line, no device, and no crash. */
class LibrariesTest {
  private static final String RESOURCE =
      "META-INF/native/" + Libraries.platform() + "/libgridstride_cuda.so";

  @TempDir Path folder;

  private final Map<String, String> properties = new HashMap<>();
  private final Map<String, byte[]> resources = new HashMap<>();

  private Libraries libraries() {
    properties.putIfAbsent("java.io.tmpdir", folder.toString());
    return new Libraries(properties::get, this::resource);
  }

  private InputStream resource(String name) {
    byte[] content = resources.get(name);
    return content == null ? null : new ByteArrayInputStream(content);
  }

  private Discovery discover() {
    return CudaDiscovery.discover(DeviceKind.CUDA, libraries());
  }

  private void refusedBecause(String reason) {
    Discovery found = discover();
    assertThat(found.devices()).isEmpty();
    assertThat(found.reason()).contains(reason).doesNotContain("\n");
  }

  private Path fake(String... macros) throws Exception {
    Path library = FakeLibrary.build(Set.of(), macros);
    properties.put("gridstride.library.cuda", library.toString());
    return library;
  }

  private static byte[] sha256(byte[] content) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(content))
          .getBytes(StandardCharsets.UTF_8);
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException(missing);
    }
  }

  // ---- the file ---------------------------------------------------------------------------------

  @Test
  void notBuilt() {
    refusedBecause("the library has not been built (no " + RESOURCE);
  }

  @Test
  void namedButNotThere() {
    properties.put("gridstride.library.cuda", folder.resolve("none.so").toString());
    refusedBecause("none.so, named by gridstride.library.cuda, does not exist");
    properties.put("gridstride.library.cuda", "a\0b");
    refusedBecause("can't be read");
    properties.put("gridstride.library.cuda", folder.toString());
    refusedBecause("does not exist");
  }

  @Test
  void altered() throws Exception {
    byte[] content = Files.readAllBytes(fake());
    Path library = Files.write(folder.resolve("libgridstride_cuda.so"), content);
    Files.write(folder.resolve("libgridstride_cuda.so.sha256"), sha256(content));
    properties.put("gridstride.library.cuda", library.toString());
    assertThat(discover().devices()).hasSize(1);
    // a new file: the old one is loaded
    Files.delete(library);
    content[content.length - 1] ^= 1;
    Files.write(library, content);
    refusedBecause("its SHA-256 is not the recorded one: it has been altered");
  }

  @Test
  void cutShort() throws Exception {
    byte[] content = Files.readAllBytes(fake());
    // glibc's loader ends the process with SIGBUS for most of these
    for (int bytes = 0; bytes < content.length; bytes += 499) {
      Path cut = folder.resolve("libcut" + bytes + ".so");
      Files.write(cut, Arrays.copyOf(content, bytes));
      properties.put("gridstride.library.cuda", cut.toString());
      refusedBecause("can't be used: it is cut short, or no ELF file");
      Files.delete(cut);
    }
  }

  @Test
  void forAnotherProcessor() throws Exception {
    byte[] content = Files.readAllBytes(fake());
    content[18] = (byte) 0xf3; // RISC-V
    Path other = Files.write(folder.resolve("libriscv.so"), content);
    properties.put("gridstride.library.cuda", other.toString());
    refusedBecause("can't be used: it is for another processor (ELF machine 243)");
    properties.put("gridstride.library.cuda", "/proc/self/exe");
    assertThat(discover().devices()).isEmpty();
  }

  // ---- what is in it ----------------------------------------------------------------------------

  @Test
  void ofAnotherAbi() throws Exception {
    fake("FAKE_ABI=99");
    refusedBecause("its ABI has version 99, this program needs version " + Abi.VERSION);
  }

  @Test
  void forAnotherBackend() throws Exception {
    fake("FAKE_BACKEND=\"emulator\"");
    refusedBecause("it is built for emulator, not for cuda");
  }

  @Test
  void withoutAFunction() throws Exception {
    Path library = FakeLibrary.build(Set.of("gs_event_query"));
    properties.put("gridstride.library.cuda", library.toString());
    refusedBecause("can't be used: it lacks the function gs_event_query");
  }

  /** A library that is not ours at all lacks even the function that tells its version. */
  @Test
  void someOtherLibrary() {
    Path libjava = Path.of(System.getProperty("java.home"), "lib", "libjava.so");
    properties.put("gridstride.library.cuda", libjava.toString());
    refusedBecause("it lacks the function gs_");
  }

  // ---- extraction -------------------------------------------------------------------------------

  private void inTheJar() throws Exception {
    byte[] content = Files.readAllBytes(fake());
    properties.remove("gridstride.library.cuda");
    resources.put(RESOURCE, content);
    resources.put(RESOURCE + ".sha256", sha256(content));
  }

  @Test
  void isExtractedAndLeavesNothingBehind() throws Exception {
    inTheJar();
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    properties.put("java.io.tmpdir", temporary.toString());
    Discovery found = discover();
    assertThat(found.devices()).hasSize(1);
    assertThat(found.reason())
        .isEqualTo("Fake GPU, compute capability 9.0, 80 GiB, driver for CUDA 13.0");
    try (var left = Files.list(temporary)) {
      assertThat(left).isEmpty();
    }
  }

  /** Whatever lies in the folder for temporary files, under whatever name: it is not loaded. */
  @Test
  void plantedFilesAreNotLoaded() throws Exception {
    inTheJar();
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    properties.put("java.io.tmpdir", temporary.toString());
    Path evil = FakeLibrary.build(Set.of(), "FAKE_ABI=99");
    for (String name : List.of("libgridstride_cuda.so", "gridstride-", "gridstride-1")) {
      Files.createSymbolicLink(temporary.resolve(name), evil);
    }
    assertThat(discover().devices()).hasSize(1);
    assertThat(Files.readAllBytes(evil)).isNotEqualTo(resources.get(RESOURCE));
  }

  @Test
  void alteredInTheJar() throws Exception {
    inTheJar();
    resources.get(RESOURCE)[1000] ^= 1;
    refusedBecause("it has been altered");
    resources.remove(RESOURCE + ".sha256");
    refusedBecause("it has no SHA-256 beside it");
  }

  @Test
  void nowhereToExtractTo() throws Exception {
    inTheJar();
    properties.put("java.io.tmpdir", folder.resolve("nowhere").toString());
    refusedBecause("it can't be extracted to " + folder.resolve("nowhere"));
    properties.put("java.io.tmpdir", "/proc"); // nobody can write there
    refusedBecause("names another folder");
  }

  /** Where a folder is mounted without the right to execute, and one can write to it. */
  @Test
  void extractedToANoexecFolder() throws Exception {
    inTheJar();
    for (String line : Files.readAllLines(Path.of("/proc/mounts"))) {
      String[] mount = line.split(" ");
      Path at = Path.of(mount[1]);
      if (mount[2].equals("tmpfs") && mount[3].contains("noexec") && Files.isWritable(at)) {
        properties.put("java.io.tmpdir", at.toString());
        refusedBecause(at + " may forbid execution; -Djava.io.tmpdir=... names another folder");
        return;
      }
    }
    throw new TestAbortedException("no writable noexec tmpfs here");
  }

  // ---- drivers and devices ----------------------------------------------------------------------

  @Test
  void anOldDriver() throws Exception {
    fake("FAKE_DEVICES=0");
    refusedBecause(
        "no device: the driver is too old: it is for CUDA 12.2, this library for 13.0;"
            + " it takes an NVIDIA GPU and a driver for CUDA 13");
  }

  @Test
  void anOldGpu() throws Exception {
    fake("FAKE_CAPABILITY=75");
    refusedBecause(
        "Fake GPU, compute capability 7.5, 80 GiB, driver for CUDA 13.0: refused, older");
  }

  /** A kernel's fault ends the device, by name; its buffers can be closed, and the CPU goes on. */
  @Test
  void aFaultEndsTheDeviceButNotTheProgram() throws Exception {
    fake("FAKE_DEVICES=1"); // of its own: it stays poisoned
    Device device = discover().devices().getFirst();
    Buffer x = device.allocate(DType.F32, 4);
    var plan = device.plan(Unary.of(Unary.Function.RELU, DType.F32, 4));
    plan.forward(device.defaultStream(), x, x); // asynchronous: the fault shows later
    String message =
        "cuda:0: can't be used by this process any more, since a kernel failed"
            + " (buffer.fill: cuda: an illegal memory access was encountered (CUDA error 700));"
            + " -Dgridstride.sync=on shows which one; other devices go on";
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> x.fill((byte) 0))
          .isInstanceOf(DeviceException.class)
          .hasMessage(message);
    }
    assertThatThrownBy(() -> device.allocate(4)).hasMessage(message);
    assertThatThrownBy(device::newStream).hasMessage(message);
    x.close();
    Device cpu = Device.cpu();
    try (Buffer y = cpu.allocate(DType.F32, 2)) {
      y.copyFrom(MemorySegment.ofArray(new float[] {-1, 2}));
      cpu.plan(Unary.of(Unary.Function.RELU, DType.F32, 2)).forward(cpu.defaultStream(), y, y);
      float[] out = new float[2];
      y.copyTo(MemorySegment.ofArray(out));
      assertThat(out).containsExactly(0, 2);
    }
  }

  // ---- other JVMs -------------------------------------------------------------------------------

  /** Prints what was discovered, then what a faulty kernel's call and the next one throw. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) {
      Device.discoveryReport().forEach(System.out::println);
      System.out.println("cpu has " + Device.cpu().threads() + " threads");
      if (arguments.length > 0) {
        Device device = Device.cuda(0);
        Buffer x = device.allocate(DType.F32, 4);
        var plan = device.plan(Unary.of(Unary.Function.RELU, DType.F32, 4));
        report("run", () -> plan.forward(device.defaultStream(), x, x));
        report("fill", () -> x.fill((byte) 0));
      }
    }

    private static void report(String what, Runnable call) {
      try {
        call.run();
        System.out.println(what + ": done");
      } catch (DeviceException e) {
        System.out.println(what + ": " + e.getMessage());
      }
    }
  }

  private List<String> run(List<String> flags, String... arguments) throws Exception {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.add("-cp");
    command.add(
        Path.of(Device.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            + System.getProperty("path.separator")
            + Path.of(Program.class.getProtectionDomain().getCodeSource().getLocation().toURI()));
    command.add(Program.class.getName());
    command.addAll(List.of(arguments));
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    List<String> lines = Files.readAllLines(output);
    assertThat(process.exitValue()).as("%s", lines).isZero();
    return lines;
  }

  @Test
  void withoutNativeAccess() throws Exception {
    Path library = fake();
    List<String> lines =
        run(List.of("--illegal-native-access=deny", "-Dgridstride.library.cuda=" + library));
    assertThat(lines)
        .anyMatch(line ->
            line.startsWith("cuda: the library ")
                && line.contains("native access is denied; start java with --enable-native"))
        .anyMatch(line -> line.matches("cpu has \\d+ threads"));
  }

  @Test
  void syncPinsAFaultToItsCall() throws Exception {
    Path library = fake();
    List<String> flags =
        List.of("--enable-native-access=ALL-UNNAMED", "-Dgridstride.library.cuda=" + library);
    assertThat(run(flags, "fault"))
        .contains("run: done")
        .anyMatch(line -> line.contains("since a kernel failed (buffer.fill: cuda:"));
    var synced = new ArrayList<>(flags);
    synced.add("-Dgridstride.sync=on");
    assertThat(run(synced, "fault"))
        .anyMatch(line ->
            line.startsWith("run: ") && line.contains("since a kernel failed (unary: cuda:"));
  }
}
