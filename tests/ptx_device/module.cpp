#include "tests/ptx_device/module.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "tests/ptx_device/code.hpp"
#include "tests/ptx_device/decode.hpp"
#include "tests/ptx_device/late_loads.hpp"

namespace fabricast::ptx {
namespace {

using Words = std::vector<std::string>;

std::size_t up_to(std::size_t bytes, std::size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::string without_comments(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at, 2) == "//") at = std::min(text.find('\n', at), text.size() - 1);
    plain += text[at];
  }
  return plain;
}

// ".align 8 .b8 name[16]" of a parameter or variable.
struct Variable {
  std::string name;
  std::size_t bytes = 0;
  std::size_t alignment = 1;
};
std::size_t element_bytes(const std::string& type) {
  if (type == ".pred") return 1;
  const std::size_t digits = type.find_first_of("0123456789");
  if (type[0] != '.' || digits == std::string::npos) throw std::runtime_error("no type: " + type);
  return std::stoul(type.substr(digits)) / 8;
}
Variable variable_of(const Words& words) {
  Variable v;
  std::size_t at = 1;  // after its space
  std::size_t alignment = 0;
  if (words.at(at) == ".align") {
    alignment = std::stoul(words.at(at + 1));
    at += 2;
  }
  v.bytes = element_bytes(words.at(at++));
  v.alignment = std::max(alignment, v.bytes);
  v.name = words.at(at++);
  if (at < words.size() && words[at] == "[") v.bytes *= std::stoul(words.at(at + 1));
  return v;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(without_comments(text)) {}

  std::vector<Kernel> parse() {
    while (skip_space()) parse_top_level();
    return std::move(kernels_);
  }

 private:
  bool skip_space() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ < text_.size();
  }
  // Up to one of `ends`, which is read too and returned.
  char read_until(const char* ends, std::string& statement) {
    const std::size_t end = text_.find_first_of(ends, at_);
    if (end == std::string::npos) throw std::runtime_error("PTX ends within a statement");
    statement = text_.substr(at_, end - at_);
    at_ = end + 1;
    return text_[end];
  }

  void parse_top_level() {
    for (const char* header : {".version", ".target", ".address_size"}) {
      if (text_.compare(at_, std::string(header).size(), header) == 0) {
        at_ = std::min(text_.find('\n', at_), text_.size());
        return;
      }
    }
    std::string head;
    const char end = read_until("(;", head);
    Words words = words_of(head);
    while (!words.empty() && (words[0] == ".visible" || words[0] == ".weak")) {
      words.erase(words.begin());
    }
    if (!words.empty() && words[0] == ".shared") {
      shared_by_all_.push_back(words);
      return;
    }
    if (end != '(' || words.size() != 2 || words[0] != ".entry") {
      throw std::runtime_error("the PTX device knows kernels and shared variables only, not: " +
                               head);
    }
    parse_kernel(words[1]);
  }

  void add_shared(const Words& words) {
    const Variable v = variable_of(words);
    shared_bytes_ = up_to(shared_bytes_, v.alignment);
    names_.add_address(v.name, shared_bytes_);
    shared_bytes_ += v.bytes;
  }

  void parse_kernel(const std::string& name) {
    kernel_ = {};
    kernel_.name = name;
    code_ = {};
    names_ = {};
    labels_.clear();
    branches_.clear();
    shared_bytes_ = 0;
    for (const Words& words : shared_by_all_) add_shared(words);
    std::string text;
    read_until(")", text);
    read_parameters(text);
    read_until("{", text);
    const Words bounds = words_of(text);
    for (std::size_t w = 0; w + 1 < bounds.size(); ++w) {
      if (bounds[w] == ".maxntid")
        kernel_.max_threads = static_cast<unsigned>(std::stoul(bounds[w + 1]));
    }
    read_body();
    finish();
  }

  void read_parameters(const std::string& text) {
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      const Words words = words_of(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
      if (words.empty()) continue;
      const Variable v = variable_of(words);
      const std::size_t offset = up_to(kernel_.parameter_bytes, v.alignment);
      kernel_.parameters.push_back({v.name, offset, v.bytes});
      kernel_.parameter_bytes = offset + v.bytes;
      names_.add_address(v.name, offset);
    }
  }

  void read_body() {
    for (int depth = 1; depth > 0;) {
      if (!skip_space()) throw std::runtime_error("PTX ends within " + kernel_.name);
      if (text_[at_] == '{' || text_[at_] == '}') {
        const bool opens = text_[at_++] == '{';
        depth += opens ? 1 : -1;
        if (opens) {
          names_.open_scope();
        } else {
          names_.close_scope();
        }
      } else {
        read_statement();
      }
    }
  }

  void read_statement() {
    // A label ends with a colon, a statement with a semicolon; neither has the other within.
    const std::size_t word_end = text_.find_first_not_of(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$", at_);
    if (word_end != std::string::npos && text_[word_end] == ':' &&
        text_.compare(word_end, 2, "::") != 0) {
      labels_[text_.substr(at_, word_end - at_)] =
          static_cast<std::int32_t>(code_.instructions.size());
      at_ = word_end + 1;
      return;
    }
    std::string statement;
    read_until(";", statement);
    if (statement[0] == '.') return declare(statement);
    std::string label;
    try {
      code_.instructions.push_back(decode(statement, names_, label));
    } catch (const std::exception& e) {
      throw std::runtime_error(std::string(e.what()) + ": " + statement + " (in " + kernel_.name +
                               ")");
    }
    if (!label.empty()) branches_.emplace_back(code_.instructions.size() - 1, label);
    code_.instructions.back().line = static_cast<std::int32_t>(code_.lines.size());
    code_.lines.push_back(statement);
  }

  void declare(const std::string& statement) {
    const Words words = words_of(statement);
    if (words[0] == ".pragma") return;
    if (words[0] == ".shared") return add_shared(words);
    if (words[0] == ".local") {
      const Variable v = variable_of(words);
      const std::size_t offset = up_to(kernel_.local_bytes, v.alignment);
      names_.add_address(v.name, offset);
      kernel_.local_bytes = offset + v.bytes;
      return;
    }
    if (words[0] != ".reg") throw std::runtime_error("the PTX device does not know: " + statement);
    declare_registers(words);
  }

  // ".reg .b32 %r<10>" or ".reg .b64 %SP"
  void declare_registers(const Words& words) {
    for (std::size_t w = 2; w < words.size(); ++w) {
      if (words[w] == ",") continue;
      if (w + 1 < words.size() && words[w + 1] == "<") {
        const unsigned long count = std::stoul(words.at(w + 2));
        for (unsigned long r = 0; r < count; ++r) names_.add_register(words[w] + std::to_string(r));
        w += 3;
      } else {
        names_.add_register(words[w]);
      }
    }
  }

  // Constants are numbered behind the registers; branches find their labels.
  void finish() {
    const auto settle = [&](Slot& slot) {
      if (slot != no_slot && slot >= Names::first_constant) {
        slot = slot - Names::first_constant + names_.registers;
      }
    };
    for (Instruction& in : code_.instructions) {
      settle(in.guard);
      settle(in.address);
      for (Slot& s : in.to) settle(s);
      for (Slot& s : in.of) settle(s);
      const bool kind = (in.op == Op::load && in.order == Order::weak) ||
                        (in.op == Op::store && in.order == Order::relaxed) ||
                        in.op == Op::multicast_store;
      in.may_be_late = kind && size_of(in.type) * in.width <= LateLoads::most_bytes &&
                       (in.space == Space::generic || in.space == Space::global);
      for (const Slot s : {in.address, in.to[0], in.to[1], in.to[2], in.to[3], in.of[0], in.of[1],
                           in.of[2], in.of[3]}) {
        const bool is_register = s != no_slot && s < names_.registers;
        if (is_register) in.touches |= std::uint64_t{1} << (s % 64);
      }
    }
    for (const auto& [at, label] : branches_) {
      const auto found = labels_.find(label);
      if (found == labels_.end())
        throw std::runtime_error("no label " + label + " in " + kernel_.name);
      code_.instructions[at].target = found->second;
    }
    Instruction end;
    end.line = static_cast<std::int32_t>(code_.lines.size());
    code_.lines.emplace_back("(the end)");
    code_.instructions.push_back(end);
    code_.slots = names_.registers;
    code_.constants = names_.constants;
    kernel_.shared_bytes = shared_bytes_;
    kernel_.code = std::make_shared<const Code>(std::move(code_));
    kernels_.push_back(std::move(kernel_));
  }

  std::string text_;
  std::size_t at_ = 0;
  std::vector<Kernel> kernels_;
  Kernel kernel_;
  Code code_;
  Names names_;
  std::map<std::string, std::int32_t> labels_;
  std::vector<std::pair<std::size_t, std::string>> branches_;
  std::size_t shared_bytes_ = 0;
  std::vector<Words> shared_by_all_;  // declarations in front of the kernels
};

}  // namespace

std::vector<Kernel> parse(std::string_view text) { return Parser(text).parse(); }

}  // namespace fabricast::ptx
