#include "tests/conformance/delayed_lanes.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "emulator/base/counter_rng.hpp"
#include "emulator/runtime/peer_links.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "kernels/lane/group.hpp"
#include "kernels/lane/interpreter.hpp"
#include "kernels/lane/line_port.hpp"

namespace fabricast::conformance {
namespace {

// One per thread.
class Delays {
 public:
  Delays(std::uint64_t seed, std::uint64_t thread) : seed_(seed), thread_(thread) {}
  void operator()() {
    const std::uint64_t draw = random_bits(seed_, thread_, index_++);
    if (draw % 64 == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(draw / 64 % 60));
    } else if (draw % 4 == 0) {
      std::this_thread::yield();
    }
  }

 private:
  std::uint64_t seed_;
  std::uint64_t thread_;
  std::uint64_t index_ = 0;
};

// Of either kind; pace() holds threads up between the lines of a message.
template <class Port>
struct DelayedPort : Port {
  Delays* delays;

  DelayedPort(const Port& port, Delays* held_up_by) : Port(port), delays(held_up_by) {}
  bool has_message(std::int32_t fifo) const { return (*delays)(), Port::has_message(fifo); }
  void pop(std::int32_t fifo) const { (*delays)(), Port::pop(fifo); }
  bool has_room(std::int32_t fifo) const { return (*delays)(), Port::has_room(fifo); }
  void push(std::int32_t fifo, std::int64_t bytes) const { (*delays)(), Port::push(fifo, bytes); }
  void pace() const { (*delays)(); }
};

// A group of one thread: sync() is before every publication, share() after every choice.
struct DelayedThread : lane::Alone {
  Delays* delays;

  explicit DelayedThread(Delays* held_up_by) : delays(held_up_by) {}
  static std::int32_t index() { return 0; }
  static std::int32_t size() { return 1; }
  static bool leader() { return true; }
  void sync() const { (*delays)(); }
  template <class Decide>
  std::int32_t share(const Decide& decide) const {
    const std::int32_t value = decide();
    (*delays)();
    return value;
  }
};

struct YieldPause {
  static void reset() {}
  bool operator()() const {
    std::this_thread::yield();
    return true;
  }
};

struct alignas(lane::line_bytes) Line {
  std::byte bytes[lane::line_bytes];
};
std::vector<Line> lines_for(std::int64_t bytes) {
  return std::vector<Line>(static_cast<std::size_t>(bytes) / lane::line_bytes + 1);
}
std::byte* start_of(std::vector<Line>& lines) { return lines.front().bytes; }

// All storage of a run; threads see views of it.
struct Machine {
  CompiledPlan compiled;
  std::vector<std::vector<Line>> memory;  // by rank
  std::vector<Line> slots;
  std::vector<lane::FifoCounters> counters;
  std::vector<lane::ProgressLine> lane_steps;
  lane::FifoPort port;
  // By rank, as on GPUs: memory that others reach, and the connections as the rank sees them.
  std::vector<std::vector<Line>> peer_memory;
  std::vector<std::vector<lane::PeerConnection>> links;

  Machine(const RunRequest& request) : compiled(compile_plan(request, 0, request.plan->ranks())) {
    const auto& image = compiled.image;
    for (std::size_t r = 0; r < image.buffers.size(); ++r) {
      const auto& b = image.buffers[r];
      auto& lines = memory.emplace_back(lines_for(b.allocation_bytes));
      std::memset(start_of(lines), 0xFF, static_cast<std::size_t>(b.allocation_bytes));
      const std::span<std::byte> input(start_of(lines) + b.input_offset,
                                       static_cast<std::size_t>(b.input_bytes));
      fill_input(request, static_cast<std::int32_t>(r), input);
      if (b.contribution_offset < 0) continue;
      std::copy(input.begin(), input.end(), start_of(lines) + b.contribution_offset);
    }
    slots = lines_for(image.fifos * static_cast<std::int64_t>(image.depth) * image.slot_bytes);
    counters.resize(static_cast<std::size_t>(image.fifos));
    lane_steps.resize(image.lanes.size());
    port = {counters.data(), start_of(slots), image.slot_bytes, image.depth};
  }

  // Each rank compiles and lays out its own part; entries of the common program name them.
  void link_peers(const RunRequest& request) {
    std::vector<CompiledPlan> parts;
    std::vector<PlaceLayout> layouts;
    std::vector<std::byte*> memory_of;
    for (std::int32_t r = 0; r < request.plan->ranks(); ++r) {
      parts.push_back(compile_plan(request, r, r + 1));
      parts.back().image.slot_bytes = compiled.image.slot_bytes;
      layouts.push_back(place_layout_from(text_of(layout_of_place(parts.back()))));
      memory_of.push_back(start_of(peer_memory.emplace_back(lines_for(layouts.back().bytes))));
    }
    for (const auto& part : parts) {
      const auto own = link_place(part, layouts, memory_of);
      auto& all = links.emplace_back(compiled.connections.size());
      for (std::size_t c = 0; c < compiled.connections.size(); ++c) {
        for (std::size_t o = 0; o < own.size(); ++o) {
          if (same_connection(compiled.connections[c], part.connections[o])) all[c] = own[o];
        }
      }
    }
  }
  static bool same_connection(const Connection& a, const Connection& b) {
    return a.source == b.source && a.destination == b.destination && a.label == b.label;
  }

  lane::LaneView view(std::size_t l) {
    const auto rank = static_cast<std::size_t>(compiled.image.lanes[l].rank);
    return view_of(compiled.image, l, start_of(memory[rank]));
  }
};

// The lanes of every thread, in the order in which it looks at them.
std::vector<std::vector<std::size_t>> assign(const CompiledPlan& compiled, const DelayedRun& run) {
  std::vector<std::vector<std::size_t>> threads;
  std::int32_t rank = -1;
  for (std::size_t l = 0; l < compiled.image.lanes.size(); ++l) {
    const auto& lane = compiled.image.lanes[l];
    if (run.order == LaneOrder::one_thread_each || lane.rank != rank) threads.emplace_back();
    rank = lane.rank;
    const bool withheld = std::find(run.withheld.begin(), run.withheld.end(),
                                    static_cast<std::int32_t>(l)) != run.withheld.end();
    if (!withheld) threads.back().push_back(l);
  }
  for (auto& lanes : threads) {
    if (run.order == LaneOrder::reversed) std::reverse(lanes.begin(), lanes.end());
    if (run.order != LaneOrder::shuffled) continue;
    std::sort(lanes.begin(), lanes.end(), [&](std::size_t a, std::size_t b) {
      return random_bits(run.seed, a, 1) < random_bits(run.seed, b, 1);
    });
  }
  return threads;
}

void run_thread(Machine& machine, const std::vector<std::size_t>& lanes, std::int32_t thread,
                std::uint64_t seed, const lane::RunControl& control) {
  std::vector<lane::LaneView> views;
  std::vector<lane::LaneCursor> cursors;
  for (const std::size_t l : lanes) {
    views.push_back(machine.view(l));
    cursors.push_back(views.back().start());
  }
  Delays delays(seed, static_cast<std::uint64_t>(thread));
  YieldPause pause;
  const auto& image = machine.compiled.image;
  const auto run_on = [&](const auto& fifos) {
    lane::with_port(image.hand_off, fifos, image.orders_lanes, [&](const auto& port) {
      const DelayedPort delayed(port, &delays);
      lane::run_lanes(views.data(), cursors.data(), static_cast<std::int32_t>(views.size()), thread,
                      delayed, image.data, control, DelayedThread(&delays), pause);
    });
  };
  if (machine.links.empty() || lanes.empty()) return run_on(machine.port);
  const auto rank = static_cast<std::size_t>(image.lanes[lanes.front()].rank);
  run_on(lane::PeerPort{machine.links[rank].data(), image.slot_bytes, image.depth});
}

}  // namespace

DelayedResult run_delayed(const RunRequest& request, const DelayedRun& run) {
  Machine machine(request);
  if (run.peers) machine.link_peers(request);
  const auto assignment = assign(machine.compiled, run);
  std::vector<lane::ProgressLine> progress(assignment.size());
  std::uint64_t stop = 0;
  lane::StallRecord stall;
  const lane::RunControl control{progress.data(),
                                 static_cast<std::int32_t>(progress.size()),
                                 &stop,
                                 &stall,
                                 static_cast<std::uint64_t>(run.stall_limit_seconds * 1e9),
                                 machine.lane_steps.data()};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < assignment.size(); ++t) {
    threads.emplace_back([&, t] {
      run_thread(machine, assignment[t], static_cast<std::int32_t>(t), run.seed, control);
    });
  }
  for (auto& thread : threads) thread.join();
  DelayedResult result;
  if (stop != 0) {
    result.stall = describe_stall(machine.compiled, stall);
    return result;
  }
  ExpectedOutputs expected(request);
  for (std::size_t r = 0; r < machine.memory.size(); ++r) {
    const auto& b = machine.compiled.image.buffers[r];
    result.wrong += expected.count_mismatches(
        static_cast<std::int32_t>(r),
        {start_of(machine.memory[r]) + b.output_offset, static_cast<std::size_t>(b.output_bytes)});
  }
  return result;
}

}  // namespace fabricast::conformance
