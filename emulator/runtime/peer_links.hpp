// Connections between places: a place is one memory with some of a plan's ranks (a GPU), every
// place reaches every other's memory, and the two ends of a connection must find each other.
//
// A place keeps, in one allocation, the words of the credits it waits for and the words and slots
// of what it receives (kernels/lane/peer_port.hpp says why there). Its layout follows from its
// compiled plan; places exchange layouts and the addresses of their allocations, and each resolves
// its own connections. Ends are matched by source, destination and label (compile_plan.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "emulator/runtime/compile_plan.hpp"
#include "kernels/lane/peer_port.hpp"

namespace fabricast {

struct PlaceLayout {
  struct End {
    std::int32_t source = 0;
    std::int32_t destination = 0;
    std::int32_t label = 0;
    bool receives = false;    // arrivals and slots, else the credits of a sender
    std::int64_t offset = 0;  // of the word; slots follow in the next line
  };
  std::vector<End> ends;
  std::int64_t bytes = 0;
};

// The first rank of a place when so many ranks are spread over so many places: blocks as equal as
// can be, the larger ones last.
std::int32_t first_rank_of_place(std::int32_t place, std::int32_t places, std::int32_t ranks);

// `compiled` holds the place's ranks; its slot_bytes must be those of all places (their largest).
PlaceLayout layout_of_place(const CompiledPlan& compiled);

// As text, to send to other places. Throws RuntimeError for text that is none.
std::string text_of(const PlaceLayout& layout);
PlaceLayout place_layout_from(const std::string& text);

// The place's connections, parallel to compiled.connections. `layouts` and `memory` (as this place
// addresses it) by place. Throws RuntimeError if an end has no other.
std::vector<lane::PeerConnection> link_place(const CompiledPlan& compiled,
                                             const std::vector<PlaceLayout>& layouts,
                                             const std::vector<std::byte*>& memory);

}  // namespace fabricast
