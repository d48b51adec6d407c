// Text of docs/calibration.md. What it says is in the table; this file only lays it out.
#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/profile/inventory.hpp"
#include "emulator/profile/judgement.hpp"

namespace fabricast {
namespace {

constexpr std::string_view introduction = R"(# Parameters and calibration

Generated from `emulator/profile/inventory.cpp` and `inventory_priors.cpp`; a test compares it. Do not edit.

Every modeled time comes from one forward model (`emulator/cost`, `docs/semantics.md` §3) and the parameters below. A
parameter is positive and lives in log space: σ is the standard deviation of ln(value), so σ = 0.2 is about ±20 %. A profile holds
for each parameter a prior (this page, or the machine file) and a posterior (`fabricast calibrate`). A parameter that no
sample informed stays at its prior, and every prediction says which part of its time rests on what was measured.

## How costs are made of parameters

One step of b bytes, nominal link rates and latencies from the machine file:

| cost | nccl | cuda (CTAs of one GPU) | peers (the interpreter between GPUs) | host | mpi |
| --- | --- | --- | --- | --- | --- |
| launch | launch.P | cuda.launch | peer.launch | host.launch | mpi.launch |
| o | nvlink.step.ll × step_ratio.P, pcie.step.P or net.step.P by the link the step sends over (else receives from) | cuda.handoff.P | peer.K.handoff.P | host.step | mpi.step.eager up to 4 KiB, else mpi.step.rendezvous |
| g | 1 / (cta.copy_bw × wire efficiency) | (h + (1 − h) / cuda.cta_hbm_ratio) / cuda.cta_copy_bw | 1 / (peer.K.cta_bw.P × wire efficiency) | f / copy_bw.cache + (1 − f) / copy_bw.memory | 1 / mpi.copy_bw |
| L, L_credit | sum of the latencies of the route's links | 0 | as nccl | as nccl | as nccl |
| share | min over the route's links of bandwidth × min(1, efficiency) × wire efficiency / flows | 1 / (lanes × (h / cuda.l2_bw + (1 − h) / cuda.hbm_bw)) | bandwidth × min(1, peer.K.efficiency.P) × wire efficiency / flows | bandwidth / flows | bandwidth / flows |

- P is the protocol, K the link that joins the GPUs: nvlink where there is one, else pcie (no LL128 there: a line may be split). Wire efficiency (data over wire bytes, from the format of a line): LL 1/2, LL128 120/128, Simple 1; no protocol: 1.
  Over NVLink, LL's efficiency is nvlink.efficiency × nvlink.efficiency_ratio.ll; through a switch that reduces it is
  nvlink.efficiency × nvlink.efficiency_ratio.nvls.
- Steps that reduce take g × reduce_ratio (host, mpi, cuda; NCCL's channel cap holds for both).
- cuda under LL and LL128: a data byte that comes or goes in lines takes a thread block g / (wire efficiency × cuda.line_ratio.P), and an operand that is
  reduced in g × (cuda.reduce_ratio − 1) on top, a stream of plain memory as beside Simple. A schedule with one role passes lines on as they come
  (`docs/semantics.md` §3.9, line: 16 B, LL128 960 B, a warp's). Where lanes share data (several roles), a step takes cuda.order.P more, looks through its whole
  message first (cuda.await_ratio.P × the time of moving it), and where it stores and sends takes one more g, for the copy that is sent from. Slots hold the
  whole of a message under every protocol (LL: twice the bytes, LL128 16/15), so no message is cut because of its protocol.
- peers: the same steps between GPUs, lines as above with peer.K.await_ratio.P and peer.K.order.P in place of cuda's, and the rate of a thread block to another
  GPU for all that it moves: what it reads or stores at home is not told apart, but for an operand, whose data bytes lie in plain memory under every
  protocol: (peer.K.reduce_ratio − 1) / peer.K.cta_bw.P, without the wire efficiency. So does the copy of a step that stores and sends: 1 / peer.K.cta_bw.P.
  The prior of peer.K.handoff.P is NCCL's hop less the machine's links as well (below).
- peers under `multimem` (the switch reduces S bytes over n GPUs, k thread blocks each): peer.launch + 2 × peer.meeting.multimem + S / (n k) × max(1 / peer.nvlink.cta_bw.multimem,
  k (n + 1) / (bandwidth × peer.nvlink.efficiency.multimem)): two meetings, and the slower of thread block (the lane's time)
  and link (the port's). Every link carries S (1 + 1/n) bytes each way. Integers, which the switch takes 4 bytes at a time, have no parameters.
- f = 1 / √(1 + (working set / cache_size)²): nearly all while it fits, cache_size / working set when it does not; working set = the input and output buffers of all lanes of one host.
- h has f's form with cuda.l2_size and the buffers of all ranks and two FIFOs per lane: thread blocks of one GPU share one memory of two
  regimes, not links. Their port is charged for the slot written and read and for the operand read and the result stored by the step
  that sends, where lanes share data also for the look through the slot and for the result read back; what a step that only receives stores is its lane's.
- The micro-benchmarks of suites reduce_copy and memory (k thread blocks, b bytes per source, s sources) take per pass launch / passes + max(b/k × g × (1 or
  reduce_ratio), (s + 1) × b × (h / l2_bw + (1 − h) / hbm_bw)), h for a working set of (s + 1) × b; those of suite lines (`move`, `await_move`) the same with the line's time
  per byte, and two or three times their wire bytes; an ordered ping-pong takes cuda.handoff.P + cuda.order.P. The others observe their parameter directly.
- Flows of a link: lanes of the stage that cross it, all channels together (`docs/semantics.md` §5).
- A step to or from a group through the switch has one o, one g for all its bytes (a message per member where each has its own
  chunk, else one) and one occupation of its port. In such a stage shares go by bytes: every lane's port is busy for all bytes
  that its busiest link carries in a repetition. A multicast counts once on every link, a reduction as well; the own member's copy
  passes the switch like the others. In a direct group no switch helps: all members' messages count, the own copy does not, and
  there is no nvls ratio. Executors other than nccl have no groups, but for `multimem`: they are charged for the messages they send.
- **Nothing is counted twice.** NCCL publishes whole hops (0.6 µs per NVLink LL step, 2.7 / 4.0 / 14.0 µs per network step); the
  machine file already holds the route's latency. The prior of a step is the published hop minus that route (two NVLink
  links; two NIC links under one leaf), but at least a quarter of the hop on NVLink and PCIe, and over the network at least the
  proxy's overhead in NCCL's model (1.0 µs, Simple 3.0 µs). σ grows by hop / step, because the difference keeps the hop's absolute error.

## What a measurement identifies

| what is present | identifies |
| --- | --- |
| no GPU | nothing of a GPU machine; host.* or mpi.* of the machine at hand |
| 1 GPU | cuda.* (`fabricast suites`, docs/gpu-campaign.md); by transfer rules the channel's copy rate of nccl, the ratios of its protocols' hand-offs and the efficiency of PCIe |
| n GPUs, one box | launch.*, nvlink.*, cta.* from NCCL; peer.* from `mpirun measure --executor cuda` (docs/gpu.md) |
| m nodes | + net.*, nic.*, uplink efficiencies |
| imported nccl-tests logs | as the machine they came from |

Identified: posterior σ below half of the prior's. Weak: below it. Crossing a scope needs a named rule of
`emulator/calibrate/transfer.hpp`, which widens σ.

Figures of a machine file are priors as well. Their σ by origin, bandwidth / latency: datasheet {:.2f} / {:.2f}, measured {:.2f} / {:.2f},
published {:.2f} / {:.2f}, assumed {:.2f} / {:.2f} (judgement). One exception: **a nominal rate that an efficiency multiplies (nccl, peers) is stated, not
fitted**. Only their product shows in a time, so the rate stays what the file says with σ = 0, the efficiency takes the rate's σ
on top of its own (root of the sum of squares), and link capacities and the bandwidth bound are always the file's. Hosts have no
efficiency: there the rate is fitted, and capacity and bound are those of the fitted rate.

## Intervals

The variance of ln(time) is eᵀCe + discrepancy² + distance², and of NCCL's rows at the priors more at small sizes (unmeasured_small, below); the interval is ±1.645 of its root, nominally 90 %, but not below the bandwidth bound of stated rates. e are the sensitivities, C
the posterior covariance of the fit, stored as σ and correlations: a launch and a step that act alike are each uncertain while their
sum is known. The discrepancy is the model's own error. It is the least one with which nine in ten of the held-out points
(fewer than nine: the fitted ones too) lie inside their intervals, so it asks nothing of the errors' distribution; a test draws truths that
the model cannot reproduce and finds 80 to 99 % of unseen sizes inside. One discrepancy covers all sizes of a profile: where the
model is better than elsewhere, the interval is too wide. Values that a transfer rule carried are taken as independent.

## Shares and sensitivities

Two questions, two answers. *What does the time depend on?* The sensitivity |d ln T / d ln θ| of each parameter: halve a rate of
sensitivity 1 and the time doubles. A rate and the efficiency that multiplies it have the same one, so they do not sum to one; a
trace holds the three largest (`top1_id` …). *Where is the time spent?* The shares of `/result_shares`, which do: times and rates
hold their sensitivity, and a factor takes from the share of what it multiplies the part that its prior variance has in theirs
together. A stated rate has none, so its efficiency owns the whole share.

## Inventory

)";

std::string markdown_introduction() {
  using enum ParameterOrigin;
  const auto s = [](ParameterOrigin origin, bool latency) {
    return machine_figure_sigma(origin, latency);
  };
  return fmt::format(introduction, s(datasheet, false), s(datasheet, true), s(measured, false),
                     s(measured, true), s(published, false), s(published, true), s(assumed, false),
                     s(assumed, true));
}

// Generations with equal priors share a row.
std::string prior_rows(const ParameterSpec& spec) {
  std::string text;
  std::string names;
  Prior last;
  const auto flush = [&] {
    if (names.empty()) return;
    text += fmt::format("| {} | {} | {:.4g} | {:.2f} | {} | {} |\n", spec.id, names, last.value,
                        last.sigma_ln, to_string(last.origin), last.source);
    names.clear();
  };
  const bool host_only = spec.executor == ExecutorKind::host || spec.executor == ExecutorKind::mpi;
  for (const std::string& generation : parameter_generations()) {
    if ((generation == "host") != host_only) continue;
    const Prior prior = prior_of(spec, generation);
    if (!names.empty() && prior.value == last.value && prior.source == last.source) {
      names += ", " + generation;
      continue;
    }
    flush();
    names = generation;
    last = prior;
  }
  flush();
  return text;
}

}  // namespace

std::string inventory_markdown() {
  std::string text = markdown_introduction();
  text +=
      "| id | unit | sense | executor | scope | mechanism | identified by |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const ParameterSpec& spec : parameter_inventory()) {
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", spec.id, spec.unit,
                        spec.sense == ParameterSense::cost ? "cost" : "rate",
                        spec.of_machine ? "all" : to_string(spec.executor), to_string(spec.scope),
                        spec.mechanism, spec.identified_by);
  }
  text +=
      "\n## Judgement\n\nNumbers that no measurement or publication gives, and that predictions "
      "rest "
      "on; σ and errors are standard deviations of ln(time) or ln(value). The σ of machine figures "
      "above are judgement too.\n\n| name | value | use | reason |\n| --- | --- | --- | --- |\n";
  for (const Judgement& j : judgements()) {
    text += fmt::format("| {} | {:g} | {} | {} |\n", j.name, j.value, j.use, j.reason);
  }
  text +=
      "\n## Priors\n\n| id | generation | value | σ | origin | source |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const ParameterSpec& spec : parameter_inventory()) {
    if (!spec.of_machine) text += prior_rows(spec);
  }
  return text;
}

}  // namespace fabricast
