#include "emulator/schedule/import/mscclpp_json.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "emulator/schedule/import/json_document.hpp"
#include "emulator/schedule/import/mscclpp_links.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t most = (1 << 24) - 1;
constexpr std::int32_t first_port_number = 128;  // memory channels of a pair are 0 to 127

const std::pair<const char*, Collective> collectives[] = {
    {"allreduce", Collective::all_reduce},         {"allgather", Collective::all_gather},
    {"reducescatter", Collective::reduce_scatter}, {"alltoall", Collective::all_to_all},
    {"broadcast", Collective::broadcast},          {"sendrecv", Collective::send_recv},
};

// A remote or local buffer of an operation.
struct BufferRef {
  std::int32_t rank = -1;  // -1: this one
  Buffer buffer = Buffer::input;
  std::int32_t chunk = 0, count = 0;
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& file)
      : json_(file), document_(parse_json(text, file)) {
    program_.file = file;
  }

  ImportedSchedule read() {
    read_top();
    std::vector<std::vector<PlanBlock>> ranks;
    for (const Json& gpu : json_.objects(document_, "gpus")) ranks.push_back(read_gpu(gpu));
    if (ranks.empty()) json_.fail(document_, "no \"gpus\" (a plan needs at least one)");
    program_.chunks = static_cast<std::int32_t>(most_chunks_);
    const std::int32_t dropped = link_plan(ranks, program_);
    if (dropped > 0) {
      result_.notes.push_back(fmt::format(
          "{} signals that announce no data (\"ready\") are left out: FIFO slots do that",
          dropped));
    }
    result_.schedule = std::make_shared<const Schedule>(to_schedule(program_));
    result_.channels = static_cast<std::int32_t>(numbers_.size());
    return std::move(result_);
  }

 private:
  void read_top() {
    result_.format = "MSCCL++ JSON";
    refuse_older(document_);
    program_.name = json_.text(document_, "name");
    program_.collective = collective();
    result_.protocol = json_.text(document_, "protocol");
    if (result_.protocol != "Simple") {
      json_.fail(document_, fmt::format("protocol \"{}\" (its packets carry their own flags, which "
                                        "FIFOs have no word for) known: Simple",
                                        result_.protocol));
    }
    result_.in_place = program_.in_place = json_.boolean(document_, "inplace");
    result_.out_of_place = !result_.in_place;
    if (json_.find(document_, "min_message_size") != nullptr) {
      result_.min_bytes = json_.integer(document_, "min_message_size", 0, INT64_MAX);
    }
    if (json_.find(document_, "max_message_size") != nullptr) {
      const auto max_bytes = json_.integer(document_, "max_message_size", 0, INT64_MAX);
      result_.max_bytes = max_bytes == INT64_MAX ? -1 : max_bytes;
    }
  }

  Collective collective() const {
    const std::string name = json_.text(document_, "collective");
    std::string names;
    for (const auto& [known, value] : collectives) {
      if (name == known) return value;
      names += fmt::format(" {}", known);
    }
    json_.fail(document_, fmt::format("collective \"{}\" (what it must compute is not known here) "
                                      "known:{}",
                                      name, names));
  }

  void refuse_older(const Json& object) const {
    for (const char* key : {"colletive", "inputChunks", "connectedTo"}) {
      if (json_.find(object, key) == nullptr) continue;
      json_.fail(object,
                 fmt::format("\"{}\" is of an older form of these plans; write it with a present "
                             "mscclpp (collective, input_chunks, connected_to, src_buff, ...)",
                             key));
    }
  }

  std::vector<PlanBlock> read_gpu(const Json& gpu) {
    refuse_older(gpu);
    rank_ = static_cast<std::int32_t>(program_.ranks.size());
    FileRank rank;
    rank.line = JsonReader::line_of(gpu);
    program_.line = program_.line == 0 ? rank.line : program_.line;
    if (json_.integer(gpu, "id", 0, most) != rank_) {
      json_.fail(gpu,
                 fmt::format("\"id\" of GPU number {} is another one (they are in order)", rank_));
    }
    for (const char* name : {"input_chunks", "output_chunks"}) {
      most_chunks_ = std::max(most_chunks_, json_.integer(gpu, name, 0, most));
    }
    rank.scratch_chunks = static_cast<std::int32_t>(json_.integer(gpu, "scratch_chunks", 0, most));
    program_.ranks.push_back(std::move(rank));
    read_channels(gpu);
    std::vector<PlanBlock> blocks;
    std::set<std::int64_t> ids;
    for (const Json& block : json_.objects(gpu, "threadblocks")) {
      blocks.push_back(read_block(gpu, block));
      if (!ids.insert(blocks.back().id).second) json_.fail(block, "\"id\" is given twice");
    }
    return blocks;
  }

  // Channels of a type are numbered over all entries; of those to one rank, the n-th meets the n-th
  // of that rank.
  void read_channels(const Json& gpu) {
    channels_.clear();
    std::map<std::pair<std::string, std::int32_t>, std::int32_t> met;
    for (const Json& channel : json_.objects(gpu, "channels")) {
      refuse_older(channel);
      const char* key = json_.find(channel, "channel_type") != nullptr ? "channel_type" : "type";
      const std::string type = json_.text(channel, key);
      if (type == "switch") continue;  // refused where an operation uses it
      if (type != "memory" && type != "port") {
        json_.fail(channel, fmt::format("channel of type \"{}\" (known: memory, port)", type));
      }
      for (const Json& to : json_.array(channel, "connected_to")) {
        const auto peer =
            static_cast<std::int32_t>(json_.integer_in(channel, to, "connected_to", 0, most));
        const std::int32_t number = met[{type, peer}]++ + (type == "port" ? first_port_number : 0);
        if (number >= (type == "port" ? 2 : 1) * first_port_number) {
          json_.fail(channel,
                     fmt::format("more than {} channels to rank {}", first_port_number, peer));
        }
        channels_[type].emplace_back(peer, number);
      }
    }
  }

  PlanBlock read_block(const Json& gpu, const Json& node) {
    PlanBlock block;
    block.id = json_.integer(node, "id", 0, most);
    block.line = JsonReader::line_of(node);
    own_channels_.clear();
    for (const Json& channel : json_.objects(node, "channels")) {
      const std::string type = json_.text(channel, "channel_type");
      for (const Json& id : json_.array(channel, "channel_ids")) {
        const auto known = static_cast<std::int64_t>(channels_[type].size());
        const auto number = json_.integer_in(channel, id, "channel_ids", 0, most);
        if (number >= known && type != "switch") {
          json_.fail(channel,
                     fmt::format("channel {} of type {} (this GPU has {})", number, type, known));
        }
        if (type != "switch") {
          own_channels_[type].push_back(channels_[type][static_cast<std::size_t>(number)]);
        }
      }
    }
    own_remotes_.clear();
    const Json& remotes = json_.objects(gpu, "remote_buffers");
    for (const Json& refs : json_.objects(node, "remote_buffer_refs")) {
      auto& own = own_remotes_[json_.text(refs, "access_channel_type")];
      for (const Json& id : json_.array(refs, "remote_buffer_ids")) {
        const auto number = json_.integer_in(refs, id, "remote_buffer_ids", 0, most);
        if (static_cast<std::size_t>(number) >= remotes.size()) {
          json_.fail(refs,
                     fmt::format("remote buffer {} (this GPU has {})", number, remotes.size()));
        }
        own.push_back(&remotes[static_cast<std::size_t>(number)]);
      }
    }
    for (const Json& op : json_.objects(node, "ops")) read_op(op, block.ops);
    return block;
  }

  Buffer buffer_of(const Json& object, const char* name) const {
    const std::string type = json_.text(object, name);
    if (type == "i") return Buffer::input;
    if (type == "o") return Buffer::output;
    if (type == "s") return Buffer::scratch;
    json_.fail(object, fmt::format("buffer \"{}\" (known: i, o, s)", type));
  }

  std::vector<BufferRef> buffers_of(const Json& op, const char* name) const {
    std::vector<BufferRef> all;
    for (const Json& node : json_.objects(op, name)) {
      BufferRef ref;
      ref.chunk = static_cast<std::int32_t>(json_.integer(node, "index", 0, most));
      ref.count = static_cast<std::int32_t>(json_.integer(node, "size", 1, most));
      if (json_.find(node, "buffer_id") != nullptr) {
        const auto own = own_remotes_.find(json_.text(op, "channel_type"));
        const auto id = static_cast<std::size_t>(json_.integer(node, "buffer_id", 0, most));
        if (own == own_remotes_.end() || id >= own->second.size()) {
          json_.fail(
              node,
              fmt::format("\"buffer_id\" {} is none of this thread block's remote buffers", id));
        }
        const Json& remote = *own->second[id];
        ref.rank = static_cast<std::int32_t>(json_.integer(remote, "rank", 0, most));
        ref.buffer = buffer_of(remote, "type");
      } else {
        ref.buffer = buffer_of(node, "type");
      }
      all.push_back(ref);
    }
    if (all.empty()) json_.fail(op, fmt::format("\"{}\" names no buffer", name));
    return all;
  }

  void read_op(const Json& op, std::vector<PlanOp>& ops) {
    const std::string name = json_.text(op, "name");
    if (const Json* group = json_.find(op, "tbg_info");
        group != nullptr && group->is_object() && json_.integer(*group, "tbg_size", 1, most) > 1) {
      json_.fail(op,
                 fmt::format("operation \"{}\" is shared by a group of thread blocks (tbg_info), "
                             "which cuts chunks unevenly; give each its own chunks",
                             name));
    }
    if (name == "nop" || name == "flush") return;  // a lane is sequential anyway
    if (name == "copy") {
      read_copies(op, ops);
    } else if (name == "re" || name == "res") {
      read_reduce(op, ops, name == "res");
    } else if (name == "put" || name == "pws" || name == "pwsf") {
      read_puts(op, buffers_of(op, "src_buff"), buffers_of(op, "dst_buff"), ops);
      if (name != "put") add_channel_ops(op, PlanOp::Kind::signal, ops);
    } else if (name == "signal" || name == "rlxsignal") {
      add_channel_ops(op, PlanOp::Kind::signal, ops);
    } else if (name == "wait" || name == "rlxwait") {
      add_channel_ops(op, PlanOp::Kind::wait, ops);
    } else if (name == "barrier") {
      PlanOp meeting = plain(op, PlanOp::Kind::barrier);
      meeting.barrier = json_.integer(op, "barrier_id", 0, most);
      meeting.members = json_.integer(op, "num_threadblocks", 1, 256);
      ops.push_back(meeting);
    } else {
      json_.fail(op,
                 fmt::format("operation \"{}\" (only what puts, waits, copies and reduces can be "
                             "a schedule of messages) known: nop flush copy re res put pws pwsf "
                             "signal wait rlxsignal rlxwait barrier",
                             name));
    }
  }

  static PlanOp plain(const Json& op, PlanOp::Kind kind) {
    PlanOp result;
    result.kind = kind;
    result.step.line = JsonReader::line_of(op);
    return result;
  }

  void require_local(const Json& op, const BufferRef& ref) const {
    if (ref.rank >= 0) {
      json_.fail(op, "the operation reads or changes another rank's memory (only puts do, here)");
    }
  }

  PlanOp local(const Json& op, std::uint8_t action, const BufferRef& from,
               const BufferRef& to) const {
    require_local(op, from);
    require_local(op, to);
    if (from.count != to.count) json_.fail(op, "source and target are not equally large");
    PlanOp result = plain(op, PlanOp::Kind::step);
    result.step.action = action;
    result.step.source = from.buffer;
    result.step.source_chunk = from.chunk;
    result.step.target = to.buffer;
    result.step.target_chunk = to.chunk;
    result.step.count = from.count;
    return result;
  }

  void read_copies(const Json& op, std::vector<PlanOp>& ops) const {
    const auto from = buffers_of(op, "src_buff");
    const auto to = buffers_of(op, "dst_buff");
    if (from.size() != to.size()) json_.fail(op, "\"src_buff\" and \"dst_buff\" differ in number");
    for (std::size_t i = 0; i < from.size(); ++i) {
      ops.push_back(local(op, action_copy, from[i], to[i]));
    }
  }

  // dst = sum of all src; res puts it to the other dst as well.
  void read_reduce(const Json& op, std::vector<PlanOp>& ops, bool sends) {
    auto from = buffers_of(op, "src_buff");
    const auto to = buffers_of(op, "dst_buff");
    read_reduction(op);
    if (!sends && to.size() != 1) json_.fail(op, "\"dst_buff\" of a reduction is one buffer");
    const auto same = std::find_if(from.begin(), from.end(), [&](const BufferRef& ref) {
      return ref.rank < 0 && ref.buffer == to[0].buffer && ref.chunk == to[0].chunk;
    });
    if (same != from.end()) {
      std::iter_swap(from.begin(), same);
    } else {
      ops.push_back(local(op, action_copy, from[0], to[0]));
    }
    for (std::size_t i = 1; i < from.size(); ++i) {
      ops.push_back(local(op, action_reduce | action_copy, from[i], to[0]));
    }
    if (!sends) return;
    for (std::size_t i = 1; i < to.size(); ++i) read_puts(op, {to[0]}, {to[i]}, ops);
  }

  void read_reduction(const Json& op) {
    if (json_.find(op, "reduce_op") == nullptr) return;
    const std::string name = json_.text(op, "reduce_op");
    if (name != "sum" && name != "min" && name != "max") {
      json_.fail(op, fmt::format("\"reduce_op\" is \"{}\" (known: sum, min, max)", name));
    }
    if (!result_.reduction.empty() && result_.reduction != name) {
      json_.fail(op,
                 fmt::format("\"reduce_op\" is {} here and {} before", name, result_.reduction));
    }
    result_.reduction = name;
  }

  void read_puts(const Json& op, const std::vector<BufferRef>& from,
                 const std::vector<BufferRef>& to, std::vector<PlanOp>& ops) const {
    if (from.size() != to.size()) json_.fail(op, "\"src_buff\" and \"dst_buff\" differ in number");
    for (std::size_t i = 0; i < from.size(); ++i) {
      require_local(op, from[i]);
      if (to[i].rank < 0) json_.fail(op, "a put goes to a remote buffer (buffer_id)");
      if (from[i].count != to[i].count) json_.fail(op, "source and target are not equally large");
      PlanOp put = plain(op, PlanOp::Kind::put);
      put.step.action = action_send;
      put.step.source = from[i].buffer;
      put.step.source_chunk = from[i].chunk;
      put.step.count = from[i].count;
      put.step.peer_out = to[i].rank;
      put.target = {to[i].buffer, to[i].chunk, to[i].count};
      ops.push_back(put);
    }
  }

  void add_channel_ops(const Json& op, PlanOp::Kind kind, std::vector<PlanOp>& ops) {
    const std::string type = json_.text(op, "channel_type");
    const auto own = own_channels_.find(type);
    for (const Json& id : json_.array(op, "channel_ids")) {
      const auto index = static_cast<std::size_t>(json_.integer_in(op, id, "channel_ids", 0, most));
      if (own == own_channels_.end() || index >= own->second.size()) {
        json_.fail(
            op, fmt::format("channel {} of type {} is none of this thread block's", index, type));
      }
      const auto& [peer, number] = own->second[index];
      PlanOp result = plain(op, kind);
      const bool sends = kind == PlanOp::Kind::signal;
      result.channel = {sends ? rank_ : peer, sends ? peer : rank_, number};
      numbers_.insert(number);
      ops.push_back(result);
    }
  }

  using Channel = std::pair<std::int32_t, std::int32_t>;  // peer, number among those to the peer

  JsonReader json_;
  Json document_;
  FileProgram program_;
  ImportedSchedule result_;
  std::int64_t most_chunks_ = 0;
  std::int32_t rank_ = 0;
  std::map<std::string, std::vector<Channel>> channels_, own_channels_;  // by type
  std::map<std::string, std::vector<const Json*>> own_remotes_;          // by access type
  std::set<std::int32_t> numbers_;
};

}  // namespace

ImportedSchedule read_mscclpp_json(std::string_view text, const std::string& file) {
  return Reader(text, file).read();
}

}  // namespace fabricast
