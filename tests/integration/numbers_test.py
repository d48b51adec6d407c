"""R7: every number a user can give, as NaN, infinity, negative, zero, huge, empty, octal-looking and with a wrong unit.

Each is used or refused: exit 0 and lawful results, or exit 2 with one message that names the option or the
file and line. Prints one JSON line.
"""
import json
import os
import re

import cli_case
from cli_case import CliCase

MACHINES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../topologies/machines")
# All of them at night: the other files have the same keys.
MACHINE_FILES = ["gb300-nvl72x140"]
if os.environ.get("FABRICAST_CAMPAIGN") == "full":
    MACHINE_FILES += ["gb300-nvl72", "hgx-h100"]
VALUES = ["nan", "inf", "-inf", "-1", "0", "-0.0", "1e308", "2147483648", "9223372036854775808",
          "18446744073709551616", "", "7 parsecs", "010", "0x10", "1e-320", "3.5"]
EMULATE = ("emulate", "-m", "gb300-nvl72", "-c", "all_reduce", "-a", "ring", "--quiet")
MEASURE = ("measure", "-c", "all_reduce", "-a", "ring", "--executor", "host", "--quiet")
SYNTHETIC = ("measure", "-c", "all_reduce", "-a", "ring", "--synthetic", "gb300-nvl72", "-n", "3", "--quiet")
VERIFY = ("verify", "ring", "-c", "all_reduce")
# Arguments around the option, and the option; small sizes where the option is not one.
OPTIONS = [
    (EMULATE, ["-e", "4M"], "-b"), (EMULATE, ["-b", "1K"], "-e"), (EMULATE, ["-b", "1K", "-e", "4M"], "-f"),
    (EMULATE, ["-b", "1M", "-e", "1M"], "--ranks"), (EMULATE, ["-b", "1M", "-e", "1M"], "--channels"),
    (EMULATE, ["-b", "1M", "-e", "1M"], "--slices"), (EMULATE, ["-b", "1M", "-e", "1M"], "--timeout"),
    (MEASURE, ["-e", "64"], "-b"), (MEASURE, ["-b", "8", "-n", "1"], "-e"),
    (MEASURE, ["-b", "8", "-e", "64", "-n", "1"], "-f"), (MEASURE, ["-b", "8", "-e", "64", "-n", "1"], "-i"),
    (MEASURE, ["-b", "8", "-e", "8"], "-n"), (MEASURE, ["-b", "8", "-e", "8", "-n", "1"], "-w"),
    (MEASURE, ["-b", "8", "-e", "8", "-n", "1"], "--channels"),
    (MEASURE, ["-b", "8", "-e", "8", "-n", "1"], "--ranks"),
    (MEASURE, ["-b", "8", "-e", "8", "-n", "1"], "--budget"),
    (SYNTHETIC, ["-b", "1M", "-e", "1M"], "--noise"), (SYNTHETIC, ["-b", "1M", "-e", "1M"], "--outliers"),
    (SYNTHETIC, ["-b", "1M", "-e", "1M"], "--seed"),
    (VERIFY, [], "--ranks"), (VERIFY, [], "--domain"), (VERIFY, [], "--channels"), (VERIFY, [], "--slots"),
    (VERIFY, [], "--slices"), (VERIFY, [], "--root"), (("verify", "tree"), [], "--chunks"),
]
WRITES = {"emulate", "measure"}
# Taking these at their word would only be slow: used as asked, not tried here.
SLOW = {("measure", "-n", "2147483648"), ("measure", "-e", "2147483648")}


class Numbers(CliCase):
    cases = refused = 0

    @classmethod
    def tearDownClass(cls):
        print(json.dumps({"id": "R7", "cases": cls.cases, "refused": cls.refused,
                          "used": cls.cases - cls.refused}), flush=True)

    def judge(self, result, names, context, codes=(0, 2)):
        """One of the exit codes; if not 0, one message that has one of the names."""
        type(self).cases += 1
        said = result.stderr + result.stdout
        self.assertIn(result.returncode, codes, (context, said))
        if result.returncode != 0:
            type(self).refused += 1
            self.assertTrue(any(name in said for name in names), (context, said))
            self.assertLessEqual(result.stderr.count("error: "), 1, (context, said))
        return result.returncode == 0

    def test_options(self):
        for command, around, option in OPTIONS:
            for number, value in enumerate(VALUES):
                if (command[0], option, value) in SLOW:
                    continue
                with self.subTest(command=command[0], option=option, value=value):
                    output = f"{number}{option.strip('-')}.h5"
                    out = ["-o", output] if command[0] in WRITES else []
                    result = self.run_program(*command, *around, f"{option}={value}" if option[1] == "-" else option,
                                              *([] if option[1] == "-" else [value]), *out, timeout=60)
                    # verify's 1 is a proof that fails, of a number that was taken.
                    codes = (0, 1, 2) if command[0] == "verify" else (0, 2)
                    names = [option, "schedules are wrong"] + (["ranks"] if option == "--ranks" else [])
                    used = self.judge(result, names, (command[0], option, value), codes)
                    if used and out:
                        self.expect_ok("report", output, "--check")
                        os.remove(self.path(output))

    def test_machine_files(self):
        """Each `value:` of a machine file, one at a time."""
        for machine in MACHINE_FILES:
            with open(os.path.join(MACHINES, machine + ".yaml"), encoding="utf-8") as file:
                lines = file.read().splitlines()
            for index, line in enumerate(lines):
                found = re.match(r"(\s*value:\s*)(-?[0-9.]+)(\s*\S.*)?$", line)
                if not found:
                    continue
                unit = (found.group(3) or "").split("#")[0].strip()
                for value in VALUES:
                    for written in dict.fromkeys([f"{value} {unit}".strip(), value]):
                        with self.subTest(machine=machine, line=index + 1, value=written):
                            changed = lines.copy()
                            changed[index] = found.group(1) + written
                            self.write("m.yaml", "\n".join(changed) + "\n")
                            self.try_machine(index + 1, (machine, line, written))

    def try_machine(self, line, context):
        """`machine check` and a use of it agree."""
        place = [f"m.yaml:{line}:"]
        check = self.run_program("machine", "check", "m.yaml", timeout=60)
        good = self.judge(check, place, context, codes=(0, 1, 2))
        result = self.run_program(*EMULATE[:1], "-m", "m.yaml", *EMULATE[3:], "-b", "1M", "-e", "1M",
                                  "--ranks", "16", "-o", "m.h5", "--force", timeout=120)
        used = self.judge(result, place if not good else ["m.yaml", "--ranks", "rank"], context)
        self.assertLessEqual(used, good, context)
        if used:
            self.expect_ok("report", "m.h5", "--check")


if __name__ == "__main__":
    cli_case.main()
