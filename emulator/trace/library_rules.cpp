#include "emulator/trace/library_rules.hpp"

namespace fabricast {

TableRule library_choice_rule() {
  using enum ColumnType;
  return {"/library_choice",
          "What the collective library of the machine itself takes, and two estimates of its time",
          {{"result", integer, "1", "row of /results: the choice, timed by the engine"},
           {"library", text, "", "library, version and the variables that were set"},
           {"choice", text, "", "algorithm as the library calls it; SendRecv: it chooses none"},
           {"channels", integer, "1", "thread blocks that work; 0: as the machine has them"},
           {"threads", integer, "1", "threads of each"},
           {"tuner_us", real, "us", "the library's own estimate, with which it chose; 0: none"},
           {"closed_us", real, "us", "the closed time model at its priors"}},
          {"/results"}};
}

}  // namespace fabricast
