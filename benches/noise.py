#!/usr/bin/env python3
"""How much lockkeeper says on real migrations.

    benches/noise.py DIR...               one directory of migrations for each project
    benches/noise.py --sample 50 DIR...   and so many findings drawn at random, to be read and judged by hand

Prints the share of files with an error, a warning, advice; the classes; and the rules that speak most often. Takes the release build if it
is there, else the one that LOCKKEEPER names.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import subprocess

root = pathlib.Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folders", nargs="+", metavar="DIR")
parser.add_argument("--sample", type=int, default=0, metavar="N")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--rule", help="draw only findings of this rule")
arguments = parser.parse_args()
lockkeeper = os.environ.get("LOCKKEEPER", root / "target/release/lockkeeper")

files = statements = unreadable = 0
with_severity = collections.Counter()
classes = collections.Counter()
rules = collections.Counter()
files_of_rule = collections.Counter()
findings = []
for folder in arguments.folders:
    run = subprocess.run([lockkeeper, "lint", "--format", "json", "--fail-on", "never", folder], stdout=subprocess.PIPE, check=False)
    report = json.loads(run.stdout)
    for problem in report["problems"]:
        print("problem:", problem["path"], problem["message"])
    of_project = collections.Counter()
    for migration in report["migrations"]:
        open_findings = [finding for finding in migration["findings"] if not finding["allowed"]]
        files += 1
        statements += len(migration["statements"])
        unreadable += sum(statement["reading"] == "unreadable" for statement in migration["statements"])
        classes[migration["class"]] += 1
        with_severity.update({finding["severity"] for finding in open_findings})
        of_project.update({finding["severity"] for finding in open_findings})
        rules.update((finding["rule"], finding["severity"]) for finding in open_findings)
        files_of_rule.update({finding["rule"] for finding in open_findings})
        findings += [(migration["path"], finding) for finding in open_findings]
    total = len(report["migrations"])
    print(f"{folder}: {total} files; with an error {of_project['error']}, a warning {of_project['warning']}, advice {of_project['advice']}")


def share(number):
    return f"{number} ({100 * number / max(files, 1):.1f} %)"


print(f"\n{files} files, {statements} statements, {unreadable} unreadable, {len(findings)} findings")
for severity in ["error", "warning", "advice"]:
    print(f"files with {severity}: {share(with_severity[severity])}")
for name, number in classes.most_common():
    print(f"{name}: {share(number)}")
print("\nmost frequent:")
for (rule, severity), number in rules.most_common(200 if arguments.sample == 0 and os.environ.get("ALL") else 10):
    print(f"  {number:5} {severity:8} {rule} in {files_of_rule[rule]} files")

if arguments.sample:
    drawn = [(path, finding) for path, finding in findings if arguments.rule in (None, finding["rule"])]
    random.Random(arguments.seed).shuffle(drawn)
    for number, (path, finding) in enumerate(drawn[: arguments.sample], 1):
        span = finding["span"]
        text = pathlib.Path(path).read_bytes()[span["start"] : span["end"]].decode(errors="replace")
        print(f"\n[{number}] {path}:{span['line']} {finding['severity']}[{finding['rule']}] ({finding['class']})")
        print(f"    {finding['message']}" + (f"  assumed: {', '.join(finding['assumed'])}" if finding["assumed"] else ""))
        print("    | " + text[:400].replace("\n", "\n    | "))
