#!/usr/bin/env python3
"""Measures what statements lock, rewrite, scan and build: rows in the format of fixtures/lock-truth.json.

    tests/measure_locks.py fixtures/lock-truth-more.txt 15='postgresql:///scratch?host=/run/pg15&port=5415' ... > fixtures/lock-truth-more.json

FORMS.txt holds blocks of three lines, `id: target`, setup, statement, with an empty line between blocks. Each server is given by its major
version and the connection string of a scratch database, for a superuser; it needs the extension citext. The statement runs in an open
transaction; a second session reads pg_locks meanwhile; then everything is rolled back.
"""
import json, os, subprocess, sys, tempfile

RELATIONS = """SELECT c.oid, n.nspname = 'lt' AS here, c.relname, c.relkind, c.relfilenode, pg_relation_size(c.oid), c.reltuples::bigint, c.relpages,
  coalesce(pg_stat_get_xact_numscans(c.oid), 0), coalesce(pg_stat_get_xact_tuples_returned(c.oid), 0)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('lt', 'lt2') AND c.relkind IN ('r','p','v','m','S','i','I')"""
LOCKS = """SELECT c.relname, c.relkind, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE l.pid = $PID AND n.nspname IN ('lt', 'lt2')"""
MODES = ["AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"]
WORDS = ["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]

def psql(dsn, script):
    return subprocess.run(["psql", dsn, "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1"], input=script, text=True, capture_output=True)

def measure(dsn, setup, sql, target):
    rows = setup.replace("{n}", "10000")
    made = psql(dsn, "SET client_min_messages = error; DROP SCHEMA IF EXISTS lt CASCADE; DROP SCHEMA IF EXISTS lt2 CASCADE; CREATE SCHEMA lt;"
                     f" SET search_path = lt, public; {rows}; \nVACUUM (ANALYZE);")
    if made.returncode: return {"error": "in the setup: " + made.stderr.strip()}
    with tempfile.TemporaryDirectory() as d:
        p = lambda name: os.path.join(d, name)
        done = psql(dsn, f"""SET client_min_messages = error; SET search_path = lt, public; SET timezone = 'UTC';
\\o {p('before')}
{RELATIONS};
\\o
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
BEGIN;
{sql};
\\! psql '{dsn}' -XqAt -F '	' -c "{' '.join(LOCKS.split())}" > {p('locks')}
\\o {p('after')}
{RELATIONS};
\\o
ROLLBACK;
""")
        if done.returncode: return {"error": done.stderr.strip()}
        read = lambda name: [line.split("\t") for line in open(p(name)).read().splitlines() if line]
        before, after, locks = read("before"), read("after"), read("locks")
    known = {r[2]: r for r in before}
    by_oid = {r[0]: r for r in after}
    by_name = {(r[1], r[2]): r for r in after}
    out = {"table_lock": None, "other_locks": {}, "index_locks": {}, "rewrites_table": False, "rewrites_other": [], "scans_table": False,
           "scans_other": [], "rebuilds_indexes": [], "builds_indexes": [], "in_transaction_ok": True, "error": None}
    strongest = {}
    for name, kind, mode in locks:
        if name in known: strongest[name, kind] = max(strongest.get((name, kind), 0), MODES.index(mode))
    for (name, kind), mode in sorted(strongest.items()):
        if kind in "iI":
            if mode >= 3: out["index_locks"][name] = WORDS[mode]
        elif name == target: out["table_lock"] = WORDS[mode]
        else: out["other_locks"][name] = WORDS[mode]
    for row in sorted(before, key=lambda r: r[2]):
        oid, here, name, kind, file, _, tuples, pages, *_ = row
        now = by_oid.get(oid) or by_name.get((here, name))
        if not now: continue
        if kind in "i" and now[4] != file and now[4] != "0": out["rebuilds_indexes"].append(name)
        if kind in "rm":
            if now[4] != file and int(now[5]) > 0:
                if name == target: out["rewrites_table"] = True
                else: out["rewrites_other"].append(name)
            if int(now[8]) > 0 and int(tuples) > 0 and int(now[9]) >= int(tuples):
                if name == target: out["scans_table"] = True
                else: out["scans_other"].append(name)
    out["builds_indexes"] = sorted(r[2] for r in after if r[3] == "i" and r[2] not in known and r[0] not in {b[0] for b in before})
    return out

def main():
    servers = dict(a.split("=", 1) for a in sys.argv[2:])
    rows = []
    for block in open(sys.argv[1]).read().split("\n\n"):
        lines = [l for l in block.strip().split("\n") if not l.startswith("#")]
        if len(lines) < 3: continue
        ident, target = lines[0].split(": ")
        versions = {v: measure(dsn, lines[1], lines[2], target) for v, dsn in servers.items()}
        for m in versions.values():
            if m["error"]: m["error"] = m["error"].split("ERROR:")[-1].strip().split("\n")[0]
        rows.append({"id": ident, "group": "more", "target": target, "sql": lines[2], "setup": lines[1], "session": ["SET timezone = 'UTC'"], "versions": versions})
    print("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows) + "\n]")

main()
