// What instrumented code calls: g++'s -fsanitize=thread and =alignment,bounds,... put calls to
// these functions into the kernels; the sanitizers' own libraries are not linked.
#include <cstring>

#include "internal.h"

namespace {
void instrumented(void* p, size_t bytes, bool write, bool aligned, void* pc) {
  emu::check_instrumented(p, static_cast<unsigned>(bytes), write, aligned, pc);
}
struct SourcePlace {
  const char* file;
  unsigned line, column;
};
void undefined(const char* what, const SourcePlace* place) {
  if (!emu::g_current) return;  // host code of a kernel's file
  const char* slash = strrchr(place->file, '/');
  emu::fail("%s at %s:%u", what, slash ? slash + 1 : place->file, place->line);
}
}  // namespace

extern "C" {
void __tsan_init() { emu::g_checking = true; }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

#define EMU_ACCESS(name, bytes, write, aligned)                          \
  void __tsan_##name(void* p) {                                          \
    instrumented(p, bytes, write, aligned, __builtin_return_address(0)); \
  }
#define EMU_ACCESSES(bytes)                              \
  EMU_ACCESS(read##bytes, bytes, false, true)            \
  EMU_ACCESS(write##bytes, bytes, true, true)            \
  EMU_ACCESS(unaligned_read##bytes, bytes, false, false) \
  EMU_ACCESS(unaligned_write##bytes, bytes, true, false) \
  EMU_ACCESS(volatile_read##bytes, bytes, false, true)   \
  EMU_ACCESS(volatile_write##bytes, bytes, true, true)
EMU_ACCESSES(1)
EMU_ACCESSES(2)
EMU_ACCESSES(4)
EMU_ACCESSES(8)
EMU_ACCESSES(16)
#undef EMU_ACCESSES
#undef EMU_ACCESS
void __tsan_read_range(void* p, size_t n) {
  instrumented(p, n, false, false, __builtin_return_address(0));
}
void __tsan_write_range(void* p, size_t n) {
  instrumented(p, n, true, false, __builtin_return_address(0));
}
// Outlined aggregate copies in kernels.
void* __tsan_memcpy(void* target, const void* source, size_t n) {
  instrumented(const_cast<void*>(source), n, false, false, __builtin_return_address(0));
  instrumented(target, n, true, false, __builtin_return_address(0));
  return memcpy(target, source, n);
}
void* __tsan_memset(void* target, int value, size_t n) {
  instrumented(target, n, true, false, __builtin_return_address(0));
  return memset(target, value, n);
}

#define EMU_UNDEFINED(name, what)                                                          \
  void __ubsan_handle_##name(SourcePlace* place, void*, void*) { undefined(what, place); } \
  void __ubsan_handle_##name##_abort(SourcePlace* place, void*, void*) { undefined(what, place); }
EMU_UNDEFINED(type_mismatch_v1, "MISALIGNED or null access")
EMU_UNDEFINED(out_of_bounds, "INDEX out of the array's bounds")
EMU_UNDEFINED(shift_out_of_bounds, "SHIFT out of range")
EMU_UNDEFINED(add_overflow, "INTEGER OVERFLOW")
EMU_UNDEFINED(sub_overflow, "INTEGER OVERFLOW")
EMU_UNDEFINED(mul_overflow, "INTEGER OVERFLOW")
EMU_UNDEFINED(negate_overflow, "INTEGER OVERFLOW")
EMU_UNDEFINED(divrem_overflow, "DIVISION by zero")
#undef EMU_UNDEFINED
}
