// A strict view of XML elements: attributes once, integers in range, errors with file and line.
//
// Not thread safe; refers to the document it was made from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <pugixml.hpp>

#include "emulator/schedule/import/line_numbers.hpp"

namespace fabricast {

class XmlReader {
 public:
  // Parses; UsageError "file:line: ..." if `text` is no XML whose outermost element is `root`.
  XmlReader(std::string_view text, const std::string& file, const char* root);

  pugi::xml_node root() const { return document_.document_element(); }
  std::int32_t line_of(const pugi::xml_node& node) const {
    return lines_.line_at(node.offset_debug());
  }
  [[noreturn]] void fail(const pugi::xml_node& node, const std::string& problem) const;

  // The elements inside must all have this name, attributes must not repeat.
  void check(const pugi::xml_node& node, std::string_view child) const;
  std::string text(const pugi::xml_node& node, const char* name) const;
  std::int64_t integer(const pugi::xml_node& node, const char* name, std::int64_t lowest,
                       std::int64_t highest) const;
  // `otherwise` if the attribute is absent.
  std::int64_t integer_or(const pugi::xml_node& node, const char* name, std::int64_t lowest,
                          std::int64_t highest, std::int64_t otherwise) const;

 private:
  const std::string& file_;
  LineNumbers lines_;
  pugi::xml_document document_;
};

}  // namespace fabricast
