// What stands for what in a statement: words, registers, addresses, constants.
#include <cctype>
#include <cstdlib>
#include <stdexcept>

#include "tests/ptx_device/decode.hpp"

namespace fabricast::ptx {

void unknown(const std::string& what) {
  throw std::runtime_error("the PTX device does not know " + what);
}

namespace {

std::uint64_t value_of(const std::string& text) {
  char* end = nullptr;
  std::uint64_t value = 0;
  if (text.rfind("0f", 0) == 0 || text.rfind("0F", 0) == 0 || text.rfind("0d", 0) == 0) {
    value = std::strtoull(text.c_str() + 2, &end, 16);
  } else if (text[0] == '-') {
    value = static_cast<std::uint64_t>(std::strtoll(text.c_str(), &end, 0));
  } else {
    value = std::strtoull(text.c_str(), &end, 0);
  }
  if (end == nullptr || *end != '\0') {
    if (*end != 'U' || end[1] != '\0') unknown("the operand " + text);
  }
  return value;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '%' ||
           c == '.' || c == ':';
  };
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    const bool number =
        c == '-' && end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0;
    if (number || in_word(c)) {
      while (end < text.size() && in_word(text[end])) ++end;
    }
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

Names::Names() {
  open_scope();
  static const char* const special[] = {
      "%tid.x",   "%tid.y",   "%tid.z",    "%ntid.x",   "%ntid.y",   "%ntid.z", "%ctaid.x",
      "%ctaid.y", "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid"};
  for (Slot s = 0; s < specials; ++s) scopes_[0][special[s]] = s;
}

void Names::add_register(const std::string& name) { scopes_.back()[name] = registers++; }
void Names::add_address(const std::string& name, std::uint64_t address) {
  addresses_[name] = address;
}

const Slot* Names::find(const std::string& name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->find(name); found != scope->end()) return &found->second;
  }
  return nullptr;
}

Slot Names::constant(std::uint64_t value) {
  const auto [at, fresh] =
      constant_slots_.try_emplace(value, first_constant + static_cast<Slot>(constants.size()));
  if (fresh) constants.push_back(value);
  return at->second;
}

Slot Names::slot(const std::string& operand) {
  if (const Slot* found = find(operand)) return *found;
  if (const auto variable = addresses_.find(operand); variable != addresses_.end())
    return constant(variable->second);
  if (operand[0] == '%') unknown("the register " + operand);
  return constant(value_of(operand));
}

}  // namespace fabricast::ptx
