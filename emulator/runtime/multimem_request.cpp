#include "emulator/runtime/multimem_request.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/runtime/rank_buffers.hpp"

namespace fabricast {
namespace {

std::int64_t rounded_up(std::int64_t bytes, std::int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

void check_multimem_request(const RunRequest& request) {
  check_request(request);
  check_launches_plainly(request, "cuda");
  const ExecutionPlan& plan = *request.plan;
  if (plan.collective != Collective::all_reduce || plan.algorithm != "nvls") {
    throw UsageError(
        fmt::format("multimem does the all_reduce of nvls, this is {} by {} (the interpreter runs "
                    "those) leave --multimem out",
                    to_string(plan.collective), plan.algorithm));
  }
  if (plan.space.domains() != 1 || plan.ranks() < 2) {
    throw UsageError(
        fmt::format("multimem needs at least two ranks in one NVLink domain, these are {} in {} "
                    "(one switch reduces) leave --multimem out, or name another --machine",
                    plan.ranks(), plan.space.domains()));
  }
  if (request.hand_off != HandOff::simple) {
    throw UsageError(
        fmt::format("multimem has no protocol {} (there are no slots) leave --protocol out",
                    to_string(request.hand_off)));
  }
  if (!lane::switch_reduces(request.type, request.op)) {
    throw UsageError(
        fmt::format("no switch reduces {} by {} (PTX has multimem.ld_reduce of f32 with add only) "
                    "use --op sum or another type",
                    to_string(request.type), to_string(request.op)));
  }
  if (static_cast<std::int64_t>(plan.channels.size()) > lane::most_multimem_ctas) {
    throw UsageError(
        fmt::format("{} channels are more than the {} CTAs that multimem has use fewer",
                    plan.channels.size(), lane::most_multimem_ctas));
  }
}

lane::MultimemWork multimem_work(const RunRequest& request, std::int32_t member) {
  constexpr auto line = static_cast<std::int64_t>(lane::line_bytes);
  lane::MultimemWork work;
  work.member = member;
  work.members = request.plan->ranks();
  work.ctas = static_cast<std::int32_t>(std::max<std::size_t>(request.plan->channels.size(), 1));
  work.bytes = rounded_up(rank_buffers(request, member).input_bytes, 16);
  work.input_offset = lane::multimem_data_offset;
  work.output_offset = work.input_offset + (request.in_place ? 0 : rounded_up(work.bytes, line));
  return work;
}

std::int64_t multimem_bytes(const lane::MultimemWork& work) {
  return work.output_offset + rounded_up(work.bytes, static_cast<std::int64_t>(lane::line_bytes));
}

}  // namespace fabricast
