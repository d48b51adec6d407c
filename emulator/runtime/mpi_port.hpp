// Connections as MPI messages: the Port of the interpreter (kernels/lane/fifo.hpp has the other
// one).
//
// A sender has at most D messages under way, a receiver D receives posted, so every connection
// buffers between D and 2D messages and whatever cannot deadlock with D slots cannot deadlock here.
// MPI's non-overtaking rule (same source, tag, communicator) makes connections FIFOs; the tag is
// the connection's label (channel and FIFO, semantics 1.1) and an epoch: after a failed run
// (collective knowledge of all processes) a new epoch begins, so that messages left over from it
// are never taken for new ones. Slots belong to the port. One per process; not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/runtime/compile_plan.hpp"

namespace fabricast {

// Throws UsageError if a plan with so many labels (compile_plan.hpp) does not fit into the tags.
void check_labels(std::int32_t labels);

class MpiPort {
 public:
  MpiPort(Communicator communicator, const CompiledPlan& compiled);
  ~MpiPort();
  MpiPort(const MpiPort&) = delete;
  MpiPort& operator=(const MpiPort&) = delete;

  // After a failed run, on every process: ports made from now on use other tags.
  static void begin_new_epoch();

  // Posts the first receives of a run.
  void begin();
  // Completes this run's sends; false if that takes longer than `limit_seconds`.
  bool finish(double limit_seconds);

  bool has_message(std::int32_t connection);
  const std::byte* front(std::int32_t connection);
  void pop(std::int32_t connection);
  bool has_room(std::int32_t connection);
  std::byte* back(std::int32_t connection);
  void push(std::int32_t connection, std::int64_t bytes);

 private:
  // One end of a connection: message n uses slot and request n mod D.
  struct End {
    std::int32_t peer = -1;
    std::int64_t total = 0;      // messages per run
    std::int64_t started = 0;    // receives posted, or sends started, in this run
    std::int64_t completed = 0;  // messages arrived, or sends complete
    std::int64_t consumed = 0;   // receives handed to the lane and given back
    std::vector<Communicator::Request> requests;
    std::vector<std::byte> slots;
  };
  std::span<std::byte> slot(End& end, std::int64_t message) const;
  void post_receive(std::int32_t connection);

  Communicator communicator_;
  std::size_t depth_;
  std::size_t slot_bytes_;
  std::vector<int> tags_;  // by connection
  std::vector<End> inbound_;
  std::vector<End> outbound_;
};

}  // namespace fabricast
