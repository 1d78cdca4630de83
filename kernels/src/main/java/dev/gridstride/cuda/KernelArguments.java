package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Arguments of a user's kernel as the driver takes them: a pointer to each value. */
final class KernelArguments {
  private final String op;
  private final Device device;

  /** For the kernel {@code name}, in messages. */
  KernelArguments(String name, Device device) {
    this.op = "kernel " + name;
    this.device = device;
  }

  String op() {
    return op;
  }

  /** The buffers among the arguments, to be pinned. */
  static Buffer[] buffers(@Nullable Object[] arguments) {
    return Arrays.stream(arguments)
        .filter(Buffer.class::isInstance)
        .map(Buffer.class::cast)
        .toArray(Buffer[]::new);
  }

  /**
   * Values and pointers to them, in {@code arena}; checked against the parameters' sizes.
   *
   * @return an array of pointers, one for each parameter
   */
  MemorySegment pack(Arena arena, List<Integer> sizes, @Nullable Object[] arguments) {
    if (arguments.length != sizes.size()) {
      throw InvalidArgumentException.of(
          op,
          "arguments",
          "must be one for each parameter",
          "parameters=%d, arguments=%d",
          sizes.size(),
          arguments.length);
    }
    MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, Math.max(1, sizes.size()));
    for (int i = 0; i < sizes.size(); i++) {
      MemorySegment value = value(arena, i, arguments[i]);
      if (value.byteSize() != sizes.get(i)) {
        throw InvalidArgumentException.of(
            op,
            "argument " + i,
            "must have the size of its parameter, " + sizes.get(i) + " bytes",
            "given %s of %d bytes",
            describe(arguments[i]),
            value.byteSize());
      }
      pointers.setAtIndex(ValueLayout.ADDRESS, i, value);
    }
    return pointers;
  }

  private static String describe(@Nullable Object argument) {
    return argument == null ? "a null pointer" : argument.getClass().getSimpleName();
  }

  private MemorySegment value(Arena arena, int index, @Nullable Object argument) {
    return switch (argument) {
      case null -> arena.allocateFrom(ValueLayout.JAVA_LONG, 0L);
      case Buffer buffer -> {
        if (!buffer.device().equals(device)) {
          throw InvalidArgumentException.of(
              op,
              "argument " + index,
              "must live on the kernel's device",
              "buffer device=%s, kernel device=%s",
              buffer.device().name(),
              device.name());
        }
        yield arena.allocateFrom(ValueLayout.JAVA_LONG, buffer.devicePointer());
      }
      case Byte v -> arena.allocateFrom(ValueLayout.JAVA_BYTE, v);
      case Short v -> arena.allocateFrom(ValueLayout.JAVA_SHORT, v);
      case Integer v -> arena.allocateFrom(ValueLayout.JAVA_INT, v);
      case Long v -> arena.allocateFrom(ValueLayout.JAVA_LONG, v);
      case Float v -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, v);
      case Double v -> arena.allocateFrom(ValueLayout.JAVA_DOUBLE, v);
      // 16 bytes are the largest alignment of a parameter
      case MemorySegment v -> arena.allocate(v.byteSize(), 16).copyFrom(v);
      default ->
          throw InvalidArgumentException.of(
              op,
              "argument " + index,
              "must be a Buffer, a number, a MemorySegment or null",
              "given %s",
              argument.getClass().getName());
    };
  }
}
