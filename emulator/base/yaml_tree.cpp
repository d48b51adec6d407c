#include "emulator/base/yaml_tree.hpp"

#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr int max_nodes = 100'000;
constexpr std::size_t max_depth = 32;

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
    std::string path;
    for (const auto* node : stack_) {
      if (node->kind == YamlNode::Kind::map && !node->keys.empty()) {
        path += (path.empty() ? "" : ".") + node->keys.back().name;
      }
    }
    fail_at(file_, mark.line + 1, mark.column + 1, path, problem);
  }
  [[noreturn]] void reject_anchor(const YAML::Mark& mark) const {
    reject(mark,
           "anchors and aliases are not supported (a value is read where it stands); write "
           "the value out");
  }

  // The new node, or null when this event was the key of a mapping.
  YamlNode* add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                YamlNode::Kind kind, const std::string& value) {
    if (anchor != 0) reject_anchor(mark);
    // "?" is a plain scalar, "!" a quoted one.
    if (!tag.empty() && tag != "?" && tag != "!") {
      reject(mark, fmt::format("the tag \"{}\" is not supported; remove it", tag));
    }
    if (++nodes_ > max_nodes) {
      reject(mark, fmt::format("more than {} values; this is no file a person wrote", max_nodes));
    }
    YamlNode* parent = stack_.empty() ? nullptr : stack_.back();
    if (parent != nullptr && parent->kind == YamlNode::Kind::map &&
        parent->keys.size() == parent->children.size()) {
      add_key(*parent, mark, kind, value);
      return nullptr;
    }
    auto node = std::make_unique<YamlNode>();
    node->kind = kind;
    node->line = mark.line + 1;
    node->column = mark.column + 1;
    node->value = value;
    if (kind == YamlNode::Kind::null && parent != nullptr && !parent->keys.empty()) {
      // The parser's mark is where it noticed; people look at the key.
      node->line = parent->keys.back().line;
      node->column = parent->keys.back().column;
    }
    YamlNode* raw = node.get();
    (parent == nullptr ? root_ : parent->children.emplace_back()) = std::move(node);
    return raw;
  }

  void add_key(YamlNode& map, const YAML::Mark& mark, YamlNode::Kind kind,
               const std::string& name) {
    if (kind != YamlNode::Kind::scalar || name.empty()) {
      reject(mark, "a key must be a plain word");
    }
    map.keys.push_back({name, mark.line + 1, mark.column + 1});
    const auto [first, is_new] = lines_of_keys_.back().try_emplace(name, mark.line + 1);
    if (!is_new) {
      reject(mark, fmt::format("duplicate key (first given in line {}); remove one of them",
                               first->second));
    }
  }

  void open(YamlNode* node, const YAML::Mark& mark) {
    stack_.push_back(node);
    lines_of_keys_.emplace_back();
    if (stack_.size() > max_depth) {
      reject(mark, fmt::format("nested deeper than {} levels; flatten it", max_depth));
    }
  }

  void close() {
    stack_.pop_back();
    lines_of_keys_.pop_back();
  }

  const std::string& file_;
  std::unique_ptr<YamlNode> root_;
  std::vector<YamlNode*> stack_;
  std::vector<std::unordered_map<std::string, int>> lines_of_keys_;  // of each node in stack_
  int nodes_ = 0;
};

}  // namespace

std::string_view to_string(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a mapping";
  }
  return "";
}

void fail_at(const std::string& file, int line, int column, const std::string& path,
             const std::string& problem) {
  throw UsageError(
      fmt::format("{}:{}:{}: {}{}{}", file, line, column, path, path.empty() ? "" : ": ", problem));
}

std::unique_ptr<YamlNode> parse_yaml_tree(std::string_view text, const std::string& file) {
  TreeBuilder builder(file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      fail_at(file, 1, 1, "", "the file holds no values (only comments?); write its content first");
    }
    TreeBuilder next(file);
    if (parser.HandleNextDocument(next)) {
      fail_at(file, 1, 1, "", "the file holds several documents (separated by \"---\"); keep one");
    }
  } catch (const YAML::Exception& error) {
    fail_at(file, error.mark.line + 1, error.mark.column + 1, "",
            fmt::format("not valid YAML ({}); is the file complete?", error.msg));
  }
  auto root = builder.take();
  if (!root || root->kind == YamlNode::Kind::null) {
    fail_at(file, 1, 1, "", "the file holds no values (only comments?); write its content first");
  }
  return root;
}

}  // namespace fabricast
