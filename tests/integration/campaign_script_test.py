"""scripts/gpu-campaign on machines made up for it: programs of a few lines, which build, test and measure nothing.

usage: campaign_script_test.py PROGRAM MPIEXEC CAMPAIGN_SCRIPT
"""
import os
import shutil
import subprocess
import sys
import time
import unittest

import cli_case
from cli_case import CliCase, ENVIRONMENT

SCRIPT = os.path.abspath(sys.argv.pop(3)) if len(sys.argv) > 3 else ""
MACHINE = "hgx-h100"


class CampaignScript(CliCase):
    script = SCRIPT

    # The programs, by their place.
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

    def on_stand_ins(self, *arguments, minutes="4", **others):
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
        command = (self.script, minutes, "--into", self.path("into"), "--build", os.path.join(place, "build"), *arguments)
        result = subprocess.run(command, cwd=self.folder.name, env=environment, timeout=500, capture_output=True,
                                text=True, check=False)
        calls = []
        if os.path.exists(self.path("calls")):
            with open(self.path("calls"), encoding="utf-8") as file:
                calls = file.read().splitlines()
        return result, calls

    def test_a_test_ended_by_the_time_limit_has_failed_only_if_it_says_so(self):
        ended = {"nvidia-smi": None, "build/tests/cuda_executor_test": "echo '[       OK ] One'; exit 124"}
        result, calls = self.on_stand_ins(**ended)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("cuda_executor_test: not finished", result.stderr)
        self.assertTrue([call for call in calls if call.startswith("suites ")], result.stderr)
        folder = os.path.join(self.path("into"), *os.listdir(self.path("into")))
        self.assertTrue(os.path.exists(os.path.join(folder, "complete")))
        with open(os.path.join(folder, "summary.md"), encoding="utf-8") as file:
            self.assertIn("**unfinished:** gpu-test-cuda_executor_test", file.read())
        ended["build/tests/cuda_executor_test"] = "echo '[  FAILED  ] One'; exit 124"
        os.remove(self.path("calls"))
        shutil.rmtree(folder)
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

    def test_an_update_of_the_tree_meanwhile_does_no_harm(self):
        tree = os.path.dirname(os.path.dirname(SCRIPT))
        for name in ("scripts/gpu-campaign", "scripts/dev/toolchain.sh", "bench/suites/catalogue.cpp"):
            os.makedirs(os.path.dirname(self.path(f"tree/{name}")), exist_ok=True)
            shutil.copy(os.path.join(tree, name), self.path(f"tree/{name}"))
        self.script = self.path("tree/scripts/gpu-campaign")
        # In place, where a shell that reads on as it runs finds other text.
        updates = f"""
if [ "$1" = suites ]; then
  sed '1a # one line more' {self.script} >{self.script}.new
  cat {self.script}.new >{self.script}
fi""" + self.STAND_INS["build/bin/fabricast"]
        result, _ = self.on_stand_ins(**{"build/bin/fabricast": updates})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("complete: ", result.stderr)

    def test_what_follows_from_files_follows_from_all_of_them(self):
        # A step fails; the tables of the others are made; the next call measures it, and makes them again.
        fails = """
case "$*" in "measure"*"--ranks 4 "*"-c all_reduce"*) exit 1 ;; esac""" + self.STAND_INS["build/bin/fabricast"]
        result, calls = self.on_stand_ins(**{"build/bin/fabricast": fails})
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertTrue([c for c in calls if c.startswith("calibrate")], calls)
        os.remove(self.path("calls"))
        result, calls = self.on_stand_ins()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len([c for c in calls if c.startswith("measure")]), 1, calls)
        made_again = [c for c in calls if c.startswith("calibrate") and "--executor cuda" in c]
        self.assertEqual(len(made_again), 2, calls)  # errors, calibration
        self.assertTrue(all("collectives-4.h5" in c or "--against" not in c for c in made_again), calls)

    def test_it_ends_in_time_with_a_summary(self):
        slow = """
case "$*" in "suites memory"*) exec sleep 300 ;; esac""" + self.STAND_INS["build/bin/fabricast"]
        begin = time.monotonic()
        result, calls = self.on_stand_ins(minutes="1", **{"build/bin/fabricast": slow})
        self.assertLess(time.monotonic() - begin, 60 + 20 + 30)
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertIn("suite-memory: cut off", result.stderr)
        folder = os.path.join(self.path("into"), *os.listdir(self.path("into")))
        self.assertTrue(os.path.exists(os.path.join(folder, "summary.md")))
        self.assertFalse(os.path.exists(os.path.join(folder, "complete")))
        self.assertEqual([c for c in calls if c.startswith(("measure", "calibrate"))], [])

    def budgets(self, calls):
        found = [(" ".join(c.split()[:2]), int(c.split("--budget ")[1].split()[0])) for c in calls if "--budget" in c]
        return {name: seconds for name, seconds in reversed(found)}  # the first of each

    def test_a_call_of_several_measures_for_as_long_as_all_of_them_allow(self):
        result, calls = self.on_stand_ins("--into", self.path("alone"), minutes="4")
        self.assertEqual(result.returncode, 0, result.stderr)
        alone = self.budgets(calls)
        os.remove(self.path("calls"))
        result, calls = self.on_stand_ins("--of", "16", minutes="4")
        self.assertEqual(result.returncode, 0, result.stderr)
        shared = self.budgets(calls)
        self.assertEqual(shared.keys(), alone.keys())
        self.assertAlmostEqual(shared["suites hand_off"] / alone["suites hand_off"], 4, delta=0.3)
        for name, seconds in shared.items():  # no more than this call has
            self.assertGreater(seconds, alone[name], name)
            self.assertLessEqual(seconds, 240, name)
        folder, = os.listdir(self.path("into"))
        folder = os.path.join(self.path("into"), folder)
        # What finished steps took is gone from the rest.
        os.remove(os.path.join(folder, "complete"))
        steps = os.path.join(folder, "steps")
        for name in os.listdir(steps):
            if name.startswith("suite-m"):
                os.remove(os.path.join(steps, name))
        with open(os.path.join(steps, "suite-launch"), "w", encoding="utf-8") as file:
            file.write("720 s: something\n")
        os.remove(self.path("calls"))
        result, calls = self.on_stand_ins("--of", "16", minutes="4")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLessEqual(self.budgets(calls)["suites memory"], 120)

    def test_a_step_that_does_not_fit_into_this_call_waits_for_the_next(self):
        slow = 'case "$1 $2" in "suites hand_off") sleep 35 ;; esac' + self.STAND_INS["build/bin/fabricast"]
        result, calls = self.on_stand_ins("--of", "60", minutes="1", **{"build/bin/fabricast": slow})
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertEqual([c.split()[1] for c in calls if c.startswith("suites ") and "--plan" not in c], ["hand_off"])
        self.assertRegex(result.stderr, "out of time before suite-reduce_copy: the same command goes on")
        result, _ = self.on_stand_ins("--of", "60", **{"build/bin/fabricast": slow})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("suite-hand_off: done before", result.stderr)

    def test_calls_that_are_longer_than_all_of_them_are_refused(self):
        for of in ("3", "0", "x", "08"):
            result, calls = self.on_stand_ins("--of", of, minutes="4")
            self.assertEqual((result.returncode, calls), (2, []), result.stderr)
            self.assertIn(f"--of {of}", result.stderr)

    def test_without_gpu_tests_the_summary_says_so(self):
        result, _ = self.on_stand_ins(**{f"build/tests/{name}_test": None for name in ("cuda_executor", "suites_gpu", "nccl_executor")})
        self.assertEqual(result.returncode, 0, result.stderr)
        folder = os.path.join(self.path("into"), *os.listdir(self.path("into")))
        with open(os.path.join(folder, "summary.md"), encoding="utf-8") as file:
            self.assertIn("**GPU tests were not there**", file.read())

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


if __name__ == "__main__":
    cli_case.main()
