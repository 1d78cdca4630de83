package dev.gridstride.io;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.Buffer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Writes a file beside its place and moves it there when it is complete. */
final class AtomicFile {
  private static final int CHUNK = 1 << 20;

  /** What to write. */
  @FunctionalInterface
  interface Contents {
    void writeTo(Output out) throws IOException;
  }

  /** A file being written. */
  static final class Output {
    private final FileChannel channel;

    private Output(FileChannel channel) {
      this.channel = channel;
    }

    void bytes(ByteBuffer source) throws IOException {
      while (source.hasRemaining()) {
        channel.write(source);
      }
    }

    /** The tensor's elements, row-major, little-endian. */
    void tensor(Tensor x) throws IOException {
      try (Scope scope = Scope.open()) {
        Buffer data = Autograd.noGrad(x::contiguous).buffer();
        long bytes = x.dtype().bytes(x.count());
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment chunk = arena.allocate(Math.clamp(bytes, 1, CHUNK), 64);
          for (long at = 0; at < bytes; at += CHUNK) {
            MemorySegment part = chunk.asSlice(0, Math.min(CHUNK, bytes - at));
            data.slice(at, part.byteSize()).copyTo(part);
            bytes(part.asByteBuffer());
          }
        }
      }
    }
  }

  private AtomicFile() {}

  static void write(Path path, Contents contents) {
    Path name = path.getFileName();
    if (name == null) {
      throw new FileException(path, "can't be written: names no file");
    }
    Path temporary = path.resolveSibling("." + name + "." + UUID.randomUUID() + ".tmp");
    try {
      try {
        try (var channel =
            FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
          contents.writeTo(new Output(channel));
          channel.force(true); // the move must not reach the disk before the contents
        }
        move(temporary, path);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw FileException.of(path, "written", e);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
