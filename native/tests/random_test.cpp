// Random numbers against their definition, and against the bits that the CPU path gives.
#include <functional>

#include "types.h"

namespace {
const TypeInfo kI32{GS_I32, "i32", 4, 0}, kI64{GS_I64, "i64", 8, 0}, kBool{GS_BOOL, "bool", 1, 0},
    kU8{GS_U8, "u8", 1, 0};
constexpr uint64_t kSeed = 0x123456789ABCDEFull;

// One word of Philox4x32-10.
uint32_t word_of(uint64_t seed, uint64_t index) {
  uint32_t key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  uint32_t c[4] = {static_cast<uint32_t>(index / 4), static_cast<uint32_t>(index / 4 >> 32), 0, 0};
  for (int round = 0; round < 10; round++) {
    const uint64_t p = uint64_t(0xD2511F53u) * c[0], q = uint64_t(0xCD9E8D57u) * c[2];
    const uint32_t next[4] = {
        static_cast<uint32_t>(q >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(q),
        static_cast<uint32_t>(p >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p)};
    memcpy(c, next, sizeof c);
    key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
  }
  return c[index % 4];
}

double fraction_of(uint64_t seed, uint64_t pair) {
  const uint64_t bits = uint64_t(word_of(seed, 2 * pair + 1)) << 32 | word_of(seed, 2 * pair);
  return std::ldexp(static_cast<double>(bits >> 11), -53);
}

// Element e in double, before it is stored.
double definition(const gs_random& op, uint64_t seed, uint64_t e) {
  const uint32_t word = word_of(seed, e);
  const bool f64 = op.type == GS_F64;
  switch (op.distribution) {
    case GS_UNIFORM: {
      const int bits = op.type == GS_F32 ? 24 : op.type == GS_BF16 ? 8 : 11;
      const double u = f64 ? fraction_of(seed, e) : std::ldexp(word >> (32 - bits), -bits);
      return op.a + u * (op.b - op.a);
    }
    case GS_NORMAL: {
      const uint64_t k = e / 2 * 2;
      const double u1 =
          f64 ? fraction_of(seed, k) + 0x1p-53 : std::ldexp((word_of(seed, k) >> 8) + 1, -24);
      const double u2 = f64 ? fraction_of(seed, k + 1) : std::ldexp(word_of(seed, k + 1) >> 8, -24);
      const double angle = 2 * M_PI * u2, r = std::sqrt(-2 * std::log(u1));
      return op.a + op.b * r * (e % 2 == 0 ? std::cos(angle) : std::sin(angle));
    }
    case GS_BERNOULLI:
      return word < std::floor(op.a * 0x1p32 + 0.5);
    default: {
      const auto range = static_cast<unsigned __int128>(op.high) - op.low;
      if (op.type != GS_I64) return static_cast<double>(op.low + (int64_t)(word * range >> 32));
      const uint64_t bits = uint64_t(word_of(seed, 2 * e + 1)) << 32 | word_of(seed, 2 * e);
      return static_cast<double>(op.low + (int64_t)((bits * (range & ~uint64_t(0))) >> 64));
    }
  }
}

uint64_t hash_of(const std::vector<unsigned char>& bytes) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (unsigned char b : bytes) h = (h ^ b) * 0x100000001b3ull;
  return h;
}

std::vector<unsigned char> raw(Checks& checks, const TypeInfo& type, const gs_random& op,
                               int64_t offset, size_t misaligned) {
  Array<unsigned char> y(op.count * type.bytes, misaligned * type.bytes);
  ok(checks, gs_random_fill(&op, kSeed, offset, y.data(), nullptr), type.name);
  return y.get(checks, type.name);
}

// hash: of 5001 elements from offset 7, as the CPU path gives them; 0 where devices may differ.
void fill(Checks& checks, const TypeInfo& type, int32_t distribution, double a, double b,
          int64_t low, int64_t high, uint64_t hash) {
  const std::string where =
      std::string("random ") + type.name + " distribution " + std::to_string(distribution);
  gs_random op{5001, type.code, distribution, a, b, low, high};
  const auto all = raw(checks, type, op, 7, 0);
  if (hash) checks.that(hash_of(all) == hash, where + ": not the CPU's bits");
  // Sizes around a block's, any offset and alignment: parts of one sequence.
  for (const int64_t count : {0, 1, 2, 3, 4, 5, 31, 1027}) {
    for (const int64_t from : {0, 1, 2, 3, 5}) {
      for (const size_t misaligned : {0, 1}) {
        op.count = count;
        const auto part = raw(checks, type, op, 7 + from, misaligned);
        const bool same = memcmp(part.data(), all.data() + from * type.bytes, part.size()) == 0;
        checks.that(same, where + ": part of " + std::to_string(count));
      }
    }
  }
  op.count = 1000;
  for (const int64_t offset : {int64_t(0), (int64_t(1) << 40) + 1, (int64_t(1) << 61) - 1000}) {
    TypedArray y(type, op.count);
    if (!ok(checks, gs_random_fill(&op, kSeed, offset, y.data(), nullptr), where)) return;
    const auto got = y.get(checks, where);
    for (int64_t i = 0; i < op.count; i++) {
      const double want = definition(op, kSeed, offset + i);
      // f32 polynomials: a few units of the largest term.
      const double base = type.code == GS_F64 ? 4e-16 : 4e-7;
      const double tolerance = type.epsilon == 0 || distribution == GS_BERNOULLI
                                   ? 0
                                   : (std::fabs(a) + 6 * std::fabs(b) + 1) * base +
                                         std::fabs(want) * type.epsilon * 1.01 +
                                         (type.code == GS_F16 ? 6e-8 : 0);
      if (!checks.close(got[i], want, tolerance, where + " at " + std::to_string(i))) return;
    }
  }
}

void dropout(Checks& checks, const TypeInfo& type, int64_t count, double p, int64_t offset,
             size_t misaligned) {
  const std::string where =
      std::string("dropout ") + type.name + " " + std::to_string(count) + " p " + std::to_string(p);
  Random random(count);
  std::vector<double> x(count), want(count);
  for (auto& v : x) v = TypedArray::round(type, random());
  if (count > 20) x[2] = NAN, x[5] = INFINITY, x[9] = NAN;
  TypedArray in(type, x, misaligned), out(type, count, misaligned);
  if (!ok(checks, gs_dropout(type.code, count, p, kSeed, offset, in.data(), out.data(), nullptr),
          where)) {
    return;
  }
  const double scale = type.code == GS_F64 ? 1 / (1 - p) : static_cast<float>(1 / (1 - p));
  for (int64_t i = 0; i < count; i++) {
    const bool dropped = word_of(kSeed, offset + i) < std::floor(p * 0x1p32 + 0.5);
    const double product =
        type.code == GS_F64 ? x[i] * scale : static_cast<float>(x[i]) * static_cast<float>(scale);
    want[i] = dropped ? 0 : TypedArray::round(type, product);
  }
  const auto got = out.get(checks, where);
  for (int64_t i = 0; i < count; i++) checks.close(got[i], want[i], 0, where);
  ok(checks, gs_dropout(type.code, count, p, kSeed, offset, in.data(), in.data(), nullptr), where);
  const auto in_place = in.get(checks, where);
  for (int64_t i = 0; i < count; i++) checks.close(in_place[i], want[i], 0, where + " in place");
}

void refusals(Checks& checks) {
  float y = 0;
  const auto bad = GS_INVALID_ARGUMENT;
  const auto refuse = [&](gs_random op, int64_t offset, void* p, const char* rule) {
    refused(checks, gs_random_fill(&op, 1, offset, p, nullptr), bad, rule);
  };
  refused(checks, gs_random_fill(nullptr, 1, 0, &y, nullptr), bad, "null");
  refuse({1, GS_F32, GS_UNIFORM, 0, 1, 0, 0}, 0, nullptr, "null");
  refuse({-1, GS_F32, GS_UNIFORM, 0, 1, 0, 0}, 0, &y, "count=-1");
  refuse({1, GS_F32, GS_UNIFORM, 0, 1, 0, 0}, -1, &y, "offset=-1");
  refuse({1, GS_F32, GS_UNIFORM, 0, 1, 0, 0}, int64_t(1) << 61, &y, "offset");
  refuse({1, GS_F32, GS_UNIFORM, 2, 1, 0, 0}, 0, &y, "low=2");
  refuse({1, GS_F32, GS_UNIFORM, -3e38, 3e38, 0, 0}, 0, &y, "finite");
  refuse({1, GS_F32, GS_UNIFORM, NAN, 1, 0, 0}, 0, &y, "low");
  refuse({1, GS_I32, GS_UNIFORM, 0, 1, 0, 0}, 0, &y, "type=4");
  refuse({1, GS_I32, GS_NORMAL, 0, 1, 0, 0}, 0, &y, "type=4");
  refuse({1, GS_F32, GS_NORMAL, 0, -1, 0, 0}, 0, &y, "std=-1");
  refuse({1, GS_F32, GS_BERNOULLI, 1.5, 0, 0, 0}, 0, &y, "p=1.5");
  refuse({1, GS_F32, GS_INTEGERS, 0, 0, 0, 5}, 0, &y, "type=0");
  refuse({1, GS_U8, GS_INTEGERS, 0, 0, 0, 257}, 0, &y, "high=257");
  refuse({1, GS_I64, GS_INTEGERS, 0, 0, 5, 5}, 0, &y, "low=5");
  refuse({1, GS_F32, 4, 0, 0, 0, 5}, 0, &y, "distribution=4");
  refuse({1, 8, GS_BERNOULLI, 0.5, 0, 0, 0}, 0, &y, "type=8");
  refused(checks, gs_dropout(GS_I32, 1, 0.5, 1, 0, &y, &y, nullptr), bad, "type=4");
  refused(checks, gs_dropout(GS_F32, 1, NAN, 1, 0, &y, &y, nullptr), bad, "p=nan");
  refused(checks, gs_dropout(GS_F32, 1, 0.5, 1, -2, &y, &y, nullptr), bad, "offset=-2");
  refused(checks, gs_dropout(GS_F32, -1, 0.5, 1, 0, &y, &y, nullptr), bad, "count=-1");
  refused(checks, gs_dropout(GS_F32, 1, 0.5, 1, 0, nullptr, &y, nullptr), bad, "null");
  checks.that(gs_dropout(GS_F32, 0, 0.5, 1, 0, nullptr, nullptr, nullptr) == GS_OK, "empty");
  const gs_random empty{0, GS_F32, GS_UNIFORM, 0, 1, 0, 0};
  checks.that(gs_random_fill(&empty, 1, 0, nullptr, nullptr) == GS_OK, "empty");
}
}  // namespace

int main() {
  require_device();
  Checks checks("random");
  checks.that(word_of(0, 0) == 0x6627e8d5u && word_of(0, 3) == 0x9b00dbd8u, "published words");
  const TypeInfo &f32 = kFloatTypes[0], &f64 = kFloatTypes[1], &bf16 = kFloatTypes[2],
                 &f16 = kFloatTypes[3];
  fill(checks, f32, GS_UNIFORM, 0, 1, 0, 0, 0xa10779697860f755ull);
  fill(checks, f32, GS_UNIFORM, -3, 0.1, 0, 0, 0x19e3af2c49f2e88cull);
  fill(checks, f32, GS_NORMAL, 0, 1, 0, 0, 0x63674a41059122d4ull);
  fill(checks, f32, GS_NORMAL, -2, 0.5, 0, 0, 0xd3836a0db3774568ull);
  fill(checks, f64, GS_UNIFORM, 0, 1, 0, 0, 0xf94ad3b4b4134d86ull);
  fill(checks, f64, GS_UNIFORM, -3, 0.1, 0, 0, 0x53074893e8140347ull);
  fill(checks, f64, GS_NORMAL, 0, 1, 0, 0, 0);
  fill(checks, f64, GS_NORMAL, -2, 0.5, 0, 0, 0);
  fill(checks, bf16, GS_UNIFORM, 0, 1, 0, 0, 0x2c29a2fbd6c3cef5ull);
  fill(checks, bf16, GS_UNIFORM, -3, 0.1, 0, 0, 0x1f99b0ab66e19da7ull);
  fill(checks, bf16, GS_NORMAL, 0, 1, 0, 0, 0x1ca3c63dd4693faaull);
  fill(checks, bf16, GS_NORMAL, -2, 0.5, 0, 0, 0x2d7b50beb1a56253ull);
  fill(checks, f16, GS_UNIFORM, 0, 1, 0, 0, 0x0db3b4400c416db4ull);
  fill(checks, f16, GS_UNIFORM, -3, 0.1, 0, 0, 0x978b3b912f095619ull);
  fill(checks, f16, GS_NORMAL, 0, 1, 0, 0, 0xf953960d979cd1d0ull);
  fill(checks, f16, GS_NORMAL, -2, 0.5, 0, 0, 0x6d65d8c1741ca9faull);
  fill(checks, f64, GS_BERNOULLI, 0.3, 0, 0, 0, 0x2378e8562221b918ull);
  fill(checks, f32, GS_BERNOULLI, 0.3, 0, 0, 0, 0xbeeb34bdb63a0228ull);
  fill(checks, bf16, GS_BERNOULLI, 0.3, 0, 0, 0, 0x8455f1185dab8548ull);
  fill(checks, f16, GS_BERNOULLI, 0.3, 0, 0, 0, 0xb7456f96015dff29ull);
  fill(checks, kI64, GS_BERNOULLI, 0.3, 0, 0, 0, 0xdc7aa9004e8a4704ull);
  fill(checks, kI32, GS_BERNOULLI, 0.3, 0, 0, 0, 0xd13c055370c5e494ull);
  fill(checks, kU8, GS_BERNOULLI, 0.3, 0, 0, 0, 0x0791cfd174e94b5eull);
  fill(checks, kBool, GS_BERNOULLI, 0.3, 0, 0, 0, 0x0791cfd174e94b5eull);
  fill(checks, f32, GS_BERNOULLI, 1, 0, 0, 0, 0);
  fill(checks, kI32, GS_INTEGERS, 0, 0, -7, 8, 0xc6edcf404796cd08ull);
  fill(checks, kI32, GS_INTEGERS, 0, 0, INT32_MIN, int64_t(1) << 31, 0x05892739f28ff308ull);
  fill(checks, kU8, GS_INTEGERS, 0, 0, 0, 256, 0x3d57711e6beb263bull);
  fill(checks, kI64, GS_INTEGERS, 0, 0, -7, 8, 0x265eaf55c806f9f5ull);
  const int64_t large = int64_t(1) << 40;
  fill(checks, kI64, GS_INTEGERS, 0, 0, -large, large, 0xaeb39460d730e7cdull);
  for (const auto& type : kFloatTypes) {
    for (const double p : {0.0, 0.25, 0.9, 1.0}) {
      for (const int64_t count : {1, 3, 4, 5, 37, 1030}) {
        for (const int64_t offset : {0, 1, 6}) dropout(checks, type, count, p, offset, count % 2);
      }
    }
  }
  refusals(checks);
  return checks.finish();
}
