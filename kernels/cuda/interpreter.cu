#include "kernels/cuda/interpreter.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "emulator/base/error.hpp"
#include "kernels/cuda/device_memory.cuh"
#include "kernels/cuda/gated_stream.hpp"
#include "kernels/cuda/lane_launch.hpp"

namespace fabricast::cuda {
namespace {

constexpr int poison = 0xFF;  // NaN, or -1: never a small integer's bytes

template <class T>
std::vector<std::size_t> append(std::vector<T>& all, const std::vector<T>& part,
                                std::vector<std::size_t> offsets) {
  offsets.push_back(all.size());
  all.insert(all.end(), part.begin(), part.end());
  return offsets;
}

}  // namespace

DeviceProbe probe_devices() {
  int count = 0;
  cudaError_t code = cudaGetDeviceCount(&count);
  cudaDeviceProp properties{};
  if (code == cudaSuccess && count > 0) code = cudaGetDeviceProperties(&properties, 0);
  if (code == cudaSuccess && count > 0) code = find_lane_code();
  if (code == cudaSuccess && count > 0) {
    return {count, std::string(properties.name) + (count > 1 ? " and others" : "")};
  }
  if (code == cudaSuccess) return {0, "the CUDA driver reports no device"};
  int driver = 0;
  const bool no_driver = cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0;
  cudaGetLastError();  // forget it: having no device is no error of ours
  return {0, no_driver ? std::string("no CUDA device: no NVIDIA driver is installed")
                       : std::string("no CUDA device: ") + cudaGetErrorString(code)};
}

std::vector<std::string> device_addresses() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) count = 0;
  std::vector<std::string> addresses;
  for (int d = 0; d < count; ++d) {
    char text[32] = {};
    const bool known = cudaDeviceGetPCIBusId(text, sizeof text, d) == cudaSuccess;
    addresses.emplace_back(known ? text : "");
  }
  return addresses;
}

struct Interpreter::State {
  int device = 0;
  cudaDeviceProp properties{};
  std::int32_t resident_lanes = 0;
  std::uint64_t stall_limit_ns = 10'000'000'000;
  std::optional<GatedStream> stream;

  std::vector<lane::RankBuffers> buffers;
  DeviceArray<Step> steps;
  DeviceArray<lane::StepLinks> links;
  DeviceArray<lane::LaneDependency> dependencies;
  DeviceArray<std::int32_t> bundles;
  DeviceArray<std::int32_t> block_tables;
  DeviceArray<std::byte> memory;  // all ranks' buffers
  std::vector<std::size_t> memory_offset;
  DeviceArray<std::byte> slots;
  DeviceArray<lane::FifoCounters> counters;
  DeviceArray<lane::PeerConnection> connections;  // between devices; empty: one device
  DeviceArray<lane::LaneView> lanes;
  DeviceArray<lane::LaneCursor> cursors;
  DeviceArray<lane::ProgressLine> progress;
  DeviceArray<lane::ProgressLine> lane_steps;  // empty where no lane waits for another
  DeviceArray<std::uint64_t> stop_word;
  DeviceArray<lane::StallRecord> stall_record;
  lane::FifoPort fifos;
  HandOff hand_off = HandOff::simple;
  bool orders_lanes = false;
  lane::RunData data;
  bool stalled = false;
  lane::StallRecord stall;

  void use() const { check(cudaSetDevice(device), "selecting the GPU"); }
  void upload_lanes(const lane::ProgramImage& image);
  void place_buffers(const lane::ProgramImage& image);
  void place_contributions();
  void reset_connections() const;
  void launch(const lane::RunControl& control, cudaStream_t on);
};

Interpreter::Interpreter(int device) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.device = device;
  check(cudaGetDeviceProperties(&s.properties, device), "reading GPU " + std::to_string(device));
  s.use();
  if (s.properties.cooperativeLaunch == 0) {
    throw RuntimeError(
        "this GPU cannot launch cooperatively (lanes would wait for lanes that never "
        "start) use a GPU of compute capability 6.0 or later");
  }
  s.resident_lanes =
      s.properties.multiProcessorCount *
      std::min(resident_lanes_per_sm<lane::FifoPort>(), resident_lanes_per_sm<lane::PeerPort>());
  s.stream.emplace();
}

Interpreter::~Interpreter() = default;

std::string Interpreter::description() const {
  const auto& p = state_->properties;
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const auto version = [](int v) {
    return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10);
  };
  return std::string(p.name) + ", " + std::to_string(p.multiProcessorCount) + " SMs, compute " +
         std::to_string(p.major) + "." + std::to_string(p.minor) + ", L2 " +
         std::to_string(p.l2CacheSize >> 20) + " MiB, one CTA of " +
         std::to_string(threads_per_lane) + " threads per lane, driver CUDA " + version(driver) +
         ", runtime CUDA " + version(runtime);
}

std::int32_t Interpreter::max_lanes() const { return state_->resident_lanes; }

void Interpreter::set_stall_limit(double seconds) {
  state_->stall_limit_ns = static_cast<std::uint64_t>(seconds * 1e9);
}

void Interpreter::State::place_buffers(const lane::ProgramImage& image) {
  buffers = image.buffers;
  memory_offset.clear();
  std::size_t total = 0;
  for (const auto& b : buffers) {
    memory_offset.push_back(total);
    total += (static_cast<std::size_t>(b.allocation_bytes) + 255) / 256 * 256;
  }
  memory = DeviceArray<std::byte>(total, "the ranks' buffers");
  const auto own_fifos = connections.size() > 0 ? 0 : static_cast<std::size_t>(image.fifos);
  slots =
      DeviceArray<std::byte>(own_fifos * image.depth * static_cast<std::size_t>(image.slot_bytes),
                             "the connections' slots");
  counters = DeviceArray<lane::FifoCounters>(own_fifos, "counters");
  fifos = lane::FifoPort{counters.data(), slots.data(), image.slot_bytes, image.depth};
  hand_off = image.hand_off;
  orders_lanes = image.orders_lanes;
  reset_connections();
}

// Flags of old messages must not be taken for new ones.
void Interpreter::State::reset_connections() const {
  counters.zero("counters");
  if (hand_off != HandOff::simple) slots.zero("the connections' slots");
}

void Interpreter::State::upload_lanes(const lane::ProgramImage& image) {
  std::vector<Step> all_steps;
  std::vector<lane::StepLinks> all_links;
  std::vector<lane::LaneDependency> all_dependencies;
  std::vector<std::int32_t> all_bundles, all_tables;
  std::vector<std::size_t> step_at, link_at, dependency_at, bundle_at, table_at;
  for (const auto& table : image.block_tables) table_at = append(all_tables, table, table_at);
  for (const auto& l : image.lanes) {
    step_at = append(all_steps, l.steps, std::move(step_at));
    link_at = append(all_links, l.links, std::move(link_at));
    dependency_at = append(all_dependencies, l.dependencies, std::move(dependency_at));
    bundle_at = append(all_bundles, l.bundles, std::move(bundle_at));
  }
  steps = DeviceArray<Step>(all_steps, "steps");
  links = DeviceArray<lane::StepLinks>(all_links, "links");
  dependencies = DeviceArray<lane::LaneDependency>(all_dependencies, "dependencies");
  bundles = DeviceArray<std::int32_t>(all_bundles, "bundles");
  block_tables = DeviceArray<std::int32_t>(all_tables, "block tables");
  std::vector<lane::LaneView> views;
  for (std::size_t i = 0; i < image.lanes.size(); ++i) {
    const auto& l = image.lanes[i];
    const auto rank = static_cast<std::size_t>(l.rank);
    auto view = lane::view_of(image, i, memory.data() + memory_offset[rank]);
    if (l.block_table >= 0) {
      view.layout.block_of_chunk =
          block_tables.data() + table_at[static_cast<std::size_t>(l.block_table)];
    }
    view.steps = steps.data() + step_at[i];
    view.links = links.data() + link_at[i];
    view.dependencies = dependencies.data() + dependency_at[i];
    view.bundles = bundles.data() + bundle_at[i];
    views.push_back(view);
  }
  lanes = DeviceArray<lane::LaneView>(views, "lanes");
  cursors = DeviceArray<lane::LaneCursor>(views.size(), "cursors");
  progress = DeviceArray<lane::ProgressLine>(views.size(), "progress counters");
  lane_steps =
      DeviceArray<lane::ProgressLine>(image.has_dependencies ? views.size() : 0, "step counters");
}

void Interpreter::load(const lane::ProgramImage& image,
                       const std::vector<lane::PeerConnection>& connections) {
  State& s = *state_;
  s.use();
  s.connections = DeviceArray<lane::PeerConnection>(connections, "the connections");
  if (static_cast<std::int64_t>(image.lanes.size()) > s.resident_lanes) {
    throw UsageError("this plan has " + std::to_string(image.lanes.size()) + " lanes, but only " +
                     std::to_string(s.resident_lanes) +
                     " CTAs fit on the GPU together (lanes wait for each other) use fewer ranks or "
                     "channels");
  }
  s.place_buffers(image);
  s.upload_lanes(image);
  s.stop_word = DeviceArray<std::uint64_t>(1, "the stop word");
  s.stall_record = DeviceArray<lane::StallRecord>(1, "the stall record");
  s.data = image.data;
}

void Interpreter::write_input(std::int32_t rank, std::span<const std::byte> input) {
  State& s = *state_;
  s.use();
  const auto r = static_cast<std::size_t>(rank);
  std::byte* base = s.memory.data() + s.memory_offset[r];
  const auto& b = s.buffers[r];
  if (b.allocation_bytes > 0) {
    check(cudaMemset(base, poison, static_cast<std::size_t>(b.allocation_bytes)),
          "clearing buffers");
  }
  if (input.empty()) return;
  check(cudaMemcpy(base + b.input_offset, input.data(), input.size(), cudaMemcpyHostToDevice),
        "uploading an input");
}

void Interpreter::read_output(std::int32_t rank, std::span<std::byte> output) {
  State& s = *state_;
  s.use();
  const auto r = static_cast<std::size_t>(rank);
  if (output.empty()) return;
  check(cudaMemcpy(output.data(), s.memory.data() + s.memory_offset[r] + s.buffers[r].output_offset,
                   output.size(), cudaMemcpyDeviceToHost),
        "downloading an output");
}

// Schedule::starts_in_output: a copy of the input where the schedule begins, before the clock runs.
void Interpreter::State::place_contributions() {
  for (std::size_t r = 0; r < buffers.size(); ++r) {
    const auto& b = buffers[r];
    if (b.contribution_offset < 0 || b.input_bytes == 0) continue;
    std::byte* base = memory.data() + memory_offset[r];
    check(cudaMemcpy(base + b.contribution_offset, base + b.input_offset,
                     static_cast<std::size_t>(b.input_bytes), cudaMemcpyDeviceToDevice),
          "copying an input to the output");
  }
}

void Interpreter::State::launch(const lane::RunControl& control, cudaStream_t on) {
  if (lanes.size() == 0) return;  // no rank here
  const LaneLaunch what{lanes.data(), cursors.data(), static_cast<std::int32_t>(lanes.size()),
                        data,         control,        on};
  if (connections.size() == 0) return launch_lanes(fifos, hand_off, orders_lanes, what);
  const lane::PeerPort peers{connections.data(), fifos.slot_bytes, fifos.depth};
  launch_lanes(peers, hand_off, orders_lanes, what);
}

double Interpreter::run(const std::function<void()>& before_start) {
  State& s = *state_;
  s.use();
  s.progress.zero("progress counters");
  s.lane_steps.zero("step counters");
  s.stop_word.zero("the stop word");
  s.place_contributions();
  check(cudaDeviceSynchronize(), "waiting for the GPU");
  const lane::RunControl control{
      s.progress.data(),  static_cast<std::int32_t>(s.lanes.size()),
      s.stop_word.data(), s.stall_record.data(),
      s.stall_limit_ns,   s.lane_steps.size() > 0 ? s.lane_steps.data() : nullptr};
  const bool has_peers = s.connections.size() > 0;
  const double seconds = s.stream->run(
      "running the collective on the GPU", [&] { s.launch(control, s.stream->handle()); },
      before_start);
  std::uint64_t stopped = 0;
  check(cudaMemcpy(&stopped, s.stop_word.data(), sizeof stopped, cudaMemcpyDeviceToHost),
        "reading the stop word");
  s.stalled = stopped != 0;
  if (s.stalled) {
    check(cudaMemcpy(&s.stall, s.stall_record.data(), sizeof s.stall, cudaMemcpyDeviceToHost),
          "reading the stall record");
    if (!has_peers) s.reset_connections();
  }
  s.stream->expect_opened();
  return seconds;
}

bool Interpreter::stalled() const { return state_->stalled; }
lane::StallRecord Interpreter::stall() const { return state_->stall; }

std::int64_t Interpreter::messages_left() {
  State& s = *state_;
  s.use();
  std::vector<lane::PeerConnection> entries(s.connections.size());
  std::vector<lane::FifoCounters> counters(s.counters.size());
  if (!entries.empty()) {
    check(cudaMemcpy(entries.data(), s.connections.data(), entries.size() * sizeof entries[0],
                     cudaMemcpyDeviceToHost),
          "reading the connections");
    for (const auto& entry : entries) counters.push_back(entry.own);
  }
  if (s.counters.size() > 0) {
    check(cudaMemcpy(counters.data(), s.counters.data(), counters.size() * sizeof counters[0],
                     cudaMemcpyDeviceToHost),
          "reading the counters");
  }
  std::int64_t left = 0;  // of a connection to another device only one side is counted here
  for (const auto& c : counters) {
    left += static_cast<std::int64_t>(c.sent) - static_cast<std::int64_t>(c.consumed);
  }
  return left;
}

}  // namespace fabricast::cuda
