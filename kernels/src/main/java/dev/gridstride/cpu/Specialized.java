package dev.gridstride.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;

/**
 * Makes copies of a loop class, each with one function built in as a constant.
 *
 * <p>A loop that calls a function through an interface is fast only while the JIT sees one function
 * there: with several it neither inlines nor keeps vectors in registers, which costs a factor of a
 * hundred. So each function gets a copy of the loop class, a hidden class whose class data is the
 * function. The loop class reads it with {@link #constant} into a static final field, which the JIT
 * treats as a constant.
 */
public final class Specialized {
  private Specialized() {}

  /**
   * A new instance of a copy of the class that {@code lookup} belongs to.
   *
   * @param lookup full access of the loop class, which has a public constructor without parameters
   *     and no nested classes
   * @param constant what {@link #constant} returns in the copy
   * @param type an interface of the loop class
   */
  public static <T> T copy(MethodHandles.Lookup lookup, Object constant, Class<T> type) {
    Class<?> template = lookup.lookupClass();
    try (InputStream in = template.getResourceAsStream(template.getSimpleName() + ".class")) {
      if (in == null) {
        throw new IllegalStateException("the class file of " + template + " can't be read");
      }
      Class<?> copy =
          lookup.defineHiddenClassWithClassData(in.readAllBytes(), constant, false).lookupClass();
      return type.cast(copy.getConstructor().newInstance());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a copy of " + template + " can't be made", e);
    }
  }

  /**
   * The constant of the copy that {@code lookup} belongs to.
   *
   * @throws IllegalStateException in the original, whose loops can't be used
   */
  public static <T> T constant(MethodHandles.Lookup lookup, Class<T> type) {
    try {
      return MethodHandles.classData(lookup, "_", type);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }
}
