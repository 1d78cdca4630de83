// Element types of the tests: values in double, stored as the C ABI's types.
#pragma once
#include "abi.h"

struct TypeInfo {
  int32_t code;
  const char* name;
  size_t bytes;
  double epsilon;  // half a unit in the last place of 1
};
inline const TypeInfo kFloatTypes[] = {{GS_F32, "f32", 4, 6e-8},
                                       {GS_F64, "f64", 8, 1.2e-16},
                                       {GS_BF16, "bf16", 2, 0.0039},
                                       {GS_F16, "f16", 2, 0.00049}};

inline uint16_t double_to_f16(double x) {
  const _Float16 h = static_cast<_Float16>(x);
  uint16_t bits;
  memcpy(&bits, &h, 2);
  return bits;
}
inline double f16_to_double(uint16_t bits) {
  _Float16 h;
  memcpy(&h, &bits, 2);
  return static_cast<double>(h);
}

// An operand of a type chosen at run time.
class TypedArray {
 public:
  TypedArray(const TypeInfo& type, size_t count, size_t offset = 0)
      : type_(type), count_(count), bytes_(count * type.bytes, offset * type.bytes) {}
  TypedArray(const TypeInfo& type, const std::vector<double>& values, size_t offset = 0)
      : TypedArray(type, values.size(), offset) {
    set(values);
  }
  void* data() { return bytes_.data(); }
  void set(const std::vector<double>& values) {
    std::vector<unsigned char> raw(values.size() * type_.bytes);
    for (size_t i = 0; i < values.size(); i++) store(raw.data() + i * type_.bytes, values[i]);
    bytes_.set(raw);
  }
  std::vector<double> get(Checks& checks, const std::string& where) {
    const auto raw = bytes_.get(checks, where);
    std::vector<double> values(count_);
    for (size_t i = 0; i < count_; i++) values[i] = load(raw.data() + i * type_.bytes);
    return values;
  }
  // What a value becomes when it is stored.
  static double round(const TypeInfo& type, double x) {
    unsigned char raw[8];
    TypedArray::store_as(type, raw, x);
    return load_as(type, raw);
  }

 private:
  void store(unsigned char* to, double x) { store_as(type_, to, x); }
  double load(const unsigned char* from) { return load_as(type_, from); }
  static void store_as(const TypeInfo& type, unsigned char* to, double x) {
    const auto put = [&](auto v) { memcpy(to, &v, sizeof v); };
    switch (type.code) {
      case GS_F32:
        return put(static_cast<float>(x));
      case GS_F64:
        return put(x);
      case GS_BF16:
        return put(x != x ? uint16_t(0x7fc0) : float_to_bf16(static_cast<float>(x)));
      case GS_F16:
        return put(double_to_f16(x));
      case GS_I32:
        return put(static_cast<int32_t>(x));
      case GS_I64:
        return put(static_cast<int64_t>(x));
      default:
        return put(static_cast<uint8_t>(x));
    }
  }
  static double load_as(const TypeInfo& type, const unsigned char* from) {
    const auto take = [&](auto v) {
      memcpy(&v, from, sizeof v);
      return v;
    };
    switch (type.code) {
      case GS_F32:
        return take(float());
      case GS_F64:
        return take(double());
      case GS_BF16:
        return bf16_to_float(take(uint16_t()));
      case GS_F16:
        return f16_to_double(take(uint16_t()));
      case GS_I32:
        return take(int32_t());
      case GS_I64:
        return static_cast<double>(take(int64_t()));
      default:
        return take(uint8_t());
    }
  }

  TypeInfo type_;
  size_t count_;
  Array<unsigned char> bytes_;
};
