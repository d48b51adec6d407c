// The kernels of a PTX text, decoded for execution on the host (machine.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast::ptx {

class Code;  // decoded instructions: code.hpp

struct Parameter {
  std::string name;
  std::size_t offset = 0;  // from the begin of all arguments, aligned as declared
  std::size_t bytes = 0;
};

struct Kernel {
  std::string name;  // mangled
  std::vector<Parameter> parameters;
  std::size_t parameter_bytes = 0;
  unsigned max_threads = 0;      // .maxntid; 0: not bounded
  std::size_t shared_bytes = 0;  // static
  std::size_t local_bytes = 0;   // per thread
  std::shared_ptr<const Code> code;
};

// Throws std::runtime_error naming the line: something that is no PTX, or none of the instructions
// that the device has.
std::vector<Kernel> parse(std::string_view text);

}  // namespace fabricast::ptx
