"""Every machine at every scale that people buy: all_reduce and all_to_all end in seconds, inside the
bounds of the trace's own laws; as it ships no machine is refused, and at other scales only because no such
machine can be built.

    python3 machine_scales_test.py PROGRAM [--scale N] [--only TEXT] [--seconds S]

Scales are what a user types, whether or not whole nodes come to it: the next whole number of nodes or
racks is taken. Prints a line per command: seconds of processor time, verdict, command; fails when one
takes more than --seconds, does not end well, or is refused for another reason than REFUSALS.
"""
import argparse
import csv
import math
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

SCALES = [8, 72, 1024, 10080, 16384, 100000, 131072, 250000]
CASES = [("all_reduce", "ring"), ("all_to_all", "pairwise")]
# Larger machines as they ship mostly end in a group that is partly filled: no two ranks are alike, and an
# exchange of 14,400 takes a minute, of more its square.
MOST_EXCHANGED_AS_SHIPPED = 10080
# No network of such switches is so large, nothing is known that joins such nodes, or no slice has that form.
REFUSALS = re.compile(r"pods are more than a core switch of \d+ ports reaches"
                      r"|leaves need a third tier"
                      r"|groups are more than the \d+ links of a group reach"
                      r"|does not say what joins several of it"
                      r"|are no box of the torus of"
                      r"|but one domain puts \d+ NICs on it"
                      r"|its peers vary and the machine does not repeat")


def machines(program):
    """Name, ranks and ranks per domain of every machine that ships."""
    lines = subprocess.run([program, "machine", "list"], capture_output=True, text=True, check=True)
    for line in lines.stdout.splitlines()[1:]:
        name, ranks, domain = line.split()[:3]
        yield name, int(ranks), int(domain)


def machine_of(name, ranks, domain, scale):
    """The machine `name` grown or cut to `scale` ranks, as arguments; None where it has no such."""
    if scale <= ranks and (scale % domain == 0 or scale < domain):
        return ["--machine", name, "--ranks", str(scale)] if scale < ranks else ["--machine", name]
    count = math.ceil(scale / domain)
    if count < 2:
        return None  # part of a domain that is not whole, or the domain itself
    if ranks > domain:
        return ["--machine", name, "--set", f"count={count}"]
    return ["--machine", f"{name}x{count}"]


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(program, arguments, folder, limit, ships):
    """(verdict, processor seconds, last line) of one emulation; `ships`: of the machine as it is."""
    trace = os.path.join(folder, "trace.h5")
    if os.path.exists(trace):
        os.unlink(trace)
    before = children_seconds()
    # Processor time, which does not depend on who else is on the machine.
    stop = int(2 * limit + 1)
    done = subprocess.run([program, "emulate", *arguments, "-o", trace], capture_output=True, text=True,
                          cwd=folder,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (stop, stop + 1)))
    seconds = children_seconds() - before
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL) and seconds > limit:
        return f"STOPPED after {stop} s", seconds, ""
    last = (done.stderr.strip().splitlines() or [""])[-1]
    if done.returncode == 2:
        expected = not ships and REFUSALS.search(last)
        return ("refused" if expected else "REFUSED WITHOUT REASON"), seconds, last
    if done.returncode != 0:
        return f"FAILED {done.returncode}", seconds, last
    check = subprocess.run([program, "report", trace, "--check"], capture_output=True, text=True)
    if check.returncode != 0:
        return "BROKEN LAW", seconds, check.stdout.strip()
    rows = csv.DictReader(subprocess.run([program, "report", trace, "--csv"], capture_output=True,
                                         text=True, check=True).stdout.splitlines())
    for row in rows:
        if not 0 < float(row["bound_us"]) <= float(row["time_us"]) * 1.000001:
            return "FASTER THAN ITS BOUND", seconds, str(row)
    return ("SLOW" if seconds > limit else "ok"), seconds, ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--scale", type=int, action="append")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    bad = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, ranks, domain in machines(program):
            if options.only not in name:
                continue
            for scale in dict.fromkeys([ranks, *(options.scale or SCALES)]):
                machine = machine_of(name, ranks, domain, scale)
                if machine is None:
                    continue
                for collective, algorithm in CASES:
                    if (collective == "all_to_all" and scale == ranks > MOST_EXCHANGED_AS_SHIPPED
                            and scale not in SCALES):
                        continue
                    arguments = machine + ["-c", collective, "-a", algorithm, "-b", "64M", "-e", "64M"]
                    verdict, seconds, said = run(program, arguments, folder, options.seconds,
                                                 scale == ranks)
                    count += 1
                    bad += verdict not in ("ok", "refused")
                    print(f"{seconds:8.2f} s  {verdict:8}  emulate {' '.join(arguments)}  {said}",
                          flush=True)
    print(f"{count} emulations, {bad} bad, {time.process_time():.1f} s of this script")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
