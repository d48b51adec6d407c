#include "emulator/schedule/import/xml_node.hpp"

#include <charconv>
#include <set>

#include <fmt/format.h>

#include "emulator/base/text_file.hpp"
#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

XmlReader::XmlReader(std::string_view text, const std::string& file, const char* root)
    : file_(file), lines_(text) {
  require_text(text, file);
  const auto parsed = document_.load_buffer(text.data(), text.size());
  if (!parsed) {
    refuse_file(file, lines_.line_at(parsed.offset),
                fmt::format("not valid XML ({}); is the file complete?", parsed.description()));
  }
  if (this->root().name() != std::string_view(root)) {
    refuse_file(file, line_of(this->root()),
                fmt::format("the outermost element is <{}>, not <{}>; give a file of that kind",
                            this->root().name(), root));
  }
  for (auto next = this->root().next_sibling(); next; next = next.next_sibling()) {
    if (next.type() == pugi::node_element) fail(next, "a second outermost element; remove it");
  }
}

void XmlReader::fail(const pugi::xml_node& node, const std::string& problem) const {
  refuse_file(file_, line_of(node), fmt::format("{}: {}", node.name(), problem));
}

void XmlReader::check(const pugi::xml_node& node, std::string_view child) const {
  std::set<std::string_view> names;
  for (const auto& attribute : node.attributes()) {
    if (!names.insert(attribute.name()).second) {
      fail(node, fmt::format("attribute \"{}\" is given twice; remove one", attribute.name()));
    }
  }
  for (const auto inside : node.children()) {
    if (inside.type() == pugi::node_comment) continue;
    if (inside.type() != pugi::node_element) {
      fail(node, "text between the elements; remove it");
    }
    if (inside.name() == child) continue;
    fail(inside, child.empty()
                     ? fmt::format("nothing may stand inside <{}>", node.name())
                     : fmt::format("only <{}> may stand inside <{}>", child, node.name()));
  }
}

std::string XmlReader::text(const pugi::xml_node& node, const char* name) const {
  const auto attribute = node.attribute(name);
  if (!attribute)
    fail(node, fmt::format("attribute \"{}\" is missing; is the file complete?", name));
  return attribute.value();
}

std::int64_t XmlReader::integer(const pugi::xml_node& node, const char* name, std::int64_t lowest,
                                std::int64_t highest) const {
  const std::string value = text(node, name);
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end) {
    fail(node, fmt::format("attribute \"{}\": \"{}\" is not a whole number", name, value));
  }
  if (number < lowest || number > highest) {
    fail(node, fmt::format("attribute \"{}\": {} is out of range ({} to {})", name, number, lowest,
                           highest));
  }
  return number;
}

std::int64_t XmlReader::integer_or(const pugi::xml_node& node, const char* name,
                                   std::int64_t lowest, std::int64_t highest,
                                   std::int64_t otherwise) const {
  return node.attribute(name) ? integer(node, name, lowest, highest) : otherwise;
}

}  // namespace fabricast
