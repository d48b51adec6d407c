"""Kills and signals at random moments: nothing acknowledged is lost, and --resume reaches the same end.

FABRICAST_KILLS=N kills N times (default 50), FABRICAST_SEED seeds the moments. Prints one JSON line.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import cli_case
from cli_case import CliCase, descendants, patient, program_processes

KILLS = int(os.environ.get("FABRICAST_KILLS", "50"))
SEED = int(os.environ.get("FABRICAST_SEED", "1"))
# Some seconds of work in points of up to half a second: nothing folds under jitter.
WORK = ("emulate", "--machine", "hgx-h100x1260", "-c", "all_reduce,all_to_all", "-a", "ring,pairwise",
        "-b", "4K", "-e", "16M", "-f", "1.7", "--ranks", "256", "--jitter", "lognormal:0.1", "--members", "8", "--quiet")


def digest_of(output):
    return re.search(r"content_digest ([0-9a-f]{64})", output).group(1)


class Resume(CliCase):
    def start(self, *arguments, ranks=0, **environment):
        command = [cli_case.PROGRAM, *arguments]
        if ranks:
            command = [cli_case.MPIEXEC, "-n", str(ranks), *command]
        return subprocess.Popen(command, cwd=self.folder.name, env={**cli_case.ENVIRONMENT, **environment},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for_end(self, process):
        """1 if mpiexec had to be ended although no process of ours was left, else 0.

        Open MPI 4.1's mpiexec can wait for itself for ever (pmix_rte_finalize) when a rank was killed at
        the wrong moment: seen once in some hundred kills, with all ranks gone.
        """
        alone_since = None
        deadline = time.monotonic() + patient(60)
        while True:
            try:
                process.communicate(timeout=0.2)
                return 0
            except subprocess.TimeoutExpired:
                pass
            now = time.monotonic()
            if program_processes(self.folder.name):
                alone_since = None
            elif alone_since is None:
                alone_since = now
            if now < (deadline if alone_since is None else min(deadline, alone_since + patient(5))):
                continue
            self.assertEqual(program_processes(self.folder.name), [])
            process.kill()
            process.communicate(timeout=patient(60))
            return 1

    def test_kills_lose_nothing_that_was_acknowledged(self):
        wanted = digest_of(self.expect_ok(*WORK, "-o", "whole.h5").stdout)
        moments = random.Random(SEED)
        begin = time.monotonic()
        self.expect_ok(*WORK, "-o", "timed.h5")
        duration = time.monotonic() - begin
        kills = lost = bad = resumed = launcher_hangs = 0
        run = 0
        while kills < KILLS:
            run += 1
            name, before = f"t{run}.h5", {}
            for attempt in range(1000):
                ranks = moments.choice([0, 2]) if cli_case.MPIEXEC else 0
                process = self.start(*WORK, "-o", name, "--resume", ranks=ranks)
                delay = moments.uniform(0, duration * 0.8)
                try:
                    output, errors = process.communicate(timeout=delay)
                    self.assertEqual(process.returncode, 0, errors)
                    break
                except subprocess.TimeoutExpired:
                    pass
                kills += 1
                victims = [process.pid] + (descendants(process.pid) if ranks else [])
                try:
                    os.kill(moments.choice(victims), signal.SIGKILL)
                except ProcessLookupError:
                    pass
                launcher_hangs += self.wait_for_end(process)
                # Ranks outlive a killed mpirun by up to a second, and may even finish.
                deadline = time.monotonic() + patient(10)
                while program_processes(self.folder.name) and time.monotonic() < deadline:
                    time.sleep(0.05)
                after = self.acknowledged(name + ".d")
                if not os.path.exists(self.path(name)):
                    lost += len(set(before.items()) - set(after.items()))
                for published in [name, name + ".d"]:
                    if not os.path.exists(self.path(published)):
                        continue
                    if published.endswith(".d") and not after:
                        continue
                    check = self.run_program("report", published, "--check")
                    bad += check.returncode != 0
                    self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
                before = after
            else:
                self.fail("never finished")
            resumed += 1
            self.assertEqual(digest_of(output), wanted, f"{name}, attempt {attempt}")
            self.assertNotIn(name + ".d", self.left())
        print(json.dumps({"id": "R1", "kills": kills, "bad_published": bad, "acknowledged_lost": lost,
                          "launcher_hangs": launcher_hangs, "seed": SEED}))
        print(json.dumps({"id": "R2", "resumed": resumed, "digest_differs": 0, "seed": SEED}), flush=True)
        self.assertEqual((bad, lost), (0, 0))

    def test_a_signal_leaves_a_usable_part_and_exit_code_5(self):
        for number, asked in enumerate([signal.SIGTERM, signal.SIGINT, signal.SIGUSR1]):
            name = f"s{number}.h5"
            # A segment per point: the first is there long before the last point.
            process = self.start(*WORK, "-o", name, FABRICAST_SEGMENT_SECONDS="0")
            deadline = time.monotonic() + patient(60)
            while not self.acknowledged(name + ".d") and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(asked)
            _, errors = process.communicate(timeout=patient(30))
            self.assertEqual(process.returncode, 5, errors)
            self.assertIn("--resume", errors)
            self.assertNotIn(name, self.left())
            self.expect_ok("report", name + ".d", "--check")
            rows = self.expect_ok("report", name + ".d", "--csv").stdout.splitlines()
            self.assertGreater(len(rows), 1)

    def test_measured_samples_are_not_measured_again(self):
        measure = ("measure", "-c", "all_reduce,all_gather", "--executor", "host", "-e", "4M", "-o", "m.h5")
        process = self.start(*measure)
        deadline = time.monotonic() + patient(120)
        while not self.acknowledged("m.h5.d") and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.communicate()
        kept = self.expect_ok("report", "m.h5.d", "--csv", "/samples").stdout.splitlines()
        self.assertGreater(len(kept), 1)
        self.expect_ok(*measure, "--resume")
        values = {line.split(",")[-2] for line in
                  self.expect_ok("report", "m.h5", "--csv", "/samples").stdout.splitlines()}
        self.assertEqual({line.split(",")[-2] for line in kept} - values, set())
        self.expect_ok("report", "m.h5", "--check")

    def test_python_reads_an_unfinished_run_like_its_trace(self):
        try:
            sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/python"))
            import read_trace
        except ImportError as missing:
            self.skipTest(str(missing))
        process = self.start(*WORK, "-o", "t.h5", FABRICAST_SEGMENT_SECONDS="0")
        deadline = time.monotonic() + patient(60)
        while len(self.acknowledged("t.h5.d")) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.communicate()
        folder = self.path("t.h5.d")
        self.assertEqual(read_trace.attributes(folder)["complete"], "no")
        part = read_trace.read_table(folder)
        self.assertGreater(len(part), 1)
        told = self.expect_ok("report", "t.h5.d", "--csv").stdout.splitlines()
        self.assertEqual([f"{b}" for b in part["bytes"]],
                         [row.split(",")[told[0].split(",").index("bytes")] for row in told[1:]])
        keys = ["collective", "algorithm", "bytes", "time_ps"]

        def rows_of(path, name):
            """Rows with what they belong to instead of its number."""
            table = read_trace.read_table(path, name)
            table = table.join(read_trace.read_table(path)[keys], on="result", rsuffix="_of")
            return set(map(tuple, table.drop(columns="result").to_numpy()))

        before = {name: rows_of(folder, name) for name in ("links", "timeline", "result_shares")}
        self.expect_ok(*WORK, "-o", "t.h5", "--resume")
        for name, rows in before.items():
            self.assertGreater(len(rows), 0)
            self.assertEqual(rows - rows_of(self.path("t.h5"), name), set(), name)

    def test_a_run_that_may_replace_a_trace_goes_on(self):
        other = ("emulate", "--machine", "hgx-h100", "-b", "1M", "-e", "1M", "--quiet")
        self.expect_ok(*other, "-c", "all_reduce", "-o", "t.h5")
        before = self.sha256_of("t.h5")
        process = self.start(*WORK, "-o", "t.h5", "--force", FABRICAST_SEGMENT_SECONDS="0")
        deadline = time.monotonic() + patient(60)
        while not self.acknowledged("t.h5.d") and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        self.assertIn("--resume goes on", process.communicate(timeout=patient(60))[1])
        self.assertEqual(self.sha256_of("t.h5"), before)
        self.assertGreater(len(self.acknowledged("t.h5.d")), 0)
        # Only that very file.
        os.rename(self.path("t.h5"), self.path("kept.h5"))
        self.expect_ok(*other, "-c", "all_gather", "-o", "other.h5")
        os.rename(self.path("other.h5"), self.path("t.h5"))
        self.expect_error(4, "is the trace of another run", *WORK, "-o", "t.h5", "--resume")
        os.rename(self.path("kept.h5"), self.path("t.h5"))
        resumed = self.expect_ok(*WORK, "-o", "t.h5", "--resume")
        self.assertEqual(self.left(), ["t.h5"])
        whole = self.expect_ok(*WORK, "-o", "whole.h5")
        self.assertEqual(digest_of(resumed.stdout), digest_of(whole.stdout))

    def test_an_unfinished_run_is_in_the_way_of_another(self):
        process = self.start(*WORK, "-o", "t.h5", FABRICAST_SEGMENT_SECONDS="0")
        deadline = time.monotonic() + patient(60)
        while not self.acknowledged("t.h5.d") and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)  # it must not finish meanwhile
        self.expect_error(4, "is being written by another process", *WORK, "-o", "t.h5")
        self.expect_error(4, "is being written by another process", *WORK, "-o", "t.h5", "--resume")
        self.expect_error(4, "is being written by another process", *WORK, "-o", "t.h5", "--force")
        process.kill()
        process.communicate()
        self.expect_error(4, "holds an unfinished run", *WORK, "-o", "t.h5")
        self.expect_error(4, "its run was interrupted", "report", "t.h5")
        self.expect_error(2, "another configuration", *WORK, "--protocol", "simple", "-o", "t.h5", "--resume")
        self.expect_ok(*WORK, "-o", "t.h5", "--force")
        self.assertEqual(self.left(), ["t.h5"])


if __name__ == "__main__":
    cli_case.main()
