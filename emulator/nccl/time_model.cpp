#include "emulator/nccl/time_model.hpp"

#include <algorithm>
#include <cmath>

namespace fabricast {
namespace {

constexpr double kib = 1024, mib = 1024 * 1024;
// Latency and bytes of a pipeline overlap in part: (a^p + b^p)^(1/p), p between the sum (1) and
// the larger of the two (infinity). Judgement, between the tuner's sum and the engines' maximum:
// of 1.5 and 2, the latter.
double overlap(double a, double b) { return std::sqrt(a * a + b * b); }
// The larger of two that run side by side, as repeats blur it: p = 8.
double slower(double a, double b) {
  const double a2 = a * a, b2 = b * b;
  return std::sqrt(std::sqrt(overlap(a2 * a2, b2 * b2)));
}
// Two stages of one pipeline, chunk by chunk: p = 4, judgement between the two above.
double staged(double a, double b) { return std::sqrt(overlap(a * a, b * b)); }

// One case with its mechanism values at hand.
class Pipeline {
 public:
  Pipeline(const TimeCase& time_case, const TimeChoice& choice, const MechanismValues& values)
      : shape_(time_case.shape),
        collective_(time_case.collective),
        choice_(choice),
        values_(values),
        bytes_(std::max(time_case.bytes, 1.0)),
        n_(shape_.ranks),
        nodes_(shape_.nodes),
        local_(shape_.ranks_per_node()) {}

  // A series of calls is timed: the host enqueues the next ones while the device works.
  double time() const { return slower(enqueue(), of(Mechanism::kernel_start) + work()); }

  // What time() has read.
  MechanismSet used() const { return used_; }

 private:
  double of(Mechanism mechanism) const {
    used_ |= mechanism_bit(mechanism);
    return values_[index_of(mechanism)];
  }

  double work() const {
    switch (choice_.algorithm) {
      case TimeAlgorithm::tree:
        return tree();
      case TimeAlgorithm::nvls:
        return switch_latency() + switch_bytes() + small_loops(switch_loop());
      case TimeAlgorithm::nvls_tree:
        return nvls_tree();
      case TimeAlgorithm::collnet:
        return collnet();
      case TimeAlgorithm::symmetric:
        return symmetric();
      case TimeAlgorithm::point_to_point:
        return point_to_point();
      case TimeAlgorithm::pat:
        return pat();
      case TimeAlgorithm::ring:
        break;
    }
    return ring();
  }

  double enqueue() const {
    const double calls = std::pow(shape_.host_ranks, of(Mechanism::launch_sharing));
    return of(Mechanism::launch) * calls *
           (shape_.graph_launch ? of(Mechanism::graph_launch_ratio) : 1);
  }

  double protocol_efficiency() const {
    if (choice_.protocol == TimeProtocol::ll) return of(Mechanism::ll_efficiency);
    if (choice_.protocol == TimeProtocol::ll128) return of(Mechanism::ll128_efficiency);
    return 1;
  }

  double link_hop() const {
    const double ll = of(Mechanism::link_hop_ll);
    if (choice_.protocol == TimeProtocol::ll) return ll;
    return ll * of(choice_.protocol == TimeProtocol::ll128 ? Mechanism::link_hop_ratio_ll128
                                                           : Mechanism::link_hop_ratio_simple);
  }

  double net_hop() const {
    const double ll = of(Mechanism::net_hop_ll);
    if (choice_.protocol == TimeProtocol::ll) return ll;
    return ll * of(choice_.protocol == TimeProtocol::ll128 ? Mechanism::net_hop_ratio_ll128
                                                           : Mechanism::net_hop_ratio_simple);
  }

  double tree_net_hop() const {
    return net_hop() * (choice_.protocol == TimeProtocol::simple ? 1 : of(Mechanism::tree_net_hop));
  }

  // What a network message of `data` bytes costs its proxy, and adds to its way.
  double rendezvous(double data) const {
    const bool lines = choice_.protocol == TimeProtocol::ll;
    const double wire = lines ? 2 * data : data;
    const double ratio = wire / (of(Mechanism::net_eager_bytes) * kib);
    const double steep = ratio * ratio * ratio * ratio;  // a step, but differentiable
    const double check = lines ? of(Mechanism::net_ll_check) * wire / kib : 0;
    return of(Mechanism::net_rendezvous) * steep / (1 + steep) + check;
  }
  double nics() const {
    return std::max(1.0, std::min(shape_.nic_gbps / shape_.one_nic_gbps, local_));
  }
  // A channel has one NIC.
  double busy_nics() const { return std::min(nics(), choice_.channels); }
  double messages_time(double messages, double data) const {
    return messages / busy_nics() * (of(Mechanism::net_message) + rendezvous(data));
  }

  double ramp(Mechanism mechanism) const {
    return 1 + std::sqrt(of(mechanism) * mib / std::max(bytes_, mib));
  }

  // Bytes per microsecond of one GPU's links and of a node's NICs, without the protocol's part.
  double full_link_rate() const { return shape_.link_gbps * 1e3 * of(Mechanism::link_efficiency); }
  double link_rate() const { return full_link_rate() / ramp(Mechanism::ramp_bytes); }
  double channels_rate() const { return choice_.channels * of(Mechanism::channel_gbps) * 1e3; }
  // How far a job spreads: in groups of a dragonfly (Slingshot: 32 switches with 16 NICs each, all
  // joined), in pairs of nodes elsewhere.
  double spread() const {
    if (shape_.network != TimeNetwork::slingshot) return nodes_ / 2;
    return std::max(1.0, nodes_ * shape_.nic_gbps / shape_.one_nic_gbps / 512);
  }
  double full_nic_rate(Mechanism loss) const {
    return shape_.nic_gbps * 1e3 * of(Mechanism::nic_efficiency) * std::pow(spread(), -of(loss));
  }
  double nic_rate(Mechanism loss) const {
    return full_nic_rate(loss) / ramp(Mechanism::net_ramp_bytes);
  }

  double ring() const {
    const bool chain = collective_ == Collective::broadcast || collective_ == Collective::reduce;
    const double rounds = collective_ == Collective::all_reduce ? 2 : 1;
    const double net_hops = nodes_ > 1 ? rounds * (chain ? nodes_ - 1 : nodes_ - 1) : 0;
    const double hops = rounds * (n_ - 1) - net_hops;
    const double moved = bytes_ * (chain ? 1 : rounds * (n_ - 1) / n_);
    double rate = channels_rate();
    if (local_ > 1) rate = std::min(rate, link_rate());
    if (nodes_ > 1) {
      rate = std::min(rate, nic_rate(Mechanism::net_scale_loss) * busy_nics() / nics());
    }
    // Every loop over the ring pays its hops again.
    const double loop_bytes = chunk_bytes() * choice_.channels * (chain ? 1 : n_);
    const double loops = chain ? 1 : std::max(1.0, bytes_ / loop_bytes);
    double latency = hops * link_hop();
    if (nodes_ > 1) {
      const double data = std::min(chunk_bytes(), bytes_ / choice_.channels / (chain ? 1 : n_));
      latency += net_hops * (net_hop() + rendezvous(data));
      const double messages = choice_.channels * (chain ? 1 : rounds * (n_ - 1));
      latency = overlap(latency, messages_time(messages, data));
    }
    return overlap(latency * loops, moved / (rate * protocol_efficiency()));
  }

  double chunk_bytes() const {
    if (choice_.protocol == TimeProtocol::ll) return 32 * kib;
    if (choice_.protocol == TimeProtocol::ll128) return 576000;
    return 2 * mib;
  }

  double depth() const { return std::ceil(std::log2(nodes_)); }

  // Data of one network message and hand-off of a tree; chunks: enqueue.cc, calcCollChunking.
  double tree_chunk() const {
    const double share = bytes_ / choice_.channels;
    if (choice_.protocol == TimeProtocol::ll) return std::min(share, 32 * kib);
    if (choice_.protocol == TimeProtocol::simple) return std::min(share, 512 * kib);
    const double stages = 1 + std::floor(std::log2(nodes_)) + 0.1 * local_;
    double chunk = 576000;
    while (share / chunk < 64 * stages / local_ && chunk > 128 * kib) chunk /= 2;
    while (share / chunk < 16 * stages / local_ && chunk > 32 * kib) chunk /= 2;
    return std::min(share, chunk);
  }

  // The first chunk of every channel goes up and down, stored, reduced or copied by its block and
  // forwarded at each network hop; the others follow at the rate of the slowest stage. A NIC
  // carries every byte twice each way: inner nodes of one of the two trees have two children.
  double tree() const {
    const double link_hops = 2 * (local_ - 1), net_hops = 2 * depth();
    const double chunk = tree_chunk(), wave = chunk * choice_.channels;
    double rate = channels_rate() / 2;
    if (local_ > 1) rate = std::min(rate, full_link_rate() / 2);
    rate *= of(Mechanism::tree_efficiency) * protocol_efficiency();
    double first = link_hops * link_hop();
    // Simple hands over whole chunks inside a node, LL and LL128 lines.
    if (choice_.protocol == TimeProtocol::simple) first += link_hops * wave / (2 * rate);
    if (nodes_ > 1) {
      const double nic =
          full_nic_rate(Mechanism::tree_scale_loss) * busy_nics() / nics() * protocol_efficiency();
      const double copy = chunk / (of(Mechanism::channel_gbps) * 1e3 * protocol_efficiency());
      first += net_hops * (tree_net_hop() + rendezvous(chunk) + wave / nic + copy);
      const double streams = nodes_ > 2 ? 2 : 1;
      const double messages = messages_time(streams * choice_.channels, chunk);
      rate = std::min(rate, wave / (streams * wave / nic + messages));
    }
    return first + (bytes_ - wave) / rate;
  }

  // One rank per node: log2 of them in messages for small sizes, every byte once through the NIC.
  double pat() const {
    const double latency = std::ceil(std::log2(n_)) * net_hop();
    const double rate = std::min(channels_rate(), nic_rate(Mechanism::net_scale_loss));
    return overlap(latency, bytes_ * (n_ - 1) / n_ / rate);
  }

  double heads() const { return std::min(local_, 32.0); }

  // Half of it for every eight heads: a block's warps visit the heads one after another.
  double switch_latency() const { return of(Mechanism::nvls_latency) * (0.5 + heads() / 16); }

  double switch_channels() const {
    return shape_.generation == TimeGeneration::hopper ? 16 : nodes_ > 1 ? 32 : 24;
  }

  // Bytes of one loop over channels and heads; chunks: enqueue.cc, calcCollChunking.
  double switch_loop() const {
    const double channels = switch_channels();
    const double share = bytes_ / channels;
    double chunk = nodes_ > 3 ? 64 * kib : 128 * kib;
    if (share < 64 * heads() * chunk && chunk > 64 * kib) chunk = 64 * kib;
    if (share < 8 * heads() * chunk && chunk > 32 * kib) chunk = 32 * kib;
    if (share < 2 * heads() * chunk && chunk > 16 * kib) chunk = 16 * kib;
    return std::min(bytes_, chunk * heads() * channels);
  }

  // What loops wait beyond those of the largest chunk, whose waits the rate holds.
  double small_loops(double loop) const {
    const double largest = 128 * kib * heads() * switch_channels();
    return of(Mechanism::nvls_loop) * std::max(0.0, bytes_ / loop - bytes_ / largest);
  }

  double switch_bytes() const {
    return (bytes_ + of(Mechanism::nvls_fill) * switch_loop()) /
           (shape_.link_gbps * 1e3 * of(Mechanism::nvls_efficiency));
  }

  // As tree(), the heads of a node taking part with their share each.
  double nvls_tree() const {
    const double share = bytes_ / choice_.channels;
    double chunk = (nodes_ > 3 ? 64 : 128) * kib;
    if (share < 4 * heads() * chunk && chunk > 64 * kib) chunk = 64 * kib;
    if (share < heads() * chunk && chunk > 32 * kib) chunk = 32 * kib;
    const double wave = std::min(bytes_, chunk * heads() * choice_.channels);
    const double nic = full_nic_rate(Mechanism::tree_scale_loss);
    const double first = switch_latency() + 2 * depth() * (net_hop() + wave / nic);
    const double streams = nodes_ > 2 ? 2 : 1;
    return first + staged((bytes_ - wave) * streams / nic, switch_bytes() + small_loops(wave));
  }

  double collnet() const {
    const double nic = nic_rate(Mechanism::net_scale_loss) * of(Mechanism::collnet_efficiency);
    const double latency = 2 * link_hop() + 2 * net_hop();
    return overlap(latency, std::max(bytes_ / nic, 2 * bytes_ / link_rate()));
  }

  double symmetric() const {
    const double bytes = collective_ == Collective::all_reduce ? bytes_ : bytes_ * (n_ - 1) / n_;
    const double rate = collective_ == Collective::all_reduce
                            ? shape_.link_gbps * 1e3 * of(Mechanism::nvls_efficiency)
                            : link_rate();
    return overlap(of(Mechanism::symmetric_latency), bytes * ramp(Mechanism::ramp_bytes) / rate);
  }

  // Of the channels that one message to a peer of the node has: addP2pToPlan halves the most it may
  // have until those of all peers fit, and doubles them while a part is longer than 32 steps.
  double peer_rate() const {
    double count = std::max(1.0, choice_.peer_channels);
    while (count > 1 && count * n_ > choice_.channels) count /= 2;
    const bool pcie = shape_.link == TimeLink::pcie || shape_.link == TimeLink::pcie_host;
    const double part = 32 * (pcie ? 128 : 512) * kib;
    while (2 * count <= choice_.peer_channels && bytes_ / count > part) count *= 2;
    return count * of(Mechanism::channel_gbps) * 1e3;
  }

  double point_to_point() const {
    const double link = link_rate() * of(Mechanism::p2p_link_efficiency);
    const double nic = nic_rate(Mechanism::p2p_scale_loss) * of(Mechanism::p2p_net_efficiency);
    if (collective_ == Collective::send_recv) {
      if (nodes_ == 1) {
        return overlap(of(Mechanism::link_hop_ll), bytes_ / std::min(link, peer_rate()));
      }
      const double one = std::min(nic * shape_.one_nic_gbps / shape_.nic_gbps,
                                  choice_.peer_channels * of(Mechanism::p2p_net_channel) * 1e3);
      return overlap(of(Mechanism::net_hop_ll), bytes_ / one);
    }
    const double inside = local_ - 1, outside = n_ - local_;
    const double latency = inside * of(Mechanism::p2p_link_message) +
                           outside * of(Mechanism::net_message) +
                           (nodes_ > 1 ? of(Mechanism::net_hop_ll) : of(Mechanism::link_hop_ll));
    const double link_time =
        inside > 0 ? bytes_ * inside / n_ / std::min(link, channels_rate()) : 0;
    const double net_time = nodes_ > 1 ? bytes_ * outside / n_ * local_ / nic : 0;
    return overlap(latency, std::max(link_time, net_time));
  }

  const TimeShape& shape_;
  Collective collective_;
  TimeChoice choice_;
  const MechanismValues& values_;
  double bytes_, n_, nodes_, local_;
  mutable MechanismSet used_ = 0;
};

}  // namespace

double time_us(const TimeCase& time_case, const TimeChoice& choice, const MechanismValues& values,
               MechanismSet* used) {
  const Pipeline pipeline(time_case, choice, values);
  const double time = pipeline.time();
  if (used != nullptr) *used = pipeline.used();
  return time;
}

}  // namespace fabricast
