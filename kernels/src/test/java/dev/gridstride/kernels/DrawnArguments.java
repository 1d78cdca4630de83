package dev.gridstride.kernels;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Draws arguments by their type: plain ones, which an op mostly takes, and wild ones, which break
 * its rules.
 */
final class DrawnArguments implements AutoCloseable {
  private static final long[] LONGS = {
    0,
    -1,
    1,
    2,
    7,
    64,
    100_003,
    Integer.MAX_VALUE,
    1L << 31,
    (1L << 32) + 1,
    1L << 40,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Integer.MIN_VALUE
  };
  private static final double[] DOUBLES = {
    0, -0.0, 1, -1, 0.5, 2, 1e-300, 1e300, Double.NaN, Double.POSITIVE_INFINITY, -1e300
  };
  private static final int BYTES = 1 << 14;

  private final SplittableRandom random;
  private final Device device;
  private final Device other;
  private final List<Buffer> buffers = new ArrayList<>();
  private final List<AutoCloseable> resources = new ArrayList<>();
  private final Arena arena = Arena.ofConfined();

  /**
   * A source of arguments.
   *
   * @param other a second device, or the first again where there is only one
   */
  DrawnArguments(long seed, Device device, Device other) {
    this.random = new SplittableRandom(seed);
    this.device = device;
    this.other = other;
  }

  /** What a call threw, or null. */
  Throwable call(Executable called, Object on, Object[] arguments) {
    try {
      keep(invoke(called, on, arguments));
      return null;
    } catch (InvocationTargetException thrown) {
      return thrown.getCause();
    } catch (ReflectiveOperationException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static Object invoke(Executable called, Object on, Object[] arguments)
      throws ReflectiveOperationException {
    return called instanceof Method m
        ? m.invoke(on, arguments)
        : ((Constructor<?>) called).newInstance(arguments);
  }

  /** Some results own memory. */
  private Object keep(Object result) {
    if (result instanceof StepControl || result instanceof OpPlan<?, ?>) {
      resources.add((AutoCloseable) result);
    }
    return result;
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  /** Plain arguments; some of them wild when {@code wild}. */
  Object[] arguments(Executable called, boolean wild) {
    Type[] types = called.getGenericParameterTypes();
    var arguments = new Object[types.length];
    int least = wild && types.length > 0 ? random.nextInt(types.length) : -1;
    for (int i = 0; i < types.length; i++) {
      boolean spoilt = i == least || (wild && random.nextInt(8) == 0);
      arguments[i] = value(types[i], spoilt);
    }
    return arguments;
  }

  /** An instance to call a method on, or null when none of a few tries gave one. */
  Object instance(Class<?> c) {
    for (int attempt = 0; attempt < 30; attempt++) {
      Object made =
          c.isEnum()
              ? value(c, false)
              : OpPlan.class.isAssignableFrom(c) ? plan(c) : make(c, false);
      if (made != null) {
        return made;
      }
    }
    return null;
  }

  /** A plan of this class; any, of a class that plans extend. */
  private Object plan(Class<?> c) {
    List<Class<?>> plans = PublicSurface.plans();
    Class<?> chosen =
        Modifier.isAbstract(c.getModifiers()) ? plans.get(random.nextInt(plans.size())) : c;
    Object spec = value(chosen.getEnclosingClass(), false);
    if (!(spec instanceof dev.gridstride.device.Op<?> op)) {
      return null;
    }
    try {
      return keep(op.plan(device));
    } catch (dev.gridstride.device.GridstrideException refused) {
      return null;
    }
  }

  private Object make(Class<?> c, boolean wild) {
    if (c.isSealed()) {
      Class<?>[] permitted = c.getPermittedSubclasses();
      return make(permitted[random.nextInt(permitted.length)], wild);
    }
    List<Executable> makers = PublicSurface.makers(c);
    if (makers.isEmpty()) {
      throw new AssertionError("no way to make a " + c);
    }
    Executable maker = makers.get(random.nextInt(makers.size()));
    Object[] arguments = arguments(maker, wild);
    try {
      return keep(invoke(maker, null, arguments));
    } catch (InvocationTargetException refused) {
      if (acceptable(refused.getCause(), arguments)) {
        return null;
      }
      throw new AssertionError(IllegalArgumentsTest.words(maker, arguments), refused.getCause());
    } catch (ReflectiveOperationException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** A typed exception that names a rule; for a null, Java's own. */
  static boolean acceptable(Throwable thrown, Object[] arguments) {
    if (thrown instanceof dev.gridstride.device.GridstrideException typed) {
      return typed.getMessage() != null && typed.getMessage().matches("(?s).+: .+");
    }
    return thrown instanceof NullPointerException && hasNull(arguments);
  }

  private static boolean hasNull(Object[] values) {
    for (Object v : values) {
      if (v == null
          || (v instanceof List<?> list && hasNull(list.toArray()))
          || (v instanceof Object[] array && hasNull(array))) {
        return true;
      }
    }
    return false;
  }

  private Object value(Type type, boolean wild) {
    if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
      return list(list.getActualTypeArguments()[0], wild);
    }
    var c = (Class<?>) type;
    if (wild && !c.isPrimitive() && random.nextInt(6) == 0) {
      return null;
    }
    if (c == long.class) {
      return wild ? LONGS[random.nextInt(LONGS.length)] : plainLong();
    } else if (c == int.class) {
      return wild ? (int) LONGS[random.nextInt(LONGS.length)] : (int) plainLong();
    } else if (c == double.class) {
      return wild ? DOUBLES[random.nextInt(DOUBLES.length)] : 0.5;
    } else if (c == float.class) {
      return wild ? (float) DOUBLES[random.nextInt(DOUBLES.length)] : 0.5f;
    } else if (c == boolean.class) {
      return random.nextBoolean();
    } else if (c == String.class) {
      return "test";
    } else if (c == DType.class) {
      DType[] all = DType.values();
      return wild || random.nextInt(3) == 0 ? all[random.nextInt(all.length)] : DType.F32;
    } else if (c.isEnum()) {
      Object[] all = c.getEnumConstants();
      return all[random.nextInt(all.length)];
    } else if (c.isArray()) {
      return array(c.getComponentType(), wild);
    } else if (c == Buffer.class) {
      return buffer(wild);
    } else if (c == Stream.class) {
      return stream(wild);
    } else if (c == Device.class) {
      return wild ? other : device;
    } else if (c == MemorySegment.class) {
      return segment(wild);
    }
    return make(c, wild);
  }

  private long plainLong() {
    return random.nextInt(4) == 0 ? random.nextInt(6) : 1 + random.nextInt(3);
  }

  private Object array(Class<?> of, boolean wild) {
    int length = wild ? random.nextInt(7) : of == float.class || of == double.class ? 99 : 2;
    Object array = Array.newInstance(of, length);
    for (int i = 0; i < length; i++) {
      Array.set(array, i, value(of, wild && random.nextInt(2) == 0));
    }
    return array;
  }

  private List<?> list(Type of, boolean wild) {
    int length = wild ? random.nextInt(4) : 1 + random.nextInt(2);
    var list = new ArrayList<Object>();
    for (int i = 0; i < length; i++) {
      list.add(value(of, wild && random.nextInt(2) == 0));
    }
    return wild && random.nextInt(9) == 0 ? null : list;
  }

  private Buffer fresh(Device on, long bytes) {
    byte contents = (byte) (random.nextInt(8) == 0 ? 0x7F : 0);
    Buffer b = on.allocate(bytes);
    buffers.add(b);
    b.fill(contents);
    return b;
  }

  private Buffer buffer(boolean wild) {
    if (!wild) {
      return fresh(device, BYTES);
    }
    switch (random.nextInt(9)) {
      case 0 -> {
        return fresh(device, 0);
      }
      case 1 -> {
        return fresh(device, 1 + random.nextInt(9));
      }
      case 2 -> {
        Buffer closed = device.allocate(BYTES);
        closed.close();
        return closed;
      }
      case 3 -> {
        return fresh(other, BYTES);
      }
      case 4 -> {
        return fresh(device, BYTES + 8).slice(1 + random.nextInt(7), BYTES); // misaligned
      }
      case 5, 6 -> {
        if (buffers.isEmpty()) {
          return null;
        }
        return buffers.get(random.nextInt(buffers.size())); // perhaps also another operand
      }
      case 7 -> {
        Buffer whole =
            buffers.isEmpty() ? fresh(device, BYTES) : buffers.get(random.nextInt(buffers.size()));
        long from = Math.min(whole.bytes(), 4L * random.nextInt(9));
        return whole.slice(from, whole.bytes() - from);
      }
      default -> {
        return null;
      }
    }
  }

  private Stream stream(boolean wild) {
    if (!wild) {
      return device.defaultStream();
    }
    switch (random.nextInt(3)) {
      case 0 -> {
        return other.defaultStream();
      }
      case 1 -> {
        Stream closed = device.newStream();
        closed.close();
        return closed;
      }
      default -> {
        Stream own = device.newStream();
        resources.add(own);
        return own;
      }
    }
  }

  private MemorySegment segment(boolean wild) {
    if (!wild) {
      return arena.allocate(512, 8);
    }
    return switch (random.nextInt(5)) {
      case 0 -> MemorySegment.NULL;
      case 1 -> MemorySegment.ofArray(new float[200]).asReadOnly();
      case 2 -> MemorySegment.ofArray(new byte[13]);
      case 3 -> arena.allocate(512, 8).asSlice(3, 400);
      default -> MemorySegment.ofArray(new double[64]);
    };
  }

  /** Closes what was drawn, all of it; throws the first exception of doing so. */
  @Override
  public void close() throws Exception {
    Exception first = null;
    var all = new ArrayList<AutoCloseable>(resources);
    all.addAll(buffers);
    for (AutoCloseable one : all) {
      boolean gone =
          (one instanceof Buffer b && (!b.isOpen() || b.isSlice()))
              || (one instanceof StepControl control && !control.buffer().isOpen());
      try {
        if (!gone) {
          one.close();
        }
      } catch (Exception failed) {
        first = first == null ? failed : first;
      }
    }
    arena.close();
    if (first != null) {
      throw first;
    }
  }
}
