package dev.gridstride.io;

import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An open safetensors file: its header has been read and checked in full, its tensors are read on
 * request from the mapped file.
 *
 * <p>Checked at opening: the header's length against the file's and a limit of 100 MB; strict JSON
 * with no name twice and no unknown member; every dtype known to the format; sizes whose product
 * times the element size is exactly the tensor's range; ranges that begin at 0, follow each other
 * without gap or overlap, and end with the file; strings of at most 8 MiB, and at most 65,536 of
 * them as metadata. Source: the format description of the safetensors project.
 *
 * <p>May be used by several threads; close it after the last read.
 */
public final class SafetensorsFile implements AutoCloseable {
  /** Largest header that is read or written, as in the reference implementation. */
  static final long MAX_HEADER = 100_000_000;

  /** Most dimensions of one tensor. */
  static final int MAX_RANK = 64;

  /** Most strings of metadata: each takes many times the room that it has in the file. */
  private static final int MAX_METADATA = 1 << 16;

  static final String METADATA = "__metadata__";

  /** Bits of one element, by the format's name of the dtype. */
  private static final Map<String, Integer> BITS =
      Map.ofEntries(
          Map.entry("BOOL", 8),
          Map.entry("U8", 8),
          Map.entry("I8", 8),
          Map.entry("F8_E5M2", 8),
          Map.entry("F8_E4M3", 8),
          Map.entry("F8_E8M0", 8),
          Map.entry("I16", 16),
          Map.entry("U16", 16),
          Map.entry("F16", 16),
          Map.entry("BF16", 16),
          Map.entry("I32", 32),
          Map.entry("U32", 32),
          Map.entry("F32", 32),
          Map.entry("C64", 64),
          Map.entry("F64", 64),
          Map.entry("I64", 64),
          Map.entry("U64", 64));

  private record Entry(String dtype, long[] dims, long begin, long end) {}

  private final MappedFile file;
  private final long dataStart;
  private final TreeMap<String, Entry> entries = new TreeMap<>();
  private final TreeMap<String, String> metadata = new TreeMap<>();
  private volatile boolean closed;

  private SafetensorsFile(MappedFile file) {
    this.file = file;
    this.dataStart = readHeader();
    checkRanges();
  }

  /** Opens and checks; see {@link Safetensors#open}. */
  static SafetensorsFile open(Path path) {
    return open(MappedFile.open(path, true));
  }

  /** Takes over the file: it is closed with the result, or here when it is refused. */
  static SafetensorsFile open(MappedFile file) {
    boolean done = false;
    try {
      var opened = file.guard(() -> new SafetensorsFile(file));
      done = true;
      return opened;
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  // ---- reading the header -----------------------------------------------------------------------

  private long readHeader() {
    if (file.size() < 8) {
      throw bad("header length", "a file has at least 8 bytes", "bytes=%d", file.size());
    }
    long length =
        file.bytes().get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    if (length < 0 || length > MAX_HEADER || length > file.size() - 8) {
      throw bad(
          "header length",
          "must be at most the bytes that follow it and " + MAX_HEADER,
          "length=%s, bytes that follow=%d",
          Long.toUnsignedString(length),
          file.size() - 8);
    }
    if (length == 0 || file.bytes().get(ValueLayout.JAVA_BYTE, 8) != '{') {
      throw new FormatException(file.path(), "header, byte 8", "must begin with '{'");
    }
    try (Arena copy = Arena.ofConfined()) { // what is read twice must not change in between
      MemorySegment text = copy.allocate(length).copyFrom(file.bytes().asSlice(8, length));
      readEntries(new JsonReader(file.path(), text, 8));
    }
    return 8 + length;
  }

  private void readEntries(JsonReader json) {
    var seen = new boolean[1];
    json.object(name -> {
      if (!name.equals(METADATA)) {
        if (entries.put(name, readEntry(json, name)) != null) {
          throw json.fail(tensor(name) + " is there twice");
        }
      } else if (seen[0]) {
        throw json.fail(METADATA + " is there twice");
      } else {
        seen[0] = true;
        json.object(key -> addMetadata(json, key, json.string()));
      }
    });
    json.end();
  }

  /** What messages call a tensor: its name, which may be long. */
  private static String tensor(String name) {
    return "tensor \"" + JsonReader.shortened(name) + "\"";
  }

  private void addMetadata(JsonReader json, String key, String value) {
    if (metadata.put(key, value) != null) {
      throw json.fail("metadata \"" + JsonReader.shortened(key) + "\" is there twice");
    }
    if (metadata.size() > MAX_METADATA) {
      throw json.fail("must have at most " + MAX_METADATA + " strings of metadata");
    }
  }

  private Entry readEntry(JsonReader json, String name) {
    var reader = new EntryReader(json);
    json.object(reader::member);
    String dtype = reader.dtype;
    long[] dims = reader.dims;
    long[] offsets = reader.offsets;
    if (dtype == null || dims == null || offsets == null) {
      throw json.fail(tensor(name) + " lacks one of dtype, shape, data_offsets");
    }
    Integer bits = BITS.get(dtype);
    if (bits == null) {
      throw json.fail(
          tensor(name) + " has the unknown dtype \"" + JsonReader.shortened(dtype) + "\"");
    }
    long size = bytes(dims, bits / 8);
    if (offsets.length != 2
        || offsets[0] > offsets[1]
        || size < 0
        || offsets[1] - offsets[0] != size) {
      throw json.fail(
          tensor(name)
              + ": data_offsets must be two, as far apart as the shape needs; dtype="
              + dtype
              + ", shape="
              + Arrays.toString(dims)
              + ", data_offsets="
              + Arrays.toString(offsets));
    }
    // the type's own string, not one for each tensor
    return new Entry(dtype.intern(), dims, offsets[0], offsets[1]);
  }

  /** Collects the members of one tensor's object. */
  private static final class EntryReader {
    final JsonReader json;
    @Nullable String dtype;
    long @Nullable [] dims;
    long @Nullable [] offsets;

    EntryReader(JsonReader json) {
      this.json = json;
    }

    void member(String name) {
      boolean twice;
      switch (name) {
        case "dtype" -> {
          twice = dtype != null;
          dtype = json.string();
        }
        case "shape" -> {
          twice = dims != null;
          dims = json.integers(MAX_RANK);
        }
        case "data_offsets" -> {
          twice = offsets != null;
          offsets = json.integers(2);
        }
        default ->
            throw json.fail("unknown member \"" + JsonReader.shortened(name) + "\" of a tensor");
      }
      if (twice) {
        throw json.fail("member \"" + name + "\" is there twice");
      }
    }
  }

  /**
   * Bytes that a shape needs, or -1 when they, or the product of the sizes other than 0, exceed a
   * long.
   */
  static long bytes(long[] dims, int width) {
    long n = width;
    boolean empty = false;
    for (long d : dims) {
      empty |= d == 0;
      if (Math.multiplyHigh(n, Math.max(1, d)) != 0 || n * Math.max(1, d) < 0) {
        return -1;
      }
      n *= Math.max(1, d);
    }
    return empty ? 0 : n;
  }

  private void checkRanges() {
    Entry[] order = entries.values().toArray(new Entry[0]);
    Arrays.sort(order, Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long at = 0;
    for (Entry e : order) {
      if (e.begin != at) {
        throw bad(
            "data_offsets",
            "must follow each other from 0 without gap or overlap",
            "expected %d, found [%d, %d]",
            at,
            e.begin,
            e.end);
      }
      at = e.end;
    }
    if (at != file.size() - dataStart) {
      throw bad(
          "data",
          "the tensors must fill the file to its end",
          "tensor bytes=%d, bytes after the header=%d",
          at,
          file.size() - dataStart);
    }
  }

  private FormatException bad(String where, String rule, String given, Object... values) {
    return FormatException.of(file.path(), where, rule, given, values);
  }

  // ---- what is in it ----------------------------------------------------------------------------

  /** The tensors' names, sorted. */
  public List<String> names() {
    return List.copyOf(entries.keySet());
  }

  /** Whether there is a tensor of this name. */
  public boolean contains(String name) {
    return entries.containsKey(name);
  }

  /** The free-form strings of the header, sorted by name. */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /**
   * The shape of a tensor.
   *
   * @throws InvalidArgumentException when there is no tensor of this name
   */
  public Shape shape(String name) {
    return Shape.of(entry("safetensors.shape", name).dims);
  }

  /**
   * The element type of a tensor.
   *
   * @throws InvalidArgumentException when there is no tensor of this name
   * @throws FormatException when the type is one that tensors don't have, as i8 or u64
   */
  public DType dtype(String name) {
    Entry e = entry("safetensors.dtype", name);
    return switch (e.dtype) {
      case "F64" -> DType.F64;
      case "F32" -> DType.F32;
      case "BF16" -> DType.BF16;
      case "F16" -> DType.F16;
      case "I64" -> DType.I64;
      case "I32" -> DType.I32;
      case "U8" -> DType.U8;
      case "BOOL" -> DType.BOOL;
      default -> throw bad(tensor(name), "no dtype to hold it", "dtype in file=%s", e.dtype);
    };
  }

  /**
   * Reads one tensor, row-major.
   *
   * @throws InvalidArgumentException when there is no tensor of this name
   * @throws FormatException when its type is one that tensors don't have, or a boolean is not 0 or
   *     1
   * @throws ClosedException after close
   */
  public Tensor read(Device device, String name) {
    Entry e = entry("safetensors.read", name);
    DType dtype = dtype(name);
    return file.read(() -> Tensor.empty(device, dtype, e.dims), dataStart + e.begin, false);
  }

  private Entry entry(String op, String name) {
    if (closed) {
      throw new ClosedException(op + ": " + file.path() + " has been closed");
    }
    Entry e = entries.get(name);
    if (e == null) {
      throw InvalidArgumentException.of(
          op,
          "name",
          "must be that of a tensor in the file",
          "name=%s, file=%s",
          name,
          file.path());
    }
    return e;
  }

  /** Unmaps the file. Tensors that were read stay. */
  @Override
  public void close() {
    if (closed) {
      throw new ClosedException("safetensors.close: " + file.path() + " has been closed");
    }
    closed = true;
    file.close();
  }
}
