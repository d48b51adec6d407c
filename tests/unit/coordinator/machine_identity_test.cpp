// Profiles are for the machine they were made on.
#include "emulator/coordinator/machine_identity.hpp"

#include <gtest/gtest.h>

#include <string>

#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Four boxes, and others beside them.
std::shared_ptr<const Topology> beside(const std::string& others, int first = 4) {
  return parse_machine(
      "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [" + std::to_string(first) +
          ", assumed, t]\nchannels: [8, assumed, t]\nfabric: infiniband-ndr\nothers:\n" + others,
      "m.yaml");
}

TEST(MachineIdentity, CountsOfTheKindsAreCompared) {
  const std::string slow = "nic: {bandwidth: [200 Gbit/s, assumed, t]}}\n";
  const auto machine = beside("  - {count: [2, assumed, t], " + slow);
  EXPECT_EQ(machine_difference(*machine, *beside("  - {count: [2, assumed, t], " + slow)), "");
  EXPECT_NE(machine_difference(*machine, *beside("  - {count: [3, assumed, t], " + slow, 3)), "");
  EXPECT_EQ(machine_difference(*machine, *beside("  - {count: [3, assumed, t], " + slow, 3))
                .find("other nodes 2 of H100"),
            0U);
}

TEST(MachineIdentity, GenerationsOfTheLinksAreCompared) {
  const auto box = [](const std::string& generation) {
    return "  - count: [2, assumed, t]\n    node:\n      kind: single_node\n"
           "      gpus: [8, assumed, t]\n      gpu: {name: X, generation: " +
           generation +
           "}\n      channels: [8, assumed, t]\n      interconnect: {kind: nvlink, bandwidth: [300 "
           "GB/s, assumed, t], latency: [150 ns, assumed, t]}\n";
  };
  EXPECT_EQ(machine_difference(*beside(box("ampere")), *beside(box("ampere"))), "");
  EXPECT_NE(machine_difference(*beside(box("ampere")), *beside(box("volta"))), "");
}

// Four GPUs at a time of boxes of eight, and boxes of four.
TEST(MachineIdentity, DomainsPerNodeAreCompared) {
  const auto box = [](int gpus) {
    return "{kind: single_node, gpus: [" + std::to_string(gpus) +
           ", assumed, t], channels: [8, assumed, t], gpu: {name: A, generation: ampere}, "
           "interconnect: {kind: nvlink, bandwidth: [300 GB/s, assumed, t], latency: [150 ns, "
           "assumed, t]}}";
  };
  const auto machine = [&box](int first, int count, int other) {
    return parse_machine("name: m\ntitle: m\nkind: nested\nnode: " + box(first) + "\ncount: [" +
                             std::to_string(count) + ", assumed, t]\nothers:\n  - {node: " +
                             box(other) + ", count: [2, assumed, t]}\n" +
                             "channels: [8, assumed, t]\nfabric:\n  kind: single_switch\n  name: "
                             "roce\n  nic: {bandwidth: [200 Gbit/s, assumed, t], latency: [3 us, "
                             "assumed, t]}\n",
                         "m.yaml");
  };
  const auto eights = machine(8, 1, 4), fours = machine(4, 2, 4);
  ASSERT_EQ(eights->space(), fours->space());
  EXPECT_NE(machine_difference(*eights, *fours), "");
}

}  // namespace
}  // namespace fabricast
