// fabricast explain: what NCCL would choose for a collective on a machine, by size, and why.
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/name_lists.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/nccl/explain_text.hpp"
#include "emulator/nccl/golden_csv.hpp"
#include "emulator/nccl/network_settings.hpp"
#include "emulator/nccl/system_description.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

constexpr std::array sweep_options{"-c", "-b", "-e", "-f", "-d"};

struct ExplainArguments {
  std::string machine, xml, nodes, csv;
  std::string collectives = "all_reduce", smallest = "8", largest = "16G", type = "float";
  std::int64_t factor = 2;
  std::string version = to_string(nccl::default_version);
  std::vector<std::string> set;
  bool print_xml = false, symmetric = false;
  std::vector<std::string> sweep;  // which of -c, -b, -e, -f and -d were given
};

struct Subject {
  std::string name, label;
  nccl::System system;
  std::string xml;
  std::shared_ptr<const Topology> machine;  // none with --nccl-xml
};

// Settings of the machine file, as `--set gpus=4`.
std::vector<std::string> machine_settings(const ExplainArguments& arguments) {
  std::vector<std::string> settings;
  for (const auto& item : arguments.set) {
    if (!is_library_variable(item)) settings.push_back(item);
  }
  if (!settings.empty() && arguments.machine.empty()) {
    throw UsageError(
        fmt::format("--set {}: is no NCCL variable and there is no --machine whose key "
                    "it could be",
                    settings.front()));
  }
  return settings;
}

Subject subject_of(const ExplainArguments& arguments) {
  if (arguments.machine.empty() == arguments.xml.empty()) {
    throw UsageError("give --machine NAME or --nccl-xml FILE, and not both");
  }
  Subject subject;
  if (!arguments.xml.empty()) {
    static_cast<void>(machine_settings(arguments));  // there is no machine to set them on
    subject.xml = read_text_file(arguments.xml);
    subject.system = nccl::read_system(subject.xml, arguments.xml);
    subject.label = arguments.xml;
    subject.name = std::filesystem::path(arguments.xml).stem().string();
  } else {
    const auto settings = machine_settings(arguments);
    const auto machine = load_machine(arguments.machine, settings);
    subject.xml = nccl::system_xml(*machine);
    subject.system = nccl::system_of(*machine);
    subject.name = subject.label = machine->name();
    subject.machine = machine;
    for (const auto& item : settings) subject.label += " (what-if: " + item + ")";
  }
  return subject;
}

std::vector<int> nodes_of(const ExplainArguments& arguments, const Subject& subject) {
  if (arguments.nodes.empty()) return {subject.system.nodes};
  std::vector<int> counts;
  for (const auto& item : names_option("--nodes", arguments.nodes)) {
    const bool none = item.find_first_not_of('0') == std::string::npos;
    const std::int64_t count = none ? 0 : size_option("--nodes", item);
    if (count < 1 || count > 1 << 24) {
      throw UsageError("--nodes " + item + ": give 1 to 16777216 nodes (NVLink domains)");
    }
    counts.push_back(static_cast<int>(count));
  }
  return counts;
}

std::vector<std::int64_t> sizes_of(const ExplainArguments& arguments) {
  const std::int64_t largest = size_option("-e", arguments.largest);
  std::vector<std::int64_t> sizes;
  for (std::int64_t size = size_option("-b", arguments.smallest); size <= largest;
       size *= arguments.factor) {
    sizes.push_back(size);
    if (size > largest / arguments.factor) break;
  }
  if (sizes.empty()) throw UsageError("-b is larger than -e; nothing to explain");
  return sizes;
}

bool has_nvlinks(const nccl::PciElement& device) {
  return (device.gpu && (!device.gpu->nvlinks.empty() || !device.gpu->c2cs.empty())) ||
         std::any_of(device.children.begin(), device.children.end(), has_nvlinks);
}

// A file of slots, as clouds ship for NCCL_TOPO_FILE: NCCL adds the links that it finds itself.
bool lists_nvlinks(const nccl::SystemDescription& system) {
  return std::any_of(system.cpus.begin(), system.cpus.end(), [](const nccl::CpuElement& cpu) {
    return std::any_of(cpu.devices.begin(), cpu.devices.end(), has_nvlinks);
  });
}

// A table of the communicator is the same for all collectives, sizes and types.
void check_against_table(const ExplainArguments& arguments) {
  if (arguments.csv.empty() || arguments.sweep.empty()) return;
  if (nccl::csv_table_from_name(arguments.csv) == nccl::CsvTable::selection) return;
  throw UsageError(fmt::format(
      "{}: --csv {} is a table of the communicator, the same for all collectives, sizes "
      "and types; leave it out, or ask --csv selection",
      fmt::join(arguments.sweep, ", "), arguments.csv));
}

nccl::CsvQuestion csv_question(const std::vector<Collective>& collectives,
                               const std::vector<std::int64_t>& sizes, nccl::DataType type) {
  const auto chosen = [](Collective of) { return nccl::function_of(of).has_value(); };
  if (std::none_of(collectives.begin(), collectives.end(), chosen)) {
    throw UsageError(fmt::format(
        "--csv selection -c {}: sends and receives; NCCL chooses no algorithm, so there "
        "are no rows",
        to_string(collectives.front())));
  }
  return {collectives, sizes, type};
}

int run_explain(const ExplainArguments& arguments) {
  check_against_table(arguments);
  const Subject subject = subject_of(arguments);
  if (arguments.print_xml) {
    if (std::any_of(arguments.set.begin(), arguments.set.end(), is_library_variable)) {
      throw UsageError(
          "--xml prints a machine, which NCCL's variables do not change: leave them out");
    }
    fmt::print("{}", subject.xml);
    return 0;
  }
  const auto version = library_version(arguments.version);
  const auto overrides = library_overrides(arguments.set);
  const auto collectives = collectives_from_list(arguments.collectives);
  const auto sizes = sizes_of(arguments);
  const auto counts = nodes_of(arguments, subject);
  const auto type = nccl::data_type_from_name(arguments.type);
  std::optional<nccl::CsvTable> table;
  nccl::CsvQuestion question;
  if (!arguments.csv.empty()) {
    table = nccl::csv_table_from_name(arguments.csv);
    if (table == nccl::CsvTable::selection) question = csv_question(collectives, sizes, type);
    fmt::print("{}", csv_header(*table));
  }
  for (const int nodes : counts) {
    auto with_network = overrides;
    if (subject.machine) nccl::add_network_settings(with_network, *subject.machine, nodes);
    const auto communicator = nccl::make_communicator(subject.system, nodes, version, with_network);
    if (table) {
      fmt::print("{}", csv_rows(*table, subject.name, communicator, question));
      continue;
    }
    fmt::print("{}", describe(communicator, subject.label));
    if (!arguments.xml.empty() && subject.system.description->gpus > 1 &&
        !lists_nvlinks(*subject.system.description)) {
      fmt::print(
          "# the file lists no NVLinks: this is the choice over PCIe. Where the GPUs have some, "
          "NCCL "
          "adds them as it finds them; give what NCCL_TOPO_DUMP_FILE wrote on such a machine\n");
    }
    for (const auto collective : collectives) {
      const nccl::Request request{collective, 0, type};
      fmt::print("{}", arguments.symmetric ? explain_symmetric(communicator, request, sizes)
                                           : explain(communicator, request, sizes));
    }
  }
  return 0;
}

}  // namespace

void add_explain_command(CLI::App& app, CommandBody& run) {
  auto* command = app.add_subcommand(
      "explain", "what NCCL would choose for a collective on a machine, by size, and why");
  auto arguments = std::make_shared<ExplainArguments>();
  command->add_option("--machine,-m", arguments->machine, "machine name or YAML file");
  command->add_option("--nccl-xml", arguments->xml,
                      "NCCL topology XML of one node (NCCL_TOPO_DUMP_FILE) instead of a machine");
  command->add_option(
      "--nodes", arguments->nodes,
      "nodes (NVLink domains), or a list separated by commas (default: those of the "
      "machine; 1 with --nccl-xml)");
  command
      ->add_option("-c,--collective", arguments->collectives,
                   "collectives, separated by commas, or all")
      ->capture_default_str();
  command->add_option("-b", arguments->smallest, "smallest size (nccl-tests letters: 8, 64K, 16G)")
      ->capture_default_str();
  command->add_option("-e", arguments->largest, "largest size")->capture_default_str();
  command->add_option("-f", arguments->factor, "factor between sizes")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1} << 40))
      ->capture_default_str();
  command
      ->add_option("-d,--dtype", arguments->type,
                   "element type as nccl-tests names it: float, half, bfloat16, fp8_e4m3 ...")
      ->capture_default_str();
  command
      ->add_option("--nccl-version", arguments->version,
                   "2.18 to 2.30; between two known versions the older one's constants hold")
      ->capture_default_str();
  command->add_option("--set", arguments->set,
                      "NCCL variable, NAME=VALUE: NCCL_ALGO, NCCL_PROTO, NCCL_MIN_NCHANNELS, "
                      "NCCL_NVLS_ENABLE ...; may be repeated. The answer is then a what-if");
  auto* symmetric =
      command->add_flag("--symmetric", arguments->symmetric,
                        "both buffers in symmetric windows (2.27 and newer): which of the kernels "
                        "for them is taken");
  auto* csv =
      command->add_option("--csv", arguments->csv,
                          "print a table instead: selection (takes -c, -b, -e, -f and -d), or "
                          "graphs, channels or model of the communicator "
                          "(columns: docs/nccl-choice.md)");
  csv->excludes(symmetric);
  auto* xml =
      command->add_flag("--xml", arguments->print_xml,
                        "print the topology XML of one node of the machine, and nothing else");
  xml->excludes(symmetric, csv);
  for (const char* name : {"--nodes", "--nccl-version"}) xml->excludes(command->get_option(name));
  for (const char* name : sweep_options) xml->excludes(command->get_option(name));
  command->callback([arguments, command, &run] {
    for (const char* name : sweep_options) {
      if (command->count(name) > 0) arguments->sweep.emplace_back(name);
    }
    run = [arguments] { return run_explain(*arguments); };
  });
}

}  // namespace fabricast
