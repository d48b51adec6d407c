#include "emulator/profile/judgement.hpp"

namespace fabricast {

// The table is the documentation of each constant: name, value, use, reason.
const std::vector<Judgement>& judgements() {
  using namespace judgement;
  static const std::vector<Judgement> table{
      {"least_sigma", least_sigma, "least σ of an observation",
       "repeats of a whole run inside one box agree to about 1 % at best, however well one run "
       "repeats its iterations"},
      {"huber", huber, "residuals beyond this many σ of the observation count linearly in a fit",
       "the usual 1.345 to 2: outlying conditions do not drag the fit, the rest lose little"},
      {"weak_below", weak_below,
       "a parameter whose posterior σ is this part of its prior's, or more, stays prior",
       "half a percent is what derivatives by differences can be trusted to"},
      {"identified_below", identified_below,
       "a parameter whose posterior σ is below this part of its prior's is identified",
       "then the samples hold three times the prior's information"},
      {"least_discrepancy", least_discrepancy, "least model error of a calibrated profile",
       "whole runs of one machine repeat no better than 1 to 2 %, whatever was held out"},
      {"unmeasured_discrepancy", unmeasured_discrepancy, "model error of a profile of priors",
       "NCCL's own model, from which the priors come, misses published tables by about this much"},
      {"unmeasured_small", unmeasured_small,
       "what NCCL's rows at the priors have beyond it at small sizes S: / (1 + (S / "
       "unmeasured_small_mib)^2)^(1/2)",
       "with it 88 and 92 % of the points of two sets of published tables lie inside their 90 % "
       "interval, without it 74 and 83 % (docs/accuracy.md, engine, and docs/validating.md)"},
      {"unmeasured_small_mib", unmeasured_small_mib, "MiB: the size that unmeasured_small is of",
       "beyond it the part that is missed at all sizes suffices"},
      {"growth_per_doubling", growth_per_doubling,
       "σ of an extrapolated row per doubling of ranks or bytes from the nearest sample",
       "1,260 times the ranks then adds 31 %: more than the model's error on priors alone"},
      {"unseen_regime", unseen_regime,
       "σ added to a row in whose regime nothing was sampled, though elsewhere something was",
       "the parameters are shared, the schedule was never checked: between the least error and "
       "that "
       "of priors"},
      {"same_generation", same_generation, "σ that rule same-generation adds",
       "boards of one GPU generation differ in clocks, firmware and library version"},
      {"same_fabric", same_fabric, "σ that rule same-fabric adds",
       "as same-generation: the same NICs and switches in another installation, other cables and "
       "settings"},
      {"other_generation", other_generation, "σ that rule other-generation-ratios adds",
       "as the priors of the ratios themselves"},
      {"other_executor", other_executor,
       "σ that rules interpreter-copy-rate and interpreter-hand-offs add",
       "another program copies: only the order of its deviation from the prior is carried"},
      {"other_traffic", other_traffic, "σ that rule pcie-copy-efficiency adds",
       "a copy to host memory and messages between GPUs share the slot, not the path behind it"},
      {"least_part_of_hop", least_part_of_hop,
       "least part of a published NVLink or PCIe hop that is hand-off, not link",
       "a machine file's latency may exceed the hop that NCCL publishes; a hand-off is never free"},
  };
  return table;
}

}  // namespace fabricast
