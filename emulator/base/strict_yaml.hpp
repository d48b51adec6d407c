// YAML that people write, read strictly: a cursor that knows file, line, column and key path.
//
// Every error is a UsageError "file:line:col: key.path: problem (why) what to do". Rejected when
// the text is parsed: an empty file, NUL bytes and invalid UTF-8, syntax errors (truncation),
// duplicate and non-scalar keys, anchors, aliases and tags (values are written out, so there are no
// alias bombs), several documents, nesting deeper than 32 and more than 100,000 nodes. Rejected
// when read: a wrong kind of node, an empty value, missing and unknown keys, and every number that
// scaled_number.hpp or the given range refuses.
//
//   YamlCursor root = YamlCursor::parse(text, "machine.yaml");
//   double us = root.at("nic").at("latency").scaled(Dimension::duration, "us",
//   Range::positive(1e6)); root.finish();  // every key that nobody read is an error, with a
//   did-you-mean
//
// Invariants: a cursor never dangles (it shares the document). Thread safety: none for one document
// (reading marks keys as known). Complexity: linear in the text; lookups are linear in the keys of
// one mapping.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/scaled_number.hpp"

namespace fabricast {

struct YamlNode;
struct YamlSource;

// The values a number may take. `open_low` excludes the minimum itself.
struct Range {
  double min = 0;
  double max = std::numeric_limits<double>::max();
  bool open_low = false;
  static constexpr Range positive(double max) { return {0, max, true}; }
  static constexpr Range between(double min, double max) { return {min, max, false}; }
};

// A value put into a document at a dotted key path, in place of what is there or as a new key. In
// place of a scalar it is a scalar; elsewhere it is the list [value, rest...], and a scalar only
// without a rest. `from` says who wants it, for messages: "--set fabric.rails=3".
struct YamlPatch {
  std::string path, value;
  std::vector<std::string> rest;
  std::string from = "";
};

class YamlCursor {
 public:
  // The root of a document; `file` is used in messages only. Patches are applied in order; errors
  // about what they bring say `from` instead of a place, or the place they came to where it is
  // empty. A path through what is no mapping is a UsageError.
  static YamlCursor parse(std::string_view text, std::string file,
                          std::span<const YamlPatch> patches = {});

  bool is_map() const;
  bool is_list() const;
  bool is_scalar() const;

  // The value of a key of this mapping. at(): a missing key is an error; find(): it is absent.
  YamlCursor at(std::string_view key) const;
  std::optional<YamlCursor> find(std::string_view key) const;
  // The keys of this mapping in file order (does not count as reading them).
  std::vector<std::string> keys() const;
  // The items of this list.
  std::vector<YamlCursor> items() const;

  // Scalars. text() is not empty; choice() is one of `known` (else did-you-mean).
  std::string text() const;
  std::string choice(std::string_view what, std::span<const std::string> known) const;
  bool boolean() const;
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  double number(Range range) const;
  double scaled(Dimension dimension, std::string_view unit, Range range) const;

  // Everything below this node is somebody else's: finish() takes it as read.
  void skip() const;

  // Fails at the first key below this node that was never asked for.
  void finish() const;

  // Throws "file:line:col: key.path: problem".
  [[noreturn]] void fail(const std::string& problem) const;
  // "file:line:col: key.path".
  std::string place() const;
  std::string path() const { return path_; }

 private:
  YamlCursor(std::shared_ptr<const YamlSource> source, const YamlNode* node, std::string path);
  const std::string& scalar(std::string_view expected) const;
  void expect_map() const;
  std::string child_path(std::string_view key) const;
  void check_range(double value, Range range, std::string_view unit) const;

  std::shared_ptr<const YamlSource> source_;
  const YamlNode* node_;
  std::string path_;
};

}  // namespace fabricast
