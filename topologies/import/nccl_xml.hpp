// NCCL topology XML (NCCL_TOPO_DUMP_FILE) as a description of hosts.
//
// Read strictly: a missing, repeated or non-numeric attribute and an unknown element are errors
// "file:line:col: element: problem". What NCCL itself does without may be missing: class, speed and
// width of a slot, port and speed of a net. A slot of a GPU (class 0x0302) without <gpu> in it, or
// a <gpu> without sm, is a GPU of compute capability 0 where the file has no other. Elements and
// attributes are those of NCCL 2.28 (src/graph/xml.cc). What is used: GPUs (compute capability,
// name by PCI device, bus id, NVLink count, PCIe speed and width; several ranks in a slot are one)
// and network ports (rate, a name once a host); the tree of PCIe switches is not modeled. A dump
// with several host hashes (one NVLink domain over many hosts) is one domain; where NVLinks do not
// join all of its GPUs, an error. Complexity: linear.
// Thread safety: pure function.
#pragma once

#include <string>
#include <string_view>

#include "topologies/discover/local_machine.hpp"

namespace fabricast {

// The GPUs and ports of the file, in the order of the GPUs' dev numbers within each host. Names of
// devices that gpu_catalog.hpp does not list are "sm_90". UsageError as above.
LocalMachine read_nccl_xml(std::string_view xml, const std::string& file);

// `local` with what the file knows better: NVLink counts, PCIe, ports. GPUs are matched by bus id;
// a GPU of `local` that the file does not name is a UsageError. Without GPUs in `local` the result
// is the machine of the file.
LocalMachine merge_nccl_xml(const LocalMachine& local, const LocalMachine& from_file,
                            const std::string& file);

}  // namespace fabricast
