#include "topologies/import/nccl_xml.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

const std::string two_gpus = R"(<system version="1">
  <cpu host_hash="0x1" numaid="0" affinity="ffff" arch="x86_64">
    <pci busid="0000:10:00.0" class="0x060400" link_speed="32.0 GT/s PCIe" link_width="16">
      <pci busid="0000:11:00.0" class="0x030200" link_speed="16.0 GT/s PCIe" link_width="8">
        <gpu dev="1" sm="90" rank="1" gdr="1">
          <nvlink target="fffffff:ff:ff.0" count="18" tclass="0x068000"/>
        </gpu>
      </pci>
      <pci busid="0000:12:00.0" class="0x020700" link_speed="32.0 GT/s PCIe" link_width="16">
        <nic><net name="mlx5_0" dev="0" speed="400000" port="1" guid="0x1000"/></nic>
      </pci>
    </pci>
    <pci busid="0000:18:00.0" class="0x030200" link_speed="32.0 GT/s PCIe" link_width="16">
      <gpu dev="0" sm="90" rank="0" gdr="1">
        <nvlink target="0000:19:00.0" count="6" tclass="0x068000"/>
        <nvlink target="0000:1a:00.0" count="12" tclass="0x068000"/>
      </gpu>
    </pci>
    <nic><net name="eth0" dev="1" speed="10000" port="0" guid="0x0"/></nic>
  </cpu>
</system>
)";

std::string error_of(const std::string& xml) {
  try {
    read_nccl_xml(xml, "t.xml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(accepted)";
}

std::string edited(std::string_view from, std::string_view to) {
  return error_of(replaced(two_gpus, from, to));
}

TEST(NcclXml, ReadsGpusAndPorts) {
  const LocalMachine machine = read_nccl_xml(two_gpus, "t.xml");
  ASSERT_EQ(machine.gpus.size(), 2u);
  EXPECT_EQ(machine.gpus[0].bus_id, "0000:18:00.0") << "in the order of dev";
  EXPECT_EQ(machine.gpus[0].nvlinks, 18) << "all neighbours together";
  EXPECT_EQ(machine.gpus[0].name, "sm_90");
  EXPECT_EQ(machine.gpus[1].pcie_generation, 4);
  EXPECT_EQ(machine.gpus[1].pcie_width, 8);
  ASSERT_EQ(machine.nics.size(), 2u);
  EXPECT_EQ(machine.nics[0].fabric, "infiniband");
  EXPECT_EQ(machine.nics[0].gbit_per_s, 400);
  EXPECT_EQ(machine.nics[1].fabric, "ethernet");
  const auto topology = parse_machine(to_machine_yaml(std::vector{machine}), "t.yaml");
  EXPECT_EQ(topology->ranks(), 2);
  EXPECT_EQ(topology->link_classes()[0].bandwidth.value, 450);
}

TEST(NcclXml, MergesByBusId) {
  LocalMachine local;
  LocalGpu gpu;
  gpu.name = "NVIDIA H100";
  gpu.bus_id = "0000:11:00.0";
  local.gpus = {gpu};
  const LocalMachine file = read_nccl_xml(two_gpus, "t.xml");
  const LocalMachine merged = merge_nccl_xml(local, file, "t.xml");
  ASSERT_EQ(merged.gpus.size(), 1u);
  EXPECT_EQ(merged.gpus[0].name, "NVIDIA H100");
  EXPECT_EQ(merged.gpus[0].nvlinks, 18);
  EXPECT_EQ(merged.gpu_source, "NVML and NCCL topology XML t.xml");
  EXPECT_EQ(merge_nccl_xml(LocalMachine{}, file, "t.xml").gpus.size(), 2u);
  local.gpus[0].bus_id = "0000:99:00.0";
  EXPECT_THROW(merge_nccl_xml(local, file, "t.xml"), UsageError);
}

TEST(NcclXml, IsStrict) {
  EXPECT_EQ(error_of(""), "t.xml:1:1: the file is empty; write its content first");
  EXPECT_EQ(error_of("<graphs version=\"1\"/>"),
            "t.xml:1:2: graphs: the outermost element is not <system>; give a file that "
            "NCCL_TOPO_DUMP_FILE wrote");
  EXPECT_EQ(error_of(two_gpus.substr(0, 400)).substr(0, 21), "t.xml:7:8: not valid ");
  EXPECT_EQ(edited(" sm=\"90\"", ""),
            "t.xml:5:10: gpu: attribute \"sm\" is missing; is the dump complete?");
  EXPECT_EQ(edited("sm=\"90\"", "sm=\"90\" sm=\"80\""),
            "t.xml:5:10: gpu: attribute \"sm\" is given twice; remove one");
  EXPECT_EQ(edited("sm=\"90\"", "sm=\"\""), "t.xml:5:10: gpu: attribute \"sm\" is empty");
  EXPECT_EQ(
      edited("count=\"18\"", "count=\"018\""),
      "t.xml:6:12: nvlink: attribute \"count\": \"018\" has a leading zero (some readers take it "
      "for octal); write it without");
  EXPECT_EQ(edited("count=\"18\"", "count=\"-18\""),
            "t.xml:6:12: nvlink: attribute \"count\": -18 is out of range");
  EXPECT_EQ(
      edited("speed=\"400000\"", "speed=\"fast\""),
      "t.xml:10:15: net: attribute \"speed\": \"fast\" is not a number; write a number such as 8");
  EXPECT_EQ(
      edited("<nic>", "<nics></nics><nic>"),
      "t.xml:10:10: nics: unknown element inside <pci> \"nics\" (did you mean \"nic\"?); known: "
      "pci gpu nic pcilink nvlink");
  EXPECT_EQ(edited("dev=\"0\" sm", "dev=\"1\" sm"), "t.xml:14:8: gpu: dev 1 is given twice");
  EXPECT_EQ(error_of("<system version=\"1\"></system>"),
            "t.xml:1:1: system: the file names no GPU; give a dump made by a process with GPUs");
  EXPECT_EQ(edited("version=\"1\"", "version=\"3\""),
            "t.xml:1:2: system: only version 1 is known; dump it anew");
  EXPECT_NE(edited("version=\"1\"", "version=\"2\"").find("a topology of RCCL"), std::string::npos);
  EXPECT_NE(edited("sm=\"90\"", "sm=\"90\" gcn=\"910\"").find("of RCCL"), std::string::npos);
  EXPECT_NE(edited("<nvlink target=\"f", "<xgmi target=\"x\"/><nvlink target=\"f").find("of RCCL"),
            std::string::npos);
  std::string deep = "<system version=\"1\"><cpu>";
  for (int i = 0; i < 70; ++i)
    deep += "<pci busid=\"0\" class=\"0\" link_speed=\"8 GT/s\" link_width=\"1\">";
  for (int i = 0; i < 70; ++i) deep += "</pci>";
  EXPECT_NE(error_of(deep + "</cpu></system>").find("pci: nested deeper than 64 levels"),
            std::string::npos);
}

TEST(NcclXml, RefusesCountsOfNoMachine) {
  EXPECT_NE(edited("count=\"18\"", "count=\"1025\"").find("is out of range"), std::string::npos);
  std::string links;
  for (int i = 0; i < 3; ++i) links += "<nvlink target=\"a\" count=\"1000\"/>";
  EXPECT_NE(
      edited("<nvlink target=\"f", links + "<nvlink target=\"f").find("more than 1024 NVLinks"),
      std::string::npos);
  EXPECT_NE(edited("speed=\"400000\"", "speed=\"1000000000\"").find("is out of range"),
            std::string::npos);
  std::string many = "<system version=\"1\"><cpu>";
  many += "<pci busid=\"0\" class=\"0\" link_speed=\"8 GT/s\" link_width=\"1\">";
  for (int i = 0; i < 200'000; ++i) many += "<gpu dev=\"" + std::to_string(i) + "\" sm=\"90\"/>";
  EXPECT_NE(error_of(many + "</pci></cpu></system>").find("gpu: more than 4096 GPUs"),
            std::string::npos);
}

std::string yaml_of(const std::string& xml) {
  return to_machine_yaml(std::vector{merge_nccl_xml({}, read_nccl_xml(xml, "t.xml"), "t.xml")});
}

// GPUs at buses 1, 2, ..., each with the links given.
std::string gpus_linked(const std::vector<std::string>& links, int sm = 80) {
  std::string xml = "<system version=\"1\"><cpu numaid=\"0\">";
  for (std::size_t i = 0; i < links.size(); ++i) {
    xml += fmt::format(
        "<pci busid=\"0000:0{}:00.0\" class=\"0x030200\" link_speed=\"16.0 GT/s PCIe\" "
        "link_width=\"16\"><gpu dev=\"{}\" sm=\"{}\" rank=\"{}\" gdr=\"0\">{}</gpu></pci>",
        i + 1, i, sm, i, links[i]);
  }
  return xml + "</cpu></system>";
}
std::string to(int bus, int count) {
  return fmt::format("<nvlink target=\"0000:0{}:00.0\" count=\"{}\" tclass=\"0x030200\"/>", bus,
                     count);
}

// What is dumped where a hypervisor hides the slots (an H100 box on a public mailing list).
TEST(NcclXml, SlotsMayKeepQuiet) {
  std::string xml = replaced(two_gpus, "link_speed=\"16.0 GT/s PCIe\" link_width=\"8\"",
                             "link_speed=\"\" link_width=\"\"");
  xml = replaced(xml, " link_speed=\"32.0 GT/s PCIe\" link_width=\"16\"", " link_width=\"0\"");
  xml = replaced(xml, " class=\"0x020700\"", "");
  const LocalMachine machine = read_nccl_xml(xml, "t.xml");
  ASSERT_EQ(machine.gpus.size(), 2u);
  EXPECT_EQ(machine.gpus[1].pcie_generation, 0);
  EXPECT_EQ(machine.gpus[1].pcie_width, 0);
  EXPECT_EQ(machine.nics[0].fabric, "roce") << "no class says InfiniBand";
  EXPECT_EQ(parse_machine(yaml_of(xml), "t")->link_classes()[0].bandwidth.value, 450);
}

// Files for NCCL_TOPO_FILE in virtual machines: slots of GPUs and NICs and nothing in them.
TEST(NcclXml, FilesOfSlotsServeWhereTheGpusAre) {
  const std::string slots = R"(<system version="1">
  <cpu numaid="0" affinity="0000ffff,0000ffff" arch="x86_64" vendor="AuthenticAMD" familyid="23" modelid="49">
    <pci busid="ffff:ff:01.0" class="0x060400" link_speed="16 GT/s" link_width="16">
      <pci busid="0001:00:00.0" class="0x030200" link_speed="16 GT/s" link_width="16"/>
      <pci busid="0101:00:00.0" class="0x020700" link_speed="16 GT/s" link_width="16"/>
      <pci busid="0002:00:00.0" class="0x030200" link_speed="16 GT/s" link_width="16"/>
    </pci>
  </cpu>
</system>)";
  const LocalMachine file = read_nccl_xml(slots, "topo.xml");
  ASSERT_EQ(file.gpus.size(), 2u);
  EXPECT_EQ(message_of([&] { merge_nccl_xml({}, file, "topo.xml"); }).substr(0, 60),
            "topo.xml: it says where 2 GPUs are plugged in, not what they");
  LocalMachine local;
  for (const auto* bus : {"0001:00:00.0", "0002:00:00.0"}) {
    LocalGpu gpu;
    gpu.name = "NVIDIA A100-SXM4-80GB";
    gpu.bus_id = bus;
    gpu.compute_major = 8;
    gpu.nvlinks = 12;
    local.gpus.push_back(gpu);
  }
  local.nics = {{"mlx5_0", "infiniband", 200}};
  const LocalMachine merged = merge_nccl_xml(local, file, "topo.xml");
  EXPECT_EQ(merged.gpus[0].nvlinks, 12) << "the file does not know them";
  EXPECT_EQ(merged.gpus[0].pcie_generation, 4) << "NVML may not";
  EXPECT_EQ(merged.nics.size(), 1u);
}

TEST(NcclXml, PortsAreListedBelowEverySocketAndCountOnce) {
  const std::string eth =
      "<nic><net name=\"eth0\" dev=\"0\" latency=\"0.000000\" speed=\"10000\" port=\"0\" "
      "guid=\"0x0\" maxconn=\"65536\" gdr=\"0\"/><net name=\"eth1\" dev=\"1\"/></nic>";
  std::string xml =
      replaced(gpus_linked({"", ""}), "</cpu>", eth + "</cpu><cpu numaid=\"1\">" + eth + "</cpu>");
  const LocalMachine machine = read_nccl_xml(xml, "t.xml");
  ASSERT_EQ(machine.nics.size(), 1u) << "eth1 does not say how fast it is";
  EXPECT_EQ(machine.nics[0].name, "eth0");
}

TEST(NcclXml, KnowsEfa) {
  const std::string xml = replaced(
      two_gpus, "<pci busid=\"0000:12:00.0\" class=\"0x020700\"",
      "<pci busid=\"0000:12:00.0\" vendor=\"0x1d0f\" device=\"0xefa1\" class=\"0x020000\"");
  EXPECT_EQ(read_nccl_xml(xml, "t.xml").nics[0].fabric, "efa");
}

// Links from GPU to GPU, as HGX A100 of four, a DGX-1 and bridges of two have them.
TEST(NcclXml, TellsDirectLinksFromASwitch) {
  const auto mesh = parse_machine(
      yaml_of(gpus_linked({to(2, 4) + to(3, 4) + to(4, 4), to(1, 4) + to(3, 4) + to(4, 4),
                           to(1, 4) + to(2, 4) + to(4, 4), to(1, 4) + to(2, 4) + to(3, 4)})),
      "t");
  EXPECT_EQ(mesh->link_classes()[0].bandwidth.value, 100) << "4 links of 25 to each other one";
  EXPECT_EQ(mesh->route(RankId(0), RankId(3)).count, 1);
  const std::string line =
      gpus_linked({to(2, 6), to(1, 3) + to(3, 3), to(2, 3) + to(4, 3), to(3, 6)}, 70);
  EXPECT_NE(yaml_of(line).find("shape: cube_mesh"), std::string::npos);
  EXPECT_NE(yaml_of(line).find("150 GB/s"), std::string::npos) << "V100: 6 links of 25";
  // Three of a DGX-1, whose other links lead to the rest of it: NCCL takes those among them.
  const std::string part =
      yaml_of(gpus_linked({to(2, 1) + to(3, 2) + to(9, 2), to(1, 1) + to(3, 1) + to(8, 2),
                           to(1, 2) + to(2, 1) + to(7, 1)},
                          70));
  EXPECT_NE(part.find("shape: cube_mesh"), std::string::npos) << part;
  EXPECT_NE(part.find("value: 50 GB/s"), std::string::npos) << "2 links of 25 at least";
  EXPECT_EQ(read_nccl_xml(gpus_linked({to(9, 12)}), "t").gpus[0].nvlinks, 0);
  EXPECT_NE(yaml_of(gpus_linked({to(8, 12), to(9, 12)})).find("all NVLinks lead to GPUs that the"),
            std::string::npos);
  const std::string pair = yaml_of(gpus_linked({to(2, 4) + to(9, 8), to(1, 4) + to(8, 8)}));
  EXPECT_NE(pair.find("NVLinks to GPUs that the file leaves out"), std::string::npos) << pair;
  const std::string bridges = yaml_of(gpus_linked({to(2, 12), to(1, 12), to(4, 12), to(3, 12)}));
  EXPECT_NE(bridges.find("kind: pcie"), std::string::npos);
  EXPECT_NE(bridges.find("12 NVLinks of each GPU join some of them only"), std::string::npos);
  EXPECT_EQ(parse_machine(bridges, "t")->link_classes()[0].bandwidth.value, 32);
  EXPECT_EQ(parse_machine(bridges, "t")->channels().value, 2) << "as without the bridges";
}

// The fused dump of an NVLink domain over two hosts.
TEST(NcclXml, SeveralHostsNeedLinksThatJoinThem) {
  const auto host = [](int number, const std::string& links) {
    return fmt::format(
        "<cpu numaid=\"0\" host_hash=\"0x{}\"><pci busid=\"0000:01:00.0\">"
        "<gpu dev=\"0\" sm=\"103\">{}</gpu></pci></cpu>\n",
        number, links);
  };
  const auto file = [](const std::string& hosts) {
    return "<system version=\"1\">\n" + hosts + "</system>\n";
  };
  const std::string linked =
      "<nvlink target=\"fffffff:ff:ff.0\" count=\"18\" tclass=\"0x068000\"/>";
  EXPECT_EQ(parse_machine(yaml_of(file(host(1, linked) + host(2, linked))), "t")->ranks(), 2);
  EXPECT_EQ(error_of(file(host(1, linked) + host(2, ""))),
            "t.xml:1:1: system: several hosts, and no NVLinks that join the GPU at 0000:01:00.0 of "
            "host_hash \"0x2\" to the others (is a link down?); dump it anew, or give one file per "
            "host");
  EXPECT_EQ(error_of(file(host(1, linked)) + file(host(2, linked))),
            "t.xml:4:2: system: a second outermost element; give one file per host");
}

// A record of a GPU without its links, as a public report of a GB300 rack has it.
TEST(NcclXml, AGpuWithFewerLinksIsADoubt) {
  const std::string linked =
      "<nvlink target=\"fffffff:ff:ff.0\" count=\"18\" tclass=\"0x068000\"/>";
  const std::string c2c = "<c2c bw=\"44712\" count=\"5\"/>";
  const std::string yaml = yaml_of(gpus_linked({linked + c2c, c2c}, 103));
  EXPECT_NE(yaml.find("the GPU at 0000:02:00.0 has 0 NVLinks, that at 0000:01:00.0 18"),
            std::string::npos)
      << yaml;
  EXPECT_EQ(parse_machine(yaml, "t")->ranks(), 2);
  EXPECT_EQ(yaml_of(gpus_linked({linked + c2c, linked + c2c}, 103)).find("doubts"),
            std::string::npos);
}

// Files for NCCL_TOPO_FILE with GPUs but without links: NCCL adds those that it finds, we cannot.
TEST(NcclXml, HandWrittenFilesWithoutLinksAreADoubt) {
  const std::string doubt = "the file names no NVLinks";
  EXPECT_NE(yaml_of(gpus_linked({"", ""}, 90)).find(doubt), std::string::npos);
  EXPECT_EQ(yaml_of(gpus_linked({to(2, 4), to(1, 4)}, 90)).find(doubt), std::string::npos);
  std::string dumped = gpus_linked({"", ""}, 89);
  for (const int bus : {1, 2}) {
    const std::string slot = fmt::format("busid=\"0000:0{}:00.0\"", bus);
    dumped = replaced(dumped, slot, slot + " vendor=\"0x10de\" device=\"0x2684\"");
  }
  EXPECT_EQ(yaml_of(dumped).find(doubt), std::string::npos) << "a dump names the device";
}

// <gpu dev="0"/> and nothing more, as one may write for NCCL_TOPO_FILE: NCCL asks the driver.
TEST(NcclXml, GpusMayLeaveOutWhatTheDriverKnows) {
  std::string xml = gpus_linked({"", ""}, 80);
  for (const int rank : {0, 1}) {
    xml = replaced(xml, fmt::format(" sm=\"80\" rank=\"{}\" gdr=\"0\"", rank), "");
  }
  const LocalMachine file = read_nccl_xml(xml, "t.xml");
  ASSERT_EQ(file.gpus.size(), 2u);
  EXPECT_EQ(file.gpus[1].bus_id, "0000:02:00.0");
  EXPECT_EQ(file.gpus[1].compute_major, 0);
  const std::string message = message_of([&] { merge_nccl_xml({}, file, "t.xml"); });
  EXPECT_NE(message.find("where 2 GPUs are plugged in"), std::string::npos) << message;
  EXPECT_NE(message.find("`fabricast machine list`"), std::string::npos) << message;
}

// Two ranks beside each other in a slot: halves of one GPU, or processes that share it.
TEST(NcclXml, RanksThatShareAGpuAreOne) {
  const std::string links = "<nvlink target=\"fffffff:ff:ff.0\" count=\"36\" tclass=\"0x068000\"/>";
  std::string xml = gpus_linked({links, links}, 107);
  for (const int dev : {0, 1}) {
    const std::string head = fmt::format("<gpu dev=\"{}\" sm=\"107\" ", dev);
    xml = replaced(
        xml, head,
        head + "mlopart=\"0\" rank=\"7\" gdr=\"1\">" + links + "</gpu>" + head + "mlopart=\"1\" ");
  }
  const std::string yaml = yaml_of(xml);
  EXPECT_EQ(parse_machine(yaml, "t")->ranks(), 2);
  EXPECT_EQ(parse_machine(yaml, "t")->link_classes()[0].bandwidth.value, 1800);
  EXPECT_NE(yaml.find("several ranks shared each GPU"), std::string::npos);
}

// The rate of an NVLink goes by the GPU's own generation, not its family's best.
TEST(NcclXml, LinksHaveTheRateOfTheirGpu) {
  const auto rate = [](int sm, int links) {
    const std::string to_switch =
        fmt::format("<nvlink target=\"fffffff:ff:ff.0\" count=\"{}\" tclass=\"0x068000\"/>", links);
    return parse_machine(yaml_of(gpus_linked({to_switch, to_switch}, sm)), "t")
        ->link_classes()[0]
        .bandwidth.value;
  };
  EXPECT_EQ(rate(60, 4), 80);
  EXPECT_EQ(rate(70, 6), 150);
  EXPECT_EQ(rate(75, 2), 50);
  EXPECT_EQ(rate(80, 12), 300);
  EXPECT_EQ(rate(86, 4), 56.25) << "a bridge of two RTX A6000";
  EXPECT_EQ(rate(90, 18), 450);
  EXPECT_EQ(rate(100, 18), 900);
  EXPECT_EQ(rate(103, 18), 900);
  EXPECT_EQ(rate(107, 36), 1800);
  EXPECT_EQ(rate(120, 4), 32) << "no such links: PCIe";
}

// From Hopper on a switch reduces; direct links and older switches do not.
TEST(NcclXml, SwitchesReduceFromHopperOn) {
  const std::string to_switch =
      "<nvlink target=\"fffffff:ff:ff.0\" count=\"12\" tclass=\"0x068000\"/>";
  const std::string key = "in_network_reduction";
  EXPECT_NE(yaml_of(gpus_linked({to_switch, to_switch}, 90)).find(key), std::string::npos);
  EXPECT_EQ(yaml_of(gpus_linked({to_switch, to_switch}, 80)).find(key), std::string::npos);
  EXPECT_EQ(yaml_of(gpus_linked({to(2, 18), to(1, 18)}, 90)).find(key), std::string::npos);
  // A file that does not say what the links lead to, and bridges to a GPU that is hidden.
  const std::string unsaid = "<nvlink target=\"fffffff:ff:ff.0\" count=\"12\" tclass=\"\"/>";
  EXPECT_EQ(yaml_of(gpus_linked({unsaid, unsaid}, 90)).find(key), std::string::npos);
  const std::string hidden = yaml_of(gpus_linked({to(2, 12), to(1, 12), to(7, 12)}, 90));
  EXPECT_EQ(hidden.find(key), std::string::npos);
  EXPECT_NE(hidden.find("join some of them only"), std::string::npos);
}

TEST(NcclXml, NamesGpusByTheirPciDevice) {
  std::string xml = gpus_linked({to(2, 18), to(1, 18)}, 90);
  for (const int bus : {1, 2}) {
    const std::string slot = fmt::format("busid=\"0000:0{}:00.0\"", bus);
    xml = replaced(xml, slot, slot + " vendor=\"0x10de\" device=\"0x2330\"");
  }
  EXPECT_EQ(read_nccl_xml(xml, "t.xml").gpus[1].name, "NVIDIA H100 80GB HBM3");
  const auto machine = parse_machine(yaml_of(xml), "t");
  EXPECT_EQ(machine->gpu().name, "H100");
  EXPECT_EQ(yaml_of(xml).find("# Written by `fabricast machine import`"), 0u);
  EXPECT_EQ(read_nccl_xml(replaced(xml, "0x2330", "0xffff"), "t.xml").gpus[0].name, "sm_90");
}

TEST(NcclXml, KnowsHwlocsFiles) {
  EXPECT_NE(error_of("<topology version=\"2.0\"><object type=\"Machine\"/></topology>")
                .find("hwloc's file of a machine (lstopo), not NCCL's"),
            std::string::npos);
}

}  // namespace
}  // namespace fabricast
