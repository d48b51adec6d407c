// Algorithm files (MSCCL .xml, MSCCL++ .json) in the -a list of a command: read once, proved, and
// held against the other options.
//
// A file has its own collective, ranks, channels and protocol; an option that says otherwise is a
// UsageError naming the option and the file. Collective calls are marked; the rest are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/schedule/import/algorithm_file.hpp"

namespace fabricast {

// A -a list, taken apart. Both empty: all.
struct AlgorithmList {
  std::vector<std::string> names;  // of the catalogue, not checked
  std::vector<std::string> paths;
};
AlgorithmList algorithm_list(const char* option, const std::string& text);

inline constexpr std::int64_t most_schedule_file_bytes = 64 << 20;  // public ones reach a few MB
bool is_schedule_file(const std::string& what);

// Collective: rank 0 reads, everybody has its bytes. Throws AgreedError: IoError or UsageError
// ("file:line: why") of rank 0.
AlgorithmFiles load_algorithm_files(const Communicator& communicator,
                                    const std::vector<std::string>& paths);

// Throws CheckError unless the file's schedule is right, ordered and free of deadlock.
void prove(const AlgorithmFile& file, bool in_place);

// The collective option: as asked for, each file's among them; when it was not given, the files'.
std::vector<Collective> collectives_option(const AlgorithmFiles& files, const char* option,
                                           const std::string& text, bool given);
void expect_ranks(const AlgorithmFiles& files, const char* option,
                  std::int32_t ranks);  // 0: not given
void expect_channels(const AlgorithmFiles& files, const char* option,
                     std::int32_t channels);  // 0: not given
// Does the file itself say that it may run in place?
void expect_in_place(const AlgorithmFiles& files, const char* option);
// `op` is what runs; `given`: by the user.
std::string reduction_option(const AlgorithmFiles& files, const char* option, std::string op,
                             bool given, bool alone);

}  // namespace fabricast
