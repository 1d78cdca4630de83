#include "harness.h"

extern "C" int test_hopper_operands(int, int, bool, bool, bool, const void*, const void*, float*);
extern "C" int test_hopper_image(int, const void*, int, int, int, int, int, int, int, int, int,
                                 unsigned*);

namespace {
// Small integers, which both types hold exactly.
std::vector<uint16_t> draw(Random& random, int count, bool f16) {
  std::vector<uint16_t> v(count);
  for (auto& x : v) {
    const auto value = static_cast<float>(static_cast<int>(random() * 5));
    if (f16) {
      const _Float16 half = static_cast<_Float16>(value);
      memcpy(&x, &half, 2);
    } else {
      x = float_to_bf16(value);
    }
  }
  return v;
}
double value(uint16_t bits, bool f16) {
  if (!f16) return bf16_to_float(bits);
  _Float16 half;
  memcpy(&half, &bits, 2);
  return static_cast<double>(half);
}

void operands(Checks& checks, int span, int n, bool f16) {
  Random random;
  const auto a = draw(random, 64 * 64, f16), b = draw(random, n * 64, f16);
  DeviceArray<uint16_t> da(a), db(b);
  for (int major = 0; major < 4; major++) {
    const std::string where = "wgmma n" + std::to_string(n) + (f16 ? " f16" : " bf16") + ", span " +
                              std::to_string(span) + ", A " + (major & 1 ? "MN" : "K") +
                              " major, B " + (major & 2 ? "MN" : "K") + " major";
    DeviceArray<float> c(64 * n);
    if (!launched(checks,
                  test_hopper_operands(span, n, f16, major & 1, major & 2, da.data(), db.data(),
                                       c.data()),
                  where)) {
      return;
    }
    const auto got = c.get();
    for (int i = 0; i < 64; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int k = 0; k < 64; k++) sum += value(a[i * 64 + k], f16) * value(b[j * 64 + k], f16);
        if (!checks.close(got[i * n + j], sum, 0, where)) return;
      }
    }
  }
}

void images(Checks& checks) {
  const int rows = 40, cols = 72, pitch = 80, box_rows = 16, rounds = 3;
  std::vector<uint16_t> x(2 * rows * pitch);
  for (size_t i = 0; i < x.size(); i++) x[i] = static_cast<uint16_t>(i + 1);
  DeviceArray<uint16_t> dx(x);
  for (const int span : {16, 32, 64, 128}) {
    for (const int col : {0, 24, -8, 56}) {
      for (const int row : {0, -3, 30}) {
        const int z = row == -3 ? 1 : row == 30 ? 0 : -1;
        const int box_cols = span == 16 ? 24 : span / 2, n = box_rows * box_cols;
        const std::string where = "TMA, span " + std::to_string(span) + ", box at row " +
                                  std::to_string(row) + ", column " + std::to_string(col);
        DeviceArray<unsigned> out(rounds * n / 2);
        if (!launched(checks,
                      test_hopper_image(span, dx.data(), rows, cols, pitch, box_rows, box_cols, col,
                                        row, z, rounds, out.data()),
                      where)) {
          return;
        }
        const auto got = out.get();
        for (int q = 0; q < rounds; q++) {
          for (int i = 0; i < box_rows; i++) {
            for (int j = 0; j < box_cols; j++) {
              int p = (i * box_cols + j) * 2;
              p ^= ((p >> 7) & (span / 16 - 1)) << 4;
              const int gy = row + q + i, gx = col + j;
              const bool inside = gx >= 0 && gy >= 0 && gx < cols && gy < rows;
              const unsigned value = got[q * (n / 2) + p / 4] >> 8 * (p & 2) & 0xffff;
              checks.close(value, inside ? x[(z > 0 ? rows * pitch : 0) + gy * pitch + gx] : 0, 0,
                           where);
            }
          }
        }
      }
    }
  }
}
}  // namespace

int main() {
  Checks checks("hopper");
  for (const int span : {16, 32, 64, 128}) operands(checks, span, 64, false);
  for (const int n : {128, 256}) {
    operands(checks, 128, n, false);
    operands(checks, 128, n, true);
  }
  images(checks);
  return checks.finish();
}
