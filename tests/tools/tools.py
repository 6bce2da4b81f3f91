"""The tools: how each is found, asked for its version and let run, and how a migration is added to its project."""

import json
import os
import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable

import sql

HERE = pathlib.Path(__file__).resolve().parent

# What is added to find out what a failure leaves: a migration that works, and one whose second statement fails.
WORKS = ["CREATE TABLE before_it (id bigint)"]
FAILS = ["CREATE TABLE left_behind (id bigint)", "ALTER TABLE is_not_there ADD COLUMN note text"]


@dataclass
class Tool:
    """One row."""

    name: str
    """Of the folder in fixtures/tools, too."""
    program: str
    """What is looked for; a folder of node_modules for a library."""
    version: list
    up: list
    """What runs everything that is due, in the folder of the project."""
    add: Callable
    """Writes a migration: (project, place behind all others, name, statements, whether it asks to be left alone by transactions)."""
    alone: bool = True
    """Whether a migration can ask that."""
    others: tuple = ()
    """Folders with SQL that runs, too, and is no migration."""
    parts: Callable = lambda path, text: [(path, text)]
    """Cuts a file into what runs for itself: pairs of a name and a text."""
    early: tuple = ()
    """Files that lockkeeper judges although the tool does not run them yet: somebody is writing them."""
    config: str = ""
    """The lockkeeper.yaml of a project whose migrations are programs."""
    render: Callable = None
    """Where migrations are programs: pairs of a path and the SQL that the tool says it is, by (project, what runs a command)."""


def node_version(package):
    return ["node", "-p", f"JSON.parse(fs.readFileSync(process.env.NODE_PATH + '/{package}/package.json')).version"]


def ruby_version(package):
    return ["ruby", "-e", f"puts Gem::Specification.find_by_name('{package}').version"]


def lines(statements):
    return "".join(statement + ";\n" for statement in statements)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def add_sqlx(project, place, name, statements, alone):
    head = "-- no-transaction\n" if alone else ""
    write(project / f"migrations/{100 + place}_{name}.up.sql", head + lines(statements))
    write(project / f"migrations/{100 + place}_{name}.down.sql", "")


def add_refinery(project, place, name, statements, alone):
    write(project / f"migrations/V{100 + place}__{name}.sql", lines(statements))


def add_diesel(project, place, name, statements, alone):
    folder = project / f"migrations/2030-01-01-00000{place}_{name}"
    write(folder / "up.sql", lines(statements))
    write(folder / "down.sql", "SELECT 1;\n")
    if alone:
        write(folder / "metadata.toml", "run_in_transaction = false\n")


def add_dbmate(project, place, name, statements, alone):
    option = " transaction:false" if alone else ""
    write(project / f"db/migrations/9{place}_{name}.sql", f"-- migrate:up{option}\n{lines(statements)}\n-- migrate:down\n")


def add_node_pg_migrate(project, place, name, statements, alone):
    write(project / f"migrations/190000000000{place}_{name}.sql", "-- Up Migration\n" + lines(statements))


def add_postgres_migrations(project, place, name, statements, alone):
    taken = len(list((project / "migrations").iterdir()))
    head = "-- postgres-migrations disable-transaction\n" if alone else ""
    write(project / f"migrations/{taken + 1}_{name}.sql", head + lines(statements))


def add_drizzle(project, place, name, statements, alone):
    journal = project / "drizzle/meta/_journal.json"
    told = json.loads(journal.read_text())
    index, when = len(told["entries"]), 1900000000000 + place
    told["entries"].append({"idx": index, "version": "7", "when": when, "tag": f"{index:04}_{name}", "breakpoints": True})
    journal.write_text(json.dumps(told))
    write(project / f"drizzle/{index:04}_{name}.sql", ";\n--> statement-breakpoint\n".join(statements))


def add_sqitch(project, place, name, statements, alone):
    with open(project / "sqitch.plan", "a", encoding="utf-8") as plan:
        plan.write(f"{name} 2030-01-01T00:00:0{place}Z Anna <anna@shop.example> # tried\n")
    text = lines(statements)
    write(project / f"deploy/{name}.sql", text if alone else f"BEGIN;\n{text}COMMIT;\n")
    # A change whose deploy fails takes the others of the run back with it, as far as they can be.
    write(project / f"revert/{name}.sql", "DROP TABLE before_it;\n")
    write(project / f"verify/{name}.sql", "SELECT 1;\n")


def add_liquibase(project, place, name, statements, alone):
    option = " runInTransaction:false" if alone else ""
    write(project / f"changes/9{place}_{name}.sql", f"--liquibase formatted sql\n--changeset anna:{name}{option}\n{lines(statements)}")


def add_supabase(project, place, name, statements, alone):
    write(project / f"supabase/migrations/2030010100000{place}_{name}.sql", lines(statements))


def add_sql_migrate(project, place, name, statements, alone):
    option = " notransaction" if alone else ""
    write(project / f"migrations/9{place}-{name}.sql", f"-- +migrate Up{option}\n{lines(statements)}")


def changesets(path, text):
    cut = []
    for part in re.split(r"^--\s*changeset\s+", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        name, *options = head.split()
        for option in options:
            if option.startswith("endDelimiter:"):
                body = body.replace("\n" + option.partition(":")[2] + "\n", ";\n")
        cut.append((f"{path}#{name}", body))
    return cut


def add_alembic(project, place, name, statements, alone):
    versions = project / "migrations/versions"
    before = f"f{place - 1}" if place > 1 else "5d18b3c7f0e2"
    body = "".join(f"        op.execute({statement!r})\n" for statement in statements)
    block = "op.get_context().autocommit_block()" if alone else "contextlib.nullcontext()"
    head = f"import contextlib\nfrom alembic import op\nrevision = 'f{place}'\ndown_revision = {before!r}\n"
    write(versions / f"f{place}_{name}.py", f"{head}\ndef upgrade():\n    with {block}:\n{body}")


def render_alembic(project, run):
    by_revision = {path.name.split("_")[0]: str(path.relative_to(project)) for path in (project / "migrations/versions").glob("*.py")}
    pieces = re.split(r"^-- Running upgrade .*?-> (\w+)$", run(["alembic", "upgrade", "base:head", "--sql"]), flags=re.MULTILINE)[1:]
    return [(by_revision[revision], without_account(text)) for revision, text in zip(pieces[::2], pieces[1::2])]


def without_account(text):
    """What the account of the tool is sent is not the revision's, except where that is all."""
    own = [statement for statement in sql.statements(text) if "alembic_version" not in statement and not sql.controls(statement)]
    return lines(own) if own else text


def add_django(project, place, name, statements, alone):
    before = "0004_larger_payments" if place == 1 else f"010{place - 1}_{'works' if place == 2 else ''}"
    steps = "".join(f"migrations.RunSQL({statement!r})," for statement in statements)
    text = f"dependencies = [('sales', '{before}')]\n    atomic = {not alone}\n    operations = [{steps}]\n"
    write(project / f"sales/migrations/010{place}_{name}.py", f"from django.db import migrations\nclass Migration(migrations.Migration):\n    {text}")


def render_django(project, run):
    found = []
    for path in sorted(project.glob("*/migrations/0*.py")):
        app = path.parent.parent.name
        found.append((str(path.relative_to(project)), run(["python3", "manage.py", "sqlmigrate", app, path.stem])))
    return found


def add_rails(project, place, name, statements, alone):
    head = "  disable_ddl_transaction!\n" if alone else ""
    body = "".join(f"    execute {json.dumps(statement)}\n" for statement in statements)
    text = f"class {name.capitalize()} < ActiveRecord::Migration[6.1]\n{head}  def up\n{body}  end\nend\n"
    write(project / f"db/migrate/2030010100000{place}_{name}.rb", text)


RAILS = f"render: {{ command: [ruby, {HERE / 'rails_sql.rb'}], source: db/migrate/*.rb }}"


def render_rails(project, run):
    pieces = re.split(r"^-- lockkeeper: file (.*)$", run(["ruby", str(HERE / "rails_sql.rb")]), flags=re.MULTILINE)[1:]
    return list(zip(pieces[::2], pieces[1::2]))


def add_graphile_migrate(project, place, name, statements, alone):
    committed = project / "migrations/committed"
    taken = len(list(committed.iterdir()))
    head = f"--! Previous: sha1:{taken:040}\n--! Hash: sha1:{taken + 1:040}\n--! AllowInvalidHash\n"
    write(committed / f"{taken + 1:06}-{name}.sql", head + "\n" + ("--! no-transaction\n" if alone else "") + lines(statements))


def add_psql(project, place, name, statements, alone):
    write(project / f"changes/{100 + place}_{name}.sql", lines(statements))


TOOLS = [
    Tool("psql", "psql", ["psql", "--version"], ["sh", str(HERE / "psql.sh"), "changes"], add_psql, alone=False),
    Tool("sqlx", "sqlx", ["sqlx", "--version"], ["sqlx", "migrate", "run", "--no-dotenv"], add_sqlx),
    Tool("refinery", "refinery", ["refinery", "--version"], ["refinery", "migrate", "-e", "DATABASE_URL", "-p", "migrations"], add_refinery, alone=False),
    Tool("diesel", "diesel", ["diesel", "--version"], ["diesel", "migration", "run"], add_diesel),
    Tool("dbmate", "dbmate", ["dbmate", "--version"], ["dbmate", "migrate"], add_dbmate),
    Tool("node-pg-migrate", "node-pg-migrate", node_version("node-pg-migrate"), ["node-pg-migrate", "up"], add_node_pg_migrate, alone=False),
    Tool(
        "postgres-migrations",
        "node_modules/postgres-migrations",
        node_version("postgres-migrations"),
        ["node", str(HERE / "postgres_migrations.js"), "migrations"],
        add_postgres_migrations,
    ),
    Tool("drizzle", "drizzle-kit", ["drizzle-kit", "--version"], ["drizzle-kit", "migrate"], add_drizzle, alone=False),
    Tool("sqitch", "sqitch", ["sqitch", "--version"], ["sqitch", "deploy", "--target", "db:pg:"], add_sqitch, others=("verify",)),
    Tool("liquibase", "liquibase", ["liquibase", "--version"], ["liquibase", "update", "--url", "jdbc:postgresql://127.0.0.1:{PGPORT}/{PGDATABASE}", "--username", "shop"], add_liquibase, parts=changesets),
    Tool("supabase", "supabase", ["supabase", "--version"], ["supabase", "migration", "up", "--yes", "--db-url", "{DATABASE_URL}?sslmode=disable"], add_supabase, alone=False),
    Tool("sql-migrate", "sql-migrate", ["sql-migrate", "--version"], ["sql-migrate", "up", "-env", "shop"], add_sql_migrate),
    Tool(
        "graphile-migrate",
        "graphile-migrate",
        node_version("graphile-migrate"),
        ["graphile-migrate", "migrate"],
        add_graphile_migrate,
        early=("migrations/current.sql",),
    ),
    Tool("alembic", "alembic", ["alembic", "--version"], ["alembic", "upgrade", "head"], add_alembic, config="render: { tool: alembic }", render=render_alembic),
    Tool("django", "django-admin", ["django-admin", "--version"], ["python3", "manage.py", "migrate"], add_django, config="render: { tool: django }", render=render_django),
    Tool("rails", "rake", ruby_version("activerecord"), ["rake", "db:migrate"], add_rails, config=RAILS, render=render_rails),
]


def folders():
    return [pathlib.Path(path) for path in os.environ.get("LOCKKEEPER_TOOLS", "").split(":") if path]


def search_path():
    """PATH with the folders that were named before it."""
    return ":".join([*(str(folder) for folder in folders()), os.environ.get("PATH", "")])


def node_modules():
    """Where packages of Node.js lie: around the folders with programs."""
    around = [parent / "node_modules" for folder in folders() for parent in [folder, *folder.parents[:2]]]
    return next((path for path in around if path.is_dir()), None)


def installed(tool):
    """Whether it is there, and can say which version it is."""
    packages = node_modules()
    if tool.program.startswith("node_modules/"):
        found = packages and (packages.parent / tool.program).is_dir()
    else:
        found = shutil.which(tool.program, path=search_path())
    if not found:
        return False
    environment = {**os.environ, "PATH": search_path(), "NODE_PATH": str(packages)}
    return subprocess.run(tool.version, env=environment, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
