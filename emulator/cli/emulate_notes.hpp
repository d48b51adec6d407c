// Lines that emulate prints below its rows: what a reader of the rows alone would not know.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emulator/coordinator/library_choice.hpp"
#include "emulator/flow/job_file.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// What differs from the machine as its file has it, as the command line and a jobs' file say it.
struct WhatIf {
  std::vector<std::string> set, slow;
  std::int32_t slots = 0;
  std::string jitter;
  std::vector<LinkFault> faults;
};
// The root attribute "what_if", one line; empty: nothing.
std::string what_if(const WhatIf& asked);

// Where links that lead to single neighbours are modelled as one pipe, what that means for
// send_recv; empty: nothing.
std::string one_pipe_note(const Topology& machine, const std::vector<Collective>& collectives);

// What the ranks that are used no longer have of the whole machine's links, where that is more than
// their share; empty: nothing.
std::string cut_note(const Topology& whole, const Topology& used);

// What the command line says about -a auto.
struct LibraryQuestion {
  ExecutorKind executor{};
  std::optional<std::string> algorithm;  // none: auto if NCCL is told something
  std::string protocol;                  // "auto", or what NCCL_PROTO is set to
  std::string version;                   // empty: the default
  std::vector<std::string> set;          // NCCL's variables among others
  std::int32_t channels = 0;             // --channels
  bool more = false;                     // something that rows of all algorithms are for
};
// Null: rows are of algorithms that are named, or of all. UsageError where auto is impossible, or
// NCCL's variables would do nothing.
std::shared_ptr<const NcclChooser> answer(const LibraryQuestion& question, const Topology& machine);

}  // namespace fabricast
