// fabricast schedule list | show | export: the algorithms, as tables, pictures and MSCCL files.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/picture_file.hpp"
#include "emulator/cli/schedule_choice.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/draw/rounds.hpp"
#include "emulator/schedule/draw/schedule_svg.hpp"
#include "emulator/schedule/expand.hpp"
#include "emulator/schedule/export/msccl_xml_writer.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "emulator/trace/publish.hpp"

namespace fabricast {
namespace {

struct ScheduleArguments {
  ScheduleChoice choice;
  std::string output, protocol = "Simple";
  std::int32_t channel = 0;
  bool rounds = false, force = false, sized = false;
};

void write_text(const std::string& file, const std::string& text, bool force) {
  require_target(file, force);
  publish_file(file, std::as_bytes(std::span(text)), force, [](const std::filesystem::path&) {});
  log_info("wrote " + file);
}

const char* needs_text(Needs needs) {
  switch (needs) {
    case Needs::nothing:
      return "-";
    case Needs::two_levels:
      return "two levels";
    case Needs::one_domain:
      return "one domain";
    case Needs::a_switch:
      return "a switch";
    case Needs::switches:
      return "switches";
    case Needs::a_reducing_network:
      return "sharp";
    case Needs::switches_and_network:
      return "both";
  }
  return "?";
}

// Steps of the busiest rank, all its lanes.
std::size_t most_steps(const ChannelPlan& channel) {
  std::size_t most = 0;
  for (std::int32_t rank = 0; rank < channel.schedule->positions(); ++rank) {
    std::size_t steps = 0;
    for (std::int32_t role = 0; role < channel.schedule->roles; ++role) {
      steps += expand(*channel.schedule, channel.placement, rank, role).steps.size();
    }
    most = std::max(most, steps);
  }
  return most;
}

int list_command(ScheduleChoice choice) {
  const std::int32_t domain = choice.domain == 0 ? choice.ranks : choice.domain;
  fmt::print("# {} ranks, domains of {}; {} chunks where an algorithm pipelines over them\n",
             choice.ranks, domain, choice.chunks);
  fmt::print("{:<17} {:<15} {:<11} {:>7} {:>7} {:>8} {:>10}\n", "algorithm", "collective", "needs",
             "chunks", "roles", "scratch", "steps/rank");
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    choice.what = entry.name;
    choice.collective = to_string(entry.collective);
    const std::string row =
        fmt::format("{:<17} {:<15} {:<11}", entry.name, choice.collective, needs_text(entry.needs));
    const std::string reason =
        why_not(entry, RankSpace{domain, std::max(1, choice.ranks / domain)});
    if (!reason.empty()) {
      fmt::print("{} not here: it {}\n", row, reason);
      continue;
    }
    const auto chosen = choose_schedule(choice, false);
    const ChannelPlan& channel = chosen.plan.channels.front();
    fmt::print("{} {:>7} {:>7} {:>8} {:>10}\n", row, channel.schedule->chunks,
               channel.schedule->roles, channel.schedule->scratch_chunks, most_steps(channel));
  }
  return 0;
}

std::string action_text(std::uint8_t action) {
  std::string text;
  const std::pair<std::uint8_t, const char*> names[] = {{action_recv, "recv"},
                                                        {action_reduce, "reduce"},
                                                        {action_copy, "store"},
                                                        {action_send, "send"}};
  for (const auto& [bit, name] : names) {
    if ((action & bit) != 0) text += (text.empty() ? "" : "+") + std::string(name);
  }
  return text.empty() ? "wait" : text;
}

void print_stages(const Schedule& schedule) {
  fmt::print("\n{:<24} {:>7}  {}\n", "stage", "repeats", "what a lane does (by role)");
  constexpr std::size_t most_listed = 60;
  for (std::size_t s = 0; s < schedule.stages.size() && s < most_listed; ++s) {
    const Stage& stage = schedule.stages[s];
    std::string actions, last;
    for (const PhaseGroup& group : stage.groups) {
      for (const Phase& phase : group.phases) {
        const std::string action = fmt::format("{}:{}", phase.role, action_text(phase.action));
        if (action != last) actions += (actions.empty() ? "" : " ") + action;
        last = action;
      }
    }
    if (actions.size() > 120) actions = actions.substr(0, 117) + "...";
    fmt::print("{:<24} {:>7}  {}\n", stage.name, stage.repeat, actions);
  }
  if (schedule.stages.size() > most_listed) {
    fmt::print("and {} more stages\n", schedule.stages.size() - most_listed);
  }
}

std::string title_of(const ExecutionPlan& plan, std::int32_t channel) {
  const RankSpace& space = plan.space;
  std::string title =
      fmt::format("{} {}, {} ranks", to_string(plan.collective), plan.algorithm, space.size());
  if (space.domains() > 1) {
    title += fmt::format(" ({} domains of {})", space.domains(), space.domain_size());
  }
  if (plan.channels.size() > 1) {
    title += fmt::format(", channel {} of {}", channel, plan.channels.size());
  }
  return title;
}

int show_command(const ScheduleArguments& arguments) {
  const auto chosen = choose_schedule(arguments.choice, arguments.sized);
  const auto channels = static_cast<std::int32_t>(chosen.plan.channels.size());
  if (arguments.channel >= channels) {
    throw UsageError(
        fmt::format("--channel: {} does not exist among {} channels", arguments.channel, channels));
  }
  const ChannelPlan& channel = chosen.plan.channels[static_cast<std::size_t>(arguments.channel)];
  const Schedule& schedule = *channel.schedule;
  const std::string title = title_of(chosen.plan, arguments.channel);
  if (!arguments.output.empty()) {
    check_picture_name(arguments.output);
    require_target(arguments.output, arguments.force);
    publish_picture(
        arguments.output,
        render_schedule_svg(schedule, channel.placement, chosen.plan.space.domain_size(), title),
        arguments.force);
    log_info("wrote " + arguments.output);
  }
  if (arguments.rounds) {
    fmt::print("# {}\n{}", title, rounds_text(schedule, rounds_of(schedule, channel.placement)));
  } else if (arguments.output.empty()) {
    fmt::print("{}\n  chunks {}, scratch chunks {}, roles {}, steps of the busiest rank {}\n",
               title, schedule.chunks, schedule.scratch_chunks, schedule.roles,
               most_steps(channel));
    print_stages(schedule);
  }
  return 0;
}

// What is written is read back and proved, so that a file that deadlocks in MSCCL's slots or lost
// an order is never handed on.
int export_command(const ScheduleArguments& arguments) {
  const auto chosen = choose_schedule(arguments.choice, arguments.sized);
  MscclOptions options;
  options.protocol = arguments.protocol;
  VerifyOptions in_place;
  in_place.in_place = true;
  options.in_place = verify(chosen.plan, in_place).ok();
  const std::string xml = to_msccl_xml(chosen.plan, options);
  ChosenSchedule written;
  written.imported = read_msccl_xml(xml, "exported");
  written.plan = plan_of(written.imported->schedule, 0, 4, {});
  const VerifyReport report = verify(written.plan);
  if (!report.ok()) {
    throw UsageError(fmt::format(
        "schedule \"{}\" cannot be written as MSCCL XML (with {} slots per connection what is read "
        "back is wrong: {}) use fewer ranks or another algorithm",
        chosen.plan.algorithm, PlanLimits{}.fifo_depth, report.findings.front().text));
  }
  if (arguments.output.empty()) {
    fmt::print("{}", xml);
  } else {
    write_text(arguments.output, xml, arguments.force);
  }
  return 0;
}

}  // namespace

void add_schedule_command(CLI::App& app, CommandBody& run) {
  auto* schedule = app.add_subcommand("schedule", "list, draw or export the algorithms");
  schedule->require_subcommand(1);
  const auto arguments = std::make_shared<ScheduleArguments>();

  auto* list = schedule->add_subcommand("list", "the algorithms, what they need, how many steps");
  list->add_option("--ranks", arguments->choice.ranks, "count the steps at this many ranks")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  list->add_option("--domain", arguments->choice.domain, "ranks per NVLink domain (default: all)")
      ->check(CLI::Range(1, 4096));
  list->callback(
      [&run, arguments] { run = [arguments] { return list_command(arguments->choice); }; });

  auto* show =
      schedule->add_subcommand("show", "an algorithm or a file: stages, rounds, a picture");
  add_schedule_options(*show, arguments->choice);
  show->add_option("--channel", arguments->channel, "which channel to show")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  show->add_flag("--rounds", arguments->rounds, "print who sends what to whom, round by round");
  auto* picture =
      show->add_option("-o,--output", arguments->output, "draw it into this file (.svg or .html)");
  show->add_flag("--force", arguments->force, "replace an existing file")->needs(picture);
  show->callback([&run, arguments, show] {
    arguments->sized = size_options_given(*show);
    run = [arguments] { return show_command(*arguments); };
  });

  auto* write = schedule->add_subcommand("export", "write it as an MSCCL algorithm file (XML)");
  add_schedule_options(*write, arguments->choice);
  write->add_option("--protocol", arguments->protocol, "Simple, LL or LL128")
      ->check(CLI::IsMember({"Simple", "LL", "LL128"}))
      ->capture_default_str();
  auto* file = write->add_option("-o,--output", arguments->output, "the file (default: stdout)");
  write->add_flag("--force", arguments->force, "replace an existing file")->needs(file);
  write->callback([&run, arguments, write] {
    arguments->sized = size_options_given(*write);
    run = [arguments] { return export_command(*arguments); };
  });
}

}  // namespace fabricast
