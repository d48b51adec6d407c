// The hardware columns of a table of measurements, and what can be read out of their texts.
//
// Published tables name their machine in words: "H100 SXM5 80GB", "RoCE CX-5 16x100G per node". The
// readers here know words, counts and rates, never a source or an operator. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fabricast {

// As printed; empty texts and zeros where a table says nothing.
struct SystemColumns {
  std::string gpu;         // "H100 SXM5 80GB"
  std::string intra_link;  // "NVLink4 NVSwitch3 450GB/s uni"
  std::string inter_link;  // "IB NDR CX-7 400G x8", or "none ..."
  double nic_gbit_per_gpu = 0;
  std::int32_t gpus = 0, nodes = 0, gpus_per_node = 0;
};

// What joins nodes, by its words.
enum class NetworkFamily : std::uint8_t {
  none,
  unknown,
  infiniband,
  roce,
  ethernet,
  efa,
  slingshot,
  tcpx,
  tcpxo
};

struct NetworkWords {
  NetworkFamily family = NetworkFamily::unknown;
  std::optional<double> port_gbit;          // of one port or adapter
  std::optional<std::int32_t> ports;        // how many of them ...
  bool ports_per_gpu = false;               // ... per GPU, else per node
  std::optional<std::int32_t> efa_version;  // 1, 2 ...
};

// "IB HDR 2x200G per 4 GPUs": infiniband, 200 Gbit/s, 2 ports.
NetworkWords read_network(std::string_view text);

// The GPU of a name: its key in the list of known ones ("h100", "mi300x", "rtx4090"), nothing when
// none is named. Longer names win: "GH200" holds "H200" and is not it.
std::optional<std::string> read_gpu_key(std::string_view text);

// "A100 SXM4 40GB" and "40/80GB": the first number before GB.
std::optional<double> read_memory_gb(std::string_view text);

}  // namespace fabricast
