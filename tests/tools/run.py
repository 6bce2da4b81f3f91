"""See run.sh."""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import observe
import sql
import tools
from server import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures/tools"
RECORD = FIXTURES / "measured.json"


def main():
    asked = argparse.ArgumentParser(description="lets migration tools run their fixtures, and compares")
    asked.add_argument("names", nargs="*", metavar="TOOL", help="only these tools")
    asked.add_argument("--measure", action="store_true", help="do not ask lockkeeper")
    asked.add_argument("--record", action="store_true", help="write what was measured into fixtures/tools/measured.json")
    asked.add_argument("--verbose", action="store_true", help="print what the tools print")
    asked = asked.parse_args()
    unknown = set(asked.names) - {tool.name for tool in tools.TOOLS}
    if unknown:
        asked.error(f"no tool is called {', '.join(sorted(unknown))}; there are {', '.join(tool.name for tool in tools.TOOLS)}")
    chosen = [tool for tool in tools.TOOLS if not asked.names or tool.name in asked.names]
    ready = [tool for tool in chosen if tools.installed(tool)]
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    differences = 0
    with Server() as server:
        print(f"PostgreSQL {server.version()}")
        for tool in ready:
            measured = {"on": f"{datetime.date.today()}", "postgres": server.version(), **measure(server, tool, asked.verbose)}
            record[tool.name] = measured
            print(f"{tool.name} {measured['version']}: {in_words(measured)}")
            said = {} if asked.measure else lockkeeper(server, tool)
            differences += report(observe.whole(measured["files"]), said, asked.measure)
    for tool in chosen:
        if tool not in ready:
            print(f"{tool.name}: not run: not installed")
    if asked.record:
        RECORD.write_text(as_text(record))
    print(f"{len(ready)} tools run, {len(chosen) - len(ready)} not installed, {differences} differences")
    sys.exit(1 if differences or not ready else 0)


def measure(server, tool, verbose):
    """Runs the project of a tool, and then, in databases of their own, the same with a migration that fails behind it."""
    with tempfile.TemporaryDirectory() as folder:
        database = named(tool, "as_it_is")
        project = copy(tool, pathlib.Path(folder))
        version = run(tool.version, project, tool_environment(server, tool, "postgres")).stdout
        new_database(server, database)
        new_database(server, named(tool, "rendered"))
        texts = migrations(tool, project, tool_environment(server, tool, named(tool, "rendered")))
        result = run(tool.up, project, tool_environment(server, tool, database))
        if verbose or result.returncode:
            print(result.stdout)
        if result.returncode:
            raise SystemExit(f"{tool.name} could not run its fixture")
        seen = observe.files(texts, server.messages(database))
    left = {"left_by_failure": failure(server, tool, False, verbose)}
    if tool.alone:
        left["left_by_failure_alone"] = failure(server, tool, True, verbose)
    files = [{"path": file.path, "transaction": file.transaction, "shares": file.shares} for file in seen]
    return {"version": first_number(version), "files": files, **left}


def failure(server, tool, alone, verbose):
    """What is there behind a migration whose second statement fails, and behind the one before it."""
    with tempfile.TemporaryDirectory() as folder:
        database = named(tool, "fails_alone" if alone else "fails")
        project = copy(tool, pathlib.Path(folder))
        tool.add(project, 1, "works", tools.WORKS, False)
        tool.add(project, 2, "fails", tools.FAILS, alone)
        new_database(server, database)
        result = run(tool.up, project, tool_environment(server, tool, database))
        if verbose:
            print(result.stdout)
        tables = ["users", "before_it", "left_behind"]
        there = [server.ask(database, f"SELECT to_regclass('{table}') IS NOT NULL") == "t" for table in tables]
        if not any("is_not_there" in message.text for message in server.messages(database)):
            raise SystemExit(f"{tool.name} did not come to the statement that fails:\n{result.stdout}")
        return {"run": there[0], "migration_before": there[1], "first_statement": there[2], "exit": result.returncode != 0}


def named(tool, what):
    """A database that no other tool has used: the log keeps what was sent to it."""
    return f"{tool.name}_{what}".replace("-", "_")


def migrations(tool, project, environment):
    """Pairs of a name and its SQL, in the order of the names."""
    if tool.render:
        return [(path, without_controls(text)) for path, text in tool.render(project, lambda command: run(command, project, environment).stdout)]
    paths = (path.relative_to(FIXTURES / tool.name) for path in sorted((FIXTURES / tool.name).rglob("*.sql")))
    chosen = [path for path in paths if path.parts[0] not in tool.others]
    return [part for path in chosen for part in tool.parts(str(path), (project / path).read_text())]


def without_controls(text):
    """The transactions that a tool writes into what it prints are its own, not the file's."""
    return "".join(statement + ";\n" for statement in sql.statements(text) if not sql.controls(statement))


def copy(tool, folder):
    project = folder / tool.name
    shutil.copytree(FIXTURES / tool.name, project)
    packages = tools.node_modules()
    if packages:
        (project / "node_modules").symlink_to(packages)
    return project


def new_database(server, name):
    server.ask("postgres", f"CREATE DATABASE {name}")


def tool_environment(server, tool, database):
    """How a tool is told where everything is."""
    environment = {**server.environment(database), "PATH": tools.search_path()}
    if tool.name == "alembic":
        environment["DATABASE_URL"] = environment["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
    packages = tools.node_modules()
    if packages:
        environment["NODE_PATH"] = str(packages)
    return environment


def run(command, folder, environment):
    program = shutil.which(command[0], path=environment["PATH"])
    words = [word.format(**environment) if "{" in word else word for word in command[1:]]
    return subprocess.run(
        [program, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def first_number(text):
    return next((word.strip("v,()") for word in text.split() if any(c.isdigit() for c in word) and "." in word), text.strip())


def lockkeeper(server, tool):
    """What lockkeeper says: the word for each file, in its order."""
    command = [os.environ["LOCKKEEPER"], "lint", "--format", "json", "--fail-on", "never", "."]
    with tempfile.TemporaryDirectory() as folder:
        project = FIXTURES / tool.name
        if tool.config:
            project = copy(tool, pathlib.Path(folder))
            (project / "lockkeeper.yaml").write_text(tool.config + "\n")
            command.append("--render")
        # A program that prints its SQL by running it needs a database of its own.
        new_database(server, named(tool, "said"))
        environment = tool_environment(server, tool, named(tool, "said"))
        result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    if result.returncode:
        print(f"  lockkeeper could not judge it:\n{result.stderr.strip() or result.stdout[-500:]}")
    migrations = json.loads(result.stdout or '{"migrations": []}')["migrations"]
    words = {migration["path"].removeprefix("./"): migration["transaction"] for migration in migrations}
    return {path: word for path, word in words.items() if path not in tool.early}


def as_text(record):
    """JSON with a line for each file, so that a difference can be read."""
    tools_in_words = []
    for name, measured in sorted(record.items()):
        files = ",\n".join("   " + json.dumps(file) for file in measured["files"])
        rest = json.dumps({key: value for key, value in measured.items() if key != "files"})
        tools_in_words.append(f' {json.dumps(name)}: {rest[:-1]}, "files": [\n{files}\n ]}}')
    return "{\n" + ",\n".join(tools_in_words) + "\n}\n"


def report(files, said, only_measured):
    """One line for each file; the number of those of which lockkeeper says something else."""
    differences = 0
    ours = list(said)
    for place, file in enumerate(files):
        path, seen = file["path"], file["transaction"]
        shared = ", with the file before" if file["shares"] else ""
        wrong = []
        if not only_measured and path not in said:
            wrong.append("lockkeeper does not run it")
        elif not only_measured:
            if not observe.agrees(said[path], seen):
                wrong.append(f"lockkeeper says {said[path]}")
            if ours.index(path) != place:
                wrong.append(f"lockkeeper runs it as number {ours.index(path) + 1}")
        differences += len(wrong)
        print(f"  {place + 1:2} {path}: {seen}{shared}" + "".join(f"; DIFFERENT: {one}" for one in wrong))
    for path in ours:
        if path not in [file["path"] for file in files]:
            differences += 1
            print(f"   - {path}: not run; DIFFERENT: lockkeeper runs it, {said[path]}")
    return differences


def in_words(measured):
    def left(what):
        if not what["exit"]:
            return "everything, and says nothing"
        if what["first_statement"]:
            return "its first statement"
        if what["migration_before"]:
            return "the migrations before it"
        return "nothing of the whole run" if not what["run"] else "nothing of this run's last part"

    words = f"a failure leaves {left(measured['left_by_failure'])}"
    if "left_by_failure_alone" in measured:
        words += f"; outside of a transaction, {left(measured['left_by_failure_alone'])}"
    return words


main()
