"""emulate --profile: whose profile it is, and what a trace says about it."""
import os
import re
import shutil
import subprocess

import cli_case
from cli_case import CliCase

MACHINE = "gb300-nvl72"
POINT = ("-c", "all_reduce", "-a", "ring", "--protocol", "simple", "-b", "1M", "-e", "1M", "--quiet")


class Profile(CliCase):
    def calibrated(self, name="profile.h5"):
        self.expect_ok("measure", "--synthetic", MACHINE, "-c", "all_reduce", "-b", "1K", "-e", "64M", "-f", "16",
                       "-o", "samples.h5", "--quiet")
        self.expect_ok("calibrate", "samples.h5", "-o", name)
        return name

    def edited(self, name, old, new):
        shipped = os.path.join(os.path.dirname(__file__), "../../topologies/machines/gb300-nvl72.yaml")
        with open(shipped, encoding="utf-8") as file:
            whole = file.read()
        self.assertIn(old, whole)
        return self.write(name, whole.replace(old, new))

    def test_a_profile_is_not_taken_for_another_machine_of_the_same_name(self):
        profile = self.calibrated()
        self.edited("half.yaml", "900 GB/s", "450 GB/s")
        refused = self.expect_error(2, "another machine named gb300-nvl72", "emulate", "-m", "half.yaml", *POINT,
                                    "--profile", profile, "-o", "t.h5")
        self.assertIn("nvlink bandwidth 900 GB/s and 450 GB/s", refused.stderr)

    def test_under_its_own_name_only_transfer_rules_carry(self):
        profile = self.calibrated()
        path = self.edited("half.yaml", "900 GB/s", "450 GB/s")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.write("half.yaml", text.replace("name: gb300-nvl72\n", "name: half-nvl72\n"))
        self.expect_ok("emulate", "-m", "half.yaml", *POINT, "--profile", profile, "-o", "t.h5")
        self.assertIn("extrapolated", self.expect_ok("report", "t.h5").stdout)

    def test_the_same_machine_with_other_comments_keeps_its_profile(self):
        profile = self.calibrated()
        self.edited("commented.yaml", "name: gb300-nvl72\n", "# my copy\nname: gb300-nvl72\n")
        self.expect_ok("emulate", "-m", "commented.yaml", *POINT, "--profile", profile, "-o", "t.h5")
        self.expect_ok("emulate", "-m", MACHINE, *POINT, "--ranks", "8", "--profile", profile, "-o", "u.h5")

    def test_what_the_file_is_called_does_not_matter(self):
        profile = self.calibrated()
        shutil.copy(self.path(profile), self.path("copy.h5"))
        digests = [self.digest(self.expect_ok("emulate", "-m", MACHINE, *POINT, "--profile", name, "-o", name + ".out.h5"))
                   for name in (profile, "copy.h5")]
        self.assertEqual(digests[0], digests[1])
        plain = self.digest(self.expect_ok("emulate", "-m", MACHINE, *POINT, "-o", "prior.h5"))
        self.assertNotEqual(digests[0], plain)

    def test_the_scenario_names_the_profile_by_its_digest(self):
        self.expect_ok("measure", "--synthetic", MACHINE, "-b", "1K", "-e", "64M", "-f", "16", "-o", "s.h5", "--quiet")
        digest = self.digest(self.expect_ok("calibrate", "s.h5", "-o", "p.h5"))
        self.expect_ok("emulate", "-m", MACHINE, *POINT, "--profile", "p.h5", "-o", "t.h5")
        dump = subprocess.run(["h5dump", "-d", "/config", self.path("t.h5")], capture_output=True, text=True, check=False)
        if dump.returncode != 0:
            self.skipTest("h5dump is not installed")
        self.assertIn("profile: content_digest " + digest, dump.stdout.replace("\n", ""))

    def digest(self, result):
        return re.search(r"content_digest ([0-9a-f]{64})", result.stdout).group(1)


if __name__ == "__main__":
    cli_case.main()
