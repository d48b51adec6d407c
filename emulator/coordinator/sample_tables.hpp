// SampleSet <-> the tables /samples, /sample_conditions, /sample_environment and /sample_sources of a
// trace.
//
// /sample_device is there when the set has device states.
// The trace layer knows nothing of samples; this is the one place that does both directions.
// /sample_environment (key, value) holds SampleSet::environment, so that a set that was made by the
// synthetic machine says so wherever it travels; /sample_sources is there where samples were
// imported. None of them is part of the content digest.
// Pure functions; O(samples).
#pragma once

#include "emulator/profile/sample.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {

// Appends the tables to `content`, which must not have them yet. Bytes of environment values that
// are not valid text are replaced (a foreign host name must not make a trace unwritable).
void add_sample_tables(const SampleSet& samples, TraceContent& content);

// The samples of a trace; an empty set if it has none. Throws CheckError on a malformed table: a
// missing column, an unknown name, a sample of a condition that is not there.
SampleSet read_sample_tables(const TraceContent& content);

}  // namespace fabricast
