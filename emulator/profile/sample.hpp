// What was measured: one Sample per timed iteration of one operation.
//
// A SampleSet is the only way measurements travel: from bench/harness, from imported logs and from
// the synthetic machine, into /samples of a trace and into calibration.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/schedule/collective.hpp"

namespace fabricast {

// Whose cost it is. A profile is keyed by executor: the interpreter's cost is not NCCL's. `peers`
// is the interpreter between GPUs, one rank each: run as cuda (by several processes), with a model
// and parameters of its own.
enum class ExecutorKind : std::uint8_t { host, mpi, cuda, nccl, peers };
std::string_view to_string(ExecutorKind kind);
ExecutorKind executor_from_name(std::string_view name);  // throws UsageError with did-you-mean

// One operation under fixed conditions. Two runs with equal Conditions are repeats.
struct Conditions {
  ExecutorKind executor{};
  std::string machine;  // name of the machine file or of the discovered machine
  // "collective", between GPUs "collective_peers" or "collective_multimem", or a micro-benchmark
  // suite such as "reduce_copy".
  std::string suite;
  Collective collective{};  // for suite "collective"
  std::string algorithm;    // "ring" ...; "nccl" when the library chose
  std::string protocol;     // "ll", "ll128", "simple", "none" (host executors), "auto"
  std::int32_t ranks = 0;
  std::int32_t channels = 1;
  std::int64_t bytes = 0;  // nccl-tests size; for micro-benchmarks the bytes moved
  std::string parameter;   // micro-benchmarks: the inventory id they observe directly
  std::string dtype = "float32";
  std::string redop;  // "sum" ...; "none": the collective reduces nothing; empty: not known
  bool in_place = false;

  bool operator==(const Conditions&) const = default;
};

// Whose model and profile a condition's samples belong to: those that the cuda executor took
// between GPUs (suites "collective_peers" and "collective_multimem") to peers, others to who ran
// them.
ExecutorKind model_of(const Conditions& conditions);
// Is it a collective, which a forward model predicts as a whole? Launches that no model has
// ("collective_graph" ...) are not meant.
bool is_modeled_collective(const Conditions& conditions);

struct Sample {
  std::int32_t condition = 0;  // index into SampleSet::conditions
  std::int32_t iteration = 0;  // 0-based after warm-up
  double value = 0;            // us for suite "collective"; else the parameter's unit
  bool discarded = false;  // throttled, disturbed by the harness's own rule; counted, not fitted
};

// Where an imported sample was read: what this program timed itself has none.
struct SampleSource {
  std::int64_t sample = 0;  // index into SampleSet::samples
  std::string file;         // its name, without the folder
  std::string sha256;       // of the file
  std::int64_t line = 0;    // from 1
  std::string description;  // "nccl-tests 2.13.8, NCCL 2.21.5, mean of 20 iterations"

  bool operator==(const SampleSource&) const = default;
};

enum class DiscardReason : std::uint8_t { none, disturbed, throttled };
std::string_view to_string(DiscardReason reason);

// How the GPU was when a sample had just been taken. What it does not report stays 0 or empty.
struct DeviceState {
  std::int32_t sm_mhz = 0, memory_mhz = 0, temperature_c = 0;
  double power_w = 0;
  std::string throttle;  // reasons, "+" between them: "sw_thermal+hw_slowdown"; empty: none
  DiscardReason discard = DiscardReason::none;

  bool operator==(const DeviceState&) const = default;
};

struct SampleSet {
  std::vector<Conditions> conditions;
  std::vector<Sample> samples;
  std::vector<SampleSource> sources;       // of imported samples, ascending by sample
  std::vector<DeviceState> device_states;  // empty, or one per sample
  // Environment at measuring time: host, kernel, cpu, load averages, gpu, driver, clocks, versions.
  std::map<std::string, std::string> environment;

  // Median of the kept samples of a condition, and their count; 0 samples gives {0, 0}.
  struct Summary {
    double median = 0, p05 = 0, p95 = 0, p99 = 0, mean = 0, stdev = 0;
    int count = 0;
  };
  Summary summarize(std::int32_t condition) const;
};

// Adds `part` to `whole`: its conditions stay apart, indices are moved on. Where one of them has
// device states, samples of the other get empty ones. Values of the environment that differ are
// joined by " | ".
void append(SampleSet& whole, const SampleSet& part);

}  // namespace fabricast
