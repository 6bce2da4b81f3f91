#!/usr/bin/env python3
"""Writes src/model/generated/volatility.rs from pg_proc of running servers: the volatility of each function that SQL can call.

    tests/measure_volatility.py 12=/run/pg12 14=/run/pg14 ...

Each argument is a major version and the folder of its socket. In each server every extension that it has is made in a database `extensions`.
The column of a major that is not named stays as the file has it; 19 follows 18 until it is named; of a function that no named server's
core has, 13 says nothing unless 12 and 14 agree.
"""
import pathlib
import re
import subprocess
import sys

FILE = pathlib.Path(__file__).parent.parent / "src/model/generated/volatility.rs"
MAJORS = range(12, 20)
# The most volatile overload. What takes `internal` or `cstring`, or gives a trigger, no expression can call.
QUERY = """
    SELECT proname, max(provolatile::text COLLATE "C"), bool_or(oid::int8 < 16384) FROM pg_proc
    WHERE prokind IN ('f', 'w') AND NOT proargtypes::oid[] && ARRAY['internal', 'cstring']::regtype[]::oid[]
      AND prorettype <> ALL (ARRAY['trigger', 'event_trigger', 'internal', 'language_handler']::regtype[]) GROUP BY 1"""


def ask(socket, database, sql):
    command = ["psql", "-h", socket, "-U", "postgres", "-XAtqF", "|", "-d", database, "-c", sql]
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


def measure(socket):
    ask(socket, "postgres", "DROP DATABASE IF EXISTS extensions")
    ask(socket, "postgres", "CREATE DATABASE extensions")
    for name in ask(socket, "postgres", "SELECT name FROM pg_available_extensions WHERE name NOT LIKE 'pl%'"):
        ask(socket, "extensions", f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE')
    rows = [line.split("|") for line in ask(socket, "extensions", QUERY)]
    return {name: (letter, core == "t") for name, letter, core in rows}, ask(socket, "postgres", "SHOW server_version")[0].split()[0]


def main():
    text = FILE.read_text()
    old = {name: letters * 8 if len(letters) == 1 else letters for name, letters in re.findall(r'\("([^"]+)", "([isv-]+)"\)', text)}
    measured = {int(major): measure(socket) for major, socket in (argument.split("=") for argument in sys.argv[1:])}
    core = {name for functions, _ in measured.values() for name, (_, is_core) in functions.items() if is_core}
    rows = {}
    for name in sorted(old.keys() | {name for functions, _ in measured.values() for name in functions}, key=str.encode):
        letters = list(old.get(name, "-" * 8))
        for major, (functions, _) in measured.items():
            letters[major - 12] = functions.get(name, ("-",))[0]
        if 13 not in measured and name not in core:
            letters[1] = letters[0] if letters[0] == letters[2] else "-"
        if 19 not in measured:
            letters[7] = letters[6]
        if set(letters) != {"-"}:
            rows[name] = "".join(letters)
    releases = dict(re.findall(r"(\d+) from ([\d.]+\d)", text)) | {str(major): release for major, (_, release) in measured.items()}
    if 19 not in measured:
        releases["19"] = releases["18"]
    with FILE.open("w") as out:
        out.write("//! Written by tests/measure_volatility.py from pg_proc; do not edit.\n//!\n")
        out.write("//! One letter for each major from 12 to 19 (`i`mmutable, `s`table, `v`olatile, `-` no such function), or one letter for all of them.\n")
        out.write("//! Columns: " + ", ".join(f"{major} from {releases[str(major)]}" for major in MAJORS) + ", each with contrib.\n\n")
        out.write("/// Function names, sorted by their bytes, with their volatility.\n#[rustfmt::skip]\n")
        out.write("pub(in crate::model) static VOLATILITY: &[(&str, &str)] = &[\n")
        for name, letters in rows.items():
            out.write(f'    ("{name}", "{letters[0] if len(set(letters)) == 1 else letters}"),\n')
        out.write("];\n")


main()
