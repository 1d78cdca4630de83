package dev.gridstride.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/** A structure of the C ABI in native memory that the garbage collector frees; zero at first. */
final class Struct {
  private final StructLayout layout;
  private final MemorySegment memory;
  private final long base;

  private Struct(StructLayout layout, MemorySegment memory, long base) {
    this.layout = layout;
    this.memory = memory;
    this.base = base;
  }

  static Struct of(StructLayout layout) {
    return of(layout, 1);
  }

  /** {@code count} of them, one after the other; {@link #at} gives each. */
  static Struct of(StructLayout layout, int count) {
    long bytes = Math.max(1, Math.multiplyExact(layout.byteSize(), (long) count));
    return new Struct(layout, Arena.ofAuto().allocate(bytes, 8), 0);
  }

  /** Element {@code index} of an array of structures. */
  Struct at(int index) {
    return new Struct(layout, memory, base + index * layout.byteSize());
  }

  /** Element {@code index} of the member {@code name}, an array of structures. */
  Struct member(StructLayout element, String name, int index) {
    return new Struct(element, memory, offset(name) + index * element.byteSize());
  }

  /** The member {@code name}, a structure. */
  Struct member(StructLayout element, String name) {
    return member(element, name, 0);
  }

  private long offset(String name) {
    return base + layout.byteOffset(PathElement.groupElement(name));
  }

  Struct set(String name, int value) {
    memory.set(ValueLayout.JAVA_INT, offset(name), value);
    return this;
  }

  Struct set(String name, long value) {
    memory.set(ValueLayout.JAVA_LONG, offset(name), value);
    return this;
  }

  Struct set(String name, double value) {
    memory.set(ValueLayout.JAVA_DOUBLE, offset(name), value);
    return this;
  }

  Struct set(String name, boolean value) {
    return set(name, value ? 1 : 0);
  }

  /** Element {@code index} of the member {@code name}, an array of 64-bit integers. */
  Struct element(String name, int index, long value) {
    memory.set(ValueLayout.JAVA_LONG, offset(name) + 8L * index, value);
    return this;
  }

  MemorySegment memory() {
    return memory;
  }
}
