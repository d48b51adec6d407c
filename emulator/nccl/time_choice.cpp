#include "emulator/nccl/time_choice.hpp"

namespace fabricast {
namespace {

TimeAlgorithm time_algorithm(nccl::Algorithm algorithm) {
  switch (algorithm) {
    case nccl::Algorithm::tree:
      return TimeAlgorithm::tree;
    case nccl::Algorithm::collnet_direct:
    case nccl::Algorithm::collnet_chain:
      return TimeAlgorithm::collnet;
    case nccl::Algorithm::nvls:
      return TimeAlgorithm::nvls;
    case nccl::Algorithm::nvls_tree:
      return TimeAlgorithm::nvls_tree;
    case nccl::Algorithm::pat:
      return TimeAlgorithm::pat;
    case nccl::Algorithm::ring:
      break;
  }
  return TimeAlgorithm::ring;
}

TimeProtocol time_protocol(nccl::Protocol protocol) {
  if (protocol == nccl::Protocol::ll) return TimeProtocol::ll;
  return protocol == nccl::Protocol::ll128 ? TimeProtocol::ll128 : TimeProtocol::simple;
}

}  // namespace

TimeChoice time_choice(const nccl::Communicator& communicator, const TimeCase& time_case,
                       nccl::DataType type) {
  const nccl::Request request{time_case.collective, static_cast<std::int64_t>(time_case.bytes),
                              type};
  const nccl::Choice chosen = nccl::choose(communicator, request);
  TimeChoice choice;
  choice.channels = chosen.channels;
  choice.peer_channels = communicator.p2p_channels_per_peer;
  if (chosen.point_to_point) {
    choice.algorithm = TimeAlgorithm::point_to_point;
  } else if (time_case.shape.symmetric && time_case.shape.nodes == 1) {
    // Registered windows are taken without comparing (src/scheduler/symmetric_sched.cc).
    choice.algorithm = TimeAlgorithm::symmetric;
  } else {
    choice.algorithm = time_algorithm(chosen.algorithm);
    choice.protocol = time_protocol(chosen.protocol);
    // In-switch reduction across nodes goes on in the network's switches.
    if (choice.algorithm == TimeAlgorithm::nvls && time_case.shape.nodes > 1) {
      choice.algorithm = TimeAlgorithm::collnet;
    }
  }
  return choice;
}

}  // namespace fabricast
