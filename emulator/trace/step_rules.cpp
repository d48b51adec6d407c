#include "emulator/trace/step_rules.hpp"

namespace fabricast {

TableRule steps_rule() {
  using enum ColumnType;
  return {
      "/steps",
      "Steps of one rank per symmetric class, on the channel that ends last",
      {{"result", integer, "1", "row of /results"},
       {"channel", integer, "1", "slowest channel; of several alike the first"},
       {"class", integer, "1", "class of the rank; the rank itself where nothing was folded"},
       {"members", integer, "1", "ranks in the class, all with these very times"},
       {"rank", integer, "1", "lowest rank of the class"},
       {"role", integer, "1", "role of the lane"},
       {"step", integer, "1", "step in its lane, from 0"},
       {"stage", text, "", "stage of the schedule"},
       {"loop", integer, "1", "run of the whole schedule, from 0"},
       {"repetition", integer, "1", "repetition of the stage, from 0"},
       {"slice", integer, "1", "slice of the repetition, from 0"},
       {"action",
        code,
        "1",
        "what it does, in this order",
        {"wait", "send", "recv_copy", "recv_copy_send", "recv_reduce_copy", "recv_reduce_send",
         "recv_reduce_copy_send", "copy", "copy_send", "reduce_copy"}},
       {"peer_in", integer, "1", "rank received from; -1: none, -2: all others of its group"},
       {"peer_out", integer, "1", "rank sent to; -1: none, -2: all others of its group"},
       {"bytes", integer, "B", "bytes it is charged for, all its messages together"},
       {"bound",
        code,
        "1",
        "what decided its start; of several at once the first",
        {"nothing", "lane", "data", "slot", "other_lane"}},
       {"start_ps", integer, "ps", "start, after the launch"},
       {"end_ps", integer, "ps", "end, when its lane is free again, after the launch"},
       {"ready_ps", integer, "ps", "when its message is ready at the receiver; 0: it sends none"}},
      {"/results", "/step_coverage"}};
}

TableRule step_coverage_rule() {
  using enum ColumnType;
  return {"/step_coverage",
          "How much of a result's steps is in /steps",
          {{"result", integer, "1", "row of /results"},
           {"channel", integer, "1", "channel of the steps"},
           {"classes", integer, "1", "classes of that channel, asked for or not"},
           {"steps", integer, "1", "steps of the classes in the window that were asked for"},
           {"rows", integer, "1", "of them in /steps: the first by start"},
           {"complete_until_ps", integer, "ps", "no step that starts earlier was left out"}},
          {"/results"}};
}

}  // namespace fabricast
