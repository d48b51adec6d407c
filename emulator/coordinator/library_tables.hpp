// /library_choice: what the library would take, beside the rows that are its choice.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "emulator/coordinator/scenario.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {

// Row i of /results is points[i].
void add_library_choices(const Scenario& scenario, const std::vector<ScenarioPoint>& points,
                         TraceContent& content);

// For people: choice, the engine's time and the two estimates, of these rows of /results. Empty
// without any.
std::string render_library_choices(const TraceContent& content,
                                   const std::set<std::int64_t>& shown);

// What readers of the machines' rows must know, as root attributes of the trace: "library_note",
// whose costs they have, where that is not the machine's own library's, and "generation_note"
// (emulator/cost/generation_ratios.hpp). A list's notes have the machines' names, also where it is
// one machine: rows of others, without a note, may stand beside it. Only of executor nccl.
std::map<std::string, std::string> note_attributes(const std::vector<const Topology*>& machines);
std::map<std::string, std::string> note_attributes(ExecutorKind executor, const Topology& machine);

// Attribute "not_of_the_library": which of a scenario's algorithms NCCL itself would not take on
// the machine (library_has), a line each: kind, collective, algorithm. Kinds: `sharp` and
// `windows`, with what those take; `schedule`, never. Only of executor nccl; empty: none.
std::string not_of_the_library(const Scenario& scenario, const Topology& topology);
// What that attribute says of these rows of /results, for people.
std::string library_lines(const TraceContent& content, const std::set<std::int64_t>& shown);

// Of any attributes, the lines that stand below a table; "why": everything that the notes say.
std::string note_lines(const std::map<std::string, std::string>& attributes, bool why = false);

}  // namespace fabricast
