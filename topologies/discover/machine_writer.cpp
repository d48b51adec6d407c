// LocalMachines to one machine file: several hosts become `nested`, where they differ with
// `others`.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "topologies/discover/gpu_catalog.hpp"
#include "topologies/discover/machine_writer.hpp"

namespace fabricast {
namespace {

// A file-name-safe word: "NVIDIA H200" -> "h200".
std::string slug(std::string_view text) {
  if (text.starts_with("NVIDIA ")) text.remove_prefix(7);
  std::string word;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'z',
               upper = c >= 'A' && c <= 'Z';
    if (digit || lower)
      word += c;
    else if (upper)
      word += static_cast<char>(c - 'A' + 'a');
    else if (!word.empty() && word.back() != '-')
      word += '-';
  }
  while (word.ends_with('-')) word.pop_back();
  return word.empty() ? "gpu" : word;
}

std::string links_of(const LocalMachine& host) {
  return host.nvlinks_known ? fmt::format("{} NVLinks", host.gpus.front().nvlinks)
                            : "NVLinks not known";
}

// "8 x NVIDIA H200, AMD EPYC 9654, 192 cores"
std::string describe(const LocalMachine& host) {
  const std::string cores = fmt::format("{}, {} core{}", host.cpu_model, host.usable_cores,
                                        host.usable_cores == 1 ? "" : "s");
  if (host.gpus.empty()) return cores;
  return fmt::format("{} x {} ({}){}", host.gpus.size(), host.gpus.front().name, links_of(host),
                     host.usable_cores > 0 ? ", " + cores : "");
}

void require_like_gpus(const LocalMachine& host) {
  for (const auto& gpu : host.gpus) {
    const auto& first = host.gpus.front();
    if (gpu.name != first.name || gpu.memory_bytes != first.memory_bytes) {
      throw UsageError(
          fmt::format("the GPUs of {} are not alike ({} at {}, {} at {}; a machine has one kind of "
                      "GPU); choose "
                      "some with CUDA_VISIBLE_DEVICES",
                      host.hostname, first.name, first.bus_id, gpu.name, gpu.bus_id));
    }
  }
}

// The ports of the host's best fabric; slower ones (management) are left out.
std::vector<LocalNic> best_ports(const LocalMachine& host) {
  std::vector<LocalNic> ports;
  for (const auto& nic : host.nics) {
    if (ports.empty() || nic.gbit_per_s > ports.front().gbit_per_s)
      ports = {nic};
    else if (nic.gbit_per_s == ports.front().gbit_per_s)
      ports.push_back(nic);
  }
  return ports;
}

// "8 x 400 Gbit/s infiniband"
std::string describe_ports(const LocalMachine& host) {
  const auto ports = best_ports(host);
  if (ports.empty()) return "no network port of known rate";
  return fmt::format("{} x {:.5g} Gbit/s {}", ports.size(), ports.front().gbit_per_s,
                     ports.front().fabric);
}

// What a host is to the machine: cores count where there are no GPUs.
std::string kind_of(const LocalMachine& host) {
  const std::string what =
      host.gpus.empty()
          ? fmt::format("no GPU, {}, {} core{}", host.cpu_model, host.usable_cores,
                        host.usable_cores == 1 ? "" : "s")
          : fmt::format("{} x {} ({}, {:.0f} GB)", host.gpus.size(), host.gpus.front().name,
                        links_of(host), static_cast<double>(host.gpus.front().memory_bytes) / 1e9);
  return fmt::format("{}, {}", what, describe_ports(host));
}

// "a, b, c and 5 more"
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  std::string text = fmt::format(
      "{}",
      fmt::join(names.begin(),
                names.begin() + static_cast<std::ptrdiff_t>(std::min(most, names.size())), ", "));
  return names.size() > most ? fmt::format("{} and {} more", text, names.size() - most) : text;
}

// What the nodes of one machine have in common (docs/machines.md, `others`).
std::string frame_of(const LocalMachine& host) {
  const auto ports = best_ports(host);
  const std::string fabric = ports.empty() ? "" : ports.front().fabric;
  if (host.gpus.empty()) return fmt::format("{} cores, {}", host.usable_cores, fabric);
  const std::size_t gpus = host.gpus.size(), common = std::gcd(gpus, ports.size());
  return fmt::format("{}, {} x {} for {} GPUs", joined_by(host), ports.size() / common, fabric,
                     gpus / common);
}

// Nodes of several sizes are cut into equal parts, which have NICs of their own.
bool share_a_part(std::span<const LocalMachine> hosts) {
  std::size_t part = 0;
  bool equal = true, even = true;
  for (const LocalMachine& host : hosts) {
    const std::size_t gpus = host.gpus.size(), ports = best_ports(host).size();
    part = std::gcd(part, gpus);
    equal = equal && gpus == hosts.front().gpus.size();
    even = even && ports > 0 && gpus % ports == 0;
  }
  return equal || (even && part > 1 &&
                   part % (hosts.front().gpus.size() / best_ports(hosts.front()).size()) == 0);
}

// Consecutive hosts of one kind.
std::vector<std::span<const LocalMachine>> runs_of(std::span<const LocalMachine> hosts) {
  std::vector<std::span<const LocalMachine>> runs;
  for (std::size_t first = 0, i = 1; i <= hosts.size(); ++i) {
    if (i < hosts.size() && kind_of(hosts[i]) == kind_of(hosts[first])) continue;
    runs.push_back(hosts.subspan(first, i - first));
    first = i;
  }
  return runs;
}

void require_one_frame(std::span<const LocalMachine> hosts) {
  const bool one_kind = runs_of(hosts).size() == 1;
  const bool one_frame = std::all_of(hosts.begin(), hosts.end(), [&](const LocalMachine& host) {
    return frame_of(host) == frame_of(hosts.front());
  });
  if (one_kind || (one_frame && hosts.front().nvlink_shape.empty() && share_a_part(hosts))) return;
  std::vector<std::pair<std::string, std::vector<std::string>>> kinds;  // in order of appearance
  for (const auto& host : hosts) {
    const std::string kind = kind_of(host);
    auto known = std::find_if(kinds.begin(), kinds.end(),
                              [&](const auto& entry) { return entry.first == kind; });
    if (known == kinds.end()) known = kinds.insert(kinds.end(), {kind, {}});
    known->second.push_back(host.hostname);
  }
  std::string list;
  for (const auto& [kind, names] : kinds) {
    list += fmt::format("{}{}: {}", list.empty() ? "" : "; ", some_of(names), kind);
  }
  const auto& most = *std::max_element(
      kinds.begin(), kinds.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  throw UsageError(fmt::format(
      "the {} hosts are of {} kinds ({}), and the nodes of a machine have as many GPUs, "
      "or cores, and as many ports of one network, or GPUs by twos or more with as many ports "
      "each; run on those of one kind, such as --host {}, or "
      "write the machine file by hand",
      hosts.size(), kinds.size(), list, fmt::join(most.second, ",")));
}

std::string nic_latency(std::string_view fabric) {
  constexpr std::string_view paper = "arXiv:2505.09343 table: same leaf, 64 B, CPU-side, on H800";
  if (fabric == "infiniband") return yaml_sourced("2.8 us", "published", paper);
  if (fabric == "roce") return yaml_sourced("3.6 us", "published", paper);
  return yaml_sourced("25 us", "assumed",
                      "order of kernel TCP between hosts; measure calibrates it");
}

std::string port_rate(const LocalMachine& host) {
  const auto ports = best_ports(host);
  if (ports.empty()) {
    return yaml_sourced("10 Gbit/s", "assumed", "no network port reports its rate");
  }
  return yaml_sourced(fmt::format("{} Gbit/s", ports.front().gbit_per_s), "measured",
                      fmt::format("/sys/class: rate of {}", ports.front().name));
}

std::string host_count(std::size_t hosts) {
  return yaml_sourced(std::to_string(hosts), "measured", "hosts of this run");
}

// The hosts behind the first kind, in the order of the ranks.
std::string others_yaml(std::span<const std::span<const LocalMachine>> others) {
  std::string text = others.empty() ? "" : "others:\n";
  for (const auto& run : others) {
    const LocalMachine& host = run.front();
    text += yaml_line("  ", "- count", host_count(run.size()));
    text += yaml_line("    ", "nic", fmt::format("{{bandwidth: {}}}", port_rate(host)));
    text += "    node:\n" + domain_yaml(host, "      ");
  }
  return text;
}

std::string fabric_yaml(const LocalMachine& host) {
  const auto ports = best_ports(host);
  const std::string fabric = ports.empty() ? "ethernet" : ports.front().fabric;
  // NICs are shared evenly or, when they cannot be, all members share the first.
  const std::size_t members =
      host.gpus.empty() ? static_cast<std::size_t>(host.usable_cores) : host.gpus.size();
  const bool even = !host.gpus.empty() && !ports.empty() && members % ports.size() == 0;
  const std::size_t nics = even ? ports.size() : 1;
  std::string text = "fabric:\n  kind: single_switch\n";
  text += yaml_line("  ", "name", fabric) + "  nic:\n";
  text += yaml_line(
      "    ", "per_node",
      yaml_sourced(std::to_string(nics), even ? "measured" : "assumed",
                   even ? "/sys/class: active ports of the best rate" : "one NIC shared by all"));
  text += yaml_line("    ", "bandwidth", port_rate(host));
  return text + yaml_line("    ", "latency", nic_latency(fabric));
}

// One comment line: what names hold must not end it.
std::string comment(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return "# " + text + "\n";
}

// What the file's numbers leave out of what was found.
std::string doubt_about(const LocalMachine& host) {
  const auto [least, most] =
      std::minmax_element(host.gpus.begin(), host.gpus.end(),
                          [](const auto& a, const auto& b) { return a.nvlinks < b.nvlinks; });
  std::string text = host.gpus.empty() ? "" : host.gpu_note;
  if (!host.nvlinks_known && host.gpus.size() > 1) {
    text += " (the GPUs are taken to be joined by PCIe)";
  }
  const bool unlike = host.gpus.size() > 1 && least->nvlinks != most->nvlinks;
  if (host.nvlink_shape == "apart" && most->nvlinks > 0) {
    text =
        fmt::format("{}NVLinks{} join some of them only (bridges): not modeled, all goes over PCIe",
                    unlike ? "" : fmt::format("{} ", most->nvlinks), unlike ? "" : " of each GPU");
  } else if (unlike) {
    text = fmt::format(
        "the GPU at {} has {} NVLinks, that at {} {}: the least count here (is a "
        "link down?)",
        least->bus_id, least->nvlinks, most->bus_id, most->nvlinks);
  }
  return text;
}

std::string doubts(std::span<const std::span<const LocalMachine>> runs) {
  std::vector<std::string> texts;
  for (const auto& run : runs) {
    const std::string text = doubt_about(run.front());
    if (!text.empty() && std::find(texts.begin(), texts.end(), text) == texts.end()) {
      texts.push_back(text);
    }
  }
  std::string list;
  for (const auto& text : texts) list += "  - " + yaml_quoted(text) + "\n";
  return list.empty() ? "" : "doubts:\n" + list;
}

std::string header(std::span<const LocalMachine> hosts) {
  const bool read = hosts.front().usable_cores == 0;  // from a file, which knows no cores
  std::string text =
      comment(fmt::format("Written by `fabricast machine {}`.", read ? "import" : "discover"));
  int rank = 0;
  for (const auto& host : hosts) {
    text += comment(fmt::format("host {}: {}{}{}", host.hostname, describe(host),
                                host.kernel.empty() ? "" : "; ", host.kernel));
    if (host.gpus.empty()) text += comment("  no GPUs: " + host.gpu_note);
    if (!host.driver_version.empty()) text += comment("  NVIDIA driver " + host.driver_version);
    for (const auto& gpu : host.gpus) {
      text += comment(fmt::format("  rank {} = {} {} {}{}", rank++, gpu.bus_id, gpu.uuid, gpu.name,
                                  gpu.mig ? " (MIG: a process sees a slice)" : ""));
    }
    for (const auto& nic : host.nics) {
      text += comment(fmt::format("  {} {} {} Gbit/s", nic.fabric, nic.name, nic.gbit_per_s));
    }
  }
  return text;
}

}  // namespace

std::string to_machine_yaml(std::span<const LocalMachine> processes) {
  FABRICAST_EXPECT(!processes.empty(), "at least one host");
  const auto hosts = join_processes(processes);
  const auto& first = hosts.front();
  for (const auto& host : hosts) require_like_gpus(host);
  require_one_frame(hosts);
  const std::string what =
      first.gpus.empty()
          ? fmt::format("host-{}-lanes", first.usable_cores)
          : fmt::format("{}-x{}", slug(short_gpu_name(first.gpus.front())), first.gpus.size());
  const auto runs = runs_of(hosts);
  std::string text = header(hosts);
  if (hosts.size() == 1) {
    text += yaml_line("", "name", what);
    text += yaml_line("", "title", yaml_quoted(describe(first))) + doubts(runs);
    return text + domain_yaml(first, "");
  }
  text += yaml_line("", "name", fmt::format("{}-n{}", what, hosts.size()));
  const std::string title = runs.size() == 1
                                ? fmt::format("{} x {}", hosts.size(), describe(first))
                                : fmt::format("{} hosts of several kinds", hosts.size());
  text += yaml_line("", "title", yaml_quoted(title));
  text += doubts(runs) + yaml_line("", "kind", "nested");
  text += yaml_line("", "count", host_count(runs.front().size()));
  text += yaml_line("", "channels",
                    first.gpus.empty()
                        ? yaml_sourced("1", "assumed", "one lane of the host executor per core")
                        : gpu_channels(first, true));
  return text + fabric_yaml(first) + "node:\n" + domain_yaml(first, "  ") +
         others_yaml(std::span(runs).subspan(1));
}

}  // namespace fabricast
