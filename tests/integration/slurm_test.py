"""R10: scancel, the early warning and the time limit of a private one-node Slurm.

Needs root and Debian's slurmctld, slurmd, slurm-client and munge (scripts/install-deps --slurm); skipped (exit code 77) without.
Daemons, ports and folders are this test's own, in a PID namespace that ends with it: nothing stays. FABRICAST_CAMPAIGN=full tries
more. Prints JSON lines.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import cli_case
from cli_case import CliCase, descendants, program_processes

FULL = os.environ.get("FABRICAST_CAMPAIGN") == "full"
TOOLS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "squeue", "sinfo")
SBIN = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
PROMISED = 0.8  # seconds from the signal to the end of the last process (docs/reliability.md)
WORK = ("emulate", "--machine", "hgx-h100x1260", "-c", "all_reduce,all_to_all", "-a", "ring,pairwise",
        "-b", "4K", "-e", "16M", "-f", "1.4", "--ranks", "256", "--jitter", "lognormal:0.1", "--members", "8", "--quiet")
LONG = tuple("1.01" if word == "1.4" else word for word in WORK)  # minutes
# Whatever happens to this script, the kernel then ends Slurm's daemons and jobs too.
NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")

# Runs its arguments, notes when signals came (Slurm sends them to all processes at once) and which code the program left.
WITNESS = """#!/usr/bin/python3
import json, os, signal, subprocess, sys, time
came = {}
def note(number, frame):
    came.setdefault(signal.Signals(number).name, time.time())
for one in (signal.SIGTERM, signal.SIGUSR1):
    signal.signal(one, note)
code = subprocess.Popen(sys.argv[2:]).wait()
with open(sys.argv[1] + ".part", "w") as file:
    json.dump({"code": code, "came": came, "srun": "SLURM_STEP_ID" in os.environ}, file)
os.rename(sys.argv[1] + ".part", sys.argv[1])
sys.exit(code)
"""
STEP = """#!/bin/bash
trap : TERM USR1
srun -n1 /usr/bin/python3 "$@" &
while ! wait $!; do kill -0 $! 2>/dev/null || break; done
"""


def missing():
    """Why there is no Slurm here, or nothing."""
    if os.geteuid() != 0:
        return "slurmd needs root"
    absent = [tool for tool in TOOLS if not shutil.which(tool, path=SBIN)]
    if absent:
        return f"not installed: {', '.join(absent)} (scripts/install-deps --slurm)"
    if subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode != 0:
        return "no PID namespace for it (" + " ".join(NAMESPACE) + " fails)"
    return ""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Slurm:
    """munged, slurmctld and slurmd in a folder. Orphans of a job become children of this process, the namespace's first."""

    def __init__(self, folder):
        self.folder = folder
        self.daemons = []
        os.chmod(folder, 0o755)
        for name in ("munge", "state", "spool"):
            os.mkdir(os.path.join(folder, name), 0o755)
        self.environment = dict(cli_case.ENVIRONMENT, SLURM_CONF=os.path.join(folder, "slurm.conf"), PATH=SBIN)
        with open(os.path.join(folder, "munge.key"), "wb") as file:
            os.chmod(file.name, 0o600)
            file.write(os.urandom(128))
        host = socket.gethostname().partition(".")[0]
        with open(self.environment["SLURM_CONF"], "w", encoding="utf-8") as file:
            file.write(f"""ClusterName=fabricast
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/linear
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
ReturnToService=2
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()}
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
""")

    def start(self):
        self.daemon("munged", "-F", "-f", f"--socket={self.folder}/munge/socket", f"--key-file={self.folder}/munge.key",
                    f"--pid-file={self.folder}/munge/pid", f"--log-file={self.folder}/munge/log",
                    f"--seed-file={self.folder}/munge/seed")
        self.wait(lambda: os.path.exists(f"{self.folder}/munge/socket"))
        self.daemon("slurmctld", "-D")
        self.daemon("slurmd", "-D")
        self.wait(lambda: "idle" in self.call("sinfo", "-h", "-o", "%T").stdout)

    def daemon(self, name, *arguments):
        with open(os.path.join(self.folder, name + ".out"), "wb") as log:
            self.daemons.append(subprocess.Popen(
                [shutil.which(name, path=SBIN), *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True))

    def wait(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            dead = [daemon.args[0] for daemon in self.daemons if daemon.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise AssertionError(f"Slurm: {dead or 'nothing happened'}\n{self.logs()}")
            time.sleep(0.02)

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".out"):
                with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
                    text += f"--- {name}\n{file.read()[-3000:]}\n"
        return text

    def call(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60,
                              cwd=self.folder, check=False)

    def submit(self, folder, record, command, step, options):
        """A job whose script is the witness, or one that starts the witness with srun."""
        witness, script = os.path.join(folder, "witness.py"), os.path.join(folder, "step.sh")
        for path, text in ((witness, WITNESS), (script, STEP)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        started = [script, witness] if step else [witness]
        result = self.call("sbatch", "-D", folder, "-o", record + ".log", "-N1", f"-n{os.cpu_count()}", *options,
                           *started, record, *command)
        if result.returncode != 0:
            raise AssertionError(result.stderr + self.logs())
        return re.search(r"job (\d+)", result.stdout).group(1)

    def stop(self):
        """Nothing of it is left, jobs and their keepers included."""
        for one in (signal.SIGTERM, signal.SIGKILL):
            for pid in descendants(os.getpid()):
                try:
                    os.kill(pid, one)
                except ProcessLookupError:
                    pass
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline and descendants(os.getpid()):
                try:
                    os.waitpid(-1, os.WNOHANG)
                except ChildProcessError:
                    break
                time.sleep(0.02)


class UnderSlurm(CliCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="fabricast-slurm.")
        cls.addClassCleanup(folder.cleanup)
        cls.slurm = Slurm(folder.name)
        cls.addClassCleanup(cls.slurm.stop)
        cls.slurm.start()

    def gone(self, job):
        """The job and its processes have ended: when the last process of the program did."""
        last = time.time()
        deadline = time.monotonic() + 150
        while program_processes(self.folder.name):
            last = time.time()
            self.assertLess(time.monotonic(), deadline, "processes stayed")
            time.sleep(0.01)
        self.slurm.wait(lambda: not self.slurm.call("squeue", "-h", "-j", job, "-t", "R,CG,PD").stdout.strip(), 30)
        return last

    def interrupted(self, name, launch, how, code, work=WORK, step=False, options=()):
        """Submits, lets `how` end it when a segment is there, and checks what is left. Seconds from signal to end."""
        self.slurm.environment["FABRICAST_SEGMENT_SECONDS"] = "0"
        record = self.path(name + ".json")
        command = [*launch, cli_case.PROGRAM, *work, "-o", name]
        for _ in range(5):
            job = self.slurm.submit(self.folder.name, record, command, step, options)
            self.slurm.wait(lambda: self.acknowledged(name + ".d") or os.path.exists(record))
            if how is not None:
                self.slurm.call("scancel", *how, job)
            last = self.gone(job)
            with open(record + ".log", encoding="utf-8", errors="replace") as file:
                said = file.read()
            self.assertTrue(os.path.exists(record), said + self.slurm.logs())
            with open(record, encoding="utf-8") as file:
                found = json.load(file)
            if found["code"] != 0 or name not in self.left():
                break
            os.remove(self.path(name))  # it was done before the signal came
            os.remove(record)
        self.assertEqual(found["code"], code, said)
        self.assertEqual(found["srun"], step)
        if code == 5:  # mpirun passes on nothing that ranks say after its own SIGTERM
            self.assertIn("stopped by SIG", said)
        self.assertNotIn(name, self.left())
        self.expect_ok("report", name + ".d", "--check")
        return max(0.0, last - min(found["came"].values()))  # the witness may be told last

    def test_a_cancelled_job_leaves_a_usable_part_and_goes_on_where_it_was(self):
        wanted = re.search(r"content_digest \w+", self.expect_ok(*WORK, "-o", "whole.h5").stdout).group(0)
        mpirun = [cli_case.MPIEXEC, "-n", "2"]
        early = ("--full", "-s", "USR1")
        cases = [("plain-term", [], (), 5, False), ("srun-term", [], (), 5, True)]
        cases += [("plain-usr1", [], early, 5, False)] if FULL else []
        # Open MPI 4.1 has a code of its own for SIGTERM, whatever its ranks return.
        cases += [("mpirun-term", mpirun, (), 1, False)] if cli_case.MPIEXEC and FULL else []
        cases += [("mpirun-usr1", mpirun, early, 5, False)] if cli_case.MPIEXEC else []
        took = {}
        repetitions = 4 if FULL else 1
        for repetition in range(repetitions):
            for case, launch, how, code, step in cases:
                name = f"{case}{repetition}.h5"
                with self.subTest(name):
                    seconds = self.interrupted(name, launch, how, code, step=step)
                    took[case] = max(took.get(case, 0), seconds)
                    again = self.expect_ok(*WORK, "-o", name, "--resume", ranks=2 if launch else 0).stdout
                    self.assertIn(wanted, again)
                    self.expect_ok("report", name, "--check")
        late = [case for case, seconds in took.items() if seconds > PROMISED]
        print(json.dumps({"id": "R10", "slurm": sorted(took), "jobs": len(cases) * repetitions,
                          "slowest_s": round(max(took.values()), 2), "wrong": late}), flush=True)
        self.assertEqual(len(took), len(cases))
        self.assertEqual(late, [], took)

    @unittest.skipUnless(FULL, "Slurm looks at limits once in half a minute: in the full campaign")
    def test_the_early_warning_and_the_time_limit_are_like_scancel(self):
        # Slurm may send the warning up to a minute early: here, soon after the start. It goes to steps.
        for name, options, step in [("warning", ("--time=1", "--signal=USR1@50"), True), ("limit", ("--time=1",), False)]:
            with self.subTest(name):
                seconds = self.interrupted(name + ".h5", [], None, 5, LONG, step, options)
                print(json.dumps({"id": "R10", "slurm": [name], "seconds": round(seconds, 2)}), flush=True)
                self.assertLess(seconds, PROMISED)


if __name__ == "__main__":
    if os.getpid() == 1:
        cli_case.main()
    reason = missing()
    if reason:
        print(json.dumps({"id": "R10", "not_tried": "Slurm: " + reason}))
        sys.exit(77)
    os.execvp(NAMESPACE[0], [*NAMESPACE, sys.executable, "-B", *sys.argv])
