"""compare: verdicts and exit codes on traces of the synthetic machine, refusals, output formats."""
import csv
import io
import json
import unittest

import cli_case
from cli_case import CliCase

SWEEP = ("--synthetic", "gb300-nvl72", "-c", "all_reduce", "-a", "ring,tree", "-b", "1K", "-e", "256M", "-f", "8",
         "--quiet")


class Compare(CliCase):
    def draw(self, name, seed, *more):
        sweep = [word for word in SWEEP if "-e" not in more or word not in ("-e", "256M")]
        self.expect_ok("measure", *sweep, "--seed", str(seed), "-o", name, *more)
        return name

    def verdict(self, result):
        return result.stdout.splitlines()[-1]

    def test_equals_are_equal_and_a_slow_down_is_found(self):
        bases = [self.draw(f"base{seed}.h5", seed) for seed in range(1, 6)]
        same = self.expect_ok("compare", *bases, self.draw("same.h5", 6))
        self.assertRegex(self.verdict(same), r"^ok: none of \d+ rows is slower by more than 5 %$")
        self.assertNotIn("slower  ", same.stdout)
        slow = self.draw("slow.h5", 7, "--set", "nvlink.efficiency=x0.87")
        for some in (bases, bases[:1]):
            result = self.run_program("compare", *some, slow)
            self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
            self.assertRegex(self.verdict(result), r"^regression: \d+ of \d+ rows slower")
            rows = [line for line in result.stdout.splitlines() if line.startswith("slower")]
            self.assertGreater(len(rows), 0)
            self.assertFalse(any(" 1 KiB " in row for row in rows), "bandwidth moves large sizes")
            self.assertTrue(any(" 256 MiB " in row for row in rows))
        back = self.expect_ok("compare", slow, bases[0])
        self.assertIn("faster", back.stdout)
        # A wider threshold is a wider threshold.
        self.expect_ok("compare", *bases, slow, "--threshold", "30")

    def test_json_and_csv_hold_all_rows(self):
        a, b = self.draw("a.h5", 1), self.draw("b.h5", 2)
        document = json.loads(self.expect_ok("compare", a, b, "--json").stdout)
        self.assertTrue(document["ok"])
        rows = list(csv.DictReader(io.StringIO(self.expect_ok("compare", a, b, "--csv").stdout)))
        self.assertEqual(len(rows), len(document["rows"]))
        self.assertEqual({row["outcome"] for row in rows}, {"same"})
        every = self.expect_ok("compare", a, b, "--all").stdout.splitlines()
        self.assertEqual(sum(line.startswith("same") for line in every), len(rows))

    def test_a_prediction_names_the_parameter_that_moved_it(self):
        emulate = ("emulate", "-m", "gb300-nvl72", "-c", "all_reduce", "-a", "ring", "-b", "64M", "-e", "64M",
                   "--quiet")
        self.expect_ok(*emulate, "-o", "prior.h5")
        self.expect_ok("compare", "prior.h5", "prior.h5")
        self.draw("slow.h5", 3, "--set", "nvlink.efficiency=x0.8")
        self.expect_ok("calibrate", "slow.h5", "-o", "profile.h5")
        self.expect_ok(*emulate, "--profile", "profile.h5", "-o", "slower.h5")
        result = self.run_program("compare", "prior.h5", "slower.h5")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        lines = result.stdout.splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("slower"))
        self.assertIn("nvlink.efficiency ", lines[first + 1])

    def test_missing_rows_and_nothing_to_compare_fail(self):
        whole = self.draw("whole.h5", 1)
        self.draw("part.h5", 2, "-e", "1M")
        result = self.run_program("compare", whole, "part.h5")
        self.assertEqual(result.returncode, 1)
        self.assertIn("rows of the base are missing", self.verdict(result))
        self.expect_ok("compare", whole, "part.h5", "--allow-missing")
        self.expect_ok("measure", "--synthetic", "hgx-h100", *SWEEP[2:], "-o", "other.h5")
        result = self.run_program("compare", whole, "other.h5", "--allow-missing")
        self.assertEqual(result.returncode, 1)
        self.assertIn("not ok: nothing could be compared: the nearest rows differ in machine (", self.verdict(result))

    def test_a_choice_left_to_the_library_is_another_question(self):
        sweep = ("emulate", "-m", "hgx-h100", "-c", "all_reduce", "-b", "2M", "-e", "2M", "--quiet")
        self.expect_ok(*sweep, "-a", "nvls", "-o", "given.h5")
        self.expect_ok(*sweep, "-a", "auto", "-o", "open.h5")
        result = self.run_program("compare", "given.h5", "open.h5")
        self.assertIn("the nearest rows differ in algorithm (nvls, auto)", self.verdict(result))

    def test_refusals(self):
        a = self.draw("a.h5", 1)
        self.write("text.h5", "no trace" * 99)
        self.expect_error(4, "cannot read gone.h5", "compare", a, "gone.h5")
        self.expect_error(4, "not an HDF5 file", "compare", "text.h5", a)
        self.expect_error(2, "At least 2 required", "compare", a)
        for option in ("--threshold", "--alpha", "--run-noise"):
            for value in ("nan", "0", "-1", "inf", "1e308", "", "five"):
                self.expect_error(2, option, "compare", a, a, option, value)
        self.expect_error(2, "excludes", "compare", a, a, "--json", "--csv")
        self.expect_error(2, "excludes", "compare", a, a, "--all", "--json")


if __name__ == "__main__":
    cli_case.main()
