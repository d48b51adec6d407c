// An open file descriptor for other processes of this host, by a Unix socket (SCM_RIGHTS).
//
// Not by pidfd_getfd(2), which needs the right to trace the other process: kernels with Yama's
// default refuse that between siblings, and the profiles of container runtimes mostly do. The
// socket has an abstract name, so nothing is left in a file system; only processes of the same user
// are answered. They must share the network namespace. Waiting is bounded. Throw RuntimeError.
#pragma once

#include <string>

namespace fabricast {

// Closes what it holds.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const { return descriptor_; }
  int release();

 private:
  int descriptor_ = -1;
};

class DescriptorServer {
 public:
  DescriptorServer();
  // By which others find it: printable, new for each server.
  const std::string& name() const { return name_; }
  // Gives a copy to so many processes, then returns. The limit is for all of them together.
  void give(int descriptor, int processes, double limit_seconds) const;

 private:
  std::string name_;
  FileDescriptor socket_;
};

FileDescriptor receive_descriptor(const std::string& name, double limit_seconds);

}  // namespace fabricast
