// A sweep that is part of a recorded run: what is measured goes into its record, what the record has
// from an interrupted run is not measured again.
//
// Rank 0's record; null elsewhere, or without a record: then the sink does nothing.
#pragma once

#include <cstdint>

#include "bench/harness/harness.hpp"
#include "emulator/coordinator/run_record.hpp"

namespace fabricast {

// `with_results`: every condition becomes a row of /results too. The record must outlive the sink.
MeasureSink recording_sink(RunRecord* record, std::int32_t stage, bool with_results);

}  // namespace fabricast
