package dev.gridstride.architecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Map;
import java.util.Set;

/** The methods that can crash the JVM when used wrongly, and the JDK's back doors to memory. */
final class Restricted {
  /** The restricted methods of the JDK, as its API documentation lists them. */
  static final Map<String, Set<String>> METHODS =
      Map.of(
          MemorySegment.class.getName(), Set.of("reinterpret"),
          Linker.class.getName(), Set.of("downcallHandle", "upcallStub"),
          SymbolLookup.class.getName(), Set.of("libraryLookup"),
          AddressLayout.class.getName(), Set.of("withTargetLayout"),
          ModuleLayer.Controller.class.getName(), Set.of("enableNativeAccess"),
          System.class.getName(), Set.of("load", "loadLibrary"),
          Runtime.class.getName(), Set.of("load", "loadLibrary"));

  private Restricted() {}

  /** A call or a method reference to one of {@link #METHODS}. */
  static DescribedPredicate<JavaAccess<?>> access() {
    return DescribedPredicate.describe(
        "restricted methods",
        access ->
            METHODS
                .getOrDefault(access.getTargetOwner().getName(), Set.of())
                .contains(access.getName()));
  }

  /** Memory access that no bounds check guards. */
  static DescribedPredicate<JavaClass> unsafe() {
    return DescribedPredicate.describe(
        "sun.misc.Unsafe or jdk.internal",
        type ->
            type.getName().equals("sun.misc.Unsafe") || type.getName().startsWith("jdk.internal."));
  }
}
