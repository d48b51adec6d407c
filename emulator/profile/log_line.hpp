// One line of a job's output without what launchers, terminals and NCCL's log put around it.
//
// Launchers label lines ("[1,0]<stdout>:" mpirun --tag-output, "0: " srun -l, "node1: " pdsh,
// "pod-0 | " compose) and stamp times; NCCL's log shares the stream and may follow an unfinished
// line of nccl-tests directly. Pure functions; linear in the line.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

// Nowhere in a line.
inline constexpr auto nowhere = std::string_view::npos;

struct LogLine {
  std::string stream;   // the label, e.g. "0"; empty without one
  std::string text;     // what the process itself wrote, before `library`
  std::string library;  // NCCL's own part: "NCCL INFO ...", "NCCL version ..."; or empty
};

// `hosts`: names known so far; they tell where a library line begins that follows other text.
LogLine read_log_line(std::string_view line, const std::set<std::string>& hosts);

// Words between white space.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace fabricast
