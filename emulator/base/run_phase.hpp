// What this process is doing at the moment: for messages about dead and hanging runs, and for tests
// that make a process die or hang at a chosen place.
//
// FABRICAST_FAULT=KIND:PHASE:RANK in the environment makes that MPI rank (0 without MPI) fail when it
// enters the phase. Kinds: kill, segv (the signals), exit0, exit3 (leaving without MPI_Finalize),
// throw, abort (MPI_Abort), hang (an endless loop). It exists for the fault campaign and does nothing
// when unset. Thread safe.
#pragma once

#include <string_view>

namespace fabricast {

enum class RunPhase { init, measure, calibrate, distribute, simulate, write, finalize };
std::string_view to_string(RunPhase phase);

// Also counts as progress.
void enter_phase(RunPhase phase);
RunPhase current_phase();

// Something was finished. Cheap: a clock is read.
void mark_progress();

// Around calls that return only when other processes do their part.
class WaitingForOthers {
 public:
  WaitingForOthers();
  ~WaitingForOthers();
  WaitingForOthers(const WaitingForOthers&) = delete;
  WaitingForOthers& operator=(const WaitingForOthers&) = delete;
};

// A process that makes no progress for so long ends itself, and mpirun the others; 0: never.
void set_progress_limit(double seconds);

// For the thread that watches (stop.cpp): ends the process with exit code 3 when the limit is passed.
// Processes that wait for others get some seconds more, so that the one that hangs speaks first.
void end_if_stuck();

}  // namespace fabricast
