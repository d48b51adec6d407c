"""emulate --jitter, --slow and --slots: digests over process counts, what varies and what does not."""
import re
import unittest

import cli_case
from cli_case import CliCase

BOTH = ("emulate", "-m", "hgx-h100x1260", "--ranks", "64", "-c", "all_reduce", "-b", "64K", "-e", "1M", "-f", "16",
        "--channels", "2")
SMALL = (*BOTH, "-a", "tree,ring")
JITTER = ("--jitter", "lognormal:0.2", "--members", "40")


def digest(result):
    return re.search(r"content_digest ([0-9a-f]{64})", result.stdout).group(1)


def quantiles(result):
    """Of every row: members, p50, p95, p99."""
    rows = []
    for line in result.stdout.splitlines():
        found = re.match(r"#\s+(\d+)\s+(\d+)\s+([\d.e+]+) \[.*?\]\s+([\d.e+]+) \[.*?\]\s+([\d.e+]+) \[", line)
        if found:
            rows.append((int(found[2]), *(float(found[i]) for i in (3, 4, 5))))
    return rows


def times(result):
    return [float(line.split()[5]) for line in result.stdout.splitlines()
            if line and not line.startswith("#")]


class Jitter(CliCase):
    def emulate(self, name, *arguments, ranks=0):
        return self.expect_ok(*SMALL, *arguments, "-o", name, "--quiet", ranks=ranks)

    def test_rows_get_quantiles_above_the_undisturbed_time(self):
        plain = self.emulate("plain.h5")
        self.assertEqual(quantiles(plain), [])
        drawn = self.emulate("drawn.h5", *JITTER)
        self.assertEqual(times(drawn), times(plain))  # the time of the row stays
        rows = quantiles(drawn)
        self.assertEqual(len(rows), 4)
        for (members, p50, p95, p99), time in zip(rows, times(plain)):
            self.assertEqual(members, 40)
            self.assertLess(time, p50)  # the slowest of many paths
            self.assertLess(p50, p95)
            self.assertLessEqual(p95, p99)
            self.assertLess(p99, 2 * time)
        self.expect_ok("report", "drawn.h5", "--check")

    def test_the_report_says_how_it_was_drawn(self):
        self.emulate("t.h5", "--jitter", "lognormal:0.1", "--members", "4")
        self.assertIn("# what-if: jitter lognormal:0.1\n", self.expect_ok("report", "t.h5").stdout)

    def test_seeds_and_members(self):
        one = self.emulate("one.h5", *JITTER, "--seed", "1")
        self.assertEqual(digest(one), digest(self.emulate("again.h5", *JITTER, "--seed", "1")))
        two = self.emulate("two.h5", *JITTER, "--seed", "2")
        self.assertNotEqual(quantiles(one), quantiles(two))
        for a, b in zip(quantiles(one), quantiles(two)):
            self.assertAlmostEqual(a[1] / b[1], 1, delta=0.05)

    @unittest.skipUnless(cli_case.MPIEXEC, "needs mpiexec")
    def test_any_number_of_processes_reaches_the_same_digest(self):
        alone = digest(self.emulate("alone.h5", *JITTER))
        for ranks in (1, 2, 3):
            self.assertEqual(digest(self.emulate(f"mpi{ranks}.h5", *JITTER, ranks=ranks)), alone, ranks)

    def test_a_resumed_run_must_have_the_same_jitter(self):
        self.emulate("t.h5", *JITTER)
        complete = self.expect_ok(*SMALL, *JITTER, "--resume", "-o", "t.h5")
        self.assertIn("complete already", complete.stderr)
        for other in (("--jitter", "lognormal:0.3", "--members", "40"), (*JITTER, "--seed", "3"),
                      (*JITTER, "--slow", "rank=3:x2"), (*JITTER, "--slots", "4"), ()):
            self.expect_error(4, "is the trace of another run", *SMALL, *other, "--resume", "-o", "t.h5", "--quiet")

    def test_measured_jitter_comes_from_the_samples_of_a_trace(self):
        self.expect_ok("measure", "--synthetic", "hgx-h100", "-c", "all_reduce", "-b", "1K", "-e", "1M", "-f", "32",
                       "-o", "samples.h5", "--quiet")
        drawn = self.emulate("t.h5", "--jitter", "measured:samples.h5")
        self.assertEqual(len(quantiles(drawn)), 4)
        config = self.config_of("t.h5")
        if config is not None:
            self.assertRegex(config, r'jitter: "measured:content_digest [0-9a-f]{64}"')
        self.emulate("none.h5")
        self.expect_error(2, "no condition of a collective", *SMALL, "--jitter", "measured:none.h5", "-o", "x.h5")

    def test_wrong_jitter_is_refused(self):
        for text, message in (("gauss:1", "unknown distribution"), ("lognormal:x", "is not a number"),
                              ("spike:0.9:2", "at most 0.5")):
            self.expect_error(2, message, *SMALL, "--jitter", text, "-o", "x.h5")


class Slow(CliCase):
    def emulate(self, name, *arguments):
        return self.expect_ok(*SMALL, *arguments, "-o", name, "--quiet")

    def test_each_element_costs_time(self):
        plain = times(self.emulate("plain.h5"))
        for name, element in (("rank", "rank=17:x3"), ("nic", "nic=16:x4"), ("rack", "rack=2:x1.5")):
            slow = times(self.emulate(f"{name}.h5", "--slow", element))
            self.assertTrue(all(a >= b for a, b in zip(slow, plain)), element)
            self.assertGreater(max(a / b for a, b in zip(slow, plain)), 1.02, element)
        both = times(self.emulate("both.h5", "--slow", "rank=17:x1.3", "--slow", "rank=3:x1.3"))
        self.assertGreaterEqual(both[-1], plain[-1])

    def test_unknown_elements_are_named(self):
        for element, message in (("rank=64:x2", "0 to 63"), ("rack=8:x2", "0 to 7"), ("link=none:x2", "are called like"),
                                 ("gpu=1:x2", "there is no element"), ("rank=1:x0.5", "from 1 to 1000")):
            self.expect_error(2, message, *SMALL, "--slow", element, "-o", "x.h5")

    def test_a_straggler_splits_the_classes_and_the_report_says_so(self):
        ring = (*BOTH, "-a", "ring", "--stats", "--quiet")
        one = self.expect_ok(*ring, "-o", "one.h5")
        self.assertIn("classes of 64 positions", one.stdout)
        slow = self.expect_ok(*ring, "--slow", "rank=17:x1.3", "-o", "slow.h5")
        self.assertRegex(slow.stdout, r"unfolded: 64 positions fall into \d+ classes")
        folded = self.emulate("folded.h5", "--slow", "rank=17:x1.3")
        unfolded = self.emulate("unfolded.h5", "--slow", "rank=17:x1.3", "--no-fold")
        self.assertEqual(times(folded), times(unfolded))

    def test_fewer_slots_are_slower(self):
        plain = times(self.emulate("plain.h5"))
        few = times(self.emulate("few.h5", "--slots", "3"))
        self.assertTrue(all(a >= b for a, b in zip(few, plain)))
        config = self.config_of("few.h5")
        if config is not None:
            self.assertIn("slots: 3", config)


if __name__ == "__main__":
    cli_case.main()
