// Protocols as data: what a slot holds, what the wire carries, how work is cut, with sources.
//
// Constants of NCCL v2.28.9-1: src/include/device.h (slots, NCCL_STEPS = 8), src/enqueue.cc
// (chunking, threads per block, channel reduction, 16 KiB of traffic per channel), src/init.cc
// (point-to-point chunks). The interpreter (cuda) and the host executors run plans cut by the
// defaults of PlanLimits. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/rank_space.hpp"
#include "emulator/profile/sample.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// `multimem` is no protocol of messages: the switch between GPUs reduces and multicasts by loads
// and stores (kernels/lane/multimem.hpp).
enum class Protocol : std::uint8_t { none, ll, ll128, simple, multimem };
std::string_view to_string(Protocol protocol);
Protocol protocol_from_name(std::string_view name);  // throws UsageError with a did-you-mean
// As MSCCL's files spell it: Simple, LL, LL128.
Protocol protocol_of_file(std::string_view name);

// Protocols an executor's model has: nccl and cuda: ll, ll128, simple; peers: these and multimem;
// host and mpi: none. What it does not have is neither predicted nor fitted.
std::vector<Protocol> protocols_of(ExecutorKind executor);
// The same for one collective: NCCL's send/recv, which all_to_all, gather, scatter and send_recv
// are made of, has no LL128. And for one algorithm: NVLS, CollNet and PAT have Simple only
// (src/graph/tuning.cc, src/enqueue.cc updateCollCostTable), kernels for symmetric windows no LL128
// (src/sym_kernels.cc). Multimem does the all_reduce of nvls.
std::vector<Protocol> protocols_of(ExecutorKind executor, Collective collective);
std::vector<Protocol> protocols_of(ExecutorKind executor, Collective collective,
                                   const std::string& algorithm);
// Those that may run where nobody chose one: nccl: all, the library chooses; cuda and peers:
// simple, with which the interpreter runs unless told otherwise.
std::vector<Protocol> usual_protocols(ExecutorKind executor);
std::vector<Protocol> usual_protocols(ExecutorKind executor, Collective collective,
                                      const std::string& algorithm);

// NVLS of any kind: its own number of channels, whatever the size.
bool through_switches(const std::string& algorithm);
// NCCL's number of channels for NVLS: 16 where the oldest GPU that has a rank is of Hopper; from
// Blackwell on 24 in one domain, 32 over several (src/transport/nvls.cc). Small messages do not
// reduce it.
std::int32_t in_switch_channels(const Topology& topology);

// data / wire bytes: LL stores 4 B of data with 4 B of flag, LL128 120 B with 8 B of flags.
struct WireFormat {
  std::int64_t data = 1;
  std::int64_t wire = 1;
};
WireFormat wire_format(Protocol protocol);
std::int64_t wire_bytes(Protocol protocol, std::int64_t data_bytes);  // rounded up

// Data bytes that a receiver can take up before the rest of the message is there, because it polls
// the lines themselves: a line of LL, a warp's lines of LL128 (NCCL_LL128_ELEMS_PER_THREAD); 0
// where it waits for a counter behind the whole message.
std::int64_t line_bytes(Protocol protocol);
// The same in the interpreter (kernels/lane/line_transfer.hpp): the two lines that a thread moves
// at once, LL128: the eight of a warp.
std::int64_t interpreter_line_bytes(Protocol protocol);

// How a collective of `bytes` is cut. `channels` is the machine's number; for nccl it is reduced
// for small messages, as NCCL does while S < channels x threads x bytes per thread.
PlanLimits plan_limits(ExecutorKind executor, Collective collective, const std::string& algorithm,
                       Protocol protocol, const RankSpace& space, std::int64_t bytes,
                       std::int32_t channels);

// The same for a schedule of a file (plan_of): a message is at most what a slot of the protocol
// holds, one of a connection's eight, unless the schedule's scratch forbids loops.
PlanLimits file_limits(ExecutorKind executor, Protocol protocol);

}  // namespace fabricast
