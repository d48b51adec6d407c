// The user buffers of a rank: sizes, in-place overlap, contents before and expected after a run.
//
// One allocation per rank. Out of place: input, then output from a 256-byte boundary on. In place:
// NCCL's rules (executor.hpp). Pure functions of the request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "emulator/runtime/executor.hpp"
#include "kernels/lane/image.hpp"

namespace fabricast {

// What outputs hold before a run: NaN, or -1, which no result looks like.
inline constexpr unsigned char poison = 0xFF;

// Throws UsageError: no plan, element size and type disagree, in place where that cannot be, a
// schedule that starts in an output too short for the input.
void check_request(const RunRequest& request);

// Throws UsageError unless the messages' protocol is simple: for executors without our slots.
void check_hands_off_simply(const RunRequest& request, const char* executor);

// Throws UsageError for symmetric windows and graphs: for executors other than nccl.
void check_launches_plainly(const RunRequest& request, const char* executor);

// Not all_to_all and send_recv: NCCL has no such form, and none of our schedules keeps what it has
// yet to send.
bool can_be_in_place(Collective collective);

// Does the rank's output hold something afterwards? Of reduce and gather the root's alone.
bool has_result(const ExecutionPlan& plan, std::int32_t rank);

lane::RankBuffers rank_buffers(const RunRequest& request, std::int32_t rank);

// The root of collectives that have one: the rank at position 0 (0 for plans without channels).
std::int32_t root_rank(const ExecutionPlan& plan);

// The rank's whole input (reference::input_value), input_bytes long.
void fill_input(const RunRequest& request, std::int32_t rank, std::span<std::byte> input);

// What outputs must be; keeps the last result where it is the same for every rank.
class ExpectedOutputs {
 public:
  explicit ExpectedOutputs(const RunRequest& request) : request_(request) {}
  // Elements of `output` that differ from what `rank` must hold; 0 where it has no result.
  std::int64_t count_mismatches(std::int32_t rank, std::span<const std::byte> output);

 private:
  void expect(std::int32_t rank);

  RunRequest request_;
  std::vector<std::byte> expected_;
  bool valid_for_all_ = false;
};

}  // namespace fabricast
