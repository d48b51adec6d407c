#!/usr/bin/python3
"""Opens a trace with the readers people use. Usage: readers_test.py READER TRACE

READER: h5py | pandas | script | xarray | netcdf4 | pytables | h5dump. Exit code 77: not installed.
"""
import importlib
import importlib.util
import pathlib
import shutil
import subprocess
import sys


def need(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed")
        sys.exit(77)


def check_h5py(path):
    h5py, pd = need("h5py"), need("pandas")
    # The three lines of the README.
    table = h5py.File(path)["results"]
    frame = pd.DataFrame({k: v.asstr()[:] if v.dtype.kind == "S" else v[:] for k, v in table.items()})
    print(frame[["machine", "algorithm", "bytes", "time_us", "busbw_gbps"]].head())
    assert len(frame) == 30 and frame["machine"][0] == "gb300-nvl72"
    assert frame["bytes"].dtype == "int64" and frame["time_us"].dtype == "float64"
    for name, column in table.items():
        assert column.compression == "gzip" and column.compression_opts == 1, name
        assert column.shuffle and column.fletcher32, name
        assert "units" in column.attrs and column.attrs["long_name"], name
        assert name == "row" or column.dims[0][0].name == "/results/row", name
    label = table["label"]
    meanings = label.attrs["flag_meanings"].decode().split()
    assert [meanings[i] for i in label[:2]] == ["extrapolated"] * 2
    file = table.file
    assert file.attrs["schema_version"].decode() == "1.0.0"
    assert file["machine/gb300-nvl72"].asstr()[0].startswith("name: gb300-nvl72\n")
    assert "µ-kernel" in file["host"].asstr()[0]
    assert table["time_us"].fillvalue != table["time_us"].fillvalue  # NaN
    assert table["bytes"].fillvalue == -2**63


def check_pandas(path):
    pd = need("pandas")
    need("tables")
    frame = pd.read_hdf(path, "summary")  # the one line of the README
    print(frame.head())
    assert len(frame) == 30 and frame["machine"][0] == "gb300-nvl72"  # str, not bytes
    best = frame.loc[frame.groupby(["machine", "collective", "bytes"])["time_us"].idxmin()]
    assert 0 < len(best) < len(frame)


def check_script(path):
    need("h5py"), need("pandas")
    script = pathlib.Path(__file__).parents[3] / "scripts" / "python" / "read_trace.py"
    spec = importlib.util.spec_from_file_location("read_trace", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    frame = module.read_table(path, "results")
    print(frame.head())
    assert set(frame["label"]) == {"extrapolated", "measured"}
    assert module.read_table(path, "links")["wire_bytes_max"].max() == 4096


def check_xarray(path):
    xr = need("xarray")
    need("h5netcdf")
    results = xr.open_dataset(path, group="results", engine="h5netcdf")
    print(results)
    assert results.sizes == {"row": 30} and results.time_us.attrs["units"] == "us"
    assert results["bytes"].dtype == "int64" and results["label"].dtype == "uint8"
    assert len(xr.open_dataset(path, engine="h5netcdf").attrs) >= 10


def check_netcdf4(path):
    # netcdf-c 4.9.0 cannot read fixed-length strings (it writes past its buffer), so no text here.
    file = need("netCDF4").Dataset(path)
    print(file["results"])
    assert file["results"]["time_us"][:].size == 30 and file["results"]["time_us"].units == "us"
    assert int(file["results"]["label"][0]) == 2
    assert file["results"].dimensions["row"].size == 30


def check_pytables(path):
    file = need("tables").open_file(path)
    rows = file.root.summary.read_where("(bytes == 1024) & (ranks == 72)")
    print(rows[:2])
    assert len(rows) == 3 and rows["machine"][0] == b"gb300-nvl72"
    assert file.root.results.time_us[:].size == 30


def check_h5dump(path):
    if shutil.which("h5dump") is None:
        print("h5dump is not installed")
        sys.exit(77)
    header = subprocess.run(["h5dump", "-H", path], capture_output=True, text=True, check=True).stdout
    for word in ("results", "long_name", "flag_meanings", "content_digest", "H5T_STD_I64LE"):
        assert word in header, word
    data = subprocess.run(["h5dump", "-d", "/results/time_us", path], capture_output=True, text=True,
                          check=True).stdout
    assert "150.003" in data, data


if __name__ == "__main__":
    globals()["check_" + sys.argv[1]](sys.argv[2])
    print("ok")
