#include "topologies/import/nccl_xml.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/base/text_file.hpp"
#include "topologies/discover/gpu_catalog.hpp"
#include "topologies/import/nccl_links.hpp"

namespace fabricast {
namespace {

constexpr int max_depth = 64;

// Sanity limits, those of machine files (machine_yaml.cpp, fabric_yaml.cpp): what is read here can
// be written there. NVML knows 36 NVLinks of a GPU.
constexpr std::size_t max_gpus = 4096;
constexpr std::int64_t max_nvlinks = 1024;
constexpr std::int64_t max_mbit_per_s = 800'000'000;

// Which elements may stand in which.
const std::map<std::string, std::vector<std::string>> children_of{
    {"system", {"cpu"}},
    {"cpu", {"pci", "nic", "nvlink"}},
    {"pci", {"pci", "gpu", "nic", "pcilink", "nvlink"}},
    {"gpu", {"nvlink", "c2c"}},
    {"nic", {"net"}},
    {"net", {}},
    {"nvlink", {}},
    {"c2c", {}},
    {"pcilink", {}},
};

struct PciSlot {
  std::string bus_id, device_class, vendor, device;
  int generation = 0, width = 0;  // 0: not given
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

constexpr const char* of_rccl =
    "a topology of RCCL (AMD's GPUs and their xGMI links are not read from it); take a machine of "
    "`fabricast machine list`, such as mi300x-8";

struct FileGpu {
  LocalGpu gpu;
  std::string host;
  std::int64_t dev = 0;
  GpuLinks links;
};

class Reader {
 public:
  Reader(std::string_view xml, const std::string& file) : xml_(xml), file_(file) {}

  LocalMachine read() {
    require_text(xml_, file_);
    pugi::xml_document document;
    const auto parsed = document.load_buffer(xml_.data(), xml_.size());
    if (!parsed)
      fail_at(parsed.offset,
              fmt::format("not valid XML ({}); is the file complete?", parsed.description()));
    const auto system = document.document_element();
    if (std::string_view(system.name()) == "topology") {
      fail(system,
           "hwloc's file of a machine (lstopo), not NCCL's; give one that NCCL_TOPO_DUMP_FILE "
           "wrote");
    }
    if (std::string_view(system.name()) != "system") {
      fail(system,
           "the outermost element is not <system>; give a file that NCCL_TOPO_DUMP_FILE wrote");
    }
    // pugixml goes on after the outermost element: dumps of two hosts, one behind the other.
    if (const auto second = system.next_sibling()) {
      fail(second, "a second outermost element; give one file per host");
    }
    check(system, 0);
    const std::int64_t version = integer(system, "version");
    if (version == 2) fail(system, of_rccl);
    if (version != 1) fail(system, "only version 1 is known; dump it anew");
    for (const auto cpu : system.children("cpu")) {
      const auto hash = cpu.attribute("host_hash");
      walk(cpu, hash ? hash.value() : "", {});
    }
    return result();
  }

 private:
  [[noreturn]] void fail_at(std::ptrdiff_t offset, const std::string& problem) const {
    const auto before =
        xml_.substr(0, static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto newline = before.rfind('\n');
    const auto column =
        newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
    throw UsageError(fmt::format("{}:{}:{}: {}", file_, line, column, problem));
  }
  [[noreturn]] void fail(const pugi::xml_node& node, const std::string& problem) const {
    fail_at(node.offset_debug(), fmt::format("{}: {}", node.name(), problem));
  }

  // Structure of the whole tree: known elements, attributes once, not too deep.
  void check(const pugi::xml_node& node, int depth) const {
    if (depth > max_depth) fail(node, fmt::format("nested deeper than {} levels", max_depth));
    std::set<std::string> names;
    for (const auto& attribute : node.attributes()) {
      if (!names.insert(attribute.name()).second) {
        fail(node, fmt::format("attribute \"{}\" is given twice; remove one", attribute.name()));
      }
    }
    const auto& known = children_of.at(node.name());
    for (const auto child : node.children()) {
      if (child.type() != pugi::node_element) continue;
      if (std::string_view(child.name()) == "xgmi") fail(child, of_rccl);
      if (std::find(known.begin(), known.end(), child.name()) == known.end()) {
        fail(child, unknown_name_message(fmt::format("element inside <{}>", node.name()),
                                         child.name(), known));
      }
      check(child, depth + 1);
    }
  }

  std::string text(const pugi::xml_node& node, const char* name) const {
    const auto attribute = node.attribute(name);
    if (!attribute)
      fail(node, fmt::format("attribute \"{}\" is missing; is the dump complete?", name));
    if (*attribute.value() == '\0') fail(node, fmt::format("attribute \"{}\" is empty", name));
    return attribute.value();
  }

  std::int64_t integer(const pugi::xml_node& node, const char* name,
                       std::int64_t most = 1'000'000'000) const {
    const std::string value = text(node, name);
    try {
      const std::int64_t number = parse_integer(value);
      if (number < 0 || number > most) throw UsageError(value + " is out of range");
      return number;
    } catch (const UsageError& error) {
      fail(node, fmt::format("attribute \"{}\": {}", name, error.what()));
    }
  }

  // "32.0 GT/s PCIe": the rate per lane doubles from 8 (Gen3); Gen1 and Gen2 are 2.5 and 5. Empty
  // or left out where the driver does not say.
  static int pcie_generation(const pugi::xml_node& pci) {
    const std::string speed = pci.attribute("link_speed").as_string();
    static const std::array<std::pair<std::string_view, int>, 6> rates{
        {{"2.5", 1}, {"5", 2}, {"8", 3}, {"16", 4}, {"32", 5}, {"64", 6}}};
    const auto space = speed.find(' ');
    std::string_view rate = std::string_view(speed).substr(0, space);
    if (rate.ends_with(".0")) rate.remove_suffix(2);
    for (const auto& [gigatransfers, generation] : rates) {
      if (rate == gigatransfers && speed.find("GT/s") != std::string::npos) return generation;
    }
    return 0;  // "Unknown" in virtual machines: no rating
  }

  PciSlot slot_of(const pugi::xml_node& pci) const {
    const bool has_width = *pci.attribute("link_width").as_string() != '\0';
    return {text(pci, "busid"),
            pci.attribute("class").as_string(),
            pci.attribute("vendor").as_string(),
            pci.attribute("device").as_string(),
            pcie_generation(pci),
            has_width ? static_cast<int>(integer(pci, "link_width")) : 0};
  }

  void walk(const pugi::xml_node& node, const std::string& host, const PciSlot& slot) {
    for (const auto child : node.children()) {
      const std::string_view name = child.name();
      if (name == "pci") {
        const PciSlot below = slot_of(child);
        if (below.device_class.starts_with("0x0302") && !child.child("gpu")) add_slot(host, below);
        walk(child, host, below);
      } else if (name == "gpu") {
        add_gpu(child, host, slot);
      } else if (name == "nic") {
        for (const auto net : child.children("net")) add_net(net, host, slot);
      }
    }
  }

  // A GPU that the file knows the place of only, as files for NCCL_TOPO_FILE do in virtual
  // machines.
  void add_slot(const std::string& host, const PciSlot& slot) {
    FileGpu found;
    found.host = host;
    found.gpu.bus_id = slot.bus_id;
    found.gpu.pcie_generation = slot.generation;
    found.gpu.pcie_width = slot.width;
    if (slots_.size() < max_gpus) slots_.push_back(std::move(found));
  }

  // Ranks that share a GPU, or its halves (MLOPart), are listed beside each other in its slot.
  static bool shares_slot(const pugi::xml_node& node) {
    const auto before = node.previous_sibling("gpu");
    return before && std::string_view(before.attribute("dev").value()) ==
                         std::string_view(node.attribute("dev").value());
  }

  void add_gpu(const pugi::xml_node& node, const std::string& host, const PciSlot& slot) {
    if (node.attribute("gcn")) fail(node, of_rccl);
    if (!node.attribute("sm")) {
      unknown_ = node;
      add_slot(host, slot);
      return;
    }
    FileGpu found;
    found.host = host;
    found.dev = integer(node, "dev");
    if (shares_slot(node)) {
      shared_ = true;
      return;
    }
    described_ = described_ || !slot.device.empty();
    const auto sm = static_cast<int>(integer(node, "sm"));
    if (sm < 10) fail(node, fmt::format("attribute \"sm\": {} is no compute capability", sm));
    const std::string_view name =
        slot.vendor == "0x10de" ? gpu_of_pci_device(slot.device) : std::string_view();
    found.gpu.name = name.empty() ? fmt::format("sm_{}", sm) : std::string(name);
    found.gpu.compute_major = sm / 10;
    found.gpu.compute_minor = sm % 10;
    found.gpu.bus_id = slot.bus_id;
    found.links.bus_id = lower(slot.bus_id);
    found.gpu.pcie_generation = slot.generation;
    found.gpu.pcie_width = slot.width;
    for (const auto link : node.children("nvlink")) {
      const std::string target = text(link, "target");
      found.links.targets[lower(target)] += static_cast<int>(integer(link, "count", max_nvlinks));
      // PCI classes: 0x0680 is a bridge, as switches are; 0x03 a display controller, as GPUs.
      const std::string_view target_class = link.attribute("tclass").as_string();
      found.links.switched = found.links.switched && target_class.starts_with("0x0680");
      if (target_class.starts_with("0x03")) found.links.to_gpus.insert(lower(target));
      found.gpu.nvlinks += static_cast<int>(integer(link, "count", max_nvlinks));
      if (found.gpu.nvlinks > max_nvlinks) {
        fail(node, fmt::format("more than {} NVLinks; is the dump complete?", max_nvlinks));
      }
    }
    if (!devices_.emplace(host, found.dev).second) {
      fail(node, fmt::format("dev {} is given twice", found.dev));
    }
    if (devices_.size() > max_gpus) fail(node, fmt::format("more than {} GPUs", max_gpus));
    gpus_.push_back(std::move(found));
  }

  // A port that hangs on no slot is listed below every socket.
  void add_net(const pugi::xml_node& node, const std::string& host, const PciSlot& slot) {
    const std::string name = text(node, "name");
    if (!node.attribute("speed")) return;  // says nothing about how fast it is
    const double gbit =
        static_cast<double>(integer(node, "speed", max_mbit_per_s)) / 1000;  // file: Mbit/s
    if (!ports_.emplace(host, name).second) return;
    // RDMA devices have a guid; PCI class 0x0207 is an InfiniBand controller, 0x0200 Ethernet, and
    // vendor 0x1d0f makes EFA.
    const std::string_view guid = node.attribute("guid").as_string("0x0");
    const bool rdma = guid.find_first_not_of("0x") != std::string_view::npos;
    const bool infiniband = slot.device_class.starts_with("0x0207");
    const bool efa = slot.vendor == "0x1d0f";
    nics_.push_back({name,
                     !rdma        ? "ethernet"
                     : infiniband ? "infiniband"
                     : efa        ? "efa"
                                  : "roce",
                     gbit});
  }

  // Files for NCCL_TOPO_FILE may leave links out: NCCL adds those that it finds. They are written
  // by hand, and say less of a slot than a dump does.
  std::string note() const {
    if (shared_)
      return "several ranks shared each GPU (or its halves, MLOPart): one rank each here";
    const bool linked = std::any_of(gpus_.begin(), gpus_.end(),
                                    [](const FileGpu& found) { return found.gpu.nvlinks > 0; });
    if (dropped_) {
      return linked || gpus_.size() == 1
                 ? "NVLinks to GPUs that the file leaves out are not counted"
                 : "all NVLinks lead to GPUs that the file leaves out: here all goes over PCIe";
    }
    if (linked || described_ || gpus_.front().gpu.compute_major == 0) return "";
    return "the file names no NVLinks, and no PCI devices as a dump of NCCL does: if the GPUs have "
           "NVLinks, dump it there with NCCL_TOPO_DUMP_FILE; here all goes over PCIe";
  }

  // Hosts share a file where NVLinks join them (MNNVL): there is no PCIe to fall back on.
  void require_one_domain(const std::string& shape) const {
    const auto alone = std::find_if(gpus_.begin(), gpus_.end(), [&](const FileGpu& found) {
      return found.gpu.nvlinks == 0 || shape == "apart";
    });
    const bool one_host = std::all_of(gpus_.begin(), gpus_.end(), [&](const FileGpu& found) {
      return found.host == gpus_.front().host;
    });
    if (one_host || alone == gpus_.end()) return;
    fail_at(0, fmt::format("system: several hosts, and no NVLinks that join the GPU at {} of "
                           "host_hash \"{}\" to the others (is a link down?); dump it anew, or "
                           "give one file per host",
                           alone->gpu.bus_id, alone->host));
  }

  LocalMachine result() {
    if (!gpus_.empty() && unknown_) static_cast<void>(text(unknown_, "sm"));
    if (gpus_.empty()) gpus_ = slots_;
    if (gpus_.empty()) {
      fail_at(0, "system: the file names no GPU; give a dump made by a process with GPUs");
    }
    std::stable_sort(gpus_.begin(), gpus_.end(), [](const auto& a, const auto& b) {
      return a.host == b.host ? a.dev < b.dev : false;
    });
    LocalMachine machine;
    machine.hostname = file_;
    machine.usable_cores = 0;  // the file does not say
    machine.gpu_source = "NCCL topology XML " + file_;
    std::vector<GpuLinks> links;
    for (auto& found : gpus_) links.push_back(std::move(found.links));
    dropped_ = drop_links_out(links);
    for (std::size_t i = 0; i < links.size(); ++i) gpus_[i].gpu.nvlinks = count_of(links[i]);
    machine.nvlink_shape = shape_of_links(links);
    machine.nvlink_switch = machine.nvlink_shape.empty() &&
                            std::all_of(links.begin(), links.end(), [](const GpuLinks& of) {
                              return of.switched && !of.targets.empty();
                            });
    require_one_domain(machine.nvlink_shape);
    machine.gpu_note = note();
    for (auto& found : gpus_) machine.gpus.push_back(std::move(found.gpu));
    machine.nics = std::move(nics_);
    return machine;
  }

  std::string_view xml_;
  const std::string& file_;
  std::vector<FileGpu> gpus_, slots_;
  pugi::xml_node unknown_;                               // a GPU without a compute capability
  bool dropped_ = false;                                 // NVLinks to GPUs that are not here
  bool shared_ = false;                                  // a slot holds several ranks
  bool described_ = false;                               // a GPU's slot says which device it holds
  std::set<std::pair<std::string, std::string>> ports_;  // host and name of each
  std::set<std::pair<std::string, std::int64_t>> devices_;  // host and dev of each
  std::vector<LocalNic> nics_;
};

}  // namespace

LocalMachine read_nccl_xml(std::string_view xml, const std::string& file) {
  return Reader(xml, file).read();
}

LocalMachine merge_nccl_xml(const LocalMachine& local, const LocalMachine& from_file,
                            const std::string& file) {
  if (local.gpus.empty()) {
    if (from_file.gpus.front().compute_major == 0) {
      throw UsageError(fmt::format(
          "{}: it says where {} GPUs are plugged in, not what they are (a file for NCCL_TOPO_FILE, "
          "without <gpu> or its sm); dump one on that machine with NCCL_TOPO_DUMP_FILE, "
          "run `fabricast machine discover --nccl-xml {}` there, or take its machine of `fabricast "
          "machine list`",
          file, from_file.gpus.size(), file));
    }
    return from_file;
  }
  LocalMachine merged = local;
  merged.nvlink_shape = from_file.nvlink_shape;
  merged.nvlink_switch = from_file.nvlink_switch;
  merged.gpu_source += " and " + from_file.gpu_source;
  if (from_file.gpus.front().compute_major > 0 && !local.nvlinks_known) {
    merged.nvlinks_known = true;
    merged.gpu_note.clear();
  }
  for (auto& gpu : merged.gpus) {
    const auto found =
        std::find_if(from_file.gpus.begin(), from_file.gpus.end(),
                     [&](const auto& of) { return lower(of.bus_id) == lower(gpu.bus_id); });
    if (found == from_file.gpus.end()) {
      throw UsageError(
          fmt::format("{}: does not name the GPU at {} of this machine; dump it on this "
                      "machine, with the same CUDA_VISIBLE_DEVICES",
                      file, gpu.bus_id));
    }
    if (found->compute_major > 0) gpu.nvlinks = found->nvlinks;
    gpu.pcie_generation = found->pcie_generation;
    gpu.pcie_width = found->pcie_width;
  }
  if (!from_file.nics.empty()) merged.nics = from_file.nics;
  return merged;
}

}  // namespace fabricast
