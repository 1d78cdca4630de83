package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A whole file mapped for reading.
 *
 * <p>Another process may change the file while it is mapped. Where it is cut, the JVM throws
 * InternalError at an access, or soon after it; {@link #guard} makes a {@link FileException} of it,
 * and of every other change that {@link FileState} sees. What is checked before it is used, as a
 * header, is copied first.
 */
final class MappedFile implements AutoCloseable {
  private static final long MAX_ARRAY = Integer.MAX_VALUE - 16;
  private static final int PIECE = 1 << 20;

  private final Path path;
  private final Arena arena;
  private final MemorySegment bytes;
  private final @Nullable FileState state;

  /** Contents that are in memory already. */
  MappedFile(Path path, Arena arena, MemorySegment bytes) {
    this(path, arena, bytes, null);
  }

  private MappedFile(Path path, Arena arena, MemorySegment bytes, @Nullable FileState state) {
    this.path = path;
    this.arena = arena;
    this.bytes = bytes;
    this.state = state;
  }

  /**
   * Maps a whole file.
   *
   * @param shared whether other threads may read it too; closing then costs more
   */
  @SuppressWarnings("MustBeClosedChecker") // closed with the result, or here on failure
  static MappedFile open(Path path, boolean shared) {
    Arena arena = shared ? Arena.ofShared() : Arena.ofConfined();
    boolean done = false;
    try {
      FileState state = FileState.of(path); // before it is opened: opening a pipe would wait
      MemorySegment bytes;
      try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
        state.checkSize(path, channel.size()); // another file may have taken its place
        bytes = channel.map(MapMode.READ_ONLY, 0, state.size(), arena);
      }
      state = FileState.of(path);
      state.checkSize(path, bytes.byteSize());
      done = true;
      return new MappedFile(path, arena, bytes, state);
    } catch (IOException e) {
      throw FileException.of(path, "read", e);
    } finally {
      if (!done) {
        arena.close();
      }
    }
  }

  /** All bytes of a file of at most 2^31 - 17, read into an array. */
  static byte[] readAll(Path path) {
    try {
      FileState state = FileState.of(path);
      if (state.size() > MAX_ARRAY) {
        throw new FileException(
            path, "can't be read: must have at most 2^31 - 17 bytes; bytes=" + state.size());
      }
      var bytes = new byte[(int) state.size()];
      ByteBuffer target = ByteBuffer.wrap(bytes);
      try (var channel = Files.newByteChannel(path)) {
        state.checkSize(path, channel.size()); // another file may have taken its place
        // in pieces: the JDK keeps a native buffer as large as one
        do {
          target.limit((int) Math.min(bytes.length, target.position() + (long) PIECE));
        } while (target.hasRemaining() && channel.read(target) >= 0);
        state.checkSize(path, channel.size());
      }
      state.check(path);
      if (target.position() < bytes.length) {
        throw new FileException(
            path, "can't be read: ends after " + target.position() + " of its bytes");
      }
      return bytes;
    } catch (IOException e) {
      throw FileException.of(path, "read", e);
    }
  }

  Path path() {
    return path;
  }

  long size() {
    return bytes.byteSize();
  }

  /** The contents; touch them inside {@link #guard}. */
  MemorySegment bytes() {
    return bytes;
  }

  /** The contents as a stream, from the start; read it inside {@link #guard}. */
  InputStream stream() {
    return new InputStream() {
      private long at;

      @Override
      public int read() {
        return at < size() ? bytes.get(ValueLayout.JAVA_BYTE, at++) & 0xFF : -1;
      }

      @Override
      public int read(byte[] target, int from, int length) {
        if (at == size() && length > 0) {
          return -1;
        }
        int n = (int) Math.min(length, size() - at);
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, target, from, n);
        at += n;
        return n;
      }

      @Override
      public int available() {
        return Math.clamp(size() - at, 0, Integer.MAX_VALUE);
      }
    };
  }

  /**
   * Runs what touches the contents; when it returns, the file has not changed. A result that must
   * be closed is not closed here.
   */
  <T> T guard(Supplier<T> body) {
    try {
      try {
        return body.get();
      } finally {
        checkUnchanged();
      }
    } catch (InternalError fault) {
      throw new FileException(path, "was cut while it was being read", fault);
    }
  }

  /** Also gives an InternalError that is on its way the time to arrive. */
  private void checkUnchanged() {
    if (state != null) {
      state.check(path);
    }
  }

  /**
   * A new tensor filled with the file's bytes from {@code offset}; the range has been checked.
   *
   * @param empty makes the tensor, which has no gaps
   * @param bigEndian whether elements lie in the file in big-endian order
   */
  Tensor read(Supplier<Tensor> empty, long offset, boolean bigEndian) {
    Tensor x = empty.get();
    boolean done = false;
    try {
      guard(() -> {
        MemorySegment source = bytes.asSlice(offset, x.dtype().bytes(x.count()));
        if (bigEndian && x.dtype().bytes() > 1) {
          copySwapped(source, x.buffer(), x.dtype().bytes());
        } else {
          x.buffer().copyFrom(source);
        }
        if (x.dtype() == DType.BOOL) {
          checkBooleans(source, offset);
        }
        return x;
      });
      done = true;
      return x;
    } finally {
      if (!done) {
        x.close();
      }
    }
  }

  private void checkBooleans(MemorySegment source, long offset) {
    for (long i = 0; i < source.byteSize(); i++) {
      int b = source.get(ValueLayout.JAVA_BYTE, i);
      if (b != 0 && b != 1) {
        throw FormatException.of(
            path, "byte " + (offset + i), "a boolean must be 0 or 1", "found %d", b & 0xFF);
      }
    }
  }

  private static void copySwapped(MemorySegment source, Buffer target, int width) {
    long step = 1 << 18;
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment chunk = scratch.allocate(Math.min(step, Math.max(1, source.byteSize())), 64);
      for (long at = 0; at < source.byteSize(); at += step) {
        long n = Math.min(step, source.byteSize() - at);
        swap(source.asSlice(at, n), chunk, width);
        target.slice(at, n).copyFrom(chunk.asSlice(0, n));
      }
    }
  }

  /** Copies {@code source} to {@code target} with the bytes of each element reversed. */
  static void swap(MemorySegment source, MemorySegment target, int width) {
    ByteOrder big = ByteOrder.BIG_ENDIAN;
    ByteOrder little = ByteOrder.LITTLE_ENDIAN;
    ValueLayout layout =
        switch (width) {
          case 2 -> ValueLayout.JAVA_SHORT_UNALIGNED;
          case 4 -> ValueLayout.JAVA_INT_UNALIGNED;
          case 8 -> ValueLayout.JAVA_LONG_UNALIGNED;
          default -> ValueLayout.JAVA_BYTE;
        };
    MemorySegment.copy(
        source,
        layout.withOrder(big),
        0,
        target,
        layout.withOrder(little),
        0,
        source.byteSize() / width);
  }

  @Override
  public void close() {
    arena.close();
  }
}
