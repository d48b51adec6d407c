"""emulate: the same digest for every process count, honest rows, and clean refusals."""
import csv
import os
import re

import cli_case
from cli_case import CliCase


def digest_of(output):
    return re.search(r"content_digest ([0-9a-f]{64})", output).group(1)


SMALL = ("-b", "1K", "-e", "64M", "-f", "16", "--quiet")


class Emulate(CliCase):
    def table(self, trace, name):
        text = self.expect_ok("report", trace, "--csv", name).stdout
        return list(csv.DictReader(text.splitlines(keepends=True)))

    def test_digest_does_not_depend_on_the_process_count(self):
        digests = set()
        counts = (0, 1, 2, 3, 4) if cli_case.MPIEXEC else (0,)
        for ranks in counts:
            output = f"np{ranks}.h5"
            result = self.expect_ok("emulate", "--machine", "gb300-nvl72x140", "--collective", "all_reduce",
                                    *SMALL, "-o", output, ranks=ranks)
            digests.add(digest_of(result.stdout))
            self.expect_ok("report", output, "--check")
        self.assertEqual(len(digests), 1)

    def test_folded_and_unfolded_times_are_equal(self):
        tables = []
        for extra in ([], ["--no-fold"]):
            name = f"fold{len(extra)}.h5"
            self.expect_ok("emulate", "--machine", "hgx-h100x1260", "--algorithm", "ring", "--channels", "2",
                           "-b", "1M", "-e", "1M", "--ranks", "128", "--quiet", *extra, "-o", name)
            csv = self.expect_ok("report", name, "--csv").stdout.splitlines()
            column = csv[0].split(",").index("time_ps")
            tables.append([line.split(",")[column] for line in csv[1:]])
        self.assertEqual(tables[0], tables[1])

    def test_composed_machines_and_changed_numbers_are_stored(self):
        times = []
        for number, value in enumerate(("1", "64")):  # 16 nodes leave most uplinks of a leaf idle
            name = f"set{number}.h5"
            self.expect_ok("emulate", "--machine", "hgx-h100x16@roce-400", "--set", f"fabric.oversubscription={value}",
                           "-c", "all_to_all", "-b", "1G", "-e", "1G", "--quiet", "-o", name)
            self.expect_ok("report", name, "--check")
            times.append(int(self.table(name, "/results")[0]["time_ps"]))
        self.assertGreater(times[1], times[0])

    def test_without_measurements_the_measured_share_is_zero(self):
        self.expect_ok("emulate", "--machine", "gb300-nvl72", "--collective", "all", *SMALL, "-o", "t.h5")
        csv = self.expect_ok("report", "t.h5", "--csv").stdout.splitlines()
        share = csv[0].split(",").index("measured_share")
        self.assertGreater(len(csv), 10)
        for line in csv[1:]:
            self.assertEqual(float(line.split(",")[share]), 0.0)

    def test_nccl_is_asked_what_it_would_take(self):
        sweep = ("-c", "all_reduce,all_gather", "-b", "1K", "-e", "1G", "-f", "1024")
        auto = ("-a", "auto", "--quiet", "-o", "t.h5", "--force")
        for machine in ("hgx-h100", "hgx-h100x4"):
            said = self.expect_ok("emulate", "-m", machine, *sweep, *auto).stdout
            self.assertIn("the library's own choice per size", said)
            self.expect_ok("report", "t.h5", "--check")
            self.assertIn("# choice of NCCL 2.28.9", self.expect_ok("report", "t.h5").stdout)
            rows = self.table("t.h5", "/results")
            chosen = self.table("t.h5", "/library_choice")
            explained = [line.split() for line in self.expect_ok("explain", "-m", machine, *sweep).stdout.splitlines()
                         if line.strip()[:1].isdigit()]
            self.assertEqual(len(rows), len(explained))
            for row, choice, line in zip(rows, chosen, explained):
                at = 2 if row["collective"] == "all_gather" else 1  # bytes per rank come first
                name, protocol, channels, threads = line[at:at + 4]
                self.assertEqual([choice["choice"], row["protocol"], row["channels"], choice["threads"]],
                                 [name, protocol.lower(), channels, threads])
                self.assertGreater(float(choice["closed_us"]), 0)
        forced = self.expect_ok("emulate", "-m", "hgx-h100x4", "-b", "1G", "-e", "1G", "--quiet", "-o", "t.h5", "--force",
                                "--set", "NCCL_ALGO=ring", "--nccl-version", "2.21").stdout
        self.assertIn("choice of NCCL 2.21.5 NCCL_ALGO=ring", forced)
        self.assertIn("what-if", forced)
        self.assertEqual(self.table("t.h5", "/results")[0]["algorithm"], "ring")
        point = ("-b", "1M", "-e", "1M", "-o", "u.h5")
        self.expect_error(2, "--set NCCL_MAX_NCHANNELS=4", "emulate", "-m", "hgx-h100", "-a", "auto", "--channels", "4", *point)
        self.expect_error(2, "run rccl", "emulate", "-m", "mi300x-8", "-a", "auto", *point)
        self.expect_error(2, "use -a auto", "emulate", "-m", "hgx-h100", "-a", "ring", "--set", "NCCL_ALGO=ring", *point)
        self.expect_error(2, "2.50 is not known", "emulate", "-m", "hgx-h100", "--nccl-version", "2.50", *point)

    def test_rows_where_the_closed_model_lies_outside_the_interval_are_marked(self):
        self.expect_ok("emulate", "-m", "gb200-nvl72", "-a", "auto", "-c", "all_reduce,send_recv", "-b", "1K", "-e", "4G", "-f", "16",
                       "--quiet", "-o", "t.h5")
        text = self.expect_ok("report", "t.h5").stdout
        expected = []
        for row, choice in zip(self.table("t.h5", "/results"), self.table("t.h5", "/library_choice")):
            expected.append(not float(row["low_us"]) <= float(choice["closed_us"]) <= float(row["high_us"]))
        below = [line.split() for line in text.splitlines() if line.startswith("# ") and line.split()[1].isdigit() and len(line.split()) == 12]
        self.assertEqual([words[10].endswith("!") for words in below], expected)
        self.assertEqual(set(expected), {True, False})
        self.assertIn(f"{sum(expected)} rows with !", text)

    def test_a_pair_of_a_mesh_that_is_one_pipe_here_is_said(self):
        point = ("-b", "1G", "-e", "1G", "-o", "t.h5", "--force")
        self.assertIn("in reality all_to_all", self.expect_ok("emulate", "-m", "hgx-a100-4", "-c", "send_recv", *point).stderr)
        self.assertNotIn("in reality", self.expect_ok("emulate", "-m", "hgx-a100-4", "-c", "all_reduce", *point).stderr)
        self.assertNotIn("in reality", self.expect_ok("emulate", "-m", "hgx-h100", "-c", "send_recv", *point).stderr)

    def test_what_stands_below_the_rows_is_of_the_rows_shown(self):
        sweep = ("-c", "all_reduce,all_gather", "-b", "1M", "-e", "4M", "--quiet", "--force", "-o", "t.h5")
        below = lambda *more: [line for line in self.expect_ok("report", "t.h5", *more).stdout.splitlines()
                               if line.startswith("# ") and line.split()[1].isdigit()]
        self.expect_ok("emulate", "-m", "hgx-h100x2", "-a", "auto", *sweep)
        self.assertEqual(len(below()), 6)
        self.assertEqual([line.split()[2] for line in below("-c", "all_gather")], ["all_gather"] * 3)
        self.expect_ok("emulate", "-m", "hgx-h100x2", "-a", "ring,tree", "--jitter", "lognormal:0.1", "--members", "20", *sweep)
        self.assertEqual([len(below()), len(below("-c", "all_gather")), len(below("-a", "tree")), len(below("--best"))],
                         [9, 3, 3, 6])

    def test_machines_of_other_libraries_say_whose_costs_they_have(self):
        note = "costs of NCCL's are used; library rccl is not modelled"
        said = self.expect_ok("emulate", "-m", "mi300x-8", "-b", "1M", "-e", "1G", "-f", "32", "-o", "t.h5", "--quiet").stdout
        self.assertEqual(said.count(note), 1)
        self.assertEqual(self.expect_ok("report", "t.h5").stdout.count(note), 1)
        plain = self.expect_ok("emulate", "-m", "hgx-h100", "-b", "1M", "-e", "1M", "-o", "u.h5", "--quiet").stdout
        self.assertNotIn("is not modelled", plain)

    def test_reduction_in_the_network_is_a_what_if(self):
        point = ("-b", "16M", "-e", "16M", "--quiet", "-o", "t.h5", "--force")
        said = self.expect_ok("emulate", "-m", "hgx-h100x4", "-a", "collnet_direct,nvls_sharp", *point).stdout
        self.assertIn("NCCL_COLLNET_ENABLE=1", said)
        self.expect_ok("report", "t.h5", "--check")
        self.expect_error(2, "SHARP", "emulate", "-m", "hgx-h100x4@roce-400", "-a", "collnet_direct", *point)
        said = self.expect_ok("emulate", "-m", "hgx-h100x4", "-a", "auto", "--set", "NCCL_COLLNET_ENABLE=1",
                              "--set", "NCCL_ALGO=collnetdirect", *point).stdout
        self.assertIn("CollNetDirect", said)

    def test_algorithm_files_are_predicted_as_they_are(self):
        self.expect_ok("schedule", "export", "ring", "--ranks", "8", "-o", "ring.xml")
        sweep = ("-b", "64K", "-e", "64K", "-a", "ring.xml,ring", "--channels", "1")
        self.expect_ok("emulate", "--machine", "hgx-h100", *sweep, "--protocol", "simple", "-o", "a.h5")
        self.expect_ok("report", "a.h5", "--check")
        table = self.expect_ok("report", "a.h5", "--csv").stdout.splitlines()
        names = table[0].split(",")
        rows = [dict(zip(names, line.split(","))) for line in table[1:]]
        self.assertEqual([row["algorithm"] for row in rows], ["ring", "file:ring"])
        self.assertEqual(rows[0]["time_us"], rows[1]["time_us"])  # the same schedule
        config = self.config_of("a.h5")
        if config is not None:
            digest = self.sha256_of("ring.xml")
            self.assertIn(f'name: "file:ring", file: "ring.xml", sha256: "{digest}"', config)
        # As many ranks as the file has.
        emulate = ("emulate", "-a", "ring.xml", "-b", "1M", "-e", "1M", "-o", "b.h5")
        self.expect_error(2, "--ranks 8", *emulate, "--machine", "gb300-nvl72")
        self.expect_error(2, "--ranks 4: ring.xml", *emulate, "--machine", "hgx-h100", "--ranks", "4")
        self.expect_error(2, "--channels 3: ring.xml", *emulate, "--machine", "hgx-h100", "--channels", "3")
        self.expect_error(2, "--protocol ll: ring.xml", *emulate, "--machine", "hgx-h100", "--protocol", "ll")
        self.expect_error(2, "--slices 2: ring.xml", *emulate, "--machine", "hgx-h100", "--slices", "2")
        self.expect_error(2, "-c all_gather: ring.xml", *emulate, "--machine", "hgx-h100", "-c", "all_gather")
        self.expect_ok(*emulate, "--machine", "gb300-nvl72", "--ranks", "8")
        if cli_case.MPIEXEC:
            both = [self.expect_ok(*emulate, "--machine", "hgx-h100", "--force", ranks=n).stdout.split()[-1]
                    for n in (1, 3)]
            self.assertEqual(both[0], both[1])

    def test_the_interpreter_between_gpus_refuses_what_it_does_not_run(self):
        for ranks in ("8", "16"):
            self.expect_ok("schedule", "export", "ring", "--ranks", ranks, "-o", f"r{ranks}.xml")
        point = ("--executor", "peers", "-b", "1M", "-e", "1M", "-o", "t.h5")
        # Files are no way around what is refused of the catalogue.
        self.expect_error(2, "which no file describes", "emulate", "-m", "hgx-h100", "-a", "r8.xml", "--protocol", "multimem", *point)
        self.expect_error(2, "has no network", "emulate", "-m", "hgx-h100x2", "-a", "r16.xml", *point)
        self.expect_error(2, "PCIe may split a line", "emulate", "-m", "h100-pcie", "-a", "r8.xml", "--protocol", "ll128", *point)
        self.expect_error(2, "between all pairs", "emulate", "-m", "dgx-1-v100", "-a", "ring", "--protocol", "ll128", *point)
        for executor in ("cuda", "peers"):
            self.expect_error(2, "no NVIDIA GPU", "emulate", "-m", "mi300x-8", "-a", "ring", "--executor", executor, "-b", "1M",
                              "-e", "1M", "-o", "t.h5")
        # The switch's own all-reduce has no slots, and nothing that is cut into slices.
        switch = ("emulate", "-m", "hgx-h100", "-a", "nvls", "--protocol", "multimem", *point)
        for words in (("--slots", "4"), ("--slices", "2")):
            self.expect_error(2, f"{words[0]} is not for --protocol multimem", *switch, *words)
        self.expect_ok(*switch)

    def test_the_switch_between_gpus_has_lanes_and_links(self):
        """What acts on lanes and links acts on the switch's own all-reduce, under both engines."""
        def times(*words, first="1M", last="1G"):
            self.expect_ok("emulate", "-m", "hgx-h100", "--executor", "peers", "-a", "nvls", "--protocol", "multimem", "--channels", "64",
                           "-b", first, "-e", last, "-f", "32", "-o", "t.h5", "--force", *words)
            self.expect_ok("report", "t.h5", "--check")
            return [int(row["time_ps"]) for row in self.table("t.h5", "/results")]
        usual = times()
        self.assertAlmostEqual(times("--slow", "rack=0:x3")[-1] / usual[-1], 3, delta=0.01)
        self.assertGreater(times("--slow", "rank=3:x3")[0], usual[0] + 2e6)
        self.assertAlmostEqual(times("--slow", "rank=3:x3")[-1] / usual[-1], 1, delta=0.01)
        self.assertEqual(times("--jitter", "lognormal:0.1"), usual)  # time_ps is without jitter
        ensembles = self.table("t.h5", "/ensemble")
        self.assertEqual(len(ensembles), len(usual))
        for row in ensembles:
            self.assertGreater(float(row["p99_us"]), 1.001 * float(row["p50_us"]))
        for flow, sweep in zip(times("--engine", "flow"), usual):
            self.assertAlmostEqual(flow / sweep, 1, delta=1e-6)
        # The same bytes on links: of a message smaller than a line for each thread block, too.
        for size in ("4", "1000", "1M"):
            told = []
            for engine in ("sweep", "flow"):
                times("--engine", engine, first=size, last=size)
                told.append([row["bound_us"] for row in self.table("t.h5", "/results")] + self.table("t.h5", "/links"))
            self.assertEqual(*told, size)
        slow = times("--slow", "rack=0:x3", "--engine", "flow")
        for flow, sweep in zip(slow, times("--slow", "rack=0:x3")):
            self.assertAlmostEqual(flow / sweep, 1, delta=1e-6)

    def test_what_differs_from_the_machine_and_from_nccl_is_said_below_the_rows(self):
        point = ("-c", "all_reduce", "-b", "1M", "-e", "1M", "--force", "-o", "t.h5")
        plain = self.expect_ok("emulate", "-m", "hgx-h100x2", "-a", "ring", *point).stdout
        self.assertNotIn("# what-if", plain)
        self.assertNotIn("not NCCL's", plain)
        changed = self.expect_ok("emulate", "-m", "hgx-h100x2", "-a", "ring,hierarchical", *point, "--slow", "nic=3:x2",
                                 "--set", "fabric.oversubscription=2").stdout
        said = "# what-if: set fabric.oversubscription=2; slow nic=3:x2\n"
        self.assertIn(said, changed)
        for more in ((), ("--best",), ("--why", "0"), ("--cost",)):
            self.assertIn(said, self.expect_ok("report", "t.h5", *more).stdout, more)
        rows = self.table("t.h5", "/results")
        self.assertEqual({row["what_if"] for row in rows}, {said.strip().removeprefix("# what-if: ")})
        self.expect_ok("report", "t.h5", "--plot", "t.html", "--force")
        with open(self.path("t.html"), encoding="utf-8") as file:
            self.assertIn("what-if: set fabric.oversubscription=2; slow nic=3:x2", file.read())
        self.expect_ok("report", "t.h5", "--check")
        self.assertIn("# not NCCL's here: hierarchical ", changed)
        note = [line for line in changed.splitlines() if line.startswith("# not NCCL's")]
        for shown in ((), ("-a", "hierarchical")):
            self.assertEqual([line for line in self.expect_ok("report", "t.h5", *shown).stdout.splitlines()
                              if line.startswith("# not NCCL's")], note)
        self.assertNotIn("not NCCL's", self.expect_ok("report", "t.h5", "-a", "ring").stdout)
        best = ("-a", "ring,hierarchical", *point, "--slow", "nic=3:x2")
        said = self.expect_ok("emulate", "-m", "hgx-h100x2", *best, "--best").stdout
        self.assertEqual(note[0] in said, note[0] in self.expect_ok("report", "t.h5", "--best").stdout)

    def test_a_machine_of_cores_is_predicted_with_its_own_executor(self):
        self.expect_ok("machine", "discover", "-o", "here.yaml")
        result = self.expect_ok("emulate", "-m", "./here.yaml", "-c", "all_reduce", "-a", "ring", "-b", "1K", "-e", "1K",
                                "-o", "t.h5")
        self.assertIn("executor host", result.stdout)

    def test_pictures_are_what_their_names_say(self):
        self.expect_error(2, "pictures are SVG or HTML", "machine", "draw", "hgx-h100", "-o", "a.png")
        self.expect_error(2, "pictures are SVG or HTML", "schedule", "show", "ring", "--ranks", "4", "-o", "a.pdf")
        self.expect_ok("machine", "draw", "hgx-h100", "-o", "a.html")
        self.expect_ok("machine", "draw", "hgx-h100", "-o", "a.svg")
        with open(self.path("a.html"), encoding="utf-8") as page, open(self.path("a.svg"), encoding="utf-8") as picture:
            text, svg = page.read(), picture.read()
        self.assertTrue(text.startswith("<!DOCTYPE html>"))
        self.assertIn(svg[svg.index("<svg"):].rstrip(), text)

    def test_bad_input_is_refused_with_one_message_and_nothing_is_left(self):
        emulate = ("emulate", "--machine", "gb300-nvl72", "-o", "t.h5")
        cases = [
            (2, 'did you mean "gb300-nvl72"', ("emulate", "--machine", "gb300-nvl27", "-o", "t.h5")),
            (2, 'did you mean "all_reduce"', (*emulate, "--collective", "all_redcue")),
            (2, 'did you mean "ring"', (*emulate, "--algorithm", "rign")),
            (2, "two domains", (*emulate, "--algorithm", "hierarchical")),
            (2, "all_to_all has no protocol", (*emulate, "-c", "all_to_all", "--protocol", "ll128", "--quiet")),
            (2, "-b", (*emulate, "-b", "2M", "-e", "1M")),
            (2, '-b: "zero"', (*emulate, "-b", "zero")),
            (2, "-f", (*emulate, "-f", "nan")),
            (2, "--ranks -5", (*emulate, "--ranks=-5")),
            (2, "--ranks 1:", (*emulate, "--ranks", "1")),
            (2, "-a: no name", (*emulate, "-a", ",")),
            (2, "-a: no name", (*emulate, "-a", "")),
            (2, "-c: no name", (*emulate, "-c", ",")),
            (2, "needs -o", ("emulate", "--machine", "gb300-nvl72")),
            (2, "--help", ("emulate", "--machine", "gb300-nvl72", "--wat")),
            (4, "no/such/folder", ("emulate", "--machine", "gb300-nvl72", "-o", "no/such/folder/t.h5")),
            (4, "directory", ("emulate", "--machine", "gb300-nvl72", "-o", ".")),
        ]
        for code, message, arguments in cases:
            with self.subTest(arguments):
                self.expect_error(code, message, *arguments)

    def test_bad_machines_name_file_and_place(self):
        good = "name: tiny\n"
        shipped = os.path.join(os.path.dirname(__file__), "../../topologies/machines/gb300-nvl72.yaml")
        with open(shipped, encoding="utf-8") as file:
            whole = file.read()
        cases = {
            "empty.yaml": (b"", "empty"),
            "binary.yaml": (b"\x00\x01\x02\xff", "binary.yaml"),
            "truncated.yaml": (b"name: [tiny", "truncated.yaml"),
            "duplicate.yaml": ((good + good).encode(), "duplicate"),
            "unknown.yaml": ((whole + "wat: 1\n").encode(), "wat"),
        }
        for name, (content, message) in cases.items():
            with self.subTest(name):
                self.write(name, content)
                self.expect_error(2, message, "emulate", "--machine", name, "-o", "t.h5")

    def test_exchanges_of_too_many_steps_are_left_out(self):
        uneven = ("emulate", "-m", "gb300-nvl72x140", "--set", "fabric.tiers=3", "--set", "count=3473",
                  "-b", "1G", "-e", "1G", "-o", "t.h5")
        said = self.expect_error(2, "the machine does not repeat", *uneven, "-c", "all_to_all", "-a", "grouped").stderr
        self.assertIn("--ranks 248832 has equal pods", said)
        result = self.expect_ok(*uneven, "-c", "all_to_all,all_gather", "-a", "grouped,hierarchical")
        self.assertIn("grouped all_to_all would be", result.stderr)
        self.assertIn("hierarchical", result.stdout)

    def test_a_pairwise_exchange_needs_no_machine_that_repeats(self):
        result = self.expect_ok("emulate", "-m", "hgx-h100x1260", "-c", "all_to_all", "-a", "pairwise", "-b", "64M", "-e", "64M",
                                "--stats", "-o", "t.h5")
        self.assertIn("a pairwise exchange in closed form", result.stdout)

    def test_an_existing_trace_changes_only_with_force(self):
        self.write("t.h5", "precious")
        arguments = ("emulate", "--machine", "gb300-nvl72", *SMALL, "-o", "t.h5")
        self.expect_error(4, "--force", *arguments)
        with open(self.path("t.h5"), "rb") as file:
            self.assertEqual(file.read(), b"precious")
        self.expect_ok(*arguments, "--force")
        self.expect_ok("report", "t.h5", "--check")

    def test_errors_under_mpirun_are_said_once(self):
        if not cli_case.MPIEXEC:
            self.skipTest("no mpirun")
        result = self.run_program("emulate", "--machine", "nope", "-o", "t.h5", ranks=3)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stderr.count("unknown machine"), 1, result.stderr)
        result = self.run_program("emulate", "--machine", "gb300-nvl72", "-b", "2M", "-e", "1M", "-o", "t.h5",
                                  ranks=2)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    cli_case.main()
