#include "tests/property/random_interleaving.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fabricast {

std::optional<std::vector<std::uint64_t>> RandomInterleaving::run() {
  fill_memory();
  at_.assign(programs_.size(), 0);
  read_.assign(programs_.size(), std::nullopt);
  if (manner_ == Manner::any) {
    interleave();
  } else {
    interleave_in_order();
  }
  if (illegal_) return std::nullopt;
  for (std::size_t lane = 0; lane < programs_.size(); ++lane) {
    if (at_[lane] < programs_[lane].steps.size()) return std::nullopt;
  }
  for (const auto& [key, queue] : queues_) {
    if (!queue.empty()) return std::nullopt;
  }
  const auto chunks = static_cast<std::ptrdiff_t>(schedule_.chunks);
  std::vector<std::uint64_t> outputs;
  for (const auto& words : memory_) {
    outputs.insert(outputs.end(), words.begin() + chunks, words.begin() + 2 * chunks);
  }
  return outputs;
}

void RandomInterleaving::fill_memory() {
  const auto ranks = static_cast<std::size_t>(schedule_.positions());
  const auto chunks = static_cast<std::size_t>(schedule_.chunks);
  const auto scratch = static_cast<std::size_t>(schedule_.scratch_chunks);
  memory_.assign(ranks, std::vector<std::uint64_t>(2 * chunks + scratch, 0xDEAD));
  for (std::size_t r = 0; r < ranks; ++r) {
    for (std::size_t c = 0; c < chunks; ++c) {
      memory_[r][c] = random_bits(99, r, c);
      if (schedule_.starts_in_output) memory_[r][chunks + c] = memory_[r][c];
    }
  }
}

void RandomInterleaving::interleave() {
  std::size_t idle = 0;
  while (idle < 20 * programs_.size() + 200) {
    const auto lane = static_cast<std::size_t>(random_.upto(programs_.size()));
    idle = advance(lane) ? 0 : idle + 1;
  }
  for (bool progress = true; progress;) {
    progress = false;
    for (std::size_t lane = 0; lane < programs_.size(); ++lane) progress |= advance(lane);
  }
}

// Now and then a lane falls behind all others.
void RandomInterleaving::interleave_in_order() {
  std::vector<std::size_t> order(programs_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(random_.upto(i))]);
  }
  for (;;) {
    const auto able = std::find_if(order.begin(), order.end(),
                                   [this](std::size_t lane) { return advance(lane); });
    if (able == order.end()) return;
    if (random_.upto(16) == 0) std::rotate(able, able + 1, order.end());
  }
}

std::uint64_t* RandomInterleaving::cell(std::size_t rank, Buffer buffer, std::uint64_t first,
                                        const Step& step, std::uint32_t i) {
  const auto chunks = static_cast<std::uint64_t>(schedule_.chunks);
  const std::uint64_t base = buffer == Buffer::input ? 0 : buffer == Buffer::output ? 1 : 2;
  const std::uint64_t most =
      base == 2 ? static_cast<std::uint64_t>(schedule_.scratch_chunks) : chunks;
  if (first >= most || step.chunk_count > most) {
    illegal_ = true;
    return nullptr;
  }
  return &memory_[rank][base * chunks + (first + (std::uint64_t{i} << step.stride_log2)) % most];
}

// Semantics 2.7.
bool RandomInterleaving::waits(std::size_t rank, const StepExtra& extra) const {
  if (extra.after_role < 0) return false;
  const auto other = rank * static_cast<std::size_t>(schedule_.roles) +
                     static_cast<std::size_t>(extra.after_role);
  return at_[other] < static_cast<std::size_t>(programs_[other].steps_through(extra.after_stage));
}

bool RandomInterleaving::advance(std::size_t lane) {
  const LaneProgram& program = programs_[lane];
  if (at_[lane] >= program.steps.size() || illegal_) return false;
  const Step step = program.steps[at_[lane]];
  const StepExtra extra = program.extras[at_[lane]];
  const std::size_t rank = lane / static_cast<std::size_t>(schedule_.roles);
  const bool receives = (step.action & action_recv) != 0;
  const bool sends = (step.action & action_send) != 0;
  Fifo* in = receives ? &queues_[{step.peer_in, rank, extra.fifo_in}] : nullptr;
  Fifo* out = sends ? &queues_[{rank, step.peer_out, extra.fifo_out}] : nullptr;
  if (!read_[lane]) {
    if (waits(rank, extra) || (receives && in->empty())) return false;
    if (sends && out->size() >= static_cast<std::size_t>(schedule_.fifo_depth)) return false;
    read(lane, rank, step, in);
    return true;
  }
  write(lane, rank, step);
  if (receives && !in->empty()) in->pop_front();
  if (sends) out->push_back(std::move(*read_[lane]));
  read_[lane].reset();
  ++at_[lane];
  return true;
}

// Semantics 2.4: what the step's value is.
void RandomInterleaving::read(std::size_t lane, std::size_t rank, const Step& step,
                              const Fifo* in) {
  Message& values = read_[lane].emplace();
  if (step.action == action_none) return;
  if (in != nullptr && in->front().size() != step.chunk_count) illegal_ = true;
  const bool reduces = (step.action & action_reduce) != 0;
  for (std::uint32_t i = 0; i < step.chunk_count && !illegal_; ++i) {
    std::uint64_t value = in != nullptr ? in->front()[i] : 0;
    const auto add = [&](Buffer buffer, std::uint64_t chunk) {
      const auto* word = cell(rank, buffer, chunk, step, i);
      if (word != nullptr) value += *word;
    };
    if (in == nullptr || reduces) add(step.source_buffer(), step.source_chunk);
    if (in == nullptr && reduces) add(step.target_buffer(), step.target_chunk);
    values.push_back(value);
  }
}

void RandomInterleaving::write(std::size_t lane, std::size_t rank, const Step& step) {
  if ((step.action & action_copy) == 0) return;
  for (std::uint32_t i = 0; i < read_[lane]->size(); ++i) {
    auto* target = cell(rank, step.target_buffer(), step.target_chunk, step, i);
    if (target != nullptr) *target = (*read_[lane])[i];
  }
}

}  // namespace fabricast
