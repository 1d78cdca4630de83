package dev.gridstride.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What holds for every package of the tensor module. */
class TensorArchitectureTest {
  private static final JavaClasses MAIN =
      new ClassFileImporter().importPath(Path.of("target", "classes"));

  @Test
  void packagesAreNullMarked() {
    Set<JavaPackage> packages =
        MAIN.stream()
            .filter(c -> !c.getSimpleName().matches("package-info|module-info"))
            .map(c -> c.getPackage())
            .collect(Collectors.toSet());
    assertThat(packages)
        .extracting(JavaPackage::getName)
        .contains("dev.gridstride", "dev.gridstride.io", "dev.gridstride.nn");
    assertThat(packages).allMatch(p -> p.isAnnotatedWith("org.jspecify.annotations.NullMarked"));
  }
}
