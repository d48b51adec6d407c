#include "emulator/runtime/multimem_group.hpp"

#include <set>
#include <utility>
#include <vector>

#include "emulator/base/descriptor_passing.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/host_name.hpp"
#include "emulator/runtime/process_agreement.hpp"

namespace fabricast {
namespace {

constexpr double hand_out_limit_seconds = 30;

}  // namespace

MultimemGroup::MultimemGroup(Communicator processes, int device)
    : processes_(std::move(processes)), device_(device) {
  const auto hosts = processes_.all_gather(this_host());
  if (std::set<std::string>(hosts.begin(), hosts.end()).size() > 1) by_ = cuda::ShareBy::fabric;
  agreed_texts(processes_, [&] {
    std::string why = cuda::why_no_multicast(device_);
    if (why.empty() && spans_hosts()) why = cuda::why_no_fabric_handles(device_);
    if (!why.empty()) {
      throw RuntimeError("--multimem is not possible: " + why +
                         " (the interpreter runs nvls without it) leave it out");
    }
    return std::string();
  });
}

void MultimemGroup::grow(std::int64_t bytes) {
  processes_.barrier();
  if (memory_ && memory_->bytes() >= static_cast<std::size_t>(bytes)) return;
  memory_.reset();
  std::int64_t size = 0;
  agreed_texts(processes_, [&] {
    memory_ = std::make_unique<cuda::MulticastMemory>(device_, processes_.size(), by_);
    size = static_cast<std::int64_t>(memory_->size_for(static_cast<std::size_t>(bytes)));
    return std::string();
  });
  try {
    hand_out(static_cast<std::size_t>(processes_.max(size)));
    agreed_texts(processes_, [&] { return memory_->add_device(), std::string(); });
    agreed_texts(processes_, [&] { return memory_->bind(), std::string(); });
  } catch (const AgreedError&) {
    memory_.reset();
    throw;
  }
}

void MultimemGroup::hand_out(std::size_t bytes) {
  if (spans_hosts()) {
    const auto handles = agreed_texts(processes_, [&] {
      if (!processes_.is_root()) return std::string();
      memory_->create(bytes);
      return memory_->share().fabric;
    });
    agreed_texts(processes_, [&] {
      if (!processes_.is_root()) memory_->adopt({-1, handles.front()}, bytes);
      return std::string();
    });
    return;
  }
  FileDescriptor shared;
  std::unique_ptr<DescriptorServer> server;
  const auto names = agreed_texts(processes_, [&] {
    if (!processes_.is_root()) return std::string();
    memory_->create(bytes);
    shared = FileDescriptor(memory_->share().descriptor);
    server = std::make_unique<DescriptorServer>();
    return server->name();
  });
  agreed_texts(processes_, [&] {
    if (processes_.is_root()) {
      server->give(shared.get(), processes_.size() - 1, hand_out_limit_seconds);
    } else {
      const auto received = receive_descriptor(names.front(), hand_out_limit_seconds);
      memory_->adopt({received.get(), ""}, bytes);
    }
    return std::string();
  });
}

}  // namespace fabricast
