"""scripts/bundle: what it packs runs with nothing of this system's but the C library.

usage: bundle_test.py PROGRAM MPIEXEC BUNDLE_SCRIPT
"""
import os
import re
import shutil
import subprocess
import sys
import unittest

import cli_case
from cli_case import CliCase, ENVIRONMENT, PROGRAM

SCRIPT = os.path.abspath(sys.argv.pop(3)) if len(sys.argv) > 3 else ""
BUILD = os.path.dirname(os.path.dirname(PROGRAM))
C_LIBRARY = re.compile(r"/(ld-linux[^/]*|lib(c|m|dl|rt|pthread|util|resolv|nss_\w+))\.so[^/]*$")


class Bundle(CliCase):
    def bundle(self, *arguments):
        return subprocess.run([SCRIPT, *arguments], cwd=self.folder.name, env=ENVIRONMENT, timeout=300,
                              capture_output=True, text=True, check=False)

    def test_refusals(self):
        for arguments, named in (((), "FILE.tar.gz"), (("there.zip",), "there.zip"), (("a.tar.gz", "b.tar.gz"), "b.tar.gz"),
                                 (("a.tar.gz", "--arch"), "--arch"), (("a.tar.gz", "--arch", "hopper"), "hopper"),
                                 (("nowhere/a.tar.gz",), "nowhere"), (("a.tar.gz", "--arch", "90", "--build", BUILD), "--arch"), (("a.tar.gz", "--build", "."), "bin/fabricast")):
            with self.subTest(arguments=arguments):
                result = self.bundle(*arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(named, result.stderr)
        self.assertEqual(self.bundle("--help").returncode, 0)
        self.assertEqual(self.left(), [])

    def test_a_tree_without_git_and_without_ompi_info_is_bundled(self):
        tree = os.path.dirname(os.path.dirname(SCRIPT))
        for name in ("scripts", "topologies", "docs", "bench/suites", "LICENSE", "README.md"):
            copy = shutil.copytree if os.path.isdir(os.path.join(tree, name)) else shutil.copy
            os.makedirs(os.path.dirname(self.path(f"tree/{name}")), exist_ok=True)
            copy(os.path.join(tree, name), self.path(f"tree/{name}"))
        os.mkdir(self.path("path"))
        self.write("path/ompi_info", "#!/bin/sh\nexit 1\n")
        os.chmod(self.path("path/ompi_info"), 0o755)
        environment = dict(ENVIRONMENT, PATH=f"{self.path('path')}:{os.environ['PATH']}", GIT_CEILING_DIRECTORIES="/")
        result = subprocess.run([self.path("tree/scripts/bundle"), "t.tar.gz", "--build", BUILD, "--program-only"],
                                cwd=self.folder.name, env=environment, timeout=300, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("the bundle has no mpirun" if cli_case.MPIEXEC else "t.tar.gz", result.stderr)
        source = subprocess.run(["tar", "xzOf", self.path("t.tar.gz"), "t/source.txt"], capture_output=True, text=True, check=True)
        self.assertIn("not a git checkout", source.stdout)

    def unpacked(self):
        result = self.bundle("moved.tar.gz", "--build", BUILD)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.left(), ["moved.tar.gz"])
        subprocess.run(["tar", "xzf", "moved.tar.gz"], cwd=self.folder.name, check=True)
        return self.path("moved")

    def in_bundle(self, *command):
        """Runs a command of the bundle; the libraries that its processes loaded, plugins too."""
        debug = self.path("loaded")
        environment = {"PATH": "/usr/bin:/bin", "LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": debug,
                       **{name: value for name, value in ENVIRONMENT.items() if name.startswith("OMPI_")}}
        result = subprocess.run(command, cwd=self.folder.name, env=environment, timeout=300, capture_output=True,
                                text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        loaded = set()
        for name in os.listdir(self.folder.name):
            if not name.startswith("loaded."):
                continue
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            os.remove(self.path(name))
            paths = set(re.findall(r"calling init: (/\S+)", text))
            if any("/moved/" in path for path in paths):  # not the shell of mpirun
                loaded |= paths
        return loaded

    def assert_own(self, loaded, root):
        root = os.path.realpath(root)
        strangers = [path for path in loaded
                     if not os.path.realpath(path).startswith(root + "/") and not C_LIBRARY.search(path)]
        self.assertEqual(strangers, [], "\n".join(strangers))

    def test_runs_with_its_own_libraries_and_machine_files(self):
        root = self.unpacked()
        for name in ("bin/fabricast", "scripts/gpu-campaign", "source.txt", "share/fabricast/machines", "share/fabricast/fabrics"):
            self.assertTrue(os.path.exists(os.path.join(root, name)), name)
        program = os.path.join(root, "bin/fabricast")
        loaded = self.in_bundle(program, "emulate", "-m", "hgx-a100", "-c", "all_reduce", "-b", "1M", "-e", "1M", "-o", "rows.h5")
        self.assertTrue(any("libhdf5" in path for path in loaded), loaded)
        self.assert_own(loaded, root)

        mpirun = os.path.join(root, "bin/mpirun")
        if os.path.exists(mpirun):
            loaded = self.in_bundle(mpirun, "-n", "2", program, "measure", "--executor", "mpi", "-c", "all_reduce", "-b", "1K",
                                    "-e", "1K", "--check-only")
            self.assertTrue(any("/lib/openmpi/mca_" in path for path in loaded), loaded)
            self.assert_own(loaded, root)

        # The campaign takes the bundle's own program, which no compiler is needed for.
        result = subprocess.run([os.path.join(root, "scripts/gpu-campaign"), "1", "--dry", "--into", self.path("into")],
                                cwd=self.folder.name, env=dict(ENVIRONMENT, FABRICAST_ENABLE_CUDA="OFF"), timeout=60,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"using the build in {root}", result.stderr)
        self.assertIn("step suite-hand_off", result.stdout)


if __name__ == "__main__":
    cli_case.main()
