# Runs in `manage.py shell -c`. Prints the SQL of all migrations in the order in which Django runs them, without a database.
import ast
import inspect
import sys

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.models import AutoField, Index


ASKS = "Django asks the database how things are called, and there is more SQL than this"
asked = []
now = {}


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


def model_of(table):
    """The models before and behind the operation tell what there is."""
    models = (model for state in now["states"] for model in state.apps.get_models(include_auto_created=True))
    return next((model for model in models if model._meta.db_table == table), None)


def sequences(cursor, table, fields=()):
    model = model_of(table)
    if model is None:
        asked.append(table)
    own = [field.column for field in model._meta.local_concrete_fields if isinstance(field, AutoField)] if model else []
    return [{"name": "%s_%s_seq" % (table, column), "table": table, "column": column} for column in own]


def constraints(cursor, table):
    """What Django has made at a table, under the names that it gives."""
    model = model_of(table)
    if model is None:
        asked.append(table)
        return {}
    found = {}
    name = now["editor"]._create_index_name
    # What waits for the end of the migration is not made yet.
    waiting = " ".join(map(str, now["editor"].deferred_sql))

    def add(named, columns, **kind):
        if '"%s"' % named in waiting:
            return
        about = dict(primary_key=False, unique=False, foreign_key=None, check=False, index=False, definition=None, options=None)
        about.update(kind, columns=columns, orders=[], type=Index.suffix if kind.get("index") else None)
        found[str(named)] = about

    for field in model._meta.local_concrete_fields:
        column = field.column
        if field.remote_field and field.db_constraint:
            to = field.target_field
            suffix = "_fk_%s_%s" % (to.model._meta.db_table, to.column)
            add(name(table, [column], suffix=suffix), [column], foreign_key=(to.model._meta.db_table, to.column))
        if field.primary_key:
            add("%s_pkey" % table, [column], primary_key=True, unique=True, index=True)
        elif field.unique:
            add("%s_%s_key" % (table, column), [column], unique=True, index=True)
        elif field.db_index:
            add(name(table, [column]), [column], index=True)
        if (field.unique or field.db_index) and str(field.db_type(now["editor"].connection)).startswith(("varchar", "text")):
            add(name(table, [column], suffix="_like"), [column], index=True)
        if field.db_parameters(now["editor"].connection).get("check"):
            add("%s_%s_check" % (table, column), [column], check=True)
    for kind, suffix, unique in [("unique_together", "_uniq", True), ("index_together", "_idx", False)]:
        for together in getattr(model._meta, kind, ()):
            columns = [model._meta.get_field(field).column for field in together]
            add(name(table, columns, suffix=suffix), columns, unique=unique, index=True)
    return found


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
        now.update(states=[old, state], editor=editor)
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
    connection.introspection.get_sequences = sequences
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
