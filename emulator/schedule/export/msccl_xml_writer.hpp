// A plan's schedules as an MSCCL algorithm file, so that MSCCL and RCCL can run them.
//
// Steps to and from groups are written as the point-to-point steps that define their data; loops
// and slices are MSCCL's own business and not written. What MSCCL cannot say (send_recv, another
// root than rank 0, a lane that fans out what it receives) is refused. O(steps). Pure.
#pragma once

#include <string>

#include "emulator/schedule/plan.hpp"

namespace fabricast {

struct MscclOptions {
  std::string protocol = "Simple";  // Simple, LL or LL128
  bool in_place = false;            // is the schedule also right where input and output are one?
};

// UsageError with the reason if it cannot be written.
std::string to_msccl_xml(const ExecutionPlan& plan, const MscclOptions& options = {});

}  // namespace fabricast
