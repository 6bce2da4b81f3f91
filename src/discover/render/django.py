# Runs in `manage.py shell -c`. Prints the SQL of all migrations in the order in which Django runs them, without a database.
import ast
import inspect
import sys

from django.db import connections
from django.db.migrations.loader import MigrationLoader


ASKS = "Django asks the database how things are called, and there is more SQL than this"
asked = []


class NeedsDatabase(Exception):
    pass


class Nothing:
    """A cursor of an empty database."""

    def __enter__(self):
        return self

    def __exit__(self, *about):
        return False

    def __iter__(self):
        return iter(())

    def execute(self, *query):
        pass

    def fetchone(self):
        return None

    def fetchall(self):
        return []


def constraints(*arguments, **options):
    """None is known, and it is noted that somebody wanted to know."""
    asked.append(arguments)
    return {}


def refuse(*arguments, **options):
    raise NeedsDatabase


def lines_of(path):
    """The lines of the operations of a file, in their order."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            for part in node.body:
                named = isinstance(part, ast.Assign) and any(getattr(target, "id", "") == "operations" for target in part.targets)
                if named and isinstance(part.value, (ast.List, ast.Tuple)):
                    return [element.lineno for element in part.value.elts]
    return []


def say(text):
    sys.stdout.write(text + "\n")


def program(words):
    """Stands for what no SQL tells: a step that is Python."""
    say("DO LANGUAGE python '%s';" % " ".join(words.split()).replace("'", "''"))


def show(editor, line, run):
    """Runs something and prints the SQL that comes of it."""
    before = len(editor.collected_sql)
    asked.clear()
    try:
        run()
        return ASKS if asked else ""
    except (NeedsDatabase, ValueError) as why:
        if isinstance(why, ValueError) and not asked:
            raise
        return ASKS
    finally:
        say("-- lockkeeper: line %d" % line)
        for sql in editor.collected_sql[before:]:
            say(sql)


def migrate(connection, migration, state):
    path = inspect.getsourcefile(inspect.getmodule(type(migration)))
    lines = lines_of(path)
    say("-- lockkeeper: file %s" % path)
    deferred_by = {}
    # Whether there is a transaction is said here: to open one would be to connect.
    editor = connection.schema_editor(collect_sql=True, atomic=False)
    editor.atomic_migration = migration.atomic
    editor.deferred_sql = []
    # A value is put into a text as the driver would, which wants a connection for it.
    quoted = lambda values: tuple(editor.quote_value(value).replace("%%", "%") for value in values)
    connection.ops.compose_sql = lambda sql, values: sql % quoted(values)
    if migration.atomic:
        say("BEGIN;")
    for number, operation in enumerate(migration.operations):
        line = lines[number] if number < len(lines) else 1
        old = state.clone()
        operation.state_forwards(migration.app_label, state)
        alone = bool(operation.atomic) and not migration.atomic
        if alone:
            say("BEGIN;")
        if operation.reduces_to_sql:
            why = show(editor, line, lambda: operation.database_forwards(migration.app_label, editor, old, state))
        else:
            say("-- lockkeeper: line %d" % line)
            why = "a program, of which there is no SQL"
        if why:
            program("%s: %s" % (operation.describe(), why))
        if alone:
            say("COMMIT;")
        for sql in editor.deferred_sql:
            deferred_by.setdefault(id(sql), line)
    for sql in list(editor.deferred_sql):
        show(editor, deferred_by.get(id(sql), 1), lambda: editor.execute(sql))
    if migration.atomic:
        say("COMMIT;")
    return state


def main():
    connection = connections["default"]
    if connection.vendor != "postgresql":
        sys.exit("the database of these settings is no PostgreSQL, but %s" % connection.vendor)
    # What Django would ask a server for.
    connection.pg_version = PG_VERSION
    connection.cursor = lambda *arguments, **options: Nothing()
    connection.ensure_connection = lambda: None
    for name in dir(connection.introspection):
        if name.startswith("get_") and name.endswith(("s", "column", "list", "description")):
            setattr(connection.introspection, name, refuse)
    connection.introspection.get_constraints = constraints
    loader = MigrationLoader(None)
    state = loader.project_state([])
    plan, seen = [], set()
    for leaf in loader.graph.leaf_nodes():
        for node in loader.graph.forwards_plan(leaf):
            if node not in seen:
                seen.add(node)
                plan.append(loader.graph.nodes[node])
    for migration in plan:
        state = migrate(connection, migration, state)


main()
