// Every bad machine file is a UsageError with its position; the texts are part of the interface.
#include <gtest/gtest.h>

#include <ostream>

#include "emulator/base/error.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct BadMachine {
  const char* label;
  std::string yaml;
  std::string message;  // after "m.yaml:"
};

void PrintTo(const BadMachine& machine, std::ostream* out) { *out << machine.label; }

std::string node(std::string_view from, std::string_view to) {
  return replaced(node_yaml(8), from, to);
}
std::string tree(std::string_view from, std::string_view to) {
  return replaced(tree_yaml({}), from, to);
}

std::vector<BadMachine> bad_machines() {
  return {
      {"empty", "", "1:1: the file is empty; write its content first"},
      {"blank", "\n \n", "1:1: the file is empty; write its content first"},
      {"only_comments", "# later\n",
       "1:1: the file holds no values (only comments?); write its content first"},
      {"truncated_in_a_value", node_yaml(8).substr(0, 52),
       "4:1: not valid YAML (end of sequence flow not found); is the file complete?"},
      {"truncated_between_lines", node_yaml(8).substr(0, 68),
       "1:1: gpu: missing key (is \"gp\" a typo of it?); add it"},
      {"binary",
       std::string("\x7F"
                   "ELF\0\x01",
                   6),
       "1:5: not a text file (a NUL byte at byte 4); give a UTF-8 file"},
      {"wrong_encoding",
       node("A box",
            "Gr\xF6\xDF"
            "e"),
       "2:10: not a text file (invalid UTF-8 at byte 19); give a UTF-8 file"},
      {"a_list", "- a\n", "1:1: expected a mapping, found a list; write \"key: value\" lines"},
      {"duplicate_key", node("title: A box\n", "title: A box\ntitle: B\n"),
       "3:1: title: duplicate key (first given in line 2); remove one of them"},
      {"duplicate_inner_key", node("value: 450 GB/s", "value: 450 GB/s, value: 900 GB/s"),
       "16:32: interconnect.bandwidth.value: duplicate key (first given in line 16); "
       "remove one of them"},
      {"unknown_key", node("title: A box\n", "title: A box\ncolour: red\n"),
       "3:1: colour: unknown key \"colour\"; known: name title kind gpus gpu "
       "interconnect channels scale_out status doubts cost"},
      {"misspelt_key", node("  power:", "  powr:"),
       "12:3: gpu.powr: unknown key \"powr\" (did you mean \"power\"?); known: name "
       "generation hbm hbm_bandwidth bf16 fp8 fp4 power pcie vendor"},
      {"misspelt_required_key", node("bandwidth: {", "bandwith: {"),
       "15:3: interconnect.bandwidth: missing key (is \"bandwith\" a typo of it?); add "
       "it"},
      {"missing_key", node("kind: single_node\n", ""), "1:1: kind: missing key; add it"},
      {"missing_interconnect", replaced(node_yaml(1), "gpus: [1,", "gpus: [2,"),
       "1:1: interconnect: missing key; add it"},
      {"needless_interconnect", node("gpus: [8,", "gpus: [1,"),
       "15:3: interconnect: a domain with one member has no interconnect; remove it"},
      {"negative", node("450 GB/s", "-450 GB/s"),
       "16:22: interconnect.bandwidth.value: -450 GB/s is out of range; give a number "
       "of at least 0.001 GB/s and at most 1000000 GB/s"},
      {"zero", node("450 GB/s", "0 GB/s"),
       "16:22: interconnect.bandwidth.value: 0 GB/s is out of range; give a number "
       "of at least 0.001 GB/s and at most 1000000 GB/s"},
      {"slower_than_any_link", node("450 GB/s", "1e-300 GB/s"),
       "16:22: interconnect.bandwidth.value: 1e-300 GB/s is out of range; give a number "
       "of at least 0.001 GB/s and at most 1000000 GB/s"},
      {"negative_zero", node("150 ns", "-0.0 ns"),
       "17:20: interconnect.latency.value: -0.0 ns is out of range; give a number above "
       "0 us and at most 1000000 us"},
      {"nan", node("450 GB/s", ".nan"),
       "16:22: interconnect.bandwidth.value: \".nan\" is not a finite number; write a "
       "number such as \"900 GB/s\""},
      {"nan_with_unit", node("450 GB/s", "NaN GB/s"),
       "16:22: interconnect.bandwidth.value: \"NaN GB/s\" is not a finite number; write "
       "a number such as \"900 GB/s\""},
      {"infinite", node("450 GB/s", ".inf"),
       "16:22: interconnect.bandwidth.value: \".inf\" is not a finite number; write a "
       "number such as \"900 GB/s\""},
      {"too_large_for_a_double", node("450 GB/s", "1e400 GB/s"),
       "16:22: interconnect.bandwidth.value: \"1e400 GB/s\" is out of the range of a "
       "double (about 1e-308 to 1e308)"},
      {"absurdly_large", node("450 GB/s", "450 PB/s"),
       "16:22: interconnect.bandwidth.value: unknown bandwidth unit \"PB/s\"; known: "
       "B/s KB/s MB/s GB/s TB/s KiB/s MiB/s GiB/s TiB/s bit/s kbit/s Mbit/s Gbit/s "
       "Tbit/s"},
      {"absurdly_large_number", node("450 GB/s", "1e308 GB/s"),
       "16:22: interconnect.bandwidth.value: 1e308 GB/s is out of range; give a number "
       "of at least 0.001 GB/s and at most 1000000 GB/s"},
      {"octal_looking", node("gpus: [8,", "gpus: [010,"),
       "4:8: gpus[0]: \"010\" has a leading zero (some readers take it for octal); "
       "write it without"},
      {"hexadecimal", node("gpus: [8,", "gpus: [0x8,"),
       "4:8: gpus[0]: unexpected \"x8\" after the integer 0 (a count has no unit); "
       "remove it"},
      {"fractional_count", node("gpus: [8,", "gpus: [8.5,"),
       "4:8: gpus[0]: \"8.5\" is not a whole number; write digits only"},
      {"count_of_zero", node("gpus: [8,", "gpus: [0,"),
       "4:8: gpus[0]: 0 is out of range; give a whole number from 1 to 16384"},
      {"negative_count", node("gpus: [8,", "gpus: [-8,"),
       "4:8: gpus[0]: -8 is out of range; give a whole number from 1 to 16384"},
      {"huge_count", node("gpus: [8,", "gpus: [99999999999999999999,"),
       "4:8: gpus[0]: \"99999999999999999999\" is out of the range of a 64-bit integer"},
      {"missing_unit", node("450 GB/s", "450"),
       "16:22: interconnect.bandwidth.value: \"450\" has no unit (a bare number is "
       "ambiguous); write for example \"900 GB/s\""},
      {"wrong_dimension", node("450 GB/s", "450 us"),
       "16:22: interconnect.bandwidth.value: unknown bandwidth unit \"us\"; known: B/s "
       "KB/s MB/s GB/s TB/s KiB/s MiB/s GiB/s TiB/s bit/s kbit/s Mbit/s Gbit/s Tbit/s"},
      {"ambiguous_unit", node("450 GB/s", "450 Gb/s"),
       "16:22: interconnect.bandwidth.value: unknown bandwidth unit \"Gb/s\" "
       "(ambiguous: write Gbit/s or GB/s); known: B/s KB/s MB/s GB/s TB/s KiB/s MiB/s "
       "GiB/s TiB/s bit/s kbit/s Mbit/s Gbit/s Tbit/s"},
      {"misspelt_unit", node("450 GB/s", "450 gb/S"),
       "16:22: interconnect.bandwidth.value: unknown bandwidth unit \"gb/S\" (did you "
       "mean \"GB/s\"?); known: B/s KB/s MB/s GB/s TB/s KiB/s MiB/s GiB/s TiB/s bit/s "
       "kbit/s Mbit/s Gbit/s Tbit/s"},
      {"no_origin", node("{value: 450 GB/s, origin: datasheet, source: test}", "450 GB/s"),
       "16:14: interconnect.bandwidth: a number needs an origin and a source; write "
       "{value: 450 GB/s, origin: datasheet, source: \"...\"}"},
      {"unknown_origin", node("origin: datasheet", "origin: datashet"),
       "16:40: interconnect.bandwidth.origin: unknown origin \"datashet\" (did you mean "
       "\"datasheet\"?); known: measured published datasheet assumed"},
      {"missing_source", node(", source: test}", "}"),
       "16:14: interconnect.bandwidth.source: missing key; add it"},
      {"empty_source", node("source: test", "source: \"\""),
       "16:59: interconnect.bandwidth.source: expected a text, found an empty text"},
      {"short_list", node("[24, published, test]", "[24, published]"),
       "13:11: channels: expected [value, origin, source]; give these three"},
      {"too_many_channels", node("[24, published, test]", "[65, published, test]"),
       "13:12: channels[0]: 65 is out of range; give a whole number from 1 to 64"},
      {"unknown_kind", node("kind: single_node", "kind: single_nod"),
       "3:7: kind: unknown kind of machine \"single_nod\" (did you mean "
       "\"single_node\"?); known: single_node nvl_rack host nested"},
      {"unknown_generation", node("hopper", "hoper"),
       "7:15: gpu.generation: unknown generation \"hoper\" (did you mean \"hopper\"?); "
       "known: volta turing ampere ada hopper blackwell rubin other"},
      {"unknown_interconnect", node("kind: nvlink", "kind: infinity"),
       "15:9: interconnect.kind: unknown interconnect \"infinity\"; known: nvlink pcie"},
      {"bad_name", node("name: box", "name: My Box"),
       "1:7: name: \"My Box\" is no name (it is used in commands and file names); use "
       "lower-case letters, digits, - and _"},
      {"alias", node("name: box", "name: &x box"),
       "1:7: name: anchors and aliases are not supported (a value is read where it "
       "stands); write the value out"},
      {"wrong_kind_of_value",
       node("hbm: [80 GB, datasheet, test]", "hbm: {value: [80 GB], origin: measured, source: x}"),
       "8:16: gpu.hbm.value: expected a number with its unit, found a list"},
      {"rack_too_large",
       replaced(replaced(node_yaml(8), "kind: single_node", "kind: nvl_rack"),
                "gpus: [8, assumed, test]",
                "trays: [1000, assumed, test]\ngpus_per_tray: [64, assumed, test]"),
       "1:1: 64000 GPUs in a rack are too many (at most 16384); use kind: nested"},
      {"one_domain", tree("count: [8,", "count: [1,"),
       "4:9: count[0]: 1 is out of range; give a whole number from 2 to 1000000"},
      {"far_too_many_leaves", tree("count: [8,", "count: [1000000,"),
       "13:10: fabric.tiers: 1000000 leaves need a third tier (a spine of 8 ports "
       "reaches 8 leaves); set tiers to 3"},
      {"more_ranks_than_fit",
       replaced(tree_yaml({.gpus = 64, .nics = 64, .rails = 64}), "count: [8,", "count: [1000000,"),
       "4:8: count: 1000000 x 64 gpus are too many (at most 8388608); lower the count"},
      {"four_tiers", tree("tiers: [2,", "tiers: [4,"),
       "13:11: fabric.tiers[0]: 4 is out of range; give a whole number from 2 to 3"},
      {"uneven_rails", tree("rails: [4,", "rails: [3,"),
       "14:10: fabric.rails: 4 NICs of a domain cannot be spread evenly over 3 rails; "
       "give a divisor"},
      {"uneven_nics", tree("per_node: [4,", "per_node: [3,"),
       "12:15: fabric.nic.per_node: 3 NICs cannot be shared evenly by 4 gpus; give a "
       "divisor"},
      {"radix_too_small", tree_yaml({.gpus = 8, .nics = 8, .rails = 1}),
       "15:10: fabric.radix: a leaf has 4 ports down, but one domain puts 8 NICs on it; "
       "give more rails or ports"},
      {"tree_too_small", tree_yaml({.domains = 9}),
       "13:10: fabric.tiers: 12 leaves need a third tier (a spine of 8 ports reaches 8 "
       "leaves); set tiers to 3"},
      {"pod_too_small", tree_yaml({.domains = 64, .gpus = 8, .nics = 8, .rails = 8, .tiers = 3}),
       "14:10: fabric.rails: a pod must hold 8 leaves, one per rail, but a spine has 4 "
       "ports down; give fewer rails"},
      {"core_too_small", tree_yaml({.domains = 72, .tiers = 3}),
       "13:10: fabric.tiers: 18 pods are more than a core switch of 8 ports reaches; "
       "give a larger radix"},
      {"undersubscribed", tree_yaml({.oversubscription = 0.5}),
       "16:22: fabric.oversubscription[0]: 0.5 is out of range; give a number of at "
       "least 1 and at most 64"},
      {"single_switch_with_tiers", tree("kind: rail_fat_tree", "kind: single_switch"),
       "13:3: fabric.tiers: unknown key \"tiers\"; known: kind name nic"},
      {"core_ratio_without_core",
       tree("  tiers:", "  core_oversubscription: [1, assumed, test]\n  tiers:"),
       "13:3: fabric.core_oversubscription: unknown key \"core_oversubscription\" (did "
       "you mean \"oversubscription\"?); known: kind name nic rails radix "
       "planes sites hop_latency oversubscription domains_per_leaf tiers"},
      {"leaf_overfilled", tree("  tiers:", "  domains_per_leaf: [5, assumed, test]\n  tiers:"),
       "13:22: fabric.domains_per_leaf[0]: 5 is out of range; give a whole number from "
       "1 to 4"},
      {"unknown_node", tree("node:\n", "node: hgx-h10\nleft_over:\n"),
       "18:7: node: unknown machine \"hgx-h10\" (did you mean \"hgx-h100\"?); give a "
       "name of `fabricast machine list`, a path to a .yaml file, or NODExN[@FABRIC]"},
      {"nested_in_nested", "name: a\ntitle: a\nkind: nested\nnode: hgx-h100x1260\n",
       "4:7: node: \"hgx-h100x1260\" is itself nested; name a machine of one domain"},
  };
}

class BadMachines : public ::testing::TestWithParam<BadMachine> {};

TEST_P(BadMachines, NameTheProblemAndItsPosition) {
  try {
    parse_machine(GetParam().yaml, "m.yaml");
    FAIL() << "accepted:\n" << GetParam().yaml;
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()), "m.yaml:" + GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, BadMachines, ::testing::ValuesIn(bad_machines()),
                         [](const auto& param) { return std::string(param.param.label); });

}  // namespace
}  // namespace fabricast
