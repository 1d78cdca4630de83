package dev.gridstride.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How optional libraries are looked for, and the sentence when there is none. */
class VendorLibraryTest {
  private static final List<String> FILES = List.of("libnone-a.so.2", "libnone-a.so.1");

  @TempDir Path folder;

  private VendorLibrary.Found find(List<String> files, Map<String, String> properties) {
    return new VendorLibrary("some", files, properties::get, List.of(folder)).find();
  }

  @Test
  void saysWhatWasTriedWhenThereIsNone() {
    VendorLibrary.Found found = find(FILES, Map.of());
    assertThat(found.symbols()).isNull();
    assertThat(found.reason())
        .isEqualTo(
            "not found (libnone-a.so.2, libnone-a.so.1); gridstride.library.some may name its file"
                + " or folder");
  }

  @Test
  void canBeSwitchedOff() {
    assertThat(find(List.of("libc.so.6"), Map.of("gridstride.library.some", "none")).reason())
        .isEqualTo("switched off by gridstride.library.some");
  }

  @Test
  void theLoadersOwnSearchComesFirst() {
    VendorLibrary.Found found = find(List.of("libnone-a.so.2", "libc.so.6"), Map.of());
    assertThat(found.reason()).isEmpty();
    assertThat(found.file()).isEqualTo("libc.so.6");
    assertThat(found.symbols().find("malloc")).isPresent();
    assertThat(found.symbols().find("no_such_function")).isEmpty();
  }

  @Test
  void aNamedPathIsTheOnlyOneTried() throws IOException {
    String nowhere = folder.resolve("nowhere").toString();
    assertThat(find(List.of("libc.so.6"), Map.of("gridstride.library.some", nowhere)).reason())
        .isEqualTo(
            nowhere
                + ", named by gridstride.library.some, does not exist or has none of [libc.so.6]");
    Path broken = Files.writeString(folder.resolve("libbroken.so"), "not a library");
    assertThat(
            find(List.of("libc.so.6"), Map.of("gridstride.library.some", broken.toString()))
                .reason())
        .isEqualTo(
            broken
                + ", named by gridstride.library.some, can't be used: it is cut short, or no ELF"
                + " file");
    // a folder, with the preferred version first
    Files.writeString(folder.resolve(FILES.get(1)), "older");
    assertThat(find(FILES, Map.of("gridstride.library.some", folder.toString())).reason())
        .startsWith(folder.resolve(FILES.get(1)) + ", named by");
    // and without a name the toolkit's folder
    assertThat(find(FILES, Map.of()).reason()).contains("it is cut short, or no ELF file");
  }
}
