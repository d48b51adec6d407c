// Kernels written as PTX, of one parameter, for tests of the machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/ptx_device/address_space.hpp"
#include "tests/ptx_device/machine.hpp"

namespace fabricast::ptx {

// A kernel of one parameter, the address of `words`, with these declarations and statements.
inline std::string kernel_text(const std::string& body) {
  return ".version 9.0\n.target sm_90\n.address_size 64\n"
         ".visible .entry k(\n.param .u64 k_param_0\n)\n.maxntid 512, 1, 1\n{\n"
         ".reg .pred %p<9>; .reg .b16 %rs<9>; .reg .b32 %r<30>; .reg .f32 %f<9>; .reg .b64 "
         "%rd<30>;\n"
         ".shared .align 4 .u32 word;\n"
         "ld.param.u64 %rd1, [k_param_0];\ncvta.to.global.u64 %rd2, %rd1;\n"
         "mov.u32 %r1, %tid.x;\nmov.u32 %r2, %ctaid.x;\nmul.wide.u32 %rd3, %r1, 4;\n"
         "add.s64 %rd4, %rd2, %rd3;\n" +
         body + "\nret;\n}\n";
}

struct Words {
  explicit Words(std::size_t count, bool across = false) : values(count) {
    address_space().add(values.data(), count * sizeof(std::uint32_t), across);
  }
  ~Words() { address_space().remove(reinterpret_cast<Address>(values.data())); }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  std::vector<std::uint32_t> values;
};

inline void execute(const std::string& body, Words& words, unsigned threads = 32,
                    unsigned ctas = 1) {
  const auto kernels = parse(kernel_text(body));
  const auto address = reinterpret_cast<std::uint64_t>(words.values.data());
  std::byte arguments[8];
  std::memcpy(arguments, &address, sizeof address);
  run(kernels.at(0), {{ctas, 1, 1}, {threads, 1, 1}, 0, arguments});
}

}  // namespace fabricast::ptx
