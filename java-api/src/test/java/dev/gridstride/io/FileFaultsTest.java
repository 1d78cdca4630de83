package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.gridstride.FailingDevice;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.nn.Linear;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each operation on a file fails in turn, as on a full disk, and files change at each step of their
 * reader: the exception names the file, nothing is left open, and a file is replaced by a whole one
 * or not at all.
 */
@Tag("vector-only") // the same code without vectors: once is enough
final class FileFaultsTest {
  private static final String FULL = "No space left on device";

  @TempDir Path folder;
  private final FailingDevice device = new FailingDevice();
  private final FaultyFiles files = new FaultyFiles();
  private Path real;
  private Path path;

  @BeforeEach
  void name() {
    real = folder.resolve("file");
    path = files.wrap(real);
  }

  @AfterEach
  void nothingIsOpen() {
    assertThat(device.live()).as("buffers").isZero();
    assertThat(files.open()).as("channels").isZero();
  }

  private static void failWith(String message) throws IOException {
    throw new IOException(message);
  }

  // ---- writing ----------------------------------------------------------------------------------

  /** Writes numbers that depend on a seed. */
  private void eachOperationFails(BiConsumer<Path, Integer> write) throws IOException {
    Path other = folder.resolve("other");
    write.accept(other, 2);
    byte[] expected = Files.readAllBytes(other);
    Files.delete(other);
    write.accept(real, 1);
    byte[] before = Files.readAllBytes(real);
    assertThat(before).isNotEqualTo(expected);
    files.before(0, () -> {});
    write.accept(path, 2);
    int all = files.operations();
    assertThat(all).as("opened, written in pieces, forced, moved").isGreaterThan(5);
    for (int n = 1; n <= all; n++) {
      Files.write(real, before);
      files.before(n, () -> failWith(FULL));
      try {
        write.accept(path, 2);
        fail("operation %d did not fail", n);
      } catch (FileException full) {
        assertThat(full).hasMessage(real + ": can't be written: " + FULL);
        assertThat(full.file()).isEqualTo(real.toString());
      }
      assertThat(real).hasBinaryContent(before);
      try (Stream<Path> left = Files.list(folder)) {
        assertThat(left).as("after operation %d", n).containsExactly(real);
      }
      nothingIsOpen();
      files.before(0, () -> {});
      write.accept(path, 2);
      assertThat(real).as("the retry").hasBinaryContent(expected);
    }
  }

  private Tensor numbers(int seed, int n) {
    var values = new double[n];
    Arrays.setAll(values, i -> seed * 31 + i);
    return Tensors.of(device, values, n);
  }

  @Test
  void aFullDiskLeavesNpy() throws IOException {
    eachOperationFails((to, seed) -> {
      try (Scope scope = Scope.open()) {
        Npy.write(to, numbers(seed, 5000));
      }
    });
  }

  @Test
  void aFullDiskLeavesSafetensors() throws IOException {
    eachOperationFails((to, seed) -> {
      try (Scope scope = Scope.open()) {
        Safetensors.write(
            to,
            Map.of("a", numbers(seed, 3000), "b", numbers(seed + 1, 2000)),
            Map.of("seed", String.valueOf(seed)));
      }
    });
  }

  @Test
  void aFullDiskLeavesACheckpoint() throws IOException {
    eachOperationFails((to, seed) -> {
      var g = new Generator(seed);
      try (var model = new Linear(device, g, 50, 20);
          var adam = new Adam(model.parameters(), 0.1)) {
        Checkpoint.save(to, model, adam, g, seed);
      }
    });
  }

  /** Not a file system's error: memory can't be read. */
  @Test
  void aTensorThatCantBeReadLeavesTheFile() throws IOException {
    Files.writeString(real, "good");
    Tensor closed = numbers(1, 10);
    closed.close();
    try {
      Npy.write(path, closed);
      fail("wrote a tensor that has been closed");
    } catch (dev.gridstride.device.ClosedException expected) {
      assertThat(real).hasContent("good");
      try (Stream<Path> left = Files.list(folder)) {
        assertThat(left).containsExactly(real);
      }
    }
  }

  // ---- reading ----------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(SmallFiles.class)
  void eachOperationOfAReaderFails(SmallFiles format) throws IOException {
    Files.write(real, format.bytes(1));
    files.before(0, () -> {});
    double[] expected = format.read(device, path);
    int all = files.operations();
    assertThat(all).isGreaterThan(3);
    for (int n = 1; n <= all; n++) {
      files.before(n, () -> failWith("Input/output error"));
      try {
        format.read(device, path);
        fail("operation %d did not fail", n);
      } catch (FileException e) {
        assertThat(e).hasMessage(real + ": can't be read: Input/output error");
      }
      nothingIsOpen();
      files.before(0, () -> {});
      assertThat(format.read(device, path)).as("the retry").containsExactly(expected);
    }
  }

  /** What another program may do to a file. */
  private enum Change {
    /** Cut in the middle of a page: what is behind reads as zeros, as far as the page goes. */
    CUT_WITHIN_A_PAGE,
    /** Cut by whole pages: touching what is behind is a fault of the processor. */
    CUT_BY_PAGES,
    EMPTIED,
    GROWN,
    OVERWRITTEN,
    REPLACED,
    DELETED
  }

  private void change(Change change, byte[] other) {
    try {
      switch (change) {
        case CUT_WITHIN_A_PAGE -> cut(Files.size(real) - 5);
        case CUT_BY_PAGES -> cut(4096);
        case EMPTIED -> cut(0);
        case GROWN -> Files.write(real, new byte[] {7}, StandardOpenOption.APPEND);
        case OVERWRITTEN -> {
          Files.write(real, other);
          // later by more than the file system's clock tells apart
          Files.setLastModifiedTime(real, FileTime.from(Instant.now().plusSeconds(10)));
        }
        case REPLACED ->
            Files.move(
                Files.write(folder.resolve("new"), other),
                real,
                StandardCopyOption.REPLACE_EXISTING);
        case DELETED -> Files.delete(real);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void cut(long size) throws IOException {
    try (var channel = FileChannel.open(real, StandardOpenOption.WRITE)) {
      channel.truncate(size);
    }
  }

  /** Reads a file that has been or is being changed: refused, or the whole old or new one. */
  private void attempt(SmallFiles format, List<double[]> whole, String what) {
    try {
      double[] got = format.read(device, path);
      assertThat(whole).as(what).anyMatch(v -> Arrays.equals(v, got));
    } catch (FileException refused) {
      assertThat(refused).as(what).hasMessageStartingWith(real + ": ");
    } catch (AssertionError e) {
      throw e;
    } catch (Throwable other) {
      throw new AssertionError(what + " gave " + other, other);
    }
    nothingIsOpen();
  }

  @ParameterizedTest
  @EnumSource(SmallFiles.class)
  void changesAtEachStepAreSeen(SmallFiles format) throws IOException {
    byte[] before = format.bytes(1);
    byte[] after = format.bytes(2);
    Files.write(real, after);
    double[] second = format.read(device, path);
    Files.write(real, before);
    files.before(0, () -> {});
    List<double[]> whole = List.of(format.read(device, path), second);
    int all = files.operations();
    for (Change change : Change.values()) {
      for (int n = 2; n <= all; n++) { // before the first it is simply another file
        Files.write(real, before);
        files.before(n, () -> change(change, after));
        attempt(format, whole, format + ", " + change + " before operation " + n);
      }
    }
  }

  /** Between the header, which says what to allocate, and the data. */
  @ParameterizedTest
  @EnumSource(SmallFiles.class)
  void changesBehindTheHeaderAreSeen(SmallFiles format) throws IOException {
    byte[] before = format.bytes(1);
    byte[] after = format.bytes(2);
    files.before(0, () -> {});
    Files.write(real, before);
    double[] first = format.read(device, path);
    Files.write(real, after);
    List<double[]> whole = List.of(first, format.read(device, path));
    for (Change change : Change.values()) {
      // often: compiled code meets the processor's fault in other places than interpreted code
      int rounds = change == Change.CUT_BY_PAGES ? 200 : 20;
      for (int round = 0; round < rounds; round++) {
        Files.deleteIfExists(real);
        Files.write(real, before);
        int number = round % 2 + 1;
        int[] allocations = {0};
        device.beforeAllocations(() -> {
          if (++allocations[0] == number) {
            change(change, after);
          }
        });
        attempt(format, whole, format + ", " + change + " behind the header");
        if (allocations[0] < number) {
          assertThat(format).as("formats of one tensor").isNotEqualTo(SmallFiles.SAFETENSORS);
        }
      }
    }
    device.beforeAllocations(() -> {});
  }

  @Test
  void aCheckpointThatChangesLeavesTheModel() throws IOException {
    var g = new Generator(3);
    try (var model = new Linear(device, g, 50, 20);
        var adam = new Adam(model.parameters(), 0.1)) {
      Checkpoint.save(real, model, adam, g, 1);
      byte[] saved = Files.readAllBytes(real);
      double[] weights = model.parameters().getFirst().toDoubleArray();
      for (Change change : List.of(Change.CUT_BY_PAGES, Change.GROWN, Change.OVERWRITTEN)) {
        Files.write(real, saved);
        byte[] other = saved.clone();
        Arrays.fill(other, saved.length - 100, saved.length, (byte) 1);
        int[] allocations = {0};
        device.beforeAllocations(() -> {
          if (++allocations[0] == 2) {
            change(change, other);
          }
        });
        try {
          Checkpoint.load(path, device, model, adam, g);
          fail("%s was not seen", change);
        } catch (FileException e) {
          assertThat(e).hasMessageContaining(" while it was being read");
        }
        device.beforeAllocations(() -> {});
        assertThat(model.parameters().getFirst().toDoubleArray()).containsExactly(weights);
      }
    }
  }

  /** Devices and pipes have no end, or never begin. */
  @ParameterizedTest
  @EnumSource(SmallFiles.class)
  void whatIsNoRegularFileIsRefused(SmallFiles format) {
    for (Path special : List.of(Path.of("/dev/zero"), Path.of("/dev/full"), folder)) {
      if (Files.exists(special)) {
        try {
          format.read(device, special);
          fail("read %s", special);
        } catch (FileException e) {
          assertThat(e).hasMessage(special + ": can't be read: is not a regular file");
        }
      }
    }
  }

  @Test
  void devicesAreNotWrittenTo() {
    Path full = Path.of("/dev/full/file");
    try (Scope scope = Scope.open()) {
      Npy.write(full, numbers(1, 10));
      fail("wrote %s", full);
    } catch (FileException e) {
      assertThat(e).hasMessageStartingWith(full + ": can't be written: ");
    }
  }
}
