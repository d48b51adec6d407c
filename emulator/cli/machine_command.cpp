// fabricast machine list | show | check | draw | discover; machine_formats.hpp has import and
// export.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/machine_formats.hpp"
#include "emulator/cli/machine_show.hpp"
#include "emulator/cli/picture_file.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/trace/publish.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/discover/local_machine.hpp"
#include "topologies/draw/machine_svg.hpp"
#include "topologies/import/nccl_xml.hpp"
#include "topologies/model/machine_cost.hpp"
#include "topologies/model/machine_file.hpp"
#include "topologies/model/machine_table.hpp"

namespace fabricast {
namespace {

struct MachineOptions {
  std::string name;
  std::vector<std::string> files, set;
  std::string output, nccl_xml;
  std::int32_t from = -1, to = -1, ranks = 0;
  bool force = false, markdown = false;
};

const LinkClass* class_of_kind(const Topology& machine, LinkKind kind) {
  for (const auto& link_class : machine.link_classes()) {
    if (link_class.kind == kind) return &link_class;
  }
  return nullptr;
}

// A number for a table; "-" when the file does not give it.
std::string cell(const Sourced& number) {
  return number.value > 0 ? fmt::format("{:.6g}", number.value) : "-";
}

std::string price_date(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr) return "-";
  const std::string date = running_cost(built->spec(), machine.ranks()).price_date;
  return date.empty() ? "-" : date;
}

int list_command() {
  std::vector<std::vector<std::string>> rows{{"name", "GPUs", "domain", "NIC Gbit/s", "fabric",
                                              "BF16 TFLOPS", "FP8", "HBM GB", "GPU W", "price of",
                                              "title"}};
  for (const auto& listing : list_machines()) {
    const auto machine = load_machine(listing.name);
    const auto* nic = class_of_kind(*machine, LinkKind::nic);
    rows.push_back(
        {listing.name, std::to_string(listing.gpus), std::to_string(machine->space().domain_size()),
         nic == nullptr ? "-" : fmt::format("{:.6g}", nic->bandwidth.value * 8),
         machine->fabric() == "none" ? "-" : machine->fabric(), cell(machine->gpu().bf16_tflops),
         cell(machine->gpu().fp8_tflops), cell(machine->gpu().hbm_gb), cell(machine->gpu().power_w),
         price_date(*machine), listing.title});
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool text = i == 0 || i == 4 || i == 9;
      if (i + 1 == row.size())
        line += row[i];
      else
        line += text ? fmt::format("{:<{}}  ", row[i], widths[i])
                     : fmt::format("{:>{}}  ", row[i], widths[i]);
    }
    fmt::print("{}\n", line);
  }
  return 0;
}

std::shared_ptr<const Topology> load(const MachineOptions& options) {
  const auto machine = load_machine(options.name, options.set);
  return options.ranks == 0 ? machine : with_ranks(machine, options.ranks);
}

int show_command(const MachineOptions& options) {
  show_machine(*load(options), {options.from, options.to});
  return 0;
}

// Checks all files even when one is bad, so that a person sees every problem at once.
int check_command(const MachineOptions& options) {
  ExitCode code = ExitCode::ok;
  for (const auto& file : options.files) {
    try {
      const auto machine = load_machine(file, options.set);
      auto warnings = machine_warnings(*machine);
      const std::string named = name_warning(file, *machine);
      if (!named.empty()) warnings.insert(warnings.begin(), named);
      fmt::print("{}: ok, {} ranks, {} warning{}\n", file, machine->ranks(), warnings.size(),
                 warnings.size() == 1 ? "" : "s");
      for (const auto& warning : warnings) fmt::print("  warning: {}\n", warning);
      for (const auto& problem : machine_problems(*machine)) {
        fmt::print(stderr, "{}: impossible: {}\n", file, problem);
        if (code == ExitCode::ok) code = ExitCode::check_failed;
      }
    } catch (const Error& error) {
      fmt::print(stderr, "{}\n", error.what());
      // The first problem decides the exit code.
      if (code == ExitCode::ok) code = error.code();
    }
  }
  return static_cast<int>(code);
}

int draw_command(const MachineOptions& options) {
  check_picture_name(options.output);
  const auto machine = load(options);
  publish_picture(options.output, machine_svg(*machine), options.force);
  fmt::print("{}\n", options.output);
  return 0;
}

// Under mpirun every process describes its host, and rank 0 writes the one machine they form.
int discover_command(const MachineOptions& options) {
  const auto world = Communicator::launched_by_mpi() ? Communicator::world() : Communicator::null();
  const auto parts = world.gather(pack(discover_local()));
  agree_that(world, [&] {
    std::vector<LocalMachine> hosts;
    for (const auto& part : parts) hosts.push_back(unpack(part));
    if (!options.nccl_xml.empty()) {
      const auto dump = read_nccl_xml(read_text_file(options.nccl_xml), options.nccl_xml);
      for (auto& host : hosts) host = merge_nccl_xml(host, dump, options.nccl_xml);
    }
    const std::string yaml = to_machine_yaml(hosts);
    if (options.output.empty()) {
      fmt::print("{}", yaml);
    } else {
      publish_file(options.output, std::as_bytes(std::span(yaml)), options.force,
                   [](const std::filesystem::path&) {});
      fmt::print("{}\n", options.output);
    }
  });
  return 0;
}

}  // namespace

void add_machine_command(CLI::App& app, CommandBody& run) {
  auto* machine = app.add_subcommand(
      "machine", "list, show, check, draw, discover, import or export machine files");
  machine->require_subcommand(1);
  const auto options = std::make_shared<MachineOptions>();

  const auto add_set = [&options](CLI::App* command) {
    command->add_option("--set", options->set, "change a key: --set fabric.rails=4 --set count=32")
        ->allow_extra_args(false);
  };

  auto* list = machine->add_subcommand("list", "the machines that ship with fabricast");
  list->add_flag("--markdown", options->markdown, "as docs/machine-list.md, with the open doubts");
  list->callback([&run, options] {
    run = [options] {
      if (!options->markdown) return list_command();
      fmt::print("{}", machine_list_markdown());
      return 0;
    };
  });

  auto* show = machine->add_subcommand("show", "every number of a machine with origin and source");
  show->add_option("name", options->name, "name of a machine, NODExN[@FABRIC], or a .yaml file")
      ->required();
  show->add_option("--ranks", options->ranks, "only the first N ranks")->check(CLI::PositiveNumber);
  show->add_option("--from", options->from, "show the route from this rank ...")
      ->check(CLI::NonNegativeNumber);
  show->add_option("--to", options->to, "... to this rank (default: the last)")
      ->check(CLI::NonNegativeNumber);
  add_set(show);
  show->callback([&run, options] { run = [options] { return show_command(*options); }; });

  auto* check = machine->add_subcommand("check", "read machine files; names every assumed number");
  check->add_option("files", options->files, "names of machines, or .yaml files")->required();
  add_set(check);
  check->callback([&run, options] { run = [options] { return check_command(*options); }; });

  auto* draw =
      machine->add_subcommand("draw", "a picture of node, group and cluster, as SVG or HTML");
  draw->add_option("name", options->name, "name of a machine, NODExN[@FABRIC], or a .yaml file")
      ->required();
  draw->add_option("-o,--output", options->output, "the .svg or .html file to write")->required();
  draw->add_option("--ranks", options->ranks, "only the first N ranks")->check(CLI::PositiveNumber);
  draw->add_flag("--force", options->force, "replace an existing file");
  add_set(draw);
  draw->callback([&run, options] { run = [options] { return draw_command(*options); }; });

  auto* discover = machine->add_subcommand("discover", "write the file of the machine you are on");
  discover->add_option("-o,--output", options->output, "the file to write (default: stdout)");
  discover->add_option(
      "--nccl-xml", options->nccl_xml,
      "a topology dump of NCCL (NCCL_TOPO_DUMP_FILE): links and ports as NCCL sees "
      "them; without GPUs here, the machine of the dump");
  discover->add_flag("--force", options->force, "replace an existing file");
  discover->callback([&run, options] { run = [options] { return discover_command(*options); }; });
  add_machine_formats(*machine, run);
}

}  // namespace fabricast
