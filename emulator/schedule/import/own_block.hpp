// In-place programs of collectives whose output is one block (reduce_scatter, scatter), made out of
// place: their output cannot hold the input, so the rank's own block is copied there first.
//
// The first thread block that touches it begins with that copy; the others that touch it begin
// with a wait for it. O(steps). Pure.
#pragma once

#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

// `program` has been checked. Does nothing to other programs.
void copy_own_blocks(FileProgram& program);

}  // namespace fabricast
