"""emulate --profile: whose profile it is, and what a trace says about it."""
import os

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


if __name__ == "__main__":
    cli_case.main()
