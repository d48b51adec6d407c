#include "emulator/base/strict_yaml.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

// Reads `text` as {name, size, list, nested: {us}} and returns the error message, if any.
std::string read(std::string_view text) {
  try {
    const auto root = YamlCursor::parse(text, "f.yaml");
    root.at("name").text();
    if (auto size = root.find("size")) size->integer(1, 100);
    if (auto flag = root.find("flag")) flag->boolean();
    if (auto list = root.find("list")) {
      for (const auto& item : list->items()) item.number(Range::between(0, 1));
    }
    if (auto nested = root.find("nested")) {
      nested->at("latency").scaled(Dimension::duration, "us", Range::positive(1e6));
    }
    if (auto kind = root.find("kind")) {
      kind->choice("kind", std::array<std::string, 2>{"ring", "tree"});
    }
    root.finish();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(StrictYaml, ReadsWhatIsWellFormed) {
  EXPECT_EQ(read("name: a\nsize: 7\nflag: true\nlist: [0, 0.5, 1]\nkind: ring\n"
                 "nested: {latency: 350 ns}  # comment\n"),
            "");
  EXPECT_EQ(read("# comment first\n{name: \"1 2\", nested: {\"latency\": '2.8 us'}}"), "");
}

TEST(StrictYaml, KnowsPositionAndPath) {
  EXPECT_EQ(read("name: a\nnested:\n  latency: 350\n"),
            "f.yaml:3:12: nested.latency: \"350\" has no unit (a bare number is ambiguous); write "
            "for example \"2.8 us\"");
  EXPECT_EQ(read("name: a\nlist: [0.5, 2]\n"),
            "f.yaml:2:13: list[1]: 2 is out of range; give a number of at least 0 and at most 1");
}

TEST(StrictYaml, RejectsFilesThatAreNoText) {
  EXPECT_EQ(read(""), "f.yaml:1:1: the file is empty; write its content first");
  EXPECT_EQ(read(" \n\t\n"), "f.yaml:1:1: the file is empty; write its content first");
  EXPECT_EQ(read("# nothing\n"),
            "f.yaml:1:1: the file holds no values (only comments?); write its content first");
  EXPECT_EQ(read(std::string_view("name: a\nx: \0", 12)),
            "f.yaml:2:4: not a text file (a NUL byte at byte 11); give a UTF-8 file");
  EXPECT_EQ(read("name: \xC3\x28"),
            "f.yaml:1:7: not a text file (invalid UTF-8 at byte 6); give a UTF-8 file");
  EXPECT_EQ(read("name: \xED\xA0\x80"),
            "f.yaml:1:7: not a text file (invalid UTF-8 at byte 6); give a UTF-8 file");
  EXPECT_EQ(read("name: \xC3\xA9t\xC3\xA9"), "");
  EXPECT_EQ(read("\x89PNG\r\n"),
            "f.yaml:1:1: not a text file (invalid UTF-8 at byte 0); give a UTF-8 file");
}

TEST(StrictYaml, RejectsBrokenStructure) {
  EXPECT_EQ(read("name: a\nnested: {latency: 3 us"),
            "f.yaml:2:1: not valid YAML (end of map flow not found); is the file complete?");
  EXPECT_EQ(read("name: a\nname: b\n"),
            "f.yaml:2:1: name: duplicate key (first given in line 1); remove one of them");
  EXPECT_EQ(
      read("name: a\nnested: {latency: 1 us, latency: 2 us}\n"),
      "f.yaml:2:25: nested.latency: duplicate key (first given in line 2); remove one of them");
  EXPECT_EQ(read("name: a\n---\nname: b\n"),
            "f.yaml:1:1: the file holds several documents (separated by \"---\"); keep one");
  EXPECT_EQ(read("? [a, b]\n: c\n"), "f.yaml:1:3: a key must be a plain word");
  EXPECT_EQ(read("- a\n- b\n"),
            "f.yaml:1:1: expected a mapping, found a list; write \"key: value\" lines");
  EXPECT_EQ(read("just text"),
            "f.yaml:1:1: expected a mapping, found a single value; write \"key: value\" lines");
}

TEST(StrictYaml, RejectsAliasesTagsAndBombs) {
  EXPECT_EQ(read("name: &x a\n"),
            "f.yaml:1:7: name: anchors and aliases are not supported (a value is read where it "
            "stands); write the value out");
  EXPECT_EQ(read("name: !!binary aGk=\n"),
            "f.yaml:1:7: name: the tag \"tag:yaml.org,2002:binary\" is not supported; remove it");
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            ", *a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_EQ(read(bomb),
            "f.yaml:1:5: a0: anchors and aliases are not supported (a value is read where it "
            "stands); write the value out");
  EXPECT_EQ(read("name: " + std::string(33, '[') + std::string(33, ']')),
            "f.yaml:1:38: name: nested deeper than 32 levels; flatten it");
  EXPECT_NE(read("name: " + std::string(100000, '[')), "");
  std::string wide = "name: a\nlist: [";
  for (int i = 0; i < 100001; ++i) wide += "0,";
  EXPECT_NE(read(wide + "0]").find("list: more than 100000 values"), std::string::npos);
}

TEST(StrictYaml, RejectsUnknownAndMissingKeysWithAGuess) {
  EXPECT_EQ(
      read("name: a\nsiez: 3\n"),
      "f.yaml:2:1: siez: unknown key \"siez\" (did you mean \"size\"?); known: name size flag "
      "list nested kind");
  EXPECT_EQ(read("name: a\nnested: {latency: 1 us, jitter: 1 us}\n"),
            "f.yaml:2:25: nested.jitter: unknown key \"jitter\"; known: latency");
  EXPECT_EQ(read("size: 3\n"), "f.yaml:1:1: name: missing key; add it");
  EXPECT_EQ(read("nmae: 3\n"), "f.yaml:1:1: name: missing key (is \"nmae\" a typo of it?); add it");
}

TEST(StrictYaml, RejectsWrongKindsAndEmptyValues) {
  EXPECT_EQ(read("name:\n"), "f.yaml:1:1: name: expected a text, found nothing");
  EXPECT_EQ(read("name: \"  \"\n"), "f.yaml:1:7: name: expected a text, found an empty text");
  EXPECT_EQ(read("name: [a]\n"), "f.yaml:1:7: name: expected a text, found a list");
  EXPECT_EQ(read("name: a\nnested: 3\n"),
            "f.yaml:2:9: nested: expected a mapping, found a single value; write \"key: value\" "
            "lines");
  EXPECT_EQ(read("name: a\nlist: 3\n"), "f.yaml:2:7: list: expected a list, found a single value");
  EXPECT_EQ(read("name: a\nflag: yes\n"),
            "f.yaml:2:7: flag: \"yes\" is neither true nor false; write one of them");
  EXPECT_EQ(read("name: a\nkind: rings\n"),
            "f.yaml:2:7: kind: unknown kind \"rings\" (did you mean \"ring\"?); known: ring tree");
}

TEST(StrictYaml, RejectsNumbersThatAreNone) {
  EXPECT_EQ(
      read("name: a\nsize: 010\n"),
      "f.yaml:2:7: size: \"010\" has a leading zero (some readers take it for octal); write it "
      "without");
  EXPECT_EQ(read("name: a\nsize: 0\n"),
            "f.yaml:2:7: size: 0 is out of range; give a whole number from 1 to 100");
  EXPECT_EQ(read("name: a\nsize: -4\n"),
            "f.yaml:2:7: size: -4 is out of range; give a whole number from 1 to 100");
  EXPECT_EQ(read("name: a\nlist: [.nan]\n"),
            "f.yaml:2:8: list[0]: \".nan\" is not a finite number; write a number such as 0.9");
  EXPECT_EQ(
      read("name: a\nlist: [1e400]\n"),
      "f.yaml:2:8: list[0]: \"1e400\" is out of the range of a double (about 1e-308 to 1e308)");
  EXPECT_EQ(
      read("name: a\nnested: {latency: 0 us}\n"),
      "f.yaml:2:19: nested.latency: 0 us is out of range; give a number above 0 us and at most "
      "1000000 us");
  EXPECT_EQ(read("name: a\nnested: {latency: -1 ns}\n"),
            "f.yaml:2:19: nested.latency: -1 ns is out of range; give a number above 0 us and at "
            "most 1000000 us");
}

TEST(StrictYaml, WhatIsSkippedHidesNothingElse) {
  const auto finish = [](const std::string& text) {
    const auto root = YamlCursor::parse(text, "f.yaml");
    root.at("notes").skip();
    root.finish();
  };
  EXPECT_NO_THROW(finish("notes: {a: [1, {b: 2}], c: {}}\n"));
  EXPECT_NO_THROW(finish("notes: text\n"));
  EXPECT_THROW(finish("notes: {a: 1}\nnote: 1\n"), UsageError);
}

TEST(StrictYaml, ManyKeysTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 49'000; ++i) text += std::string(150, 'k') + std::to_string(i) + ": 1\n";
  const auto root = YamlCursor::parse(text, "f.yaml");
  EXPECT_EQ(root.keys().size(), 49'000u);
  EXPECT_THROW(YamlCursor::parse(text + std::string(150, 'k') + "7: 1\n", "f.yaml"), UsageError);
}

}  // namespace
}  // namespace fabricast
