#include "emulator/nccl/golden_csv.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast::nccl {
namespace {

constexpr std::array<std::string_view, 4> table_names{"graphs", "channels", "model", "selection"};
constexpr int printed_channels = 8;  // of rings and trees
constexpr int printed_gpus = 16;     // then "..." and the last one

std::string key(const std::string& topology, const Communicator& of) {
  return fmt::format("{},{},{}", topology, of.nodes, of.ranks_per_node);
}

std::string graph_row(const std::string& start, std::string_view name, const Graph& graph,
                      int channels) {
  return fmt::format("{},{},{},{},{},{:.2f},{:.2f},{},{},{}\n", start, name,
                     static_cast<int>(graph.pattern), graph.cross_nic, channels, graph.bw_intra,
                     graph.bw_inter, to_string(graph.type_intra), to_string(graph.type_inter),
                     graph.same_channels);
}

std::string graph_rows(const std::string& start, const Communicator& of) {
  return graph_row(start, "ring", of.ring, of.raw_ring_channels) +
         graph_row(start, "tree", of.tree, of.raw_tree_channels) +
         graph_row(start, "nvls", of.nvls, of.nvls.channels) +
         fmt::format("{},channels,,,{},,,,,\n", start, of.coll_channels) +
         fmt::format("{},nvls_channels,,,{},,,,,\n", start, of.nvls_channels);
}

std::string order_rows(const std::string& start, std::string_view name, const Graph& graph,
                       int channels) {
  std::string rows;
  for (int c = 0; c < std::min(channels, printed_channels); ++c) {
    const auto at = static_cast<std::size_t>(c) * 2;
    rows += fmt::format("{},{},{},net{:x}", start, name, c, graph.inter[at]);
    const auto order = graph.order(c);
    const auto shown = std::min<std::size_t>(order.size(), printed_gpus);
    for (std::size_t i = 0; i < shown; ++i) rows += fmt::format(" {}", order[i]);
    if (order.size() > shown) {
      rows += fmt::format("{} {}", order.size() > shown + 1 ? " ..." : "", order.back());
    }
    rows += fmt::format(" net{:x}\n", graph.inter[at + 1]);
  }
  return rows;
}

std::string channel_rows(const std::string& start, const Communicator& of) {
  std::string rows = order_rows(start, "ring", of.ring, of.raw_ring_channels) +
                     order_rows(start, "tree", of.tree, of.raw_tree_channels);
  for (int c = 0; c < of.nvls.channels; ++c) {
    rows += fmt::format("{},nvls,{},head={} net={:x}\n", start, c, of.nvls.order(c).front(),
                        of.nvls.inter[static_cast<std::size_t>(c) * 2]);
  }
  return rows;
}

std::string model_rows(const std::string& start, const Communicator& of) {
  std::string rows;
  for (const auto function : {Function::all_reduce, Function::all_gather, Function::reduce_scatter,
                              Function::broadcast}) {
    for (const auto algorithm : all_algorithms) {
      for (const auto protocol : all_protocols) {
        const auto f = index_of(function);
        const double bandwidth = of.bandwidth_gbps[f][index_of(algorithm)][index_of(protocol)];
        if (bandwidth == 0) continue;
        rows += fmt::format("{},{},{},{},{:.1f},{:.1f}\n", start, to_string(function),
                            to_string(algorithm), to_string(protocol),
                            of.latency_us[f][index_of(algorithm)][index_of(protocol)], bandwidth);
      }
    }
  }
  return rows;
}

std::string selection_rows(const std::string& start, const Communicator& of,
                           const CsvQuestion& question) {
  std::string rows;
  for (const auto collective : question.collectives) {
    const auto function = function_of(collective);
    if (!function) continue;
    for (const std::int64_t bytes : question.sizes) {
      const Choice choice = choose(of, {collective, bytes, question.type});
      rows +=
          fmt::format("{},{},{},{},{},{:.1f}\n", start, to_string(*function), bytes,
                      to_string(choice.algorithm), to_string(choice.protocol), choice.estimate_us);
    }
  }
  return rows;
}

}  // namespace

std::vector<std::string> csv_table_names() { return {table_names.begin(), table_names.end()}; }

CsvTable csv_table_from_name(std::string_view name) {
  const auto found = std::find(table_names.begin(), table_names.end(), name);
  if (found == table_names.end()) {
    throw UsageError(unknown_name_message("table", name, csv_table_names()));
  }
  return static_cast<CsvTable>(found - table_names.begin());
}

std::string csv_header(CsvTable table) {
  switch (table) {
    case CsvTable::graphs:
      return "topology,nodes,gpus_per_node,graph,pattern,cross_nic,channels,bw_intra_gbps,"
             "bw_inter_gbps,type_intra,type_inter,same_channels\n";
    case CsvTable::channels:
      return "topology,nodes,gpus_per_node,graph,channel,order\n";
    case CsvTable::model:
      return "topology,nodes,gpus_per_node,collective,algorithm,protocol,latency_us,"
             "bandwidth_gbps\n";
    case CsvTable::selection:
      break;
  }
  return "topology,nodes,gpus_per_node,collective,size_bytes,algorithm,protocol,time_us\n";
}

CsvQuestion golden_question() {
  CsvQuestion question;
  question.collectives = {Collective::all_reduce, Collective::all_gather,
                          Collective::reduce_scatter};
  for (std::int64_t bytes = 1024; bytes <= std::int64_t{16} << 30; bytes *= 2) {
    question.sizes.push_back(bytes);
  }
  return question;
}

std::string csv_rows(CsvTable table, const std::string& topology, const Communicator& of,
                     const CsvQuestion& question) {
  const std::string start = key(topology, of);
  switch (table) {
    case CsvTable::graphs:
      return graph_rows(start, of);
    case CsvTable::channels:
      return channel_rows(start, of);
    case CsvTable::model:
      return model_rows(start, of);
    case CsvTable::selection:
      break;
  }
  return selection_rows(start, of, question);
}

}  // namespace fabricast::nccl
