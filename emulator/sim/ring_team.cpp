#include "emulator/sim/ring_team.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace fabricast {
namespace {

// Tags of messages that travel to higher columns, and to lower ones.
constexpr int to_the_right = 71;
constexpr int to_the_left = 72;

}  // namespace

bool RingTeam::pays(const Communicator& communicator, std::int32_t columns, std::int64_t steps) {
  constexpr std::int32_t least_columns = 512;  // a block's halos are at most 2 * 114
  constexpr std::int64_t least_updates = 20'000'000;
  return communicator.size() > 1 && columns / communicator.size() >= least_columns &&
         columns * steps >= least_updates;
}

ColumnShare RingTeam::share(int process) const {
  const auto bound = [this](int of) {
    return static_cast<std::int32_t>(std::int64_t{columns_} * of / communicator_.size());
  };
  return {bound(process), bound(process + 1)};
}

std::vector<std::int64_t> RingTeam::columns_of(const std::vector<std::int64_t*>& rows,
                                               std::int32_t first, std::int32_t count) const {
  std::vector<std::int64_t> values;
  values.reserve(rows.size() * static_cast<std::size_t>(count));
  for (const std::int64_t* row : rows)
    values.insert(values.end(), row + first, row + first + count);
  return values;
}

void RingTeam::put(const std::vector<std::int64_t>& values, std::int32_t first, std::int32_t count,
                   const std::vector<std::int64_t*>& rows) const {
  const std::int64_t* from = values.data();
  for (std::int64_t* row : rows) {
    std::copy_n(from, count, row + first);
    from += count;
  }
}

void RingTeam::swap_halos(const std::vector<std::int64_t*>& rows, std::int32_t left,
                          std::int32_t right) {
  const int size = communicator_.size();
  const int next = (communicator_.rank() + 1) % size;
  const int previous = (communicator_.rank() + size - 1) % size;
  const ColumnShare mine = own();
  const auto to_next = columns_of(rows, mine.end - left, left);
  const auto to_previous = columns_of(rows, mine.first, right);
  communicator_.isend(std::as_bytes(std::span(to_next)), next, to_the_right);
  communicator_.isend(std::as_bytes(std::span(to_previous)), previous, to_the_left);
  std::vector<std::int64_t> received(to_next.size());
  communicator_.receive(std::as_writable_bytes(std::span(received)), previous, to_the_right);
  put(received, share(previous).end - left, left, rows);
  received.resize(to_previous.size());
  communicator_.receive(std::as_writable_bytes(std::span(received)), next, to_the_left);
  put(received, share(next).first, right, rows);
  communicator_.wait_all();
}

void RingTeam::complete(const std::vector<std::int64_t*>& rows) const {
  const ColumnShare mine = own();
  const auto values = columns_of(rows, mine.first, mine.count());
  std::string bytes(values.size() * sizeof(std::int64_t), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  const auto parts = communicator_.all_gather(bytes);
  for (int process = 0; process < communicator_.size(); ++process) {
    const std::string& part = parts[static_cast<std::size_t>(process)];
    std::vector<std::int64_t> theirs(part.size() / sizeof(std::int64_t));
    std::memcpy(theirs.data(), part.data(), part.size());
    put(theirs, share(process).first, share(process).count(), rows);
  }
}

std::optional<RingPeriod::Period> RingTeam::agreed(
    const std::optional<RingPeriod::Period>& found) const {
  if (communicator_.max(std::int64_t{found ? 0 : 1}) != 0) return std::nullopt;
  const std::int64_t delta = found->delta_ps;
  const bool same = communicator_.max(delta) == -communicator_.max(-delta);
  return same ? found : std::nullopt;
}

}  // namespace fabricast
