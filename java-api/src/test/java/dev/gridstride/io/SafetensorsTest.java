package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Layout;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(TestDevice.class)
class SafetensorsTest {
  private static final Device DEVICE = TestDevice.get();
  @TempDir Path dir;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static byte[] file(String header, int dataBytes) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(text.length).put(text);
    for (int i = 0; i < dataBytes; i++) {
      out.put((byte) (i + 1));
    }
    return out.array();
  }

  private Path write(String header, int dataBytes) throws IOException {
    return Files.write(dir.resolve("t.safetensors"), file(header, dataBytes));
  }

  @Test
  void readsBytesWrittenByHand() throws IOException {
    Path p =
        write(
            "{\"b\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[2,10]},"
                + "\"__metadata__\":{\"by\":\"h\\u00e4nd \\ud83d\\ude00\\n\"},"
                + "\"a\":{\"data_offsets\":[0,2],\"shape\":[1, 2],\"dtype\":\"U8\"} } ",
            10);
    try (var file = Safetensors.open(p)) {
      assertThat(file.names()).containsExactly("a", "b");
      assertThat(file.contains("a")).isTrue();
      assertThat(file.contains("c")).isFalse();
      assertThat(file.metadata()).containsExactly(Map.entry("by", "händ 😀\n"));
      assertThat(file.shape("a")).isEqualTo(Shape.of(1, 2));
      assertThat(file.dtype("b")).isEqualTo(DType.I32);
      assertThat(file.read(DEVICE, "a").toLongArray()).containsExactly(1, 2);
      assertThat(file.read(DEVICE, "b").toLongArray()).containsExactly(0x06050403, 0x0a090807);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyDtypeSurvives(DType dtype) {
    double[] values = dtype == DType.BOOL ? new double[] {0, 1, 1} : new double[] {0, 1, 2};
    Tensor x = Tensors.full(DEVICE, dtype, 1, 3);
    x.copyFrom(bytesOf(dtype, values));
    Path p = dir.resolve("x.safetensors");
    Safetensors.write(p, Map.of("x", x));
    Tensor y = Safetensors.read(DEVICE, p).get("x");
    assertThat(y.dtype()).isEqualTo(dtype);
    assertThat(y.toDoubleArray()).containsExactly(values);
  }

  private static MemorySegment bytesOf(DType dtype, double[] v) {
    ByteBuffer b = ByteBuffer.allocate(3 * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (double d : v) {
      switch (dtype) {
        case F64 -> b.putDouble(d);
        case F32 -> b.putFloat((float) d);
        case BF16 -> b.putShort(DType.floatToBf16((float) d));
        case F16 -> b.putShort(Float.floatToFloat16((float) d));
        case I64 -> b.putLong((long) d);
        case I32 -> b.putInt((int) d);
        case U8, BOOL -> b.put((byte) d);
      }
    }
    return MemorySegment.ofArray(b.array());
  }

  @Test
  void writesDeterministicAlignedBytes() throws IOException {
    var first = new LinkedHashMap<String, Tensor>();
    first.put("z", Tensors.full(DEVICE, DType.F32, 1, 2));
    first.put("a", Tensors.full(DEVICE, DType.U8, 7, 3));
    first.put("b", Tensors.of(DEVICE, new float[] {1, 2, 3, 4}, 2, 2));
    first.put("s", Tensors.full(DEVICE, DType.F64, 2.5));
    first.put("e", Tensors.zeros(DEVICE, DType.F32, 0, 3));
    var second = new LinkedHashMap<String, Tensor>();
    first.keySet().stream().sorted().forEach(k -> second.put(k, first.get(k)));
    Path p = dir.resolve("1");
    Path q = dir.resolve("2");
    Safetensors.write(p, first, Map.of("y", "1", "x", "a\"\\\u0001"));
    Safetensors.write(q, second, new java.util.TreeMap<>(Map.of("x", "a\"\\\u0001", "y", "1")));
    assertThat(Files.readAllBytes(p)).isEqualTo(Files.readAllBytes(q));
    String expected =
        "{\"__metadata__\":{\"x\":\"a\\\"\\\\\\u0001\",\"y\":\"1\"},"
            + "\"s\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]},"
            + "\"e\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[24,24]},"
            + "\"z\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]},"
            + "\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[32,35]}}";
    byte[] all = Files.readAllBytes(p);
    int length = (int) ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat(length % 8).isZero();
    assertThat(new String(all, 8, length, StandardCharsets.UTF_8).stripTrailing())
        .isEqualTo(expected);
    assertThat(all).hasSize(8 + length + 35);
    try (var file = Safetensors.open(p)) {
      assertThat(file.metadata()).containsEntry("x", "a\"\\\u0001");
      assertThat(file.read(DEVICE, "b").toFloatArray()).containsExactly(1, 2, 3, 4);
      assertThat(file.read(DEVICE, "e").count()).isZero();
      assertThat(file.read(DEVICE, "s").item()).isEqualTo(2.5);
    }
    try (var files = Files.list(dir)) {
      assertThat(files).hasSize(2); // nothing temporary is left
    }
  }

  @Test
  void writesStridedTensorsRowMajor() {
    Tensor x = Tensor.empty(DEVICE, DType.F32, Layout.of(new long[] {2, 2}, new long[] {1, 2}));
    x.buffer().copyFrom(MemorySegment.ofArray(new float[] {1, 2, 3, 4}));
    Path p = dir.resolve("x");
    Safetensors.write(p, Map.of("x", x));
    assertThat(Safetensors.read(DEVICE, p).get("x").toFloatArray()).containsExactly(1, 3, 2, 4);
  }

  @Test
  void anEmptyFileOfTensorsIsFine() {
    Path p = dir.resolve("x");
    Safetensors.write(p, Map.of());
    assertThat(Safetensors.read(DEVICE, p)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]}} x|2|nothing may follow",
        " {}|0|must begin with '{'",
        "[]|0|must begin with '{'",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},}|2|expected '\"'",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,3]}}|3|as far apart as the shape",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[2,0]}}|2|as far apart as the shape",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]}}|3|must fill the file",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]}}|1|must fill the file",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[1,3]}}|3|gap or overlap",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[2],'data_offsets':[1,3]}}|3|gap or overlap",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[1],'data_offsets':[3,4]}}|4|gap or overlap",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},'a':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}|2|is there twice",
        "{'a':{'dtype':'U8','shape':[],'data_offsets':[0,1]},'\\u0061':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}|2|is there twice",
        "{'a':{'dtype':'U8','dtype':'U8','shape':[1],'data_offsets':[0,1]}}|1|is there twice",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1],'shape':[1]}}|1|is there twice",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1],'data_offsets':[0,1]}}|1|is there twice",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1],'more':1}}|1|unknown member",
        "{'a':{'dtype':'U8','shape':[1]}}|1|lacks one of",
        "{'a':{'dtype':'X8','shape':[1],'data_offsets':[0,1]}}|1|unknown dtype",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1,2]}}|1|at most 2",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0]}}|1|must be two",
        "{'a':{'dtype':'U8','shape':[-1],'data_offsets':[0,1]}}|1|not negative",
        "{'a':{'dtype':'U8','shape':[1.0],'data_offsets':[0,1]}}|1|expected ']'",
        "{'a':{'dtype':'U8','shape':[01],'data_offsets':[0,1]}}|1|begin with 0",
        "{'a':{'dtype':'U8','shape':[99999999999999999999],'data_offsets':[0,1]}}|1|below 2^63",
        "{'a':{'dtype':'U8','shape':[9223372036854775808],'data_offsets':[0,1]}}|1|below 2^63",
        "{'a':{'dtype':'U8','shape':[18446744073709551617],'data_offsets':[0,1]}}|1|below 2^63",
        "{'a':{'dtype':'F64','shape':[4611686018427387904,4],'data_offsets':[0,0]}}|0|as far apart",
        "{'a':{'dtype':'U8','shape':[0,9223372036854775807,9],'data_offsets':[0,0]}}|0|as far apart",
        "{'__metadata__':{'a':1}}|0|expected '\"'",
        "{'__metadata__':{'a':'1','a':'2'}}|0|is there twice",
        "{'__metadata__':{},'__metadata__':{}}|0|is there twice",
        "{'__metadata__':{'a':'\\ud800'}}|0|surrogate",
        "{'__metadata__':{'a':'\\ud800\\u0041'}}|0|surrogate",
        "{'__metadata__':{'a':'\\udc00'}}|0|surrogate",
        "{'__metadata__':{'a':'\\u12'}}|0|hexadecimal",
        "{'__metadata__':{'a':'\\x'}}|0|unknown escape",
        "{'__metadata__':{'a':'\t'}}|0|control character",
        "{'__metadata__':{'a':'|0|no end",
        "{'__metadata__':{'a':'\\|0|no end",
        "{|0|expected '\"', found the end",
        "{'__metadata__':{é|0|found byte 195",
      })
  void refusesBrokenHeaders(String header, int dataBytes, String message) throws IOException {
    Path p = write(header.replace('\'', '"').replace("{\"\"", "{'"), dataBytes);
    assertThatThrownBy(() -> Safetensors.read(DEVICE, p))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(p.toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_001, 3})
  void refusesImpossibleHeaderLengths(long length) throws IOException {
    byte[] bytes = file("{}", 0);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    Path p = Files.write(dir.resolve("x"), bytes);
    assertThatThrownBy(() -> Safetensors.open(p))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("header length")
        .hasMessageContaining("bytes that follow=2");
  }

  @Test
  void refusesTextThatIsNotUtf8() throws IOException {
    byte[] bytes = file("{\"__metadata__\":{\"a\":\"x\"}}", 0);
    bytes[bytes.length - 4] = (byte) 0xC0;
    Path p = Files.write(dir.resolve("x"), bytes);
    assertThatThrownBy(() -> Safetensors.open(p))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("UTF-8");
  }

  @Test
  void namesTheDtypeThatTensorsLack() throws IOException {
    Path p = write("{\"a\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8);
    try (var file = Safetensors.open(p)) {
      assertThatThrownBy(() -> file.read(DEVICE, "a"))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("no dtype to hold it; dtype in file=U64");
    }
  }

  @Test
  void refusesBooleansOtherThan0And1() throws IOException {
    Path p = write("{\"a\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2);
    assertThatThrownBy(() -> Safetensors.read(DEVICE, p))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("a boolean must be 0 or 1; found 2");
  }

  @Test
  void everyPrefixAndEveryByteChange() {
    byte[] valid =
        file(
            "{\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[2,6]},"
                + "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
            6);
    Damage.Reader reader =
        (file, contents) -> {
          try (Scope inner = Scope.open()) {
            long bytes = 0;
            for (Tensor x : Safetensors.read(DEVICE, SafetensorsFile.open(file)).values()) {
              bytes += x.dtype().bytes(x.count());
            }
            long header = ByteBuffer.wrap(contents).order(ByteOrder.LITTLE_ENDIAN).getLong();
            assertThat(bytes).isEqualTo(contents.length - 8 - header);
          }
        };
    assertThat(Damage.everyPrefix(valid, reader)).isEqualTo(valid.length);
    int refused = Damage.everyByte(valid, reader);
    // a change of data, of a name, or of one dtype or white space into another is no damage
    assertThat(refused).isBetween((valid.length - 6 - 20) * 255, (valid.length - 6) * 255 - 2);
  }

  /** What this thread has allocated on the heap; by name, as the module does not require it. */
  private static long allocatedBytes() throws ReflectiveOperationException {
    Object threads =
        Class.forName("java.lang.management.ManagementFactory")
            .getMethod("getThreadMXBean")
            .invoke(null);
    return (long)
        Class.forName("com.sun.management.ThreadMXBean")
            .getMethod("getCurrentThreadAllocatedBytes")
            .invoke(threads);
  }

  @Test
  void readingCopiesNothingOnTheHeap() throws ReflectiveOperationException {
    Path p = dir.resolve("big");
    int n = 4 << 20;
    Safetensors.write(p, Map.of("x", Tensors.full(DEVICE, DType.U8, 3, n)));
    long before = allocatedBytes();
    Tensor x = Safetensors.read(DEVICE, p).get("x");
    assertThat(allocatedBytes() - before).isLessThan(256 << 10);
    assertThat(x.count()).isEqualTo(n);
  }

  @Test
  void aHeaderOfManyTensorsNeedsLittleHeap() throws Exception {
    var header = new StringBuilder("{");
    for (int i = 0; i < 20_000; i++) {
      header
          .append('"')
          .append(Integer.toString(i, 36))
          .append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},");
    }
    header.setCharAt(header.length() - 1, '}');
    Path p = write(header.toString(), 0);
    Safetensors.open(p).close();
    long before = allocatedBytes();
    try (var file = Safetensors.open(p)) {
      // all allocations, live or not: an upper bound of the peak; garbage included
      assertThat(allocatedBytes() - before).isLessThan(12L * Files.size(p));
      assertThat(file.names()).hasSize(20_000);
    }
  }

  @Test
  void aFileCutWhileOpenIsNoCrash() throws IOException {
    Path p = dir.resolve("x");
    Safetensors.write(p, Map.of("x", Tensors.full(DEVICE, DType.U8, 3, 1 << 20)));
    try (var file = Safetensors.open(p)) {
      try (var channel = FileChannel.open(p, StandardOpenOption.WRITE)) {
        channel.truncate(4096);
      }
      assertThatThrownBy(() -> file.read(DEVICE, "x"))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("cut while it was being read");
    }
  }

  @Test
  void filesThatCannotBeReadOrWritten() throws IOException {
    Path none = dir.resolve("none");
    assertThatThrownBy(() -> Safetensors.open(none))
        .isInstanceOf(FileException.class)
        .hasMessage(none + ": can't be read: no such file or folder")
        .satisfies(e -> assertThat(((FileException) e).file()).isEqualTo(none.toString()));
    assertThatThrownBy(() -> Safetensors.open(dir))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("not a regular file");
    Path inNone = none.resolve("x");
    assertThatThrownBy(() -> Safetensors.write(inNone, Map.of()))
        .isInstanceOf(FileException.class)
        .hasMessage(inNone + ": can't be written: no such file or folder");
    assertThatThrownBy(() -> Safetensors.write(dir.getRoot(), Map.of()))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("names no file");
    Path folder = Files.createDirectory(dir.resolve("folder"));
    Files.createFile(folder.resolve("x"));
    assertThatThrownBy(() -> Safetensors.write(folder, Map.of())).isInstanceOf(FileException.class);
    try (var files = Files.list(dir)) {
      assertThat(files).containsExactly(folder);
    }
  }

  @Test
  void wrongUse() throws IOException {
    Tensor x = Tensors.zeros(DEVICE, DType.F32, 1);
    Path p = dir.resolve("x");
    assertThatThrownBy(() -> Safetensors.write(p, Map.of("__metadata__", x)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("__metadata__");
    assertThatThrownBy(() -> Safetensors.write(p, Map.of("\ud800", x)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("surrogate");
    assertThat(p).doesNotExist();
    Safetensors.write(p, Map.of("x", x));
    var file = Safetensors.open(p);
    assertThatThrownBy(() -> file.read(DEVICE, "y"))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("name=y");
    file.close();
    assertThatThrownBy(() -> file.read(DEVICE, "x")).isInstanceOf(ClosedException.class);
    assertThatThrownBy(file::close).isInstanceOf(ClosedException.class);
  }

  @Test
  void aFailedWriteLeavesTheOldFile() throws IOException {
    Path p = dir.resolve("x");
    Safetensors.write(p, Map.of("x", Tensors.zeros(DEVICE, DType.F32, 1)));
    byte[] before = Files.readAllBytes(p);
    Tensor closed = Tensors.zeros(DEVICE, DType.F32, 1);
    closed.close();
    assertThatThrownBy(() -> Safetensors.write(p, Map.of("x", closed)))
        .isInstanceOf(ClosedException.class);
    assertThat(Files.readAllBytes(p)).isEqualTo(before);
    try (var files = Files.list(dir)) {
      assertThat(files).containsExactly(p);
    }
  }
}
