// Writes the example trace, for tests of other programs' readers: write_example_trace PATH
#include <cstdio>

#include "emulator/base/error.hpp"
#include "emulator/trace/trace_file.hpp"
#include "tests/unit/trace/example_trace.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: write_example_trace PATH\n");
    return 2;
  }
  try {
    fabricast::write_trace(argv[1], fabricast::example_trace(), {true, 1});
  } catch (const fabricast::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
