#include "emulator/cli/emulate_notes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/trace/format.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/builders/torus.hpp"

namespace fabricast {

std::string what_if(const WhatIf& asked) {
  std::vector<std::string> changes;
  for (const auto& one : asked.set) changes.push_back("set " + one);
  for (const auto& one : asked.slow) changes.push_back("slow " + one);
  if (asked.slots > 0) changes.push_back(fmt::format("slots {}", asked.slots));
  if (!asked.jitter.empty()) changes.push_back("jitter " + asked.jitter);
  for (const LinkFault& fault : asked.faults) {
    changes.push_back(fmt::format("{} at {:.4g} % from {:.6g} us on", fault.what,
                                  100 * fault.capacity, static_cast<double>(fault.at_ps) / 1e6));
  }
  std::string text = fmt::to_string(fmt::join(changes, "; "));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return format::made_valid(text);
}

std::string one_pipe_note(const Topology& machine, const std::vector<Collective>& collectives) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr || machine.space().domain_size() < 2) return "";
  const std::string& shape = built->spec().domain.shape;
  if (shape != "all_to_all" && shape != "cube_mesh") return "";
  if (std::find(collectives.begin(), collectives.end(), Collective::send_recv) ==
      collectives.end()) {
    return "";
  }
  return fmt::format(
      "send_recv: the links of a {} are one pipe to a switch on {} here, in reality {}: a pair has "
      "a part of them only, and these rows are too fast",
      built->spec().domain.member, machine.name(), shape);
}

std::string cut_note(const Topology& whole, const Topology& used) {
  const auto* from = dynamic_cast<const BuiltTopology*>(&whole);
  const auto* to = dynamic_cast<const BuiltTopology*>(&used);
  if (from == nullptr || to == nullptr) return "";
  const std::string open = open_axes(from->spec().domain, to->spec().domain);
  if (open.empty()) return "";
  return fmt::format(
      "the first {} of {} ranks are a torus with {}: a slice that the vendor closes by itself "
      "needs a "
      "machine file of its own",
      used.ranks(), whole.ranks(), open);
}

std::shared_ptr<const NcclChooser> answer(const LibraryQuestion& question,
                                          const Topology& machine) {
  const std::string library = library_of(machine);
  const bool possible = question.executor == ExecutorKind::nccl && library == "nccl";
  const bool asked = question.algorithm == "auto";
  if (asked && !possible) {
    throw UsageError(
        question.executor == ExecutorKind::nccl
            ? fmt::format("-a auto is what NCCL takes (the GPUs of {} run {}, whose choice is not "
                          "modelled); use -a all",
                          machine.name(), library)
            : "-a auto is what NCCL takes (this executor runs our schedules); use -a all");
  }
  const auto variable = std::find_if(question.set.begin(), question.set.end(), is_library_variable);
  // Who says what NCCL is told wants to know what it takes.
  const bool plain = !question.algorithm && question.protocol == "auto" && !question.more &&
                     (variable != question.set.end() || !question.version.empty());
  if (!possible || !(asked || plain)) {
    const bool versioned = !question.version.empty();
    if (variable == question.set.end() && !versioned) return nullptr;
    throw UsageError(fmt::format(
        "{} decides what NCCL takes, which these rows are not; leave it out, or use -a auto",
        versioned ? "--nccl-version" : "--set " + *variable));
  }
  if (question.channels > 0) {
    throw UsageError(fmt::format(
        "--channels {} is not for -a auto, whose channels are the library's own choice as well: "
        "ask "
        "what it takes with at most so many (--set NCCL_MAX_NCHANNELS={}), or name the algorithm",
        question.channels, question.channels));
  }
  auto set = question.set;
  if (question.protocol != "auto") set.push_back("NCCL_PROTO=" + question.protocol);
  const auto version =
      question.version.empty() ? nccl::default_version : library_version(question.version);
  return std::make_shared<const NcclChooser>(machine, version, set);
}

}  // namespace fabricast
