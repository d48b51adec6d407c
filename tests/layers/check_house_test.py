"""scripts/dev/check-house finds what it must: each test plants one offence in a small tree."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "dev" / "check-house"

HEADER = "// What it is.\n#pragma once\n\nnamespace fabricast {\n}  // namespace fabricast\n"
FUNCTION = "int f(int a) {\n%s  return a;\n}\n"


class CheckHouseTest(unittest.TestCase):
    def run_check(self, files):
        with tempfile.TemporaryDirectory() as directory:
            for name, text in files.items():
                path = Path(directory, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, SCRIPT, "--root", directory], text=True,
                                  capture_output=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def expect_clean(self, name, text):
        self.assertEqual(self.run_check({name: text}), (0, "check-house: 1 files, 0 problems\n"))

    def expect_problem(self, name, text, problem):
        code, output = self.run_check({name: text})
        self.assertEqual((code, output),
                         (1, f"{name}:{problem}\ncheck-house: 1 files, 1 problems\n"))

    def test_clean_files(self):
        self.expect_clean("emulator/base/a.hpp", HEADER)
        self.expect_clean("emulator/base/a.cpp", FUNCTION % "")
        self.expect_clean("docs/a.md", "# A page\n")

    def test_nothing_to_check_is_not_a_pass(self):
        self.assertEqual(self.run_check({"build/a.hpp": "\n"}),
                         (1, "check-house: 0 files, 0 problems\n"))

    def test_clauses_and_citations(self):
        page = "# S\n\n## 1. A\n1. One.\n2. Two.\n"
        both = "// Semantics 1.1, and semantics\n// 1.2.\n"
        self.assertEqual(self.run_check({"docs/semantics.md": page, "kernels/a.cpp": both}),
                         (0, "check-house: 2 files, 0 problems\n"))
        code, output = self.run_check({"docs/semantics.md": page, "tests/a.cpp": both,
                                       "emulator/a.cpp": "\n// Docs/semantics.md 1.1 to 1.3.\n"})
        self.assertEqual(code, 1)
        self.assertEqual(output.splitlines()[:2], [
            "emulator/a.cpp:2: cites clause 1.3 of docs/semantics.md, which does not exist",
            "docs/semantics.md:5: no source cites clause 1.2"])

    def test_long_file(self):
        self.expect_clean("a.cpp", "\n".join(["int x;"] * 400) + "\n")
        self.expect_problem("a.cpp", "\n".join(["int x;"] * 401) + "\n",
                            "401: 401 lines (at most 400: one idea per file)")

    def test_long_function(self):
        self.expect_clean("a.cpp", FUNCTION % ("  ++a;\n" * 67))
        self.expect_problem("a.cpp", FUNCTION % ("  ++a;\n" * 68),
                            "1: function of 71 lines (at most 70)")

    def test_long_function_with_a_signature_of_two_lines(self):
        signature = "std::string f(int a,\n              int b) {\n"
        self.expect_clean("a.cpp", signature + "  ++a;\n" * 68 + "}\n")
        self.expect_problem("a.cpp", signature + "  ++a;\n" * 69 + "}\n",
                            "2: function of 71 lines (at most 70)")

    def test_table_is_not_logic(self):
        table = "".join(f"      {{{i}}},\n" for i in range(80)) + "  };\n"
        self.expect_clean("a.cpp", "Rows rows() {\n  return {\n" + table + "}\n")
        self.expect_clean("a.cpp", "const Rows& rows() {\n  static const Rows table = {\n" + table
                          + "  return table;\n}\n")
        self.expect_problem("a.cpp", "int f() {\n  return {\n  };\n" + "  ++a;\n" * 70 + "}\n",
                            "1: function of 74 lines (at most 70)")

    def test_long_class_is_not_a_function(self):
        self.expect_clean("a.cpp", "struct A {\n" + "  int x();\n" * 80 + "};\n")

    def test_header_opens_with_a_comment(self):
        self.expect_problem("a.hpp", "#pragma once\n",
                            "1: a header opens with a comment that says what it is")
        self.expect_problem("a.hpp", "// What it is.\n\n#include <span>\n",
                            "3: #pragma once must follow the opening comment")

    def test_unfinished_work(self):
        for word in ("TO" "DO", "FIX" "ME", "X" "XX"):
            self.expect_problem("docs/a.md", f"a\n{word}: more\n", f"2: unfinished work ({word})")
        self.expect_clean("a.sh", "mktemp name.XXXXXX\n")

    def test_vague_names(self):
        self.expect_problem("emulator/string_utils.cpp", "int x;\n",
                            "1: a name after nothing in particular")
        self.expect_problem("emulator/common/a.cpp", "int x;\n",
                            "1: a name after nothing in particular")
        self.expect_problem("a.cpp", "class RunManager {\n};\n",
                            "1: type RunManager is named after nothing in particular")
        self.expect_clean("emulator/communicator.cpp", "class Communicator {\n};\n")

    def test_whitespace(self):
        self.expect_problem("a.cpp", "int x;\t// tab\n", "1: a tab")
        self.expect_problem("a.md", "word \n", "1: blanks at the end of the line")
        self.expect_problem("a.md", "word", "1: a file ends with one newline")

    def test_pages_name_what_exists(self):
        self.expect_clean("docs/a.md", "[me](a.md#x) [web](https://a.org) `docs/a.md` `docs/`\n")
        self.expect_problem("docs/a.md", "[b](b.md)\n", "1: links to b.md, which does not exist")
        self.expect_problem("docs/a.md", "see `emulator/base/ids.hpp`\n",
                            "1: names emulator/base/ids.hpp, which does not exist")

    def test_script_that_cannot_run(self):
        self.expect_problem("a.sh", "#!/bin/sh\n", "1: has a #! line but is not executable")


if __name__ == "__main__":
    unittest.main()
