// /jobs and /job_links: jobs beside each other, as rows; and as text. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "emulator/coordinator/flow_stage.hpp"
#include "emulator/flow/job_file.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {

// Job j is row j of /results.
void add_jobs(const JobFile& file, const JobPredictions& jobs, TraceContent& content);

// A line per job of these rows of /results under a heading, with its busiest link; empty without
// any.
std::string render_jobs(const TraceContent& content, const std::set<std::int64_t>& shown);

}  // namespace fabricast
