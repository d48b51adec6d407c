// Damage to a trace file, as disks, copies and careless editors make it. A pure function of (seed,
// case), so that a case of a campaign can be repeated alone.
#pragma once

#include <cstdint>
#include <string>

namespace fabricast {

// Case n has damage of kind n modulo this.
inline constexpr std::uint64_t mutation_kinds = 11;

// The bytes with one kind of damage (flipped bits, random bytes, truncation, a zeroed block, bytes
// of the header, appended bytes, swapped blocks, a repeated block, metadata whose HDF5 checksum is
// made right again); they always differ from `good`. With `sealed` the seal is then made right
// again, as who edits a file on purpose would; damage to the seal itself is left out. `kind`
// receives what was done.
std::string mutated_trace(const std::string& good, std::uint64_t seed, std::uint64_t number,
                          bool sealed, std::string& kind);

}  // namespace fabricast
