// Hamiltonian cycles of a torus whose links together are all links, as far as such are known.
//
// Two axes always have two that share no link (A. Kotzig, 1973, "Every Cartesian product of two
// circuits is decomposable into two Hamiltonian circuits"). Of n and m = c n members: from (a, b)
// one takes a step along the first axis where a + b = -1 mod n, else along the second; the other
// takes the opposite steps (the Gray codes of M. Bae, B. Bose, IEEE Trans. Comput. 52, 2003, for c
// = 1). Of others the lines along both axes are joined by squares, as torus_rings.cpp says. Three
// axes: each of the two cycles of a plane and the third axis are a torus of two axes again; over
// the three choices of the plane that are 12 cycles, and every link is on four of them. Whether a
// walk is a cycle through all members is checked, and walks that are not are left out; where none
// is left (an axis of two beside an odd one), or the axes do not wrap, an order back and forth
// along the axes stands in. Every cycle also backwards. O(members) each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fabricast {

// By member; `sizes` of the axes, all above one, first axis fastest.
std::vector<std::vector<std::int32_t>> torus_rings(std::span<const std::int32_t> sizes, bool wraps);

}  // namespace fabricast
