// A scenario: everything that decides the numbers of an emulation, echoed into the trace.
//
// Value type. to_yaml() is the effective scenario as /config stores it; equal scenarios give equal
// text, and config_digest is its SHA-256.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emulator/coordinator/engine_choice.hpp"
#include "emulator/coordinator/ensemble_choice.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/coordinator/trace_choice.hpp"
#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/schedule/collective.hpp"
#include "emulator/schedule/import/algorithm_file.hpp"

namespace fabricast {

// Whose cost is meant: `asked`, or if that is empty host for a machine of cores, else nccl. Throws
// UsageError for a name that is none.
ExecutorKind modeled_executor(const std::string& asked, const Topology& topology);

struct Scenario {
  std::string machine;  // name, as in the machine file
  std::int32_t ranks = 0;
  ExecutorKind executor = ExecutorKind::nccl;
  std::vector<Collective> collectives;
  std::vector<std::string> algorithms;  // empty, and no files: every algorithm that applies
  AlgorithmFiles files;                 // algorithms besides those, each for its own collective
  // Not null: for every collective and size the algorithm, protocol and channels that the library
  // itself takes; `algorithms` and `files` are empty then.
  std::shared_ptr<const NcclChooser> library = nullptr;
  std::vector<std::string> left_out;  // of every algorithm, not these
  std::vector<Protocol> protocols;    // empty: the one with the smallest predicted time per row
  std::vector<std::int64_t> sizes;    // nccl-tests bytes, as asked for
  std::int32_t element_bytes = 4;
  std::int32_t channels = 0;    // 0: the machine's; peers: one
  std::int32_t max_slices = 0;  // 0: the protocol's rule
  bool fold = true;
  MachineChanges changes;  // slots, slow elements
  // Whose values: "prior", "this run", or "content_digest HEX" of the trace that was given. Never a
  // file name: a copy of the trace is the same profile.
  std::string profile = "prior";
  TraceChoice trace;
  EnsembleChoice ensemble;
  EngineChoice engine;

  std::string to_yaml() const;
};

// The files of a run as /config names them: label, file name without its folder, SHA-256. Empty
// text without files; every line begins with `indent`.
std::string algorithm_files_yaml(const AlgorithmFiles& files, const std::string& indent = "");

// Every (collective, algorithm, size) that the scenario asks for and the machine allows, sizes
// rounded as they run (effective_bytes.hpp); protocols are a choice inside a point. What is left
// out is said in `notes`, unless that is null. Throws UsageError for an unknown algorithm, a file
// for another number of ranks, or when no point is left.
struct ScenarioPoint {
  Collective collective{};
  std::string algorithm;
  std::int64_t bytes = 0;
  std::shared_ptr<const AlgorithmFile> file = nullptr;  // null: of the catalogue
  std::optional<LibraryPoint> library = std::nullopt;   // of Scenario::library
};
std::vector<ScenarioPoint> points_of(const Scenario& scenario, const Topology& topology,
                                     std::vector<std::string>* notes = nullptr);

// The protocols that a row may have: of those the scenario names, the ones the executor has for the
// algorithm; under nccl, a file's own. None: the row is left out.
std::vector<Protocol> protocols_for(const Scenario& scenario, const ScenarioPoint& point);

// All that the rows of a scenario may have, whatever their algorithm.
std::vector<Protocol> protocols_for(const Scenario& scenario);

// The point as the forward model takes it, under one of its protocols.
PointSpec spec_of(const Scenario& scenario, const ScenarioPoint& point, Protocol protocol);

}  // namespace fabricast
