#include "tests/ptx_device/stream.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <thread>

#include "tests/ptx_device/handles.hpp"
#include "tests/ptx_device/status.hpp"

namespace fabricast::ptx {
namespace {

struct Streams {
  std::mutex mutex;  // of the order in which work is put
  Handles<cudaStream_t, Stream> handles;
  std::map<int, std::shared_ptr<Stream>> defaults;  // by device
  std::vector<std::weak_ptr<Stream>> all;
};

// Never destroyed: streams may still run when the process ends.
Streams& streams() {
  static Streams& only = *new Streams;
  return only;
}

double now_us() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Destroyed streams' work too, while it runs. The caller holds the mutex.
std::vector<std::shared_ptr<Stream>> streams_of(int device) {
  auto& all = streams().all;
  std::vector<std::shared_ptr<Stream>> found;
  std::erase_if(all, [](const auto& stream) { return stream.expired(); });
  for (const auto& each : all) {
    auto stream = each.lock();
    if (stream != nullptr && stream->device() == device) found.push_back(std::move(stream));
  }
  return found;
}

// The legacy default stream waits for all streams that block, and they for it.
std::vector<Stream::Mark> earlier(const Stream& stream) {
  std::vector<Stream::Mark> marks;
  const auto& defaults = streams().defaults;
  const auto its_default = defaults.find(stream.device());
  const bool has_default = its_default != defaults.end();
  if (has_default && its_default->second.get() == &stream) {
    for (const auto& other : streams_of(stream.device())) {
      if (other.get() != &stream && other->blocking()) marks.push_back(other->mark());
    }
  } else if (has_default && stream.blocking()) {
    marks.push_back(its_default->second->mark());
  }
  return marks;
}

std::shared_ptr<Stream> default_stream() {
  const std::lock_guard lock(streams().mutex);
  auto& stream = streams().defaults[current_device()];
  if (stream == nullptr) {
    stream = std::make_shared<Stream>(current_device(), true);
    streams().all.push_back(stream);
  }
  return stream;
}

void run_unless_faulted(const Work& work) {
  if (faulted()) return;
  try {
    work();
  } catch (const std::exception& error) {
    fault(error.what());
  }
}

}  // namespace

void Stream::put(Work work, std::vector<Mark> after) {
  const std::lock_guard lock(mutex_);
  items_.push_back({std::move(work), std::move(after)});
  ++put_;
  if (!running_) std::thread([self = shared_from_this()] { self->run(); }).detach();
  running_ = true;
  changed_.notify_all();
}

Stream::Mark Stream::mark() {
  const std::lock_guard lock(mutex_);
  return {shared_from_this(), put_};
}

void Stream::wait(std::uint64_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_ >= count; });
}

bool Stream::idle() {
  const std::lock_guard lock(mutex_);
  return done_ == put_;
}

// A thread that finds nothing to do ends: the next work starts another.
void Stream::run() {
  std::unique_lock lock(mutex_);
  constexpr auto patience = std::chrono::milliseconds(100);
  while (changed_.wait_for(lock, patience, [&] { return !items_.empty(); })) {
    const Item item = std::move(items_.front());
    items_.pop_front();
    lock.unlock();
    for (const Mark& mark : item.after) mark.wait();
    item.work();
    lock.lock();
    ++done_;
    changed_.notify_all();
  }
  running_ = false;
}

std::shared_ptr<Stream> create_stream(bool blocking, cudaStream_t& handle) {
  auto stream = std::make_shared<Stream>(current_device(), blocking);
  handle = streams().handles.add(stream);
  const std::lock_guard lock(streams().mutex);
  streams().all.push_back(stream);
  return stream;
}

bool destroy_stream(cudaStream_t handle) { return streams().handles.remove(handle) != nullptr; }

std::shared_ptr<Stream> find_stream(cudaStream_t handle) {
  const bool is_default = handle == nullptr || handle == cudaStreamLegacy;
  return is_default ? default_stream() : streams().handles.find(handle);
}

void put_always(Stream& stream, Work work) {
  if (stream.captured) {
    stream.captured->push_back(std::move(work));
    return;
  }
  const std::lock_guard lock(streams().mutex);
  stream.put(std::move(work), earlier(stream));
}

void put(Stream& stream, Work work) {
  put_always(stream, [work = std::move(work)] { run_unless_faulted(work); });
}

void wait_for_device(int device) {
  std::vector<Stream::Mark> marks;
  {
    const std::lock_guard lock(streams().mutex);
    for (const auto& stream : streams_of(device)) marks.push_back(stream->mark());
  }
  for (const auto& mark : marks) mark.wait();
}

std::uint64_t Event::record() {
  const std::lock_guard lock(mutex_);
  return ++recorded_;
}
void Event::complete(std::uint64_t record) {
  const std::lock_guard lock(mutex_);
  completed_ = std::max(completed_, record);
  us_ = now_us();
  changed_.notify_all();
}
std::uint64_t Event::recorded() {
  const std::lock_guard lock(mutex_);
  return recorded_;
}
bool Event::completed(std::uint64_t record) {
  const std::lock_guard lock(mutex_);
  return completed_ >= record;
}
void Event::wait(std::uint64_t record) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return completed_ >= record; });
}
double Event::us() {
  const std::lock_guard lock(mutex_);
  return us_;
}

}  // namespace fabricast::ptx
