"""The perturbation test by hand (the synthetic machine): halve one measured quantity and exactly
the rows that depend on it move, by what the forward model predicts."""
import csv
import io
import math
import re

import cli_case
from cli_case import CliCase

MACHINE = "hgx-h100"
SWEEP = ("-b", "1K", "-e", "1G", "-f", "8")


class Calibrate(CliCase):
    def chain(self, name, *settings):
        """measure --synthetic -> calibrate -> emulate; the result rows by (collective, ..., bytes)."""
        self.expect_ok("measure", "--synthetic", MACHINE, "-c", "all_reduce,all_gather,reduce_scatter", *SWEEP,
                       "--noise", "0.002", *settings, "-o", f"{name}-samples.h5", "--quiet")
        printed = self.expect_ok("calibrate", f"{name}-samples.h5", "-o", f"{name}-profile.h5").stdout
        self.assertIn("held out", printed)
        self.expect_ok("emulate", "--machine", MACHINE, "-c", "all_reduce", "-a", "ring", "--protocol", "simple",
                       "-b", "1K", "-e", "4G", "-f", "4", "--profile", f"{name}-profile.h5", "-o", f"{name}.h5", "--quiet")
        self.expect_ok("report", f"{name}.h5", "--check")
        text = self.expect_ok("report", f"{name}.h5", "--csv").stdout
        return {int(row["bytes"]): row for row in csv.DictReader(io.StringIO(text))}

    def test_halving_the_link_efficiency_moves_what_it_limits(self):
        before = self.chain("before")
        after = self.chain("after", "--set", "nvlink.efficiency=x0.5")
        smallest, largest = min(before), max(before)
        ratio = {size: float(after[size]["time_us"]) / float(before[size]["time_us"]) for size in before}
        # Latency-bound: nothing of the link's rate is on the path. Rate-bound: time nearly doubles.
        self.assertLess(abs(math.log(ratio[smallest])), 0.03)
        self.assertGreater(ratio[largest], 1.7)
        self.assertLess(ratio[largest], 2.05)
        for size, row in before.items():
            self.assertGreater(float(row["measured_share"]), 0.0, size)
            self.assertLess(float(row["low_us"]), float(row["high_us"]))

    def test_synthetic_samples_can_never_be_taken_for_a_measurement(self):
        self.expect_ok("measure", "--synthetic", MACHINE, *SWEEP, "-o", "s.h5", "--quiet")
        self.expect_ok("report", "s.h5", "--check")
        text = self.expect_ok("measure", "--synthetic", MACHINE, *SWEEP, "-o", "t.h5").stderr
        self.assertIn("synthetic", text)
        self.assertIn("SYNTHETIC", self.expect_ok("calibrate", "s.h5", "-o", "p.h5").stdout)
        self.expect_ok("report", "p.h5", "--check")
        self.expect_ok("emulate", "--machine", MACHINE, "-a", "ring", "-b", "1G", "-e", "1G", "--profile", "p.h5", "-o", "e.h5")
        self.assertIn("SYNTHETIC", self.expect_ok("report", "e.h5", "--why", "0").stdout)

    def test_a_profile_of_another_machine_is_refused_or_carried_with_a_name(self):
        self.expect_ok("measure", "--synthetic", MACHINE, *SWEEP, "-o", "s.h5", "--quiet")
        self.expect_ok("calibrate", "s.h5", "-o", "p.h5")
        self.expect_ok("emulate", "--machine", "hgx-h100x1260", "-c", "all_reduce", "-a", "ring", "-b", "1M", "-e", "1M",
                       "--profile", "p.h5", "-o", "t.h5", "--quiet")
        why = self.expect_ok("report", "t.h5", "--why", "0").stdout
        self.assertIn("extrapolated", why)
        self.assertIn("carried by rule", why)
        self.assertIn("SYNTHETIC", why)

    def rows(self, output):
        text = self.expect_ok("report", output, "--csv").stdout
        return {(row["protocol"], int(row["bytes"])): row for row in csv.DictReader(io.StringIO(text))}

    def test_lines_of_the_interpreter_are_fitted_and_move_their_own_rows(self):
        """Samples under every protocol; halving what only LL has moves LL's rows and no others."""
        found = {}
        for name, setting in (("whole", "cuda.line_ratio.ll=x1"), ("half", "cuda.line_ratio.ll=x0.5")):
            self.expect_ok("measure", "--synthetic", MACHINE, "--executor", "cuda", "--protocol", "all", "-c", "all_reduce",
                           "-a", "ring,tree", "--channels", "1", *SWEEP, "--noise", "0.002", "--set", setting, "-o", f"{name}-lines.h5", "--quiet")
            printed = self.expect_ok("calibrate", f"{name}-lines.h5", "-o", f"{name}-fit.h5").stdout
            self.assertRegex(printed, r"cuda\.line_ratio\.ll .* (identified|weak) ")
            for protocol in ("ll", "ll128", "simple"):
                self.expect_ok("emulate", "-m", MACHINE, "--executor", "cuda", "-c", "all_reduce", "-a", "ring", "--channels", "1", "--protocol", protocol,
                               *SWEEP, "--profile", f"{name}-fit.h5", "-o", f"{name}-{protocol}.h5", "--quiet")
                found.setdefault(name, {}).update(self.rows(f"{name}-{protocol}.h5"))
        largest = max(size for _, size in found["whole"])
        moved = 0
        for (protocol, size), row in found["whole"].items():
            ratio = float(found["half"][protocol, size]["time_us"]) / float(row["time_us"])
            if protocol != "ll":
                self.assertLess(abs(ratio - 1), 0.02, (protocol, size))
            elif size == largest:
                self.assertGreater(ratio, 1.5)
                moved += 1
        self.assertEqual(moved, 1)

    def test_the_interpreter_between_gpus_is_measured_fitted_and_predicted(self):
        model = ("--synthetic", MACHINE, "--executor", "peers", "--noise", "0.005", "--quiet")
        for name, arguments in (("p2p", ("-c", "send_recv,broadcast,reduce", "-a", "direct,ring", "--channels", "1")),
                                ("wide", ("-c", "send_recv", "--channels", "16")),
                                ("switch", ("-c", "all_reduce", "-a", "nvls", "--channels", "16")),
                                ("one", ("-c", "all_reduce", "-a", "nvls", "--channels", "1")),
                                ("others", ("-c", "all_reduce,all_gather", "-a", "ring", "--channels", "4"))):
            protocol = "multimem" if name in ("switch", "one") else "all"
            self.expect_ok("measure", *model, *arguments, "--protocol", protocol, *SWEEP, "-o", f"{name}.h5")
            self.expect_ok("report", f"{name}.h5", "--check")
        printed = self.expect_ok("calibrate", "p2p.h5", "wide.h5", "switch.h5", "one.h5", "--executor", "peers",
                                 "--against", "others.h5", "-o", "peers.h5").stdout
        self.assertIn("SYNTHETIC", printed)
        overall = re.search(r"^all +(\d+) +([\d.]+) % +([\d.]+) %", printed, re.M)
        self.assertGreater(int(overall.group(1)), 30)
        self.assertLess(float(overall.group(2)), 5)
        self.assertLess(float(overall.group(3)), 15)
        for parameter in ("peer.launch", "peer.nvlink.handoff.ll", "peer.nvlink.cta_bw.ll128", "peer.nvlink.efficiency.simple",
                          "peer.nvlink.cta_bw.multimem", "peer.nvlink.efficiency.multimem", "peer.meeting.multimem"):
            self.assertRegex(printed, rf"{re.escape(parameter)} .* (identified|weak) ")
        self.expect_ok("report", "peers.h5", "--check")
        for protocol, algorithm in (("ll", "ring"), ("multimem", "nvls")):
            self.expect_ok("emulate", "-m", MACHINE, "--executor", "peers", "-c", "all_reduce", "-a", algorithm, "--protocol", protocol,
                           "--channels", "16", *SWEEP, "--profile", "peers.h5", "-o", f"{protocol}.h5", "--quiet")
            self.expect_ok("report", f"{protocol}.h5", "--check")
            rows = self.rows(f"{protocol}.h5")
            self.assertEqual(len(rows), 7)
            self.assertTrue(all(float(row["measured_share"]) > 0.5 for row in rows.values()), rows)
        self.expect_error(2, "multimem on int32", "measure", *model, "-c", "all_reduce", "-a", "nvls", "--protocol", "multimem",
                          "-d", "int32", *SWEEP, "-o", "no.h5")
        self.expect_ok("measure", *model, "-c", "send_recv", *SWEEP, "-o", "usual.h5")
        config = self.config_of("usual.h5")
        if config is not None:
            self.assertIn("protocol: simple\n", config)
        # Of no machine whose GPUs are in several domains, and not what measures.
        self.expect_error(2, "no network", "emulate", "-m", "hgx-h100x1260", "--executor", "peers", "-c", "all_reduce",
                          "-a", "ring", *SWEEP, "-o", "no.h5")
        self.expect_error(2, "--executor cuda", "measure", "--executor", "peers", *SWEEP)

    def test_bad_input(self):
        self.write("junk.h5", b"not HDF5")
        self.expect_error(4, "junk.h5", "calibrate", "junk.h5")
        self.expect_error(4, "absent.h5", "calibrate", "absent.h5")
        self.expect_error(2, "needs a trace", "calibrate")
        self.expect_error(2, "nvlink.efficiency", "measure", "--synthetic", MACHINE, "--set",
                          "nvlink.eficiency=x0.5", "-o", "t.h5")


if __name__ == "__main__":
    cli_case.main()
