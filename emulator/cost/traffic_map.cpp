#include "emulator/cost/traffic_map.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"
#include "emulator/cost/loop_overlap.hpp"
#include "emulator/cost/traffic_builder.hpp"

namespace fabricast {
namespace {

bool same_shape(const Phase& a, const Phase& b) {
  return a.action == b.action && a.role == b.role && a.peer_in == b.peer_in &&
         a.peer_out == b.peer_out && a.active == b.active && a.chunk.count == b.chunk.count &&
         a.per_member == b.per_member;
}

bool same_shape(const Stage& a, const Stage& b, bool overlaps) {
  if (a.groups.size() != b.groups.size()) return false;
  if ((overlaps || stage_varies(a)) && a.repeat != b.repeat) return false;
  for (std::size_t g = 0; g < a.groups.size(); ++g) {
    const auto& left = a.groups[g].phases;
    const auto& right = b.groups[g].phases;
    if (!std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Phase& x, const Phase& y) { return same_shape(x, y); })) {
      return false;
    }
  }
  return true;
}

}  // namespace

TrafficMap::TrafficMap(const Topology& topology, const ExecutionPlan& plan, bool on_device) {
  TrafficBuilder(topology, plan, on_device, *this).build();
}

bool TrafficMap::matches(const ExecutionPlan& plan) const {
  if (overlaps_ && std::min(plan.loops, LoopOverlap::many_loops) != loops_) return false;
  std::size_t channels = 0;
  for (const ChannelTraffic& traffic : channels_) {
    channels += traffic.channels.size();
    const auto front = static_cast<std::size_t>(traffic.channels.front());
    if (front >= plan.channels.size()) return false;
    const auto& stages = plan.channels[front].schedule->stages;
    const auto& shape = shapes_[traffic.schedule];
    if (!std::equal(stages.begin(), stages.end(), shape.begin(), shape.end(),
                    [&](const Stage& a, const Stage& b) { return same_shape(a, b, overlaps_); })) {
      return false;
    }
  }
  return channels == plan.channels.size();
}

std::vector<ClassTraffic> TrafficMap::traffic(const ExecutionPlan& plan) const {
  FABRICAST_EXPECT(matches(plan), "a plan of this shape");
  std::vector<ClassTraffic> classes(link_classes_);
  std::vector<std::int64_t> chunks(class_of_link_.size(), 0);
  const auto& stages = plan.channels.front().schedule->stages;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const std::int64_t times = whole_stage_[s] ? 1 : stages[s].repeat;
    for (std::size_t i = 0; i < stage_chunks_[s].size(); ++i) {
      chunks[i] += stage_chunks_[s][i] * times;
    }
  }
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i] == 0) continue;
    ClassTraffic& traffic = classes[class_of_link_[i].value()];
    ++traffic.links;
    traffic.busiest_chunks = std::max(traffic.busiest_chunks, chunks[i]);
    traffic.total_chunks += chunks[i];
  }
  return classes;
}

}  // namespace fabricast
