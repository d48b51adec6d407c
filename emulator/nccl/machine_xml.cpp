// Our machines as the topology XML that NCCL_TOPO_DUMP_FILE would write of one node.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/machine_look.hpp"

namespace fabricast::nccl {
namespace {

// NVLinks between GPUs of a DGX-1 (nvidia-smi topo -m of 8 x V100-SXM2: 6 links each).
constexpr std::array<std::array<int, 8>, 8> cube_mesh{{{0, 1, 1, 2, 2, 0, 0, 0},
                                                       {1, 0, 2, 1, 0, 2, 0, 0},
                                                       {1, 2, 0, 2, 0, 0, 1, 0},
                                                       {2, 1, 2, 0, 0, 0, 0, 1},
                                                       {2, 0, 0, 0, 0, 1, 1, 2},
                                                       {0, 2, 0, 0, 1, 0, 2, 1},
                                                       {0, 0, 1, 0, 1, 2, 0, 2},
                                                       {0, 0, 0, 1, 2, 1, 2, 0}}};

class Writer {
 public:
  explicit Writer(const MachineLook& look) : look_(look) {}

  std::string write() {
    out_ = "<system version=\"1\">\n";
    const int hosts = (look_.gpus + look_.gpus_per_host - 1) / look_.gpus_per_host;
    for (int host = 0; host < hosts; ++host) {
      const int first = host * look_.gpus_per_host;
      const int last = std::min(look_.gpus, first + look_.gpus_per_host);
      for (int gpu = first; gpu < last; gpu += look_.gpus_per_socket) {
        write_socket(host, first, gpu, std::min(last, gpu + look_.gpus_per_socket));
      }
    }
    return out_ + "</system>\n";
  }

 private:
  std::string speed() const {
    constexpr std::array<std::string_view, 4> rates{"8.0", "16.0", "32.0", "64.0"};
    return fmt::format("link_speed=\"{} GT/s PCIe\" link_width=\"16\"",
                       rates[static_cast<std::size_t>(look_.pcie_generation - 3)]);
  }
  std::string pci(int bus, std::string_view device_class, std::string_view attributes) const {
    return fmt::format("<pci busid=\"{:04x}:{:02x}:00.0\" class=\"{}\" {}{}>\n", bus >> 8,
                       bus & 0xff, device_class, attributes, speed());
  }
  // Bus numbers within a host: a block of 32 per GPU, its switch first.
  static int bus_of(int gpu) { return 0x20 * (gpu + 1); }
  // NICs of GPU `gpu`: [first, last).
  std::pair<int, int> nics_of(int gpu) const {
    return {gpu * look_.nics / look_.gpus, (gpu + 1) * look_.nics / look_.gpus};
  }

  void write_socket(int host, int first, int begin, int end) {
    out_ += fmt::format("  <cpu host_hash=\"0x{:x}\" numaid=\"{}\" affinity=\"ffff\" {}>\n",
                        host + 1, (begin - first) / look_.gpus_per_socket, look_.cpu);
    int gpu = begin;
    while (gpu < end) {
      const int below = gpus_of_switch(gpu, end);
      write_switch(host, first, gpu, gpu + below);
      gpu += below;
    }
    out_ += "  </cpu>\n";
  }

  int gpus_of_switch(int gpu, int end) const {
    if (!look_.shared_switch || look_.c2c) return 1;
    return std::min(look_.gpus_per_switch, end - gpu);
  }

  void write_switch(int host, int first, int begin, int end) {
    const int bus = bus_of(begin - first);
    const bool together = look_.shared_switch && !look_.c2c;
    if (together) out_ += "    " + pci(bus, "0x060400", "vendor=\"0x10b5\" device=\"0x8796\" ");
    for (int gpu = begin; gpu < end; ++gpu) {
      if (!together && look_.c2c) out_ += "    " + pci(bus, "0x060400", "");
      write_gpu(first, gpu);
      if (!together && look_.c2c) out_ += "    </pci>\n";
    }
    for (int gpu = begin; gpu < end; ++gpu) {
      for (int nic = nics_of(gpu).first; nic < nics_of(gpu).second; ++nic) {
        const int at = bus_of(gpu - first) + 2 * (nic - nics_of(gpu).first) + 8;
        if (look_.c2c) out_ += "    " + pci(at, "0x060400", "");
        write_nic(host, first, nic, at + 1);
        if (look_.c2c) out_ += "    </pci>\n";
      }
    }
    if (together) out_ += "    </pci>\n";
  }

  void write_gpu(int first, int gpu) {
    out_ += "      " + pci(bus_of(gpu - first) + 1, "0x030200", "");
    out_ += fmt::format("        <gpu dev=\"{}\" sm=\"{}\" rank=\"{}\" gdr=\"{}\">\n", gpu - first,
                        look_.capability, gpu, look_.rdma ? 1 : 0);
    if (look_.shape == NvlinkShape::to_switch) {
      out_ += fmt::format(
          "          <nvlink target=\"fffffff:ff:ff.0\" count=\"{}\" tclass=\"0x068000\"/>\n",
          look_.nvlinks);
    } else if (look_.shape != NvlinkShape::none) {
      for (int peer = 0; peer < look_.gpus; ++peer) write_peer(gpu, peer);
    }
    // Grace: 5 links of 44,712 MB/s, as a GB300 dump says.
    if (look_.c2c) out_ += "          <c2c bw=\"44712\" count=\"5\"/>\n";
    out_ += "        </gpu>\n      </pci>\n";
  }

  void write_peer(int gpu, int peer) {
    const int links = look_.shape == NvlinkShape::cube_mesh
                          ? cube_mesh[static_cast<std::size_t>(gpu)][static_cast<std::size_t>(peer)]
                      : gpu == peer ? 0
                                    : std::max(1, look_.nvlinks / (look_.gpus - 1));
    if (links == 0) return;
    const int bus = bus_of(peer) + 1;
    out_ += fmt::format(
        "          <nvlink target=\"{:04x}:{:02x}:00.0\" count=\"{}\" tclass=\"0x030200\"/>\n",
        bus >> 8, bus & 0xff, links);
  }

  void write_nic(int host, int first, int nic, int bus) {
    const int of_host = nic - nics_of(first).first;
    out_ += "      " + pci(bus, "0x020700", "");
    out_ += fmt::format(
        "        <nic><net name=\"nic{}\" dev=\"{}\" speed=\"{:.0f}\" port=\"1\" latency=\"0\" "
        "guid=\"0x{:x}\" gdr=\"{}\" coll=\"{}\" keep=\"1\"/></nic>\n      </pci>\n",
        of_host, of_host, look_.nic_gbyte_per_s * 8000, 0x10000 + host * 0x100 + of_host,
        look_.rdma ? 1 : 0, look_.reducing_network ? 1 : 0);
  }

  const MachineLook& look_;
  std::string out_;
};

}  // namespace

std::string xml_of(const MachineLook& look) { return Writer(look).write(); }

std::string system_xml(const Topology& machine) { return xml_of(look_of(machine)); }

System system_of(const Topology& machine) {
  const MachineLook look = look_of(machine);
  System system = read_system(xml_of(look), look.name);
  system.nodes = look.nodes;
  return system;
}

Communicator make_communicator(const Topology& machine, const Version& version,
                               const Overrides& overrides) {
  const System system = system_of(machine);
  return make_communicator(system, system.nodes, version, overrides);
}

}  // namespace fabricast::nccl
