package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(TestDevice.class)
class CsvTest {
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

  private Csv csv(String text) throws IOException {
    return Csv.read(write(text));
  }

  private Path write(String text) throws IOException {
    return Files.writeString(dir.resolve("t.csv"), text);
  }

  @Test
  void numbersAndClasses() throws IOException {
    Csv t = csv("a,b,kind\n1,2.5,cat\n-3e2,+.5,ant\n\n0,4.,cat\n");
    assertThat(t.rows()).isEqualTo(3);
    assertThat(t.names()).containsExactly("a", "b", "kind");
    assertThat(t.namesWithout("kind")).containsExactly("a", "b");
    Tensor x = t.numeric(DEVICE, DType.F64, "b", "a");
    assertThat(x.shape()).isEqualTo(Shape.of(3, 2));
    assertThat(x.toDoubleArray()).containsExactly(2.5, 1, .5, -300, 4, 0);
    var c = t.classes(DEVICE, "kind");
    assertThat(c.names()).containsExactly("ant", "cat");
    assertThat(c.labels().toLongArray()).containsExactly(1, 0, 1);
    assertThat(t.strings("kind")).containsExactly("cat", "ant", "cat");
    assertThat(t).hasToString(dir.resolve("t.csv") + ": 3 rows of a, b, kind");
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16", "F16"})
  void everyFloatingType(DType dtype) throws IOException {
    assertThat(csv("a\n1.5\n-2").numeric(DEVICE, dtype, "a").toDoubleArray())
        .containsExactly(1.5, -2);
  }

  @Test
  void manyRowsAndColumns() throws IOException {
    var text = new StringBuilder("c0");
    for (int c = 1; c < 20; c++) {
      text.append(",c").append(c);
    }
    for (int r = 0; r < 1000; r++) {
      text.append('\n').append(r);
      for (int c = 1; c < 20; c++) {
        text.append(',').append(r * c);
      }
    }
    Csv t = csv(text.toString());
    double[] x = t.numeric(DEVICE, DType.F32, t.names()).toDoubleArray();
    assertThat(x).hasSize(20_000);
    assertThat(x[19_999]).isEqualTo(999 * 19);
    assertThat(x[19_980]).isEqualTo(999);
    assertThat(t.classes(DEVICE, "c0").labels().count()).isEqualTo(1000);
  }

  @Test
  void quotesLineEndsSeparatorsAndMark() throws IOException {
    Csv t = csv("\uFEFF\"a\",text\r\n\"1\",\"x, \"\"y\"\"\nz\"\r\n2,\r\n");
    assertThat(t.names()).containsExactly("a", "text");
    assertThat(t.strings("text")).containsExactly("x, \"y\"\nz", "");
    assertThat(t.numeric(DEVICE, DType.F32, "a").toDoubleArray()).containsExactly(1, 2);
    Csv s = Csv.read(write("a;b\n1,5;ä"), ';');
    assertThat(s.strings("a")).containsExactly("1,5");
    assertThat(s.strings("b")).containsExactly("ä");
    assertThat(csv("a,b\n1,2\n").strings("b")).containsExactly("2");
    assertThat(csv("a\n").rows()).isZero();
    assertThat(csv("a\n").numeric(DEVICE, DType.F32, "a").shape()).isEqualTo(Shape.of(0, 1));
  }

  @Test
  void missingValues() throws IOException {
    Csv t = csv("a,b\n1,NA\n2,5\nNA,6\n");
    assertThatThrownBy(() -> t.numeric(DEVICE, DType.F32, "b"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("line 2: column b must be a number; found \"NA\"");
    Csv m = t.withMissing("NA");
    assertThat(m.numeric(DEVICE, DType.F32, "b").toDoubleArray()).containsExactly(Double.NaN, 5, 6);
    Csv b = m.dropMissing("b");
    assertThat(b.rows()).isEqualTo(2);
    assertThat(b.strings("a")).containsExactly("2", "NA");
    assertThat(b.dropMissing().strings("b")).containsExactly("5");
    assertThat(m.dropMissing().strings("b")).containsExactly("5");
    assertThat(m.rows()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "1d", "0x1p3", "NaN", "1.2.3", "e5", "1e", "--1", "1e+", "1 2", ""})
  void refusesWhatIsNoDecimalNumber(String field) throws IOException {
    Csv t = csv("a,b\n1," + field + "\n");
    assertThatThrownBy(() -> t.numeric(DEVICE, DType.F32, "b"))
        .isInstanceOf(FormatException.class)
        .hasMessageEndingWith("line 2: column b must be a number; found \"" + field + "\"");
  }

  @Test
  void refusesBrokenTables() throws IOException {
    assertThatThrownBy(() -> csv("")).hasMessageContaining("a line of column names");
    assertThatThrownBy(() -> csv("a,b\n1,2\n1\n"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("line 3: must have as many fields as the header; header=2, found=1");
    assertThatThrownBy(() -> csv("a,a\n")).hasMessageContaining("each column once");
    assertThatThrownBy(() -> csv("a\n\"x\n\n")).hasMessageContaining("line 2: a quoted field");
    assertThatThrownBy(() -> csv("a\nx\"y\n")).hasMessageContaining("a quote inside a field");
    assertThatThrownBy(() -> csv("a\n\"x\"y\n")).hasMessageContaining("must follow a quoted");
    Path p = Files.write(dir.resolve("u"), new byte[] {'a', '\n', (byte) 0xE9, '\n'});
    assertThatThrownBy(() -> Csv.read(p))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("byte 2: must be UTF-8");
    assertThatThrownBy(() -> Csv.read(dir.resolve("none"))).isInstanceOf(FileException.class);
  }

  @Test
  void refusesTooManyClasses() throws IOException {
    var text = new StringBuilder("a\n");
    for (int i = 0; i <= 1 << 16; i++) {
      text.append(i).append('\n');
    }
    Csv t = csv(text.toString());
    assertThatThrownBy(() -> t.classes(DEVICE, "a"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("at most 65536 classes");
  }

  @Test
  void wrongUse() throws IOException {
    Csv t = csv("a,b\n1,2\n");
    assertThatThrownBy(() -> t.numeric(DEVICE, DType.F32, "c"))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("csv: column must be in the header; column=c, header=[a, b]");
    assertThatThrownBy(() -> t.numeric(DEVICE, DType.I32, "a"))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> t.numeric(DEVICE, DType.F32, List.of("a", "a")))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> Csv.read(dir, '"')).isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void everyPrefixAndEveryByteChange() {
    byte[] valid = "a,\"b\"\n1,\"x\"\"\"\r\n2,é\n".getBytes(StandardCharsets.UTF_8);
    Damage.Reader reader =
        (file, contents) -> {
          try (Scope inner = Scope.open()) {
            Csv t = Csv.read(file.path(), contents, ',');
            for (String name : t.names()) {
              assertThat(t.strings(name)).hasSize(t.rows());
              assertThat(t.classes(DEVICE, name).labels().count()).isEqualTo(t.rows());
            }
            t.numeric(DEVICE, DType.F32, t.names().get(0));
          }
        };
    assertThat(Damage.everyPrefix(valid, reader)).isPositive();
    assertThat(Damage.everyByte(valid, reader)).isPositive();
  }
}
