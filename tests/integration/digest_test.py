"""R11: content digests over process counts, repetitions and builds (golden ones).

The golden part (tests/golden/digests.json) is checked by every build, so that Debug, Release and sanitizer builds are compared with
each other. Where a change of the format, of a prior or of the model is meant to move results, renew the file with any build and say in
the commit what moved:

    python3 -B tests/integration/digest_test.py build/test/bin/fabricast --renew

FABRICAST_CAMPAIGN=full: every process count and five times, else a part. Prints a JSON line. No golden digests but on x86-64.
"""
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import unittest

RENEW = "--renew" in sys.argv
sys.argv = [argument for argument in sys.argv if argument != "--renew"]

import cli_case  # it reads the arguments
from cli_case import CliCase

FULL = os.environ.get("FABRICAST_CAMPAIGN") == "full"
HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "../golden/digests.json")
MSCCL = os.path.join(HERE, "../golden/msccl/allreduce_pairs_4.xml")
SWEEP = ("-b", "1K", "-e", "64M", "-f", "256")
SYNTHETIC = ("-c", "all_reduce,all_gather", "-b", "1K", "-e", "64M", "-f", "16")


def emulate(machine, *arguments):
    return ("emulate", "-m", machine, *arguments, "-o", "emulated.h5")


def calibrated(machine, *arguments):
    """Samples from the synthetic machine, the fit, and a prediction that uses it."""
    return (("measure", "--synthetic", machine, *SYNTHETIC, *arguments, "-o", "samples.h5"),
            ("calibrate", "samples.h5", "-o", "profile.h5"),
            emulate(machine, "-c", "all_reduce", "-a", "all", *SWEEP, "--profile", "profile.h5"))


# Commands by name; the digests of all that print one count.
CASES = {
    "every collective, steps": (emulate("gb300-nvl72", "-c", "all", "-a", "all", *SWEEP, "--trace", "steps"),),
    "protocols, summary": tuple(emulate("hgx-h100", "--protocol", protocol, *SWEEP, "--trace", "summary")
                                for protocol in ("ll", "ll128", "simple")),
    "trees and blocks across racks": (emulate("gb300-nvl72x140", "-c", "all_reduce", "-a", "tree,hierarchical",
                                              *SWEEP),),
    "unfolded, 200 ranks": (emulate("hgx-h100x1260", "-c", "all_reduce,all_to_all", "-a", "ring,pairwise",
                                    "--ranks", "200", "--no-fold", "-b", "1M", "-e", "1M"),),
    "classes and a window": (emulate("gb200-nvl72", "-a", "ring", "-b", "1M", "-e", "1M", "--trace", "steps",
                                     "--trace-window", "10us:20us"),),
    "the cost of our own kernels": (emulate("hgx-h100", "--executor", "cuda", *SWEEP),),
    "an algorithm file": (emulate("hgx-h100", "-a", "pairs.xml", "--ranks", "4", *SWEEP),),
    "synthetic, seed 1": calibrated("hgx-h100", "--seed", "1"),
    "synthetic, seed 2, outliers": calibrated("gb300-nvl72", "--seed", "2", "--outliers", "0.05"),
}
# These run under mpirun too, always; the others in the full campaign.
MPI_CASES = ("every collective, steps", "unfolded, 200 ranks")


class Digest(CliCase):
    def digests(self, commands, ranks=0):
        """What the commands print; only the last runs under mpirun."""
        found = []
        shutil.copy(MSCCL, self.path("pairs.xml"))  # its name is part of the scenario, its folder too
        for number, command in enumerate(commands):
            last = number + 1 == len(commands)
            output = self.expect_ok(*command, "--force", "--quiet", ranks=ranks if last else 0).stdout
            found += re.findall(r"content_digest ([0-9a-f]{64})", output)
        self.assertGreater(len(found), 0, commands)
        return found

    @unittest.skipUnless(platform.machine() == "x86_64", "the golden digests are those of x86-64")
    def test_every_build_reaches_the_golden_digests(self):
        with open(GOLDEN, encoding="utf-8") as file:
            golden = json.load(file)
        self.assertEqual(sorted(golden), sorted(CASES), "renew tests/golden/digests.json")
        wrong = []
        for name, commands in CASES.items():
            with self.subTest(name):
                found = self.digests(commands)
                wrong += [] if found == golden[name] else [name]
                self.assertEqual(found, golden[name])
        print(json.dumps({"id": "R11", "golden_digests": sum(map(len, golden.values())),
                          "digest_differs": len(wrong)}), flush=True)

    def test_process_counts_and_repetitions_reach_the_same_digest(self):
        counts = ((0, 1, 2, 4, 8) if FULL else (2, 3)) if cli_case.MPIEXEC else (0,)
        repetitions = 5 if FULL else 1
        runs = differs = 0
        for name in MPI_CASES if not FULL else CASES:
            first = self.digests(CASES[name])
            for ranks in counts * repetitions:
                found = self.digests(CASES[name], ranks=ranks)
                runs, differs = runs + 1, differs + (found != first)
                self.assertEqual(found, first, (name, ranks))
        print(json.dumps({"id": "R11", "process_counts": list(counts), "runs": runs, "digest_differs": differs}),
              flush=True)

    def test_another_seed_is_another_digest(self):
        """So that equal digests say something."""
        one, two = (self.digests(calibrated("hgx-h100", "--seed", seed)) for seed in "12")
        self.assertNotEqual(one, two)


def renew():
    digest = Digest()
    golden = {}
    for name, commands in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            digest.folder = type("Folder", (), {"name": folder})
            golden[name] = digest.digests(commands)
    with open(GOLDEN, "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    if RENEW:
        renew()
    else:
        cli_case.main()
