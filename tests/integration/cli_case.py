"""Runs the fabricast program as a user would, in an empty folder, and checks what it leaves.

Used by the integration tests: `python3 emulate_test.py PROGRAM [MPIEXEC]`. Standard library only.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
MPIEXEC = sys.argv[2] if len(sys.argv) > 2 else ""

# How much slower the program is than in an ordinary build (scripts/dev/coverage, scripts/nightly/sanitizers).
SLOWNESS = max(1.0, float(os.environ.get("FABRICAST_TIMEOUT_FACTOR") or "1"))

ENVIRONMENT = dict(
    os.environ,
    OMPI_ALLOW_RUN_AS_ROOT="1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
    OMPI_MCA_rmaps_base_oversubscribe="1",
    OMPI_MCA_hwloc_base_binding_policy="none",
    OMPI_MCA_pml="ob1",
    OMPI_MCA_btl="self,vader",
    OMPI_MCA_btl_vader_single_copy_mechanism="none",
    OMPI_MCA_mpi_yield_when_idle="1",
)


def patient(seconds):
    """Seconds that the program may take where it takes `seconds` in an ordinary build."""
    return seconds * SLOWNESS


def program_processes(folder):
    """Running fabricast processes whose working directory is the test's."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd") == folder and \
               os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "fabricast":
                found.append(int(pid))
        except OSError:
            continue
    return found


def descendants(pid):
    """All processes below pid, itself left out."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(parent, []).append(int(entry))
    found, stack = [], [pid]
    while stack:
        for child in children.get(stack.pop(), []):
            found.append(child)
            stack.append(child)
    return found


class CliCase(unittest.TestCase):
    """A test in a fresh folder; `left()` lists what the program left there."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def left(self):
        return sorted(os.listdir(self.folder.name))

    def config_of(self, trace):
        """The text of /config, or None where h5py is missing."""
        try:
            import h5py
        except ImportError:
            return None
        with h5py.File(self.path(trace), "r") as file:
            return file["config"][0].decode()

    def sha256_of(self, name):
        with open(self.path(name), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def acknowledged(self, folder):
        """Segments that the manifest names, by file and digest."""
        try:
            with open(self.path(os.path.join(folder, "manifest.json")), encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return {}
        body = text[:text.rindex("fabricast-seal-1")]
        return {s["file"]: s["sha256"] for s in json.loads(body)["segments"]}

    def run_program(self, *arguments, ranks=0, timeout=300):
        command = [PROGRAM, *arguments]
        if ranks:
            command = [MPIEXEC, "-n", str(ranks), *command]
        return subprocess.run(command, cwd=self.folder.name, env=ENVIRONMENT, timeout=patient(timeout),
                              capture_output=True, text=True, check=False)

    def expect_ok(self, *arguments, **options):
        result = self.run_program(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        return result

    def expect_error(self, code, message, *arguments, **options):
        """Exit code, the message once on stderr, nothing new in the folder."""
        before = self.left()
        result = self.run_program(*arguments, **options)
        self.assertEqual(result.returncode, code, (arguments, result.stderr, result.stdout))
        self.assertIn(message, result.stderr, arguments)
        self.assertEqual(result.stderr.count("fabricast: "), 1, result.stderr)
        self.assertEqual(self.left(), before, arguments)
        return result


def main():
    unittest.main(argv=[sys.argv[0]], verbosity=2)
