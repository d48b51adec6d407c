#!/usr/bin/python3
"""Reads a trace with h5py and pandas: read_trace.py TRACE [TABLE]. TABLE is "results" by default."""
import sys

import h5py
import pandas as pd


def read_table(path, name="results"):
    """A table of a trace as a DataFrame: texts as str, codes as their meanings."""
    with h5py.File(path) as file:
        columns = {}
        for key, column in file[name].items():
            values = column.asstr()[:] if column.dtype.kind == "S" else column[:]
            if "flag_meanings" in column.attrs:
                meanings = column.attrs["flag_meanings"].decode().split()
                values = [meanings[code] for code in values]
            columns[key] = values
        return pd.DataFrame(columns).set_index("row")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print(read_table(*sys.argv[1:]).to_string())
