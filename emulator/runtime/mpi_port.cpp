#include "emulator/runtime/mpi_port.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

// Tags are first_tag + epoch * tags_per_epoch + label, all below 32767, the least upper bound
// that MPI guarantees; apart from other point-to-point traffic of the program.
constexpr int first_tag = 1000;
constexpr int tags_per_epoch = 1024;
constexpr int epochs = 30;
int current_epoch = 0;

// Buffers of sends that an error left unfinished: MPI may still read them.
std::vector<std::vector<std::byte>>& abandoned_buffers() {
  static auto* buffers = new std::vector<std::vector<std::byte>>;  // never destroyed, on purpose
  return *buffers;
}

}  // namespace

void check_labels(std::int32_t labels) {
  if (labels <= tags_per_epoch) return;
  throw UsageError(fmt::format(
      "the plan has {} channels and parallel connections between two ranks, the mpi executor tells "
      "{} apart (by MPI tag) use fewer channels",
      labels, tags_per_epoch));
}

MpiPort::MpiPort(Communicator communicator, const CompiledPlan& compiled)
    : communicator_(std::move(communicator)),
      depth_(compiled.image.depth),
      slot_bytes_(static_cast<std::size_t>(compiled.image.slot_bytes)) {
  const auto prepare_end = [&](End& end, std::int32_t peer, std::int64_t total) {
    end.peer = peer;
    end.total = total;
    end.requests.resize(depth_);
    end.slots.resize(depth_ * slot_bytes_);
  };
  const auto count = compiled.connections.size();
  inbound_.resize(count);
  outbound_.resize(count);
  for (std::size_t c = 0; c < count; ++c) {
    const Connection& connection = compiled.connections[c];
    FABRICAST_EXPECT(connection.label < tags_per_epoch, "labels fit into an epoch's tags");
    tags_.push_back(first_tag + current_epoch * tags_per_epoch + connection.label);
    if (connection.receiving_lane >= 0) {
      prepare_end(inbound_[c], connection.source, connection.received);
    }
    if (connection.sending_lane >= 0) {
      prepare_end(outbound_[c], connection.destination, connection.sent);
    }
  }
}

void MpiPort::begin_new_epoch() { current_epoch = (current_epoch + 1) % epochs; }

MpiPort::~MpiPort() {
  // Nothing is left after a completed run; after a stall MPI must forget our buffers.
  const auto request_of = [this](const End& end, std::int64_t n) {
    return end.requests[static_cast<std::size_t>(n) % depth_];
  };
  try {
    for (auto& end : inbound_) {
      for (; end.completed < end.started; ++end.completed) {
        communicator_.cancel(request_of(end, end.completed), true);
      }
    }
    for (auto& end : outbound_) {
      if (end.completed == end.started) continue;
      for (; end.completed < end.started; ++end.completed) {
        communicator_.cancel(request_of(end, end.completed), false);
      }
      abandoned_buffers().push_back(std::move(end.slots));
    }
  } catch (...) {
    // MPI is failing already; the error that led here is the one to report.
    for (auto* ends : {&inbound_, &outbound_}) {
      for (auto& end : *ends) abandoned_buffers().push_back(std::move(end.slots));
    }
  }
}

std::span<std::byte> MpiPort::slot(End& end, std::int64_t message) const {
  return std::span(end.slots).subspan(static_cast<std::size_t>(message) % depth_ * slot_bytes_,
                                      slot_bytes_);
}

void MpiPort::post_receive(std::int32_t connection) {
  End& end = inbound_[static_cast<std::size_t>(connection)];
  if (end.started >= end.total || end.started - end.consumed >= static_cast<std::int64_t>(depth_))
    return;
  end.requests[static_cast<std::size_t>(end.started) % depth_] = communicator_.start_receive(
      slot(end, end.started), end.peer, tags_[static_cast<std::size_t>(connection)]);
  ++end.started;
}

void MpiPort::begin() {
  for (auto* ends : {&inbound_, &outbound_}) {
    for (auto& end : *ends) {
      FABRICAST_EXPECT(end.completed == end.started, "the last run was finished");
      end.started = end.completed = end.consumed = 0;
    }
  }
  for (std::size_t c = 0; c < inbound_.size(); ++c) {
    if (inbound_[c].peer < 0) continue;
    for (std::size_t i = 0; i < depth_; ++i) post_receive(static_cast<std::int32_t>(c));
  }
}

bool MpiPort::finish(double limit_seconds) {
  const auto start = std::chrono::steady_clock::now();
  for (auto& end : outbound_) {
    while (end.completed < end.started) {
      if (communicator_.test(end.requests[static_cast<std::size_t>(end.completed) % depth_])) {
        ++end.completed;
        continue;
      }
      const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
      if (waited.count() > limit_seconds) return false;
    }
  }
  return true;
}

bool MpiPort::has_message(std::int32_t connection) {
  End& end = inbound_[static_cast<std::size_t>(connection)];
  if (end.completed > end.consumed) return true;
  if (end.completed >= end.started) return false;  // more messages than the program receives
  if (!communicator_.test(end.requests[static_cast<std::size_t>(end.completed) % depth_]))
    return false;
  ++end.completed;
  return true;
}

const std::byte* MpiPort::front(std::int32_t connection) {
  End& end = inbound_[static_cast<std::size_t>(connection)];
  return slot(end, end.consumed).data();
}

void MpiPort::pop(std::int32_t connection) {
  ++inbound_[static_cast<std::size_t>(connection)].consumed;
  post_receive(connection);
}

bool MpiPort::has_room(std::int32_t connection) {
  End& end = outbound_[static_cast<std::size_t>(connection)];
  if (end.started - end.completed < static_cast<std::int64_t>(depth_)) return true;
  if (!communicator_.test(end.requests[static_cast<std::size_t>(end.completed) % depth_]))
    return false;
  ++end.completed;
  return true;
}

std::byte* MpiPort::back(std::int32_t connection) {
  End& end = outbound_[static_cast<std::size_t>(connection)];
  return slot(end, end.started).data();
}

void MpiPort::push(std::int32_t connection, std::int64_t bytes) {
  End& end = outbound_[static_cast<std::size_t>(connection)];
  end.requests[static_cast<std::size_t>(end.started) % depth_] =
      communicator_.start_send(slot(end, end.started).first(static_cast<std::size_t>(bytes)),
                               end.peer, tags_[static_cast<std::size_t>(connection)]);
  ++end.started;
}

}  // namespace fabricast
