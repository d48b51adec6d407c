// Every row of tests/golden/nccl: what NCCL 2.28.9's own code computes for these files.
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "emulator/base/text_file.hpp"
#include "emulator/nccl/golden_csv.hpp"

namespace fabricast::nccl {
namespace {

const std::string directory = FABRICAST_GOLDEN_NCCL;

// Rows of a table by "topology,nodes", in the order of the file.
std::map<std::string, std::vector<std::string>> rows_of(const std::string& table) {
  std::map<std::string, std::vector<std::string>> rows;
  std::ifstream file(directory + "/" + table + ".csv");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line + "\n", csv_header(csv_table_from_name(table)));
  while (std::getline(file, line)) {
    rows[line.substr(0, line.find(',', line.find(',') + 1))].push_back(line);
  }
  return rows;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// One test per file, so that they run side by side.
void expect_as_golden(const std::string& topology, std::set<int> expected_nodes) {
  const std::string file = directory + "/topologies/" + topology + ".xml";
  const System system = read_system(read_text_file(file), file);
  std::map<std::string, std::map<std::string, std::vector<std::string>>> golden;
  for (const auto& table : csv_table_names()) golden[table] = rows_of(table);
  std::set<int> seen;
  for (const auto& [key, graphs] : golden["graphs"]) {
    if (!key.starts_with(topology + ",")) continue;
    const int nodes = std::stoi(key.substr(topology.size() + 1));
    seen.insert(nodes);
    const auto communicator = make_communicator(system, nodes);
    for (const auto& table : csv_table_names()) {
      const auto ours =
          lines_of(csv_rows(csv_table_from_name(table), topology, communicator, golden_question()));
      EXPECT_EQ(ours, golden[table][key]) << key << " " << table;
    }
  }
  EXPECT_EQ(seen, expected_nodes);
}

TEST(NcclGolden, EightA100) { expect_as_golden("a100", {1, 2, 16}); }
TEST(NcclGolden, EightH100) { expect_as_golden("h100", {1, 2, 4, 16, 128, 1250}); }
TEST(NcclGolden, EightB200) { expect_as_golden("b200", {1, 2, 128, 1250}); }
TEST(NcclGolden, RacksOf72) { expect_as_golden("gb200", {1, 2, 8, 139}); }
TEST(NcclGolden, OneGpuPerNode) { expect_as_golden("one", {2, 8, 64}); }
TEST(NcclGolden, SocketsOnly) { expect_as_golden("socket", {2, 8}); }

}  // namespace
}  // namespace fabricast::nccl
