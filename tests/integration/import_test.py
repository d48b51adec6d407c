"""nccl-tests logs become samples, and samples a profile that predicts other scales.

The logs of the end-to-end tests are made from a known machine (the synthetic one), so that what
calibration should find is known: times of the fastest algorithm and protocol, as a library that
chose them would have printed them.
"""
import csv
import io
import json
import math
import os
import statistics

import cli_case
from cli_case import CliCase

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "nccl-tests")
MACHINES = os.path.join(GOLDEN, "..", "..", "..", "topologies", "machines")
MACHINE = "hgx-h100x1260"
SIZES = ("-b", "8", "-e", "1G", "-f", "4")
FACTOR = {"all_reduce": lambda n: 2 * (n - 1) / n, "all_gather": lambda n: (n - 1) / n}


def golden(name):
    return os.path.join(GOLDEN, name)


def printed(value, width):
    """As nccl-tests prints a number: two decimals while they fit."""
    digits = len(str(int(value))) if value >= 1 else 0
    return f"{value:{width}.2f}" if digits < width - 2 else f"{value:{width}.1f}"


def log_of(collective, times, ranks):
    """nccl-tests' text for these times (us) by size."""
    text = f"# Collective test starting: {collective}_perf\n"
    text += "# nThread 1 nGpus 1 minBytes 8 maxBytes 1073741824 step: 4(factor) warmup iters: 1 iters: 20 " \
            "agg iters: 1 validation: 1 graph: 0\n#\n# Using devices\n"
    for rank in range(ranks):
        text += f"#  Rank {rank:2d} Group  0 Pid {rank + 100:6d} on     node-{rank // 8} device {rank % 8:2d} " \
                "[0000:19:00] NVIDIA H100 80GB HBM3\n"
    text += "NCCL version 2.28.9+cuda13.0\n#\n" \
            "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   " \
            "algbw   busbw #wrong\n"
    for size, time in sorted(times.items()):
        row = f"{size:12d}  {size // 4:12d}     float     sum      -1"
        for _ in range(2):
            rate = size / time * 1e-3
            row += f"  {printed(time, 7)}  {printed(rate, 6)}  {printed(rate * FACTOR[collective](ranks), 6)}      0"
        text += row + "\n"
    return text + "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 1.0 \n#\n"


class Import(CliCase):
    def test_logs_of_two_reductions_are_not_paired(self):
        log = log_of("all_reduce", {1 << n: 20.0 + n for n in range(10, 20)}, 16)
        self.write("sum.log", log)
        self.write("max.log", log.replace("  sum  ", "  max  "))
        for name in ("sum", "max"):
            self.expect_ok("import", name + ".log", "-m", MACHINE, "-o", name + ".h5")
            self.expect_ok("report", name + ".h5", "--check")
        result = self.run_program("compare", "sum.h5", "max.h5")
        self.assertEqual(result.returncode, 1)
        self.assertIn("the nearest rows differ in reduction (sum, max)", result.stdout)
        # Of one file they are two conditions, not repeats.
        self.assertIn("40 samples under 40 conditions",
                      self.expect_ok("import", "sum.log", "max.log", "-m", MACHINE).stdout)

    def test_one_log_is_judged_against_one_under_a_stated_noise(self):
        times = {1 << n: 20.0 + (1 << n) / 5e4 for n in range(10, 26)}
        for name, factor in (("mon", 1), ("tue", 1.01), ("wed", 1.25)):
            self.write(name + ".log", log_of("all_reduce", {size: t * factor for size, t in times.items()}, 16))
            self.expect_ok("import", name + ".log", "-m", MACHINE, "-o", name + ".h5")
        unsaid = self.run_program("compare", "mon.h5", "tue.h5")
        self.assertEqual(unsaid.returncode, 1)
        self.assertIn("or --run-noise, for the means of single logs", unsaid.stdout)
        self.assertTrue(unsaid.stdout.splitlines()[-1].startswith("not ok: "), unsaid.stdout)
        same = self.expect_ok("compare", "mon.h5", "tue.h5", "--run-noise", "2")
        self.assertTrue(same.stdout.splitlines()[-1].startswith("ok: none of 32 rows"), same.stdout)
        self.assertIn("one base: the noise from run to run is what --run-noise says", same.stdout)
        slower = self.run_program("compare", "mon.h5", "wed.h5", "--run-noise", "2")
        self.assertEqual(slower.returncode, 1)
        self.assertTrue(slower.stdout.splitlines()[-1].startswith("regression: 32 of 32 rows"), slower.stdout)
        self.expect_ok("compare", "mon.h5", "wed.h5", "--run-noise", "8")  # that much may be noise
        self.expect_ok("compare", "mon.h5", "wed.h5", "tue.h5", "--run-noise", "2")

    def test_the_same_log_is_no_second_measurement(self):
        log = log_of("all_reduce", {1 << n: 20.0 + n for n in range(10, 20)}, 16)
        for name in ("a.log", "b.log"):
            self.write(name, log)
        self.expect_error(2, "b.log is the same log as a.log (equal SHA-256", "import", "a.log", "b.log", "-m", MACHINE, "-o", "s.h5")
        for name in ("a", "b"):
            self.expect_ok("import", name + ".log", "-m", MACHINE, "-o", name + ".h5")
        self.expect_error(2, "b.h5 has samples of the log a.log", "calibrate", "a.h5", "b.h5", "-o", "p.h5")
        self.expect_ok("calibrate", "a.h5", "-o", "p.h5")

    def test_every_layout_is_read(self):
        for name, rows, refused in [("all_reduce-2.17.log", 28, 0), ("two-runs.log", 50, 3),
                                    ("all_reduce-2.13-mpirun-tags.log", 16, 0), ("all_reduce-2.0-srun-crlf.log", 8, 0),
                                    ("all_reduce-1.x.log", 8, 0), ("broadcast-2.18-per-iteration.log", 10, 1),
                                    ("alltoall-odd-rows.log", 4, 3), ("all_reduce-tuning.log", 8, 0),
                                    ("reduce_scatter.json", 16, 1)]:
            printed_text = self.expect_ok("import", golden(name)).stdout
            self.assertIn(f"\n{rows} samples", printed_text, name)
            self.assertEqual(printed_text.count(": refused: "), refused, printed_text)

    def test_a_fit_that_misses_its_points_is_called_worth_little(self):
        sizes = [1 << n for n in range(10, 29)]
        for name, times in (("smooth", {n: 20 + n / 200e3 for n in sizes}),
                            ("torn", {n: (20 + n / 200e3) * (40 if i % 2 else 1) for i, n in enumerate(sizes)})):
            self.write(f"{name}.log", log_of("all_reduce", times, 8))
            self.expect_ok("import", f"{name}.log", "--machine", "hgx-h100", "-o", f"{name}.h5")
            told = self.expect_ok("calibrate", f"{name}.h5").stderr
            self.assertEqual("worth little" in told, name == "torn", told)

    def test_validate_replaces_files_with_force_only_and_says_so_before_it_fits(self):
        self.write("points.csv", "mine")
        self.expect_error(4, "points.csv", "validate", "--data", "no-such-folder", "--csv", "points.csv")
        with open(self.path("points.csv"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")

    def test_validate_that_judged_nothing_has_failed(self):
        os.mkdir(self.path("tables"))
        self.write("tables/index.csv", "file,system,gpu,gpus_total,nodes,collective\na.csv,S,Abacus 9,8,1,all_reduce\n")
        self.write("tables/a.csv", "size_bytes,time_us\n1024,20\n")
        self.expect_error(2, 'no table was judged (all 1 were skipped, the last, a.csv, because: the GPU "Abacus 9"', "validate", "--data", "tables")

    def test_validate_judges_what_emulate_prints(self):
        tables = os.path.join(GOLDEN, "..", "published")
        self.expect_ok("validate", "--data", tables, "--discipline", "engine", "--csv", "points.csv")
        with open(self.path("points.csv"), encoding="utf-8") as file:
            points = [row for row in csv.DictReader(file)]
        self.assertEqual({row["discipline"] for row in points}, {"engine"})
        large = [abs(math.log(float(row["predicted_us"]) / float(row["measured_us"]))) for row in points if float(row["size_bytes"]) >= 1 << 28]
        self.assertGreater(len(large), 5)
        self.assertLess(statistics.median(large), 0.15)

    def test_samples_are_in_the_form_of_measure(self):
        text = self.expect_ok("import", golden("two-runs.log"), golden("reduce_scatter.json"), "--machine", MACHINE,
                              "-o", "s.h5").stdout
        self.assertIn("two-runs.log:74: refused: size 0 moves nothing", text)
        self.assertIn("NCCL_ALGO=Ring", text)
        self.expect_ok("report", "s.h5", "--check")
        self.expect_ok("calibrate", "s.h5", "--executor", "nccl", "-m", MACHINE, "-o", "p.h5")
        self.expect_ok("report", "p.h5", "--check")
        try:
            import h5py
        except ImportError:
            return
        digest = self.sha256_of(golden("two-runs.log")).encode()
        for name in ("s.h5", "p.h5"):  # where a number was read travels with it
            with h5py.File(self.path(name), "r") as file:
                self.assertEqual(len(file["sample_sources/line"]), len(file["samples/value"]))
                self.assertEqual(file["sample_sources/sha256"][0], digest)
                self.assertEqual(set(file["sample_conditions/executor"][:]), {b"nccl"})

    def test_a_cut_log_loses_its_last_line_and_says_so(self):
        with open(golden("all_reduce-2.17.log"), "rb") as file:
            whole = file.read()
        end = whole.rindex(b"# Out of bounds")
        self.write("all_reduce.log", whole[:end - 20])
        text = self.expect_ok("import", "all_reduce.log").stdout
        self.assertIn("all_reduce.log:31: refused: the file ends in the middle of this line", text)
        self.assertIn("26 samples", text)

    def test_refusals(self):
        log = golden("all_reduce-2.17.log")
        self.expect_error(2, "import needs FILE", "import")
        self.expect_error(4, "nowhere.log", "import", "nowhere.log")
        self.expect_error(2, "--machine", "import", log, "-o", "s.h5")
        self.expect_error(2, "holds no evidence", "import", golden("two-runs.log"), "-m", "hgx-h100")
        self.expect_error(2, "holds no evidence", "import", log, "-m", "gb300-nvl72")
        self.expect_error(2, "holds no evidence", "import", log, "-c", "broadcast")
        self.expect_error(2, "did you mean", "import", log, "-c", "al_reduce")
        self.write("empty.log", "nothing here\n")
        self.expect_error(2, "no run of nccl-tests", "import", "empty.log")
        self.write("other.json", "{\"a\": 1}")
        self.expect_error(2, "no list \"results\"", "import", "other.json")
        self.expect_ok("import", log, "-m", MACHINE, "-o", "s.h5")
        self.expect_error(4, "s.h5", "import", log, "-m", MACHINE, "-o", "s.h5")
        self.expect_ok("import", log, "-m", MACHINE, "-o", "s.h5", "--force")

    def test_a_topology_file_without_links_is_explained_as_what_it_is(self):
        dump = self.expect_ok("explain", "--machine", "hgx-h100", "--xml").stdout
        self.assertIn("<nvlink ", dump)
        slots = "".join(line for line in dump.splitlines(True) if "<nvlink " not in line)
        for name, text in (("dump.xml", dump), ("slots.xml", slots)):
            self.write(name, text)
            said = self.expect_ok("explain", "--nccl-xml", name, "-b", "1M", "-e", "1M").stdout
            self.assertEqual("lists no NVLinks" in said, name == "slots.xml", said)

    def test_nodes_of_several_kinds_have_no_file_of_one_node(self):
        self.expect_error(2, "the nodes are of several kinds", "machine", "export", "gb300-gb200x140", "--as", "nccl")
        first = self.expect_ok("machine", "export", "gb300-gb200x140", "--as", "nccl", "--ranks", "72").stdout
        self.assertEqual(first.count("<gpu "), 72)

    def test_overrides_that_have_no_model(self):
        with open(golden("all_reduce-2.17.log"), encoding="utf-8") as file:
            log = file.read()
        self.write("tree.log", "NCCL_ALGO=NVLSTree ./all_reduce_perf -g 8\n" + log)
        self.expect_ok("import", "tree.log", "-m", MACHINE, "-o", "tree.h5")
        self.expect_error(2, "nvls_tree", "calibrate", "tree.h5")
        with open(os.path.join(MACHINES, "hgx-h100.yaml"), encoding="utf-8") as file:
            plain = file.read().replace("value: yes", "value: no").replace("name: hgx-h100", "name: plain")
        self.write("plain.yaml", plain)
        for name, settings in [("free", "NCCL_ALGO=NVLS"), ("set", "NCCL_ALGO=NVLS NCCL_PROTO=Simple")]:
            self.write(f"{name}.log", f"{settings} ./all_reduce_perf -g 8\n" + log)
            self.expect_ok("import", f"{name}.log", "-m", "plain.yaml", "-o", f"{name}.h5")
            self.expect_error(2, "has no such algorithm", "calibrate", f"{name}.h5")
        # Trees between domains, on one: no such run can have been. It is not left out in silence.
        self.expect_ok("import", "tree.log", golden("all_reduce-2.17.log"), "-m", MACHINE, "-o", "both.h5")
        self.expect_error(2, "nvls_tree, protocol auto, on 8 ranks", "calibrate", "both.h5")

    # ---- "here is my log from 2 nodes, predict 64"

    CHANGED = ("--set", "nic.efficiency=x0.6", "--set", "net.step.simple=x2", "--set", "net.step.ll=x2",
               "--set", "nvlink.step.ll=x1.5")

    def truth(self, ranks, collective, algorithm, protocol="all"):
        """Times by size of the changed machine, of the fastest of what may be chosen."""
        text = self.expect_ok("measure", "--synthetic", MACHINE, "--ranks", str(ranks), "-c", collective,
                              "-a", algorithm, "--protocol", protocol, *SIZES, "-n", "3", "--noise", "0.004",
                              "--outliers", "0", *self.CHANGED, "--json", "--quiet").stdout
        times = {}
        for row in json.loads(text)["results"]:
            size, time = row["size"], row["time"]
            times[size] = min(time, times.get(size, math.inf))
        return times

    def truth_of_choice(self, ranks):
        """All_reduce times by size of the changed machine, as NCCL chooses for each size."""
        self.expect_ok("emulate", "-m", MACHINE, "--ranks", str(ranks), "-c", "all_reduce", "-a", "auto", *SIZES, "-o", "choice.h5",
                       "--force", "--quiet")
        times = {}
        for row in csv.DictReader(io.StringIO(self.expect_ok("report", "choice.h5", "--csv").stdout)):
            text = self.expect_ok("measure", "--synthetic", MACHINE, "--ranks", str(ranks), "-c", "all_reduce", "-a", row["algorithm"],
                                  "--protocol", row["protocol"], "--channels", row["channels"], "-b", row["bytes"], "-e", row["bytes"],
                                  "-n", "3", "--noise", "0.004", "--outliers", "0", *self.CHANGED, "--json", "--quiet").stdout
            result, = json.loads(text)["results"]
            times[result["size"]] = result["time"]
        return times

    def predicted(self, machine, ranks, profile, trace, algorithm="ring,tree"):
        self.expect_ok("emulate", "--machine", machine, "--ranks", str(ranks), "-c", "all_reduce", "-a", algorithm,
                       *SIZES, "--profile", profile, "-o", trace, "--quiet")
        rows = {}
        for row in csv.DictReader(io.StringIO(self.expect_ok("report", trace, "--csv").stdout)):
            size = int(row["bytes"])
            if size not in rows or float(row["time_us"]) < float(rows[size]["time_us"]):
                rows[size] = row
        return rows

    @staticmethod
    def error(rows, times):
        return statistics.median(abs(math.log(float(rows[s]["time_us"]) / times[s])) for s in times)

    def fitted(self, *logs):
        """The lines of the parameters that calibration prints, as words."""
        self.write("two-nodes.log", "".join(logs))
        self.expect_ok("import", "two-nodes.log", "--machine", MACHINE, "-o", "s.h5")
        text = self.expect_ok("calibrate", "s.h5", "-o", "p.h5").stdout
        self.assertIn("held out", text)
        return {line.split()[0]: line.split() for line in text.splitlines() if line.startswith("  ")}

    def test_runs_with_overrides_give_the_parameters_back(self):
        runs = []
        for protocol, nccl in (("ll", "LL"), ("ll128", "LL128"), ("simple", "Simple")):
            runs.append(f"mpirun -np 16 -x NCCL_ALGO=Ring -x NCCL_PROTO={nccl} ./build/all_reduce_perf -b 8 -e 1G\n")
            runs.append(log_of("all_reduce", self.truth(16, "all_reduce", "ring", protocol), 16))
        parameters = self.fitted(*runs)
        for name, factor, tolerance in [("nic.efficiency", 0.6, 0.03), ("net.step.ll", 2, 0.15), ("net.step.simple", 2, 0.15)]:
            _, _, prior, _, value, _, identified, origin = parameters[name][:8]
            self.assertLess(abs(math.log(float(value) / (factor * float(prior)))), tolerance, parameters[name])
            self.assertEqual((identified, origin), ("identified", "measured"), parameters[name])
        # Nothing of two nodes says what the trunks between leaves do.
        self.assertEqual(parameters["leaf_uplink.efficiency"][6], "prior")
        self.assertLess(self.error(self.predicted(MACHINE, 512, "p.h5", "e.h5"), self.truth(512, "all_reduce", "ring,tree")), 0.06)

    def test_two_nodes_predict_sixty_four(self):
        near, far = self.truth_of_choice(16), self.truth_of_choice(512)
        self.fitted(log_of("all_reduce", near, 16), log_of("all_gather", self.truth(16, "all_gather", "ring"), 16))
        rows = self.predicted(MACHINE, 512, "p.h5", "e.h5", "auto")
        self.assertEqual({row["label"] for row in rows.values()}, {"extrapolated"})
        self.assertLess(self.error(rows, far), 0.1)
        # Inside what the log covers, nothing is extrapolated.
        rows = self.predicted(MACHINE, 16, "p.h5", "near.h5", "auto")
        self.assertEqual({r["label"] for r in rows.values()}, {"calibrated"})
        self.assertLess(self.error(rows, near), 0.03)
        # A machine of another name gets what a rule carries.
        with open(os.path.join(MACHINES, MACHINE + ".yaml"), encoding="utf-8") as file:
            self.write("bigger.yaml", file.read().replace(f"name: {MACHINE}", "name: bigger"))
        other = self.predicted("bigger.yaml", 512, "p.h5", "other.h5")
        self.assertEqual({row["label"] for row in other.values()}, {"extrapolated"})
        self.assertIn("same-fabric", self.expect_ok("report", "other.h5", "--why", "10").stdout)


if __name__ == "__main__":
    cli_case.main()
