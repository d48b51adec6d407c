#include "emulator/runtime/nccl_profiler.hpp"

#include <fmt/format.h>
#include <nccl.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <vector>

namespace fabricast {

// The head of ncclProfilerEventDescr_v4_t; the fields of other events are not read.
struct NcclProfilerEvent {
  std::uint8_t type;
  void* parent;
  int rank;
  union {
    struct {
      std::uint64_t sequence;
      const char* function;
      const void* input;
      void* output;
      std::size_t count;
      int root;
      const char* type;
      std::uint8_t channels;
      std::uint8_t warps;
      const char* algorithm;
      const char* protocol;
    } collective;
    struct {
      const char* function;
      void* buffer;
      const char* type;
      std::size_t count;
      int peer;
      std::uint8_t channels;
    } transfer;
  };
};

// ncclProfiler_v4_t.
struct NcclProfilerPlugin {
  const char* name;
  ncclResult_t (*init)(void**, int*, const char*, std::uint64_t, int, int, int, void*);
  ncclResult_t (*start_event)(void*, void**, NcclProfilerEvent*);
  ncclResult_t (*stop_event)(void*);
  ncclResult_t (*record_event_state)(void*, int, void*);
  ncclResult_t (*finalize)(void*);
};

namespace {

constexpr const char* plugin_variable = "NCCL_PROFILER_PLUGIN";
constexpr const char* inside_this_program = "STATIC_PLUGIN";
// Bits of the mask and types of events: NCCL's profiler.h.
constexpr std::uint8_t collective_event = 1 << 1;
constexpr std::uint8_t transfer_event = 1 << 2;

struct Recorder {
  std::mutex mutex;
  std::vector<int*> masks;  // one per place NCCL reads its mask from; in practice one
  bool recording = false;
  bool called = false;
  NcclEvents events;
};
Recorder& recorder() {
  static Recorder instance;
  return instance;
}

std::string lower(const char* text) {
  std::string result = text != nullptr ? text : "";
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

void merge(std::string& seen, const std::string& now, bool first) {
  if (first) {
    seen = now;
  } else if (seen != now) {
    seen = "mixed";
  }
}

ncclResult_t init(void** context, int* mask, const char*, std::uint64_t, int, int, int, void*) {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  r.called = true;
  if (std::find(r.masks.begin(), r.masks.end(), mask) == r.masks.end()) r.masks.push_back(mask);
  *mask = r.recording ? collective_event | transfer_event : 0;
  *context = &r;
  return ncclSuccess;
}

ncclResult_t start_event(void*, void** handle, NcclProfilerEvent* event) {
  *handle = nullptr;
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  if (!r.recording) return ncclSuccess;
  NcclEvents& seen = r.events;
  if (event->type == collective_event) {
    const auto& c = event->collective;
    const bool first = seen.collectives++ == 0;
    merge(seen.algorithm, lower(c.algorithm), first);
    merge(seen.protocol, lower(c.protocol), first);
    seen.channels = std::max<std::int32_t>(first ? 0 : seen.channels, c.channels);
  } else if (event->type == transfer_event) {
    ++seen.transfers;
    if (seen.collectives == 0) {
      seen.channels = std::max<std::int32_t>(seen.channels, event->transfer.channels);
    }
  }
  return ncclSuccess;
}

ncclResult_t stop_event(void*) { return ncclSuccess; }
ncclResult_t record_event_state(void*, int, void*) { return ncclSuccess; }
ncclResult_t finalize(void*) { return ncclSuccess; }

}  // namespace

void offer_nccl_profiler() { setenv(plugin_variable, inside_this_program, 0); }

std::string nccl_profiler_problem() {
  const char* plugin = std::getenv(plugin_variable);
  if (plugin != nullptr && std::string_view(plugin) != inside_this_program) {
    return fmt::format("{}={} was set by the user", plugin_variable, plugin);
  }
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  return r.called ? "" : "this NCCL knows no profiler of interface 4 (it came with 2.27)";
}

void start_nccl_events() {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  r.events = {};
  r.recording = true;
  for (int* mask : r.masks) *mask = collective_event | transfer_event;
}

NcclEvents stop_nccl_events() {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  r.recording = false;
  for (int* mask : r.masks) *mask = 0;
  return r.events;
}

}  // namespace fabricast

// The name NCCL asks for; exported from the program by a link option of fabricast_runtime.
extern "C" {
extern const fabricast::NcclProfilerPlugin ncclProfiler_v4;
const fabricast::NcclProfilerPlugin ncclProfiler_v4 = {"Fabricast",
                                                       fabricast::init,
                                                       fabricast::start_event,
                                                       fabricast::stop_event,
                                                       fabricast::record_event_state,
                                                       fabricast::finalize};
}
