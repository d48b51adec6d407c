// Does a program move chunks to places of another length? Chunks of a message that does not divide
// evenly differ in length: part j of every rank's block is as long as part j of another block, and
// chunk c as long as itself, but not as others. A program that keeps every value at such a place
// runs at any size; one that does not, or uses scratch, needs equal chunks.
//
// O(steps). Pure.
#pragma once

#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

// `program` has been checked.
bool moves_chunks(const FileProgram& program);

}  // namespace fabricast
