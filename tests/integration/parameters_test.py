"""R8: every documented number of a machine file and of the command line, doubled, changes the results.

What cannot change them in a run is named by that run, and no other number is. Prints one JSON line.
"""
import json
import re

import cli_case
from cli_case import CliCase

# Every key of docs/machines.md, on a machine where each one matters: several leaves, groups and pods.
NESTED = """name: tiny
title: 16 boxes of two GPUs under three tiers
kind: nested
node:
  kind: single_node
  gpus: [2, assumed, chosen]
  gpu:
    name: B300
    generation: blackwell
    hbm: [288 GB, assumed, chosen]
    hbm_bandwidth: [8 TB/s, assumed, chosen]
    bf16: [2500 TFLOPS, assumed, chosen]
    fp8: [5000 TFLOPS, assumed, chosen]
    power: [1400 W, assumed, chosen]
  interconnect:
    kind: nvlink
    bandwidth: [900 GB/s, assumed, chosen]
    latency: [150 ns, assumed, chosen]
    in_network_reduction: [yes, assumed, chosen]
  channels: [16, assumed, chosen]
count: [16, assumed, chosen]
channels: [8, assumed, chosen]
fabric:
  kind: rail_fat_tree
  name: roce
  nic:
    bandwidth: [400 Gbit/s, assumed, chosen]
    latency: [2.8 us, assumed, chosen]
    per_node: [1, assumed, chosen]
  tiers: [3, assumed, chosen]
  rails: [1, assumed, chosen]
  radix: [8, assumed, chosen]
  oversubscription: [1, assumed, chosen]
  core_oversubscription: [2, assumed, chosen]
  hop_latency: [0.45 us, assumed, chosen]
  domains_per_leaf: [2, assumed, chosen]
"""
RACK = """name: rack
title: six trays of four
kind: nvl_rack
trays: [6, assumed, chosen]
gpus_per_tray: [4, assumed, chosen]
gpu:
  name: B200
  generation: blackwell
  hbm: [186 GB, assumed, chosen]
interconnect:
  kind: nvlink
  bandwidth: [900 GB/s, assumed, chosen]
  latency: [150 ns, assumed, chosen]
channels: [16, assumed, chosen]
"""
HOST = """name: box
title: four lanes
kind: host
lanes: [4, assumed, chosen]
processor:
  name: cpu
  memory: [8 GB, assumed, chosen]
  llc: [32 MB, assumed, chosen]
interconnect:
  kind: shared_memory
  bandwidth: [10 GB/s, assumed, chosen]
  latency: [100 ns, assumed, chosen]
channels: [1, assumed, chosen]
"""
# Twice as many is not possible here; another number is.
INSTEAD = {"tiers": ("3", "2"), "rails": ("1", "2"), "domains_per_leaf": ("2", "1"),
           "in_network_reduction": ("yes", "no")}
# More rails than NICs are refused: with two per node both can be tried.
WIDE = NESTED.replace("per_node: [1,", "per_node: [2,")
# Some messages are small, some large.
SIZES = ("-b", "64K", "-e", "1G", "-f", "16384")
# Options whose number must show in the rows: around it, the option, the number and another one.
OPTIONS = (
    (["-e", "64K"], "-b", "1K", "2K"), (["-b", "1K"], "-e", "64K", "128K"), (["-b", "1K", "-e", "1M"], "-f", "4", "8"),
    (SIZES, "--ranks", "8", "16"), (SIZES, "--channels", "2", "4"), (["-b", "1G", "-e", "1G"], "--slices", "1", "2"),
)
# The same of samples drawn for a machine, which `measure` prints.
SYNTHETIC = ("measure", "-c", "all_reduce", "-a", "ring", "--synthetic", "gb300-nvl72",
             "-b", "1G", "-e", "1G", "--quiet")
DRAWN = (("--noise", "0.01", "0.02"), ("--outliers", "0.1", "0.4"), ("--seed", "1", "2"), ("-n", "3", "6"),
         ("--set", "nvlink.efficiency=0.4", "nvlink.efficiency=0.8"))


class Parameters(CliCase):
    tried = named = 0

    @classmethod
    def tearDownClass(cls):
        print(json.dumps({"id": "R8", "parameters": cls.tried, "named_as_unused": cls.named}), flush=True)

    def rows(self, machine, *arguments):
        """The table of an emulation of the file, without the trace's digest, and what it named as unused."""
        self.write("m.yaml", machine)
        result = self.run_program("emulate", "-m", "m.yaml", "-c", "all", "-a", "all", "-o", "o.h5", "--force", *arguments)
        if result.returncode != 0:
            return None, result.stderr
        table = [line for line in result.stdout.splitlines() if not line.startswith("# trace")]
        named = re.search(r"no row depends on these numbers of the machine: (.*)", result.stderr)
        return table, named.group(1).split(", ") if named else []

    @staticmethod
    def numbers(machine):
        """(line, key with its path, line with another number) of each number."""
        path = []
        for index, line in enumerate(machine.splitlines()):
            found = re.match(r"( *)(\w+):(?: \[([^ ,]+)(.*))?", line)
            path = path[:len(found.group(1)) // 2] + [found.group(2)]
            if found.group(3) is None:
                continue
            old, new = INSTEAD.get(found.group(2), (found.group(3), None))
            if new is None:
                new = f"{2 * float(old):g}"
            yield index, ".".join(path), line.replace(f"[{old}", f"[{new}", 1)

    def each_number(self, machine, *arguments):
        """Names of those that change nothing; fails where a run says otherwise."""
        before, unused = self.rows(machine, *SIZES, *arguments)
        self.assertIsNotNone(before, unused)
        for index, key, line in self.numbers(machine):
            with self.subTest(key=key, line=line, arguments=arguments):
                type(self).tried += 1
                lines = machine.splitlines()
                lines[index] = line
                after, why = self.rows("\n".join(lines) + "\n", *SIZES, *arguments)
                if after is None:  # refused: certainly not ignored, but then by its name
                    self.assertIn(key.split(".")[-1], why)
                    continue
                listed = any(key == name or key.startswith(name + ".") for name in unused)
                type(self).named += listed
                self.assertEqual(after == before, listed, f"{key}: unused are {unused}")

    def test_every_key_of_a_nested_machine(self):
        self.each_number(NESTED)

    def test_rails_and_nics(self):
        before, _ = self.rows(WIDE, *SIZES)
        for other in (WIDE.replace("rails: [1,", "rails: [2,"), NESTED):
            after, why = self.rows(other, *SIZES)
            self.assertIsNotNone(after, why)
            self.assertFalse(before == after)

    def test_every_key_of_a_rack(self):
        self.each_number(RACK)

    def test_every_key_of_a_host(self):
        self.each_number(HOST, "--executor", "host")
        self.each_number(HOST, "--executor", "mpi")

    def test_ranks_of_one_node_need_no_fabric(self):
        _, unused = self.rows(NESTED, *SIZES, "--ranks", "2")
        for key in ("count", "channels", "fabric"):
            self.assertIn(key, unused)
        before, _ = self.rows(NESTED, *SIZES, "--ranks", "2")
        after, why = self.rows(NESTED.replace("2.8 us", "5.6 us"), *SIZES, "--ranks", "2")
        self.assertTrue(before == after, why)

    def test_one_leaf_has_no_uplinks(self):
        small = NESTED.replace("count: [16,", "count: [2,")
        before, unused = self.rows(small, *SIZES)
        for key, old, new in (("oversubscription", "oversubscription: [1,", "oversubscription: [2,"),
                              ("hop_latency", "[0.45 us", "[0.9 us"),
                              ("core_oversubscription", "core_oversubscription: [2,", "core_oversubscription: [4,")):
            self.assertIn("fabric." + key, unused)
            after, why = self.rows(small.replace(old, new), *SIZES)
            self.assertTrue(before == after, (key, why))

    def test_numbers_of_the_command_line(self):
        for around, option, one, other in OPTIONS:
            with self.subTest(option=option):
                type(self).tried += 1
                first, why = self.rows(NESTED, *around, option, one)
                second, why_not = self.rows(NESTED, *around, option, other)
                self.assertIsNotNone(first, why)
                self.assertIsNotNone(second, why_not)
                self.assertFalse(first == second, f"{option} {one} and {other} print the same rows")
        for option, one, other in DRAWN:
            with self.subTest(option=option):
                type(self).tried += 1
                tables = [self.expect_ok(*SYNTHETIC, option, value).stdout for value in (one, other)]
                self.assertFalse(tables[0] == tables[1], f"{option} {one} and {other} print the same rows")


if __name__ == "__main__":
    cli_case.main()
