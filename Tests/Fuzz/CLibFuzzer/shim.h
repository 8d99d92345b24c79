// The toolchain has libFuzzer without a header for its driver.
// Source: https://llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a library".

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test_one_input)(const uint8_t *data, size_t size));
