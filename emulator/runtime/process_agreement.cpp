#include "emulator/runtime/process_agreement.hpp"

#include <fmt/format.h>

namespace fabricast {

Said exchange(const Communicator& processes, const Answer& mine) {
  Said said;
  said.texts = processes.all_gather(mine.encoded());
  for (const bool stalls : {false, true}) {
    for (std::size_t p = 0; p < said.texts.size() && said.problem.empty(); ++p) {
      const auto& text = said.texts[p];
      if (text.front() == '0' || (text.front() == '9') != stalls) continue;
      said.problem = text.substr(1);
      if (said.texts.size() > 1) said.problem = fmt::format("process {}: {}", p, said.problem);
      said.code = stalls ? ExitCode::runtime : static_cast<ExitCode>(text.front() - '0');
    }
  }
  for (auto& text : said.texts) text.erase(0, 1);
  return said;
}

}  // namespace fabricast
