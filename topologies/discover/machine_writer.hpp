// Pieces of the machine file that discover writes. Internal to topologies/discover.
#pragma once

#include <string>
#include <string_view>

#include "topologies/discover/local_machine.hpp"

namespace fabricast {

// A YAML text in double quotes; what is not printable becomes a space.
std::string yaml_quoted(std::string_view text);
// {value: ..., origin: ..., source: "..."}
std::string yaml_sourced(std::string_view value, std::string_view origin, std::string_view source);
// "INDENTkey: value\n"
std::string yaml_line(std::string_view indent, std::string_view key, std::string_view value);

// The name of a GPU in machine files: "H200" for "NVIDIA H200".
std::string short_gpu_name(const LocalGpu& gpu);

// The keys of kind single_node or host for one host, each line indented. In domain_writer.cpp.
std::string domain_yaml(const LocalMachine& host, std::string_view indent);

// What joins the GPUs of a host: "nvlink" or, as far as is known, "pcie".
std::string_view joined_by(const LocalMachine& host);

// The `channels:` of NCCL on these GPUs; across hosts it is fewer.
std::string gpu_channels(const LocalMachine& host, bool several_hosts);

}  // namespace fabricast
