"""scripts/gpu-campaign and fabricast suites on a machine without a GPU: dry, and drawn from a model.

usage: campaign_test.py PROGRAM MPIEXEC CAMPAIGN_SCRIPT
"""
import csv
import io
import math
import os
import re
import signal
import subprocess
import sys
import time

import cli_case
from cli_case import CliCase, ENVIRONMENT, PROGRAM

SCRIPT = os.path.abspath(sys.argv.pop(3)) if len(sys.argv) > 3 else ""
BUILD = os.path.dirname(os.path.dirname(PROGRAM))
MACHINE = "hgx-h100"
SUITES = ("hand_off", "reduce_copy", "memory", "launch", "lines", "pcie", "overlap", "gemm", "copy_engine")
# As a machine without a GPU sees it, whatever this one has.
NO_GPU = dict(ENVIRONMENT, CUDA_VISIBLE_DEVICES="")


class Campaign(CliCase):
    def campaign(self, *arguments, timeout=500, environment=None):
        return subprocess.run([SCRIPT, *arguments], cwd=self.folder.name, env=environment or ENVIRONMENT,
                              timeout=timeout, capture_output=True, text=True, check=False)

    def test_dry_runs_through_every_step_and_leaves_nothing(self):
        result = self.campaign("30", "--dry", "--into", self.path("into"), "--build", BUILD)
        self.assertEqual(result.returncode, 0, result.stderr)
        steps = re.findall(r"^step ([\w-]+):", result.stdout, re.M)
        for name in ("nvidia-smi", "discover", "gpu-test-cuda_executor_test", "gpu-test-peer_executor_test", "sanitizer-memcheck", "peers-send_recv-ll", "peers-all_reduce-simple", "peers-tree-ll128", "errors-peers", "calibrate-peers", "multimem-16", "nccl", "errors",
                     "calibrate", "summary", *(f"suite-{s}" for s in SUITES), *(f"collectives-{r}" for r in (2, 64))):
            self.assertIn(name, steps)
        self.assertEqual([s for s in steps if s.startswith("suite-")], [f"suite-{s}" for s in SUITES])
        self.assertIn("interpreter-against-copy", steps)
        # Real command lines: the program takes every one of its own (as far as the missing files).
        for line in result.stdout.splitlines():
            if "/bin/fabricast" in line and "mpirun" not in line and "bash" not in line:
                self.assertIn(line.split("/bin/fabricast ")[1].split()[0], ("suites", "measure", "calibrate", "machine"))
        self.assertEqual(self.left(), [])

    def test_refusals(self):
        for arguments, code in (((), 2), (("none", "--dry"), 2), (("0", "--dry"), 2), (("5", "--synthetic", MACHINE), 2),
                                (("5", "--into"), 2)):
            with self.subTest(arguments=arguments):
                result = self.campaign(*arguments)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn("gpu-campaign:", result.stderr)
        self.assertEqual(self.campaign("--help").returncode, 0)
        path = dict(ENVIRONMENT, PATH="/usr/bin:/bin", FABRICAST_ENABLE_CUDA="OFF")
        if not os.path.exists("/usr/bin/nvidia-smi"):
            result = self.campaign("5", "--build", BUILD, environment=path)
            self.assertEqual(result.returncode, 3, result.stderr)
            self.assertIn("--dry", result.stderr)

    def test_a_synthetic_campaign_closes_the_loop_goes_on_and_is_labelled(self):
        arguments = ("20", "--synthetic", MACHINE, "--into", self.path("into"), "--build", BUILD)
        # Interrupted somewhere in the middle, then finished by the same command.
        begun = subprocess.Popen([SCRIPT, *arguments], cwd=self.folder.name, env=ENVIRONMENT, stderr=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 200
        stamps = lambda: [os.path.join(where, f) for where, _, files in os.walk(self.path("into"))
                          if where.endswith("/steps") for f in files if not f.endswith(".partial")]
        while len(stamps()) < 4 and begun.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        begun.send_signal(signal.SIGTERM)
        self.assertEqual(begun.wait(60), 5)
        before = {stamp: os.stat(stamp).st_mtime_ns for stamp in stamps()}
        result = self.campaign(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("done before", result.stderr)
        for stamp, changed in before.items():
            self.assertEqual(os.stat(stamp).st_mtime_ns, changed, f"{stamp} was done again")
        folder, = (os.path.join(self.path("into"), f) for f in os.listdir(self.path("into")))
        for name in ("complete", "summary.md", "errors.txt", "calibration.txt", "profile.h5", "machine.yaml",
                     *(f"suites-{s}.h5" for s in SUITES)):
            self.assertTrue(os.path.exists(os.path.join(folder, name)), name)
        with open(os.path.join(folder, "summary.md"), encoding="utf-8") as file:
            summary = file.read()
        self.assertIn("SYNTHETIC, not a measurement", summary)
        with open(os.path.join(folder, "calibration.txt"), encoding="utf-8") as file:
            found = re.findall(r"^  (cuda\.\S+) .*?  (prior|weak|identified) ", file.read(), re.M)
        self.assertEqual(len(found), 17, found)
        self.assertTrue(all(how == "identified" for _, how in found), found)
        for name in os.listdir(folder):
            if name.endswith(".h5"):
                self.expect_ok("report", os.path.join(folder, name), "--check")
        # From micro-benchmarks alone; the samples differ from the model by their noise.
        with open(os.path.join(folder, "errors.txt"), encoding="utf-8") as file:
            overall = re.search(r"^all +(\d+) +([\d.]+) % +([\d.]+) %", file.read(), re.M)
        self.assertGreater(int(overall.group(1)), 30)
        self.assertLess(float(overall.group(2)), 5)
        self.assertLess(float(overall.group(3)), 15)
        self.assertIn("is complete", self.campaign(*arguments).stderr)

    def rows(self, name, *settings):
        """suites --synthetic -> calibrate -> emulate with executor cuda: the rows by (algorithm, bytes)."""
        folder = self.path(name)
        os.mkdir(folder)
        self.expect_ok("suites", "--synthetic", MACHINE, "--noise", "0.002", "-o", f"{name}/suites.h5", "--quiet", *settings)
        printed = self.expect_ok("calibrate", name, "-o", f"{name}-profile.h5").stdout
        self.assertIn("SYNTHETIC", printed)
        self.expect_ok("emulate", "-m", MACHINE, "--executor", "cuda", "-c", "all_reduce", "-a", "ring,tree",
                       "--channels", "1", "-b", "1K", "-e", "1G", "-f", "32", "--profile", f"{name}-profile.h5", "-o", f"{name}.h5", "--quiet")
        text = self.expect_ok("report", f"{name}.h5", "--csv").stdout
        return {(row["algorithm"], int(row["bytes"])): row for row in csv.DictReader(io.StringIO(text))}

    def test_a_campaign_folder_moves_exactly_what_it_measured(self):
        before = self.rows("before")
        self.expect_ok("emulate", "-m", MACHINE, "--executor", "cuda", "-c", "all_reduce", "-a", "ring,tree",
                       "-b", "1K", "-e", "1G", "-f", "32", "-o", "without.h5", "--quiet")
        without = list(csv.DictReader(io.StringIO(self.expect_ok("report", "without.h5", "--csv").stdout)))
        self.assertTrue(all(float(row["measured_share"]) == 0 for row in without))
        self.assertTrue(all(float(row["measured_share"]) > 0.9 for row in before.values()))
        for setting, moves, large in (("cuda.handoff.simple=x0.5", True, False), ("cuda.cta_copy_bw=x0.5", False, True),
                                      ("cuda.handoff.ll=x0.5", False, False), ("cuda.pcie_efficiency=x0.5", False, False)):
            with self.subTest(setting=setting):
                after = self.rows(re.sub(r"\W", "-", setting), "--set", setting)
                change = {key: abs(math.log(float(after[key]["time_us"]) / float(before[key]["time_us"]))) for key in before}
                for algorithm in ("ring", "tree"):
                    smallest, largest = change[algorithm, 1024], change[algorithm, 1 << 30]
                    self.assertEqual(smallest > 0.1, moves, (algorithm, change))
                    self.assertEqual(largest > 0.5, large, (algorithm, change))
                    if not moves:
                        self.assertLess(smallest, 0.02)
                    if not large:  # a message's hand-off is still part of it
                        self.assertLess(largest, 0.1 if moves else 0.02)

    def test_suites_without_a_device_say_what_they_would_measure(self):
        result = subprocess.run([PROGRAM, "suites"], cwd=self.folder.name, env=NO_GPU, capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, 3, result.stderr)
        for suite in SUITES:
            self.assertIn(suite, result.stdout)
        self.assertIn("identifies cuda.launch", result.stdout)
        self.assertIn("--synthetic", result.stderr)
        plan = self.expect_ok("suites", "--plan", "memory", "pcie", "--budget", "60").stdout
        self.assertIn("identifies cuda.pcie_efficiency", plan)
        self.assertNotIn("hand_off", plan)
        self.assertEqual(self.left(), [])

    def test_suites_refuse_what_they_cannot_do(self):
        self.expect_error(2, "hand_off", "suites", "handoff")
        self.expect_error(2, "cuda.hbm_bw", "suites", "--synthetic", MACHINE, "--set", "cuda.hbmbw=x2")
        self.expect_error(2, "--set", "suites", "--set", "cuda.hbm_bw=x2")
        self.expect_error(2, "nowhere", "suites", "--synthetic", "nowhere")
        self.write("there.h5", "x")
        self.expect_error(4, "there.h5", "suites", "--synthetic", MACHINE, "-o", "there.h5")
        os.mkdir(self.path("empty"))
        self.expect_error(2, "no trace with samples", "calibrate", "empty")
        if cli_case.MPIEXEC:
            self.expect_error(2, "without mpirun", "suites", ranks=2)
        self.expect_ok("suites", "launch", "--synthetic", MACHINE, "-o", "s.h5", "--machine-file", "m.yaml", "--quiet")
        shown = self.expect_ok("suites", "--show", "s.h5").stdout
        self.assertIn("SYNTHETIC, not a measurement", shown)
        self.assertIn("cuda.launch", shown)
        self.expect_ok("machine", "check", "m.yaml")
        self.expect_error(2, "measure", "calibrate", "s.h5", "--against", "s.h5")


if __name__ == "__main__":
    cli_case.main()
