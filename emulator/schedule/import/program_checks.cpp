#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/import/chunk_numbers.hpp"
#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {
namespace {

constexpr std::size_t most_ranks = 1024;       // tables grow with steps * ranks
constexpr std::size_t most_blocks = 256;       // Phase::role
constexpr std::int32_t most_fifos = 256;       // PeerMap::fifo
constexpr std::int32_t most_chunks = 1 << 24;  // Step's chunk fields
constexpr std::int32_t most_per_message = 0xFFFF;
constexpr std::size_t most_name_bytes = 256;

const char* name_of(Buffer buffer) {
  switch (buffer) {
    case Buffer::input:
      return "input";
    case Buffer::output:
      return "output";
    case Buffer::scratch:
      return "scratch";
  }
  return "?";
}

struct Message {
  std::int32_t count, line;
};

// One direction of one connection.
struct End {
  std::size_t block = 0;
  std::vector<Message> messages;
};

class Checks {
 public:
  explicit Checks(const FileProgram& program) : program_(program) {}

  void run() {
    check_size();
    for (std::size_t r = 0; r < program_.ranks.size(); ++r) {
      const auto& blocks = program_.ranks[r].blocks;
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        for (std::size_t s = 0; s < blocks[b].steps.size(); ++s) {
          check_step(static_cast<std::int32_t>(r), b, s, blocks[b].steps[s]);
        }
      }
    }
    compare_ends();
  }

 private:
  [[noreturn]] void fail(std::int32_t line, const std::string& problem) const {
    refuse_file(program_.file, line, problem);
  }

  void check_size() const {
    // It becomes the label of rows in tables and files.
    if (program_.name.size() > most_name_bytes || printable_line(program_.name) != program_.name) {
      fail(program_.line, fmt::format("name \"{}\" (at most {} bytes without line ends and control "
                                      "characters are possible) give a shorter one",
                                      program_.name, most_name_bytes));
    }
    const auto ranks = program_.ranks.size();
    if (ranks == 0) fail(program_.line, "no rank (an algorithm needs at least one) give its ranks");
    if (ranks > most_ranks) {
      fail(program_.line, fmt::format("{} ranks (at most {} can be imported as tables) give a "
                                      "smaller algorithm",
                                      ranks, most_ranks));
    }
    if (program_.chunks < 1 || program_.chunks >= most_chunks) {
      fail(program_.line, fmt::format("{} chunks (1 to {} are possible) check the file",
                                      program_.chunks, most_chunks - 1));
    }
    if (has_rank_blocks(program_.collective) &&
        program_.chunks % static_cast<std::int32_t>(ranks) != 0) {
      fail(program_.line,
           fmt::format("{} chunks for {} ranks ({} has one equal block per rank, so chunks must be "
                       "a multiple of ranks) check the file",
                       program_.chunks, ranks, to_string(program_.collective)));
    }
    for (const FileRank& rank : program_.ranks) {
      if (rank.blocks.size() > most_blocks) {
        fail(rank.line, fmt::format("{} thread blocks (at most {} roles per rank) give a smaller "
                                    "algorithm",
                                    rank.blocks.size(), most_blocks));
      }
      if (rank.scratch_chunks < 0 || rank.scratch_chunks >= most_chunks) {
        fail(rank.line, fmt::format("{} scratch chunks (0 to {} are possible) check the file",
                                    rank.scratch_chunks, most_chunks - 1));
      }
    }
  }

  void check_range(const FileStep& step, std::int32_t rank, Buffer buffer,
                   std::int32_t first) const {
    const std::int32_t chunks = chunks_of_buffer(program_, buffer, rank);
    if (first >= 0 && std::int64_t{first} + step.count <= chunks) return;
    fail(step.line,
         fmt::format("chunks {} to {} of the {} (rank {} has {}) check the offset and "
                     "the counts of the file",
                     first, std::int64_t{first} + step.count - 1, name_of(buffer), rank, chunks));
  }

  // A message must not be cut by our other numbering of the same chunks.
  void check_one_piece(const FileStep& step, std::int32_t rank, Buffer buffer,
                       std::int32_t first) const {
    const auto start = chunk_number(program_, buffer, first, rank);
    const auto end = chunk_number(program_, buffer, first + step.count - 1, rank);
    if (start.buffer != end.buffer || start.chunk + step.count - 1 != end.chunk) {
      fail(step.line,
           "one step touches the own block and others (in place they are in different "
           "buffers here) split the step");
    }
  }

  void check_step(std::int32_t rank, std::size_t block, std::size_t index, const FileStep& step) {
    check_wait(rank, block, index, step);
    if (step.action == action_none) return;
    if (step.count < 1 || step.count > most_per_message) {
      fail(step.line, fmt::format("a step of {} chunks (1 to {} are possible) check its count",
                                  step.count, most_per_message));
    }
    const bool receives = (step.action & action_recv) != 0;
    if (!receives || (step.action & action_reduce) != 0) {
      check_range(step, rank, step.source, step.source_chunk);
      check_one_piece(step, rank, step.source, step.source_chunk);
    }
    if ((step.action & action_copy) != 0) {
      check_range(step, rank, step.target, step.target_chunk);
      check_one_piece(step, rank, step.target, step.target_chunk);
      if (chunk_number(program_, step.target, step.target_chunk, rank).buffer == Buffer::input) {
        fail(step.line,
             "the step writes the input (the caller's data must stay as they are; an "
             "in-place algorithm says so) store to the output or to scratch");
      }
    }
    if (receives) note_end(received_, step.peer_in, rank, rank, block, step);
    if ((step.action & action_send) != 0) note_end(sent_, rank, step.peer_out, rank, block, step);
  }

  void check_wait(std::int32_t rank, std::size_t block, std::size_t index,
                  const FileStep& step) const {
    if (step.after_block < 0) return;
    const auto& blocks = program_.ranks[static_cast<std::size_t>(rank)].blocks;
    const auto other = static_cast<std::size_t>(step.after_block);
    if (other >= blocks.size()) {
      fail(step.line, fmt::format("waits for a thread block that rank {} does not have", rank));
    }
    if (step.after_step < 0 ||
        static_cast<std::size_t>(step.after_step) >= blocks[other].steps.size()) {
      fail(step.line, fmt::format("waits for step {} of thread block {} (which has {} steps)",
                                  step.after_step, blocks[other].id, blocks[other].steps.size()));
    }
    if (other == block && static_cast<std::size_t>(step.after_step) >= index) {
      fail(step.line, "waits for itself or a later step of its own thread block (that never ends)");
    }
  }

  using Ends = std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, End>;

  void note_end(Ends& ends, std::int32_t from, std::int32_t to, std::int32_t self,
                std::size_t block, const FileStep& step) {
    const auto ranks = static_cast<std::int32_t>(program_.ranks.size());
    const std::int32_t peer = from == self ? to : from;
    if (peer < 0 || peer >= ranks || from == to) {
      fail(step.line, fmt::format("rank {} {} rank {} (ranks are 0 to {}, and another one)", self,
                                  &ends == &sent_ ? "sends to" : "receives from", peer, ranks - 1));
    }
    if (step.fifo < 0 || step.fifo >= most_fifos) {
      fail(step.line, fmt::format("channel {} (0 to {} are possible)", step.fifo, most_fifos - 1));
    }
    const auto [at, added] = ends.try_emplace({from, to, step.fifo}, End{block, {}});
    if (at->second.block != block) {
      const auto& blocks = program_.ranks[static_cast<std::size_t>(self)].blocks;
      fail(step.line,
           fmt::format("thread blocks {} and {} of rank {} both {} rank {} on channel {} (their "
                       "messages would come in any order) use one thread block or another channel",
                       blocks[at->second.block].id, blocks[block].id, self,
                       &ends == &sent_ ? "send to" : "receive from", peer, step.fifo));
    }
    at->second.messages.push_back({step.count, step.line});
  }

  void compare_ends() const {
    for (const auto& [connection, sender] : sent_) {
      const auto& [from, to, fifo] = connection;
      const auto found = received_.find(connection);
      const std::size_t received = found == received_.end() ? 0 : found->second.messages.size();
      const std::string name = fmt::format("rank {} to rank {} on channel {}", from, to, fifo);
      for (std::size_t n = 0; n < sender.messages.size(); ++n) {
        const Message& message = sender.messages[n];
        if (n >= received) {
          fail(message.line, fmt::format("nobody receives message {} from {} ({} are received) add "
                                         "the receive",
                                         n + 1, name, received));
        }
        const Message& taken = found->second.messages[n];
        if (taken.count != message.count) {
          fail(taken.line, fmt::format("message {} from {} is received as {} chunks (line {} sends "
                                       "{}) give both the same count",
                                       n + 1, name, taken.count, message.line, message.count));
        }
      }
    }
    for (const auto& [connection, receiver] : received_) {
      const auto& [from, to, fifo] = connection;
      const auto found = sent_.find(connection);
      const std::size_t sent = found == sent_.end() ? 0 : found->second.messages.size();
      if (receiver.messages.size() > sent) {
        fail(receiver.messages[sent].line,
             fmt::format("nobody sends message {} from rank {} to rank {} on channel {} ({} are "
                         "sent) add the send",
                         sent + 1, from, to, fifo, sent));
      }
    }
  }

  const FileProgram& program_;
  Ends sent_, received_;
};

}  // namespace

void check_program(const FileProgram& program) { Checks(program).run(); }

}  // namespace fabricast
