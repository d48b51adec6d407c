"""What the command line tells a newcomer: hints at misspelt words, defaults in --help, what does not run as asked.

PROGRAM [MPIEXEC]. Standard library only.
"""
import glob
import os
import re

import cli_case
from cli_case import CliCase

ONE = ("-b", "1M", "-e", "1M", "-a", "ring")


class CommandLine(CliCase):
    def test_a_misspelt_command_or_option_gets_a_hint(self):
        cases = {
            ("emualte", "-m", "gb300-nvl72"): 'unknown command "emualte" (did you mean "emulate"?)',
            ("machine", "shw", "gb300-nvl72"): 'unknown command "shw" (did you mean "show"?)',
            ("emulate", "--mahine", "gb300-nvl72", "-o", "t.h5"):
                "unknown option --mahine (did you mean --machine?)",
            ("emulate", "-m", "gb300-nvl72", "--chanels=4"): "unknown option --chanels (did you mean --channels?)",
            ("report", "t.h5", "--tmeout", "3"): "unknown option --tmeout (did you mean --timeout?)",
            ("report", "t.h5", "--nothing-like-it"): "unknown option --nothing-like-it;",
            ("report", "t.h5", "u.h5"): 'unexpected argument "u.h5"',
            ("machine",): "no command given; known: list show check draw",
        }
        for arguments, message in cases.items():
            with self.subTest(arguments):
                self.expect_error(2, message, *arguments)

    def test_the_help_it_points_to_is_that_of_the_command(self):
        self.expect_error(2, "see `fabricast --help`", "nonsense")
        self.expect_error(2, "see `fabricast emulate --help`", "emulate")
        self.expect_error(2, "name is required; see `fabricast machine show --help`", "machine", "show")
        self.expect_error(2, "see `fabricast compare --help`", "compare", "one.h5")

    def test_help_shows_defaults(self):
        defaults = {
            "emulate": ["-e TEXT=16G", "-f FLOAT=2", "--collective TEXT=all_reduce", "--engine TEXT=auto"],
            "run": ["-f FLOAT=4", "--executor TEXT=auto"],
            "compare": ["[0.01 - 1000]=5"],
        }
        for command, expected in defaults.items():
            text = self.expect_ok(command, "--help").stdout
            for words in expected:
                with self.subTest(command, words=words):
                    self.assertIn(words, text)
            # No value is no default.
            for words in ("=[]", "={}", "=-1"):
                self.assertNotIn(words, text, command)
        self.assertNotIn("POSITIVE=0", self.expect_ok("machine", "draw", "--help").stdout)

    def test_sizes_that_do_not_run_as_asked_are_told(self):
        result = self.expect_ok("emulate", "-m", "hgx-h100", "-a", "ring", "-b", "3", "-e", "6", "-o", "t.h5")
        self.assertIn("the least is one element of 4 B", result.stderr)
        self.assertIn("sizes are whole elements of 4 B: 6 runs as 4", result.stderr)

    def test_part_of_a_torus_says_which_wraps_it_has_lost(self):
        sizes = ("-b", "1M", "-e", "1M", "-a", "ring", "-o", "t.h5")
        cut = self.expect_ok("emulate", "-m", "tpu-v5p-8960", "--ranks", "64", *sizes)
        self.assertIn("y 4 of 20, z 1 of 28 without wraps", cut.stderr)
        whole = self.expect_ok("emulate", "-m", "tpu-v5e-256", *sizes, "--force")
        self.assertNotIn("wraps", whole.stderr)

    def test_keys_of_a_cluster_are_set_on_a_cluster(self):
        self.expect_error(2, "name one: gb300-nvl72x16 --set fabric.rails=4",
                          "machine", "show", "gb300-nvl72", "--set", "fabric.rails=4")
        self.expect_ok("machine", "show", "gb300-nvl72x16", "--set", "fabric.rails=4")

    def test_explain_answers_what_it_is_asked_as_csv_too(self):
        asked = ("explain", "-m", "hgx-h100x2", "-c", "all_reduce", "-d", "fp8_e4m3", "-b", "64M", "-e", "64M")
        row = [line for line in self.expect_ok(*asked).stdout.splitlines() if line.strip()[:1].isdigit()]
        lines = self.expect_ok(*asked, "--csv", "selection").stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines[1].split(",")[3:7], ["AllReduce", "67108864", *row[0].split()[1:3]])
        several = self.expect_ok("explain", "-m", "hgx-h100x2", "-c", "all", "-f", "1024", "--csv", "selection").stdout
        self.assertIn("Broadcast,8388608", several)
        self.assertNotIn("SendRecv", several)
        self.expect_error(2, "NCCL chooses no algorithm", "explain", "-m", "hgx-h100x2", "-c", "all_to_all", "--csv", "selection")
        for table in ("graphs", "channels", "model"):
            self.expect_error(2, "-c, -d: --csv " + table, "explain", "-m", "hgx-h100x2", "-c", "all_reduce", "-d", "half", "--csv", table)
            self.expect_ok("explain", "-m", "hgx-h100x2", "--csv", table)
        self.expect_error(2, "-b excludes --xml", "explain", "-m", "hgx-h100x2", "--xml", "-b", "1K")
        self.expect_error(2, "leave them out", "explain", "-m", "hgx-h100x2", "--xml", "--set", "NCCL_ALGO=ring")

    def test_commands_of_the_documents_run_as_written(self):
        """Words behind a command are comments: the shell takes them for arguments otherwise."""
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        files = [os.path.join(root, "README.md"), *glob.glob(os.path.join(root, "docs", "*.md"))]
        commands = 0
        for file in files:
            with open(file, encoding="utf-8") as text:
                for line in text:
                    if not re.match(r"(\$ )?fabricast ", line):
                        continue
                    commands += 1
                    self.assertNotRegex(line.split("#")[0].rstrip(), r"\S {2,}\S", file)
        self.assertGreater(commands, 30)

    def test_import_of_what_is_no_log_says_so(self):
        self.write("notes.txt", "nothing here\n")
        result = self.run_program("import", "notes.txt", "-m", "hgx-h100")
        self.assertEqual(result.returncode, 2)
        self.assertIn("notes.txt: no run of nccl-tests in it", result.stderr)
        self.assertNotIn("see above", result.stderr)

    def test_idle_dollars_need_the_time_of_the_computation(self):
        self.expect_ok("emulate", "-m", "gb200-nvl72", *ONE, "-o", "t.h5")
        self.assertNotIn("idle", self.expect_ok("report", "t.h5", "--cost").stdout)
        said = self.expect_ok("report", "t.h5", "--cost", "--compute", "0.1ms").stdout
        self.assertIn("100 us of computation beside it (given by --compute)", said)
        self.assertIn("idle USD per 1000", said)
        self.expect_error(2, "--compute: ", "report", "t.h5", "--cost", "--compute", "100")
        self.expect_error(2, "--compute requires --cost", "report", "t.h5", "--compute", "1ms")


if __name__ == "__main__":
    cli_case.main()
