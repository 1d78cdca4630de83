package dev.gridstride.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** What a user can call in this package, found by reflection. */
final class PublicSurface {
  private PublicSurface() {}

  /**
   * Every public constructor and method of the public classes, also inherited ones, in a fixed
   * order. Left out are what a backend implements, which is handed checked operands, and what Java
   * gives to each record and enum.
   */
  static List<Executable> all() {
    var all = new ArrayList<Executable>();
    for (Class<?> c : classes()) {
      if (!Modifier.isPublic(c.getModifiers()) || DeviceKernel.class.isAssignableFrom(c)) {
        continue;
      }
      if (!c.isEnum() && !Modifier.isAbstract(c.getModifiers())) {
        all.addAll(List.of(c.getConstructors()));
      }
      for (var method : c.getMethods()) {
        Class<?> in = method.getDeclaringClass();
        boolean ours = in.getPackage().equals(PublicSurface.class.getPackage());
        boolean abstractOnly = Modifier.isAbstract(method.getModifiers()) || method.isBridge();
        boolean given =
            List.of("equals", "hashCode", "toString", "valueOf", "values")
                .contains(method.getName());
        if (ours && !abstractOnly && !given) {
          method.setAccessible(true); // inherited from a class that is not public itself
          all.add(method);
        }
      }
    }
    all.sort(Comparator.comparing(e -> e.getDeclaringClass().getName() + e.toGenericString()));
    return all.stream().distinct().toList();
  }

  /** The plans of all ops. */
  static List<Class<?>> plans() {
    return classes().stream()
        .filter(OpPlan.class::isAssignableFrom)
        .filter(c -> !Modifier.isAbstract(c.getModifiers()))
        .toList();
  }

  /** The classes of this package's main code, in a folder or a jar. */
  private static List<Class<?>> classes() {
    try {
      URI here = Gemm.class.getResource("Gemm.class").toURI();
      if (!here.getScheme().equals("jar")) {
        return classes(Path.of(here).getParent());
      }
      try (FileSystem jar = FileSystems.newFileSystem(here, Map.of())) {
        return classes(jar.provider().getPath(here).getParent());
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    } catch (URISyntaxException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static List<Class<?>> classes(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(n -> n.endsWith(".class") && !n.equals("package-info.class"))
          .sorted()
          .<Class<?>>map(n -> load(n.substring(0, n.length() - ".class".length())))
          .toList();
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(PublicSurface.class.getPackageName() + "." + name);
    } catch (ClassNotFoundException gone) {
      throw new AssertionError(gone);
    }
  }

  /** The public constructors and factories of a class that give an instance of it. */
  static List<Executable> makers(Class<?> c) {
    var makers = new ArrayList<Executable>();
    if (!Modifier.isAbstract(c.getModifiers())) {
      makers.addAll(List.of(c.getConstructors()));
    }
    Arrays.stream(c.getMethods())
        .filter(m -> Modifier.isStatic(m.getModifiers()) && m.getReturnType() == c)
        .forEach(makers::add);
    makers.sort(Comparator.comparing(Executable::toGenericString));
    return makers;
  }
}
