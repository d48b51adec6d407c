// MSCCL XML files of textbook algorithms, written out for any number of ranks: test input.
#pragma once

#include <string>

namespace fabricast {

// `parts` chunks per rank block everywhere.
std::string msccl_ring_all_reduce(int p, int parts);
// All pairs through scratch, with waits across thread blocks.
std::string msccl_all_pairs_all_reduce(int p, bool in_place);
std::string msccl_all_gather(int p, int parts, bool in_place);
std::string msccl_reduce_scatter(int p, int parts, bool in_place);
// All pairs: through scratch, then straight into the own block of the input. In place.
std::string msccl_all_pairs_reduce_scatter(int p);
std::string msccl_all_to_all(int p, int parts);
// A chain from (broadcast) or to (reduce) rank 0, over `chunks` chunks on two channels.
std::string msccl_chain(int p, const std::string& collective, int chunks);
// gather or scatter, root 0.
std::string msccl_star(int p, const std::string& collective, int parts);

}  // namespace fabricast
