// Who ran what, where: the collective, ranks and hosts of a run.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "emulator/profile/nccl_tests_samples.hpp"

namespace fabricast {
namespace {

constexpr std::int32_t most_implied_ranks = 4096;  // beyond, no printed ratio tells them apart

// Letters of nccl-tests' program names, those that contain others first.
struct Program {
  std::string_view letters;
  Collective collective;
};
constexpr std::array<Program, 9> programs{{{"reducescatter", Collective::reduce_scatter},
                                           {"allreduce", Collective::all_reduce},
                                           {"allgather", Collective::all_gather},
                                           {"alltoall", Collective::all_to_all},
                                           {"broadcast", Collective::broadcast},
                                           {"sendrecv", Collective::send_recv},
                                           {"gather", Collective::gather},
                                           {"scatter", Collective::scatter},
                                           {"reduce", Collective::reduce}}};

std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalpha(letter) != 0) letters += static_cast<char>(std::tolower(letter));
  }
  return letters;
}

std::optional<Collective> collective_of_program(std::string_view program) {
  if (program.ends_with("_perf")) program.remove_suffix(5);
  const std::string letters = letters_of(program);
  for (const Program& known : programs) {
    if (letters == known.letters) return known.collective;
  }
  return std::nullopt;
}

// The collective that a file's name holds; none where it holds a program that is not modelled.
std::optional<Collective> collective_of_file(const std::string& file) {
  const std::string letters = letters_of(std::filesystem::path(file).filename().string());
  if (letters.find("alltoallv") != std::string::npos) return std::nullopt;
  for (const Program& known : programs) {
    if (letters.find(known.letters) != std::string::npos) return known.collective;
  }
  return std::nullopt;
}

bool fits_bandwidths(const NcclTestsRun& run, Collective collective, std::int32_t ranks) {
  return std::all_of(run.rows.begin(), run.rows.end(), [&](const NcclTestsRow& row) {
    return std::all_of(row.timings.begin(), row.timings.end(), [&](const NcclTestsTiming& t) {
      return bandwidth_problem(t, row.bytes, collective, ranks).empty();
    });
  });
}

// Whether nccl-tests prints an operation and a root for this one as the rows have them.
bool fits_columns(const NcclTestsRun& run, Collective collective) {
  const bool has_operation = reduces(collective) || collective == Collective::send_recv;
  return std::all_of(run.rows.begin(), run.rows.end(), [&](const NcclTestsRow& row) {
    return (!row.redop.empty() && row.redop != "none") == has_operation &&
           (row.root >= 0) == has_root(collective);
  });
}

// The only collective whose columns and ratio of busbw to algbw are those of every row, if any.
// Never send_recv: a ratio of 1 is also that of an all_reduce on two ranks, and the number of ranks
// may be a mistaken one.
std::optional<Collective> implied_collective(const NcclTestsRun& run, std::int32_t ranks) {
  if (ranks < 2) return std::nullopt;
  std::optional<Collective> only;
  for (const Program& known : programs) {
    if (!fits_columns(run, known.collective) || !fits_bandwidths(run, known.collective, ranks))
      continue;
    if (only || known.collective == Collective::send_recv) return std::nullopt;
    only = known.collective;
  }
  return only;
}

void choose_collective(const NcclTestsRun& run, const std::string& file, const ImportRules& rules,
                       NcclTestsShape& shape) {
  if (!run.program.empty()) {
    shape.collective = collective_of_program(run.program);
    if (!shape.collective) {
      shape.refusal = fmt::format("{} is none of the collectives known here", run.program);
    } else if (rules.collective && *rules.collective != *shape.collective) {
      shape.refusal = fmt::format("it says {}, not the collective asked for", run.program);
    }
    return;
  }
  shape.collective = rules.collective ? rules.collective : collective_of_file(file);
  if (!shape.collective) {
    shape.collective = implied_collective(run, shape.ranks > 0 ? shape.ranks : rules.ranks);
  }
  if (!shape.collective) {
    shape.refusal =
        "neither the text nor the file's name says which collective it is: say --collective";
  }
}

// The ratio of the bandwidths tells the ranks apart while it is printed with enough digits.
std::string implied_ranks(const NcclTestsRun& run, Collective collective) {
  std::int32_t least = 0, most = 0;
  for (std::int32_t ranks = 2; ranks <= most_implied_ranks; ++ranks) {
    if (!fits_bandwidths(run, collective, ranks)) continue;
    least = least == 0 ? ranks : least;
    most = ranks;
  }
  if (least == 0) return "no number of ranks fits its bandwidths";
  if (least == most) return fmt::format("its bandwidths fit {}", least);
  if (most == most_implied_ranks) return fmt::format("its bandwidths fit {} and more", least);
  return fmt::format("its bandwidths fit {} to {}", least, most);
}

void count_ranks(const NcclTestsRun& run, NcclTestsShape& shape) {
  std::set<std::int32_t> ranks, groups;
  std::map<std::string, std::int32_t> hosts;
  for (const NcclTestsDevice& device : run.devices) {
    groups.insert(device.group);
    if (ranks.insert(device.rank).second) ++hosts[device.host];
    if (shape.device.empty()) shape.device = device.name;
    if (device.name != shape.device && !device.name.ends_with("...")) {
      shape.refusal =
          fmt::format("its devices are not alike ({} and {})", shape.device, device.name);
    }
  }
  if (groups.size() > 1) {
    shape.refusal =
        fmt::format("{} groups of ranks ran at once, each slowed by the others", groups.size());
  }
  if (run.devices_cut) return;
  shape.ranks = static_cast<std::int32_t>(ranks.size());
  shape.hosts = static_cast<std::int32_t>(hosts.size());
  const bool even = !hosts.empty() && std::all_of(hosts.begin(), hosts.end(), [&](const auto& h) {
    return h.second == hosts.begin()->second;
  });
  shape.per_host = even ? hosts.begin()->second : 0;
}

std::string unusable(const NcclTestsRun& run) {
  if (run.cpu_time) return "its times are the CPU's (-C), not the collective's";
  if (run.aggregated > 1) {
    return fmt::format("{} operations were timed as one (-m), which share their launch",
                       run.aggregated);
  }
  return {};
}

}  // namespace

NcclTestsShape shape_of(const NcclTestsRun& run, const std::string& file,
                        const ImportRules& rules) {
  NcclTestsShape shape;
  count_ranks(run, shape);
  if (shape.refusal.empty()) shape.refusal = unusable(run);
  if (!shape.refusal.empty()) return shape;
  choose_collective(run, file, rules, shape);
  if (!shape.refusal.empty()) return shape;
  if (shape.ranks > 0 && rules.ranks > 0 && shape.ranks != rules.ranks) {
    shape.refusal =
        fmt::format("it lists {} ranks, not the {} asked for", shape.ranks, rules.ranks);
  } else if (shape.ranks == 0 && rules.ranks == 0) {
    shape.refusal = fmt::format("it does not list its ranks ({}): say --ranks",
                                implied_ranks(run, *shape.collective));
  } else if (shape.ranks == 0) {
    shape.ranks = rules.ranks;
  }
  if (shape.refusal.empty() && shape.ranks == 1) {
    shape.refusal = "one rank moves nothing between GPUs";
  }
  return shape;
}

}  // namespace fabricast
