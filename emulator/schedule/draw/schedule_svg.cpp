#include "emulator/schedule/draw/schedule_svg.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "emulator/base/svg.hpp"
#include "emulator/schedule/draw/chunk_colours.hpp"
#include "emulator/schedule/draw/rounds.hpp"

namespace fabricast {
namespace {

using Anchor = Svg::Anchor;

constexpr double left_margin = 150, right_margin = 26, top_margin = 96, bottom_margin = 96;
constexpr double gap_between_rows = 50, least_column = 76;
const std::string ink = "#3c434d", quiet = "#7a828c", pale = "#c9ced5", ground = "#f4f6f8";

std::int32_t colours_of(const Schedule& schedule) {
  return std::max(schedule.chunks,
                  schedule.collective == Collective::send_recv ? schedule.positions() : 1);
}

class Picture {
 public:
  Picture(const Schedule& schedule, const Placement& placement, std::int32_t domain,
          const std::string& title)
      : schedule_(schedule),
        placement_(placement),
        domain_(domain),
        rounds_(rounds_of(schedule, placement)),
        cell_(std::clamp(132.0 / schedule.chunks, 3.0, 20.0)),
        scratch_cell_(schedule.scratch_chunks == 0
                          ? 0
                          : std::clamp(132.0 / schedule.scratch_chunks, 3.0, 20.0)),
        column_(std::max({least_column, cell_ * schedule.chunks + 22,
                          scratch_cell_ * schedule.scratch_chunks + 22})),
        strip_(schedule.scratch_chunks > 0 ? 40.0 : 20.0),
        row_(strip_ + gap_between_rows),
        svg_(width(), height(), title, "rounds of a collective algorithm") {
    for (std::int32_t x = 0; x < rounds_.ranks; ++x) {
      by_rank_ = by_rank_ || placement_.rank_at(x) / domain_ !=
                                 placement_.rank_at(x / domain_ * domain_) / domain_;
    }
  }

  std::string draw(const std::string& title) {
    draw_heading(title);
    draw_columns();
    draw_row(-1);
    for (std::int32_t round = 0; round < rounds_.rounds; ++round) draw_row(round);
    svg_.begin_clip({left_margin - 14, top_margin - 20}, panel() + 28, height());
    draw_messages();
    svg_.end_clip();
    draw_legend();
    return svg_.finish();
  }

 private:
  // Columns are positions; where those of a domain lie apart, ranks.
  std::int32_t column_of(std::int32_t rank) const {
    return by_rank_ ? rank : placement_.position_of(rank);
  }
  std::int32_t rank_in(std::int32_t column) const {
    return by_rank_ ? column : placement_.rank_at(column);
  }
  double panel() const { return column_ * rounds_.ranks; }
  double width() const { return std::max(left_margin + panel() + right_margin, 640.0); }
  double height() const { return top_margin + row_ * (rounds_.rounds + 1) + bottom_margin; }
  double x_of(double position) const { return left_margin + column_ * (position + 0.5); }
  // Top of the boxes of a round; -1: what every rank starts with.
  double y_of(std::int32_t round) const { return top_margin + row_ * (round + 1); }
  double y_below(std::int32_t round) const { return y_of(round) + strip_; }

  void draw_heading(const std::string& title) {
    svg_.text({24, 32}, title, {17, ink, Anchor::start, true, 0});
    const auto& messages = rounds_.messages;
    svg_.text({24, 52},
              fmt::format("{} chunks, {} rounds, {} messages", schedule_.chunks, rounds_.rounds - 1,
                          messages.size()),
              {12, quiet, Anchor::start, false, 0});
  }

  void draw_columns() {
    const std::int32_t l = domain_;
    const bool domains = rounds_.ranks > l && l > 1;
    for (std::int32_t d = 0; domains && d * l < rounds_.ranks; ++d) {
      svg_.rectangle({x_of(d * l) - column_ / 2 + 3, top_margin - 34}, column_ * l - 6,
                     height() - top_margin - bottom_margin + 44, ground);
    }
    for (std::int32_t x = 0; x < rounds_.ranks; ++x) {
      svg_.text({x_of(x), top_margin - 12}, fmt::format("rank {}", rank_in(x)),
                {12, ink, Anchor::middle, true, 0});
      svg_.line({x_of(x), top_margin}, {x_of(x), y_of(rounds_.rounds - 1)}, {"#e3e6ea", 1, ""});
    }
  }

  // Names of the stages that send in this round; in the last one, that receive.
  std::string stages_text(std::int32_t round) const {
    std::set<std::int32_t> stages;
    for (const RoundMessage& message : rounds_.messages) {
      if (message.sent == round) stages.insert(message.stage);
    }
    if (stages.empty()) {
      const auto& all = rounds_.stages[static_cast<std::size_t>(round)];
      stages.insert(all.begin(), all.end());
    }
    std::string text;
    for (const std::int32_t stage : stages) {
      text += (text.empty() ? "" : ", ") + schedule_.stages[static_cast<std::size_t>(stage)].name;
    }
    return text.size() > 24 ? text.substr(0, 22) + "..." : text;
  }

  void draw_row(std::int32_t round) {
    const double y = y_of(round);
    const Svg::TextStyle bold{12, ink, Anchor::end, true, 0};
    const Svg::TextStyle small{10, quiet, Anchor::end, false, 0};
    svg_.text({left_margin - 16, y + 9}, round < 0 ? "start" : fmt::format("round {}", round),
              bold);
    svg_.text({left_margin - 16, y + 22}, round < 0 ? "input buffers" : stages_text(round), small);
    for (std::int32_t x = 0; x < rounds_.ranks; ++x) {
      const auto rank = static_cast<std::size_t>(rank_in(x));
      const RankCells& cells =
          round < 0 ? rounds_.start[rank] : rounds_.after[static_cast<std::size_t>(round)][rank];
      const RankCells* before = nullptr;
      if (round > 0) before = &rounds_.after[static_cast<std::size_t>(round) - 1][rank];
      if (round == 0 && schedule_.starts_in_output) before = &rounds_.start[rank];
      draw_strip(x, y, cell_, cells.output, before == nullptr ? nullptr : &before->output,
                 round < 0);
      if (schedule_.scratch_chunks > 0 && round >= 0) {
        draw_strip(x, y + 21, scratch_cell_, cells.scratch,
                   before == nullptr ? nullptr : &before->scratch, false);
        if (x == 0)
          svg_.text({x_of(0) - column_ / 2 + 2, y + 34}, "s", {9, quiet, Anchor::end, false, 0});
      }
    }
  }

  // A buffer: one box per chunk; what this round changed has a dark edge.
  void draw_strip(std::int32_t x, double y, double cell, const std::vector<CellValue>& cells,
                  const std::vector<CellValue>* before, bool is_input) {
    const double begin = x_of(x) - cell * static_cast<double>(cells.size()) / 2;
    svg_.rectangle({begin, y}, cell * static_cast<double>(cells.size()), 18, "#ffffff", pale);
    std::vector<Point> edges;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const CellValue& value = cells[c];
      if (value.empty()) continue;
      const bool changed =
          !is_input && (before == nullptr || (*before)[c].identity != value.identity ||
                        (*before)[c].ranks != value.ranks);
      const bool complete = value.contributions() >= rounds_.full;
      const Point corner{begin + cell * static_cast<double>(c), y};
      svg_.rectangle(corner, cell, 18, colour(value), "#ffffff");
      if (changed && cell >= 6) edges.push_back(corner);
      if (cell < 11) continue;
      svg_.text({corner.x + cell / 2, y + 13}, std::to_string(value.identity),
                {cell < 16 ? 8.0 : 10.0, complete ? "#ffffff" : ink, Anchor::middle, complete, 0});
    }
    for (const Point& corner : edges) svg_.rectangle(corner, cell, 18, "none", ink);
  }

  std::string colour(const CellValue& value, double floor = 0.22) const {
    const double share = std::min(1.0, static_cast<double>(value.contributions()) / rounds_.full);
    return chunk_colour(value.identity, colours_of(schedule_),
                        share >= 1 ? 1.0 : floor + 0.4 * share);
  }

  void draw_messages() {
    for (std::size_t begin = 0; begin < rounds_.messages.size();) {
      std::size_t end = begin;
      while (end < rounds_.messages.size() &&
             rounds_.messages[end].sent == rounds_.messages[begin].sent) {
        ++end;
      }
      draw_round(begin, end);
      begin = end;
    }
  }

  // If all ranks shift by the same distance, arrows leave at one edge and come in at the other.
  std::int32_t common_shift(std::size_t begin, std::size_t end) const {
    std::set<std::int32_t> shifts;
    for (std::size_t m = begin; m < end; ++m) {
      const auto& message = rounds_.messages[m];
      const std::int32_t p = rounds_.ranks;
      shifts.insert((column_of(message.to) - column_of(message.from) + p) % p);
    }
    if (shifts.size() != 1) return 0;
    const std::int32_t shift = *shifts.begin();
    if (2 * shift == rounds_.ranks) return 0;  // an exchange in pairs
    return 2 * shift > rounds_.ranks ? shift - rounds_.ranks : shift;
  }

  void draw_round(std::size_t begin, std::size_t end) {
    const std::int32_t shift = common_shift(begin, end);
    std::map<std::int32_t, std::int32_t> leaving;  // messages that a rank has sent in this round
    for (std::size_t m = begin; m < end; ++m) {
      const RoundMessage& message = rounds_.messages[m];
      if (message.through_switch) continue;
      const std::int32_t from = column_of(message.from);
      const std::int32_t to = shift == 0 ? column_of(message.to) : from + shift;
      const std::int32_t order = leaving[message.from]++;
      arrow(message, from, to, order);
      if (to < 0) arrow(message, from + rounds_.ranks, to + rounds_.ranks, order);
      if (to >= rounds_.ranks) arrow(message, from - rounds_.ranks, to - rounds_.ranks, order);
    }
    draw_switch(begin, end);
  }

  double thickness(const RoundMessage& message) const {
    const double share = static_cast<double>(message.values.front().contributions()) / rounds_.full;
    return rounds_.full == 1 ? 2.0 : 1.2 + 2.2 * share;
  }

  std::string label_of(const RoundMessage& message) const {
    const auto& values = message.values;
    if (values.size() == 1) return std::to_string(values[0].identity);
    bool row = true;
    for (std::size_t i = 1; i < values.size(); ++i) {
      row = row && values[i].identity == values[i - 1].identity + 1;
    }
    if (row) return fmt::format("{}-{}", values.front().identity, values.back().identity);
    std::string text;
    for (const auto& value : values)
      text += fmt::format("{}{}", text.empty() ? "" : ",", value.identity);
    return text.size() > 11 ? fmt::format("{} chunks", values.size()) : text;
  }

  void head(Point from, Point to, const std::string& fill) {
    const double length = std::hypot(to.x - from.x, to.y - from.y);
    const double ux = (to.x - from.x) / length, uy = (to.y - from.y) / length;
    svg_.polygon({to,
                  {to.x - 8 * ux - 4 * uy, to.y - 8 * uy + 4 * ux},
                  {to.x - 8 * ux + 4 * uy, to.y - 8 * uy - 4 * ux}},
                 fill, 1);
  }

  void label(Point at, const std::string& text, const std::string& fill) {
    const double half = std::max(8.0, 3.2 * static_cast<double>(text.size()) + 4);
    svg_.rectangle({at.x - half, at.y - 7}, 2 * half, 14, "#ffffff", fill);
    svg_.text({at.x, at.y + 3.5}, text, {10, ink, Anchor::middle, false, 0});
  }

  // `order`: among the messages that this rank sends in the round.
  void arrow(const RoundMessage& message, double from, double to, std::int32_t order) {
    const std::string stroke =
        chunk_colour(message.values.front().identity, colours_of(schedule_), 1);
    const Point begin{x_of(from) + 10.0 * order, y_below(message.sent) + 1};
    const Point end{x_of(to), y_of(message.received) - 2};
    const double length = std::hypot(end.x - begin.x, end.y - begin.y);
    const Point neck{end.x - 6 * (end.x - begin.x) / length,
                     end.y - 6 * (end.y - begin.y) / length};
    svg_.line(begin, neck, {stroke, thickness(message), ""});
    head(begin, end, stroke);
    // Near the sender, where arrows have not met yet, and apart from each other.
    const double at = std::min(0.75, std::clamp(20.0 / length, 0.12, 0.42) + 0.16 * order);
    label({begin.x + at * (end.x - begin.x), begin.y + at * (end.y - begin.y)}, label_of(message),
          stroke);
  }

  double switch_y(std::int32_t round) const { return y_below(round) + gap_between_rows / 2; }

  // Everything that goes through the switch in one round: each rank one line up and one down. Where
  // a rank sends all the same, the switch copies it; else it adds what is for the same rank.
  void draw_switch(std::size_t begin, std::size_t end) {
    std::map<std::int32_t, std::set<std::int32_t>> up, down;  // by rank: chunks
    bool adds = false;
    const std::int32_t round = rounds_.messages[begin].sent;
    for (std::size_t m = begin; m < end; ++m) {
      const RoundMessage& message = rounds_.messages[m];
      if (!message.through_switch) continue;
      adds = adds || message.added_there;
      for (const CellValue& value : message.values) {
        up[message.from].insert(value.identity);
        down[message.to].insert(value.identity);
      }
    }
    if (up.empty()) return;
    const double y = switch_y(round);
    const auto vertical = [&](std::int32_t rank, double side, double from, double to,
                              const std::set<std::int32_t>& chunks) {
      const double x = x_of(column_of(rank)) + side;
      const std::string stroke =
          chunks.size() == 1 ? chunk_colour(*chunks.begin(), colours_of(schedule_), 1) : quiet;
      svg_.line({x, from}, {x, to - 6}, {stroke, 2, ""});
      head({x, from}, {x, to}, stroke);
      label({x + (side < 0 ? -14 : 14), (from + to) / 2 - 1},
            chunks.size() == 1 ? std::to_string(*chunks.begin()) : "all", stroke);
    };
    for (const auto& [rank, chunks] : up) vertical(rank, -9, y_below(round) + 1, y - 6, chunks);
    for (const auto& [rank, chunks] : down) vertical(rank, 9, y + 6, y_of(round + 1) - 2, chunks);
    svg_.rectangle({left_margin + 4, y - 6}, panel() - 8, 12, "#dde1e6", quiet);
    svg_.text({left_margin + panel() / 2, y + 4}, adds ? "the switch adds" : "the switch copies",
              {10, ink, Anchor::middle, false, 0});
  }

  void draw_legend() {
    const double y = height() - bottom_margin + 30;
    const Svg::TextStyle style{11, quiet, Anchor::start, false, 0};
    std::string boxes = "Boxes: the output buffer after the round";
    if (schedule_.scratch_chunks > 0) boxes += ", below it scratch (s)";
    boxes += schedule_.collective == Collective::all_to_all ||
                     schedule_.collective == Collective::send_recv
                 ? "; numbers and colours: the rank the data come from"
                 : "; numbers and colours: chunks";
    if (rounds_.full > 1) boxes += "; pale: a sum of some ranks, solid: of all";
    boxes += ". Dark edge: changed in this round.";
    std::string arrows =
        "Arrows: messages, labelled with what they carry; sent in one round, received in the next";
    if (rounds_.full > 1) arrows += "; thicker: a sum of more ranks";
    double line = y;
    for (const std::string& text : {boxes, arrows + "."}) {
      for (const auto& part : wrapped(text)) {
        svg_.text({24, line}, part, style);
        line += 16;
      }
    }
  }

  // Lines that fit into the picture, at 6 px per letter.
  std::vector<std::string> wrapped(const std::string& text) const {
    const auto most = static_cast<std::size_t>((width() - 48) / 6);
    std::vector<std::string> lines;
    std::size_t begin = 0;
    while (text.size() - begin > most) {
      const std::size_t blank = text.rfind(' ', begin + most);
      lines.push_back(text.substr(begin, blank - begin));
      begin = blank + 1;
    }
    lines.push_back(text.substr(begin));
    return lines;
  }

  const Schedule& schedule_;
  const Placement& placement_;
  std::int32_t domain_;  // ranks of one
  bool by_rank_ = false;
  Rounds rounds_;
  double cell_, scratch_cell_, column_, strip_, row_;
  Svg svg_;
};

}  // namespace

std::string render_schedule_svg(const Schedule& schedule, const Placement& placement,
                                std::int32_t domain, const std::string& title) {
  return Picture(schedule, placement, domain, title).draw(title);
}

}  // namespace fabricast
