#include "emulator/base/descriptor_passing.hpp"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/interrupted_call.hpp"

namespace fabricast {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what) {
  throw RuntimeError(
      fmt::format("{} failed ({}) processes of one host must share its network "
                  "namespace: start them in one container",
                  what, std::strerror(errno)));
}

// Abstract: the path begins with a zero byte.
struct Address {
  sockaddr_un address{};
  socklen_t bytes;

  explicit Address(const std::string& name) {
    address.sun_family = AF_UNIX;
    const auto length = std::min(name.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, name.data(), length);
    bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

FileDescriptor new_socket() {
  FileDescriptor descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0) fail("making a socket");
  return descriptor;
}

Clock::time_point deadline_after(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// False at the deadline.
bool wait_readable(int descriptor, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wanted{descriptor, POLLIN, 0};
    const int ready = poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) fail("waiting for a process");
    if (left <= 0) return false;
  }
}

bool is_same_user(int connection) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
         peer.uid == geteuid();
}

// One byte of data, with or without a descriptor beside it.
struct Message {
  char data = 0;
  iovec part{&data, 1};
  alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};

  Message() {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
};

bool send_descriptor(int connection, int descriptor) {
  Message message;
  cmsghdr* entry = CMSG_FIRSTHDR(&message.header);
  entry->cmsg_level = SOL_SOCKET;
  entry->cmsg_type = SCM_RIGHTS;
  entry->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(entry), &descriptor, sizeof descriptor);
  return while_interrupted([&] { return sendmsg(connection, &message.header, MSG_NOSIGNAL); }) == 1;
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}
FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}
int FileDescriptor::release() { return std::exchange(descriptor_, -1); }

DescriptorServer::DescriptorServer() {
  std::uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) fail("drawing a name");
  name_ = fmt::format("fabricast-{}-{:016x}", getpid(), random);
  socket_ = new_socket();
  const Address address(name_);
  if (bind(socket_.get(), address.get(), address.bytes) != 0 || listen(socket_.get(), 128) != 0) {
    fail("opening a socket");
  }
}

void DescriptorServer::give(int descriptor, int processes, double limit_seconds) const {
  const auto deadline = deadline_after(limit_seconds);
  for (int given = 0; given < processes;) {
    if (!wait_readable(socket_.get(), deadline)) {
      throw RuntimeError(
          fmt::format("only {} of {} processes came for a handle of GPU memory "
                      "within {} s (the others are stopped, or in another "
                      "container) start all in one",
                      given, processes, limit_seconds));
    }
    const FileDescriptor connection(
        while_interrupted([&] { return accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC); }));
    if (connection.get() < 0) fail("accepting a process");
    // Who has gone again says why itself.
    const bool took =
        is_same_user(connection.get()) && send_descriptor(connection.get(), descriptor);
    given += took ? 1 : 0;
  }
}

FileDescriptor receive_descriptor(const std::string& name, double limit_seconds) {
  const auto deadline = deadline_after(limit_seconds);
  const FileDescriptor connection = new_socket();
  const Address address(name);
  if (while_interrupted([&] { return connect(connection.get(), address.get(), address.bytes); }) !=
      0) {
    fail("reaching the process that has a handle of GPU memory");
  }
  Message message;
  if (!wait_readable(connection.get(), deadline)) {
    throw RuntimeError(
        fmt::format("no handle of GPU memory came within {} s (its process is "
                    "stopped) start again",
                    limit_seconds));
  }
  const auto got = while_interrupted(
      [&] { return recvmsg(connection.get(), &message.header, MSG_CMSG_CLOEXEC); });
  const cmsghdr* entry = got == 1 ? CMSG_FIRSTHDR(&message.header) : nullptr;
  if (entry == nullptr || entry->cmsg_type != SCM_RIGHTS) {
    throw RuntimeError(
        "a process gave no handle of GPU memory (it failed, or has another user) see its message");
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(entry), sizeof descriptor);
  return FileDescriptor(descriptor);
}

}  // namespace fabricast
