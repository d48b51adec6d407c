#include "emulator/profile/json_repair.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr std::size_t list_depth = 2;   // outermost object, list of objects
constexpr std::size_t most_depth = 64;  // of nesting: a parser's patience

bool is_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

class Repair {
 public:
  Repair(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  RepairedJson run() {
    made_.text.reserve(text_.size());
    while (at_ < text_.size()) step();
    if (!open_.empty()) {
      made_.cut = true;
      made_.text.resize(whole_);
      made_.text += closers_;
      made_.object_lines.resize(whole_objects_);
    }
    return std::move(made_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\n') ++made_.lines;
    if (c == '"') return copy_string();
    if (is_word(c) && !inside_number()) return copy_word();
    made_.text += c;
    ++at_;
    if (c == '{' || c == '[') {
      if (open_.size() >= most_depth) {
        throw UsageError(
            fmt::format("{}:{}: nested deeper than {} levels; is this the "
                        "right file?",
                        file_, made_.lines, most_depth));
      }
      if (c == '{' && open_.size() == list_depth && open_.back() == ']') {
        made_.object_lines.push_back(made_.lines);
      }
      open_ += c == '{' ? '}' : ']';
    } else if (c == '}' || c == ']') {
      if (open_.empty() || open_.back() != c) {
        throw UsageError(
            fmt::format("{}:{}: not valid JSON ({} closes nothing); is this nccl-tests' "
                        "output?",
                        file_, made_.lines, c));
      }
      open_.pop_back();
      if (open_.size() <= list_depth) remember();
    }
  }

  // Everything so far is whole: what a cut file is taken back to.
  void remember() {
    whole_ = made_.text.size();
    whole_objects_ = made_.object_lines.size();
    closers_.assign(open_.rbegin(), open_.rend());
  }

  void copy_string() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\n') ++made_.lines;
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_ + 1, text_.size());
    made_.text += text_.substr(start, at_ - start);
  }

  bool inside_number() const {
    return !made_.text.empty() && std::isdigit(static_cast<unsigned char>(made_.text.back())) != 0;
  }

  void copy_word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const auto word = text_.substr(start, at_ - start);
    if (word != "inf" && word != "nan") {
      made_.text += word;
      return;
    }
    if (made_.text.ends_with('-')) made_.text.pop_back();
    made_.text += "null";
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  RepairedJson made_;
  std::string open_;  // closing brackets, innermost last
  std::string closers_;
  std::size_t whole_ = 0, whole_objects_ = 0;
};

}  // namespace

RepairedJson repair_json(std::string_view text, const std::string& file) {
  return Repair(text, file).run();
}

}  // namespace fabricast
