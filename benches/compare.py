#!/usr/bin/env python3
"""Prints speed and memory of `lockkeeper lint` as a Markdown table, next to squawk where it is installed.

    python3 benches/compare.py [--squawk PATH] [--files 4000 | --folder FOLDER] [--runs 5]

Both lint the same files in the same run, taking turns; the median counts. CPU is user and system time of the process. Squawk installs
with `pip install squawk-cli`. Peak memory is the kernel's ru_maxrss, which has this script's own size as its floor.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--squawk", default=shutil.which("squawk"))
    arguments.add_argument("--files", type=int, default=4000)
    arguments.add_argument("--folder", type=pathlib.Path, help="small files of one's own instead of made-up ones")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--lockkeeper", help="a binary that is built already")
    options = arguments.parse_args()
    binary = options.lockkeeper or build("--bin", "lockkeeper")
    corpus = build("--example", "corpus")
    with tempfile.TemporaryDirectory() as folder:
        Comparison(binary, corpus, options, pathlib.Path(folder)).print()


def build(kind, name):
    subprocess.run(["cargo", "build", "--quiet", "--release", kind, name], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return str(target / "examples" / name if kind == "--example" else target / name)


class Run:
    """What a process took."""

    def __init__(self, command):
        begin = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        self.wall = time.monotonic() - begin
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / 1024
        self.code = os.waitstatus_to_exitcode(status)
        if self.code not in (0, 1):
            sys.exit(f"{' '.join(map(str, command[:6]))} ... ended with {self.code}")


class Median:
    def __init__(self, runs):
        for what in ("wall", "cpu", "memory"):
            setattr(self, what, statistics.median(getattr(run, what) for run in runs))


def take_turns(commands, runs):
    taken = [[] for _ in commands]
    for _ in range(runs):
        for command, into in zip(commands, taken):
            into.append(Run(command))
    return [Median(each) for each in taken]


class Comparison:
    def __init__(self, binary, corpus, options, folder):
        self.lint = [binary, "lint", "--format", "short", "--fail-on", "never"]
        # A file that is named alone would have the other benchmark files replayed as its history.
        self.alone = [*self.lint, "--no-history"]
        self.corpus = corpus
        self.options = options
        self.folder = folder

    def make(self, kind, size, name):
        path = self.folder / name
        subprocess.run([self.corpus, kind, str(size), str(path)], check=True)
        return path

    def print(self):
        print("| what | measured | goal | |")
        print("| --- | --- | --- | --- |")
        self.small_files()
        self.start()
        self.files_are_linear()
        self.big_file("one file of INSERTs", "inserts", 50_000_000)
        self.big_file("one file of definitions", "definitions", 20_000)
        self.file_is_linear()

    def row(self, what, measured, goal="", good=None):
        verdict = {None: "", True: "met", False: "**missed**"}[good]
        print(f"| {what} | {measured} | {goal} | {verdict} |", flush=True)

    def small_files(self):
        path = self.options.folder or self.make("history", self.options.files, "small")
        files = sorted(path.iterdir())
        size = sum(file.stat().st_size for file in files) / 1e6
        commands = [[*self.lint, path]]
        if self.options.squawk:
            commands.append([self.options.squawk, *files])
        ours, *theirs = take_turns(commands, self.options.runs)
        what = f"{len(files)} small files, {size:.1f} MB"
        self.row(f"{what}: CPU", f"{ours.cpu:.2f} s")
        self.row(f"{what}: wall", f"{ours.wall:.2f} s")
        self.row(f"{what}: peak memory", f"{ours.memory:.0f} MiB", "64 MiB", ours.memory < 64)
        for squawk in theirs:
            cpu, wall = ours.cpu / squawk.cpu, ours.wall / squawk.wall
            self.row("the same by squawk: CPU, wall, peak memory", f"{squawk.cpu:.2f} s, {squawk.wall:.2f} s, {squawk.memory:.0f} MiB")
            self.row("CPU as a share of squawk's", f"{cpu:.2f}", "0.35", cpu <= 0.35)
            self.row("wall as a share of squawk's", f"{wall:.2f}", "0.35", wall <= 0.35)

    def start(self):
        path = self.make("history", 1, "one")
        ours, true = take_turns([[*self.lint, path], [shutil.which("true")]], 20 * self.options.runs)
        limit = 3 * true.wall + 0.005
        self.row("one small file, start to exit", f"{ours.wall * 1e3:.1f} ms", f"{limit * 1e3:.1f} ms: 3 × `true` + 5 ms", ours.wall <= limit)

    def files_are_linear(self):
        counts = [self.options.files // 4, self.options.files, self.options.files * 5 // 2]
        cpu = [take_turns([[*self.lint, self.make("history", count, f"history-{count}")]], self.options.runs)[0].cpu for count in counts]
        each = [1e6 * total / count for total, count in zip(cpu, counts)]
        self.row(f"CPU per file at {', '.join(map(str, counts))} files", ", ".join(f"{time:.0f} µs" for time in each), "the same", each[-1] < 1.5 * each[0])

    def big_file(self, what, kind, size):
        path = self.make(kind, size, f"{kind}.sql")
        megabytes = path.stat().st_size / 1e6
        ours, = take_turns([[*self.alone, path]], min(self.options.runs, 3))
        times = ours.memory * 1.048576 / megabytes
        self.row(f"{what}, {megabytes:.0f} MB: CPU, wall", f"{ours.cpu:.2f} s, {ours.wall:.2f} s", "finishes")
        self.row(f"{what}: peak memory", f"{ours.memory:.0f} MiB, {times:.1f} × the file", "4 × the file", times <= 4)

    def file_is_linear(self):
        counts = [5_000, 20_000]
        cpu = [take_turns([[*self.alone, self.make("definitions", count, f"d{count}.sql")]], min(self.options.runs, 3))[0].cpu for count in counts]
        each = [1e6 * total / count for total, count in zip(cpu, counts)]
        self.row("CPU per statement at 5,000 and 20,000 in a file", ", ".join(f"{time:.0f} µs" for time in each), "the same", each[-1] < 1.5 * each[0])


if __name__ == "__main__":
    main()
