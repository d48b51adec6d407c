// The rows of /results as energy and dollars: what one operation draws and costs while all of its
// ranks take part in it.
//
// Power and price are those of the machine's file as the trace echoes it (topologies/model/
// machine_cost.hpp). A collective that nothing hides leaves its GPUs waiting for the network: its
// dollars are those of exposed communication. How much of it is hidden a trace does not know; where
// the user gives the time of the computation beside each operation, what is longer than that is
// exposed (at best: as if the two did not slow each other), and its dollars are idle ones. Pure;
// throws UsageError where a machine of the trace rests on files that are not here.
#pragma once

#include <optional>
#include <string>

#include "emulator/report/table_view.hpp"

namespace fabricast {

// `compute_us`: of the computation beside each operation; none: not known.
std::string render_cost(const TraceContent& content, const TableOptions& options,
                        std::optional<double> compute_us = std::nullopt);

}  // namespace fabricast
