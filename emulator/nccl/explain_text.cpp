#include "emulator/nccl/explain_text.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/scaled_number.hpp"
#include "emulator/nccl/symmetric.hpp"
#include "emulator/nccl/tuner_tables.hpp"

namespace fabricast::nccl {
namespace {

std::string_view pattern_name(Pattern pattern) {
  switch (pattern) {
    case Pattern::balanced_tree:
      return "NIC traffic over two GPUs";
    case Pattern::split_tree:
      return "one GPU up, one down";
    case Pattern::tree:
      return "NIC traffic over one GPU";
    case Pattern::none:
    case Pattern::ring:
    case Pattern::nvls:
    case Pattern::collnet_direct:
      break;
  }
  return "";
}

std::string graph_line(std::string_view name, const Graph& graph, bool network) {
  if (graph.channels == 0) return fmt::format("# {}: none\n", name);
  std::string line =
      fmt::format("# {}: {} channels x {:.10g}", name, graph.channels, graph.bw_intra);
  if (graph.bw_inter != graph.bw_intra) line += fmt::format("/{:.10g}", graph.bw_inter);
  line += fmt::format(" GB/s, GPU to GPU {}", to_string(graph.type_intra));
  if (network) line += fmt::format(", GPU to NIC {}", to_string(graph.type_inter));
  if (graph.cross_nic != 0) line += ", enters and leaves by different NICs";
  const auto pattern = pattern_name(graph.pattern);
  if (!pattern.empty()) line += fmt::format(", {}", pattern);
  return line + "\n";
}

// "48.5 (+92 %)", beyond ten times "48.5 (x 37)".
std::string relative(double time, double least) {
  if (!(time > least)) return fmt::format("{:.1f}", time);
  if (least <= 0) return fmt::format("{:.1f}", time);
  const double more = time / least - 1;
  if (more < 9) return fmt::format("{:.1f} (+{:.0f} %)", time, more * 100);
  return fmt::format("{:.1f} (x {:.0f})", time, more + 1);
}

std::string name_of(const Candidate& candidate) {
  return fmt::format("{}/{}", to_string(candidate.algorithm), to_string(candidate.protocol));
}

// "Tree/LL128, Ring/LL128: the way to the NIC is PHB", one line per reason.
std::string losers(const std::vector<Candidate>& all) {
  std::vector<std::pair<std::string, std::string>> by_reason;
  for (const auto& candidate : all) {
    if (candidate.time_us || candidate.reason == "runs with Simple only" ||
        candidate.reason == "not implemented for this collective") {
      continue;
    }
    const auto found = std::find_if(by_reason.begin(), by_reason.end(), [&](const auto& entry) {
      return entry.first == candidate.reason;
    });
    if (found == by_reason.end()) {
      by_reason.emplace_back(candidate.reason, name_of(candidate));
    } else {
      found->second += ", " + name_of(candidate);
    }
  }
  std::string text;
  for (const auto& [reason, names] : by_reason) {
    text += fmt::format("# not available: {}: {}\n", names, reason);
  }
  return text;
}

// Of a table: size, and a rank's part of it.
std::string size_cells(const Communicator& of, const Request& request) {
  std::string text = fmt::format("{:>8}", format_size(request.bytes));
  if (has_rank_blocks(request.collective)) {
    text += fmt::format(" {:>10}", request.bytes / of.ranks);
  }
  return text;
}

std::string size_titles(const Request& request) {
  std::string text = fmt::format("{:>8}", "size");
  if (has_rank_blocks(request.collective)) text += fmt::format(" {:>10}", "per_rank");
  return text;
}

std::string row(const Communicator& of, const Request& request,
                const std::vector<std::size_t>& columns) {
  const Choice choice = choose(of, request);
  const auto all = candidates(of, request);
  std::string text = size_cells(of, request);
  text += fmt::format(" {:>14} {:>8} {:>8} {:>7}", to_string(choice.algorithm),
                      to_string(choice.protocol), choice.channels, choice.threads);
  for (const auto at : columns) {
    text += fmt::format(" {:>22}", all[at].time_us ? relative(*all[at].time_us, choice.estimate_us)
                                                   : std::string("-"));
  }
  return text + "\n";
}

}  // namespace

std::string describe(const Communicator& of, const std::string& machine) {
  std::string text = fmt::format(
      "# NCCL {} on {}: {} node{} x {} GPU{} = {} ranks, SM{}{}\n", to_string(of.version), machine,
      of.nodes, of.nodes == 1 ? "" : "s", of.ranks_per_node, of.ranks_per_node == 1 ? "" : "s",
      of.ranks, of.min_capability, of.mnnvl ? ", one NVLink domain over several hosts" : "");
  text += fmt::format("# CPU: {}; tuner constants: {}\n",
                      of.amd_cpu     ? "AMD"
                      : of.intel_cpu ? "Intel"
                      : of.arm_cpu   ? "ARM"
                                     : "other",
                      tuner_table(of.version).source);
  const bool network = of.nodes > 1;
  text += graph_line("ring", of.ring, network) + graph_line("tree", of.tree, network) +
          graph_line("NVLS", of.nvls, network);
  if (of.collnet_supported) {
    text += graph_line("CollNet chain", of.collnet_chain, network) +
            graph_line("CollNet direct", of.collnet_direct, network);
  }
  text += fmt::format(
      "# thread blocks: {} for collectives, {} for NVLS, {} for sends and receives "
      "({} per peer)\n",
      of.coll_channels, of.nvls_supported ? of.nvls_channels : 0, of.p2p_channels,
      of.p2p_channels_per_peer);
  if (!of.overrides.from_network.empty()) {
    text += "# as this network's plugin or its cloud's guide sets it:";
    for (const auto& [name, value] : of.overrides.from_network) {
      text += fmt::format(" {}={}", name, value);
    }
    text += " (--set overrides it)\n";
  }
  if (of.overrides.what_if()) {
    text += "# what-if:";
    for (const auto& [name, value] : of.overrides.set) text += fmt::format(" {}={}", name, value);
    text += "\n";
  }
  return text;
}

std::string explain(const Communicator& of, const Request& request,
                    std::span<const std::int64_t> sizes) {
  Request at = request;
  const auto function = function_of(request.collective);
  if (!function) {
    const Choice choice = choose(of, request);
    return fmt::format(
        "#\n# {}: sends and receives; NCCL chooses no algorithm. {} thread blocks, {} per peer\n",
        to_string(request.collective), choice.channels, of.p2p_channels_per_peer);
  }
  at.bytes = sizes.empty() ? 0 : sizes.back();
  const auto all = candidates(of, at);
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].time_us) columns.push_back(i);
  }
  std::string text = fmt::format("#\n# {}: NCCL's own estimates in us; the lowest is taken\n",
                                 to_string(*function));
  text += size_titles(request);
  text += fmt::format(" {:>14} {:>8} {:>8} {:>7}", "algorithm", "protocol", "channels", "threads");
  for (const auto i : columns) text += fmt::format(" {:>22}", name_of(all[i]));
  text += "\n";
  for (const auto bytes : sizes) {
    at.bytes = bytes;
    text += row(of, at, columns);
  }
  return text + losers(all);
}

std::string explain_symmetric(const Communicator& of, const Request& request,
                              std::span<const std::int64_t> sizes) {
  Request at = request;
  at.bytes = sizes.empty() ? 0 : sizes.front();
  const std::string none = no_symmetric_kernel(of, at);
  if (!none.empty()) {
    return fmt::format("#\n# {}: no symmetric kernel: {}; taken is what is taken without windows\n",
                       to_string(request.collective), none) +
           explain(of, request, sizes);
  }
  std::string text = fmt::format(
      "#\n# {}: kernels for symmetric windows, NCCL's own estimates in us; the lowest is taken, a "
      "thread block counting 2.5 %\n{} {:>16} {:>8} {:>7}",
      to_string(request.collective), size_titles(request), "kernel", "blocks", "threads");
  for (const auto& candidate : symmetric_candidates(of, at)) {
    text += fmt::format(" {:>18}", candidate.kernel);
  }
  text += "\n";
  for (const auto bytes : sizes) {
    at.bytes = bytes;
    if (const std::string why = no_symmetric_kernel(of, at); !why.empty()) {
      text += fmt::format("# {}: no symmetric kernel: {}\n", format_size(bytes), why);
      continue;
    }
    const auto choice = choose_symmetric(of, at);
    text += fmt::format("{} {:>16} {:>8} {:>7}", size_cells(of, at), choice.kernel, choice.blocks,
                        symmetric_threads);
    for (const auto& candidate : symmetric_candidates(of, at)) {
      text += fmt::format(" {:>18}",
                          candidate.time_us
                              ? fmt::format("{:.1f} ({})", *candidate.time_us, candidate.blocks)
                              : std::string("-"));
    }
    text += "\n";
  }
  for (const auto& candidate : symmetric_candidates(of, at)) {
    if (!candidate.reason.empty()) {
      text += fmt::format("# not available: {}: {}\n", candidate.kernel, candidate.reason);
    }
  }
  return text;
}

}  // namespace fabricast::nccl
