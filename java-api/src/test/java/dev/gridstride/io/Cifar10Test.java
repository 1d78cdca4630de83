package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Scope;
import dev.gridstride.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Cifar10Test {
  @TempDir Path folder;

  private Path file(String name, int... classes) throws IOException {
    var bytes = new byte[classes.length * 3073];
    for (int i = 0; i < classes.length; i++) {
      for (int p = 0; p < 3072; p++) {
        bytes[i * 3073 + 1 + p] = (byte) (31 * p + 7 * i + classes[i]);
      }
      bytes[i * 3073] = (byte) classes[i];
    }
    return Files.write(folder.resolve(name), bytes);
  }

  @Test
  void readsFilesOneAfterAnother() throws IOException {
    var files = List.of(file("a.bin", 3, 9), file("empty.bin"), file("b.bin", 0));
    try (Scope scope = Scope.open()) {
      var pictures = Cifar10.read(Device.cpu(), files);
      assertThat(pictures.labels().toLongArray()).containsExactly(3, 9, 0);
      assertThat(pictures.images().shape().dims()).containsExactly(3, 3, 32, 32);
      long[] expected = new long[3072];
      Arrays.setAll(expected, p -> 31 * p + 7 + 9 & 0xFF);
      assertThat(pictures.images().select(0, 1).toLongArray()).containsExactly(expected);
      Arrays.setAll(expected, p -> 31 * p & 0xFF);
      assertThat(pictures.images().select(0, 2).toLongArray()).containsExactly(expected);
    }
    assertThat(Cifar10.CLASSES).hasSize(10);
  }

  @Test
  void brokenFilesAreTold() throws IOException {
    Path ten = file("ten.bin", 1, 10);
    assertThatThrownBy(() -> Cifar10.read(Device.cpu(), List.of(ten)))
        .isInstanceOf(FormatException.class)
        .hasMessageEndingWith("ten.bin: record 1: must have a class of 0 to 9; class=10");
    Path cut = Files.write(folder.resolve("cut.bin"), new byte[3072]);
    assertThatThrownBy(() -> Cifar10.read(Device.cpu(), List.of(cut)))
        .isInstanceOf(FormatException.class)
        .hasMessageEndingWith(
            "cut.bin: size: must be a multiple of the record's 3073 bytes; bytes=3072");
    assertThatThrownBy(() -> Cifar10.read(Device.cpu(), List.of(folder.resolve("none.bin"))))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("no such file");
  }
}
