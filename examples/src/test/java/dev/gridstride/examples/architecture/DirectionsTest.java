package dev.gridstride.examples.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The directions between modules: kernels, then java-api, then bench and examples. */
class DirectionsTest {
  private static final String[] KERNELS = {
    "dev.gridstride.device..",
    "dev.gridstride.kernels..",
    "dev.gridstride.cpu..",
    "dev.gridstride.cuda..",
    "dev.gridstride.jcuda.."
  };
  private static final String[] PROGRAMS = {"dev.gridstride.bench..", "dev.gridstride.examples.."};

  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.gridstride");
  private static final JavaClasses API =
      new ClassFileImporter().importPath(Path.of("..", "java-api", "target", "classes"));

  @Test
  void theModulesAreAllSeen() {
    for (String type :
        List.of(
            "dev.gridstride.device.Device",
            "dev.gridstride.Tensor",
            "dev.gridstride.examples.Main")) {
      assertThat(ALL.contain(type)).as(type).isTrue();
    }
  }

  @Test
  void kernelsKnowNoTensors() {
    noClasses()
        .that()
        .resideInAnyPackage(KERNELS)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.gridstride", "dev.gridstride.nn..", "dev.gridstride.optim..")
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.gridstride.data..", "dev.gridstride.io..")
        .check(ALL);
  }

  @Test
  void librariesKnowNoPrograms() {
    noClasses()
        .that()
        .resideOutsideOfPackages(PROGRAMS)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(PROGRAMS)
        .check(ALL);
  }

  @Test
  void tensorsReachBackendsThroughOps() {
    noClasses()
        .that()
        .resideOutsideOfPackages(KERNELS)
        .and()
        .resideOutsideOfPackages(PROGRAMS)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.gridstride.cpu..", "dev.gridstride.cuda..")
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("jdk.incubator.vector..")
        .check(ALL);
  }

  @Test
  void tensorsKnowNoLayers() {
    noClasses()
        .that()
        .resideInAPackage("dev.gridstride")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.gridstride.nn..",
            "dev.gridstride.optim..",
            "dev.gridstride.data..",
            "dev.gridstride.io..")
        .check(ALL);
    slices()
        .matching("dev.gridstride.(nn|optim|data|io)..")
        .should()
        .beFreeOfCycles()
        .allowEmptyShould(true)
        .check(ALL);
  }

  @Test
  void librariesDoNotPrint() {
    NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(API);
    NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING.check(API);
  }
}
