#include "emulator/base/heap.hpp"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace fabricast {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int mib = 1024 * 1024;
  mallopt(M_MMAP_THRESHOLD, 32 * mib);
  mallopt(M_TRIM_THRESHOLD, 256 * mib);
#endif
}

}  // namespace fabricast
