// What both kinds of algorithm files are put through: read, and proved if the proof is cheap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "emulator/schedule/import/algorithm_file.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace fabricast {

// Chunks of all ranks that a proof within milliseconds may hold.
inline constexpr std::int64_t most_chunks_to_prove = 1 << 14;

inline int read_and_prove(const std::uint8_t* data, std::size_t size, const std::string& path) {
  return parse_or_refuse(data, size, path, [](const std::string& text, const std::string& file) {
    const ImportedSchedule imported = read_algorithm_file(text, file);
    const Schedule& schedule = *imported.schedule;
    if (!is_printable_line(schedule.algorithm)) {
      report_finding("name is no printable line", schedule.algorithm);
    }
    const std::int64_t chunks = std::int64_t{schedule.chunks} + schedule.scratch_chunks;
    if (chunks * schedule.positions() > most_chunks_to_prove) return;
    VerifyOptions options;
    options.in_place = imported.in_place;
    static_cast<void>(verify(plan_of(imported.schedule, 0, 4, {}), options));
  });
}

}  // namespace fabricast
