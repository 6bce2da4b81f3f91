#!/usr/bin/env python3
"""Writes volatility.rs: how volatile PostgreSQL's functions are, by name and major version.

Run it as an ordinary user (initdb refuses root), one argument for each installed server, and `--contrib MAJOR` for the one whose
extensions are read:

    python3 src/model/generated/volatility.py --contrib 15 12=/opt/pg12/bin 15=/usr/lib/postgresql/15/bin ... > src/model/generated/volatility.rs

The table holds the most volatile overload of each function that SQL can call by name. A major that is not given is filled from the
nearest older one, else the nearest newer one; the file's head says from which server each column comes.
"""

import glob
import os
import subprocess
import sys
import tempfile

MAJORS = range(12, 20)

QUERY = """
COPY (SELECT p.proname, max(CASE p.provolatile WHEN 'i' THEN 0 WHEN 's' THEN 1 ELSE 2 END)
      FROM pg_proc p
      WHERE p.prokind IN ('f', 'w')
        AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'event_trigger'::regtype)
        AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a(t) WHERE a.t IN ('internal'::regtype, 'cstring'::regtype))
        AND {of_extension} EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      GROUP BY 1) TO '{out}'
"""


def read(bindir, contrib):
    """The built-in functions of a server, or those of its extensions: name -> 0, 1, 2; and its version."""
    with tempfile.TemporaryDirectory() as home:
        data, out = os.path.join(home, "data"), os.path.join(home, "out.tsv")
        subprocess.run([os.path.join(bindir, "initdb"), "-D", data, "-A", "trust", "-E", "UTF8", "--no-locale"],
                       check=True, stdout=subprocess.DEVNULL)
        commands = []
        if contrib:
            share = subprocess.run([os.path.join(bindir, "pg_config"), "--sharedir"], check=True, capture_output=True, text=True).stdout.strip()
            for control in sorted(glob.glob(os.path.join(share, "extension", "*.control"))):
                name = os.path.basename(control).removesuffix(".control")
                commands.append(f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE')
        commands.append(" ".join(QUERY.format(out=out, of_extension="" if contrib else "NOT").split()))
        subprocess.run([os.path.join(bindir, "postgres"), "--single", "-j", "-D", data, "postgres"],
                       input=";\n\n".join(commands) + ";\n\n", check=True, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        version = subprocess.run([os.path.join(bindir, "postgres"), "--version"], check=True, capture_output=True, text=True).stdout.split()[2]
        with open(out) as rows:
            return {name: int(level) for name, level in (row.rstrip("\n").split("\t") for row in rows)}, version


def main():
    arguments = sys.argv[1:]
    contrib_major = int(arguments.pop(arguments.index("--contrib") + 1)) if "--contrib" in arguments else None
    servers = {int(major): bindir for major, bindir in (a.split("=", 1) for a in arguments if a != "--contrib")}
    found = {major: read(bindir, False) for major, bindir in sorted(servers.items())}
    extra, _ = read(servers[contrib_major], True) if contrib_major else ({}, None)

    def source(major):
        older, newer = [m for m in found if m <= major], [m for m in found if m > major]
        return max(older) if older else min(newer)

    columns = [source(major) for major in MAJORS]
    names = sorted({name for functions, _ in found.values() for name in functions} | set(extra), key=str.encode)
    print("//! Written by volatility.py from pg_proc; do not edit.")
    print("//!")
    print("//! One letter for each major from 12 to 19 (`i`mmutable, `s`table, `v`olatile, `-` no such function), or one letter for all of them.")
    print("//! Columns: " + ", ".join(f"{m} from {found[c][1]}" for m, c in zip(MAJORS, columns))
          + (f"; contrib from {found[contrib_major][1]}" if contrib_major else "") + ".")
    print()
    print("/// Function names, sorted by their bytes, with their volatility.")
    print("#[rustfmt::skip]")
    print("pub(in crate::model) static VOLATILITY: &[(&str, &str)] = &[")
    for name in names:
        letters = "".join("isv"[level] if (level := found[c][0].get(name, extra.get(name))) is not None else "-"
                          for c in columns)
        print(f'    ("{name}", "{letters[0] if len(set(letters)) == 1 else letters}"),')
    print("];")


main()
