"""R15: starts without GPU libraries, network, HOME, a writable folder, or standard streams.

What cannot be printed is exit code 4, and never ends up in a file. Prints one JSON line.
"""
import json
import os
import subprocess

import cli_case
from cli_case import CliCase, patient

SHORT = ("emulate", "--machine", "hgx-h100", "-c", "all_reduce", "-a", "ring", "-b", "1K", "-e", "1M", "-f", "4")
GPU_LIBRARIES = ("libcuda.so", "libnccl", "libnvidia-ml", "libcudart")


def possible(command):
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


class BareStart(CliCase):
    cases = 0
    wrong = []
    skipped = []

    @classmethod
    def tearDownClass(cls):
        print(json.dumps({"id": "R15", "cases": cls.cases, "wrong": len(cls.wrong), "skipped": cls.skipped}),
              flush=True)

    def commands(self):
        """What must work anywhere; the trace goes to a folder that may be written."""
        trace = self.path("t.h5")
        return (("--help",), ("--version",), ("machine", "check", "hgx-h100"), ("machine", "list"),
                (*SHORT, "--force", "-o", trace), ("report", trace), ("report", trace, "--check"),
                ("measure", "--executor", "host", "-c", "all_reduce", "-a", "ring", "-e", "1K", "-n", "3"))

    def expect(self, condition, what):
        BareStart.cases += 1
        if not condition:
            BareStart.wrong.append(what)
        self.assertTrue(condition, what)

    def start(self, arguments, before=(), **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("env", cli_case.ENVIRONMENT)
        options.setdefault("cwd", self.folder.name)
        return subprocess.run([*before, cli_case.PROGRAM, *arguments], text=True, timeout=patient(120), check=False, **options)

    def all_work(self, what, **options):
        for arguments in self.commands():
            result = self.start(arguments, **options)
            self.expect(result.returncode == 0, f"{what}: {arguments}: {result.returncode} {result.stderr}")

    def skip(self, what):
        BareStart.skipped.append(what)
        self.skipTest(what)

    def test_no_gpu_library_is_needed(self):
        linked = subprocess.run(["ldd", cli_case.PROGRAM], capture_output=True, text=True, check=True).stdout
        for library in GPU_LIBRARIES:
            self.expect(library not in linked, linked)
        self.all_work("as it is")

    def test_without_network(self):
        unshare = ["unshare", "-n"] if os.getuid() == 0 else ["unshare", "-rn"]
        if not possible([*unshare, "true"]):
            self.skip("network namespaces are not permitted here")
        self.all_work("no network", before=unshare)

    def test_without_home_or_environment(self):
        self.all_work("no HOME", env={k: v for k, v in cli_case.ENVIRONMENT.items() if k != "HOME"})
        self.all_work("HOME missing", env=dict(cli_case.ENVIRONMENT, HOME="/nonexistent"))
        kept = {k: v for k, v in cli_case.ENVIRONMENT.items() if k.startswith(("OMPI_", "LD_", "ASAN_"))}
        self.all_work("empty environment", env=kept)

    def test_in_a_folder_that_cannot_be_written(self):
        self.all_work("in /proc", cwd="/proc/self/fdinfo" if os.path.isdir("/proc/self/fdinfo") else "/proc")
        result = self.start((*SHORT, "-o", "t.h5"), cwd="/proc")
        self.expect(result.returncode == 4 and "t.h5" in result.stderr, result.stderr)

    def closing(self, *descriptors):
        return lambda: [os.close(fd) for fd in descriptors]

    def test_without_standard_streams(self):
        trace = self.path("t.h5")
        emulate = (*SHORT, "--force", "-o", trace)
        for closed in ((0,), (2,), (0, 2)):
            result = self.start(emulate, preexec_fn=self.closing(*closed))
            self.expect(result.returncode == 0, f"{closed} closed: {result.returncode} {result.stderr}")
            self.expect(self.start(("report", trace, "--check")).returncode == 0, f"{closed} closed")
        for closed in ((1,), (0, 1), (0, 1, 2)):
            for arguments in self.commands():
                result = self.start(arguments, preexec_fn=self.closing(*closed))
                self.expect(result.returncode == 4, f"{closed} closed: {arguments}: {result}")
                if 2 not in closed:
                    self.expect("standard output" in result.stderr, result.stderr)
            self.expect(self.start(("report", trace, "--check")).returncode == 0, f"{closed} closed")

    def test_a_full_disk_behind_standard_output(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            for arguments in (*self.commands(), ("schedule", "list"), ("schedule", "export", "ring", "--ranks", "32"),
                              ("machine", "show", "hgx-h100"), ("verify", "ring", "--ranks", "8")):
                result = self.start(arguments, stdout=full)
                self.expect(result.returncode == 4, f"{arguments}: {result.returncode} {result.stderr}")
                self.expect("standard output" in result.stderr, result.stderr)
                self.expect(result.stderr.count("error: ") == 1, result.stderr)

    def test_a_full_disk_behind_standard_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.all_work("full stderr", stderr=full)


if __name__ == "__main__":
    cli_case.main()
