// The replaced operator new: what the standard promises of it, and large pages where the kernel has
// them.
#include "emulator/base/heap.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <new>
#include <string>
#include <vector>

namespace fabricast {
namespace {

#if FABRICAST_OWN_OPERATOR_NEW
constexpr bool replaced_here = true;
#else
constexpr bool replaced_here = false;
#endif

// The kernel's flags of the mapping that the block lies in; "" if it does not say.
std::string mapping_flags(const void* block) {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= address && address < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line.substr(8) + " ";
    }
  }
  return "";
}

bool huge_pages_on_request() {
  std::ifstream enabled("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  std::getline(enabled, line);
  return line.find("[madvise]") != std::string::npos || line.find("[always]") != std::string::npos;
}

TEST(Heap, BlocksOfEverySizeCanBeHadAndGivenBack) {
  keep_freed_memory();
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4} << 20,
                                  (std::size_t{4} << 20) + 1, std::size_t{40} << 20}) {
    auto* block = static_cast<char*>(::operator new(bytes));
    ASSERT_NE(block, nullptr);
    if (bytes > 0) block[0] = block[bytes - 1] = 1;
    ::operator delete(block, bytes);
    constexpr std::align_val_t line{64};
    auto* aligned = static_cast<char*>(::operator new(bytes, line));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned) % 64, 0u);
    if (bytes > 0) aligned[0] = aligned[bytes - 1] = 1;
    ::operator delete(aligned, line);
  }
}

TEST(Heap, WhatCannotBeHadThrows) {
  if (!replaced_here) GTEST_SKIP() << "sanitizers end the process instead";
  volatile std::size_t absurd = std::numeric_limits<std::size_t>::max() / 4;
  EXPECT_THROW(::operator delete(::operator new(absurd)), std::bad_alloc);
  constexpr std::align_val_t line{64};
  EXPECT_THROW(::operator delete(::operator new(absurd, line), line), std::bad_alloc);
  absurd = std::numeric_limits<std::size_t>::max();
  EXPECT_THROW(::operator delete(::operator new(absurd, line), line), std::bad_alloc);
}

TEST(Heap, LargeBlocksAskForHugePages) {
  if (!replaced_here) GTEST_SKIP() << "sanitizers have an operator new of their own";
  if (!huge_pages_on_request()) GTEST_SKIP() << "this kernel gives no huge pages on request";
  const std::vector<char> block(std::size_t{64} << 20, 1);
  const std::string flags = mapping_flags(block.data() + block.size() / 2);
  if (flags.empty()) GTEST_SKIP() << "this kernel does not say how a block is mapped";
  EXPECT_NE(flags.find(" hg "), std::string::npos) << flags;  // huge pages advised
}

}  // namespace
}  // namespace fabricast
