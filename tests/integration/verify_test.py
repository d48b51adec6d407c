"""fabricast verify: any algorithm, ranks, channels, slots; refusals; exit codes."""
import sys

import cli_case
from cli_case import CliCase


class Verify(CliCase):
    def test_every_algorithm_is_correct_on_several_shapes(self):
        for ranks, domain in ((1, 1), (7, 7), (12, 4), (64, 8)):
            result = self.expect_ok("verify", "--ranks", str(ranks), "--domain", str(domain))
            self.assertNotIn("WRONG", result.stdout)
            counts = result.stdout.strip().splitlines()[-1].split()
            self.assertEqual(counts[1], counts[3], result.stdout)
            self.assertGreaterEqual(int(counts[1]), 15)

    def test_a_thousand_ranks(self):
        result = self.expect_ok("verify", "ring,hierarchical,pat", "--ranks", "1008", "--domain", "72",
                                "--channels", "1", timeout=120)
        self.assertIn("1008", result.stdout)
        self.assertNotIn("not proven", result.stdout)

    def test_too_few_slots_is_a_deadlock_with_a_cycle(self):
        result = self.run_program("verify", "ring", "-c", "all_reduce", "--ranks", "4", "--slots", "2",
                                  "--slices", "2")
        self.assertEqual(result.returncode, 1)
        self.assertIn("waits for a free slot towards rank", result.stdout)
        self.assertIn("and so round", result.stdout)
        self.assertIn("1 of 1 schedules are wrong", result.stderr)

    def test_all_to_all_in_place_is_wrong_and_says_why(self):
        result = self.run_program("verify", "pairwise", "--ranks", "3", "--in-place")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"role 0 .*reads and role 1 .*writes in-place chunk \d, and no")

    def test_files_are_proved_beside_the_catalogue(self):
        self.expect_ok("schedule", "export", "ring", "--ranks", "6", "--channels", "2", "-o", "r.xml")
        self.expect_ok("schedule", "export", "pairwise", "--ranks", "4", "-o", "a.xml")
        result = self.expect_ok("verify", "r.xml,a.xml")
        self.assertRegex(result.stdout, r"all_reduce +file:ring +6 +2 .*correct\n")
        self.assertRegex(result.stdout, r"all_to_all +file:pairwise +4 +1 .*correct\n")
        mixed = self.expect_ok("verify", "ring,r.xml", "-c", "all_reduce", "--in-place")
        self.assertIn("# 6 ranks", mixed.stdout)
        self.assertIn("# 2 of 2 correct", mixed.stdout)
        self.assertEqual(self.run_program("verify", "r.xml", "--slots", "1").returncode, 1)
        self.assertEqual(self.run_program("verify", "a.xml", "--in-place").returncode, 1)
        for options in (("--ranks", "5"), ("--channels", "3"), ("-c", "broadcast"), ("--chunks", "2"),
                        ("--root", "0"), ("--slices", "2"), ("--domain", "2")):
            error = self.expect_error(2, "r.xml", "verify", "r.xml", *options)
            self.assertIn(options[0], error.stderr)
        self.expect_ok("verify", "r.xml", "--ranks", "6", "--channels", "2", "-c", "all_reduce")
        self.expect_error(2, "a.xml is for 4 ranks", "verify", "ring,r.xml,a.xml")
        self.expect_error(4, "no such file", "verify", "nothing.xml")

    def test_bad_input(self):
        self.expect_error(2, "did you mean \"ring\"", "verify", "rign")
        self.expect_error(2, "no whole number of domains", "verify", "--ranks", "10", "--domain", "4")
        self.expect_error(2, "--root: rank 8 does not exist", "verify", "--ranks", "8", "--root", "8")
        self.expect_error(2, "nothing to verify", "verify", "tree", "-c", "broadcast")
        self.expect_error(1, "schedules are wrong", "verify", "ring", "--slots", "0")

    def test_what_does_not_apply_is_said(self):
        result = self.expect_ok("verify", "ring,hierarchical", "--ranks", "8")
        self.assertIn("hierarchical: not checked, it needs at least two domains", result.stdout)


if __name__ == "__main__":
    cli_case.main()
    sys.exit(0)
