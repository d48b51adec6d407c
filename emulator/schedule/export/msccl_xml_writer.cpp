#include "emulator/schedule/export/msccl_xml_writer.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/export/msccl_blocks.hpp"

namespace fabricast {
namespace {

const char* collective_name(Collective collective) {
  switch (collective) {
    case Collective::all_reduce:
      return "allreduce";
    case Collective::all_gather:
      return "allgather";
    case Collective::reduce_scatter:
      return "reducescatter";
    case Collective::all_to_all:
      return "alltoall";
    case Collective::broadcast:
      return "broadcast";
    case Collective::reduce:
      return "reduce";
    case Collective::gather:
      return "gather";
    case Collective::scatter:
      return "scatter";
    case Collective::send_recv:
      return nullptr;
  }
  return nullptr;
}

const char* type_name(std::uint8_t action) {
  switch (action) {
    case action_none:
      return "nop";
    case action_send:
      return "s";
    case action_recv | action_copy:
      return "r";
    case action_recv | action_copy | action_send:
      return "rcs";
    case action_recv | action_reduce | action_copy:
      return "rrc";
    case action_recv | action_reduce | action_send:
      return "rrs";
    case action_recv | action_reduce | action_copy | action_send:
      return "rrcs";
    case action_copy:
      return "cpy";
    case action_reduce | action_copy:
      return "re";
    default:
      return nullptr;
  }
}

char buffer_letter(Buffer buffer) {
  return buffer == Buffer::input ? 'i' : buffer == Buffer::output ? 'o' : 's';
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

// A line of the file: a step, or the nop that carries one of its further waits.
struct Line {
  std::size_t step = 0;
  bool is_nop = false;
  std::optional<std::size_t> wait;  // number of a step
};

// Waits of the blocks of one rank, without those that an earlier wait of the same block implies.
class RankText {
 public:
  explicit RankText(const MscclRank& rank) : rank_(rank), at_(rank.steps.size()) {
    for (const MscclBlock& block : rank.blocks) lay_out(block);
  }

  std::string text() const {
    std::string result;
    std::set<std::size_t> awaited;
    for (const auto& lines : lines_) {
      for (const Line& line : lines) {
        if (line.wait) awaited.insert(*line.wait);
      }
    }
    for (std::size_t b = 0; b < lines_.size(); ++b) {
      const MscclBlock& block = rank_.blocks[b];
      result += fmt::format("    <tb id=\"{}\" send=\"{}\" recv=\"{}\" chan=\"{}\">\n", b,
                            block.send, block.recv, block.channel);
      for (std::size_t i = 0; i < lines_[b].size(); ++i) {
        result += line_text(lines_[b][i], i, awaited);
      }
      result += "    </tb>\n";
    }
    return result;
  }

 private:
  void lay_out(const MscclBlock& block) {
    std::map<std::int32_t, std::size_t> waited;  // latest step waited for, by block
    auto& lines = lines_.emplace_back();
    for (const std::size_t number : block.steps) {
      std::map<std::int32_t, std::size_t> needed;
      for (const std::size_t other : rank_.steps[number].waits) {
        const std::int32_t where = rank_.steps[other].block;
        const auto before = waited.find(where);
        if (before != waited.end() && before->second >= other) continue;
        needed[where] = std::max(needed[where], other);
      }
      std::vector<std::size_t> waits;
      for (const auto& [where, other] : needed) {
        waited[where] = other;
        waits.push_back(other);
      }
      for (std::size_t w = 0; w + 1 < waits.size(); ++w) lines.push_back({number, true, waits[w]});
      at_[number] = lines.size();
      lines.push_back({number, false, waits.empty() ? std::nullopt : std::optional(waits.back())});
    }
  }

  std::string line_text(const Line& line, std::size_t index,
                        const std::set<std::size_t>& awaited) const {
    const MscclStep& step = rank_.steps[line.step];
    const bool nop = line.is_nop || step.action == action_none;
    return fmt::format(
        "      <step s=\"{}\" type=\"{}\" srcbuf=\"{}\" srcoff=\"{}\" dstbuf=\"{}\" dstoff=\"{}\" "
        "cnt=\"{}\" depid=\"{}\" deps=\"{}\" hasdep=\"{}\"/>\n",
        index, nop ? "nop" : type_name(step.action), nop ? 'i' : buffer_letter(step.source),
        nop ? -1 : step.source_chunk, nop ? 'o' : buffer_letter(step.target),
        nop ? -1 : step.target_chunk, nop ? 0 : step.count,
        line.wait ? rank_.steps[*line.wait].block : -1,
        line.wait ? static_cast<std::int64_t>(at_[*line.wait]) : -1,
        !line.is_nop && awaited.count(line.step) > 0 ? 1 : 0);
  }

  const MscclRank& rank_;
  std::vector<std::vector<Line>> lines_;
  std::vector<std::size_t> at_;  // line of each step in its block
};

using Counts =
    std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::vector<std::int32_t>>;

// Do both ends of every connection cut their messages alike?
bool ends_agree(const std::vector<MscclRank>& ranks) {
  Counts sent, received;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    const auto rank = static_cast<std::int32_t>(r);
    for (const MscclBlock& block : ranks[r].blocks) {
      for (const std::size_t number : block.steps) {
        const MscclStep& step = ranks[r].steps[number];
        if ((step.action & action_send) != 0) {
          sent[{rank, block.send, block.channel}].push_back(step.count);
        }
        if ((step.action & action_recv) != 0) {
          received[{block.recv, rank, block.channel}].push_back(step.count);
        }
      }
    }
  }
  return sent == received;
}

std::vector<MscclRank> all_ranks(const ExecutionPlan& plan) {
  for (const bool one_by_one : {false, true}) {
    std::vector<MscclRank> ranks;
    for (std::int32_t r = 0; r < plan.ranks(); ++r)
      ranks.push_back(msccl_rank(plan, r, one_by_one));
    if (one_by_one || ends_agree(ranks)) return ranks;
  }
  return {};
}

void require_expressible(const ExecutionPlan& plan) {
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(
        fmt::format("schedule \"{}\" cannot be written as MSCCL XML ({}) use another "
                    "one",
                    plan.algorithm, reason));
  };
  if (collective_name(plan.collective) == nullptr) {
    refuse(fmt::format("MSCCL has no collective {}", to_string(plan.collective)));
  }
  for (const auto& channel : plan.channels) {
    if (has_root(plan.collective) && channel.placement.rank_at(0) != 0) {
      refuse(fmt::format("its files say no root, which is rank 0 then, not {}",
                         channel.placement.rank_at(0)));
    }
  }
}

}  // namespace

std::string to_msccl_xml(const ExecutionPlan& plan, const MscclOptions& options) {
  require_expressible(plan);
  const auto ranks = all_ranks(plan);
  const MscclChunks chunks = msccl_chunks(plan);
  std::set<std::int32_t> channels;
  for (const auto& rank : ranks) {
    for (const auto& block : rank.blocks) channels.insert(block.channel);
  }
  const bool in_output = plan.channels.front().schedule->starts_in_output;
  const std::int32_t nchannels = channels.empty() ? 1 : *channels.rbegin() + 1;
  std::string text = fmt::format(
      "<algo name=\"{}\" proto=\"{}\" nchannels=\"{}\" nchunksperloop=\"{}\" ngpus=\"{}\" "
      "coll=\"{}\" "
      "inplace=\"{}\" outofplace=\"{}\" minBytes=\"0\" maxBytes=\"0\">\n",
      escaped(plan.algorithm), options.protocol, nchannels, chunks.all, ranks.size(),
      collective_name(plan.collective), in_output || options.in_place ? 1 : 0, in_output ? 0 : 1);
  const std::int32_t inputs = input_is_own_block(plan.collective) ? chunks.per_block : chunks.all;
  const std::int32_t outputs = output_is_own_block(plan.collective) ? chunks.per_block : chunks.all;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    text += fmt::format("  <gpu id=\"{}\" i_chunks=\"{}\" o_chunks=\"{}\" s_chunks=\"{}\">\n", r,
                        inputs, outputs, chunks.scratch);
    text += RankText(ranks[r]).text();
    text += "  </gpu>\n";
  }
  return text + "</algo>\n";
}

}  // namespace fabricast
