"""measure: real runs alone and under mpirun, what the file holds, refusals, the synthetic machine."""
import json
import os
import sys
import unittest

import cli_case
from cli_case import CliCase

TINY = ("-b", "8", "-e", "4K", "-f", "8", "-n", "3", "--quiet")
CORES = len(os.sched_getaffinity(0))


class Measure(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if CORES < 2:
            raise unittest.SkipTest("two ranks cannot be timed on one core")

    def measured(self, *arguments, **options):
        return json.loads(self.expect_ok("measure", "--json", *arguments, **options).stdout)

    def test_alone_it_measures_threads_and_says_so_first(self):
        result = self.expect_ok("measure", "--executor", "host", "--ranks", "2", *TINY[:-1], "-o", "m.h5")
        self.assertIn("host executor", result.stderr.splitlines()[0])
        self.assertEqual(self.left(), ["m.h5"])
        rows = [line.split() for line in result.stdout.splitlines() if not line.startswith("#")]
        self.assertGreaterEqual(len(rows), 4)
        for row in rows:
            self.assertEqual(len(row), 13, row)
            self.assertEqual(row[8], "0", "#wrong")
            self.assertGreater(float(row[5]), 0)
        self.expect_ok("report", "m.h5", "--check")

    def test_every_collective_is_correct_on_threads(self):
        got = self.measured("--executor", "host", "--ranks", "2", "-c", "all", *TINY)
        self.assertEqual({row["collective"] for row in got["results"]},
                         {"all_reduce", "all_gather", "reduce_scatter", "broadcast", "all_to_all", "reduce",
                          "gather", "scatter", "send_recv"})
        for row in got["results"]:
            self.assertEqual(row["nwrong"], 0)
            self.assertEqual(row["iterations"], 3)
            if row["collective"] in ("all_gather", "reduce_scatter", "all_to_all"):
                self.assertEqual(row["size"] % (2 * 16), 0)

    def test_two_processes_are_two_ranks(self):
        if not cli_case.MPIEXEC:
            self.skipTest("no mpirun")
        got = self.measured("--executor", "mpi", "-c", "all", *TINY, "-o", "m.h5", ranks=2)
        self.assertEqual({row["executor"] for row in got["results"]}, {"mpi"})
        self.assertEqual({row["ranks"] for row in got["results"]}, {2})
        self.assertEqual({row["nwrong"] for row in got["results"]}, {0})
        self.assertEqual(self.left(), ["m.h5"])
        self.expect_ok("report", "m.h5", "--check")

    def test_the_file_holds_samples_conditions_machine_host_and_config(self):
        try:
            import h5py
        except ImportError:
            self.skipTest("no h5py")
        self.expect_ok("measure", "--executor", "host", "--ranks", "2", "-a", "ring", *TINY, "-o", "m.h5")
        with h5py.File(self.path("m.h5"), "r") as file:
            self.assertEqual(len(file["samples/value"]), 3 * len(file["sample_conditions/bytes"]))
            self.assertTrue((file["samples/value"][:] > 0).all())
            self.assertEqual(set(file["sample_conditions/executor"][:]), {b"host"})
            self.assertEqual(list(file["sample_conditions/bytes"][:]), [8, 64, 512, 4096])
            self.assertEqual(len(file["machine"]), 1)
            self.assertIn("host", file)
            self.assertIn("config", file)
            self.assertNotIn(b"synthetic", list(file["sample_environment/key"][:]))

    def test_more_ranks_than_cores_are_checked_but_never_timed(self):
        ranks = str(CORES + 1)
        self.expect_error(2, "refuses to time", "measure", "--executor", "host", "--ranks", ranks, *TINY)
        got = self.measured("--executor", "host", "--ranks", ranks, "-c", "all", "--check-only", *TINY)
        self.assertGreater(len(got["results"]), 5)
        for row in got["results"]:
            self.assertEqual(row["nwrong"], 0)
            self.assertNotIn("time", row)

    def test_the_stopping_rule_leaves_its_reasons(self):
        got = self.measured("--executor", "host", "--ranks", "2", "-a", "ring", "-b", "64", "-e", "64", "--quiet")
        row = got["results"][0]
        self.assertGreaterEqual(row["iterations"], 10)
        self.assertIn(row["stop_reason"], ("converged", "never_quiet", "time_ceiling", "iteration_ceiling"))
        self.assertIn("median_error", got["environment"]["harness_stopping_rule"])

    def test_a_budget_names_what_it_skipped(self):
        got = self.measured("--executor", "host", "--ranks", "2", "-a", "ring", "-b", "8", "-e", "8K",
                            "--budget", "0.000001", "--quiet")
        skipped = [row["size"] for row in got["results"] if "skipped" in row]
        self.assertEqual(skipped, [16 << i for i in range(10)])
        self.assertEqual(len([note for note in got["notes"] if "skipped" in note]), 10)

    def test_bad_input_is_refused_with_one_message_and_nothing_is_left(self):
        host = ("measure", "--executor", "host", "--ranks", "2", "-o", "m.h5")
        cases = [
            (2, "-b", (*host, "-b", "2M", "-e", "1M")),
            (2, "size", (*host, "-b", "0x8")),
            (2, "-f", (*host, "-f", "1")),
            (2, 'did you mean "all_reduce"', (*host, "-c", "all_redcue")),
            (2, 'did you mean "ring"', (*host, "-a", "rign")),
            (2, "type", (*host, "-d", "flaot")),
            (2, "reduction", (*host, "--op", "prdo")),
            (2, 'did you mean "host"', ("measure", "--executor", "hots")),
            (2, "--help", (*host, "--wat")),
            (2, "host cores", (*host, "--machine", "gb300-nvl72")),
            (2, "--synthetic", (*host, "--set", "a=1")),
            (2, "--check-only", (*host, "--check-only")),
            (4, "no/such/folder", (*host[:-1], "no/such/folder/m.h5")),
            (4, "directory", (*host[:-1], ".")),
        ]
        for code, message, arguments in cases:
            with self.subTest(arguments):
                self.expect_error(code, message, *arguments)

    def test_errors_under_mpirun_are_said_once_and_end_all_alike(self):
        if not cli_case.MPIEXEC:
            self.skipTest("no mpirun")
        for code, message, arguments in [
                (2, 'did you mean "ring"', ("--executor", "mpi", "-a", "rign")),
                (2, "one process", ("--executor", "host")),
                (2, "smallest size", ("-b", "2M", "-e", "1M")),
                (4, "no/such/folder", ("-o", "no/such/folder/m.h5"))]:
            with self.subTest(arguments):
                result = self.run_program("measure", *arguments, ranks=2)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertEqual(result.stderr.count(message), 1, result.stderr)
                self.assertEqual(self.left(), [])


class Synthetic(CliCase):
    DRAW = ("measure", "--synthetic", "hgx-h100", "-a", "ring", "--protocol", "simple", "--json", "--quiet")

    def times(self, *arguments):
        got = json.loads(self.expect_ok(*self.DRAW, *arguments).stdout)
        return {row["size"]: row["time"] for row in got["results"]}

    def test_equal_seeds_give_equal_samples_and_others_do_not(self):
        sweep = ("-b", "1K", "-e", "1M", "-f", "32")
        first = self.times(*sweep)
        self.assertEqual(first, self.times(*sweep))
        self.assertNotEqual(first, self.times(*sweep, "--seed", "2"))

    def test_half_the_bandwidth_moves_the_large_sizes_only(self):
        sweep = ("-b", "8", "-e", "8G", "-f", str(1 << 30), "--noise", "0", "--outliers", "0")
        truth = self.times(*sweep)
        halved = self.times(*sweep, "--set", "nvlink.efficiency=x0.5")
        small, large = sorted(truth)
        self.assertAlmostEqual(halved[large] / truth[large], 2, delta=0.02)
        self.assertAlmostEqual(halved[small] / truth[small], 1, delta=0.02)

    def test_samples_are_labelled_and_the_file_is_valid(self):
        got = json.loads(self.expect_ok(*self.DRAW, "-e", "1M", "-f", "64", "-o", "s.h5").stdout)
        self.assertIn("not measured", got["environment"]["synthetic"])
        self.expect_ok("report", "s.h5", "--check")

    def test_what_describes_a_made_up_machine_needs_one(self):
        for arguments in (("--seed", "3"), ("--noise", "0.5"), ("--outliers", "0.1"), ("--protocol", "ll"),
                          ("--set", "nvlink.efficiency=x0.5")):
            with self.subTest(arguments):
                self.expect_error(2, "--synthetic", "measure", *arguments, "-e", "1K")
        for arguments in (("--budget", "3"), ("-w", "3"), ("--no-check",), ("--check-only",), ("--in-place",),
                          ("--machine", "hgx-h100")):
            with self.subTest(arguments):
                self.expect_error(2, "excludes", *self.DRAW, *arguments)

    def test_values_are_numbers_in_range(self):
        self.expect_error(2, "nan is not a number", "measure", "--budget", "nan")
        self.expect_error(2, "nan is not a number", *self.DRAW, "--noise", "nan")
        self.expect_error(2, "nan is not a number", "calibrate", "samples.h5", "--holdout", "nan")
        self.expect_error(2, "-a: no name", "measure", "--synthetic", "hgx-h100", "-a", ",")

    def test_unknown_parameters_are_named_with_a_suggestion(self):
        self.expect_error(2, 'did you mean "nvlink.efficiency"', *self.DRAW, "--set", "nvlink.eficiency=x0.5")
        self.expect_error(2, "not positive", *self.DRAW, "--set", "nvlink.efficiency=x0")
        self.expect_error(2, "did you mean", "measure", "--synthetic", "hgx-h10")


if __name__ == "__main__":
    cli_case.main()
    sys.exit(0)
