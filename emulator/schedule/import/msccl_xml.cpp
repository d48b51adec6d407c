#include "emulator/schedule/import/msccl_xml.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "emulator/schedule/import/xml_node.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t most = (1 << 24) - 1;
constexpr std::int64_t any_size = std::numeric_limits<std::int64_t>::max();

struct Instruction {
  const char* name;
  std::uint8_t action;
};
constexpr Instruction instructions[] = {
    {"nop", action_none},
    {"s", action_send},
    {"r", action_recv | action_copy},
    {"rcs", action_recv | action_copy | action_send},
    {"rrc", action_recv | action_reduce | action_copy},
    {"rrs", action_recv | action_reduce | action_send},
    {"rrcs", action_recv | action_reduce | action_copy | action_send},
    {"cpy", action_copy},
    {"re", action_reduce | action_copy},
};

struct CollectiveName {
  const char* name;
  Collective collective;
};
constexpr CollectiveName collectives[] = {
    {"allreduce", Collective::all_reduce},
    {"allgather", Collective::all_gather},
    {"reducescatter", Collective::reduce_scatter},
    {"reduce_scatter", Collective::reduce_scatter},
    {"alltoall", Collective::all_to_all},
    {"broadcast", Collective::broadcast},
    {"reduce", Collective::reduce},
    {"gather", Collective::gather},
    {"scatter", Collective::scatter},
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : xml_(text, file, "algo") {
    program_.file = file;
  }

  ImportedSchedule read() {
    const auto algo = xml_.root();
    read_algo(algo);
    settle_place();
    result_.schedule = std::make_shared<const Schedule>(to_schedule(program_));
    result_.channels = static_cast<std::int32_t>(channels_.size());
    if (result_.channels > declared_channels_) {
      xml_.fail(algo, fmt::format("nchannels is {}, but the thread blocks use {} channels",
                                  declared_channels_, result_.channels));
    }
    return std::move(result_);
  }

 private:
  void read_algo(const pugi::xml_node& algo) {
    xml_.check(algo, "gpu");
    result_.format = "MSCCL XML";
    program_.line = xml_.line_of(algo);
    program_.name = xml_.text(algo, "name");
    program_.collective = collective_of(algo);
    program_.chunks = static_cast<std::int32_t>(xml_.integer(algo, "nchunksperloop", 1, most));
    declared_channels_ = static_cast<std::int32_t>(xml_.integer(algo, "nchannels", 0, most));
    result_.protocol = xml_.text(algo, "proto");
    const bool known =
        result_.protocol == "Simple" || result_.protocol == "LL" || result_.protocol == "LL128";
    if (!known) {
      xml_.fail(algo, fmt::format("attribute \"proto\": \"{}\" (known: Simple, LL, LL128)",
                                  result_.protocol));
    }
    result_.min_bytes = xml_.integer_or(algo, "minBytes", 0, any_size, 0);
    const auto max_bytes = xml_.integer_or(algo, "maxBytes", 0, any_size, 0);
    result_.max_bytes = max_bytes == 0 ? -1 : max_bytes;
    read_reduction(algo);
    read_place(algo);
    note_unread(algo);
    read_gpus(algo);
  }

  Collective collective_of(const pugi::xml_node& algo) const {
    const std::string name = xml_.text(algo, "coll");
    for (const auto& known : collectives) {
      if (name == known.name) return known.collective;
    }
    std::string names;
    for (const auto& known : collectives) names += fmt::format(" {}", known.name);
    xml_.fail(algo, fmt::format("attribute \"coll\": \"{}\" (what it must compute is not known "
                                "here) known:{}",
                                name, names));
  }

  void read_reduction(const pugi::xml_node& algo) {
    if (!algo.attribute("redop")) return;
    const std::string name = xml_.text(algo, "redop");
    const std::array<std::string_view, 5> known{"", "nop", "sum", "min", "max"};
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      xml_.fail(algo, fmt::format("attribute \"redop\": \"{}\" (known: nop, sum, min, max)", name));
    }
    if (name != "nop") result_.reduction = name;
  }

  void read_place(const pugi::xml_node& algo) {
    result_.in_place = xml_.integer_or(algo, "inplace", 0, 1, 0) == 1;
    result_.out_of_place = xml_.integer_or(algo, "outofplace", 0, 1, result_.in_place ? 0 : 1) == 1;
    if (!result_.in_place && !result_.out_of_place) {
      xml_.fail(algo, "neither inplace nor outofplace (then nobody may run it); set one to 1");
    }
    // Both: right whether or not the buffers are one, so that they may be two.
    program_.in_place = !result_.out_of_place;
  }

  // Some files say both, but use the input as working memory: here they are right in place only.
  void settle_place() {
    if (program_.in_place || !result_.in_place) return;
    for (const FileRank& rank : program_.ranks) {
      for (const FileBlock& block : rank.blocks) {
        for (const FileStep& step : block.steps) {
          if ((step.action & action_copy) == 0 || step.target != Buffer::input) continue;
          program_.in_place = true;
          result_.out_of_place = false;
          result_.notes.push_back(fmt::format(
              "outofplace is 1, but line {} writes the input: taken as in place only", step.line));
          return;
        }
      }
    }
  }

  void note_unread(const pugi::xml_node& algo) {
    static const std::set<std::string_view> read{
        "name",    "coll",       "nchunksperloop", "nchannels", "ngpus", "proto",
        "inplace", "outofplace", "minBytes",       "maxBytes",  "redop"};
    for (const auto& attribute : algo.attributes()) {
      if (read.count(attribute.name()) > 0) continue;
      result_.notes.push_back(fmt::format("attribute \"{}\" is not read", attribute.name()));
    }
  }

  void read_gpus(const pugi::xml_node& algo) {
    std::map<std::int64_t, pugi::xml_node> by_id;
    for (const auto gpu : algo.children("gpu")) {
      const auto id = xml_.integer(gpu, "id", 0, most);
      if (!by_id.emplace(id, gpu).second) xml_.fail(gpu, fmt::format("id {} is given twice", id));
    }
    const auto ranks = static_cast<std::int64_t>(by_id.size());
    if (ranks == 0) xml_.fail(algo, "no <gpu> inside; is the file complete?");
    if (xml_.integer(algo, "ngpus", 1, most) != ranks) {
      xml_.fail(algo, fmt::format("ngpus is not the number of <gpu> elements ({})", ranks));
    }
    if (by_id.rbegin()->first != ranks - 1) {
      xml_.fail(by_id.rbegin()->second, fmt::format("id {} of {} GPUs (ids are 0 to {})",
                                                    by_id.rbegin()->first, ranks, ranks - 1));
    }
    for (const auto& [id, gpu] : by_id) read_gpu(gpu);
  }

  void read_gpu(const pugi::xml_node& gpu) {
    xml_.check(gpu, "tb");
    FileRank rank;
    rank.line = xml_.line_of(gpu);
    rank.scratch_chunks = static_cast<std::int32_t>(xml_.integer(gpu, "s_chunks", 0, most));
    for (const char* buffer : {"i_chunks", "o_chunks"}) {
      if (xml_.integer(gpu, buffer, 0, most) > program_.chunks) {
        xml_.fail(gpu, fmt::format("attribute \"{}\" is more than nchunksperloop ({})", buffer,
                                   program_.chunks));
      }
    }
    std::map<std::int64_t, std::size_t> block_of_id;
    for (const auto tb : gpu.children("tb")) {
      const auto id = xml_.integer(tb, "id", 0, most);
      if (!block_of_id.emplace(id, block_of_id.size()).second) {
        xml_.fail(tb, fmt::format("id {} is given twice", id));
      }
    }
    step_of_number_.clear();
    for (const auto tb : gpu.children("tb")) rank.blocks.push_back(read_block(tb));
    std::size_t block = 0;
    for (const auto tb : gpu.children("tb")) {
      read_waits(tb, block_of_id, rank.blocks[block]);
      ++block;
    }
    program_.ranks.push_back(std::move(rank));
  }

  FileBlock read_block(const pugi::xml_node& tb) {
    xml_.check(tb, "step");
    FileBlock block;
    block.id = xml_.integer(tb, "id", 0, most);
    block.line = xml_.line_of(tb);
    const auto send = static_cast<std::int32_t>(xml_.integer(tb, "send", -1, most));
    const auto recv = static_cast<std::int32_t>(xml_.integer(tb, "recv", -1, most));
    const auto channel = static_cast<std::int32_t>(xml_.integer(tb, "chan", 0, 255));
    auto& numbers = step_of_number_.emplace_back();
    std::int64_t last = -1;
    for (const auto node : tb.children("step")) {
      const auto number = xml_.integer(node, "s", 0, most);
      if (number <= last) {
        xml_.fail(node, fmt::format("s is {} after {} (steps are in order)", number, last));
      }
      last = number;
      numbers.emplace(number, static_cast<std::int32_t>(block.steps.size()));
      FileStep step = read_step(node);
      step.fifo = channel;
      if ((step.action & action_recv) != 0) step.peer_in = recv;
      if ((step.action & action_send) != 0) step.peer_out = send;
      if (step.peer_in >= 0 || step.peer_out >= 0) channels_.insert(channel);
      block.steps.push_back(step);
    }
    return block;
  }

  FileStep read_step(const pugi::xml_node& node) const {
    xml_.check(node, "");
    FileStep step;
    step.line = xml_.line_of(node);
    step.action = action_of(node);
    step.source = buffer_of(node, "srcbuf");
    step.target = buffer_of(node, "dstbuf");
    // Unused ones are -1.
    step.source_chunk = static_cast<std::int32_t>(xml_.integer(node, "srcoff", -1, most));
    step.target_chunk = static_cast<std::int32_t>(xml_.integer(node, "dstoff", -1, most));
    step.count = static_cast<std::int32_t>(xml_.integer(node, "cnt", 0, most));
    return step;
  }

  std::uint8_t action_of(const pugi::xml_node& node) const {
    const std::string type = xml_.text(node, "type");
    for (const auto& known : instructions) {
      if (type == known.name) return known.action;
    }
    std::string names;
    for (const auto& known : instructions) names += fmt::format(" {}", known.name);
    xml_.fail(node, fmt::format("attribute \"type\": \"{}\" (known:{})", type, names));
  }

  Buffer buffer_of(const pugi::xml_node& node, const char* name) const {
    const std::string value = xml_.text(node, name);
    if (value == "i") return Buffer::input;
    if (value == "o") return Buffer::output;
    if (value == "s") return Buffer::scratch;
    xml_.fail(node, fmt::format("attribute \"{}\": \"{}\" (known: i, o, s)", name, value));
  }

  // depid and deps: the thread block and the step number that must have ended.
  void read_waits(const pugi::xml_node& tb, const std::map<std::int64_t, std::size_t>& block_of_id,
                  FileBlock& block) const {
    std::size_t index = 0;
    for (const auto node : tb.children("step")) {
      FileStep& step = block.steps[index++];
      const auto id = xml_.integer(node, "depid", -1, most);
      const auto number = xml_.integer(node, "deps", -1, most);
      static_cast<void>(xml_.integer_or(node, "hasdep", 0, 1, 0));
      if (id < 0) continue;
      const auto other = block_of_id.find(id);
      if (other == block_of_id.end()) {
        xml_.fail(node, fmt::format("depid {} is no thread block of this GPU", id));
      }
      const auto& numbers = step_of_number_[other->second];
      const auto at = numbers.find(number);
      if (at == numbers.end()) {
        xml_.fail(node, fmt::format("deps {} is no step of thread block {}", number, id));
      }
      // Of its own an earlier one has ended: a thread block does its steps in order.
      if (id == block.id && at->second < static_cast<std::int32_t>(index) - 1) continue;
      step.after_block = static_cast<std::int32_t>(other->second);
      step.after_step = at->second;
    }
  }

  XmlReader xml_;
  FileProgram program_;
  ImportedSchedule result_;
  std::int32_t declared_channels_ = 0;
  std::set<std::int32_t> channels_;
  std::vector<std::map<std::int64_t, std::int32_t>> step_of_number_;  // per block of this rank
};

}  // namespace

ImportedSchedule read_msccl_xml(std::string_view xml, const std::string& file) {
  return Reader(xml, file).read();
}

}  // namespace fabricast
