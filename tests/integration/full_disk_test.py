"""R3: disks from 64 KiB up to what the run needs, and file size limits, each smaller than the trace.

On every one: exit 4 within 5 s, a message with path and cause, no signal, nothing published, what was
there before unchanged byte for byte. A disk that fills up in the middle of a run keeps the segments
that were acknowledged, and --resume goes on once there is space.

FABRICAST_DISKS=N tries N sizes of each kind (default 8; 64 in full), FABRICAST_SEED shifts them. Prints
one JSON line. A small disk is a tmpfs in a mount namespace of our own: needs root or user namespaces,
else that part is skipped.
"""
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import time

import cli_case
from cli_case import CliCase, patient

DISKS = int(os.environ.get("FABRICAST_DISKS", "8"))
SEED = int(os.environ.get("FABRICAST_SEED", "1"))
PAGE = os.sysconf("SC_PAGE_SIZE")
SMALLEST = 64 * 1024
WORK = ("emulate", "--machine", "hgx-h100", "-c", "all_reduce,all_gather,reduce_scatter,all_to_all", "-a", "all",
        "-b", "8", "-e", "16G", "-f", "1.2", "--quiet")
FULL, TOO_LARGE = "No space left on device", "File too large"


def in_own_namespace():
    """Starts this program over where it may mount; returns whether this is that place."""
    if os.environ.get("FABRICAST_OWN_MOUNTS"):
        return os.environ["FABRICAST_OWN_MOUNTS"] == "yes"
    unshare = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
    try:
        possible = subprocess.run([*unshare, "sh", "-c", "mount -t tmpfs none /mnt"], check=False,
                                  capture_output=True).returncode == 0
    except OSError:
        possible = False
    os.environ["FABRICAST_OWN_MOUNTS"] = "yes" if possible else "no"
    if possible:
        os.execvp(unshare[0], [*unshare, sys.executable, "-B", os.path.abspath(__file__), *sys.argv[1:]])
    return False


def digest_of_tree(folder):
    found = {}
    for base, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(base, name), "rb") as file:
                found[os.path.relpath(os.path.join(base, name), folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


class FullDisk(CliCase):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("disk"))
        self.wrong = []

    def run_there(self, arguments, segments="1", **options):
        variables = dict(cli_case.ENVIRONMENT, FABRICAST_SEGMENT_SECONDS=segments)
        begin = time.monotonic()
        result = subprocess.run([cli_case.PROGRAM, *arguments], cwd=self.path("disk"), env=variables, check=False,
                                capture_output=True, text=True, timeout=patient(60), **options)
        return result, time.monotonic() - begin

    def judge(self, what, result, seconds, cause, before, name):
        problems = []
        if result.returncode != 4:
            problems.append(f"exit {result.returncode}")
        if seconds > patient(5):
            problems.append(f"{seconds:.1f} s")
        if cause not in result.stderr or name not in result.stderr:
            problems.append("the message misses path or cause")
        after = {name: digest for name, digest in digest_of_tree(self.path("disk")).items()
                 if ".h5.d/" not in name}
        if after != before:
            problems.append(f"other files than before: {sorted(after)}")
        if problems:
            self.wrong.append(f"{what}: {', '.join(problems)}: {result.stderr.strip()}")

    def sizes(self, whole):
        """Page-wise from SMALLEST to just below what is needed."""
        moments = random.Random(SEED)
        step = (whole - SMALLEST) / DISKS
        return sorted({int(SMALLEST + step * (i + moments.random())) // PAGE * PAGE for i in range(DISKS)})

    def whole_size(self):
        result, _ = self.run_there((*WORK, "-o", self.path("whole.h5")), "60")
        self.assertEqual(result.returncode, 0, result.stderr)
        return os.path.getsize(self.path("whole.h5"))

    def mount(self, size):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.path("disk")], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.path("disk")], check=False, capture_output=True)

    def umount(self):
        subprocess.run(["umount", "-l", self.path("disk")], check=True)

    def finish(self, kind, tried):
        print(json.dumps({"id": "R3", "kind": kind, "cases": tried, "seed": SEED, "wrong": len(self.wrong)}),
              flush=True)
        self.assertEqual(self.wrong, [])

    def test_small_disks(self):
        if not in_own_namespace():
            self.skipTest("mounting a small tmpfs needs root or user namespaces")
        whole, tried = self.whole_size(), 0
        self.assertGreater(whole, SMALLEST + DISKS * PAGE // 2)
        for size in self.sizes(whole):
            for segments in ("60", "0.05"):
                for force in (False, True):
                    self.mount(size)
                    self.write("disk/a.h5", "precious")
                    if force:
                        self.write("disk/t.h5", "earlier")
                    before = digest_of_tree(self.path("disk"))
                    result, seconds = self.run_there((*WORK, "-o", "t.h5", *(["--force"] if force else [])), segments)
                    self.judge(f"tmpfs of {size} B", result, seconds, FULL, before, "t.h5")
                    self.umount()
                    tried += 1
        self.finish("tmpfs", tried)

    def test_file_size_limits(self):
        whole, tried = self.whole_size(), 0
        for size in self.sizes(whole):
            self.write("disk/t.h5", "earlier")
            before = digest_of_tree(self.path("disk"))
            result, seconds = self.run_there(
                (*WORK, "-o", "t.h5", "--force"), "60",
                preexec_fn=lambda limit=size: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
            self.judge(f"ulimit -f of {size} B", result, seconds, TOO_LARGE, before, "t.h5")
            tried += 1
        self.finish("ulimit -f", tried)

    def test_a_disk_that_fills_up_in_the_middle(self):
        if not in_own_namespace():
            self.skipTest("mounting a small tmpfs needs root or user namespaces")
        whole = self.whole_size()
        wanted = self.run_there((*WORK, "-o", self.path("again.h5")), "60")[0].stdout.split()[-1]
        tried = kept = 0
        for size in self.sizes(whole):
            self.mount(size)
            result, seconds = self.run_there((*WORK, "-o", "t.h5"), "0")
            self.judge(f"tmpfs of {size} B, segments", result, seconds, FULL, {}, "t.h5")
            if os.path.exists(self.path("disk/t.h5.d")):
                kept += 1
                self.assertEqual(self.run_there(("report", "t.h5.d", "--check"))[0].returncode, 0)
            subprocess.run(["mount", "-o", "remount,size=64m", self.path("disk")], check=True)
            result, _ = self.run_there((*WORK, "-o", "t.h5", "--resume"), "0")
            if result.returncode or result.stdout.split()[-1] != wanted:
                self.wrong.append(f"tmpfs of {size} B, resumed: {result.stderr}")
            self.assertEqual(os.listdir(self.path("disk")), ["t.h5"])
            self.umount()
            tried += 1
        self.assertGreater(kept, 0)
        self.finish("tmpfs, resumed", tried)


if __name__ == "__main__":
    in_own_namespace()
    cli_case.main()
