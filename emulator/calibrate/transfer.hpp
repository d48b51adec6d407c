// Transfer rules: the only ways a measured value crosses a scope.
//
//   rule                     carries                                             adds to sigma
//   same-machine             every parameter, from a profile of the same machine          0
//   same-generation          parameters of scope gpu_generation or universal              0.15
//   same-fabric              net.step.*, nic.efficiency and nic.latency, to a machine
//                            of the same GPU generation, fabric and NICs                0.15
//   other-generation-ratios  universal ratios, to another GPU generation                  0.30
//   interpreter-copy-rate    cuda.cta_copy_bw, relative to its prior -> cta.copy_bw       0.40
//   interpreter-hand-offs    ratios of cuda.handoff.* -> nvlink.step_ratio.*              0.40
//   pcie-copy-efficiency     cuda.pcie_efficiency -> pcie.efficiency                      0.30
//
// A rule applies only to values that samples informed (origin measured). The carried value is an
// observation of the target with the inflated sigma: the target's prior still counts, and what was
// measured on the target itself is never overwritten. Sigmas of rules are judgement. Correlations
// are not carried: carried values are taken as independent, which errs on the wide side where a fit
// knew a sum better than its parts. The rest (trunks between switches, link figures, launch across
// executors, anything of a host) is never carried. A ratio of two hand-offs is carried only where
// both were measured; its sigma is the root of the sum of both squares and the rule's. One PCIe slot
// under copies of its own says what the slot can do, not what a switch between GPUs leaves of it.
#pragma once

#include <string>
#include <vector>

#include "emulator/profile/parameter.hpp"

namespace fabricast {

struct TransferRule {
  std::string name;
  std::string carries;
  double sigma_ln;
};
const std::vector<TransferRule>& transfer_rules();

}  // namespace fabricast
