"""R9, R10: ranks that die or hang: the job ends soon, with a code other than 0, no process stays, rank and phase are named.

FABRICAST_DEATHS=all (or FABRICAST_CAMPAIGN=full) tries every kind x phase x process count (126 cases), else a part. One JSON line each.
"""
import json
import os
import random
import re
import signal
import subprocess
import time
import unittest

import cli_case
from cli_case import CliCase, patient, program_processes

ALL = os.environ.get("FABRICAST_DEATHS") == "all" or os.environ.get("FABRICAST_CAMPAIGN") == "full"
SEED = int(os.environ.get("FABRICAST_SEED", "1"))
KINDS = ["kill", "segv", "exit0", "exit3", "throw", "abort", "hang"]
PHASES = ["init", "calibrate", "distribute", "simulate", "write", "finalize"]
TIMEOUT = round(patient(2))  # --timeout of the hanging runs
# Seconds until all processes are gone; Open MPI alone needs 1.3 s after a SIGKILL, and machines that
# run tests are shared.
LIMIT = patient(5)
WORK = ("emulate", "--machine", "gb300-nvl72", "-c", "all_reduce", "-a", "all", "-b", "1M", "-e", "16M", "--quiet")


class Death(CliCase):
    def one(self, kind, phase, ranks, victim):
        name = f"{kind}-{phase}-{ranks}.h5"
        started = time.monotonic()
        process = subprocess.Popen(
            [cli_case.MPIEXEC, "-n", str(ranks), cli_case.PROGRAM, "--timeout", str(TIMEOUT), *WORK, "-o", name],
            cwd=self.folder.name, env=dict(cli_case.ENVIRONMENT, FABRICAST_FAULT=f"{kind}:{phase}:{victim}"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output, errors = process.communicate(timeout=patient(120))
        seconds = time.monotonic() - started
        said = output + errors
        context = f"{kind} of rank {victim} of {ranks} in {phase}: exit {process.returncode}, {said}"
        self.assertNotEqual(process.returncode, 0, context)
        self.assertEqual(program_processes(self.folder.name), [], context)
        # Open MPI names the process as [[job],RANK] or "rank N"; we say [rank N].
        named = re.search(rf"rank {victim}\b|,{victim}\]", said)
        self.assertTrue(named, context)
        if kind in ("throw", "hang"):
            # In what the victim itself says: others name the phase that they were in.
            own = [line for line in said.splitlines() if f"[rank {victim}]" in line]
            self.assertTrue(any(f"phase {phase}" in line for line in own), context)
        if os.path.exists(self.path(name)):
            self.expect_ok("report", name, "--check")
        return seconds - (TIMEOUT if kind == "hang" else 0)

    @unittest.skipUnless(cli_case.MPIEXEC, "no mpirun")
    def test_every_death_ends_the_job(self):
        choice = random.Random(SEED)
        cases = [(k, p, n) for k in KINDS for p in PHASES for n in (2, 4, 8)]
        if not ALL:
            cases = [(k, p, 2) for k in KINDS for p in choice.sample(PHASES, 2)]
        begin = time.monotonic()
        self.expect_ok(*WORK, "-o", "undisturbed.h5", ranks=2)
        undisturbed = time.monotonic() - begin
        slowest = 0
        for kind, phase, ranks in cases:
            slowest = max(slowest, self.one(kind, phase, ranks, choice.randrange(ranks)))
        self.assertLess(slowest, LIMIT + undisturbed)
        print(json.dumps({"id": "R9", "cases": len(cases), "slowest_s": round(slowest, 2),
                          "undisturbed_s": round(undisturbed, 2), "orphans": 0, "seed": SEED}), flush=True)

    @unittest.skipUnless(cli_case.MPIEXEC, "no mpirun")
    def test_signals_at_random_moments_end_with_exit_code_5(self):
        """Of a process without mpirun: its own exit code. Open MPI's is its own for SIGTERM and SIGINT."""
        choice = random.Random(SEED)
        count = 100 if ALL else 9
        work = ("emulate", "--machine", "hgx-h100x1260", "-c", "all_reduce,all_to_all", "-a", "ring,pairwise",
                "-b", "4K", "-e", "16M", "-f", "1.4", "--ranks", "256", "--jitter", "lognormal:0.1", "--members", "8",
                "--quiet")
        slowest = done = 0
        for number in range(count):
            name = f"s{number}.h5"
            process = subprocess.Popen([cli_case.PROGRAM, *work, "-o", name], cwd=self.folder.name,
                                       env=cli_case.ENVIRONMENT, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            time.sleep(patient(0.1) + choice.uniform(0, 2.4))  # its handlers are there
            asked = choice.choice([signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
            begin = time.monotonic()
            process.send_signal(asked)
            _, errors = process.communicate(timeout=patient(60))
            slowest = max(slowest, time.monotonic() - begin)
            if process.returncode == 0:  # it was done before
                self.expect_ok("report", name, "--check")
                continue
            done += 1
            self.assertEqual(process.returncode, 5, (asked, errors))
            self.assertIn("stopped by " + asked.name, errors)
            if os.path.exists(self.path(name + ".d/manifest.json")):
                self.expect_ok("report", name + ".d", "--check")
        print(json.dumps({"id": "R10", "signals": done, "slowest_s": round(slowest, 2), "seed": SEED}),
              flush=True)
        self.assertGreater(done, 0)


if __name__ == "__main__":
    cli_case.main()
