#!/usr/bin/python3
"""Reads a fabricast trace (docs/trace-format.md) with h5py and pandas.

As a module:
    from read_trace import attributes, documents, is_sealed, read_table, tables
    tables("trace.h5")                   {"results": "One row per prediction ...", "samples": ...}
    read_table("trace.h5", "results")    a DataFrame: texts as str, codes as their meanings
    documents("trace.h5")["config"]      the effective scenario, YAML
    attributes("trace.h5")["backend"]    the attributes of the root
    is_sealed("trace.h5")                are the bytes those that were written?

The folder of an unfinished run (trace.h5.d) is read like the trace it will become.

As a program: read_trace.py TRACE [TABLE] prints TABLE, or lists what the trace holds.

Works with every 1.x: tables, columns and attributes it does not know are passed on as they are.
h5py and pandas are Debian's python3-h5py and python3-pandas.
"""
import hashlib
import json
import os
import sys

import h5py
import pandas as pd

SCHEMA = "fabricast-trace"
SEAL_PREFIX = b"fabricast-seal-1 sha256:"
SEAL_BYTES = len(SEAL_PREFIX) + 64 + 1


# Tables whose rows have a position in the run, and the column of each table that counts their rows.
POSITIONED = ("results", "sample_conditions")
REFERENCES = {"samples": ("condition", "sample_conditions"),
              **{name: ("result", "results")
                 for name in ("result_shares", "links", "timeline", "steps", "step_coverage",
                              "ensemble", "ensemble_members", "jobs", "job_links")}}


class NotATrace(ValueError):
    """The file is HDF5, but no trace that this module can read."""


def _text(value):
    """An attribute or element as str, whether h5py hands out bytes or str."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _open(path):
    file = h5py.File(path, "r")
    schema, version = (_text(file.attrs.get(name, "")) for name in ("schema", "schema_version"))
    if schema != SCHEMA or not version.startswith("1."):
        file.close()
        raise NotATrace(f"{path}: schema {schema or 'unknown'} {version} (this reads {SCHEMA} 1.x)")
    return file


def _objects(file, kind):
    """Name without the leading "/" -> object, for every table or document, in the file's order."""
    found = {}

    def visit(name, item):
        if _text(item.attrs.get("kind", "")) == kind:
            found[name] = item

    file.visititems(visit)
    return found


def manifest(folder):
    """What the folder of an unfinished run says of itself."""
    with open(os.path.join(folder, "manifest.json"), "rb") as file:
        body, _, seal = file.read().rpartition(SEAL_PREFIX)
    if hashlib.sha256(body).hexdigest().encode() != seal.strip():
        raise NotATrace(f"{folder}: the seal of its manifest does not match (damaged or edited)")
    return json.loads(body)


def _segments(path):
    """The files to read: the trace itself, or the acknowledged segments of an unfinished run."""
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(path, segment["file"]) for segment in manifest(path)["segments"]]


def attributes(path):
    """The attributes of the root as a dict of str."""
    if os.path.isdir(path):
        return {**manifest(path)["attributes"], "complete": "no"}
    with _open(path) as file:
        return {name: _text(value) for name, value in file.attrs.items()}


def documents(path):
    """Name -> text of every document, such as "config" and "machine/gb300-nvl72"."""
    found = {}
    for part in _segments(path):
        with _open(part) as file:
            for name, item in _objects(file, "document").items():
                text = _text(item[0])
                found[name] = f"{found[name]}---\n{text}" if name == "config" and name in found else text
    return found


def tables(path):
    """Name -> title of every table."""
    found = {}
    for part in _segments(path):
        with _open(part) as file:
            found.update({name: _text(item.attrs["title"]) for name, item in _objects(file, "table").items()})
    found.pop("segment_rows", None)
    return found


def _column(column):
    if column.dtype.kind == "S":
        return column.asstr()[:]
    if "flag_meanings" in column.attrs:
        meanings = _text(column.attrs["flag_meanings"]).split(" ")
        return [meanings[code] for code in column[:]]
    return column[:]


def read_table(path, name="results"):
    """A table as a DataFrame, indexed by row. DataFrame.attrs holds its title, units and long names."""
    return _merged(path, name.strip("/")) if os.path.isdir(path) else _read_file(path, name)


def _merged(folder, name):
    """A table of an unfinished run: docs/trace-format.md says how segments are merged."""
    parts, places = [], []
    column, target = REFERENCES.get(name, (None, name if name in POSITIONED else None))
    for segment in _segments(folder):
        rows = _read_file(segment, "segment_rows")
        positions = rows.loc[rows["table"] == f"/{target}", "position"].to_numpy()
        places.append(positions)
        try:
            frame = _read_file(segment, name)
        except KeyError:
            continue
        if target is not None:
            frame["_position"] = positions[frame[column]] if column else positions
        parts.append(frame)
    if not parts:
        raise KeyError(f"{folder} has no table {name}; it holds {', '.join(tables(folder)) or 'none'}")
    known = parts[0].attrs
    merged = pd.concat(parts, ignore_index=True)
    if target is not None:
        merged = merged.sort_values("_position", kind="stable", ignore_index=True)
        if column:
            rank = {position: row for row, position in enumerate(sorted(p for part in places for p in part))}
            merged[column] = merged["_position"].map(rank)
        merged = merged.drop(columns="_position")
    merged.index.name = "row"
    merged.attrs.update(known)
    return merged


def _read_file(path, name):
    with _open(path) as file:
        known = _objects(file, "table")
        table = known.get(name.strip("/"))
        if table is None:
            raise KeyError(f"{path} has no table {name}; it holds {', '.join(known) or 'none'}")
        frame = pd.DataFrame({key: _column(column) for key, column in table.items()}).set_index("row")
        frame.attrs["title"] = _text(table.attrs["title"])
        for attribute in ("units", "long_name"):
            frame.attrs[attribute] = {key: _text(column.attrs.get(attribute, ""))
                                      for key, column in table.items() if key != "row"}
        return frame


def is_sealed(path):
    """True when the seal at the file's end matches all bytes before it."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        left = os.fstat(file.fileno()).st_size - SEAL_BYTES
        while left > 0:
            block = file.read(min(left, 1 << 20))
            if not block:
                return False
            digest.update(block)
            left -= len(block)
        return file.read() == SEAL_PREFIX + digest.hexdigest().encode() + b"\n"


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if len(arguments) == 2:
            print(read_table(*arguments).to_string())
            return 0
        for name, title in tables(arguments[0]).items():
            print(f"{name:<24} {len(read_table(arguments[0], name)):>8} rows  {title}")
        for name, text in documents(arguments[0]).items():
            print(f"{name:<24} {len(text):>8} characters of text")
    except (OSError, NotATrace, KeyError) as error:
        print(f"read_trace: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 2 if isinstance(error, KeyError) else 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
