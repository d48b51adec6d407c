#include "emulator/base/strict_yaml.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast {

// One node of the document; children are owned. A mapping holds its keys in `names`.
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  int line = 0, column = 0;
  std::string value;
  std::vector<std::string> names;
  std::vector<std::unique_ptr<YamlNode>> children;
  mutable std::vector<char> known;  // per key: did the reader ask for it
};

struct YamlSource {
  std::string file;
  std::unique_ptr<YamlNode> root;
};

namespace {

constexpr int max_nodes = 100'000;
constexpr std::size_t max_depth = 32;

[[noreturn]] void fail_at(const std::string& file, int line, int column, const std::string& text) {
  throw UsageError(fmt::format("{}:{}:{}: {}", file, line, column, text));
}

// Builds the tree from parser events, so that duplicate keys, aliases and sizes are seen before
// yaml-cpp's own tree would hide them.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, "?", anchor, YamlNode::Kind::null, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { reject_anchor(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add(mark, tag, anchor, YamlNode::Kind::scalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(add(mark, tag, anchor, YamlNode::Kind::list, ""), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(add(mark, tag, anchor, YamlNode::Kind::map, ""), mark);
  }
  void OnMapEnd() override { close(); }

  std::unique_ptr<YamlNode> take() { return std::move(root_); }

 private:
  [[noreturn]] void reject(const YAML::Mark& mark, const std::string& problem) const {
    std::string where;
    for (const auto* node : stack_) {
      if (node->kind == YamlNode::Kind::map && !node->names.empty()) {
        where += (where.empty() ? "" : ".") + node->names.back();
      }
    }
    fail_at(file_, mark.line + 1, mark.column + 1,
            where.empty() ? problem : where + ": " + problem);
  }
  [[noreturn]] void reject_anchor(const YAML::Mark& mark) const {
    reject(mark, "anchors and aliases are not supported (a value is to be read where it stands); "
                 "write the value out");
  }

  YamlNode* add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                YamlNode::Kind kind, const std::string& value) {
    if (anchor != 0) reject_anchor(mark);
    if (!tag.empty() && tag != "?" && tag != "!") {
      reject(mark, fmt::format("the tag \"{}\" is not supported; remove it", tag));
    }
    if (++nodes_ > max_nodes) {
      reject(mark, fmt::format("more than {} values; this is no file a person wrote", max_nodes));
    }
    YamlNode* parent = stack_.empty() ? nullptr : stack_.back();
    if (parent != nullptr && parent->kind == YamlNode::Kind::map &&
        parent->names.size() == parent->children.size()) {
      add_key(*parent, mark, kind, value);
      return nullptr;
    }
    auto node = std::make_unique<YamlNode>();
    node->kind = kind;
    node->line = mark.line + 1;
    node->column = mark.column + 1;
    node->value = value;
    YamlNode* raw = node.get();
    (parent == nullptr ? root_ : parent->children.emplace_back()) = std::move(node);
    return raw;
  }

  void add_key(YamlNode& map, const YAML::Mark& mark, YamlNode::Kind kind,
               const std::string& name) {
    if (kind != YamlNode::Kind::scalar || name.empty()) {
      reject(mark, "a key must be a plain word");
    }
    for (std::size_t i = 0; i < map.names.size(); ++i) {
      if (map.names[i] == name) {
        map.names.push_back(name);  // completes the path of the message
        reject(mark, fmt::format("duplicate key (first given at line {}); remove one of them",
                                 map.children[i]->line));
      }
    }
    map.names.push_back(name);
    map.known.push_back(0);
  }

  void open(YamlNode* node, const YAML::Mark& mark) {
    stack_.push_back(node);
    if (stack_.size() > max_depth) {
      reject(mark, fmt::format("nested deeper than {} levels; flatten it", max_depth));
    }
  }
  void close() { stack_.pop_back(); }

  std::string file_;
  std::unique_ptr<YamlNode> root_;
  std::vector<YamlNode*> stack_;
  int nodes_ = 0;
};

std::string_view kind_name(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a single value";
    case YamlNode::Kind::list: return "a list";
    case YamlNode::Kind::map: return "a mapping";
  }
  return "";
}

// Length of the UTF-8 sequence at `text`, 0 if invalid (overlong, surrogate, beyond U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF) {
    length = 2, code = byte(0) & 0x1Fu;
  } else if (byte(0) >= 0xE0 && byte(0) <= 0xEF) {
    length = 3, code = byte(0) & 0x0Fu;
  } else if (byte(0) >= 0xF0 && byte(0) <= 0xF4) {
    length = 4, code = byte(0) & 0x07u;
  }
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

void find_unknown_key(const YamlSource& source, const YamlNode& node, const std::string& path) {
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const bool map = node.kind == YamlNode::Kind::map;
    const auto& child = *node.children[i];
    const std::string child_path =
        map ? (path.empty() ? node.names[i] : path + "." + node.names[i])
            : fmt::format("{}[{}]", path, i);
    if (map && node.known[i] == 0) {
      fail_at(source.file, child.line, child.column, child_path + ": unknown key; remove it");
    }
    find_unknown_key(source, child, child_path);
  }
}

}  // namespace

void require_text(std::string_view text, const std::string& file) {
  int line = 1, column = 1;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (text[i] == '\0' || length == 0) {
      fail_at(file, line, column,
              fmt::format("not a text file ({} at byte {}); give a UTF-8 file",
                          text[i] == '\0' ? "a NUL byte" : "invalid UTF-8", i));
    }
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
    i += length;
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    fail_at(file, 1, 1, "the file is empty; write its content first");
  }
}

std::string read_text_file(const std::string& file, std::int64_t max_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    throw IoError(fmt::format("cannot read {} (no such file); check the path", file));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw IoError(fmt::format("cannot read {} (not a regular file); give a file", file));
  }
  const auto size = std::filesystem::file_size(file, error);
  if (!error && size > static_cast<std::uintmax_t>(max_bytes)) {
    throw IoError(fmt::format("{} has {} bytes (at most {} are read); give a smaller file", file,
                              size, max_bytes));
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  // An empty file sets the fail bit of the output stream and is reported by require_text().
  if (!in || (!text && size != 0)) {
    throw IoError(fmt::format("cannot read {} ({}); check its permissions", file,
                              std::strerror(errno == 0 ? EIO : errno)));
  }
  return text.str();
}

YamlCursor YamlCursor::parse(std::string_view text, std::string file) {
  require_text(text, file);
  TreeBuilder builder(file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      fail_at(file, 1, 1, "the file holds no values (only comments?); write its content first");
    }
    TreeBuilder next(file);
    if (parser.HandleNextDocument(next)) {
      fail_at(file, 1, 1, "the file holds several documents (separated by \"---\"); keep one");
    }
  } catch (const YAML::Exception& error) {
    fail_at(file, error.mark.line + 1, error.mark.column + 1,
            fmt::format("not valid YAML ({}); is the file complete?", error.msg));
  }
  auto source = std::make_shared<YamlSource>();
  source->file = std::move(file);
  source->root = builder.take();
  if (!source->root || source->root->kind == YamlNode::Kind::null) {
    fail_at(source->file, 1, 1, "the file holds no values; write its content first");
  }
  const YamlNode* root = source->root.get();
  return YamlCursor(std::move(source), root, "");
}

YamlCursor::YamlCursor(std::shared_ptr<const YamlSource> source, const YamlNode* node,
                       std::string path)
    : source_(std::move(source)), node_(node), path_(std::move(path)) {}

bool YamlCursor::is_map() const { return node_->kind == YamlNode::Kind::map; }
bool YamlCursor::is_list() const { return node_->kind == YamlNode::Kind::list; }
bool YamlCursor::is_scalar() const { return node_->kind == YamlNode::Kind::scalar; }

void YamlCursor::fail(const std::string& problem) const {
  fail_at(source_->file, node_->line, node_->column,
          path_.empty() ? problem : path_ + ": " + problem);
}

std::string YamlCursor::child_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void YamlCursor::expect_map() const {
  if (!is_map()) {
    fail(fmt::format("expected a mapping, found {}; write \"key: value\" lines",
                     kind_name(node_->kind)));
  }
}

std::optional<YamlCursor> YamlCursor::find(std::string_view key) const {
  expect_map();
  for (std::size_t i = 0; i < node_->names.size(); ++i) {
    if (node_->names[i] == key) {
      node_->known[i] = 1;
      return YamlCursor(source_, node_->children[i].get(), child_path(key));
    }
  }
  return std::nullopt;
}

YamlCursor YamlCursor::at(std::string_view key) const {
  if (auto found = find(key)) return *found;
  // A key nobody asked for that looks like this one is most likely a typo of it.
  std::vector<std::string> unread;
  for (std::size_t i = 0; i < node_->names.size(); ++i) {
    if (node_->known[i] == 0) unread.push_back(node_->names[i]);
  }
  const std::string guess = closest_name(key, unread);
  fail_at(source_->file, node_->line, node_->column,
          fmt::format("{}: missing key{}; add it", child_path(key),
                      guess.empty() ? "" : fmt::format(" (is \"{}\" a typo of it?)", guess)));
}

std::vector<std::string> YamlCursor::keys() const {
  expect_map();
  return node_->names;
}

std::vector<YamlCursor> YamlCursor::items() const {
  if (!is_list()) fail(fmt::format("expected a list, found {}", kind_name(node_->kind)));
  std::vector<YamlCursor> result;
  for (std::size_t i = 0; i < node_->children.size(); ++i) {
    result.push_back(
        YamlCursor(source_, node_->children[i].get(), fmt::format("{}[{}]", path_, i)));
  }
  return result;
}

const std::string& YamlCursor::scalar(std::string_view expected) const {
  if (!is_scalar()) {
    fail(fmt::format("expected {}, found {}", expected, kind_name(node_->kind)));
  }
  if (node_->value.find_first_not_of(" \t\n") == std::string::npos) {
    fail(fmt::format("expected {}, found an empty text", expected));
  }
  return node_->value;
}

std::string YamlCursor::text() const { return scalar("a text"); }

std::string YamlCursor::choice(std::string_view what, std::span<const std::string> known) const {
  const std::string& value = scalar(fmt::format("the {}", what));
  for (const auto& name : known) {
    if (name == value) return value;
  }
  fail(unknown_name_message(what, value, known));
}

bool YamlCursor::boolean() const {
  const std::string& value = scalar("true or false");
  if (value != "true" && value != "false") {
    fail(fmt::format("\"{}\" is neither true nor false; write one of them", value));
  }
  return value == "true";
}

namespace {

// Adds the position to the message of a number parser.
template <class Parse>
auto positioned(const YamlCursor& cursor, Parse parse) {
  try {
    return parse();
  } catch (const UsageError& error) {
    cursor.fail(error.what());
  }
}

}  // namespace

void YamlCursor::check_range(double value, Range range, std::string_view unit) const {
  if (value >= range.min && value <= range.max && !(range.open_low && value == range.min)) return;
  const std::string suffix = unit.empty() ? "" : fmt::format(" {}", unit);
  fail(fmt::format("{}{} is out of range; give a number {} {:.15g}{} and at most {:.15g}{}",
                   node_->value, unit.empty() || node_->value.find(' ') != std::string::npos
                                     ? "" : suffix,
                   range.open_low ? "above" : "of at least", range.min, suffix, range.max, suffix));
}

std::int64_t YamlCursor::integer(std::int64_t min, std::int64_t max) const {
  const std::string& value = scalar("a whole number");
  const auto result = positioned(*this, [&] { return parse_integer(value); });
  if (result < min || result > max) {
    fail(fmt::format("{} is out of range; give a whole number from {} to {}", value, min, max));
  }
  return result;
}

double YamlCursor::number(Range range) const {
  const std::string& value = scalar("a number");
  const double result = positioned(*this, [&] { return parse_number(value); });
  check_range(result, range, "");
  return result;
}

double YamlCursor::scaled(Dimension dimension, std::string_view unit, Range range) const {
  const std::string& value = scalar("a number with its unit");
  const double result = positioned(*this, [&] { return parse_scaled(value, dimension, unit); });
  check_range(result, range, unit);
  return result;
}

void YamlCursor::finish() const { find_unknown_key(*source_, *node_, path_); }

}  // namespace fabricast
