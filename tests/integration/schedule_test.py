"""fabricast schedule and import: list, pictures, rounds, MSCCL files out and in; refusals; exit codes."""
import re
import sys

import cli_case
from cli_case import CliCase


class Schedule(CliCase):
    def test_list_names_every_algorithm_and_why_one_does_not_apply(self):
        result = self.expect_ok("schedule", "list", "--ranks", "8")
        self.assertRegex(result.stdout, r"ring +all_reduce +- +8 +1 +0 +15\n")
        self.assertRegex(result.stdout, r"hierarchical +all_gather +two levels +not here: it needs")
        both = self.expect_ok("schedule", "list", "--ranks", "8", "--domain", "4")
        not_here = [line for line in both.stdout.splitlines() if "not here" in line]
        self.assertEqual(len(not_here), 4)
        for line in not_here:
            self.assertRegex(line, r" one domain +not here: it needs at least two ranks, all in one domain")

    def test_a_picture_is_svg_and_files_are_not_overwritten(self):
        self.expect_ok("schedule", "show", "pat", "--ranks", "6", "-o", "pat.svg")
        with open(self.path("pat.svg"), encoding="utf-8") as file:
            svg = file.read()
        self.assertTrue(svg.startswith("<svg ") and svg.endswith("</svg>\n"))
        self.assertIn("all_gather pat, 6 ranks", svg)
        self.expect_error(4, "exists", "schedule", "show", "pat", "--ranks", "6", "-o", "pat.svg")
        self.expect_ok("schedule", "show", "pat", "--ranks", "5", "-o", "pat.svg", "--force")

    def test_rounds(self):
        result = self.expect_ok("schedule", "show", "ring", "-c", "all_gather", "--ranks", "3", "--rounds")
        self.assertIn("round 0: 0>1 0, 1>2 1, 2>0 2\nround 1: 0>1 2, 1>2 0, 2>0 1\n", result.stdout)

    def test_channels_have_their_own_order(self):
        rounds = [self.expect_ok("schedule", "show", "ring", "--ranks", "4", "--channels", "2", "--channel",
                                 str(c), "--rounds").stdout for c in (0, 1)]
        self.assertNotEqual(rounds[0].splitlines()[1:], rounds[1].splitlines()[1:])

    def test_what_is_exported_can_be_imported_and_shown(self):
        for arguments in (["ring"], ["tree", "--domain", "2"], ["pat"], ["nvls"], ["pairwise"],
                          ["hierarchical", "--domain", "4", "--channels", "2"]):
            name = arguments[0] + ".xml"
            self.expect_ok("schedule", "export", *arguments, "--ranks", "8", "-o", name)
            result = self.expect_ok("import", "msccl", name)
            self.assertIn("MSCCL XML, correct", result.stdout)
            self.assertRegex(result.stdout, r"ranks +8\n")
            self.expect_ok("schedule", "show", name, "-o", arguments[0] + ".svg")

    def test_a_file_that_computes_something_else_is_wrong(self):
        xml = self.expect_ok("schedule", "export", "ring", "--ranks", "3").stdout
        # One reduction less: the sum lacks a rank.
        self.write("wrong.xml", xml.replace('type="rrs"', 'type="rcs"', 1))
        result = self.run_program("import", "msccl", "wrong.xml")
        self.assertEqual(result.returncode, 1)
        self.assertIn("WRONG", result.stdout)
        self.assertRegex(result.stdout, r"wrong result: .*lacks chunk 1 of rank 0")
        self.assertIn("does not compute all_reduce", result.stderr)

    def test_refusals_name_file_and_line(self):
        xml = self.expect_ok("schedule", "export", "ring", "--ranks", "3").stdout
        self.write("custom.xml", xml.replace('coll="allreduce"', 'coll="custom"'))
        self.expect_error(2, 'custom.xml:1: algo: attribute "coll"', "import", "msccl", "custom.xml")
        line = 1 + next(i for i, text in enumerate(xml.splitlines()) if 'type="rrcs"' in text)
        self.write("type.xml", xml.replace('type="rrcs"', 'type="zzz"', 1))
        self.expect_error(2, f"type.xml:{line}: step:", "import", "msccl", "type.xml")
        self.write("plan.json", "{}\n")
        self.expect_error(2, 'plan.json:1: key "name" is missing', "import", "mscclpp", "plan.json")
        self.expect_error(4, "no such file", "import", "msccl", "nothing.xml")

    def test_bad_input(self):
        self.expect_error(2, 'did you mean "ring"', "schedule", "show", "rign")
        self.expect_error(2, "cannot be read", "schedule", "show", "ring", "--ranks", "99", "-o", "x.svg")
        self.expect_error(2, "no collective send_recv", "schedule", "export", "direct")
        self.expect_error(2, "which is rank 0", "schedule", "export", "ring", "-c", "broadcast", "--root", "1")
        self.expect_error(2, "wait for ever with 8 slots", "schedule", "export", "hierarchical", "-c",
                          "reduce_scatter", "--ranks", "40", "--domain", "4")
        self.expect_error(2, "--channel: 3 does not exist", "schedule", "show", "ring", "--channel", "3")
        self.write("x.xml", "<algo/>")
        self.expect_error(2, "leave out", "schedule", "show", "x.xml", "--ranks", "4")

    def test_help(self):
        text = self.expect_ok("schedule", "--help").stdout + self.expect_ok("import", "--help").stdout
        for word in ("list", "show", "export", "msccl", "mscclpp"):
            self.assertTrue(re.search(rf"\b{word}\b", text), word)


if __name__ == "__main__":
    cli_case.main()
    sys.exit(0)
