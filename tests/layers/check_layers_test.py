"""scripts/dev/check-layers finds what it must: each test plants one violation in a small tree."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "dev" / "check-layers"

TABLE = """# Architecture

| Layer | Module | May include |
| --- | --- | --- |
| 0 | `emulator/base` | nothing of ours |
| 1 | topologies, `emulator/schedule` | base |
| 2 | kernels | base, `schedule/step.hpp` |
| 3 | emulator/runtime | base, schedule, kernels |
| 3 | emulator/sim | base, topologies, schedule |
| 5 | emulator/coordinator | all of the above |
| 6 | emulator/cli | everything |
"""

TREE = {
    "docs/architecture.md": TABLE,
    "emulator/base/units.hpp": "#include <cstdint>\n",
    "emulator/schedule/step.hpp": "",
    "emulator/schedule/plan.hpp": '#include "emulator/base/units.hpp"\n',
    "topologies/model.hpp": '#include "emulator/base/units.hpp"\n',
    "kernels/reduce.cpp": '#include "emulator/schedule/step.hpp"\n',
    "emulator/runtime/executor.hpp": '#include "emulator/schedule/plan.hpp"\n',
    "emulator/sim/sweep.hpp": '#include "topologies/model.hpp"\n',
    "emulator/coordinator/run.cpp":
        '#include "emulator/sim/sweep.hpp"\n#include "kernels/x.hpp"\n',
    "kernels/x.hpp": "",
    "emulator/cli/main.cpp": '#include "emulator/coordinator/api.hpp"\n',
    "emulator/coordinator/api.hpp": "",
    "tests/unit/plan_test.cpp":
        '#include "emulator/cli/main.hpp"\n#include "tests/support/s.hpp"\n',
    "emulator/cli/main.hpp": "",
    "tests/support/s.hpp": "",
    "emulator/base/CMakeLists.txt": "fabricast_module(base SOURCES units.cpp LINK fmt::fmt)\n",
    "emulator/schedule/CMakeLists.txt": "fabricast_module(schedule SOURCES a.cpp DEPENDS base)\n",
    "emulator/sim/CMakeLists.txt":
        "fabricast_module(sim\n  SOURCES s.cpp  # runtime\n  DEPENDS base schedule)\n",
    "emulator/runtime/CMakeLists.txt": "fabricast_module(runtime SOURCES r.cpp DEPENDS schedule)\n",
    "kernels/CMakeLists.txt": "fabricast_module(kernels SOURCES k.cpp DEPENDS base schedule)\n",
}


class CheckLayersTest(unittest.TestCase):
    def run_check(self, changes):
        """Exit code and output of the script on TREE with some files replaced or removed (None)."""
        with tempfile.TemporaryDirectory() as directory:
            for name, text in {**TREE, **changes}.items():
                path = Path(directory, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                if text is not None:
                    path.write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, SCRIPT, "--root", directory], text=True,
                                  capture_output=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def expect_clean(self, changes):
        code, output = self.run_check(changes)
        self.assertEqual((code, output), (0, "check-layers: 8 modules, 0 problems\n"))

    def expect_problem(self, changes, *fragments):
        code, output = self.run_check(changes)
        self.assertEqual(code, 1, output)
        self.assertEqual(output.splitlines()[-1], "check-layers: 8 modules, 1 problems", output)
        for fragment in fragments:
            self.assertIn(fragment, output)

    def test_clean_tree(self):
        self.expect_clean({})

    def test_upward_include(self):
        self.expect_problem({"emulator/base/units.hpp": '\n#include "emulator/schedule/plan.hpp"\n'},
                            "emulator/base/units.hpp:2:", "may not include", "nothing of ours")

    def test_sibling_include(self):
        self.expect_problem({"topologies/model.hpp": '#include "emulator/schedule/plan.hpp"\n'},
                            "topologies (layer 1) may not include")

    def test_kernels_may_use_only_one_header_of_schedule(self):
        self.expect_problem({"kernels/reduce.cu": '#include "emulator/schedule/plan.hpp"\n'},
                            "kernels/reduce.cu:1: kernels (layer 2) may not include")

    def test_sim_and_runtime_are_apart(self):
        self.expect_problem({"emulator/sim/a.cpp": '#include "emulator/runtime/executor.hpp"\n'},
                            "emulator/sim (layer 3) may not include")
        self.expect_problem({"emulator/runtime/a.cpp": '#include "emulator/sim/sweep.hpp"\n'},
                            "emulator/runtime (layer 3) may not include")

    def test_program_does_not_include_tests(self):
        self.expect_problem({"emulator/cli/a.cpp": '#include "tests/support/s.hpp"\n'},
                            "no module of the table")

    def test_include_relative_to_the_file(self):
        for include in ('"sweep.hpp"', '"../base/units.hpp"', "<sweep.hpp>"):
            self.expect_problem({"emulator/sim/a.cpp": f"#include {include}\n"},
                                "emulator/sim/a.cpp:1:", "not written from the root")
        self.expect_problem({"emulator/sim/a.cpp": "#include <emulator/base/units.hpp>\n"}, "quotes")
        self.expect_problem({"tests/unit/a.cpp": '#include "plan_test.hpp"\n'},
                            "not written from the root")

    def test_missing_header(self):
        self.expect_problem({"emulator/sim/a.cpp": '#include "emulator/base/gone.hpp"\n'},
                            "does not exist")

    def test_generated_header(self):
        self.expect_clean({"emulator/sim/a.cpp": '#include "emulator/base/version.hpp"\n',
                           "emulator/base/version.hpp.in": ""})

    def test_comments_are_not_code(self):
        include = '#include "emulator/sim/sweep.hpp"\n'
        self.expect_clean({"emulator/base/a.cpp": f"/*\n{include}*/\n"})
        self.expect_problem({"emulator/base/a.cpp": f"// machines/*.yaml\n{include}// */\n"},
                            "emulator/base/a.cpp:2:")

    def test_unknown_module(self):
        self.expect_problem({"emulator/extra/a.hpp": ""}, "lies in no module of the table")
        self.expect_problem({"emulator/a.hpp": ""}, "lies in no module of the table")

    def test_cmake_edges(self):
        sim, base = "emulator/sim/CMakeLists.txt", "emulator/base/CMakeLists.txt"
        self.expect_problem({sim: "fabricast_module(sim SOURCES s.cpp DEPENDS base runtime)\n"},
                            "emulator/sim may not depend on runtime")
        self.expect_problem({base: "fabricast_module(base SOURCES u.cpp LINK fabricast::sim)\n"},
                            "emulator/base may not depend on sim")
        self.expect_problem({"emulator/sim/more/CMakeLists.txt":
                             "target_link_libraries(fabricast_sim PUBLIC fabricast::runtime)"},
                            "emulator/sim may not depend on runtime")
        self.expect_problem({sim: "fabricast_module(sim SOURCES s.cpp DEPENDS bass)\n"},
                            "no fabricast_module() defines")

    def test_the_table_itself(self):
        code, output = self.run_check({"docs/architecture.md": TABLE.replace(
            "sim | base, topologies", "sim | base, `coordinator/api.hpp`, topologies")})
        self.assertEqual(code, 1)
        self.assertIn("emulator/sim (layer 3) include emulator/coordinator of a higher layer", output)
        self.expect_problem({"docs/architecture.md": TABLE.replace("step.hpp", "stop.hpp"),
                             "kernels/reduce.cpp": "", "kernels/CMakeLists.txt": ""},
                            "schedule/stop.hpp, which does not exist")

    def test_cycle_inside_a_layer(self):
        code, output = self.run_check({"docs/architecture.md": TABLE.replace(
            "runtime | base, schedule, kernels", "runtime | base, schedule, kernels, sim").replace(
            "sim | base, topologies, schedule", "sim | base, topologies, schedule, runtime")})
        self.assertEqual(code, 1)
        self.assertIn("cycle: emulator/runtime -> emulator/sim -> emulator/runtime", output)

    def test_no_table(self):
        for text in ("# nothing\n", TABLE.replace("kernels | base", "kernels | bass"),
                     TABLE.replace("| 2 | kernels", "| two | kernels")):
            code, output = self.run_check({"docs/architecture.md": text})
            self.assertEqual(code, 2, output)


if __name__ == "__main__":
    unittest.main()
