// Modules of the caller's kernels: a kernel in PTX where there is a GPU, malformed images
// everywhere.
#include <algorithm>

#include "abi.h"

namespace {
// y[i] = a x[i] + y[i] for i < n, one thread each; with the zero byte at its end.
const char kAxpy[] = R"(.version 7.0
.target sm_80
.address_size 64
.visible .entry axpy(.param .f32 a, .param .u64 x, .param .u64 y, .param .u32 n) {
  .reg .pred %p; .reg .f32 %f<4>; .reg .b32 %r<5>; .reg .b64 %d<5>;
  ld.param.f32 %f1, [a]; ld.param.u64 %d1, [x]; ld.param.u64 %d2, [y]; ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;
  mad.lo.s32 %r2, %r2, %r3, %r4;
  setp.ge.u32 %p, %r2, %r1;
  @%p ret;
  mul.wide.u32 %d3, %r2, 4;
  add.s64 %d1, %d1, %d3; add.s64 %d2, %d2, %d3;
  ld.global.f32 %f2, [%d1]; ld.global.f32 %f3, [%d2];
  fma.rn.f32 %f3, %f1, %f2, %f3;
  st.global.f32 [%d2], %f3;
  ret;
}
)";

void run_axpy(Checks& checks, gs_module module) {
  gs_function axpy = nullptr;
  refused(checks, gs_module_function(&axpy, module, "none"), GS_INVALID_ARGUMENT, "name=none");
  checks.that(gs_module_function(&axpy, module, "axpy") == GS_OK, gs_last_error());
  int64_t sizes[8] = {};
  int32_t count = 0;
  checks.that(gs_function_parameters(axpy, sizes, 8, &count) == GS_OK && count == 4 &&
                  sizes[0] == 4 && sizes[1] == 8 && sizes[2] == 8 && sizes[3] == 4,
              "parameters");
  const int n = 1000;
  std::vector<float> x(n), y(n);
  Random random;
  for (int i = 0; i < n; i++) x[i] = random(), y[i] = random();
  Array<float> dx(x), dy(y);
  float a = 2.5f;
  unsigned size = n;
  void *px = dx.data(), *py = dy.data();
  void* arguments[] = {&a, &px, &py, &size};
  const uint32_t grid[] = {(n + 255) / 256, 1, 1}, block[] = {256, 1, 1};
  ok(checks, gs_function_launch(axpy, grid, block, 0, arguments, nullptr), "axpy");
  const std::vector<float> got = dy.get(checks, "axpy");
  for (int i = 0; i < n; i++) checks.close(got[i], std::fma(a, x[i], y[i]), 0, "axpy");
  const uint32_t wrong[] = {2048, 1, 1};
  checks.that(gs_function_launch(axpy, grid, wrong, 0, arguments, nullptr) > 0, "2048 threads");
  refused(checks, gs_function_launch(axpy, grid, block, -1, arguments, nullptr),
          GS_INVALID_ARGUMENT, "shared_bytes=-1");
}

// A cubin's frame: one section of `size` bytes at `offset`.
std::vector<unsigned char> elf(int64_t bytes, uint64_t offset, uint64_t size) {
  std::vector<unsigned char> image(static_cast<size_t>(bytes));
  const auto put = [&](size_t at, uint64_t value, size_t width) {
    memcpy(&image[at], &value, width);
  };
  memcpy(image.data(),
         "\x7f"
         "ELF\x02",
         5);
  put(40, 64, 8);
  put(58, 64, 2);
  put(60, 1, 2);
  put(64 + 4, 1, 4);
  put(64 + 24, offset, 8);
  put(64 + 32, size, 8);
  return image;
}

void test_images(Checks& checks) {
  gs_module module = &checks;
  const auto bad = [&](const void* image, int64_t bytes, const std::string& rule) {
    refused(checks, gs_module_load(&module, image, bytes), GS_INVALID_ARGUMENT, rule);
    checks.that(module == nullptr, "no module");
    module = &checks;
  };
  refused(checks, gs_module_load(nullptr, kAxpy, sizeof kAxpy), GS_INVALID_ARGUMENT, "null");
  bad(nullptr, 10, "must not be empty");
  bad(kAxpy, 0, "must not be empty; bytes=0");
  bad(kAxpy, sizeof kAxpy - 1, "ends with a zero byte");
  bad("\0.version", 10, "ends with a zero byte");
  bad("hello", 6, "PTX text");
  for (const int64_t bytes : {4, 63, 64, 127}) {
    auto image = elf(128, 128, 0);
    bad(image.data(), bytes, "a whole cubin");
  }
  bad(elf(200, 128, 73).data(), 200, "a whole cubin");
  bad(elf(200, UINT64_MAX, 2).data(), 200, "a whole cubin");
  bad(elf(200, 2, UINT64_MAX).data(), 200, "a whole cubin");
  auto far = elf(200, 128, 8);
  far[47] = 0xff;  // the table of sections lies 2^63 bytes away
  bad(far.data(), 200, "a whole cubin");
  unsigned char fatbin[24] = {0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0, 9};
  bad(fatbin, 24, "a whole fat binary");
  bad(fatbin, 15, "a whole fat binary");
  refused(checks, gs_module_function(nullptr, nullptr, "f"), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_function_launch(nullptr, nullptr, nullptr, 0, nullptr, nullptr),
          GS_INVALID_ARGUMENT, "null");
  checks.that(gs_module_unload(nullptr) == GS_OK, "unload of null");
}
}  // namespace

int main() {
  Checks checks("module");
  test_images(checks);  // needs no device
  if (checks.failed()) return checks.finish();
  require_device();
  gs_module module = nullptr;
  const gs_status status = gs_module_load(&module, kAxpy, sizeof kAxpy);
  if (std::string(gs_backend()).find("emulator") == 0) {
    refused(checks, status, GS_UNSUPPORTED, "the emulator runs kernels that are compiled for");
    const auto image = elf(200, 128, 72);
    refused(checks, gs_module_load(&module, image.data(), 200), GS_UNSUPPORTED, "emulator");
    return checks.finish();
  }
  checks.that(status == GS_OK, gs_last_error());
  if (status == GS_OK) run_axpy(checks, module);
  std::string broken = kAxpy;
  broken.replace(broken.find("fma.rn"), 6, "fmx.rn");
  gs_module none = nullptr;
  checks.that(gs_module_load(&none, broken.c_str(), (int64_t)broken.size() + 1) > 0 && !none &&
                  std::string(gs_last_error()).find("fmx") != std::string::npos,
              std::string("the log of broken PTX: ") + gs_last_error());
  checks.that(gs_module_unload(module) == GS_OK, gs_last_error());
  return checks.finish();
}
