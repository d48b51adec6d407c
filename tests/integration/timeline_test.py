"""Timelines at three levels: what a trace holds, what filters choose, what is refused, and that it resumes."""
import csv
import io
import re

import cli_case
from cli_case import CliCase

SMALL = ("emulate", "-m", "hgx-h100", "-c", "all_reduce", "-a", "ring", "-b", "32K", "-e", "32K", "--quiet")


class Timeline(CliCase):
    def table(self, trace, name):
        text = self.expect_ok("report", trace, "--csv", name).stdout
        return list(csv.DictReader(io.StringIO(text)))

    def test_each_level_holds_what_it_says(self):
        digests = set()
        for level, tables in (("summary", []), ("phases", ["/timeline"]),
                              ("steps", ["/timeline", "/steps", "/step_coverage"])):
            output = self.expect_ok(*SMALL, "--trace", level, "-o", level + ".h5").stdout
            digests.add(re.search(r"content_digest (\w+)", output).group(1))
            self.expect_ok("report", level + ".h5", "--check")
            for table in ("/timeline", "/steps", "/step_coverage"):
                with self.subTest(level=level, table=table):
                    result = self.run_program("report", level + ".h5", "--csv", table)
                    self.assertEqual(result.returncode, 0 if table in tables else 2)
        self.assertEqual(len(digests), 3)
        default = self.expect_ok(*SMALL, "-o", "default.h5").stdout
        self.assertIn(re.search(r"content_digest (\w+)", default).group(1), digests)
        results = {level: [row["time_ps"] for row in self.table(level + ".h5", "/results")]
                   for level in ("summary", "phases", "steps")}
        self.assertEqual(results["summary"], results["steps"])
        self.assertEqual(results["phases"], results["steps"])

    def test_steps_end_with_the_last_stage(self):
        self.expect_ok("emulate", "-m", "gb300-nvl72", "-c", "all_reduce,all_to_all", "-a", "all", "-b", "1K", "-e", "1M", "-f", "1024",
                       "--quiet", "--trace", "steps", "-o", "t.h5")
        ends, kept = {}, {}
        for row in self.table("t.h5", "/steps"):
            ends[row["result"]] = max(ends.get(row["result"], 0), int(row["end_ps"]))
        for row in self.table("t.h5", "/step_coverage"):
            kept[row["result"]] = row["rows"] == row["steps"]
        stages = {}
        for row in self.table("t.h5", "/timeline"):
            stages[row["result"]] = max(stages.get(row["result"], 0), int(row["end_ps"]))
        self.assertGreater(sum(kept.values()), 4)
        for result, end in ends.items():
            if kept[result]:
                self.assertEqual(end, stages[result], result)

    def test_filters_of_the_report(self):
        self.expect_ok(*SMALL, "--trace", "steps", "-o", "t.h5")
        whole = self.expect_ok("report", "t.h5", "--timeline", "0").stdout
        part = self.expect_ok("report", "t.h5", "--timeline", "0", "--window", "2us:4us").stdout
        self.assertLess(part.count("\n"), whole.count("\n"))
        self.assertIn("recv_reduce_send", part)
        none = self.expect_ok("report", "t.h5", "--timeline", "--class", "7").stdout
        self.assertNotIn("recv_reduce_send", none)
        self.assertNotIn("recv_reduce_send", self.expect_ok("report", "t.h5", "--timeline").stdout)
        self.expect_error(2, "no row 9", "report", "t.h5", "--timeline", "9")
        self.expect_error(2, "--timeline", "report", "t.h5", "--class", "0")
        self.expect_error(2, "--window", "report", "t.h5", "--timeline", "0", "--window", "4us:2us")

    def test_too_much_is_refused_or_said(self):
        self.expect_error(2, "--trace-class 0", "emulate", "-m", "gb300-nvl72x140", "-c", "all", "-a", "all", "--trace", "steps",
                          "-f", "1.5", "-o", "t.h5", "--quiet")
        self.expect_error(2, 'did you mean "steps"', *SMALL, "--trace", "step", "-o", "t.h5")
        self.expect_error(2, "--trace steps", *SMALL, "--trace-class", "0", "-o", "t.h5")
        self.expect_error(2, "--trace-window", *SMALL, "--trace", "steps", "--trace-window", "5", "-o", "t.h5")
        self.expect_error(2, "--trace-class", *SMALL, "--trace", "steps", "--trace-class=-1", "-o", "t.h5")
        result = self.expect_ok("emulate", "-m", "gb300-nvl72x140", "-a", "ring", "-b", "1M", "-e", "1M", "--quiet",
                                "--trace", "steps", "-o", "t.h5")
        self.assertIn("/step_coverage", result.stderr)
        self.assertEqual(len(self.table("t.h5", "/steps")), 10_000)
        result = self.expect_ok("emulate", "-m", "gb300-nvl72x140", "-a", "ring", "-b", "1M", "-e", "1M", "--quiet",
                                "--trace", "steps", "--trace-class", "0", "--trace-window", "1ms:2ms", "-o", "w.h5")
        self.assertNotIn("/step_coverage", result.stderr)
        rows = self.table("w.h5", "/steps")
        self.assertTrue(rows)
        for row in rows:
            self.assertEqual(row["class"], "0")
            self.assertGreaterEqual(int(row["end_ps"]), 10**9)
            self.assertLess(int(row["start_ps"]), 2 * 10**9)

    def test_processes_and_levels(self):
        if cli_case.MPIEXEC:
            digests = {re.search(r"content_digest (\w+)", self.expect_ok(
                "emulate", "-m", "hgx-h100", "-c", "all_reduce", "-b", "1K", "-e", "64K", "-f", "8", "--quiet",
                "--trace", "steps", "-o", f"np{ranks}.h5", ranks=ranks).stdout).group(1) for ranks in (0, 2, 3)}
            self.assertEqual(len(digests), 1)
        self.expect_ok(*SMALL, "-o", "t.h5")
        self.expect_error(4, "another run", *SMALL, "--trace", "steps", "--resume", "-o", "t.h5")


if __name__ == "__main__":
    cli_case.main()
