package dev.gridstride.io;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Any bytes as a file of one of the formats: it is read whole, or refused with a {@link
 * FormatException}. Everything else that is thrown is a mistake.
 *
 * <p>A target for Jazzer: {@code --target_class=dev.gridstride.io.ReaderTarget}.
 */
public final class ReaderTarget {
  /** The formats, in the order of their numbers. */
  enum Format {
    NPY,
    SAFETENSORS,
    IDX,
    CSV,
    WAV
  }

  private static final Path NAME = Path.of("hostile");
  private static final Device DEVICE = Device.cpu();

  private ReaderTarget() {}

  /** Called by Jazzer; the first byte is the format. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length > 0) {
      Format[] all = Format.values();
      isRefused(all[(input[0] & 0xFF) % all.length], Arrays.copyOfRange(input, 1, input.length));
    }
  }

  /** Reads a file; whether it was refused. */
  @SuppressWarnings("MustBeClosedChecker") // an arena without memory: safetensors closes it
  static boolean isRefused(Format format, byte[] contents) {
    try (Scope scope = Scope.open();
        Arena arena = Arena.ofConfined()) {
      // native memory, aligned like a mapped file
      MemorySegment bytes = arena.allocate(Math.max(1, contents.length), 8);
      MemorySegment.copy(contents, 0, bytes, ValueLayout.JAVA_BYTE, 0, contents.length);
      var file = new MappedFile(NAME, Arena.ofConfined(), bytes.asSlice(0, contents.length));
      switch (format) {
        case NPY -> use(Npy.read(DEVICE, file, false));
        case SAFETENSORS -> {
          for (Tensor t : Safetensors.read(DEVICE, SafetensorsFile.open(file)).values()) {
            use(t);
          }
        }
        case IDX -> use(Idx.read(DEVICE, file));
        case WAV -> use(Wav.read(DEVICE, NAME, contents).samples());
        case CSV -> {
          Csv table = Csv.read(NAME, contents, ',');
          for (String name : table.names()) {
            if (table.strings(name).size() != table.rows()) {
              throw new AssertionError("a column of another length");
            }
          }
          if (!table.names().isEmpty()) {
            table.classes(DEVICE, table.names().getFirst());
            table.numeric(DEVICE, DType.F64, table.names().getLast());
          }
        }
      }
      return false;
    } catch (FormatException refused) {
      if (!refused.getMessage().startsWith(NAME + ": ")) {
        throw new AssertionError("a message without the file's name", refused);
      }
      return true;
    }
  }

  private static void use(Tensor t) {
    if (t.dtype().bytes(t.count()) > t.buffer().bytes()) {
      throw new AssertionError("a tensor larger than its memory: " + t);
    }
  }
}
