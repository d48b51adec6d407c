// Topology files of strangers: refused with a position, or searched within bounds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/nccl/choice.hpp"

namespace fabricast::nccl {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::string_view link = R"(link_speed="16.0 GT/s PCIe" link_width="16")";

std::string gpu(int bus, int dev, const std::string& inside = "") {
  return fmt::format(
      R"(<pci busid="0000:{:02x}:00.0" class="0x030200" {}><gpu dev="{}" sm="80" rank="{}" gdr="1">{}</gpu></pci>)",
      bus, link, dev, dev, inside);
}

std::string nic(int bus, int dev) {
  return fmt::format(
      R"(<pci busid="0000:{:02x}:00.0" class="0x020700" {}><nic><net dev="{}" speed="200000" guid="0x{:x}" gdr="1"/></nic></pci>)",
      bus, link, dev, dev + 1);
}

std::string cpu(int numa, const std::string& inside) {
  return fmt::format(
      R"(<cpu numaid="{}" arch="x86_64" vendor="AuthenticAMD" familyid="23" modelid="49">{}</cpu>)",
      numa, inside);
}

std::string system(const std::string& inside) {
  return "<system version=\"1\">" + inside + "</system>";
}

Communicator of(const std::string& xml, int nodes = 1) {
  return make_communicator(read_system(xml, "given.xml"), nodes);
}

void expect_refused(const std::string& xml, int nodes, const std::string& words) {
  EXPECT_THAT([&] { of(xml, nodes); },
              ThrowsMessage<UsageError>(testing::AllOf(HasSubstr("given.xml"), HasSubstr(words))))
      << xml;
}

TEST(NcclSystemXml, WhatIsWrongIsSaidWithItsPlace) {
  expect_refused("<system", 1, "given.xml:1:");
  expect_refused("<cpu/>", 1, "the outermost element is not <system>");
  expect_refused(system(""), 1, "names no GPU");
  expect_refused(system(cpu(0, "")), 1, "names no GPU");
  expect_refused(
      system(cpu(
          0,
          R"(<pci busid="0001:00:00.0" class="0x030200" link_speed="16 GT/s" link_width="16"/>)")),
      1, "lists slots of GPUs");
  expect_refused(system(cpu(0, gpu(1, 0)) + cpu(0, "")), 1, "cpu 0 is given twice");
  expect_refused(system(cpu(0, gpu(1, 0) + gpu(1, 1))), 1, "given twice");
  expect_refused(system(cpu(0, gpu(1, 0) + gpu(2, 0))), 1, "rank 0 is given twice");
  expect_refused(system("<cpu arch=\"arm64\"/>"), 1, "\"numaid\" is missing");
  expect_refused(system("<cpu numaid=\"zero\" arch=\"arm64\"/>"), 1, "no whole number");
  expect_refused(
      system(cpu(0, R"(<pci busid="1" class="0x060400" link_width="1000" link_speed=""/>)")), 1,
      "out of range");
}

TEST(NcclSystemXml, TopologiesOfRcclAreNamedSo) {
  const std::string amd =
      R"(<pci busid="0000:21:00.0" class="0x038000" link_speed="16.0 GT/s PCIe" link_width="16"><gpu dev="0" sm="90" gcn="910" rank="0" gdr="1"/></pci>)";
  expect_refused("<system version=\"2\">" + cpu(0, amd) + "</system>", 1, "a topology of RCCL");
  expect_refused(system(cpu(0, amd)), 1, "a topology of RCCL");
  expect_refused(system(cpu(0, gpu(1, 0, "<xgmi/>"))), 1, "a topology of RCCL");
  expect_refused("<system version=\"3\"/>", 1, "only version 1 is known");
}

// Bridges and tunnels of a container's host hang on no bus: a dump has them below every socket.
TEST(NcclSystemXml, PortsOnNoBusAreListedBelowEverySocket) {
  const std::string ports =
      R"(<nic><net name="br0" dev="0" speed="10000" guid="0x0"/><net name="tun0" dev="1" speed="10000" guid="0x1"/></nic>)";
  const std::string boxes = system(cpu(0, gpu(1, 0) + ports) + cpu(1, gpu(2, 1) + ports));
  EXPECT_NO_THROW(of(boxes, 1));
  EXPECT_NO_THROW(of(boxes, 2));
  expect_refused(system(cpu(0, gpu(1, 0) + nic(2, 3) + nic(4, 3))), 1, "net 3 is given twice");
  const std::string port = R"(<net dev="3" speed="10000" guid="0x0"/>)";
  expect_refused(system(cpu(0, gpu(1, 0) + "<nic>" + port + port + "</nic>")), 1,
                 "net 3 is given twice");
}

TEST(NcclSystemXml, WhatNcclWouldNotStartOnIsRefused) {
  expect_refused(system(cpu(0, gpu(1, 0))), 2, "names no network device");
  expect_refused(system(cpu(0, gpu(1, 0)) + R"(<cpu numaid="0" host_hash="0x2" arch="arm64">)" +
                        gpu(1, 1) + "</cpu>"),
                 1, "cannot reach each other");
  // An NVLink of one GPU that the other one does not know.
  expect_refused(
      system(cpu(0, gpu(1, 0, R"(<nvlink target="0000:02:00.0" count="4" tclass="0x030200"/>)") +
                        gpu(2, 1))),
      1, "no link back");
  expect_refused(system(cpu(0, gpu(1, 0))), 0, "");
  // Dumps of two hosts, one behind the other.
  expect_refused(system(cpu(0, gpu(1, 0))) + system(cpu(0, gpu(1, 0))), 1,
                 "a second outermost element; give one file per host");
}

TEST(NcclSystemXml, PcieBoxesStageThroughTheirCpus) {
  const std::string box =
      system(cpu(0, gpu(1, 0) + gpu(2, 1) + nic(3, 0)) + cpu(1, gpu(0x11, 2) + gpu(0x12, 3)));
  const auto one = of(box);
  EXPECT_EQ(one.ring.type_intra, PathType::sys);
  EXPECT_GT(one.ring.bw_intra, 1);
  for (const auto& candidate : candidates(one, {Collective::all_reduce, 1 << 20})) {
    if (candidate.protocol == Protocol::ll128) {
      EXPECT_FALSE(candidate.time_us.has_value());
    }
  }
  const auto two = of(box, 2);
  EXPECT_GE(two.ring.type_inter, PathType::phb);
  EXPECT_EQ(two.ring.order(0).size(), 4U);
}

TEST(NcclSystemXml, ChannelsVisitEveryGpuOnce) {
  std::string mesh;
  for (int g = 0; g < 4; ++g) {
    std::string links;
    for (int peer = 0; peer < 4; ++peer) {
      if (peer == g) continue;
      links += fmt::format(R"(<nvlink target="0000:{:02x}:00.0" count="4" tclass="0x030200"/>)",
                           peer + 1);
    }
    mesh += gpu(g + 1, g, links);
  }
  for (const int nodes : {1, 2}) {
    const auto of_mesh = of(system(cpu(0, mesh + nic(9, 0))), nodes);
    EXPECT_EQ(of_mesh.ring.type_intra, PathType::nvl);
    for (const Graph* graph : {&of_mesh.ring, &of_mesh.tree}) {
      for (int c = 0; c < graph->channels; ++c) {
        const auto order = graph->order(c);
        EXPECT_THAT(std::vector<int>(order.begin(), order.end()),
                    testing::UnorderedElementsAre(0, 1, 2, 3));
      }
    }
  }
}

// More GPUs than any PCIe box has, no switch: the search ends by its budget.
TEST(NcclSystemXml, AwkwardFilesEndSoon) {
  std::string many;
  for (int g = 0; g < 40; ++g) many += gpu(g + 1, g);
  for (int n = 0; n < 20; ++n) many += nic(0x80 + n, n);
  Overrides overrides;
  overrides.search_limit = 3'000'000;
  const auto box = read_system(system(cpu(0, many)), "given.xml");
  try {
    EXPECT_GE(make_communicator(box, 2, {}, overrides).coll_channels, 1);
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("does not end soon"));
  }
}

}  // namespace
}  // namespace fabricast::nccl
