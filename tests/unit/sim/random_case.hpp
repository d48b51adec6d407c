// Seeded random inputs of the engines: schedules of every shape, costs of every temper.
//
// A case is a pure function of its seed. Costs are counter-based random numbers, so a fill of the
// same rows always gives the same values.
#pragma once

#include <cstdint>
#include <string>

#include "emulator/cost/periodic_costs.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

enum class CostTemper : std::uint8_t {
  random,     // independent per position
  by_digit,   // a function of digit 0 of the position: symmetric domains
  uniform,    // one value per row
  straggler,  // uniform but for one position
  huge,       // up to 10^13 ps
};

class RandomCosts final : public StepCosts, public PeriodicCosts {
 public:
  RandomCosts(const Schedule& schedule, std::uint64_t seed, CostTemper temper)
      : schedule_(schedule), seed_(seed), temper_(temper) {}
  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override;
  // With every other seed costs change with every third repetition only.
  bool repeats(int stage, int group, int phase, std::int32_t before, std::int32_t k) const override;
  std::int32_t cost_period() const override {
    const bool by_digit = temper_ == CostTemper::by_digit || temper_ == CostTemper::uniform;
    return by_digit && slow_ < 0 ? schedule_.space.domain_size() : 0;
  }
  // Adds `extra` to every lane cost of one position: to test that more cost is never less time.
  void slow_down(std::int32_t position, std::int64_t extra) {
    slow_ = position;
    extra_ = extra;
  }

 private:
  std::int64_t value(std::uint64_t row, std::int32_t k, std::int32_t x) const;
  std::int32_t cost_key(std::int32_t k) const { return seed_ % 2 == 0 ? k : k / 3; }

  const Schedule& schedule_;
  std::uint64_t seed_;
  CostTemper temper_;
  std::int32_t slow_ = -1;
  std::int64_t extra_ = 0;
};

struct RandomCase {
  Schedule schedule;
  CostTemper temper = CostTemper::random;
  std::int32_t loops = 1;
  std::int32_t slices = 1;
  std::uint64_t seed = 0;

  std::string describe() const;
};

RandomCase random_case(std::uint64_t seed);

// p positions in a ring, one single-phase stage per step shape, as ring all_reduce; by hand.
Schedule ring_by_hand(const RankSpace& space, std::int32_t fifo_depth);

}  // namespace fabricast
