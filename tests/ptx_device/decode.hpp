// One statement of PTX as an instruction.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/ptx_device/code.hpp"

namespace fabricast::ptx {

// What names mean where a statement stands.
class Names {
 public:
  Names();
  void open_scope() { scopes_.emplace_back(); }
  void close_scope() { scopes_.pop_back(); }
  void add_register(const std::string& name);
  void add_address(const std::string& name, std::uint64_t address);  // of a variable
  // A register, a variable's address or an immediate value. Throws std::runtime_error.
  Slot slot(const std::string& operand);
  Slot constant(std::uint64_t value);

  Slot registers = specials;
  std::vector<std::uint64_t> constants;  // numbered from first_constant on until the end is known
  static constexpr Slot first_constant = 1u << 30;

 private:
  const Slot* find(const std::string& name) const;

  std::vector<std::map<std::string, Slot>> scopes_;
  std::map<std::string, std::uint64_t> addresses_;
  std::map<std::uint64_t, Slot> constant_slots_;
};

// `label` is where a branch goes, empty otherwise. Throws std::runtime_error.
Instruction decode(const std::string& statement, Names& names, std::string& label);

// Throws std::runtime_error.
[[noreturn]] void unknown(const std::string& what);

// "%r1", "[", "%rd2", "+", "8", "]": words and punctuation.
std::vector<std::string> words_of(std::string_view text);

}  // namespace fabricast::ptx
