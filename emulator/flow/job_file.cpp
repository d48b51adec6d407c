#include "emulator/flow/job_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/base/strict_yaml.hpp"
#include "emulator/flow/flow_traffic.hpp"
#include "emulator/flow/link_names.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/plan.hpp"

namespace fabricast {
namespace {

constexpr double most_seconds = 86400;
constexpr std::int64_t most_jobs = 1000;
const std::vector<std::string> placements{"packed", "spread", "random", "rail_aligned"};

std::int64_t time_of(const YamlCursor& at) {
  return std::llround(at.scaled(Dimension::duration, "us", Range::between(0, most_seconds * 1e6)) *
                      1e6);
}

// What a function refuses is told with the place of the value.
template <class Read>
auto read_at(const YamlCursor& at, const Read& read) {
  try {
    return read();
  } catch (const UsageError& error) {
    at.fail(error.what());
  }
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& file, std::shared_ptr<const Topology> topology)
      : root_(YamlCursor::parse(text, file)), topology_(std::move(topology)) {}

  JobFile run() {
    if (const auto routing = root_.find("routing")) {
      file_.choice.routing = read_at(*routing, [&] { return routing_from_name(routing->text()); });
    }
    if (const auto seed = root_.find("seed")) {
      file_.choice.seed = static_cast<std::uint64_t>(seed->integer(0, std::int64_t{1} << 53));
    }
    const YamlCursor jobs = root_.at("jobs");
    const auto items = jobs.items();
    if (items.empty() || static_cast<std::int64_t>(items.size()) > most_jobs) {
      jobs.fail(fmt::format("{} jobs (there are 1 to {}); list the collectives that run",
                            items.size(), most_jobs));
    }
    for (const YamlCursor& item : items) read_job(item);
    place();
    if (const auto faults = root_.find("faults")) {
      for (const YamlCursor& item : faults->items()) read_fault(item);
    }
    root_.finish();
    return std::move(file_);
  }

 private:
  void read_job(const YamlCursor& at) {
    FlowJob job;
    const YamlCursor name = at.at("name");
    job.name = name.text();
    const auto plain = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    };
    if (job.name.size() > 64 || !std::all_of(job.name.begin(), job.name.end(), plain)) {
      name.fail("a job's name has at most 64 letters, digits, dots, - and _");
    }
    for (const FlowJob& other : file_.jobs) {
      if (other.name == job.name)
        name.fail(fmt::format("two jobs are called \"{}\"; rename one", job.name));
    }
    const YamlCursor collective = at.at("collective"), algorithm = at.at("algorithm");
    job.collective = read_at(collective, [&] { return collective_from_name(collective.text()); });
    job.algorithm = algorithm.choice("algorithm", algorithms_of(job.collective));
    if (const auto protocol = at.find("protocol"); protocol && protocol->text() != "auto") {
      job.protocols = {read_at(*protocol, [&] { return protocol_from_name(protocol->text()); })};
    }
    const YamlCursor bytes = at.at("bytes");
    job.bytes = read_at(bytes, [&] { return parse_size(bytes.text()); });
    if (const auto channels = at.find("channels")) {
      job.channels = static_cast<std::int32_t>(channels->integer(1, 64));
    }
    if (const auto start = at.find("start")) job.start_ps = time_of(*start);
    const auto gpus = at.find("gpus"), ranks = at.find("ranks");
    if (gpus.has_value() == ranks.has_value()) {
      at.fail("a job has either `gpus` (how many; `placement` says where) or `ranks` (which ones)");
    }
    if (gpus) wanted_.emplace_back(file_.jobs.size(), *gpus);
    if (ranks) {
      job.placement = "ranks";
      job.ranks = read_ranks(*ranks);
    }
    file_.jobs.push_back(std::move(job));
  }

  std::vector<RankId> read_ranks(const YamlCursor& at) const {
    std::vector<RankId> ranks;
    std::set<std::int64_t> seen;
    for (const YamlCursor& item : at.items()) {
      const std::string text = item.text();
      const auto dash = text.find('-', 1);
      const auto number = [&](const std::string& part) {
        const auto rank = read_at(item, [&] { return parse_integer(part); });
        if (rank < 0 || rank >= topology_->ranks()) {
          item.fail(fmt::format("rank {} is not there ({} has {}); give 0 to {}", rank,
                                topology_->name(), topology_->ranks(), topology_->ranks() - 1));
        }
        return rank;
      };
      const std::int64_t first = number(text.substr(0, dash));
      const std::int64_t last = dash == std::string::npos ? first : number(text.substr(dash + 1));
      if (last < first)
        item.fail(fmt::format("{} runs backwards; write the smaller rank first", text));
      for (std::int64_t rank = first; rank <= last; ++rank) {
        if (!seen.insert(rank).second)
          item.fail(fmt::format("rank {} is listed twice in this job", rank));
        ranks.push_back(RankId::from(rank));
      }
    }
    if (ranks.size() < 2) at.fail("a collective has at least two ranks");
    return ranks;
  }

  // Jobs that say how many GPUs they want get disjoint ones.
  void place() {
    const auto placement = root_.find("placement");
    if (wanted_.empty()) {
      if (placement) placement->fail("every job lists its ranks: leave `placement` out");
      return;
    }
    const std::string name = placement ? placement->choice("placement", placements) : "packed";
    std::vector<std::int32_t> sizes;
    for (const auto& [job, gpus] : wanted_) {
      sizes.push_back(static_cast<std::int32_t>(gpus.integer(2, topology_->ranks())));
    }
    const YamlCursor& where = wanted_.back().second;
    const auto placed = read_at(where, [&] {
      return place_jobs(topology_->space(), sizes, placement_from_name(name), file_.choice.seed);
    });
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      FlowJob& job = file_.jobs[wanted_[i].first];
      job.placement = name;
      job.ranks = placed[i];
      // Communicators number their ranks domain by domain.
      std::sort(job.ranks.begin(), job.ranks.end());
    }
  }

  void read_fault(const YamlCursor& at) {
    LinkFault fault;
    fault.at_ps = time_of(at.at("at"));
    fault.capacity = at.at("capacity").number(Range::between(0, 1));
    const auto link = at.find("link"), nic = at.find("nic");
    if (link.has_value() == nic.has_value()) {
      at.fail("a fault has either `link` (a name) or `nic` (the rank it belongs to)");
    }
    if (!names_) names_.emplace(topology_, file_.choice.routing);
    if (link) {
      fault.what = "link: \"" + link->text() + "\"";
      fault.links = read_at(*link, [&] { return names_->named(link->text()); });
    } else {
      const auto rank = nic->integer(0, topology_->ranks() - 1);
      fault.what = fmt::format("nic: {}", rank);
      fault.links = read_at(*nic, [&] { return names_->nic_of(RankId::from(rank)); });
    }
    file_.faults.push_back(std::move(fault));
  }

  YamlCursor root_;
  std::shared_ptr<const Topology> topology_;
  JobFile file_;
  std::vector<std::pair<std::size_t, YamlCursor>> wanted_;  // job, its `gpus`
  std::optional<LinkNames> names_;
};

}  // namespace

std::string JobFile::to_yaml() const {
  std::string text =
      fmt::format("routing: {}\nseed: {}\njobs:\n", to_string(choice.routing), choice.seed);
  for (const FlowJob& job : jobs) {
    std::vector<std::uint32_t> ranks;
    for (const RankId rank : job.ranks) ranks.push_back(rank.value());
    text += fmt::format("  - name: \"{}\"\n    collective: {}\n    algorithm: {}\n", job.name,
                        to_string(job.collective), job.algorithm);
    text += fmt::format("    protocol: {}\n    bytes: {}\n    channels: {}\n    start_ps: {}\n",
                        job.protocols.empty() ? "auto" : to_string(job.protocols.front()),
                        job.bytes, job.channels, job.start_ps);
    text +=
        fmt::format("    placement: {}\n    ranks: [{}]\n", job.placement, fmt::join(ranks, ", "));
  }
  if (!faults.empty()) text += "faults:\n";
  for (const LinkFault& fault : faults) {
    text += fmt::format("  - {}\n    at_ps: {}\n    capacity: {}\n", fault.what, fault.at_ps,
                        fault.capacity);
  }
  return text;
}

JobFile parse_job_file(std::string_view text, const std::string& file,
                       std::shared_ptr<const Topology> topology) {
  return Reader(text, file, std::move(topology)).run();
}

std::vector<CapacityChange> capacity_changes(const std::vector<LinkFault>& faults,
                                             const std::vector<FlowRate>& capacities) {
  std::vector<CapacityChange> changes;
  for (const LinkFault& fault : faults) {
    for (const std::uint32_t link : fault.links) {
      const auto whole = static_cast<double>(capacities[link]);
      changes.push_back({fault.at_ps, link, static_cast<FlowRate>(whole * fault.capacity)});
    }
  }
  return changes;
}

}  // namespace fabricast
