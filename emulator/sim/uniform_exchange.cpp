// The part of UniformRun that runs repetitions of an exchange, all slices at once.
#include <algorithm>

#include "emulator/sim/uniform_run.hpp"

namespace fabricast {
namespace {

// All slices but the first.
void fill_rest(const std::vector<std::int64_t>& first, std::int32_t slices,
               std::vector<std::int64_t>& rest) {
  std::transform(first.begin(), first.end(), rest.begin(),
                 [slices](std::int64_t ps) { return ps * (slices - 1); });
}

}  // namespace

bool UniformRun::exchanges(std::size_t stage) const {
  if (log_ != nullptr || !program_.drains[stage]) return false;  // no single steps are kept
  const auto& phases = program_.stages[stage];
  return phases[0].flat.phase->role != phases[1].flat.phase->role &&
         phases[0].range.count() == program_.columns && phases[1].range.count() == program_.columns;
}

// All repetitions but the first, which opened the stage's span and found the listed order sound.
void UniformRun::run_exchange(std::size_t stage) {
  auto& phases = program_.stages[stage];
  UniformPhase& sending = phases[phases[0].flat.sends ? 0 : 1];
  UniformPhase& receiving = phases[phases[0].flat.sends ? 1 : 0];
  std::vector<std::int64_t> lane_rest(columns_), port_rest(columns_), receive_rest(columns_);
  std::vector<std::int64_t> first_ready(columns_), last_ready(columns_);
  RowExchange step;
  step.columns = program_.columns;
  step.lane = row(lane_, static_cast<std::size_t>(sending.flat.phase->role));
  step.port = row(port_, static_cast<std::size_t>(sending.flat.phase->role));
  step.receiver = row(lane_, static_cast<std::size_t>(receiving.flat.phase->role));
  step.first_ready = first_ready.data();
  step.last_ready = last_ready.data();
  step.lane_first = sending.costs.lane.data();
  step.lane_rest = lane_rest.data();
  step.port_first = sending.costs.port.data();
  step.port_rest = port_rest.data();
  step.latency = sending.costs.latency.data();
  step.receive_first = receiving.costs.lane.data();
  step.receive_rest = receive_rest.data();
  const bool several = slices_ > 1;
  const ExchangeKernel kernel = exchange_kernel(set_, several);
  const std::int32_t repeat = program_.stage_repeat[stage];
  for (std::int32_t k = 1; k < repeat; ++k) {
    if ((refill(sending, k) || k == 1) && several) {
      fill_rest(sending.costs.lane, slices_, lane_rest);
      fill_rest(sending.costs.port, slices_, port_rest);
    }
    if ((refill(receiving, k) || k == 1) && several) {
      fill_rest(receiving.costs.lane, slices_, receive_rest);
    }
    kernel(step, runs_of(receiving, k));
  }
  updates_ += (std::int64_t{repeat} - 1) * slices_ * 2 * program_.columns;
}

}  // namespace fabricast
