#include "emulator/cli/emulate_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/run_phase.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/cli/emulate_notes.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/engine_choice.hpp"
#include "emulator/coordinator/job_tables.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/coordinator/library_tables.hpp"
#include "emulator/coordinator/profile_choice.hpp"
#include "emulator/coordinator/scenario.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/report/table_view.hpp"
#include "emulator/trace/trace_file.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

std::string config_of(ExecutorKind executor, const Topology& machine, const std::string& profile,
                      const JobFile& file) {
  return fmt::format(
      "machine: {}\nexecutor: {}\nprofile: {}\nengine: flow\nengine_why: jobs share links\n{}",
      machine.name(), to_string(executor), profile, file.to_yaml());
}

// All that the jobs may run with: those named, and what the executor takes for the others.
std::vector<Protocol> protocols_of_jobs(const JobFile& file, ExecutorKind executor) {
  auto protocols = usual_protocols(executor);
  const auto known = protocols_of(executor);
  for (const FlowJob& job : file.jobs) {
    for (const Protocol named : job.protocols) {
      const auto has = [named](const auto& list) {
        return std::find(list.begin(), list.end(), named) != list.end();
      };
      if (has(known) && !has(protocols)) protocols.push_back(named);
    }
  }
  return protocols;
}

void print_stats(const JobFile& file, const JobPredictions& jobs) {
  const FlowStats& stats = jobs.run.stats;
  fmt::print(
      "# engine: flow (jobs share links), routing {}; {} flows, {} events, at most {} active, {} "
      "classes, in {:.4f} s ({:.3g} events/s), state {:.2f} MB\n",
      to_string(file.choice.routing), stats.flows, stats.events, stats.most_active, stats.flows,
      jobs.run.engine_seconds,
      jobs.run.engine_seconds > 0 ? static_cast<double>(stats.events) / jobs.run.engine_seconds
                                  : 0.0,
      static_cast<double>(stats.state_bytes) / 1e6);
  for (std::size_t j = 0; j < file.jobs.size(); ++j) {
    const JobTime& time = jobs.run.jobs[j];
    fmt::print("# job {} alone: {} flows, {} events, state {:.2f} MB, {:.4f} s\n",
               file.jobs[j].name, time.flows, time.events,
               static_cast<double>(time.state_bytes) / 1e6, time.engine_seconds);
  }
}

void run_and_write(const JobArguments& arguments) {
  if (arguments.output.empty()) throw UsageError("emulate needs -o FILE to write its trace to");
  if (arguments.engine == "sweep") {
    throw UsageError(
        "--engine sweep: jobs that share links are for the flow engine; leave --engine out");
  }
  engine_choice(arguments.engine, "");  // throws for a name that is none
  check_writable(arguments.output, arguments.force);
  for (const auto& setting : arguments.settings) {
    if (!is_library_variable(setting)) continue;
    throw UsageError(fmt::format(
        "--set {} decides what NCCL takes, and the jobs' file says what each runs; leave it out",
        setting));
  }
  const auto topology = load_machine(arguments.machine, arguments.settings);
  const auto executor = modeled_executor(arguments.executor, *topology);
  const JobFile file = parse_job_file(read_text_file(arguments.jobs), arguments.jobs, topology);
  enter_phase(RunPhase::calibrate);
  const auto profile =
      choose_profile(*topology, executor, protocols_of_jobs(file, executor), arguments.profile);
  enter_phase(RunPhase::simulate);
  const JobPredictions jobs = predict_jobs(topology, profile.profile, executor, file);
  enter_phase(RunPhase::write);
  TraceAssembly assembly;
  assembly.add_machine(*topology);
  assembly.add_profile(profile.profile);
  for (std::size_t j = 0; j < jobs.predictions.size(); ++j) {
    assembly.add_predictions(*jobs.selections[j], {jobs.predictions[j]});
  }
  auto attributes = run_attributes("model", this_command_line());
  attributes["seed"] = std::to_string(file.choice.seed);
  attributes.merge(note_attributes(executor, *topology));
  if (auto line = what_if({arguments.settings, {}, 0, "", file.faults}); !line.empty()) {
    attributes["what_if"] = line;
  }
  const std::string notes = note_lines(attributes);
  TraceContent content = assembly.finish(config_of(executor, *topology, profile.origin, file),
                                         nullptr, std::move(attributes));
  add_jobs(file, jobs, content);
  write_trace(arguments.output, content, WriteOptions{arguments.force});
  fmt::print("{}", render_table(content, TableOptions{}));
  fmt::print("{}{}{}", render_jobs(content, shown_rows(content, {})), notes,
             what_if_line(content));
  if (arguments.stats) print_stats(file, jobs);
  fmt::print("# trace {} content_digest {}\n", arguments.output, content_digest(content));
}

}  // namespace

int emulate_jobs(const JobArguments& arguments) {
  const auto world = Communicator::world();
  agree_that(world, [&] { run_and_write(arguments); });
  return 0;
}

}  // namespace fabricast
