"""emulate --engine, --routing and --jobs: which engine, what it says, digests over process counts, mistakes."""
import re
import unittest

import cli_case
from cli_case import CliCase

ROWS = ("emulate", "-m", "hgx-h100x1260", "--ranks", "32", "-b", "1M", "-e", "16M", "-f", "16", "--channels", "1", "--quiet")

JOBS = """\
routing: ecmp
seed: 7
placement: spread
jobs:
  - {name: train, collective: all_reduce, algorithm: ring, bytes: 16M, gpus: 32, channels: 2}
  - {name: experts, collective: all_to_all, algorithm: pairwise, bytes: 16M, gpus: 32, channels: 2, start: 20 us}
  - {name: in, collective: gather, algorithm: direct, bytes: 8M, ranks: [0, 8, 16-23], channels: 1}
faults:
  - {nic: 0, at: 100 us, capacity: 0.5}
"""


TWINS = """\
routing: ecmp
placement: spread
jobs:
  - {name: one, collective: all_reduce, algorithm: ring, bytes: 16M, gpus: 16, channels: 2}
  - {name: two, collective: all_reduce, algorithm: ring, bytes: 16M, gpus: 16, channels: 2}
"""


def digest(result):
    return re.search(r"content_digest ([0-9a-f]{64})", result.stdout).group(1)


def times(result):
    return [float(line.split()[5]) for line in result.stdout.splitlines()
            if line and not line.startswith("#")]


class Flow(CliCase):
    def emulate(self, name, *arguments, ranks=0):
        return self.expect_ok(*ROWS, *arguments, "-o", name, ranks=ranks)

    def test_without_contention_both_engines_say_the_same(self):
        sweep = self.emulate("sweep.h5", "-a", "ring", "--engine", "sweep")
        flow = self.emulate("flow.h5", "-a", "ring", "--engine", "flow", "--stats")
        for a, b in zip(times(sweep), times(flow)):
            self.assertAlmostEqual(a / b, 1, delta=0.02)
        self.assertIn("# engine: flow (asked for)", flow.stdout)
        self.assertRegex(flow.stdout, r"\d+ flows, \d+ events, \d+ classes of 32 ranks, state")
        self.assertEqual(digest(sweep), digest(self.emulate("auto.h5", "-a", "ring")))  # auto is the sweep
        self.assertIn(",flow,", self.expect_ok("report", "flow.h5", "--csv").stdout)
        self.expect_ok("report", "flow.h5", "--check")

    def test_routing_asks_for_flows(self):
        ecmp = self.emulate("ecmp.h5", "-c", "all_to_all", "-a", "pairwise", "--routing", "ecmp:3", "--stats")
        self.assertIn("# engine: flow (routing is said of flows only), routing ecmp", ecmp.stdout)
        config = self.config_of("ecmp.h5")
        if config is not None:
            self.assertIn("engine: flow\nengine_why: routing is said of flows only\nrouting: ecmp\nrouting_seed: 3\n", config)
        other = self.emulate("other.h5", "-c", "all_to_all", "-a", "pairwise", "--routing", "ecmp:4")
        self.assertNotEqual(digest(ecmp), digest(other))
        slow = self.emulate("slow.h5", "-c", "all_reduce", "-a", "ring", "--engine", "flow", "--slow", "nic=0:x2")
        plain = self.emulate("plain.h5", "-c", "all_reduce", "-a", "ring", "--engine", "flow")
        self.assertGreater(times(slow)[-1], 1.3 * times(plain)[-1])

    @unittest.skipUnless(cli_case.MPIEXEC, "needs mpiexec")
    def test_any_number_of_processes_reaches_the_same_digest(self):
        what = ("-c", "all_to_all,all_gather", "-a", "pairwise,ring", "--engine", "flow", "--routing", "dmodk")
        self.write("jobs.yaml", JOBS)
        jobs = ("emulate", "-m", "hgx-h100x1260", "--jobs", "jobs.yaml", "--quiet", "-o")
        rows, together = digest(self.emulate("one.h5", *what)), digest(self.expect_ok(*jobs, "jobs.h5"))
        for ranks in (2, 3):
            self.assertEqual(digest(self.emulate(f"mpi{ranks}.h5", *what, ranks=ranks)), rows)
        self.assertEqual(digest(self.expect_ok(*jobs, "jobs2.h5", ranks=2)), together)

    def test_jobs_beside_each_other(self):
        self.write("jobs.yaml", JOBS)
        result = self.expect_ok("emulate", "-m", "hgx-h100x1260", "--jobs", "jobs.yaml", "-o", "t.h5", "--stats", "--quiet")
        rows = [line.split() for line in result.stdout.splitlines() if re.match(r"#\s+\d+ (train|experts|in) ", line)]
        self.assertEqual([row[2] for row in rows], ["train", "experts", "in"])
        for row in rows:
            alone, beside, slow_down = (float(value) for value in row[6:9])
            self.assertAlmostEqual(beside / alone, slow_down, delta=0.01)
            self.assertGreater(slow_down, 0.99)
        self.assertTrue(any(float(row[8]) > 1.05 for row in rows))  # they meet
        self.assertIn("# engine: flow (jobs share links)", result.stdout)
        report = self.expect_ok("report", "t.h5").stdout
        self.assertIn(" train ", report)
        for said in (result.stdout, report):
            self.assertIn("# what-if: nic: 0 at 50 % from 100 us on\n", said)
        self.expect_ok("report", "t.h5", "--check")
        links = self.expect_ok("report", "t.h5", "--csv", "/job_links").stdout.splitlines()
        self.assertGreater(len(links), 3)

    def test_jobs_run_on_the_machine_that_is_asked_for(self):
        self.write("jobs.yaml", TWINS)
        jobs = ("emulate", "-m", "hgx-h100x1260", "--jobs", "jobs.yaml", "--quiet")
        usual = self.expect_ok(*jobs, "-o", "t.h5")
        slower = self.expect_ok(*jobs, "--set", "fabric.nic.bandwidth=1 GB/s", "-o", "slower.h5")
        self.assertGreater(min(times(slower)), 5 * max(times(usual)))
        self.assertIn("# what-if: set fabric.nic.bandwidth=1 GB/s", slower.stdout)
        self.expect_error(2, "nonsense", *jobs, "--set", "nonsense=4", "-o", "n.h5")
        for words in (("--set", "NCCL_ALGO=ring"), ("--nccl-version", "2.18"), ("--trace-class", "5"),
                      ("--trace-window", "1us:2us")):
            self.expect_error(2, words[0], *jobs, *words, "-o", "n.h5")

    def test_jobs_of_the_interpreter_between_gpus(self):
        """Without a protocol Simple, as a row has; a named one has its parameters."""
        row = ("emulate", "-m", "hgx-h100", "--executor", "peers", "--quiet", "-o")
        for protocol in ("", ", protocol: ll", ", protocol: ll128"):
            self.write("one.yaml", "jobs:\n  - {name: one, collective: all_reduce, algorithm: ring, bytes: 16M, gpus: 8, channels: 2%s}\n" % protocol)
            result = self.expect_ok(*row, "t.h5", "--jobs", "one.yaml", "--force")
            name = protocol.split()[-1] if protocol else "simple"
            alone = self.expect_ok(*row, "s.h5", "--force", "-a", "ring", "-b", "16M", "-e", "16M", "--channels", "2", "--protocol", name)
            self.assertAlmostEqual(times(result)[0] / times(alone)[0], 1, delta=0.02)
        self.write("one.yaml", "jobs:\n  - {name: one, collective: all_reduce, algorithm: ring, bytes: 16M, gpus: 8, protocol: multimem}\n")
        self.expect_error(2, "has no protocol multimem", *row, "n.h5", "--jobs", "one.yaml")

    def test_a_job_that_the_switch_reduces(self):
        """Alone it is the row; beside a ring over the same links both are slower."""
        job = "  - {name: %s, collective: all_reduce, bytes: 256M, ranks: [0-7], channels: 32, %s}\n"
        switch, ring = job % ("one", "algorithm: nvls, protocol: multimem"), job % ("two", "algorithm: ring, protocol: simple")
        row = ("emulate", "-m", "hgx-h100", "--executor", "peers", "--quiet", "--force", "-o", "t.h5")
        alone = times(self.expect_ok(*row, "-a", "nvls", "-b", "256M", "-e", "256M", "--channels", "32", "--protocol", "multimem"))[0]
        self.write("jobs.yaml", "jobs:\n" + switch)
        self.assertAlmostEqual(times(self.expect_ok(*row, "--jobs", "jobs.yaml"))[0] / alone, 1, delta=1e-3)
        self.write("jobs.yaml", "jobs:\n" + switch + ring)
        self.assertGreater(times(self.expect_ok(*row, "--jobs", "jobs.yaml"))[0], 1.3 * alone)

    def test_comparing_knows_jobs_and_engines(self):
        self.write("jobs.yaml", TWINS)
        self.expect_ok("emulate", "-m", "hgx-h100x1260", "--jobs", "jobs.yaml", "--quiet", "-o", "t.h5")
        rows = self.expect_ok("compare", "t.h5", "t.h5", "--csv").stdout.splitlines()
        self.assertEqual([row.split(",")[-2:] for row in rows[1:]], [["flow", "one"], ["flow", "two"]])
        self.emulate("sweep.h5", "-a", "ring", "--engine", "sweep")
        self.emulate("flow.h5", "-a", "ring", "--engine", "flow")
        result = self.run_program("compare", "sweep.h5", "flow.h5")
        self.assertEqual(result.returncode, 1)
        self.assertIn("nothing could be compared: the nearest rows differ in engine (sweep, flow)", result.stdout)

    def test_names_are_said_once(self):
        self.expect_error(2, '-a: "ring" is named twice', *ROWS, "-a", "ring,tree,ring", "-o", "t.h5")

    def test_mistakes(self):
        machine = ("emulate", "-m", "hgx-h100x1260", "--quiet", "-o", "t.h5")
        self.write("typo.yaml", JOBS.replace("algorithm: pairwise", "algorithm: pairwize"))
        self.expect_error(2, "typo.yaml:6:", *machine, "--jobs", "typo.yaml")
        self.write("switch.yaml", JOBS.replace("algorithm: ring, bytes: 16M, gpus: 32", "algorithm: nvls, bytes: 16M, ranks: [0-7]")
                   .replace("placement: spread", "placement: packed"))
        self.expect_error(2, "job train:", *machine, "--jobs", "switch.yaml")
        self.write("dead.yaml", JOBS.replace("capacity: 0.5", "capacity: 0"))
        self.expect_error(2, "wait for ever", *machine, "--jobs", "dead.yaml")
        self.write("jobs.yaml", JOBS)
        self.expect_error(2, "--engine sweep", *machine, "--jobs", "jobs.yaml", "--engine", "sweep")
        self.expect_error(2, "--jobs", *machine, "--jobs", "jobs.yaml", "-c", "all_reduce")
        self.expect_error(2, "sends to all of a group at once", *ROWS[:-1], "-a", "nvls", "--engine", "flow",
                          "--quiet", "-o", "t.h5")
        for words, message in ((("--engine", "flwo"), "flow"), (("--routing", "ecmp:x"), "x"),
                               (("--routing", "spray:1"), "only ecmp has a seed"),
                               (("--routing", "ecmp", "--engine", "sweep"), "has no --routing"),
                               (("--engine", "flow", "--jitter", "lognormal:0.1"), "--jitter is not for the flow engine"),
                               (("--engine", "flow", "--trace", "steps"), "--trace steps is not for the flow engine")):
            self.expect_error(2, message, *ROWS, "-a", "ring", *words, "-o", "t.h5")


if __name__ == "__main__":
    cli_case.main()
