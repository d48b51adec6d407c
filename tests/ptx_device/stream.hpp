// Streams and events: work in order on a thread per stream, at the same time as that of others.
#pragma once

#include <cuda_runtime_api.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace fabricast::ptx {

using Work = std::function<void()>;

// Thread safe. Its thread starts with its first work and ends with nobody holding the stream.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  struct Mark {
    std::shared_ptr<Stream> stream;
    std::uint64_t count = 0;  // of its works
    void wait() const { stream->wait(count); }
  };

  Stream(int device, bool blocking) : device_(device), blocking_(blocking) {}

  int device() const { return device_; }
  bool blocking() const { return blocking_; }  // in order with the default stream

  // After all that `after` marks.
  void put(Work work, std::vector<Mark> after = {});
  Mark mark();  // all that has been put
  void wait(std::uint64_t count);
  bool idle();

  // Only of the thread that captures; what is captured is not put.
  std::optional<std::vector<Work>> captured;

 private:
  struct Item {
    Work work;
    std::vector<Mark> after;
  };
  void run();

  const int device_;
  const bool blocking_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  std::uint64_t put_ = 0, done_ = 0;
  bool running_ = false;
};

std::shared_ptr<Stream> create_stream(bool blocking,
                                      cudaStream_t& handle);  // of the current device
bool destroy_stream(cudaStream_t handle);
// Of the default handle: the current device's. nullptr: no stream.
std::shared_ptr<Stream> find_stream(cudaStream_t handle);

// Puts work that runs unless a kernel has faulted, and faults if it throws; in the order that the
// default stream keeps with blocking ones. While the stream captures: into the graph.
void put(Stream& stream, Work work);
// The same, for what others wait for: it runs after a fault, too.
void put_always(Stream& stream, Work work);
void wait_for_device(int device);

// Thread safe.
class Event {
 public:
  explicit Event(bool timed) : timed_(timed) {}
  bool timed() const { return timed_; }
  std::uint64_t record();               // the number of this record
  void complete(std::uint64_t record);  // now
  std::uint64_t recorded();             // the last one; 0: never
  bool completed(std::uint64_t record);
  void wait(std::uint64_t record);
  double us();  // of the last record

 private:
  const bool timed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t recorded_ = 0, completed_ = 0;
  double us_ = 0;
};

}  // namespace fabricast::ptx
