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

    def export(self, name, *arguments):
        self.expect_ok("schedule", "export", *arguments, "-o", name)
        return name

    def test_algorithm_files_are_checked_and_timed_like_the_catalogue(self):
        ring = self.export("ring.xml", "ring", "--ranks", "2", "--channels", "2")
        got = self.measured("--executor", "host", "-a", f"ring,{ring}", "-b", "4", "-e", "4K", "-f", "8",
                            "-n", "3", "-o", "m.h5")
        rows = [row for row in got["results"] if row["algorithm"] == "file:ring"]
        self.assertEqual([row["size"] for row in rows], [4, 32, 256, 2048])
        for row in rows:
            self.assertEqual((row["collective"], row["ranks"], row["channels"], row["nwrong"]),
                             ("all_reduce", 2, 2, 0))
            self.assertGreater(row["time"], 0)
        self.assertEqual(len(got["results"]), 2 * len(rows))
        self.expect_ok("report", "m.h5", "--check")
        config = self.config_of("m.h5")
        if config is not None:
            self.assertIn(f'name: "file:ring", file: "ring.xml", sha256: "{self.sha256_of(ring)}"', config)
        fitted = self.expect_ok("calibrate", "m.h5")
        self.assertIn("samples of file:ring are not fitted", fitted.stderr)
        gather = self.export("gather.xml", "ring", "-c", "all_gather", "--ranks", "4")
        got = self.measured("--executor", "host", "-a", gather, "--check-only", *TINY)
        self.assertEqual({(row["collective"], row["ranks"], row["nwrong"]) for row in got["results"]},
                         {("all_gather", 4, 0)})

    def test_algorithm_files_decide_and_what_says_otherwise_is_refused(self):
        ring = self.export("ring.xml", "ring", "--ranks", "2", "--channels", "2")
        host = ("measure", "--executor", "host", *TINY, "-a", ring)
        for options in (("--ranks", "3"), ("--channels", "1"), ("-c", "broadcast")):
            self.expect_error(2, f"{options[0]} {options[1]}: ring.xml", *host, *options)
        other = self.export("other.xml", "ring", "--ranks", "3")
        self.expect_error(2, "measure one at a time", *host[:-1], f"{ring},{other}")
        self.expect_error(2, "NCCL has no way", "measure", "--executor", "nccl", "-a", ring)
        self.expect_error(2, "use emulate", "measure", "--synthetic", "hgx-h100", "-a", ring)
        exchange = self.export("exchange.xml", "pairwise", "--ranks", "2")
        self.expect_error(2, "--in-place: exchange.xml", *host[:-1], exchange, "--in-place")
        with open(self.path(ring), encoding="utf-8") as file:
            text = file.read()
        self.write("wrong.xml", text.replace('type="rrcs"', 'type="rcs"', 1))
        self.expect_error(1, "see fabricast verify wrong.xml", *host[:-1], "wrong.xml")
        self.write("place.xml", text.replace('inplace="1"', 'inplace="0"'))
        self.expect_error(2, "out of place only", *host[:-1], "place.xml", "--in-place")
        self.write("max.xml", text.replace("<algo ", '<algo redop="max" '))
        self.expect_error(2, "reduces with max", *host[:-1], "max.xml", "--op", "sum")
        got = self.measured("--executor", "host", "-a", "max.xml", *TINY)
        self.assertEqual({row["redop"] for row in got["results"]}, {"max"})

    def test_algorithm_files_under_mpirun(self):
        if not cli_case.MPIEXEC:
            self.skipTest("no mpirun")
        ring = self.export("ring.xml", "tree", "--ranks", "2")
        got = self.measured("--executor", "mpi", "-a", ring, *TINY, ranks=2)
        self.assertEqual({(row["algorithm"], row["nwrong"]) for row in got["results"]}, {("file:tree", 0)})
        self.expect_error(2, "ring.xml (an algorithm for 2 ranks)", "measure", "--executor", "mpi", "-a",
                          ring, *TINY, ranks=3)
        self.expect_error(4, "no such file", "measure", "-a", "nothing.xml", *TINY, ranks=2)

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

    def test_the_host_verifies_the_protocols_of_the_interpreter_but_never_times_them(self):
        host = ("--executor", "host", "--ranks", "2", "-a", "ring")
        got = self.measured(*host, "--protocol", "all", "--check-only", *TINY)
        self.assertEqual({row["protocol"] for row in got["results"]}, {"none", "ll", "ll128"})
        self.assertEqual({row["nwrong"] for row in got["results"]}, {0})
        self.expect_error(2, "--check-only", "measure", *host, "--protocol", "ll", *TINY)
        self.expect_error(2, 'did you mean "ll128"', "measure", *host, "--protocol", "ll12", *TINY)

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
        for arguments in (("--seed", "3"), ("--noise", "0.5"), ("--outliers", "0.1"),
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
