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
import unittest

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

    # Programs of a machine made up for the script: it builds, tests and measures nothing.
    STAND_INS = {
        "nvcc": "exit 0",
        # Each architecture once, however many GPUs have it.
        "__nvcc_device_query": "echo 90",
        "build/bin/interpreter_bench": "echo copies=1.4",
        **{f"build/tests/{name}_test": "exit 0" for name in ("cuda_executor", "suites_gpu", "nccl_executor")},
        "compute-sanitizer": "exit 0",
        "mpirun": "exit 0",
        "build/bin/fabricast": """
echo "$*" >>"$CALLS"
if [ "$1 $2" = "machine discover" ]; then
  echo "# host here: 3 x NVIDIA H200 (NVLinks not known), 2 cores"
  echo "gpus: {value: 3, origin: measured}"
  echo "gpu:"
  echo "  hbm: {value: 4294967296 B, origin: measured}"
fi
while [ $# -gt 0 ]; do
  case "$1" in --machine-file | -o) touch "$2" ;; esac
  shift
done""",
    }

    # Starts the program, and only that, as one process.
    MPIRUN = 'case "$*" in *bin/fabricast*) shift 2; exec "$@" ;; esac'

    def on_stand_ins(self, *arguments, **others):
        """The script's result with these programs and others (None: not there) first on PATH, and the calls."""
        for name, text in {**self.STAND_INS, **others}.items():
            place = os.path.join(self.path("stand-ins"), name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if text is None and os.path.exists(place):
                os.remove(place)
            elif text is not None:
                with open(place, "w", encoding="utf-8") as file:
                    file.write(f"#!/bin/sh\n{text}\n")
                os.chmod(place, 0o755)
        place = self.path("stand-ins")
        environment = dict(ENVIRONMENT, PATH=f"{place}:/usr/bin:/bin", CUDACXX="",
                           FABRICAST_ENABLE_CUDA="AUTO", CALLS=self.path("calls"))
        result = self.campaign("1", "--into", self.path("into"), "--build", os.path.join(place, "build"), *arguments,
                               environment=environment)
        calls = []
        if os.path.exists(self.path("calls")):
            with open(self.path("calls"), encoding="utf-8") as file:
                calls = file.read().splitlines()
        return result, calls

    def test_a_test_ended_by_the_time_limit_has_failed_only_if_it_says_so(self):
        ended = {"nvidia-smi": None, "build/tests/cuda_executor_test": "echo '[       OK ] One'; exit 124"}
        result, calls = self.on_stand_ins(**ended)
        self.assertIn("cuda_executor_test: not finished", result.stderr)
        self.assertTrue([call for call in calls if call.startswith("suites ")], result.stderr)
        ended["build/tests/cuda_executor_test"] = "echo '[  FAILED  ] One'; exit 124"
        os.remove(self.path("calls"))
        result, calls = self.on_stand_ins(**ended)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("a GPU test failed", result.stderr)
        self.assertEqual([call for call in calls if call.startswith("suites ")], [])

    def test_what_the_gpus_do_not_do_is_refused_and_no_failure(self):
        pcie = "[rank 0] error: protocol ll128 needs NVLink between all GPUs (A and B have none) use --protocol ll or simple"
        switch = "[rank 0] error: process 0: --multimem is not possible: no NVSwitch (the interpreter runs nvls without it) leave it out"
        cublas = "error: nothing was measured (suite gemm measures nothing here: cuBLASLt cannot be loaded) install it"
        program = self.STAND_INS["build/bin/fabricast"].replace(" (NVLinks not known)", "").replace("while", f"""
case "$*" in
  *"--protocol ll128"*) echo "fabricast: {pcie}" >&2; exit 2 ;;
  *--multimem*) echo "fabricast: {switch}" >&2; exit 3 ;;
  "suites gemm"*) echo "fabricast: {cublas}" >&2; exit 3 ;;
esac
while""", 1)
        others = {"nvidia-smi": None, "mpirun": self.MPIRUN, "build/bin/fabricast": program}
        result, calls = self.on_stand_ins(**others)
        self.assertEqual(result.returncode, 0, result.stderr)
        folder = os.path.join(self.path("into"), *os.listdir(self.path("into")))
        self.assertTrue(os.path.exists(os.path.join(folder, "complete")))
        refused = [name for name in os.listdir(os.path.join(folder, "steps")) if name.endswith(".refused")]
        self.assertEqual(sorted(refused), ["multimem-1.refused", "peers-send_recv-ll128.refused", "suite-gemm.refused"])
        with open(os.path.join(folder, "summary.md"), encoding="utf-8") as file:
            summary = file.read()
        self.assertNotIn("failed", summary)
        for name, reason in (("peers-send_recv-ll128", pcie), ("multimem-1", switch), ("suite-gemm", cublas)):
            self.assertIn(f"- **refused:** {name}: {reason.split('error: ')[1]}", summary)
        self.assertEqual(len([c for c in calls if "ll128" in c and "--executor cuda" in c and "--ranks" not in c]), 1, calls)
        # Going on does not try them again.
        os.remove(os.path.join(folder, "complete"))
        os.remove(self.path("calls"))
        result, calls = self.on_stand_ins(**others)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("multimem-1: refused before", result.stderr)
        self.assertEqual([c for c in calls if c.startswith("measure")], [])

    def test_an_option_that_the_program_does_not_know_is_a_failure(self):
        program = self.STAND_INS["build/bin/fabricast"].replace("while", """
case "$*" in *"--protocol ll128"*) echo "fabricast: error: --fastest is no option (see --help)" >&2; exit 2 ;; esac
while""", 1)
        result, _ = self.on_stand_ins(**{"nvidia-smi": None, "mpirun": self.MPIRUN, "build/bin/fabricast": program})
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("not complete: peers-send_recv-ll128 (exit code 2)", result.stderr)
        folder = os.path.join(self.path("into"), *os.listdir(self.path("into")))
        self.assertFalse(os.path.exists(os.path.join(folder, "complete")))

    def test_a_gpu_with_few_multiprocessors_runs_as_many_ranks_as_fit(self):
        for multiprocessors, expected in ((16, {2: True, 4: True, 8: True, 16: False}), (12, {2: True, 4: True, 8: False}),
                                          (108, {2: True, 4: True, 8: True, 16: True, 32: True, 64: False})):
            with self.subTest(multiprocessors=multiprocessors):
                plan = f'[ "$1" != suites ] || echo "# on NVIDIA H200 ({multiprocessors} multiprocessors, L2 6 MiB)"'
                result, calls = self.on_stand_ins("--into", self.path(str(multiprocessors)), **{
                    "nvidia-smi": None, "build/bin/fabricast": plan + self.STAND_INS["build/bin/fabricast"]})
                self.assertEqual(result.returncode, 0, result.stderr)
                found = {}
                for call in (c.split() for c in calls if c.startswith("measure") and "--ranks" in c):
                    ranks = int(call[call.index("--ranks") + 1])
                    found.setdefault(ranks, []).append(call[call.index("-a") + 1])
                everything = ["ring,tree,halving_doubling", "pairwise"]
                self.assertEqual(found, {ranks: everything if twice else ["ring,halving_doubling"]
                                         for ranks, twice in expected.items()})
                os.remove(self.path("calls"))

    def check_without_nvidia_smi(self, **others):
        result, calls = self.on_stand_ins(**others)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.count("nvidia-smi"), 1, result.stderr)
        folder, = os.listdir(self.path("into"))
        self.assertRegex(folder, r"^gpu-sm90-\d{4}-\d\d-\d\d$")
        folder = os.path.join(self.path("into"), folder)
        self.assertTrue(os.path.exists(os.path.join(folder, "complete")))
        steps = os.listdir(os.path.join(folder, "steps"))
        self.assertIn("suite-memory", steps)
        with open(os.path.join(folder, "steps", "nccl"), encoding="utf-8") as file:
            self.assertIn("mpirun -n 3 ", file.read(), "a process for each GPU")
        self.assertIn("peers-send_recv-simple", steps)
        self.assertNotIn("multimem-1", steps)
        self.assertIn("NVLinks are not known: multimem is not run", result.stderr)
        self.assertNotIn("nvidia-smi", steps)
        with open(os.path.join(folder, "summary.md"), encoding="utf-8") as file:
            summary = file.read()
        self.assertNotIn("failed", summary)
        self.assertNotIn("clocks", summary)
        # 4 GiB, as the program found: a quarter of them for inputs and outputs of two ranks.
        collective = next(c for c in calls if "--ranks 2" in c and "all_reduce" in c)
        self.assertIn("-e 256M", collective)

    @unittest.skipIf(os.path.exists("/usr/bin/nvidia-smi"), "nvidia-smi cannot be hidden here")
    def test_without_nvidia_smi_the_toolkit_names_the_architectures(self):
        self.check_without_nvidia_smi()

    def test_an_nvidia_smi_that_fails_is_as_good_as_none(self):
        # What it says without NVML goes to stdout.
        self.check_without_nvidia_smi(**{"nvidia-smi": 'echo "couldn\'t find libnvidia-ml.so library"\necho; exit 12'})

    def test_nvidia_smi_is_asked_first(self):
        smi = ('case "$*" in *=name*) echo "NVIDIA H200" ;; *=compute_cap*) echo 9.0 ;;\n'
               '  *=memory.total*) echo 8192 ;; *) echo "as nvidia-smi says" ;; esac')
        result, calls = self.on_stand_ins(**{"nvidia-smi": smi, "__nvcc_device_query": "echo 80; exit 0"})
        self.assertEqual(result.returncode, 0, result.stderr)
        folder, = os.listdir(self.path("into"))
        self.assertTrue(folder.startswith("h200-"), folder)
        steps = os.listdir(os.path.join(self.path("into"), folder, "steps"))
        self.assertIn("nvidia-smi", steps)
        self.assertNotIn("nccl", steps, "one GPU")
        self.assertIn("-e 512M", next(c for c in calls if "--ranks 2" in c and "all_reduce" in c))
        with open(os.path.join(self.path("into"), folder, "summary.md"), encoding="utf-8") as file:
            summary = file.read()
        self.assertIn("environment/ has driver, clocks and the machine", summary)
        self.assertIn("copies=1.4", summary)

    def test_a_partitioned_gpu_is_as_large_as_the_slice_that_the_program_sees(self):
        smi = ('case "$*" in *=name*) echo "NVIDIA H200"; echo "NVIDIA H200" ;; *=compute_cap*) echo 9.0; echo 9.0 ;;\n'
               '  *=memory.total*) echo 143771; echo 143771 ;; *=mig.mode*) echo "[N/A]"; echo Enabled ;; esac')
        program = self.STAND_INS["build/bin/fabricast"].replace("value: 3", "value: 1")
        result, calls = self.on_stand_ins(**{"nvidia-smi": smi, "build/bin/fabricast": program})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("one GPU", result.stderr)
        self.assertIn("-e 256M", next(c for c in calls if "--ranks 2" in c and "all_reduce" in c), "4 GiB")

    def test_made_up_samples_run_nothing_between_the_gpus_that_are_here(self):
        smi = 'case "$*" in *=name*) echo "NVIDIA H200"; echo "NVIDIA H200" ;; *=compute_cap*) echo 9.0; echo 9.0 ;; esac'
        for options in ((), ("--dry",)):
            with self.subTest(options=options):
                result, calls = self.on_stand_ins("--synthetic", MACHINE, *options, **{"nvidia-smi": smi})
                self.assertEqual(result.returncode, 0, result.stderr)
                for step in ("nccl", "peers", "multimem"):
                    self.assertNotRegex(result.stderr + result.stdout, rf"(?m)^(gpu-campaign: |step ){step}\S*: ")
        self.assertTrue(all("--synthetic" in c for c in calls if c.startswith(("measure", "suites ")) and "--show" not in c),
                        calls)

    def test_without_a_device_neither_names_one(self):
        smi = {"nvidia-smi": "echo No devices were found; exit 6",
               "build/bin/fabricast": 'echo "$*" >>"$CALLS"; echo "# host here: EPYC, 2 cores"; echo "#   no GPUs: no driver"'}
        for query in ("echo 'failed to call load_driver_entries() with error 0x3'; exit 1", "exit 1", None):
            with self.subTest(query=query):
                result, calls = self.on_stand_ins(**smi, **{"__nvcc_device_query": query})
                self.assertEqual(result.returncode, 3, result.stderr)
                query_is = "names none" if query else "is missing"
                self.assertIn(f"no GPU: nvidia-smi names none, the CUDA toolkit's device query {query_is}", result.stderr)
                self.assertEqual(set(calls), {"machine discover"})

    def test_where_no_tool_names_a_device_a_program_that_is_there_does(self):
        result, calls = self.on_stand_ins(**{"nvidia-smi": "exit 9", "nvcc": None, "__nvcc_device_query": None})
        self.assertEqual(result.returncode, 0, result.stderr)
        folder, = os.listdir(self.path("into"))
        self.assertTrue(folder.startswith("h200-"), folder)
        self.assertIn("the driver names the device", result.stderr)
        self.assertNotIn("nvidia-smi", os.listdir(os.path.join(self.path("into"), folder, "steps")))
        self.assertTrue([call for call in calls if call.startswith("suites ")], calls)

    def test_libraries_of_python_wheels_are_found(self):
        wheel = self.path("site/nvidia/nccl/lib")
        os.makedirs(wheel)
        self.write("site/nvidia/nccl/lib/libnccl.so.2", "")
        ask = f'PYTHONPATH={self.path("site")} exec /usr/bin/python3 "$@"'
        logged = self.STAND_INS["build/bin/fabricast"] + '\necho "looks in $LD_LIBRARY_PATH" >>"$CALLS"'
        result, calls = self.on_stand_ins(**{"ldconfig": "exit 0", "python3": ask, "build/bin/fabricast": logged})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.count(wheel), 1, result.stderr)
        self.assertTrue(any(call.startswith("looks in ") and wheel in call.split()[-1].split(":") for call in calls), calls)

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
