// The process's heap: what this program asks of it beyond the defaults.
//
// Freed memory stays with the process. Rows are built, evaluated and dropped one after another, in
// blocks of megabytes. glibc maps and unmaps each block above 128 KiB (up to 32 MiB, adapting), and
// every page of it is faulted in and cleared again: up to half of the processor time of a run
// (docs/performance.md).
//
// Large blocks have large pages. The general `operator new` is replaced: it asks the kernel for
// pages of 2 MiB in blocks of 4 MiB and more, where huge pages are to be had on request
// (/sys/kernel/mm/transparent_hugepage/enabled: madvise). 500 times fewer faults, and few of the
// address translations that walks through tens of megabytes miss. Not with sanitizers, which have
// an `operator new` of their own, and not outside Linux.
#pragma once

#ifdef __has_feature  // clang, which does not define __SANITIZE_ADDRESS__
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FABRICAST_OWN_OPERATOR_NEW 0
#endif
#endif
#ifndef FABRICAST_OWN_OPERATOR_NEW
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FABRICAST_OWN_OPERATOR_NEW 1
#else
#define FABRICAST_OWN_OPERATOR_NEW 0
#endif
#endif

namespace fabricast {

// Before the first large allocation. Blocks of up to 32 MiB, the most that glibc allows to say,
// come from the heap, of which 256 MiB may lie free. Does nothing with other C libraries.
void keep_freed_memory();

}  // namespace fabricast
