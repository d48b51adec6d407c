#include "bench/harness/library_choices.hpp"

#include <fmt/format.h>

#include <string>

namespace fabricast {

void describe_choices(MeasureReport& report) {
  for (const auto& entry : report.cases) {
    if (!entry.choice) continue;
    const LibraryChoice& c = *entry.choice;
    const auto or_unknown = [](const std::string& text) {
      return text.empty() ? std::string("unknown") : text;
    };
    report.samples.environment[fmt::format(
        "library_choice {} {}", to_string(entry.conditions.collective), entry.conditions.bytes)] =
        fmt::format("algorithm {}, protocol {}, channels {} ({}); estimate {} ({})",
                    or_unknown(c.algorithm), or_unknown(c.protocol),
                    c.channels > 0 ? std::to_string(c.channels) : "unknown", c.source,
                    c.estimate_us > 0 ? fmt::format("{} us", c.estimate_us) : "none",
                    c.estimate_source);
  }
}

}  // namespace fabricast
