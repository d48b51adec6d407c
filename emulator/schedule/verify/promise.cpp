#include "emulator/schedule/verify/promise.hpp"

namespace fabricast {

std::optional<Promised> Promise::output(std::int32_t rank, std::int32_t chunk) const {
  if (!has_output(rank, chunk)) return std::nullopt;
  const std::int32_t p = schedule_.positions();
  switch (schedule_.collective) {
    case Collective::all_reduce:
    case Collective::reduce_scatter:
    case Collective::reduce: return Promised{-1, chunk};
    case Collective::all_gather:
    case Collective::gather: return Promised{owner(chunk), chunk};
    case Collective::broadcast:
    case Collective::scatter: return Promised{root_, chunk};
    case Collective::send_recv: return Promised{(rank + p - 1) % p, chunk};
    case Collective::all_to_all: {
      // The owner has it under the number of the block that is mine.
      const std::int32_t parts = schedule_.block_parts;
      return Promised{owner(chunk), placement_.position_of(rank) * parts + chunk % parts};
    }
  }
  return std::nullopt;
}

bool Promise::has_input(std::int32_t rank, std::int32_t chunk) const {
  if (input_is_at_root(schedule_.collective)) return rank == root_;
  return !input_is_own_block(schedule_.collective) || owner(chunk) == rank;
}

bool Promise::has_output(std::int32_t rank, std::int32_t chunk) const {
  if (output_is_at_root(schedule_.collective)) return rank == root_;
  return !output_is_own_block(schedule_.collective) || owner(chunk) == rank;
}

}  // namespace fabricast
