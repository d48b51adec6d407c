#include "emulator/coordinator/scenario.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/coordinator/effective_bytes.hpp"
#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/cost/position_keys.hpp"
#include "emulator/cost/stage_flows.hpp"
#include "emulator/flow/flow_case.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/sim/pairwise_exchange.hpp"
#include "topologies/builders/built_topology.hpp"

namespace fabricast {
namespace {

template <class Items>
std::string list_of(const Items& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.emplace_back(to_string(item));
  return fmt::format("[{}]", fmt::join(names, ", "));
}

// The sizes that run: whole multiples of `unit`, each once, those of no bytes left out.
std::vector<std::int64_t> sizes_for(const Scenario& scenario, const std::string& what,
                                    std::int32_t ranks, std::int64_t unit,
                                    std::vector<std::string>* notes) {
  std::vector<std::int64_t> sizes;
  SizeNotes told(what, ranks, unit, scenario.element_bytes);
  for (const auto asked : scenario.sizes) {
    const auto runs = asked - asked % unit;
    told.add(asked, runs);
    if (runs > 0 && std::find(sizes.begin(), sizes.end(), runs) == sizes.end()) {
      sizes.push_back(runs);
    }
  }
  if (notes != nullptr) {
    for (auto& note : told.notes()) notes->push_back(std::move(note));
  }
  return sizes;
}

// JSON strings are YAML's.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// Why the engine that was chosen cannot time an algorithm of the catalogue; empty: it can.
std::string why_no_engine(const Scenario& scenario, const std::string& algorithm,
                          Collective collective) {
  if (!scenario.engine.flow || scenario.executor != ExecutorKind::nccl) return "";
  if (!sends_to_groups(find_algorithm(algorithm, collective)->needs)) return "";
  return "sends to all of a group at once, which are no flows between two ranks (--engine sweep)";
}

// The most of the first ranks that are whole pods (groups of leaves where there are no pods, sites
// where there are several), which repeat; 0: none are, or all.
std::int32_t ranks_that_repeat(const Topology& topology) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&topology);
  if (built == nullptr || !built->spec().fabric) return 0;
  const FabricSpec& fabric = *built->spec().fabric;
  const bool pods = fabric.tiers > 2 || fabric.kind == "dragonfly";
  const std::int64_t domains =
      fabric.sites > 1 ? fabric.domains_per_site
                       : std::int64_t{fabric.domains_per_leaf} * (pods ? fabric.groups_per_pod : 1);
  const std::int64_t unit = domains * topology.space().domain_size();
  // Of nodes of several kinds only the first are alike.
  const std::int64_t alike = built->spec().first_domains() * topology.space().domain_size();
  const std::int64_t whole = alike / unit * unit;
  return whole > unit && whole < topology.ranks() ? static_cast<std::int32_t>(whole) : 0;
}

// Where every rank meets every other one and the machine does not repeat, all pairs are steps. Why
// that is too much; empty: it is not. A row of 4*10^8 steps (grouped, 20,000 GPUs) took 88 s of
// processor time on a Zen 5, one of 10^9 several minutes.
std::string why_too_long(const Scenario& scenario, const Topology& topology,
                         const std::string& algorithm, Collective collective) {
  constexpr double most_steps = 1e9;
  const double ranks = topology.ranks();
  // A head takes what every other one has sent: so many messages, though the network adds them up.
  constexpr double most_messages = 2e6;
  const double heads = algorithm == "collnet_chain" ? topology.space().domains() : ranks;
  if (reduces_between_domains(find_algorithm(algorithm, collective)->needs) &&
      heads * topology.space().domains() > most_messages) {
    return fmt::format("would be {:.1e} messages between {} domains",
                       heads * topology.space().domains(), topology.space().domains());
  }
  if (scenario.engine.flow || ranks * ranks < most_steps) return "";
  PointSpec point;
  point.executor = scenario.executor;
  point.collective = collective;
  point.algorithm = algorithm;
  point.bytes = std::int64_t{topology.ranks()} * 1024;
  point.channels = 1;
  const ExecutionPlan plan = plan_for(topology, point);
  const ChannelPlan& channel = plan.channels.front();
  double steps = 0;
  for (const Stage& stage : channel.schedule->stages) {
    if (stage_varies(stage)) steps += ranks * stage.repeat;
  }
  if (steps < most_steps) return "";
  std::vector<std::int32_t> at;
  for (std::int32_t x = 0; x < topology.ranks(); ++x) at.push_back(channel.placement.rank_at(x));
  const PositionKeys keys(topology, at);
  if (keys.period() < at.size()) return "";
  const bool in_closed_form = scenario.fold && scenario.changes.slow.empty() &&
                              scenario.trace.level != TraceLevel::steps &&
                              is_pairwise_exchange(*channel.schedule) &&
                              exchange_work(keys.exchange_groups()) <= most_exchange_work;
  if (in_closed_form) return "";
  const std::int32_t whole = ranks_that_repeat(topology);
  return fmt::format(
      "would be {:.1e} steps (its peers vary and the machine does not repeat, as where the last "
      "pod is partly filled or nodes are unlike; on equal pods one of them is enough{})",
      steps, whole > 0 ? fmt::format(": --ranks {} has equal pods", whole) : "");
}

struct LeftOut {
  std::string reason;  // empty: it stays
  bool too_long = false;
};

LeftOut why_left_out(const Scenario& scenario, const Topology& topology, Collective collective,
                     const std::string& algorithm) {
  LeftOut out;
  out.reason = why_not_offered(topology, scenario.executor, collective, algorithm);
  if (out.reason.empty()) out.reason = why_no_engine(scenario, algorithm, collective);
  if (out.reason.empty()) {
    out.reason = why_too_long(scenario, topology, algorithm, collective);
    out.too_long = !out.reason.empty();
  }
  if (out.reason.empty() && protocols_for(scenario, {collective, algorithm}).empty()) {
    out.reason = fmt::format("has no protocol {} with executor {}", list_of(scenario.protocols),
                             to_string(scenario.executor));
  }
  if (!out.reason.empty()) {
    out.reason = fmt::format("{} {} {}", algorithm, to_string(collective), out.reason);
  }
  return out;
}

// What the library takes for each size. Choices that have no schedule, or cannot be timed, are left
// out, each said once.
void add_chosen(const Scenario& scenario, const Topology& topology, Collective collective,
                const std::vector<std::int64_t>& sizes, std::vector<ScenarioPoint>& points,
                std::string& left_out, std::vector<std::string>* notes) {
  std::map<std::string, std::vector<std::string>> sizes_of_reason;
  std::map<std::string, std::string> reason_of;  // by algorithm
  for (const auto bytes : sizes) {
    LibraryPoint choice = scenario.library->choose(collective, bytes);
    const auto [known, fresh] = reason_of.try_emplace(choice.algorithm);
    if (fresh && find_algorithm(choice.algorithm, collective) == nullptr) {
      known->second =
          fmt::format("{} {}: there is no schedule of it", to_string(collective), choice.name);
    } else if (fresh) {
      known->second = why_left_out(scenario, topology, collective, choice.algorithm).reason;
    }
    if (!known->second.empty()) {
      sizes_of_reason[known->second].push_back(
          fmt::format("{} ({:.1f} us by the closed model)", format_size(bytes), choice.closed_us));
      continue;
    }
    std::string algorithm = choice.algorithm;
    points.push_back({collective, std::move(algorithm), bytes, nullptr, std::move(choice)});
  }
  for (const auto& [reason, of] : sizes_of_reason) {
    left_out += "; " + reason;
    if (notes != nullptr) {
      notes->push_back(
          fmt::format("chosen, and left out: {}; sizes {}", reason, fmt::join(of, ", ")));
    }
  }
}

// The switch's own all-reduce has neither slots nor messages that chunks are cut into.
void check_multimem(const Scenario& scenario) {
  const auto& asked = scenario.protocols;
  if (std::find(asked.begin(), asked.end(), Protocol::multimem) == asked.end()) return;
  const auto refuse = [](const char* option, const char* why) {
    throw UsageError(
        fmt::format("{} is not for --protocol multimem ({}); leave it out", option, why));
  };
  if (scenario.changes.slots > 0) refuse("--slots", "no message passes through slots");
  if (scenario.max_slices > 0) refuse("--slices", "no chunk is cut into messages");
}

std::string file_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

void add_files(const Scenario& scenario, const Topology& topology,
               std::vector<ScenarioPoint>& points, std::vector<std::string>* notes) {
  for (const auto& file : scenario.files) {
    if (file->ranks() != topology.ranks()) {
      throw UsageError(fmt::format(
          "{} is for {} ranks, the machine {} has {}: choose a machine of as many{}", file->path,
          file->ranks(), topology.name(), topology.ranks(),
          file->ranks() < topology.ranks() ? fmt::format(", or --ranks {}", file->ranks()) : ""));
    }
    for (const Protocol protocol : scenario.protocols) {
      auto why = why_no_protocol(topology, scenario.executor, protocol);
      if (why.empty() && protocol == Protocol::multimem) {
        why = "is the all_reduce that the switch does by itself, which no file describes;";
      }
      if (why.empty()) continue;
      throw UsageError(
          fmt::format("{}: protocol {} {} use another one", file->path, to_string(protocol), why));
    }
    const auto reason =
        scenario.engine.flow ? why_no_flows(file->schedule(), scenario.executor) : "";
    if (!reason.empty())
      throw UsageError(fmt::format("{} {}; use --engine sweep", file->path, reason));
    const auto sizes = sizes_for(scenario, file->label, topology.ranks(),
                                 least_bytes(file->schedule(), scenario.element_bytes), notes);
    for (const auto bytes : sizes) points.push_back({file->collective(), file->label, bytes, file});
  }
}

}  // namespace

ExecutorKind modeled_executor(const std::string& asked, const Topology& topology) {
  if (!asked.empty()) return executor_from_name(asked);
  return topology.gpu().generation == "host" ? ExecutorKind::host : ExecutorKind::nccl;
}

std::string Scenario::to_yaml() const {
  std::string text;
  text +=
      fmt::format("machine: {}\nranks: {}\nexecutor: {}\n", machine, ranks, to_string(executor));
  text += fmt::format("collectives: {}\n", list_of(collectives));
  text += fmt::format("algorithms: [{}]\n",
                      library ? "auto" : fmt::to_string(fmt::join(algorithms, ", ")));
  if (library) text += library->to_yaml();
  text += algorithm_files_yaml(files);
  if (!left_out.empty()) text += fmt::format("left_out: [{}]\n", fmt::join(left_out, ", "));
  text += fmt::format("protocols: {}\n", list_of(protocols));
  text += fmt::format("sizes_bytes: [{}]\n", fmt::join(sizes, ", "));
  text += fmt::format("element_bytes: {}\nchannels: {}\nmax_slices: {}\nprofile: {}\n",
                      element_bytes, channels, max_slices, profile);
  if (!fold) text += "fold: no\n";
  if (changes.slots > 0) text += fmt::format("slots: {}\n", changes.slots);
  if (!changes.slow.empty()) {
    std::vector<std::string> slow;
    for (const SlowElement& element : changes.slow) slow.push_back(quoted(element.text()));
    text += fmt::format("slow: [{}]\n", fmt::join(slow, ", "));
  }
  return text + trace.to_yaml() + ensemble.to_yaml() + engine.to_yaml();
}

std::string algorithm_files_yaml(const AlgorithmFiles& files, const std::string& indent) {
  std::string text = files.empty() ? "" : indent + "algorithm_files:\n";
  for (const auto& file : files) {
    text += fmt::format("{}  - {{name: {}, file: {}, sha256: \"{}\"}}\n", indent,
                        quoted(file->label), quoted(file_name(file->path)), file->digest);
  }
  return text;
}

std::vector<Protocol> protocols_for(const Scenario& scenario, const ScenarioPoint& point) {
  if (point.library && point.library->protocol) return {*point.library->protocol};
  if (point.file && scenario.executor == ExecutorKind::nccl) {
    return {protocol_of_file(point.file->imported.protocol)};
  }
  const auto& asked = scenario.protocols;
  if (asked.empty()) {
    return point.file ? usual_protocols(scenario.executor)
                      : usual_protocols(scenario.executor, point.collective, point.algorithm);
  }
  auto offered = point.file ? protocols_of(scenario.executor)
                            : protocols_of(scenario.executor, point.collective, point.algorithm);
  std::erase_if(offered, [&asked](Protocol protocol) {
    return std::find(asked.begin(), asked.end(), protocol) == asked.end();
  });
  return offered;
}

std::vector<Protocol> protocols_for(const Scenario& scenario) {
  return scenario.protocols.empty() ? usual_protocols(scenario.executor) : scenario.protocols;
}

std::vector<ScenarioPoint> points_of(const Scenario& scenario, const Topology& topology,
                                     std::vector<std::string>* notes) {
  if (topology.ranks() < 2) {
    throw UsageError(fmt::format(
        "{} has one rank (a collective of one moves nothing to another): choose another machine",
        topology.name()));
  }
  if (const auto why = why_no_executor(topology, scenario.executor); !why.empty()) {
    throw UsageError(
        fmt::format("executor {} {} use another one", to_string(scenario.executor), why));
  }
  check_multimem(scenario);
  const auto known = algorithm_names();
  for (const auto& algorithm : scenario.algorithms) {
    if (std::find(known.begin(), known.end(), algorithm) == known.end()) {
      throw UsageError(unknown_name_message("algorithm", algorithm, known));
    }
  }
  std::vector<ScenarioPoint> points;
  std::string left_out;
  const bool every = scenario.algorithms.empty() && scenario.files.empty() && !scenario.library;
  for (const auto collective : scenario.collectives) {
    const auto& wanted = every ? usual_algorithms(collective) : scenario.algorithms;
    if (wanted.empty() && !scenario.library) continue;
    const auto sizes =
        sizes_for(scenario, std::string(to_string(collective)), topology.ranks(),
                  least_bytes(collective, topology.ranks(), scenario.element_bytes), notes);
    if (scenario.library) {
      add_chosen(scenario, topology, collective, sizes, points, left_out, notes);
      continue;
    }
    for (const auto& algorithm : wanted) {
      if (find_algorithm(algorithm, collective) == nullptr) continue;
      const auto& unwanted = scenario.left_out;
      if (std::find(unwanted.begin(), unwanted.end(), algorithm) != unwanted.end()) continue;
      const auto out = why_left_out(scenario, topology, collective, algorithm);
      if (!out.reason.empty()) {
        left_out += "; " + out.reason;
        // Of every algorithm there is, those that cannot be here are no news.
        const bool asked_for = !every || out.too_long || !scenario.protocols.empty();
        if (notes != nullptr && asked_for) notes->push_back(out.reason + ": it is left out");
        continue;
      }
      for (const auto bytes : sizes) points.push_back({collective, algorithm, bytes});
    }
  }
  add_files(scenario, topology, points, notes);
  if (points.empty()) {
    throw UsageError(fmt::format(
        "nothing to emulate: on {} ({} GPUs in {} domains) no chosen algorithm and size fits "
        "{} (collectives of one block per rank need at least 16 bytes of each{}) choose other "
        "sizes, algorithms or protocols",
        topology.name(), topology.ranks(), topology.space().domains(),
        list_of(scenario.collectives), left_out));
  }
  return points;
}

PointSpec spec_of(const Scenario& scenario, const ScenarioPoint& point, Protocol protocol) {
  PointSpec spec;
  spec.executor = scenario.executor;
  spec.collective = point.collective;
  spec.algorithm = point.algorithm;
  spec.protocol = protocol;
  spec.bytes = point.bytes;
  spec.element_bytes = scenario.element_bytes;
  if (point.file) {
    spec.schedule = point.file->imported.schedule;
  } else {
    spec.channels = point.library ? point.library->channels : scenario.channels;
    spec.max_slices = scenario.max_slices;
  }
  return spec;
}

}  // namespace fabricast
