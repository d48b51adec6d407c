// The rows of /results as energy and dollars: what one operation draws and costs while all of its
// ranks take part in it.
//
// Power and price are those of the machine's file as the trace echoes it (topologies/model/
// machine_cost.hpp). A collective that nothing hides leaves its GPUs waiting for the network: its
// dollars are those of exposed communication. Pure; throws UsageError where a machine of the trace
// rests on files that are not here.
#pragma once

#include <string>

#include "emulator/report/table_view.hpp"

namespace fabricast {

std::string render_cost(const TraceContent& content, const TableOptions& options);

}  // namespace fabricast
