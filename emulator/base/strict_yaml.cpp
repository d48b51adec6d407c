#include "emulator/base/strict_yaml.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/base/yaml_tree.hpp"

namespace fabricast {

struct YamlSource {
  std::string file;
  std::unique_ptr<YamlNode> root;
};

namespace {

// "file:line:col: path: problem", or who brought the value.
[[noreturn]] void fail_near(const std::string& file, const YamlNode& node, const std::string& path,
                            const std::string& problem) {
  if (!node.from.empty()) throw UsageError(fmt::format("{}: {}", node.from, problem));
  fail_at(file, node.line, node.column, path, problem);
}

// Adds the position to the message of a number parser.
template <class Parse>
auto positioned(const YamlCursor& cursor, Parse parse) {
  try {
    return parse();
  } catch (const UsageError& error) {
    cursor.fail(error.what());
  }
}

bool was_asked(const YamlNode& map, const std::string& key) {
  return std::find(map.asked.begin(), map.asked.end(), key) != map.asked.end();
}

void reject_unknown_keys(const YamlSource& source, const YamlNode& node, const std::string& path) {
  if (node.skipped) return;
  const bool map = node.kind == YamlNode::Kind::map;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::string child_path = !map           ? fmt::format("{}[{}]", path, i)
                                   : path.empty() ? node.keys[i].name
                                                  : path + "." + node.keys[i].name;
    if (map && !was_asked(node, node.keys[i].name)) {
      const auto& key = node.keys[i];
      std::string problem = unknown_name_message("key", key.name, node.asked);
      if (!key.from.empty()) throw UsageError(fmt::format("{}: {}", key.from, problem));
      fail_at(source.file, key.line, key.column, child_path, problem);
    }
    reject_unknown_keys(source, *node.children[i], child_path);
  }
}

std::unique_ptr<YamlNode> new_node(YamlNode::Kind kind, const YamlNode& near,
                                   const YamlPatch& patch) {
  auto node = std::make_unique<YamlNode>();
  node->kind = kind;
  node->from = patch.from;
  node->line = near.line;
  node->column = near.column;
  return node;
}

std::unique_ptr<YamlNode> new_scalar(const std::string& value, const YamlNode& near,
                                     const YamlPatch& patch) {
  auto node = new_node(YamlNode::Kind::scalar, near, patch);
  node->value = value;
  return node;
}

std::unique_ptr<YamlNode> patched_value(const YamlPatch& patch, const YamlNode& near,
                                        bool was_scalar) {
  if (was_scalar || patch.rest.empty()) return new_scalar(patch.value, near, patch);
  auto list = new_node(YamlNode::Kind::list, near, patch);
  list->children.push_back(new_scalar(patch.value, near, patch));
  for (const auto& text : patch.rest) list->children.push_back(new_scalar(text, near, patch));
  return list;
}

void apply_patch(YamlNode& root, const std::string& file, const YamlPatch& patch) {
  YamlNode* node = &root;
  for (std::size_t begin = 0; begin <= patch.path.size();) {
    const std::size_t dot = std::min(patch.path.find('.', begin), patch.path.size());
    const std::string key = patch.path.substr(begin, dot - begin);
    const std::string so_far = patch.path.substr(0, dot);
    if (key.empty()) {
      throw UsageError(
          fmt::format("\"{}\" is no key path (an empty key); write for example "
                      "fabric.rails",
                      patch.path));
    }
    if (node->kind != YamlNode::Kind::map) {
      const auto problem = fmt::format(
          "cannot be set (what is above it is {}); set a key that is there", to_string(node->kind));
      if (!patch.from.empty()) throw UsageError(fmt::format("{}: {}", patch.from, problem));
      fail_at(file, node->line, node->column, so_far, problem);
    }
    std::size_t at = 0;
    while (at < node->keys.size() && node->keys[at].name != key) ++at;
    const bool last = dot == patch.path.size();
    if (at == node->keys.size()) {
      node->keys.push_back({key, node->line, node->column, patch.from});
      node->children.push_back(last ? patched_value(patch, *node, false)
                                    : new_node(YamlNode::Kind::map, *node, patch));
    } else if (last) {
      auto& child = node->children[at];
      child = patched_value(patch, *child, child->kind == YamlNode::Kind::scalar);
    }
    node = node->children[at].get();
    begin = dot + 1;
  }
}

}  // namespace

YamlCursor YamlCursor::parse(std::string_view text, std::string file,
                             std::span<const YamlPatch> patches) {
  require_text(text, file);
  auto source = std::make_shared<YamlSource>();
  source->root = parse_yaml_tree(text, file);
  for (const auto& patch : patches) apply_patch(*source->root, file, patch);
  source->file = std::move(file);
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
  fail_near(source_->file, *node_, path_, problem);
}

std::string YamlCursor::place() const {
  return fmt::format("{}:{}:{}: {}", source_->file, node_->line, node_->column, path_);
}

std::string YamlCursor::child_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void YamlCursor::expect_map() const {
  if (!is_map()) {
    fail(fmt::format("expected a mapping, found {}; write \"key: value\" lines",
                     to_string(node_->kind)));
  }
}

std::optional<YamlCursor> YamlCursor::find(std::string_view key) const {
  expect_map();
  if (!was_asked(*node_, std::string(key))) node_->asked.emplace_back(key);
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    if (node_->keys[i].name == key) {
      return YamlCursor(source_, node_->children[i].get(), child_path(key));
    }
  }
  return std::nullopt;
}

YamlCursor YamlCursor::at(std::string_view key) const {
  if (auto found = find(key)) return *found;
  // A key nobody has asked for that looks like this one is most likely a typo of it.
  std::vector<std::string> unread;
  for (const auto& given : keys()) {
    if (!was_asked(*node_, given)) unread.push_back(given);
  }
  const std::string guess = closest_name(key, unread);
  const std::string problem =
      fmt::format("missing key{}; add it",
                  guess.empty() ? "" : fmt::format(" (is \"{}\" a typo of it?)", guess));
  if (node_->from.empty()) {
    fail_at(source_->file, node_->line, node_->column, child_path(key), problem);
  }
  throw UsageError(fmt::format("{}: {}: {}", node_->from, child_path(key), problem));
}

std::vector<std::string> YamlCursor::keys() const {
  expect_map();
  std::vector<std::string> names;
  for (const auto& key : node_->keys) names.push_back(key.name);
  return names;
}

std::vector<YamlCursor> YamlCursor::items() const {
  if (!is_list()) fail(fmt::format("expected a list, found {}", to_string(node_->kind)));
  std::vector<YamlCursor> result;
  for (std::size_t i = 0; i < node_->children.size(); ++i) {
    result.push_back(
        YamlCursor(source_, node_->children[i].get(), fmt::format("{}[{}]", path_, i)));
  }
  return result;
}

const std::string& YamlCursor::scalar(std::string_view expected) const {
  if (!is_scalar()) {
    fail(fmt::format("expected {}, found {}", expected, to_string(node_->kind)));
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

void YamlCursor::check_range(double value, Range range, std::string_view unit) const {
  if (value >= range.min && value <= range.max && !(range.open_low && value == range.min)) return;
  const std::string suffix = unit.empty() ? "" : fmt::format(" {}", unit);
  fail(fmt::format("{} is out of range; give a number {} {:.15g}{} and at most {:.15g}{}",
                   node_->value, range.open_low ? "above" : "of at least", range.min, suffix,
                   range.max, suffix));
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

void YamlCursor::skip() const { node_->skipped = true; }

void YamlCursor::finish() const { reject_unknown_keys(*source_, *node_, path_); }

}  // namespace fabricast
