#include "harness.h"

extern "C" int test_hopper_operands(int, bool, bool, const void*, const void*, float*);
extern "C" int test_hopper_image(int, const void*, int, int, int, int, int, int, int, int,
                                 unsigned*);

namespace {
void operands(Checks& checks) {
  Random random;
  std::vector<uint16_t> a(4096), b(4096);
  for (auto& x : a) x = float_to_bf16(static_cast<float>(static_cast<int>(random() * 5)));
  for (auto& x : b) x = float_to_bf16(static_cast<float>(static_cast<int>(random() * 5)));
  DeviceArray<uint16_t> da(a), db(b);
  for (const int span : {16, 32, 64, 128}) {
    for (int major = 0; major < 4; major++) {
      const std::string where = "wgmma, span " + std::to_string(span) + ", A " +
                                (major & 1 ? "MN" : "K") + " major, B " + (major & 2 ? "MN" : "K") +
                                " major";
      DeviceArray<float> c(4096);
      if (!launched(
              checks,
              test_hopper_operands(span, major & 1, major & 2, da.data(), db.data(), c.data()),
              where)) {
        return;
      }
      const auto got = c.get();
      for (int i = 0; i < 64; i++) {
        for (int j = 0; j < 64; j++) {
          double sum = 0;
          for (int k = 0; k < 64; k++) {
            sum += double(bf16_to_float(a[i * 64 + k])) * bf16_to_float(b[j * 64 + k]);
          }
          if (!checks.close(got[i * 64 + j], sum, 0, where)) return;
        }
      }
    }
  }
}

void images(Checks& checks) {
  const int rows = 40, cols = 72, pitch = 80, box_rows = 16, rounds = 3;
  std::vector<uint16_t> x(rows * pitch);
  for (size_t i = 0; i < x.size(); i++) x[i] = static_cast<uint16_t>(i + 1);
  DeviceArray<uint16_t> dx(x);
  for (const int span : {16, 32, 64, 128}) {
    for (const int col : {0, 3, -8, 56}) {
      for (const int row : {0, -3, 30}) {
        const int box_cols = span == 16 ? 24 : span / 2, n = box_rows * box_cols;
        const std::string where = "TMA, span " + std::to_string(span) + ", box at row " +
                                  std::to_string(row) + ", column " + std::to_string(col);
        DeviceArray<unsigned> out(rounds * n / 2);
        if (!launched(checks,
                      test_hopper_image(span, dx.data(), rows, cols, pitch, box_rows, box_cols, col,
                                        row, rounds, out.data()),
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
              checks.close(value, inside ? x[gy * pitch + gx] : 0, 0, where);
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
  operands(checks);
  images(checks);
  return checks.finish();
}
