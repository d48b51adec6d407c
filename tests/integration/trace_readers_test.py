#!/usr/bin/python3
"""Traces written by the program, and the golden ones of released formats, in other people's readers.

usage: trace_readers_test.py write PROGRAM FOLDER      FOLDER/{samples,profile,trace}.h5
       trace_readers_test.py READER FOLDER GOLDEN...

READER: h5py | pandas | xarray | pytables | netcdf4 | h5dump | h5ls | read_trace. What a reader finds is
compared with `fabricast report --json`, which `write` leaves next to each trace. Exit code 77: the reader
is not installed (scripts/install-deps).
"""
import importlib
import json
import math
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWEEP = ("-c", "all_reduce,all_gather", "-a", "ring,tree", "-b", "1K", "-e", "16M", "-f", "16", "--quiet")


def need(*names):
    modules = []
    for name in names:
        try:
            modules.append(importlib.import_module(name))
        except ImportError:
            print(f"skipped: Python's {name} is not installed")
            sys.exit(77)
    return modules if len(modules) > 1 else modules[0]


def need_program(name):
    if shutil.which(name) is None:
        print(f"skipped: {name} is not installed")
        sys.exit(77)


def write(program, folder):
    folder.mkdir(exist_ok=True)
    run = lambda *words: subprocess.run([program, *words], cwd=folder, check=True, text=True,
                                        stdout=subprocess.PIPE).stdout
    run("measure", "--synthetic", "gb300-nvl72", *SWEEP, "-n", "8", "-o", "samples.h5", "--force")
    run("calibrate", "samples.h5", "-o", "profile.h5", "--force", "--quiet")
    run("emulate", "-m", "gb300-nvl72", *SWEEP, "--profile", "profile.h5", "-o", "trace.h5", "--force")
    for name in ("samples", "profile", "trace"):
        run("report", f"{name}.h5", "--check")
    (folder / "trace.json").write_text(run("report", "trace.h5", "--json"), encoding="utf-8")


def expected(folder):
    """/results as the program itself says it: a list of dicts."""
    return json.loads((folder / "trace.json").read_text(encoding="utf-8"))["results"]


def column(folder, name):
    return [row[name] for row in expected(folder)]


def check_h5py(folder, golden):
    h5py = need("h5py")
    with h5py.File(folder / "trace.h5") as file:
        results = file["results"]
        for name, values in ((key, column(folder, key)) for key in results if key != "row"):
            stored = results[name]
            if stored.dtype.kind == "S":
                assert list(stored.asstr()[:]) == values, name
            elif "flag_meanings" in stored.attrs:
                meanings = stored.attrs["flag_meanings"].decode().split()
                assert [meanings[code] for code in stored[:]] == values, name
            else:
                assert stored[:].tolist() == values, name
    for path in golden:
        def touch(name, item):
            if isinstance(item, h5py.Dataset):
                assert item[()] is not None, name
        with h5py.File(path) as file:
            assert file.attrs["schema"].decode() == "fabricast-trace"
            assert file.attrs["complete"].decode() == "yes"
            file.visititems(touch)


def check_pandas(folder, golden):
    pd, _ = need("pandas", "tables")
    frame = pd.read_hdf(folder / "trace.h5", "summary")
    assert frame["time_us"].tolist() == column(folder, "time_us")
    assert frame["algorithm"].tolist() == column(folder, "algorithm")
    assert frame["label"].tolist() == column(folder, "label")
    for path in golden:
        assert len(pd.read_hdf(path, "summary")) > 0


def check_xarray(folder, golden):
    xarray, _ = need("xarray", "h5netcdf")
    for name, group in (("samples", "samples"), ("profile", "profile"), ("trace", "links")):
        with xarray.open_dataset(folder / f"{name}.h5", group=group, engine="h5netcdf") as table:
            assert table.sizes["row"] > 0, group
    with xarray.open_dataset(folder / "trace.h5", group="results", engine="h5netcdf") as results:
        assert results["time_us"].values.tolist() == column(folder, "time_us")
        assert results["time_us"].attrs["units"] == "us"
    for path in golden:
        with xarray.open_dataset(path, group="results", engine="h5netcdf") as results:
            assert results.sizes["row"] > 0


def check_pytables(folder, golden):
    tables = need("tables")
    with tables.open_file(str(folder / "trace.h5")) as file:
        rows = file.root.summary.read_where("bytes >= 1048576")
        assert len(rows) == sum(size >= 1 << 20 for size in column(folder, "bytes")) > 0
        assert file.root.results.time_ps[:].tolist() == column(folder, "time_ps")
    for path in golden:
        with tables.open_file(str(path)) as file:
            assert len(file.root.summary) > 0


def check_netcdf4(folder, golden):
    netcdf4 = need("netCDF4")
    for path in (folder / "trace.h5", *golden):
        with netcdf4.Dataset(path) as file:
            results = file["results"]
            # Numbers only: netcdf-c 4.9.0 writes past its buffer on fixed-length strings.
            numbers = [name for name, kind in results.variables.items() if kind.dtype != str and kind.dtype.kind in "iuf"]
            assert len(numbers) > 10 and results.dimensions["row"].size > 0
            for name in numbers:
                assert results[name][:].count() == results.dimensions["row"].size, name
    with netcdf4.Dataset(folder / "trace.h5") as file:
        assert file["results"]["bytes"][:].tolist() == column(folder, "bytes")


def check_h5dump(folder, golden):
    need_program("h5dump")
    for path in (folder / "trace.h5", folder / "samples.h5", *golden):
        whole = subprocess.run(["h5dump", path], capture_output=True, text=True, check=True)
        assert whole.stderr == "" and whole.stdout.count("DATASET") > 10, whole.stderr
    one = subprocess.run(["h5dump", "-y", "-d", "/results/time_ps", folder / "trace.h5"], capture_output=True, text=True,
                         check=True).stdout
    data = one.split("DATA {")[1].split("}")[0].replace(",", " ").split()
    assert [int(value) for value in data] == column(folder, "time_ps")


def check_h5ls(folder, golden):
    need_program("h5ls")
    for path in (folder / "trace.h5", *golden):
        lines = subprocess.run(["h5ls", "-r", path], capture_output=True, text=True, check=True).stdout
        for name in ("/results ", "/results/time_us ", "/summary ", "/config "):
            assert name in lines, (path, name)
    line = subprocess.run(["h5ls", folder / "trace.h5/results/time_us"], capture_output=True, text=True,
                          check=True).stdout
    assert f"{{{len(expected(folder))}}}" in line, line


def check_read_trace(folder, golden):
    need("h5py", "pandas")
    sys.path.insert(0, str(ROOT / "scripts" / "python"))
    sys.dont_write_bytecode = True
    import read_trace
    results = read_trace.read_table(folder / "trace.h5", "results")
    for name in results.columns:
        assert results[name].tolist() == column(folder, name), name
    assert results.attrs["units"]["time_us"] == "us" and results.attrs["long_name"]["time_us"]
    assert read_trace.read_table(folder / "trace.h5", "/results").equals(results)
    assert set(read_trace.read_table(folder / "samples.h5", "samples")["discarded"]) <= {"no", "yes"}
    assert set(read_trace.documents(folder / "trace.h5")) == {"config", "machine/gb300-nvl72"}
    found = read_trace.attributes(folder / "trace.h5")
    assert found["software"] == "fabricast" and len(found["content_digest"]) == 64
    for path in (folder / "trace.h5", *golden):
        names = read_trace.tables(path)
        assert {"results", "profile", "links"} <= set(names) and all(names.values())
        for name in names:
            assert len(read_trace.read_table(path, name)) > 0, name
        assert read_trace.is_sealed(path)
    damaged = folder / "damaged.h5"
    good = (folder / "trace.h5").read_bytes()
    for bytes_ in (good + b"x", good[:-1], good[:5000] + bytes([good[5000] ^ 1]) + good[5001:], b"", b"x"):
        damaged.write_bytes(bytes_)
        assert not read_trace.is_sealed(damaged)
    damaged.unlink()
    script = ROOT / "scripts" / "python" / "read_trace.py"
    run = lambda *words: subprocess.run([sys.executable, "-B", script, *map(str, words)], capture_output=True,
                                        text=True, check=False)
    assert "all_gather" in run(folder / "trace.h5", "results").stdout
    assert "result_shares" in run(folder / "trace.h5").stdout
    assert math.isclose(float(results["time_us"].iloc[0]), expected(folder)[0]["time_us"])
    for words, code, message in (((folder / "trace.h5", "resluts"), 2, "has no table resluts; it holds"),
                                 ((folder / "trace.json",), 4, "read_trace: "), ((), 2, "As a program")):
        result = run(*words)
        assert result.returncode == code and message in result.stderr, (words, result)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], pathlib.Path(sys.argv[3]))
    else:
        globals()["check_" + sys.argv[1]](pathlib.Path(sys.argv[2]), [pathlib.Path(path) for path in sys.argv[3:]])
    print("ok")
