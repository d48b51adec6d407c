// Connections whose messages carry their own flags: FIFOs (fifo.hpp, peer_port.hpp) with LL or
// LL128 lines in the slots.
//
// Credits are those of Simple; `sent` is the producer's own count and publishes nothing. A message
// is "there" for the interpreter when its first line is: the rest is on its way, because a step
// only starts once its credit and its dependences are there (semantics 3.1), so waiting for lines
// in the middle of a message cannot deadlock: among the steps under way the one whose first line
// came first waits for nobody.
//
// Slots must be zeros when counters are (flags of old messages would be taken for new ones).
#pragma once

#include "kernels/lane/fifo.hpp"
#include "kernels/lane/line_access.hpp"

namespace fabricast::lane {

template <class LineFormat, class Fifos = FifoPort>
struct LinePort : Fifos {
  using Format = LineFormat;
  bool ordered = false;  // line_access.hpp

  LinePort() = default;
  FABRICAST_HOST_DEVICE LinePort(const Fifos& fifos, bool orders) : Fifos(fifos), ordered(orders) {}

  FABRICAST_HOST_DEVICE bool has_message(std::int32_t fifo) const {
    return has_begun(Format{}, this->front(fifo), Format::flag(this->received(fifo)), ordered);
  }
  FABRICAST_HOST_DEVICE void push(std::int32_t fifo, std::int64_t /*bytes*/) const {
    this->count_sent(fifo);
  }
  // Before each look at lines, and before each line written: where tests hold a thread up.
  FABRICAST_HOST_DEVICE static void pace() {}
};

using LlPort = LinePort<LlFormat>;
using Ll128Port = LinePort<Ll128Format>;

template <class Port>
concept HasLines = requires {
  typename Port::Format;
};

// One kind of port for each hand-off: use(port).
template <class Fifos, class Use>
decltype(auto) with_port(HandOff hand_off, const Fifos& fifos, bool ordered, const Use& use) {
  if (hand_off == HandOff::ll) return use(LinePort<LlFormat, Fifos>(fifos, ordered));
  if (hand_off == HandOff::ll128) return use(LinePort<Ll128Format, Fifos>(fifos, ordered));
  return use(fifos);
}

}  // namespace fabricast::lane
