// How long NCCL takes for one collective: closed forms of the pipelines that the engines sweep.
//
// A collective is a launch, hops (a flag hand-off each, by protocol and link) and bytes that pass
// the slowest of channel, NVLink or PCIe, and NIC. Hops and bytes overlap as far as chunks and
// slices allow (`overlap` in time_model.cpp). Microseconds. Constant time, no allocation,
// thread safe.
#pragma once

#include "emulator/nccl/time_mechanism.hpp"
#include "emulator/nccl/time_shape.hpp"

namespace fabricast {

// `values` are the mechanisms of the case's system. Positive and finite. `used`, where given: those
// that were read; the time does not depend on the others.
double time_us(const TimeCase& time_case, const TimeChoice& choice, const MechanismValues& values,
               MechanismSet* used = nullptr);

}  // namespace fabricast
