// Memory that was freed stays with the process.
//
// Rows are built, evaluated and dropped one after another, in blocks of megabytes. glibc maps and
// unmaps each block above 128 KiB (up to 32 MiB, adapting), and every page of it is faulted in and
// cleared again: up to half of the processor time of a run (docs/performance.md).
#pragma once

namespace fabricast {

// Before the first large allocation. Blocks of up to 32 MiB, the most that glibc allows to say,
// come from the heap, of which 256 MiB may lie free. Does nothing with other C libraries.
void keep_freed_memory();

}  // namespace fabricast
