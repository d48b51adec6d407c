"""R4: the k-th system call on a run's files fails, for every k, with EIO, ENOSPC, EINTR or a short transfer.

Whatever fails: the program ends with one message that names path and cause, or it succeeds with the
complete result; nothing half-written stands under a published name, what was there before is as it
was, no acknowledged segment is lost, and running the command again reaches the undisturbed digest.

FABRICAST_FAULTS=N tries N of the calls (default 32; 0: every one), FABRICAST_SEED chooses which.
FABRICAST_FAULT_SHIM names the library that fails calls. Prints one JSON line.
"""
import collections
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import unittest

import cli_case
from cli_case import CliCase, patient

FAULTS = int(os.environ.get("FABRICAST_FAULTS", "32"))
SEED = int(os.environ.get("FABRICAST_SEED", "1"))
SHIM = os.environ.get("FABRICAST_FAULT_SHIM", "")

CHANGING = ("open", "openat", "creat", "write", "pwrite", "writev", "fsync", "fdatasync", "ftruncate",
            "close", "rename", "renameat2", "link", "unlink", "mkdir", "rmdir", "flock")
READING = ("fopen", "opendir", "read", "pread")
ERRORS = ("EIO", "ENOSPC", "EINTR", "short")
CAUSES = {"EIO": "Input/output error", "ENOSPC": "No space left on device",
          "EINTR": "Interrupted system call"}
TRANSFERS = ("read", "pread", "write", "pwrite", "writev")
EMULATE = ("emulate", "--machine", "hgx-h100", "-c", "all_reduce", "-a", "ring,tree", "-b", "1K",
           "-e", "1M", "-f", "32", "-o", "out/t.h5")
MEASURE = ("measure", "-c", "all_reduce", "-a", "ring", "--executor", "host", "--ranks", "2", "-b", "1K",
           "-e", "4K", "-n", "5", "-o", "out/t.h5")
RUN = ("run", "--machines", "hgx-h100", "--executor", "host", "-b", "1K", "-e", "4K", "--measure-max",
       "4K", "--budget", "1", "-o", "out/t.h5")
# What is run, what it publishes, does its content repeat, can it go on with --resume, and for how
# many seconds does it keep rows in memory? 0: a segment for every point, but `run` has many of them.
Job = collections.namedtuple("Job", "name command published repeats resumes segments")
JOBS = (
    Job("emulate", EMULATE, ("t.h5",), True, True, "0"),
    Job("emulate --force", (*EMULATE, "--force"), ("t.h5",), True, False, "0"),
    Job("measure", MEASURE, ("t.h5",), False, True, "0"),
    Job("run", RUN, ("t.h5", "t.svg"), False, True, "60"),
    Job("report --plot", ("report", "in/whole.h5", "--plot", "out/p.svg"), ("p.svg",), True, False, "0"),
    Job("schedule show", ("schedule", "show", "ring", "--ranks", "4", "-o", "out/s.svg"), ("s.svg",), True,
        False, "0"),
)


def digest_of_file(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class FailingCalls(CliCase):
    def setUp(self):
        super().setUp()
        self.segments = "60"
        os.mkdir(self.path("in"))
        self.expect_ok(*EMULATE[:-1], "in/whole.h5")
        self.tried = collections.Counter()
        self.wrong = []

    def environment(self, faults):
        variables = dict(cli_case.ENVIRONMENT, SOURCE_DATE_EPOCH="0", FABRICAST_SEGMENT_SECONDS=self.segments)
        if faults:
            variables.update(LD_PRELOAD=SHIM, FAULT_PATH=self.path("out"), **faults)
            variables["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
        return variables

    def run_job(self, arguments, **faults):
        command = [cli_case.PROGRAM, *arguments]
        try:
            return subprocess.run(command, cwd=self.folder.name, timeout=patient(60), text=True,
                                  env=self.environment(faults), capture_output=True, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, -1, "", "it hangs")

    def prepare(self, job):
        """An empty folder "out", but for a precious file beside the result or in its place."""
        self.segments = job.segments
        shutil.rmtree(self.path("out"), ignore_errors=True)
        os.mkdir(self.path("out"))
        self.write("out/precious.h5", "precious")
        if "--force" in job.command:
            self.write("out/t.h5", "earlier")

    def content_of(self, job):
        """What says whether a repetition reached the same result."""
        if not job.repeats:
            return ["whole"]
        found = []
        for name in job.published:
            path = self.path("out/" + name)
            if name.endswith(".h5"):
                found.append(self.trace_digest(path))
            else:
                found.append(digest_of_file(path))
        return found

    def trace_digest(self, path):
        """The root attribute content_digest, which HDF5 stores as plain text behind its name."""
        with open(path, "rb") as file:
            return re.search(rb"content_digest.{0,200}?([0-9a-f]{64})", file.read(), re.S).group(1).decode()

    def acknowledged(self):
        try:
            with open(self.path("out/t.h5.d/manifest.json"), encoding="utf-8") as file:
                text = file.read()
        except OSError:
            return {}
        return {s["file"]: s["sha256"] for s in json.loads(text[:text.rindex("fabricast-seal-1")])["segments"]}

    def logged(self):
        """The counted calls of the last disturbed run: number, kind, path."""
        log = self.path("calls.txt")
        if not os.path.exists(log):
            return []
        with open(log, encoding="utf-8") as file:
            calls = [line.split(" ", 2) for line in file.read().splitlines()]
        os.remove(log)
        return [(int(number), kind, path) for number, kind, path in calls]

    def lost_segments(self, case, calls):
        """Manifests that were published, less the segments that the last one names."""
        at, sticky = int(case["FAULT_AT"]), "FAULT_STICKY" in case
        published = [number for number, kind, path in calls
                     if kind == "rename" and path.endswith("/manifest.json")
                     and (number < at if sticky else number != at)]
        return 0 if os.path.exists(self.path("out/t.h5")) else len(published) - len(self.acknowledged())

    def judge(self, job, case, result, wanted):
        """All the ways in which one disturbed run can be wrong."""
        error = case["FAULT_ERROR"]
        if result.returncode < 0 or result.returncode not in (0, 4):
            yield f"exit {result.returncode}: {result.stderr}"
        if result.returncode:
            if result.stderr.count("fabricast: error: ") != 1:
                yield f"not one message: {result.stderr}"
            message = result.stderr.partition("fabricast: error: ")[2]
            if "out" not in message or (error in CAUSES and CAUSES[error] not in message):
                yield f"names not path and cause: {message}"
        with open(self.path("out/precious.h5"), encoding="utf-8") as file:
            if file.read() != "precious":
                yield "another file was changed"
        for name in job.published:
            yield from self.judge_published(job, name, result.returncode)
        if os.path.exists(self.path("out/t.h5.d/manifest.json")):
            check = self.run_job(("report", "out/t.h5.d", "--check"))
            if check.returncode:
                yield f"the segments are bad: {check.stdout}{check.stderr}"
        lost = self.lost_segments(case, self.logged())
        if lost > 0 and "--force" not in job.command:
            yield f"{lost} acknowledged segments are lost"
        yield from self.judge_repetition(job, result, wanted)

    def judge_published(self, job, name, code):
        path = self.path("out/" + name)
        if not os.path.exists(path):
            if code == 0:
                yield f"exit 0 without {name}"
            elif "--force" in job.command:
                yield f"{name} is gone"
            return
        with open(path, "rb") as file:
            if file.read() == b"earlier":
                if code == 0:
                    yield f"exit 0, but {name} was not replaced"
                return
        if name.endswith(".h5"):
            check = self.run_job(("report", path, "--check"))
            if check.returncode:
                yield f"{name} is bad: {check.stdout}{check.stderr}"

    def judge_repetition(self, job, result, wanted):
        if result.returncode:
            if job.resumes:
                again = self.run_job((*job.command, "--resume"))
            else:
                force = () if "--force" in job.command else ("--force",)
                again = self.run_job((*job.command, *force))
            if again.returncode:
                yield f"running it again: exit {again.returncode}: {again.stderr}"
                return
        if self.content_of(job) != wanted:
            yield "another content than undisturbed"
        left = sorted(set(os.listdir(self.path("out"))) - {"precious.h5", *job.published})
        if left:
            yield f"left behind: {left}"

    def calls_of(self, job, kinds):
        """The counted calls of an undisturbed run, in order."""
        self.prepare(job)
        result = self.run_job(job.command, FAULT_CALLS=",".join(kinds), FAULT_AT="0", FAULT_ERROR="EIO",
                              FAULT_LOG=self.path("calls.txt"))
        self.assertEqual(result.returncode, 0, result.stderr)
        return [(kind, path[len(self.path("")):]) for _, kind, path in self.logged()]

    def cases(self):
        """(job, faults, what fails) of all runs, in order."""
        for job in JOBS:
            for kinds in (CHANGING, READING):
                calls = self.calls_of(job, kinds)
                self.assertTrue(calls or kinds == READING, job.name)
                for k, (kind, path) in enumerate(calls, 1):
                    for error in ERRORS:
                        if error == "short" and kind not in TRANSFERS:
                            continue
                        # Short transfers are counted among transfers.
                        among = [c for c in kinds if error != "short" or c in TRANSFERS]
                        at = sum(c in among for c, _ in calls[:k])
                        yield job, {"FAULT_CALLS": ",".join(among), "FAULT_AT": str(at),
                                    "FAULT_ERROR": error}, f"{kind} {path} {error}"
                    if kinds == CHANGING:
                        yield job, {"FAULT_CALLS": ",".join(kinds), "FAULT_AT": str(k), "FAULT_ERROR": "ENOSPC",
                                    "FAULT_STICKY": "1"}, f"{kind} {path} ENOSPC from here on"

    @unittest.skipUnless(SHIM, "needs FABRICAST_FAULT_SHIM")
    def test_every_call_may_fail(self):
        cases = list(self.cases())
        possible = len(cases)
        if FAULTS and FAULTS < possible:
            cases = random.Random(SEED).sample(cases, FAULTS)
        wanted = {}
        for job in JOBS:
            self.prepare(job)
            self.assertEqual(self.run_job(job.command).returncode, 0, job.name)
            wanted[job.name] = self.content_of(job)
        for job, faults, what in cases:
            self.prepare(job)
            result = self.run_job(job.command, FAULT_LOG=self.path("calls.txt"), **faults)
            self.tried["failed" if result.returncode else "succeeded"] += 1
            for problem in self.judge(job, faults, result, wanted[job.name]):
                self.wrong.append(f"{job.name}: {what} ({faults['FAULT_AT']}): {problem}")
                print(self.wrong[-1], file=sys.stderr, flush=True)
        print(json.dumps({"id": "R4", "cases": len(cases), "possible": possible, "seed": SEED,
                          "retried_or_complete": self.tried["succeeded"], "refused": self.tried["failed"],
                          "wrong": len(self.wrong)}), flush=True)
        self.assertEqual(self.wrong, [])


if __name__ == "__main__":
    cli_case.main()
