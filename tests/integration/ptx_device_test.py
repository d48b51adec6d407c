"""The whole program with its CUDA kernels executed, as PTX, on the host (tests/ptx_device).

usage: ptx_device_test.py PROGRAM_ON_PTX MPIEXEC MADE_UP_NVML

What a user of one GPU and of two sees, with real kernels and real data. What it cannot show: how fast
a GPU is, and that a GPU does what PTX says.
"""
import os
import sys

import cli_case
from cli_case import ENVIRONMENT, CliCase

NVML = os.path.abspath(sys.argv.pop(3)) if len(sys.argv) > 3 else ""


class OnPtx(CliCase):
    def setUp(self):
        super().setUp()
        before = dict(ENVIRONMENT)
        self.addCleanup(lambda: (ENVIRONMENT.clear(), ENVIRONMENT.update(before)))
        ENVIRONMENT.update(FABRICAST_PTX_GPUS="2", FABRICAST_PTX_SMS="16", FAKE_MULTICAST="yes")

    def measured(self, *options, ranks=0):
        """The rows of a check of data: (protocol, bytes, wrong elements)."""
        result = self.expect_ok("measure", "--executor", "cuda", "-m", "hgx-h100", "--check-only", "-b", "4K", "-e",
                                "64K", "-f", "16", *options, ranks=ranks)
        rows, protocol = [], ""
        for line in result.stdout.splitlines():
            words = line.split()
            if line.startswith("# ") and "protocol" in words:
                protocol = words[words.index("protocol") + 1].strip(",")
            elif words and words[0].isdigit():
                rows.append((protocol, int(words[0]), int(words[8])))
        return rows

    def test_ctas_of_one_gpu_as_ranks(self):
        rows = self.measured("--ranks", "4", "-c", "all_reduce", "-a", "ring,tree", "--protocol", "all")
        self.assertEqual(len(rows), 2 * 3 * 2, rows)
        self.assertEqual({row[0] for row in rows}, {"simple", "ll", "ll128"})
        self.assertEqual([row for row in rows if row[2] != 0], [])

    def test_two_gpus_by_peer_memory(self):
        rows = self.measured("-c", "all_reduce,send_recv", "-a", "ring,pairwise", "--protocol", "all", ranks=2)
        self.assertEqual({row[0] for row in rows}, {"simple", "ll", "ll128"})
        self.assertEqual([row for row in rows if row[2] != 0], [])

    def test_two_gpus_reduce_in_the_switch(self):
        for dtype in ("float", "half", "bfloat16", "int32"):
            with self.subTest(dtype=dtype):
                rows = self.measured("--multimem", "--channels", "2", "-d", dtype, ranks=2)
                self.assertEqual([row[2] for row in rows], [0, 0])

    def test_suites_write_samples_of_the_device_by_name(self):
        result = self.expect_ok("suites", "launch", "--budget", "2", "-m", "hgx-h100", "-o", "launch.h5")
        self.assertIn("PTX device", result.stderr)
        self.assertIn("launch.h5", self.left())

    def test_a_launch_that_fails_is_not_the_next_ones_fault(self):
        ENVIRONMENT.update(FABRICAST_PTX_SMS="4")  # too few for 8 CTAs together
        result = self.expect_ok("suites", "launch", "--budget", "2", "-m", "hgx-h100", "-o", "launch.h5")
        self.assertIn("cooperative none 8 CTAs 0 B: not measured (launching a micro-benchmark failed: too many blocks",
                      result.stderr)
        self.assertNotIn("launching the gate", result.stderr)

    def test_what_started_before_its_host_was_ready_is_no_measurement(self):
        # The 10 s after which a gate opens by itself are over before the host has launched what it is to hold.
        ENVIRONMENT.update(FABRICAST_PTX_CLOCK="100000", FABRICAST_PTX_LAUNCH_MS="30", FABRICAST_PTX_SMS="32")
        why = "a GPU started before its host said so (the host, or a process that it waited for, was held up"
        self.expect_error(3, why, "--quiet", "measure", "--executor", "cuda", "-m", "hgx-h100", "--ranks", "4", "-c",
                          "all_reduce", "-a", "ring", "-b", "4K", "-e", "4K", "--no-check", "-n", "3", "-o", "t.h5")
        result = self.expect_ok("suites", "launch", "--budget", "2", "-m", "hgx-h100", "-o", "launch.h5")
        self.assertIn(f"cooperative none 8 CTAs 0 B: not measured ({why}", result.stderr)
        self.assertNotIn("| cooperative |", self.expect_ok("suites", "--show", "launch.h5").stdout)

    def test_the_machine_of_suites_is_that_of_collectives_on_many_thread_blocks(self):
        # As scripts/gpu-campaign does. A GPU is described by its driver: here by a made-up NVML.
        os.symlink(NVML, self.path("libnvidia-ml.so.1"))
        ENVIRONMENT.update(FABRICAST_PTX_LIBRARIES=self.path("."), FABRICAST_PTX_SMS="32")
        self.expect_ok("suites", "launch", "--budget", "2", "--machine-file", "machine.yaml", "-o", "launch.h5")
        # Ranks that have a multiprocessor each, and no more.
        self.assertRegex(self.expect_ok("machine", "show", "machine.yaml").stdout, r"^h200-x32: 32 x ")
        self.expect_ok("measure", "--executor", "cuda", "-m", "machine.yaml", "--ranks", "16", "-c", "all_reduce", "-a",
                       "ring", "-b", "4K", "-e", "4K", "--check-only")


if __name__ == "__main__":
    cli_case.main()
