#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/system_description.hpp"

namespace fabricast::nccl {
namespace {

// NCCL has room for 576 nodes of a kind (an NVL576 domain) and 64 levels are deeper than any tree
// of PCIe switches. Beyond that nothing is searched.
constexpr int max_of_a_kind = 576;
constexpr int max_pci = 4 * max_of_a_kind;
constexpr int max_depth = 64;

constexpr const char* of_rccl =
    "a topology of RCCL (AMD's GPUs): its choices are not modelled, only those of NVIDIA's NCCL";

template <class Value>
struct Named {
  std::string_view prefix;
  Value value;
};

// NCCL compares prefixes, in this order.
constexpr std::array device_classes{
    Named<DeviceClass>{"0x060400", DeviceClass::bridge},
    Named<DeviceClass>{"0x068000", DeviceClass::nvswitch},
    Named<DeviceClass>{"0x068001", DeviceClass::cpu},
    Named<DeviceClass>{"0x03", DeviceClass::gpu},
    Named<DeviceClass>{"0x02", DeviceClass::nic},
};
constexpr std::array lane_rates{
    Named<int>{"2.5 GT/s", 15},        Named<int>{"5 GT/s", 30},
    Named<int>{"8 GT/s", 60},          Named<int>{"16 GT/s", 120},
    Named<int>{"32 GT/s", 240},        Named<int>{"5.0 GT/s PCIe", 30},
    Named<int>{"8.0 GT/s PCIe", 60},   Named<int>{"16.0 GT/s PCIe", 120},
    Named<int>{"32.0 GT/s PCIe", 240}, Named<int>{"64.0 GT/s PCIe", 480},
};
constexpr std::array cpu_archs{
    Named<CpuArch>{"x86_64", CpuArch::x86},
    Named<CpuArch>{"arm64", CpuArch::arm},
    Named<CpuArch>{"ppc64", CpuArch::power},
};
constexpr std::array cpu_vendors{
    Named<CpuVendor>{"GenuineIntel", CpuVendor::intel},
    Named<CpuVendor>{"AuthenticAMD", CpuVendor::amd},
    Named<CpuVendor>{"CentaurHauls", CpuVendor::zhaoxin},
    Named<CpuVendor>{"  Shanghai  ", CpuVendor::zhaoxin},
};

template <class Value, std::size_t count>
Value by_prefix(std::string_view text, const std::array<Named<Value>, count>& names,
                Value otherwise) {
  for (const auto& [prefix, value] : names) {
    if (text.starts_with(prefix)) return value;
  }
  return otherwise;
}

// The hexadecimal digits of "0000:0f:00.0", colons and points left out.
std::int64_t bus_id_of(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == '.' || c == ':') continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0 || digits.size() == 15) break;
    digits += c;
  }
  return std::strtoll(digits.c_str(), nullptr, 16);
}

class Reader {
 public:
  Reader(std::string_view xml, const std::string& file) : xml_(xml), file_(file) {}

  SystemDescription read();

 private:
  [[noreturn]] void fail_at(std::ptrdiff_t offset, const std::string& problem) const;
  [[noreturn]] void fail(const pugi::xml_node& node, const std::string& problem) const {
    fail_at(node.offset_debug(), fmt::format("{}: {}", node.name(), problem));
  }

  std::string_view text(const pugi::xml_node& node, const char* name) const;
  // Decimal, 0x hexadecimal or 0 octal, as strtol reads it.
  std::int64_t integer(const pugi::xml_node& node, const char* name, std::int64_t least,
                       std::int64_t most) const;
  std::int64_t integer_or(const pugi::xml_node& node, const char* name, std::int64_t least,
                          std::int64_t most, std::int64_t otherwise) const {
    return node.attribute(name) ? integer(node, name, least, most) : otherwise;
  }

  CpuElement read_cpu(const pugi::xml_node& node);
  CpuModel read_model(const pugi::xml_node& node, CpuVendor vendor) const;
  std::optional<PciElement> read_pci(const pugi::xml_node& node, int host, int depth);
  GpuElement read_gpu(const pugi::xml_node& node);
  void read_nic(const pugi::xml_node& node, int host, PciElement& pci);
  void number_ranks(SystemDescription& system) const;
  void once(const pugi::xml_node& node, std::string_view kind, int host, std::int64_t id);

  std::string_view xml_;
  const std::string& file_;
  std::map<std::string, int> hosts_;
  std::set<std::tuple<std::string, int, std::int64_t>> seen_;  // kind, host, id
  int gpus_ = 0, nets_ = 0, ranked_ = 0;
  std::map<std::string, int> of_kind_;
};

void Reader::fail_at(std::ptrdiff_t offset, const std::string& problem) const {
  const auto before = xml_.substr(0, static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto newline = before.rfind('\n');
  const auto column =
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  throw UsageError(fmt::format("{}:{}:{}: {}", file_, line, column, problem));
}

std::string_view Reader::text(const pugi::xml_node& node, const char* name) const {
  const auto attribute = node.attribute(name);
  if (!attribute) {
    fail(node, fmt::format("attribute \"{}\" is missing; is the dump complete?", name));
  }
  return attribute.value();
}

std::int64_t Reader::integer(const pugi::xml_node& node, const char* name, std::int64_t least,
                             std::int64_t most) const {
  const std::string value(text(node, name));
  char* end = nullptr;
  const std::int64_t number = std::strtoll(value.c_str(), &end, 0);
  if (end == value.c_str() || *end != '\0') {
    fail(node, fmt::format("attribute \"{}\": \"{}\" is no whole number", name, value));
  }
  if (number < least || number > most) {
    fail(node,
         fmt::format("attribute \"{}\": {} is out of range ({} to {})", name, value, least, most));
  }
  return number;
}

void Reader::once(const pugi::xml_node& node, std::string_view kind, int host, std::int64_t id) {
  if (!seen_.emplace(std::string(kind), host, id).second) {
    fail(node, fmt::format("{} {:x} is given twice on one host; remove one", kind, id));
  }
  const int most = kind == "pci" ? max_pci : max_of_a_kind;
  if (++of_kind_[std::string(kind)] > most) {
    fail(node, fmt::format("more than {} of this kind", most));
  }
}

CpuModel Reader::read_model(const pugi::xml_node& node, CpuVendor vendor) const {
  if (vendor != CpuVendor::intel && vendor != CpuVendor::zhaoxin) return CpuModel::other;
  const auto family = integer(node, "familyid", 0, 65535);
  const auto model = integer(node, "modelid", 0, 65535);
  if (vendor == CpuVendor::zhaoxin) {
    return family == 7 && model == 0x5B ? CpuModel::yongfeng : CpuModel::other;
  }
  if (family != 6) return CpuModel::other;
  return model >= 0xCF   ? CpuModel::emerald_rapids
         : model >= 0x8F ? CpuModel::sapphire_rapids
         : model >= 0x55 ? CpuModel::skylake
                         : CpuModel::other;
}

CpuElement Reader::read_cpu(const pugi::xml_node& node) {
  CpuElement cpu;
  cpu.numa = static_cast<int>(integer(node, "numaid", -1, 4095));
  const std::string hash = node.attribute("host_hash").value();
  cpu.host = hosts_.emplace(hash, static_cast<int>(hosts_.size())).first->second;
  once(node, "cpu", cpu.host, cpu.numa);
  cpu.arch = by_prefix(text(node, "arch"), cpu_archs, CpuArch::other);
  if (cpu.arch == CpuArch::x86) {
    cpu.vendor = by_prefix(text(node, "vendor"), cpu_vendors, CpuVendor::other);
    cpu.model = read_model(node, cpu.vendor);
  }
  for (const auto child : node.children()) {
    const std::string_view name = child.name();
    if (name == "pci") {
      if (auto pci = read_pci(child, cpu.host, 1)) cpu.devices.push_back(std::move(*pci));
    } else if (name == "nic") {
      PciElement nic;
      nic.under_cpu = true;
      nic.device_class = DeviceClass::nic;
      read_nic(child, cpu.host, nic);
      cpu.devices.push_back(std::move(nic));
    }
  }
  return cpu;
}

// Nothing for what NCCL leaves out of its graph: NVSwitches and GPUs that no rank uses.
std::optional<PciElement> Reader::read_pci(const pugi::xml_node& node, int host, int depth) {
  if (depth > max_depth) fail(node, fmt::format("nested deeper than {} levels", max_depth));
  PciElement pci;
  pci.bus_id = bus_id_of(text(node, "busid"));
  pci.device_class = by_prefix(text(node, "class"), device_classes, DeviceClass::bridge);
  const auto gpu = node.child("gpu");
  const auto nic = node.child("nic");
  if (!gpu && !nic && pci.device_class != DeviceClass::bridge) return std::nullopt;
  if (!nic) once(node, "pci", host, pci.bus_id);  // ports of one NIC share theirs
  pci.width = static_cast<int>(integer(node, "link_width", 0, 64));
  if (pci.width == 0) pci.width = 16;  // virtual machines do not say
  pci.lane_rate = by_prefix(text(node, "link_speed"), lane_rates, 60);
  if (gpu) {
    pci.device_class = DeviceClass::gpu;
    pci.gpu = read_gpu(gpu);
    if (nic) fail(node, "holds a gpu and a nic; NCCL's graph has one device per PCI function");
    return pci;
  }
  if (nic) {
    pci.device_class = DeviceClass::nic;
    read_nic(nic, host, pci);
    return pci;
  }
  for (const char* part : {"vendor", "device", "subsystem_vendor", "subsystem_device"}) {
    pci.device = pci.device << 16 |
                 static_cast<std::uint64_t>(
                     std::strtoll(node.attribute(part).as_string("0"), nullptr, 0) & 0xffff);
  }
  for (const auto child : node.children("pci")) {
    if (auto inner = read_pci(child, host, depth + 1)) pci.children.push_back(std::move(*inner));
  }
  for (const auto link : node.children("pcilink")) {
    pci.pci_links.push_back(bus_id_of(text(link, "target")));
  }
  return pci;
}

GpuElement Reader::read_gpu(const pugi::xml_node& node) {
  if (node.attribute("gcn") || node.child("xgmi")) fail(node, of_rccl);
  if (++gpus_ > max_of_a_kind) fail(node, fmt::format("more than {} GPUs", max_of_a_kind));
  GpuElement gpu;
  gpu.dev = static_cast<int>(integer(node, "dev", 0, 4095));
  gpu.capability = static_cast<int>(integer(node, "sm", 10, 999));
  gpu.rank = static_cast<int>(integer_or(node, "rank", 0, 1 << 24, -1));
  gpu.gdr = integer_or(node, "gdr", 0, 1, 1) == 1;
  if (gpu.rank >= 0) {
    ++ranked_;
    once(node, "rank", 0, gpu.rank);
  }
  for (const auto link : node.children("nvlink")) {
    NvlinkElement nvlink;
    nvlink.count = static_cast<int>(integer(link, "count", 0, 1024));
    nvlink.target_class = by_prefix(text(link, "tclass"), device_classes, DeviceClass::bridge);
    nvlink.target = bus_id_of(link.attribute("target").value());
    if (gpu.nvlinks.size() == max_of_a_kind) fail(link, "too many NVLink neighbours");
    gpu.nvlinks.push_back(nvlink);
  }
  for (const auto link : node.children("c2c")) {
    gpu.c2cs.push_back({static_cast<int>(integer(link, "count", 0, 1024)),
                        static_cast<int>(integer(link, "bw", 0, 1'000'000))});
    if (gpu.c2cs.size() > 8) fail(link, "too many C2C links");
  }
  return gpu;
}

void Reader::read_nic(const pugi::xml_node& node, int host, PciElement& pci) {
  pci.has_nic = true;
  std::set<std::int64_t> here;
  for (const auto child : node.children("net")) {
    if (!child.attribute("dev")) continue;  // no device of the network library
    if (++nets_ > max_of_a_kind) fail(child, fmt::format("more than {} NICs", max_of_a_kind));
    NetElement net;
    net.dev = integer(child, "dev", 0, 4095);
    // Ports on no bus are listed below every socket, and NCCL takes each for one of its own.
    if (!pci.under_cpu) once(child, "net", host, net.dev);
    if (!here.insert(net.dev).second) fail(child, fmt::format("net {} is given twice", net.dev));
    const auto guid = child.attribute("guid");
    net.asic = static_cast<std::uint64_t>(net.dev);
    if (guid) {
      const std::string_view hex = guid.value();
      net.asic = hex.starts_with("0x") ? std::strtoull(hex.data(), nullptr, 16) : 0;
    }
    net.mbit_per_s = static_cast<double>(integer_or(child, "speed", -1, 800'000'000, 0));
    if (net.mbit_per_s <= 0) net.mbit_per_s = 10'000;  // some NICs say -1
    net.latency_us = child.attribute("latency").as_double(0);
    if (!(net.latency_us >= 0 && net.latency_us < 1e6)) {
      fail(child, "attribute \"latency\": not a time in us");
    }
    net.port = static_cast<int>(integer_or(child, "port", -1, 65535, 0));
    net.gdr = integer_or(child, "gdr", 0, 1, 0) == 1;
    net.collective = integer_or(child, "coll", 0, 1, 0) == 1;
    pci.nets.push_back(net);
  }
}

void visit_gpus(PciElement& pci, const std::function<void(GpuElement&)>& visit) {
  if (pci.gpu) visit(*pci.gpu);
  for (auto& child : pci.children) visit_gpus(child, visit);
}

// Ranks as they are given; a file without any is numbered in document order.
void Reader::number_ranks(SystemDescription& system) const {
  if (ranked_ != 0 && ranked_ != gpus_) {
    fail_at(0, "system: some GPUs have a rank and some have none; give all or none");
  }
  int next = 0;
  std::vector<int> ranks;
  system.min_capability = 10'000;
  for (auto& cpu : system.cpus) {
    for (auto& device : cpu.devices) {
      visit_gpus(device, [&](GpuElement& gpu) {
        if (ranked_ == 0) gpu.rank = next++;
        ranks.push_back(gpu.rank);
        system.min_capability = std::min(system.min_capability, gpu.capability);
        system.max_capability = std::max(system.max_capability, gpu.capability);
      });
    }
  }
  std::sort(ranks.begin(), ranks.end());
  for (auto& cpu : system.cpus) {
    for (auto& device : cpu.devices) {
      visit_gpus(device, [&](GpuElement& gpu) {
        const auto at = std::lower_bound(ranks.begin(), ranks.end(), gpu.rank);
        gpu.rank = static_cast<int>(at - ranks.begin());
      });
    }
  }
}

SystemDescription Reader::read() {
  require_text(xml_, file_);
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml_.data(), xml_.size());
  if (!parsed) {
    fail_at(parsed.offset,
            fmt::format("not valid XML ({}); is the file complete?", parsed.description()));
  }
  const auto top = document.document_element();
  if (std::string_view(top.name()) != "system") {
    fail(top, "the outermost element is not <system>; give a file that NCCL_TOPO_DUMP_FILE wrote");
  }
  if (const auto second = top.next_sibling()) {
    fail(second, "a second outermost element; give one file per host");
  }
  const auto version = integer(top, "version", 0, 1000);
  if (version == 2) fail(top, of_rccl);
  if (version != 1) fail(top, "only version 1 is known; dump it anew");
  SystemDescription system;
  system.name = file_;
  for (const auto cpu : top.children("cpu")) system.cpus.push_back(read_cpu(cpu));
  if (gpus_ == 0 && xml_.find("\"0x0302") != std::string_view::npos) {
    fail(
        top,
        "lists slots of GPUs, not what is in them (a file for NCCL_TOPO_FILE); give a dump made by "
        "a process with GPUs, or explain the machine of `fabricast machine list` that it is");
  }
  if (gpus_ == 0) fail(top, "names no GPU; give a dump made by a process with GPUs");
  system.hosts = static_cast<int>(hosts_.size());
  system.gpus = gpus_;
  system.nets = nets_;
  number_ranks(system);
  return system;
}

}  // namespace

System read_system(std::string_view xml, const std::string& file) {
  return {std::make_shared<const SystemDescription>(Reader(xml, file).read()), 1};
}

}  // namespace fabricast::nccl
