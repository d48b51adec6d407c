#include "emulator/runtime/peer_links.hpp"

#include <fmt/format.h>

#include <iterator>
#include <map>
#include <sstream>
#include <tuple>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

using EndKey = std::tuple<std::int32_t, std::int32_t, std::int32_t, bool>;

constexpr auto line = static_cast<std::int64_t>(lane::line_bytes);

}  // namespace

std::int32_t first_rank_of_place(std::int32_t place, std::int32_t places, std::int32_t ranks) {
  return static_cast<std::int32_t>(std::int64_t{place} * ranks / places);
}

PlaceLayout layout_of_place(const CompiledPlan& compiled) {
  PlaceLayout layout;
  for (const auto& c : compiled.connections) {
    for (const bool receives : {false, true}) {
      if ((receives ? c.receiving_lane : c.sending_lane) < 0) continue;
      layout.ends.push_back({c.source, c.destination, c.label, receives, layout.bytes});
      layout.bytes += line;
      if (receives) layout.bytes += compiled.image.slot_bytes * compiled.image.depth;
    }
  }
  return layout;
}

std::string text_of(const PlaceLayout& layout) {
  std::string text = fmt::format("{} {}\n", layout.bytes, layout.ends.size());
  for (const auto& end : layout.ends) {
    fmt::format_to(std::back_inserter(text), "{} {} {} {} {}\n", end.source, end.destination,
                   end.label, end.receives ? 1 : 0, end.offset);
  }
  return text;
}

PlaceLayout place_layout_from(const std::string& text) {
  std::istringstream in(text);
  PlaceLayout layout;
  std::size_t ends = 0;
  in >> layout.bytes >> ends;
  while (in && layout.ends.size() < ends) {
    PlaceLayout::End end;
    in >> end.source >> end.destination >> end.label >> end.receives >> end.offset;
    layout.ends.push_back(end);
  }
  if (!in) throw RuntimeError("no layout of connections (from another build?) start one binary");
  return layout;
}

std::vector<lane::PeerConnection> link_place(const CompiledPlan& compiled,
                                             const std::vector<PlaceLayout>& layouts,
                                             const std::vector<std::byte*>& memory) {
  std::map<EndKey, std::byte*> ends;
  for (std::size_t place = 0; place < layouts.size(); ++place) {
    for (const auto& end : layouts[place].ends) {
      ends[{end.source, end.destination, end.label, end.receives}] = memory[place] + end.offset;
    }
  }
  std::vector<lane::PeerConnection> links;
  for (const auto& c : compiled.connections) {
    const auto sender = ends.find({c.source, c.destination, c.label, false});
    const auto receiver = ends.find({c.source, c.destination, c.label, true});
    if (sender == ends.end() || receiver == ends.end()) {
      throw RuntimeError(fmt::format(
          "connection {} of ranks {} and {} has one end only (places run different plans) start "
          "all with one command line",
          c.label, c.source, c.destination));
    }
    lane::PeerConnection link;
    link.credit = reinterpret_cast<std::uint64_t*>(sender->second);
    link.arrived = reinterpret_cast<std::uint64_t*>(receiver->second);
    link.slots = receiver->second + line;
    links.push_back(link);
  }
  return links;
}

}  // namespace fabricast
