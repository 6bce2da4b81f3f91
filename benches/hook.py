#!/usr/bin/env python3
"""How long `lockkeeper lint --staged` takes for one staged file in a repository of 1,000 migrations.

    cargo build --release && python3 benches/hook.py target/release/lockkeeper
"""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 15


def migration(number):
    table = f"table_{(number - 1) // 10}"
    if number % 10 == 1:
        return (
            f"SET lock_timeout = '2s';\nCREATE TABLE {table} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
            f"    buyer bigint NOT NULL,\n    note text\n);\nCREATE INDEX {table}_buyer_idx ON {table} (buyer);\n"
        )
    return (
        f"SET lock_timeout = '2s';\nALTER TABLE {table} ADD COLUMN c{number} text;\n"
        f"COMMENT ON COLUMN {table}.c{number} IS 'what the shop says of it in release {number}';\n"
    )


def median(command, directory):
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        times.append(time.perf_counter() - start)
    return f"{statistics.median(times) * 1000:.0f} ms"


def main():
    lockkeeper = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)

        def git(*arguments):
            subprocess.run(["git", "-c", "user.name=shop", "-c", "user.email=shop@example.org", *arguments], cwd=directory, check=True)

        git("init", "-q")
        (directory / "migrations").mkdir()
        for number in range(1, 1001):
            (directory / "migrations" / f"{number:04}_change.sql").write_text(migration(number))
        git("add", "-A")
        git("commit", "-q", "-m", "all")
        (directory / "migrations" / "1001_fresh.sql").write_text("SET lock_timeout = '2s';\nALTER TABLE table_3 ADD COLUMN fresh text;\n")
        git("add", "-A")
        print("process start (`--version`):", median([lockkeeper, "--version"], directory))
        staged = [lockkeeper, "lint", "--staged", "migrations/1001_fresh.sql"]
        print("one staged file, history in 1,000 loose objects:", median(staged, directory))
        git("gc", "-q")
        print("one staged file, history packed:", median(staged, directory))
        print("the same file from disk, without git:", median([lockkeeper, "lint", "migrations/1001_fresh.sql"], directory))


main()
