"""R14: what stands where a run wants to write, two runs of one name, and what a killed one left there.

Nothing that exists changes without --force; with it the file is replaced in one step, and links, FIFOs,
devices and folders never are. Of racing runs exactly one wins, and the others say why they did not.

FABRICAST_RACES=N races N times (default 6), FABRICAST_SEED seeds the moments. Prints one JSON line.
"""
import hashlib
import json
import os
import random
import signal
import stat
import subprocess
import threading
import time

import cli_case
from cli_case import CliCase, patient

RACES = int(os.environ.get("FABRICAST_RACES", "6"))
SEED = int(os.environ.get("FABRICAST_SEED", "1"))
SHORT = ("emulate", "--machine", "hgx-h100", "-c", "all_reduce", "-a", "ring", "-b", "1K", "-e", "1M", "-f",
         "4", "--quiet")
# What writes one file: command line without, and option before, the name.
WRITERS = (
    (SHORT, "-o"),
    (("measure", "-c", "all_reduce", "-a", "ring", "--executor", "host", "-e", "1K", "-n", "3", "--quiet"), "-o"),
    (("report", "whole.h5", "--quiet", "--plot"), None),
    (("schedule", "show", "ring", "--ranks", "4", "--quiet"), "-o"),
    (("machine", "discover", "--quiet"), "-o"),
)
CAUSES = {"file": "exists", "link to a file": "symbolic link", "dangling link": "symbolic link",
          "link to a folder": "symbolic link", "folder": "directory", "FIFO": "FIFO",
          "device": "device", "missing folder": "No such file or directory",
          "long name": "choose a shorter name", "longer name": "choose a shorter name"}
GOOD_NAMES = ("with spaces.h5", "été ☂.h5", "new\nline.h5", "-dash.h5", "x" * 200, b"\xff\xfe.h5")


def snapshot(folder):
    """Every entry with type, link target and content, but for the times."""
    found = {}
    for base, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            path = os.path.join(base, name)
            info = os.lstat(path)
            content = None
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[path] = (stat.S_IFMT(info.st_mode), content)
    return found


class Targets(CliCase):
    cases = races = stale = 0
    wrong = []

    @classmethod
    def tearDownClass(cls):
        print(json.dumps({"id": "R14", "cases": cls.cases, "races": cls.races, "stale_partials": cls.stale,
                          "seed": SEED, "wrong": len(cls.wrong)}), flush=True)

    def setUp(self):
        super().setUp()
        self.expect_ok(*SHORT, "-o", "whole.h5")

    def expect(self, condition, what):
        Targets.cases += 1
        if not condition:
            Targets.wrong.append(what)
        self.assertTrue(condition, what)

    def start(self, *arguments, segments="60"):
        return subprocess.Popen([cli_case.PROGRAM, *arguments], cwd=self.folder.name, text=True,
                                env=dict(cli_case.ENVIRONMENT, FABRICAST_SEGMENT_SECONDS=segments),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def make_obstacles(self):
        """Name of a target by what stands there."""
        self.write("precious.h5", "precious")
        os.mkdir(self.path("folder.h5"))
        os.mkfifo(self.path("fifo.h5"))
        os.symlink("precious.h5", self.path("link.h5"))
        os.symlink("nowhere", self.path("dangling.h5"))
        os.symlink("folder.h5", self.path("folder_link.h5"))
        return {"file": "precious.h5", "link to a file": "link.h5", "dangling link": "dangling.h5",
                "link to a folder": "folder_link.h5", "folder": "folder.h5", "FIFO": "fifo.h5",
                "device": "/dev/null", "missing folder": "missing/t.h5", "long name": "x" * 250,
                "longer name": "x" * 5000}

    def test_what_is_in_the_way_stays(self):
        obstacles = self.make_obstacles()
        before = snapshot(self.folder.name)
        for command, option in WRITERS:
            for what, name in obstacles.items():
                for force in ((), ("--force",)):
                    if what == "file" and force:
                        continue
                    target = (option, name) if option else (name,)
                    result = self.run_program(*command, *target, *force, timeout=60)
                    case = f"{command[0]} onto a {what} {force}: {result.returncode} {result.stderr}"
                    self.expect(result.returncode == 4, case)
                    self.expect(CAUSES[what] in result.stderr and name.split("/t.h5")[0][:20] in result.stderr,
                                case)
                    self.expect(result.stderr.count("fabricast: ") == 1, case)
                    self.expect(snapshot(self.folder.name) == before, case + " (changed something)")

    def test_a_read_only_folder(self):
        os.mkdir(self.path("closed"))
        os.chmod(self.path("closed"), 0o555)
        os.chmod(self.folder.name, 0o755)
        nobody = 65534
        for command, option in WRITERS:
            target = (option, "closed/t.h5") if option else ("closed/t.h5",)
            try:  # root may write everywhere
                result = subprocess.run([cli_case.PROGRAM, *command, *target], cwd=self.folder.name, check=False,
                                        env=cli_case.ENVIRONMENT, capture_output=True, text=True,
                                        user=nobody if os.getuid() == 0 else None)
            except PermissionError:
                self.skipTest("the program may be run by root alone")
            case = f"{command[0]} into a read-only folder: {result.returncode} {result.stderr}"
            self.expect(result.returncode == 4 and "closed" in result.stderr, case)
            self.expect("Permission denied" in result.stderr and not os.listdir(self.path("closed")), case)

    def test_what_stands_where_segments_go(self):
        os.mkdir(self.path("folder"))
        self.write("folder/my_own.h5", "precious")
        self.write("file.h5.d", "precious")
        os.symlink("folder", self.path("link.h5.d"))
        os.symlink("nowhere", self.path("dangling.h5.d"))
        for name, content in {"foreign": "theirs.txt", "lookalike": "my_own.h5", "locked": "lock",
                              "site": "manifest.json"}.items():
            os.mkdir(self.path(name + ".h5.d"))
            self.write(f"{name}.h5.d/{content}", "precious")
            self.write(f"{name}.h5.d/more.txt", "precious")
        os.mkdir(self.path("web.h5.d"))
        self.write("web.h5.d/manifest.json", '{"name": "a web site"}')
        before = snapshot(self.folder.name)
        for name in ("file", "link", "dangling", "foreign", "lookalike", "locked", "site", "web"):
            for option in ((), ("--force",), ("--resume",)):
                result = self.run_program(*SHORT, "-o", name + ".h5", *option)
                case = f"{name}.h5.d {option}: {result.returncode} {result.stderr}"
                self.expect(result.returncode == 4 and name + ".h5.d" in result.stderr, case)
                self.expect(snapshot(self.folder.name) == before, case + " (changed something)")

    def test_names(self):
        for name in GOOD_NAMES:
            option = (f"-o{name}",) if name == "-dash.h5" else ("-o", name)
            result = subprocess.run([cli_case.PROGRAM, *SHORT, *option], cwd=self.folder.name, check=False,
                                    env=cli_case.ENVIRONMENT, capture_output=True)
            self.expect(result.returncode == 0, f"{name!r}: {result.stderr}")
            path = os.path.join(os.fsencode(self.folder.name), os.fsencode(name))
            self.expect(self.run_program("report", path, "--check").returncode == 0, repr(name))

    def test_force_replaces_in_one_step(self):
        self.expect_ok(*SHORT, "-o", "t.h5")
        with open(self.path("t.h5"), "rb") as file:
            size = len(file.read())
        done = threading.Event()
        partial = []

        def watch():
            while not done.is_set():
                try:
                    with open(self.path("t.h5"), "rb") as file:
                        if b"fabricast-seal-1 sha256:" not in file.read()[-89:]:
                            partial.append("cut off")
                except OSError as error:
                    partial.append(str(error))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(RACES):
            self.expect_ok(*SHORT, "-o", "t.h5", "--force")
            Targets.races += 1
        done.set()
        watcher.join()
        self.expect(not partial and size > 0, f"a reader saw {partial[:3]}")

    def race(self, name, segments, *options):
        """Two runs of one name at once: (exit codes, messages)."""
        moments = random.Random(SEED + Targets.races)
        first = self.start(*SHORT, "-o", name, *options, segments=segments)
        time.sleep(moments.uniform(0, 0.2))
        second = self.start(*SHORT, "-o", name, *options, segments=segments)
        told = [process.communicate(timeout=patient(120))[1] for process in (first, second)]
        Targets.races += 1
        return (first.returncode, second.returncode), told

    def test_of_two_racing_runs_one_wins(self):
        for number in range(RACES):
            for segments in ("60", "0"):
                name = f"race{number}-{segments}.h5"
                codes, told = self.race(name, segments)
                case = f"{name}: {codes} {told}"
                self.expect(sorted(codes) == [0, 4], case)
                loser = told[codes.index(4)]
                self.expect(name in loser and loser.count("fabricast: ") == 1, case)
                self.expect_ok("report", name, "--check")
                left = [entry for entry in self.left() if entry.startswith(name) and entry != name]
                if left:  # the loser's own segments, when it had come that far
                    self.expect(left == [name + ".d"], case)
                    self.expect_ok("report", name + ".d", "--check")
                    self.expect_ok(*SHORT, "-o", name, "--resume")
                self.expect(not os.path.exists(self.path(name + ".d")), case)

    def test_racing_runs_that_may_replace_or_resume(self):
        for number in range(RACES):
            for option in ("--force", "--resume"):
                for segments in ("60", "0"):
                    name = f"race{number}{option}{segments}.h5"
                    codes, told = self.race(name, segments, option)
                    case = f"{name}: {codes} {told}"
                    self.expect(0 in codes and set(codes) <= {0, 4}, case)
                    for code, errors in zip(codes, told):
                        self.expect(code == 0 or (name in errors and errors.count("fabricast: error") == 1), case)
                    self.expect_ok("report", name, "--check")
                    self.expect_ok(*SHORT, "-o", name, "--resume")
                    left = [entry for entry in self.left() if entry.startswith(name)]
                    self.expect(left == [name], f"{case} {left}")

    def test_a_killed_run_leaves_no_partial_file_for_ever(self):
        moments = random.Random(SEED)
        for _ in range(RACES):
            process = self.start(*SHORT, "-o", "t.h5", "--force")
            time.sleep(moments.uniform(0.05, 0.4))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        dead = subprocess.Popen(["true"])
        dead.wait()
        self.write(f"t.h5.{dead.pid}.partial", "left over")
        self.write("t.h5.notes.partial", "somebody's")
        Targets.stale += sum(name.endswith(".partial") for name in self.left()) - 1
        self.expect_ok(*SHORT, "-o", "t.h5", "--force")
        self.expect(self.left() == ["t.h5", "t.h5.notes.partial", "whole.h5"], str(self.left()))


if __name__ == "__main__":
    cli_case.main()
