// Standard input, output and error of a process that may have been started without them.
//
// A closed descriptor 0, 1 or 2 is taken by the next file that is opened: a trace being written
// would receive what is printed. Not thread safe: for the beginning of main.
#pragma once

#include <exception>

#include "emulator/base/error.hpp"

namespace fabricast {

// Occupies closed descriptors with /dev/null, opened for reading: what is printed there fails, as
// it should, instead of ending up in a file.
void occupy_standard_streams();

// Throws IoError unless everything printed so far has left the process.
void flush_standard_output();

// Any exception as one of ours, with exit code and message: what standard output, the file system
// and memory refuse are errors of the environment, all else is a bug.
Error as_error(const std::exception& exception);

}  // namespace fabricast
