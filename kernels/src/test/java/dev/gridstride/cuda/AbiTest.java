package dev.gridstride.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.DType;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Everything that the binding says of the C ABI, beside the header that declares it. */
class AbiTest {
  private static final Path CLASSES = Path.of("target", "classes");
  private static final Path HEADER = Path.of("..", "native", "include", "gridstride.h");

  /** Constants of {@link Abi} with another name in the header, or of CUDA's own headers. */
  private static final Map<String, String> RENAMED = Map.of("VERSION", "GS_ABI_VERSION");

  private static final Set<String> NOT_OURS = Set.of("CUDA_OUT_OF_MEMORY", "NAME_BYTES");

  private static String text;

  @BeforeAll
  static void bindEverything() throws IOException, ClassNotFoundException {
    text = Files.readString(HEADER);
    try (var files = Files.list(CLASSES.resolve("dev/gridstride/cuda"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
        String name = CLASSES.relativize(file).toString().replace(File.separatorChar, '.');
        Class.forName(name.substring(0, name.length() - ".class".length()));
      }
    }
  }

  /** What does not agree, one line each. */
  private static List<String> differences(Header header) throws IllegalAccessException {
    var found = new ArrayList<String>();
    for (Field field : Abi.class.getDeclaredFields()) {
      if (field.getType() == StructLayout.class) {
        var layout = (StructLayout) field.get(null);
        compare(layout.name().orElseThrow(), layout, header, found);
      } else if (field.getType() == int.class && !NOT_OURS.contains(field.getName())) {
        String name = RENAMED.getOrDefault(field.getName(), "GS_" + field.getName());
        expect(name, header.constants().get(name), (long) field.getInt(null), found);
      }
    }
    for (DType type : DType.values()) {
      String name = "GS_" + type.name();
      expect(name, header.constants().get(name), (long) Abi.type(type), found);
    }
    Abi.BY_ORDINAL.forEach((type, first) -> compareEnumeration(type, first, header, found));
    Calls.bound().forEach((name, function) -> compare(name, function, header, found));
    return found;
  }

  private static void expect(String what, Object inC, Object inJava, List<String> found) {
    if (!inJava.equals(inC)) {
      found.add(what + ": the header has " + inC + ", the binding " + inJava);
    }
  }

  // ---- structures -------------------------------------------------------------------------------

  /** Bytes of a C type, which is also its alignment; 0 for a structure. */
  private static long bytes(Header.Declaration d) {
    if (d.isPointer()) {
      return 8;
    }
    return switch (d.type()) {
      case "char" -> 1;
      case "int32_t", "uint32_t", "float" -> 4;
      case "int64_t", "uint64_t", "double" -> 8;
      default -> 0;
    };
  }

  private static boolean sameType(Header.Declaration d, MemoryLayout layout) {
    if (d.isPointer()) {
      return layout instanceof ValueLayout.OfLong; // device memory
    }
    return switch (d.type()) {
      case "char" -> layout instanceof ValueLayout.OfByte;
      case "int32_t", "uint32_t" -> layout instanceof ValueLayout.OfInt;
      case "int64_t", "uint64_t" -> layout instanceof ValueLayout.OfLong;
      case "float" -> layout instanceof ValueLayout.OfFloat;
      case "double" -> layout instanceof ValueLayout.OfDouble;
      default -> layout instanceof StructLayout;
    };
  }

  /** Offsets by C's rule: each member at the next multiple of its alignment. */
  private static void compare(
      String struct, StructLayout layout, Header header, List<String> found) {
    List<Header.Declaration> members = header.structs().get(struct);
    if (members == null) {
      found.add(struct + ": not in the header");
      return;
    }
    expect(
        struct,
        members.stream().map(Header.Declaration::name).toList(),
        layout.memberLayouts().stream().map(m -> m.name().orElse("?")).toList(),
        found);
    long at = 0;
    for (Header.Declaration d : members) {
      String what = struct + "." + d.name();
      var path = PathElement.groupElement(d.name());
      MemoryLayout member;
      try {
        member = layout.select(path);
      } catch (IllegalArgumentException missing) {
        continue; // told above
      }
      long offset = layout.byteOffset(path);
      long elements = member instanceof SequenceLayout s ? s.elementCount() : 0;
      MemoryLayout element = member instanceof SequenceLayout s ? s.elementLayout() : member;
      expect(what + "[]", (long) d.length(), elements, found);
      if (!sameType(d, element)) {
        found.add(what + ": the header has " + d.type() + ", the binding " + element);
      } else if (element instanceof StructLayout inner) {
        compare(d.type(), inner, header, found);
      }
      long size = bytes(d) == 0 ? element.byteSize() : bytes(d);
      long alignment = bytes(d) == 0 ? element.byteAlignment() : size;
      at = Math.ceilDiv(at, alignment) * alignment;
      expect(what + " at", at, offset, found);
      at += size * Math.max(1, d.length());
    }
    expect("sizeof " + struct, Math.ceilDiv(at, 8) * 8, layout.byteSize(), found);
  }

  // ---- enumerations and functions ---------------------------------------------------------------

  private static void compareEnumeration(
      Class<? extends Enum<?>> type, String first, Header header, List<String> found) {
    List<String> inC =
        header.enumerations().stream()
            .filter(e -> e.getFirst().equals(first))
            .findAny()
            .orElse(List.of());
    List<String> inJava = Arrays.stream(type.getEnumConstants()).map(Enum::name).toList();
    boolean same = inC.size() == inJava.size();
    for (int i = 0; same && i < inC.size(); i++) {
      same = inC.get(i).endsWith("_" + inJava.get(i)) && header.constants().get(inC.get(i)) == i;
    }
    if (!same) {
      found.add(type.getName() + ": the header has " + inC + ", the binding " + inJava);
    }
  }

  private static void compare(
      String name, FunctionDescriptor bound, Header header, List<String> found) {
    Header.Function declared = header.functions().get(name);
    if (declared == null) {
      found.add(name + ": not in the header");
      return;
    }
    if (!passes(
        new Header.Declaration(declared.result(), "result", 0), bound.returnLayout().get())) {
      found.add(name + ": the result is " + declared.result());
    }
    boolean same = declared.parameters().size() == bound.argumentLayouts().size();
    for (int i = 0; same && i < declared.parameters().size(); i++) {
      same = passes(declared.parameters().get(i), bound.argumentLayouts().get(i));
    }
    if (!same) {
      found.add(name + ": the header has " + declared.parameters() + ", the binding " + bound);
    }
  }

  /** Descriptions are in host memory; other pointers may be to either memory. */
  private static boolean passes(Header.Declaration d, MemoryLayout layout) {
    boolean device = layout.equals(Calls.DEVICE);
    return switch (d.type()) {
      case "gs_stream", "gs_event", "gs_graph", "gs_module", "gs_function", "gs_step_control*" ->
          device;
      case "gs_status" -> layout.equals(Calls.I32);
      default ->
          d.isPointer()
              ? layout.equals(Calls.HOST) || (device && !d.type().startsWith("gs_"))
              : !device && sameType(d, layout);
    };
  }

  // ---- tests ------------------------------------------------------------------------------------

  @Test
  void theBindingAgreesWithTheHeader() throws IllegalAccessException {
    assertThat(differences(Header.parse(text))).isEmpty();
    assertThat(Calls.bound()).hasSizeGreaterThan(40);
  }

  /** Enumerations go by {@link Abi#number}, which knows those that are compared. */
  @Test
  void noBindingPassesAnOrdinalOfItsOwn() throws IOException {
    try (var files = Files.list(Path.of("src/main/java/dev/gridstride/cuda"))) {
      for (Path file : files.filter(f -> !f.endsWith("Abi.java")).toList()) {
        assertThat(Files.readString(file)).as(file.toString()).doesNotContain(".ordinal()");
      }
    }
  }

  /** The comparison sees each kind of change. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          int64_t outer, size, inner;            | int64_t size, outer, inner;
          int64_t outer, size, inner;            | int64_t outer, length, inner;
          int64_t outer, size, inner;            | int64_t outer, size, inner, depth;
          int64_t outer, size, inner;            | int32_t outer, size, inner, more;
          double label_smoothing;                | int64_t label_smoothing;
          void* state[3];                        | void* state[4];
          gs_conv_axis axis[3];                  | gs_pool_axis axis[3];
          int64_t size, kernel, stride, pad_begin| int64_t kernel, size, stride, pad_begin
          #define GS_MAX_DIMS 8                  | #define GS_MAX_DIMS 9
          #define GS_ABI_VERSION                 | #define GS_ABI_NUMBER
          GS_UNSUPPORTED = -2                    | GS_UNSUPPORTED = -4
          GS_BF16 = 2,                           | GS_BF16 = 9,
          GS_MAX = 4,                            | GS_MAXIMUM = 4,
          GS_RMSPROP = 2                         | GS_RMSPROP = 5
          GS_NCHW = 0, GS_NHWC = 1               | GS_NHWC = 0, GS_NCHW = 1
          double alpha, const void* a            | float alpha, const void* a
          int64_t count, double p,               | double p, int64_t count,
          const gs_pool* pool, const void* x     | int64_t pool, const void* x
          void* dx, void* workspace, gs_stream   | void* dx, gs_stream
          gs_conv_transpose_forward(             | gs_conv_transposed_forward(
          gs_status gs_device_synchronize        | int64_t gs_device_synchronize
          """)
  void aChangeOfTheHeaderIsSeen(String original, String changed) throws IllegalAccessException {
    assertThat(text).contains(original);
    String other = text.replaceFirst(Pattern.quote(original), changed);
    assertThat(differences(Header.parse(other))).isNotEmpty();
  }
}
