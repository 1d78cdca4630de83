package dev.gridstride.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import dev.gridstride.device.Op;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.BiFunction;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The directions inside the kernels module, and what none of its code may do. */
class KernelsArchitectureTest {
  private static final JavaClasses MAIN =
      new ClassFileImporter().importPath(Path.of("target", "classes"));

  private static final ArchRule RESTRICTED_METHODS_IN_ONE_PACKAGE =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gridstride.cuda..")
          .should()
          .accessTargetWhere(Restricted.access())
          .because("dev.gridstride.cuda owns every call that can crash the JVM");

  private static final ArchRule VECTOR_MODULE_IN_ONE_PACKAGE =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gridstride.cpu.vector..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jdk.incubator.vector..")
          .because("without --add-modules jdk.incubator.vector everything else must still link");

  @Test
  void theDevicePackageKnowsNoBackendAndNoOp() {
    noClasses()
        .that()
        .resideInAPackage("dev.gridstride.device..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.gridstride.kernels..",
            "dev.gridstride.cpu..",
            "dev.gridstride.cuda..",
            "dev.gridstride.jcuda..")
        .check(MAIN);
  }

  @Test
  void theCpuBackendKnowsNoOtherBackend() {
    noClasses()
        .that()
        .resideInAPackage("dev.gridstride.cpu..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.gridstride.cuda..", "dev.gridstride.jcuda..")
        .check(MAIN);
  }

  @Test
  void innerLoopsKnowNoOps() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.gridstride.cpu.vector..", "dev.gridstride.cpu.scalar..")
        .should()
        .dependOnClassesThat()
        .haveSimpleNameEndingWith("Plan")
        .because("checks and plans belong to the drivers; loops take memory and sizes")
        .check(MAIN);
  }

  @Test
  void theVectorModuleIsUsedInOnePackage() {
    VECTOR_MODULE_IN_ONE_PACKAGE.check(MAIN);
    noClasses()
        .that()
        .resideInAPackage("dev.gridstride.cpu.scalar..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.gridstride.cpu.vector..")
        .check(MAIN);
  }

  @Test
  void restrictedMethodsAreCalledInOnePackage() {
    RESTRICTED_METHODS_IN_ONE_PACKAGE.check(MAIN);
    noClasses().should().dependOnClassesThat(Restricted.unsafe()).check(MAIN);
  }

  /** The two rules above can fail: they see a call, a method reference and a signature. */
  @Test
  void theRulesFindWhatTheyForbid() {
    JavaClasses planted = new ClassFileImporter().importClasses(Call.class, Reference.class);
    assertThat(RESTRICTED_METHODS_IN_ONE_PACKAGE.evaluate(planted).getFailureReport().getDetails())
        .hasSize(2)
        .anyMatch(line -> line.contains("Call"))
        .anyMatch(line -> line.contains("Reference"));
    JavaClasses vector =
        new ClassFileImporter().importPath(Path.of("target/classes/dev/gridstride/cpu/vector"));
    ArchRule nowhere =
        noClasses().should().dependOnClassesThat().resideInAPackage("jdk.incubator.vector..");
    assertThat(nowhere.evaluate(vector).hasViolation()).isTrue();
  }

  @Test
  void aLibraryNeitherPrintsNorChangesTheJvm() {
    NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(MAIN);
    NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING.check(MAIN);
    for (String method : new String[] {"exit", "setProperty", "setOut", "setErr"}) {
      noClasses()
          .should()
          .accessTargetWhere(
              DescribedPredicate.describe(
                  "System." + method,
                  access ->
                      access.getTargetOwner().isEquivalentTo(System.class)
                          && access.getName().equals(method)))
          .check(MAIN);
    }
  }

  @Test
  void opsAreRecords() {
    classes()
        .that()
        .implement(Op.class)
        .and()
        .areNotInterfaces()
        .should()
        .beRecords()
        .because("a description is an immutable value and serves as a cache key")
        .check(MAIN);
  }

  @Test
  void packagesAreNullMarked() {
    assertThat(MAIN)
        .extracting(type -> type.getPackage())
        .filteredOn(p ->
            p.getClasses().stream()
                .anyMatch(c -> !c.getSimpleName().matches("package-info|module-info")))
        .isNotEmpty()
        .allMatch((JavaPackage p) -> p.isAnnotatedWith(NullMarked.class));
  }

  static final class Call {
    private Call() {}

    static MemorySegment grow(MemorySegment segment) {
      return segment.reinterpret(1L << 40);
    }
  }

  static final class Reference {
    private Reference() {}

    static BiFunction<MemorySegment, Long, MemorySegment> grow() {
      return MemorySegment::reinterpret;
    }
  }
}
