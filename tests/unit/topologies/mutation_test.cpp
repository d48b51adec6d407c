// Damaged files: whatever happens to the bytes, the reader accepts or throws a UsageError.
#include <gtest/gtest.h>

#include <string>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/import/nccl_xml.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// One to four edits: a byte changed, a piece deleted, doubled, or replaced by a nasty one.
std::string damaged(std::string text, std::uint64_t seed) {
  static const std::string nasty[] = {"{",   "}",  "[",    "]",   ": ", "- ", "\n", "\t",
                                      "&a ", "*a", "!!x ", "%",   "'",  "\"", "#",  "1e999",
                                      "-",   "0",  ".nan", "|\n", "? ", "\r", "<",  "/>"};
  const auto edits = random_int(seed, 0, 0, 1, 4);
  for (std::uint64_t i = 1; i <= static_cast<std::uint64_t>(edits); ++i) {
    if (text.empty()) break;
    const auto pick = [&](std::uint64_t what, std::size_t below) {
      return static_cast<std::size_t>(
          random_int(seed, i, what, 0, static_cast<std::int64_t>(below) - 1));
    };
    const std::size_t at = pick(0, text.size());
    const std::size_t length = 1 + pick(1, 12);
    switch (pick(2, 4)) {
      case 0:
        text[at] = static_cast<char>(pick(3, 256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      default:
        text.insert(at, nasty[pick(3, std::size(nasty))]);
        break;
    }
  }
  return text;
}

template <class Read>
void read_damaged(const std::string& text, Read read) {
  int accepted = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const std::string bad = damaged(text, seed);
    try {
      read(bad);
      ++accepted;
    } catch (const UsageError& error) {
      ++refused;
      EXPECT_TRUE(std::string(error.what()).starts_with("m:")) << error.what();
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ": " << error.what() << "\n" << bad;
    }
  }
  // A harmless edit (inside a source, say) is accepted; most are not.
  EXPECT_GT(accepted, 30);
  EXPECT_GT(refused, 1500);
}

TEST(DamagedFiles, MachinesAreAcceptedOrRefused) {
  read_damaged(tree_yaml({}), [](const std::string& text) { parse_machine(text, "m"); });
}

TEST(DamagedFiles, NcclDumpsAreAcceptedOrRefused) {
  const std::string xml =
      "<system version=\"1\">\n<cpu numaid=\"0\" arch=\"x86_64\">\n"
      "<pci busid=\"0000:11:00.0\" class=\"0x030200\" link_speed=\"32.0 GT/s PCIe\" "
      "link_width=\"16\">\n"
      "<gpu dev=\"0\" sm=\"90\" rank=\"0\"><nvlink target=\"f\" count=\"18\" "
      "tclass=\"0x0\"/></gpu>\n"
      "<nic><net name=\"mlx5_0\" dev=\"0\" speed=\"400000\" port=\"1\" guid=\"0x1000\"/></nic>\n"
      "</pci>\n</cpu>\n</system>\n";
  read_damaged(xml, [](const std::string& text) {
    // What was read must also be writable as a machine, and that readable.
    const auto yaml = to_machine_yaml(std::vector{read_nccl_xml(text, "m")});
    parse_machine(yaml, "written");
  });
}

}  // namespace
}  // namespace fabricast
