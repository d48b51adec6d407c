#include "emulator/coordinator/engine_choice.hpp"

#include <fmt/format.h>

#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/scaled_number.hpp"

namespace fabricast {
namespace {

FlowChoice routes_from(const std::string& text) {
  const auto colon = text.find(':');
  FlowChoice choice;
  choice.routing = routing_from_name(text.substr(0, colon));
  if (colon == std::string::npos) return choice;
  if (choice.routing != Routing::ecmp) {
    throw UsageError(fmt::format(
        "--routing {}: only ecmp has a seed (nothing else is drawn); leave it out", text));
  }
  const auto seed = parse_integer(text.substr(colon + 1));
  if (seed < 0) throw UsageError(fmt::format("--routing {}: a seed is 0 or more", text));
  choice.seed = static_cast<std::uint64_t>(seed);
  return choice;
}

}  // namespace

std::string EngineChoice::to_yaml() const {
  if (!flow) return "";
  return fmt::format("engine: flow\nengine_why: {}\nrouting: {}\nrouting_seed: {}\n", why,
                     to_string(routes.routing), routes.seed);
}

EngineChoice engine_choice(const std::string& engine, const std::string& routing) {
  const std::vector<std::string> known{"auto", "sweep", "flow"};
  if (engine != "auto" && engine != "sweep" && engine != "flow") {
    throw UsageError(unknown_name_message("engine", engine, known));
  }
  EngineChoice choice;
  if (!routing.empty()) {
    choice.routes = routes_from(routing);
    choice.flow = true;
    choice.why = "routing is said of flows only";
  }
  if (engine == "flow") {
    choice.flow = true;
    choice.why = "asked for";
  } else if (engine == "sweep") {
    if (choice.flow) {
      throw UsageError(
          "--engine sweep has no --routing (it divides every link among all that may use it); "
          "leave "
          "one of them out");
    }
    choice.why = "asked for";
  }
  return choice;
}

}  // namespace fabricast
