"""fabricast run, small: trace, plot, table; twice in a row; readable by h5py and pandas."""
import csv
import io
import os
import subprocess

import cli_case
from cli_case import CliCase

SMALL = ("run", "-e", "1M", "-f", "16", "--budget", "2", "--machines", "gb300-nvl72", "--quiet")


class MainJob(CliCase):
    def test_run_twice_leaves_two_traces_and_two_plots(self):
        first = self.expect_ok(*SMALL)
        second = self.expect_ok(*SMALL)
        self.assertEqual(self.left(), ["trace-2.h5", "trace-2.svg", "trace.h5", "trace.svg"])
        self.assertIn("gb300-nvl72", first.stdout)
        self.assertIn("measured share 0 %", second.stdout)
        self.expect_ok("report", "trace.h5", "--check")
        self.expect_ok("report", "trace.h5", "--why", "0")
        with open(self.path("trace.svg"), encoding="utf-8") as file:
            self.assertIn("<svg", file.read(400))

    def test_the_three_lines_of_the_readme(self):
        self.expect_ok(*SMALL)
        script = (
            "import h5py, pandas as pd\n"
            'f = h5py.File("trace.h5")\n'
            'print(f["results/time_us"][:5], f["results/busbw_gbps"].attrs["units"], f.attrs["backend"])\n'
            'print(pd.read_hdf("trace.h5", "summary").head())\n')
        probe = subprocess.run(["/usr/bin/python3", "-c", "import h5py, pandas, tables"], capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest("Debian's h5py, pandas and tables are not installed")
        result = subprocess.run(["/usr/bin/python3", "-c", script], cwd=self.folder.name, capture_output=True,
                                text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("GB/s", result.stdout)

    def test_under_mpirun_one_trace_by_processes(self):
        if not cli_case.MPIEXEC:
            self.skipTest("no mpirun")
        self.expect_ok(*SMALL, "-o", "mpi.h5", ranks=2)
        self.expect_ok("report", "mpi.h5", "--check")
        self.assertEqual(self.left(), ["mpi.h5", "mpi.svg"])

    def test_the_chain_of_the_readme_connects(self):
        """Its commands, at its options, with sizes cut; what one writes the next one reads."""
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("two ranks cannot be timed on one core")
        if "kind: host" not in self.expect_ok("machine", "discover").stdout:
            self.skipTest("the chain is of a machine without GPUs")
        readme = os.path.join(os.path.dirname(__file__), "../../README.md")
        with open(readme, encoding="utf-8") as file:
            block = next(b for b in file.read().split("```sh\n")[1:] if "machine discover" in b).split("```")[0]
        commands = [line.split("#")[0].strip() for line in block.splitlines()]
        self.assertGreaterEqual(len(commands), 5)
        for command in commands:
            command = command.replace("mpirun -n 4 ", "").replace("-e 4M", "-e 64K --executor host").replace("16G", "1M")
            words = command.split()
            self.assertEqual(words.pop(0), "fabricast", command)
            if ">" in words:
                at = words.index(">")
                self.write(words[at + 1], self.expect_ok(*words[:at]).stdout)
            else:
                self.expect_ok(*words)
        written = self.left()
        for name in ("here.yaml", "samples.h5", "profile.h5", "here.h5", "cluster.h5"):
            self.assertIn(name, written)
        rows = csv.DictReader(io.StringIO(self.expect_ok("report", "here.h5", "--csv").stdout))
        # Of a short budget on a busy machine parameters stay near their priors: 0.246 was seen at a load of 15.
        self.assertGreater(min(float(row["measured_share"]) for row in rows), 0.1)

    def test_a_machine_of_two_generations_says_what_its_rows_rest_on(self):
        self.write("mixed.yaml", "name: mixed\ntitle: a test\nkind: nested\nnode: hgx-h100\ncount: [2, assumed, t]\nfabric: infiniband-hdr\n"
                                 "others:\n  - {node: hgx-a100, count: [2, assumed, t]}\n")
        options = [*SMALL]
        options[options.index("gb300-nvl72")] = "gb300-nvl72,./mixed.yaml"
        note, prior = "# mixed: GPUs of ampere: the figures of hopper times the ratios", "#   cta.copy_bw x "
        for text in (self.expect_ok(*options).stdout, self.expect_ok("report", "trace.h5").stdout):
            self.assertEqual((text.count(note), text.count(prior)), (1, 0), text)
        self.assertIn(prior, self.expect_ok("report", "trace.h5", "--why", "0").stdout)
        self.expect_ok("report", "trace.h5", "--check")
        # Alone as well: the rows of this machine's own measurements stand beside it.
        options[options.index("gb300-nvl72,./mixed.yaml")] = "./mixed.yaml"
        self.assertEqual(self.expect_ok(*options).stdout.count(note), 1)
        self.assertNotIn("GPUs of", self.expect_ok(*SMALL).stdout)

    def test_two_machines_of_one_name_are_refused(self):
        shipped = os.path.join(os.path.dirname(__file__), "../../topologies/machines/gb300-nvl72.yaml")
        with open(shipped, encoding="utf-8") as file:
            self.write("same.yaml", file.read().replace("900 GB/s", "450 GB/s"))
        self.expect_error(2, "two machines named gb300-nvl72", "run", "--machines", "gb300-nvl72,./same.yaml")
        self.expect_error(2, '"gb300-nvl72" is named twice', "run", "--machines", "gb300-nvl72,gb300-nvl72")

    def test_this_machine_is_not_emulated_twice(self):
        self.write("here.yaml", self.expect_ok("machine", "discover").stdout)
        here = self.expect_error(2, "emulated anyway", "run", "--executor", "host", "--machines", "here.yaml", "--quiet")
        self.assertIn("rename", here.stderr)

    def test_options_that_would_do_nothing_are_refused_before_any_work(self):
        for message, arguments in (("--measure-max 1 is below", ("--measure-max", "1")),
                                   ("--machines: no name", ("--machines", "")),
                                   ("--machines: no name", ("--machines", ",")),
                                   ("nan is not a number", ("--budget", "nan")),
                                   ("round to 0 bytes", ("-b", "2", "-e", "2", "--executor", "host", "--quiet"))):
            with self.subTest(arguments):
                self.expect_error(2, message, "run", *arguments)

    def test_one_core_measures_nothing_and_emulates(self):
        one = sorted(os.sched_getaffinity(0))[:1]
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, one)
        try:
            result = self.expect_ok(*SMALL)
        finally:
            os.sched_setaffinity(0, before)
        self.assertIn("one rank moves nothing", result.stderr)
        self.assertIn("gb300-nvl72", result.stdout)
        self.expect_ok("report", "trace.h5", "--check")

    def test_errors_under_mpirun_are_said_once(self):
        if not cli_case.MPIEXEC:
            self.skipTest("no mpirun")
        for message, arguments in (("did you mean", ("--executor", "hots")),
                                   ("runs in one process", ("--executor", "host"))):
            with self.subTest(arguments):
                result = self.run_program("run", *arguments, ranks=2)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertEqual(result.stderr.count(message), 1, result.stderr)
                self.assertNotIn("MPI_ABORT", result.stderr)
                self.assertEqual(self.left(), [])

    def test_an_unwritable_target_is_refused_before_any_work(self):
        self.expect_error(4, "no/such", "run", "-o", "no/such/trace.h5")
        self.expect_error(2, "did you mean", "run", "--machines", "gb300-nvl27")


if __name__ == "__main__":
    cli_case.main()
