"""The whole program with made-up GPUs and NCCLs: what users of several GPUs, an old NCCL or none see.

usage: stand_ins_test.py PROGRAM_ON_FAKES MPIEXEC FOLDER_OF_FAKES

The stand-ins (tests/unit/runtime/fakes) move real data between the ranks of one process, so a run of
several processes has to find its data wrong. What no stand-in can show: that a device does the same.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import cli_case
from cli_case import ENVIRONMENT, CliCase

FAKES = os.path.abspath(sys.argv.pop(3)) if len(sys.argv) > 3 else ""
SMALL = ("-c", "all_reduce", "-b", "4K", "-e", "4K")


class OnStandIns(CliCase):
    def on(self, gpus, nccl, driver=True, **variables):
        """From here on the program sees so many GPUs and that NCCL (a folder of FAKES; "" for none).

        No NVML, whatever this machine has; the CUDA driver's library is made up too, or missing.
        """
        before = dict(ENVIRONMENT)
        self.addCleanup(lambda: (ENVIRONMENT.clear(), ENVIRONMENT.update(before)))
        folders = [self.broken_library("libnvidia-ml.so.1"),
                   os.path.join(FAKES, "driver") if driver else self.broken_library("libcuda.so.1"),
                   os.path.join(FAKES, nccl) if nccl else self.broken_library("libnccl.so.2")]
        ENVIRONMENT.update(FABRICAST_FAKE_GPUS=str(gpus), LD_LIBRARY_PATH=":".join(folders), **variables)

    def broken_library(self, name):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, name), "w", encoding="utf-8") as file:
            file.write("not a library")
        return folder.name

    def machine_of(self, trace):
        """The file of the machine that its samples belong to."""
        return self.dumped("-g", "/machine", trace)

    def suite_of(self, trace):
        return re.search(r'\(0\): "?(\w+)', self.dumped("-d", "/sample_conditions/suite", trace)).group(1)

    def dumped(self, kind, data, trace):
        if shutil.which("h5dump") is None:
            self.skipTest("needs h5dump")
        return subprocess.run(["h5dump", kind, data, self.path(trace)], capture_output=True, text=True,
                              check=True).stdout

    def refused(self, code, message, *command, ranks=0):
        result = self.run_program(*command, ranks=ranks)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stderr.count("error: "), 1, result.stderr)
        self.assertIn(message, result.stderr)
        return result


class OneProcess(OnStandIns):
    def test_every_collective_is_right_in_every_way_of_launching(self):
        self.on(4, "new")
        for way in ((), ("--graph",), ("--symmetric",)):
            with self.subTest(way=way):
                result = self.expect_ok("measure", "--executor", "nccl", "-c", "all", "-b", "4K", "-e", "4K",
                                        "--check-only", *way)
                sections = [line.split()[1] for line in result.stdout.splitlines() if "nccl executor" in line]
                self.assertEqual(len(set(sections)), 9, sections)

    def test_ways_of_launching_are_told_apart_in_the_trace(self):
        self.on(4, "new")
        suites = set()
        for way in ((), ("--graph",), ("--symmetric",)):
            trace = "t" + "".join(way) + ".h5"
            result = self.expect_ok("measure", *SMALL, *way, "-o", trace)
            self.assertIn("nccl executor: NCCL 2.28.9, 4 GPUs", result.stderr)
            self.assertIn("all_reduce ring, protocol ll", result.stdout)
            suites.add(self.suite_of(trace))
        self.assertEqual(len(suites), 3, suites)

    def test_what_is_missing_is_named(self):
        cases = ((0, "new", (), 3, "no CUDA device"),
                 (4, "", (), 3, "NCCL cannot be loaded"),
                 (4, "ancient", (), 3, "NCCL 2.10.3 is not supported"),
                 (4, "old", ("--symmetric",), 2, "has no symmetric windows"))
        for gpus, nccl, options, code, message in cases:
            with self.subTest(nccl=nccl, gpus=gpus):
                self.on(gpus, nccl)
                result = self.run_program("measure", "--executor", "nccl", *SMALL, *options, "-o", "t.h5")
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertEqual(result.stderr.count("error: "), 1, result.stderr)
                self.assertIn(message, result.stderr)
                self.assertNotIn("t.h5", self.left())

    def test_without_a_device_or_nccl_hosts_are_measured_and_the_reason_is_said(self):
        for gpus, nccl, ranks, reason in ((0, "new", 0, "no CUDA device"), (0, "new", 2, "no CUDA device"),
                                          (2, "ancient", 2, "NCCL 2.10.3 is not supported")):
            with self.subTest(gpus=gpus, ranks=ranks):
                self.on(gpus, nccl)
                result = self.expect_ok("measure", *SMALL, "--check-only", ranks=ranks)
                self.assertIn("no GPU is measured", result.stderr)
                self.assertIn(reason, result.stderr)

    def test_gpus_without_nvml_are_described_by_the_cuda_driver(self):
        self.on(4, "new")
        result = self.expect_ok("measure", "--executor", "nccl", *SMALL, "-n", "3", "-o", "t.h5")
        self.assertEqual(result.stderr.count("NVML cannot be loaded: power, PCIe and NVLinks are not known"), 1)
        machine = self.machine_of("t.h5")
        for part in ("name: fake-gpu-x4", "(NVLinks not known)", "generation: hopper", "CUDA driver: devices"):
            self.assertIn(part, machine)

    def test_samples_of_gpus_that_nothing_describes_need_a_machine(self):
        self.on(4, "new", driver=False)
        for command in (("measure", "--executor", "nccl"), ("measure",), ("run", "--budget", "1")):
            with self.subTest(command=command):
                options = SMALL if command[0] == "measure" else ()
                result = self.refused(2, "name the machine with --machine", *command, *options, "-o", "t.h5")
                self.assertIn("the driver does not describe this GPU", result.stderr)
                self.assertNotIn("t.h5", self.left())
        self.expect_ok("measure", *SMALL, "-n", "3", "--machine", "hgx-h100", "-o", "t.h5")
        self.assertIn("name: hgx-h100", self.machine_of("t.h5"))
        self.on(4, "new", FAKE_CUDA_INIT="803")
        self.refused(2, "the CUDA driver does not start (cuInit returned 803)", "measure", *SMALL)

    def test_a_hanging_nccl_ends_at_the_deadline(self):
        self.on(4, "new", FAKE_NCCL="hang_connect")
        began = time.monotonic()
        result = self.expect_error(3, "did not end within 1 s", "--quiet", "measure", "--executor", "nccl", *SMALL,
                                   "--deadline", "1", "--machine", "hgx-h100")
        self.assertIn("aborted", result.stderr)
        self.assertLess(time.monotonic() - began, 30)


class Processes(OnStandIns):
    """Under mpirun: a GPU of its own for each process, or a reason that all of them give once."""

    def setUp(self):
        super().setUp()
        if not cli_case.MPIEXEC:
            self.skipTest("needs mpirun")

    def test_processes_that_see_one_gpu_each_choose_nccl(self):
        # As Slurm's --gpus-per-task=1 has it: every process sees one GPU, and not the same.
        self.on(1, "new", FAKE_GPU_ADDRESS_BY_RANK="1")
        result = self.run_program("measure", *SMALL, "--check-only", ranks=2)
        self.assertIn("a GPU for each of 2 processes", result.stderr)
        self.assertEqual(result.stderr.count("joins its GPUs by PCIe"), 1, result.stderr)
        # The stand-in has no network: the check of the data has to say so.
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("wrong data from the nccl executor", result.stderr)

    def test_processes_of_gpus_that_nothing_describes_say_so_once(self):
        self.on(2, "new", driver=False)
        self.refused(2, "name the machine with --machine", "measure", *SMALL, "--check-only", ranks=2)

    def test_a_gpu_that_did_not_wait_for_the_others_is_an_error_of_all(self):
        self.on(2, "new", FAKE_GATE="late 1")
        self.refused(3, "error: process 1: a GPU started before its host said so", "measure", "--executor", "nccl", *SMALL,
                     "--machine", "hgx-h100", "--no-check", "-n", "3", ranks=2)

    def test_one_message_for_all_processes(self):
        cases = (("nccl", 2, "ancient", "process 0: NCCL 2.10.3 is not supported"),
                 ("nccl", 1, "new", "has no GPU of its own"),
                 ("cuda", 0, "new", "process 0: no CUDA device"),
                 ("cuda", 1, "new", "has no GPU of its own"),
                 ("cuda", 2, "new", "process 0: this GPU cannot launch cooperatively"))
        for executor, gpus, nccl, message in cases:
            with self.subTest(executor=executor, message=message):
                self.on(gpus, nccl)
                result = self.run_program("measure", "--executor", executor, *SMALL, "--check-only", ranks=2)
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertEqual(result.stderr.count("error: "), 1, result.stderr)
                self.assertIn(message, result.stderr)


class Multimem(OnStandIns):
    """--multimem, on a switch that is a file in memory: data are really reduced between processes."""
    UNNAMED = ("measure", "--executor", "cuda", "--multimem", "-b", "8", "-e", "32K", "-f", "64")
    OPTIONS = (*UNNAMED, "--machine", "hgx-h100")

    def setUp(self):
        super().setUp()
        if not cli_case.MPIEXEC:
            self.skipTest("needs mpirun")
        self.on(2, "new")
        if "is not built" in self.run_program(*self.OPTIONS, ranks=2).stderr:
            self.skipTest("needs a toolkit of CUDA 12.5")

    def on_switch(self, **variables):
        self.on(2, "new", **{"FAKE_MULTICAST": "yes", "FAKE_COMPUTE_MAJOR": "9", "FAKE_DRIVER_FAILS": "", **variables})

    def test_every_type_and_operator_of_the_switch_is_right(self):
        self.on_switch()
        for dtype, ops in (("float", ("sum",)), ("half", ("sum", "min", "max")),
                           ("bfloat16", ("sum", "min", "max")), ("int32", ("sum", "min", "max"))):
            for op in ops:
                for way in ((), ("--in-place", "--channels", "3")):
                    with self.subTest(dtype=dtype, op=op, way=way):
                        result = self.expect_ok(*self.OPTIONS, "-d", dtype, "--op", op, "--check-only", *way, ranks=2)
                        self.assertIn("all_reduce nvls, protocol simple, cuda executor, 2 ranks", result.stdout)

    def test_samples_have_a_suite_of_their_own(self):
        self.on_switch()
        result = self.expect_ok(*self.OPTIONS, "-n", "3", "-o", "t.h5", ranks=2)
        self.assertIn("2 GPUs, a process each, reduced in the switch (multimem): fake GPU", result.stderr)
        self.assertEqual(self.suite_of("t.h5"), "collective_multimem")
        self.assertIn("name: hgx-h100", self.machine_of("t.h5"))

    def test_samples_need_a_machine_where_nvlinks_are_not_known(self):
        # The driver's list has no links: a machine on PCIe has no switch that reduces.
        self.on_switch()
        result = self.refused(2, "name the machine with --machine", *self.UNNAMED, "-n", "3", "-o", "t.h5", ranks=2)
        self.assertIn("--multimem reduces in the switch of NVLinks, and nothing tells of any here (NVML cannot be loaded: "
                      "power, PCIe and NVLinks are not known;", result.stderr)
        self.assertNotIn("t.h5", self.left())
        self.assertIn("nvls", self.expect_ok(*self.UNNAMED, "--check-only", ranks=2).stdout)

    def test_samples_of_the_cuda_executor_need_gpus_that_are_described(self):
        self.on_switch(driver=False)
        self.refused(2, "name the machine with --machine", *self.UNNAMED, "-n", "3", "-o", "t.h5", ranks=2)
        self.assertNotIn("t.h5", self.left())

    def test_what_the_switch_does_not_do_is_refused_in_one_message(self):
        self.on_switch()
        for options, message in ((("--op", "min"), "no switch reduces float by min"),
                                 (("-a", "ring"), "this is all_reduce by ring"),
                                 (("-c", "all_gather"), "this is all_gather by nvls"),
                                 (("--protocol", "ll"), "multimem has no protocol ll")):
            with self.subTest(options=options):
                self.refused(2, message, *self.OPTIONS, *options, ranks=2)
        self.refused(2, "start it under mpirun", *self.OPTIONS)
        self.refused(2, "add --executor cuda", "measure", "--multimem", ranks=2)

    def test_who_cannot_take_part_says_why(self):
        for variables, message in (({"FAKE_COMPUTE_MAJOR": "8"}, "compute capability 8.0, multimem instructions need"),
                                   ({"FAKE_DRIVER_FAILS": "cuMulticastAddDevice"}, "joined by one NVSwitch fabric"),
                                   ({"FAKE_DRIVER_FAILS": "cuMulticastBindMem"}, "the NVSwitch fabric is up")):
            with self.subTest(variables=variables):
                self.on_switch(**variables)
                self.refused(3, message, *self.OPTIONS, ranks=2)

    def test_when_one_process_fails_all_end_with_its_reason(self):
        # Process 0 makes the object.
        for process, call in ((1, "cuMemCreate"), (0, "cuMulticastCreate"), (1, "cuMulticastAddDevice"),
                              (0, "cuMulticastBindMem"), (1, "cuMemSetAccess")):
            with self.subTest(call=call, process=process):
                self.on_switch(FAKE_DRIVER_FAILS=f"{process} {call}")
                result = self.refused(3, f"error: process {process}: ", *self.OPTIONS, ranks=2)
                self.assertIn(" failed: an error of the fake driver", result.stderr)

    def test_hosts_of_one_domain_pass_fabric_handles(self):
        self.on_switch(FAKE_HOST_BY_RANK="1")
        domain = ("--machine", "gb200-nvl72")
        result = self.expect_ok(*self.UNNAMED, "--check-only", *domain, ranks=2)
        self.assertIn("2 GPUs of several hosts, a process each, reduced in the switch", result.stderr)
        self.on_switch(FAKE_HOST_BY_RANK="1", FAKE_NO_FABRIC="1")
        self.refused(3, "the GPU cannot share memory with other hosts", *self.UNNAMED, *domain, ranks=2)
        # The interpreter between GPUs of several hosts needs the same.
        self.refused(2, "the processes are on several hosts, and the GPU cannot share memory with other hosts",
                     "measure", "--executor", "cuda", *SMALL, ranks=2)

    def test_a_driver_without_multicast_is_named(self):
        self.on(2, "new")
        self.refused(3, "process 0: --multimem is not possible: the CUDA driver has no", *self.OPTIONS, ranks=2)

    def test_a_process_that_does_not_come_is_told_within_the_limit(self):
        self.on_switch(FAKE_MULTICAST="absent 1")
        began = time.monotonic()
        self.refused(3, "stood still for 10 s (CTA 0 waits for the other GPUs before it reduces)",
                     *self.OPTIONS, ranks=2)
        self.assertLess(time.monotonic() - began, 40)


if __name__ == "__main__":
    cli_case.main()
