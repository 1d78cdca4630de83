package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.io.Npy;
import dev.gridstride.kernels.LossReduction;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Tensors of more than 2^31 elements: no place is computed in 32 bits. Some rows are compared with
 * the same op on a small tensor of those rows alone; what ends or begins at 2^30, 2^31 or 2^32
 * bytes or elements is among them.
 */
@Tag("slow")
@Tag("vector-only") // hours in scalar code
@Isolated // 9 GB
final class HugeTensorsTest {
  private static final Device CPU = Device.cpu();
  private static final int COLS = 1 << 15;

  /** With {@link #COLS} 2^31 elements and a row more. */
  private static final int ROWS = (1 << 16) + 1;

  private static final int[] LOOKED_AT = {0, 16_384, 32_767, 32_768, 65_535, 65_536};

  @TempDir Path folder;

  @AfterEach
  void givesBack() {
    CPU.trim();
  }

  /** Whole numbers of at most 125, which bf16 holds. */
  private static int value(long row, long col) {
    return (int) ((row * 37 + col * 11) % 251) - 125;
  }

  /** Row {@code i} is a stretch of one sequence: 37 i = 11 (137 * 37 i), modulo 251. */
  private static int start(long row) {
    return (int) (row * 37 * 137 % 251);
  }

  private static Tensor huge() {
    var sequence = new short[COLS + 251];
    for (int k = 0; k < sequence.length; k++) {
      sequence[k] = DType.floatToBf16(value(0, k));
    }
    Tensor x = Tensor.empty(CPU, DType.BF16, ROWS, COLS);
    MemorySegment all = MemorySegment.ofArray(sequence);
    long bytes = 2L * COLS;
    for (int i = 0; i < ROWS; i++) {
      x.buffer().slice(i * bytes, bytes).copyFrom(all.asSlice(2L * start(i), bytes));
    }
    return x;
  }

  /** The rows that are looked at, alone, from the formula. */
  private static Tensor small() {
    var values = new double[LOOKED_AT.length * COLS];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(LOOKED_AT[i / COLS], i % COLS);
    }
    return Tensors.of(CPU, values, LOOKED_AT.length, COLS).to(DType.BF16);
  }

  private static double[] numbers(Tensor x) {
    Tensor y = x.contiguous();
    return y.dtype().isFloating()
        ? y.toDoubleArray()
        : Arrays.stream(y.dtype() == DType.I64 ? y.toLongArray() : y.to(DType.I64).toLongArray())
            .asDoubleStream()
            .toArray();
  }

  /** An op that works on each row alone. */
  private static void rowsAreThoseOf(Tensor huge, UnaryOperator<Tensor> op) {
    try (Scope scope = Scope.open()) {
      Tensor y = op.apply(huge);
      Tensor expected = op.apply(small());
      for (int i = 0; i < LOOKED_AT.length; i++) {
        int row = LOOKED_AT[i];
        assertThat(numbers(y.slice(0, row, row + 1)))
            .as("row %d", row)
            .isEqualTo(numbers(expected.slice(0, i, i + 1)));
      }
    }
    CPU.trim();
  }

  @Test
  void elementwise() {
    try (Scope scope = Scope.open()) {
      Tensor x = huge();
      assertThat(x.count()).isGreaterThan(1L << 31);
      rowsAreThoseOf(x, Tensor::neg);
      rowsAreThoseOf(x, Tensor::gelu);
      Tensor row = small().slice(0, 1, 2);
      rowsAreThoseOf(x, t -> t.add(row));
      rowsAreThoseOf(x, t -> t.gt(row));
      rowsAreThoseOf(x, t -> t.to(DType.U8));
      rowsAreThoseOf(x, t -> t.slice(1, 1, COLS, 2).contiguous());
      rowsAreThoseOf(x, t -> t.flip(1));
    }
  }

  @Test
  void rows() {
    try (Scope scope = Scope.open()) {
      Tensor x = huge();
      rowsAreThoseOf(x, t -> t.softmax(1));
      rowsAreThoseOf(x, t -> t.rmsNorm(1, null, 1e-5));
      rowsAreThoseOf(x, t -> t.layerNorm(1, null, null, 1e-5));
      rowsAreThoseOf(x, t -> t.sum(1));
      rowsAreThoseOf(x, t -> t.max(1));
      rowsAreThoseOf(x, t -> t.argMin(1));
      rowsAreThoseOf(x, t -> t.topK(3, 1).indices());
      rowsAreThoseOf(x, t -> t.logSumExp(1));
      rowsAreThoseOf(
          x,
          t -> {
            var options = CrossEntropyOptions.DEFAULTS.withReduction(LossReduction.NONE);
            var targets = new long[(int) t.shape().dims()[0]];
            Arrays.fill(targets, COLS - 1);
            return t.crossEntropy(Tensors.of(CPU, targets), options);
          });
    }
  }

  @Test
  void asOneRow() {
    try (Scope scope = Scope.open()) {
      Tensor x = huge();
      long sum = 0;
      for (int i = 0; i < ROWS; i++) {
        // 130 whole periods of the sequence, which sum to 0, and 138 elements
        for (int j = 0; j < COLS % 251; j++) {
          sum += value(i, j);
        }
      }
      Tensor flat = x.reshape(x.count());
      assertThat(flat.sum(0).item()).isEqualTo(DType.bf16ToFloat(DType.floatToBf16((float) sum)));
      long last = x.count() - 1;
      x.buffer()
          .slice(2 * last, 2)
          .copyFrom(MemorySegment.ofArray(new short[] {DType.floatToBf16(200)}));
      assertThat(flat.max(0).item()).isEqualTo(200);
      assertThat(flat.argMax(0).toLongArray()).containsExactly(last);
    }
  }

  @Test
  void columns() {
    try (Scope scope = Scope.open()) {
      Tensor x = huge();
      Tensor y = x.transpose().contiguous();
      for (int j : new int[] {0, 32_766, COLS - 1}) {
        double[] expected = new double[ROWS];
        Arrays.setAll(expected, i -> value(i, j));
        assertThat(numbers(y.slice(0, j, j + 1))).as("column %d", j).isEqualTo(expected);
      }
      y.close();
      CPU.trim();
      // along the rows: 65,537 is 261 periods and 26 elements
      Tensor sums = x.sum(0);
      double[] expected = new double[COLS];
      for (int j = 0; j < COLS; j++) {
        int sum = 0;
        for (int i = 0; i < ROWS % 251; i++) {
          sum += value(i, j);
        }
        expected[j] = DType.bf16ToFloat(DType.floatToBf16(sum));
      }
      assertThat(numbers(sums)).isEqualTo(expected);
    }
  }

  @Test
  void moves() {
    try (Scope scope = Scope.open()) {
      Tensor x = huge();
      var rows = new long[LOOKED_AT.length];
      Arrays.setAll(rows, i -> LOOKED_AT[i]);
      Tensor index = Tensors.of(CPU, rows);
      assertThat(numbers(x.embedding(index))).isEqualTo(numbers(small()));
      Tensor cols = Tensors.of(CPU, new long[] {COLS - 1, 0, 5});
      Tensor corner = x.slice(0, ROWS - 1, ROWS).gather(1, cols.reshape(1, 3));
      assertThat(numbers(corner))
          .containsExactly(value(ROWS - 1, COLS - 1), value(ROWS - 1, 0), value(ROWS - 1, 5));
      rowsAreThoseOf(x, t -> t.pad(new long[] {0, 3}, new long[] {0, 2}, 9));
      Tensor y = x.indexAdd(0, index, small());
      for (int row : LOOKED_AT) {
        double[] expected = new double[COLS];
        Arrays.setAll(expected, j -> 2 * value(row, j));
        assertThat(numbers(y.slice(0, row, row + 1))).as("row %d", row).isEqualTo(expected);
      }
      assertThat(numbers(y.slice(0, 65_534, 65_535)))
          .isEqualTo(numbers(x.slice(0, 65_534, 65_535)));
      y.close();
      CPU.trim();
      Tensor parts = Tensors.concat(0, x.slice(0, 40_000, ROWS), x.slice(0, 0, 40_000));
      for (int row : LOOKED_AT) {
        int to = (row + ROWS - 40_000) % ROWS;
        assertThat(numbers(parts.slice(0, to, to + 1)))
            .as("row %d", row)
            .isEqualTo(numbers(x.slice(0, row, row + 1)));
      }
    }
  }

  @Test
  void products() {
    try (Scope scope = Scope.open()) {
      Tensor x = huge();
      var signs = new double[COLS * 3];
      Arrays.setAll(signs, i -> i % 5 - 2);
      Tensor w = Tensors.of(CPU, signs, COLS, 3).to(DType.BF16);
      // whole numbers, below 2^24: the same in any order
      rowsAreThoseOf(x, t -> t.matmul(w));
      Tensor left = x.slice(1, 0, 4);
      Tensor right = small().slice(0, 1, 5).contiguous();
      Tensor wide = left.matmul(right);
      assertThat(wide.count()).isGreaterThan(1L << 31);
      for (int row : LOOKED_AT) {
        double[] expected = new double[COLS];
        for (int j = 0; j < COLS; j++) {
          int sum = 0;
          for (int k = 0; k < 4; k++) {
            sum += value(row, k) * value(LOOKED_AT[k + 1], j);
          }
          expected[j] = DType.bf16ToFloat(DType.floatToBf16(sum));
        }
        assertThat(numbers(wide.slice(0, row, row + 1))).as("row %d", row).isEqualTo(expected);
      }
    }
  }

  @Test
  void images() {
    try (Scope scope = Scope.open()) {
      // an image for each row: the CPU convolves no image of more than 2^31 bytes
      Tensor x = huge().reshape(ROWS, 1, 128, 256);
      Tensor pooled = x.maxPool2d(2);
      Tensor ones = Tensors.ones(CPU, DType.BF16, 1, 1, 2, 2);
      Tensor y = x.conv2d(ones, null, ConvOptions.DEFAULT.withStride(2));
      for (int row : LOOKED_AT) {
        double[] largest = new double[COLS / 4];
        double[] sums = new double[COLS / 4];
        for (int o = 0; o < COLS / 4; o++) {
          int first = o / 128 * 2 * 256 + o % 128 * 2;
          int[] window = new int[4];
          Arrays.setAll(window, k -> value(row, first + k / 2 * 256 + k % 2));
          largest[o] = Arrays.stream(window).max().getAsInt();
          sums[o] = DType.bf16ToFloat(DType.floatToBf16(Arrays.stream(window).sum()));
        }
        assertThat(numbers(pooled.slice(0, row, row + 1))).as("row %d", row).isEqualTo(largest);
        assertThat(numbers(y.slice(0, row, row + 1))).as("row %d", row).isEqualTo(sums);
      }
    }
  }

  @Test
  void chance() {
    long n = (1L << 31) + 1000;
    try (Scope scope = Scope.open()) {
      Tensor x = new Generator(5).integers(CPU, DType.U8, 0, 200, n);
      Tensor begin = new Generator(5).integers(CPU, DType.U8, 0, 200, 1000);
      assertThat(numbers(x.slice(0, 0, 1000))).isEqualTo(numbers(begin));
      // an element comes from its number: the tail is none of what came 2^31 or 2^32 words before
      double[] tail = numbers(x.slice(0, n - 1000, n));
      assertThat(tail).isNotEqualTo(numbers(begin));
      assertThat(Arrays.stream(tail).average().orElseThrow()).isBetween(80.0, 120.0);
      assertThat(Arrays.stream(tail).distinct().count()).isGreaterThan(150);
    }
  }

  @Test
  void files() {
    long n = (1L << 31) + 1000;
    Path file = folder.resolve("huge.npy");
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.zeros(CPU, DType.U8, n);
      byte[] marks = {1, 2, 3};
      for (long at : new long[] {0, (1L << 31) - 1, n - 3}) {
        x.buffer().slice(at, 3).copyFrom(MemorySegment.ofArray(marks));
      }
      Npy.write(file, x);
      Tensor y = Npy.read(CPU, file);
      assertThat(y.count()).isEqualTo(n);
      for (long at : new long[] {0, (1L << 31) - 1, n - 3}) {
        assertThat(numbers(y.slice(0, at, at + 3))).as("at %d", at).containsExactly(1, 2, 3);
      }
      assertThat(y.ne(x).to(DType.U8).max(0).toLongArray()).containsExactly(0);
    }
  }
}
