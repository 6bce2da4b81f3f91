"""A throw-away PostgreSQL that writes down every message it is sent, and in which transaction it ran."""

import csv
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

CSV_USER, CSV_DATABASE, CSV_VIRTUAL_TRANSACTION, CSV_SEVERITY, CSV_MESSAGE = 1, 2, 9, 11, 13


@dataclass(frozen=True)
class Message:
    """What a client sent at once. Messages of one transaction have the same `transaction`, whether it has written or not."""

    transaction: str
    text: str


def programs():
    """The folder of initdb and postgres: the one that is asked for, or the newest."""
    asked = os.environ.get("LOCKKEEPER_PG_BIN")
    found = [pathlib.Path(path) for path in asked.split(":")] if asked else []
    found += sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    found += [pathlib.Path(on_path).resolve().parent] if on_path else []
    return next(path for path in found if (path / "initdb").exists())


class Server:
    """Runs while it is entered."""

    def __enter__(self):
        self.bin = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lockkeeper-tools-"))
        # The server does not start as root.
        self.user = None
        if os.geteuid() == 0:
            names = [user.pw_name for user in pwd.getpwall()]
            self.user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(self.folder, self.user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", "data", "-U", "shop", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "logging_collector": "on",
            "log_destination": "csvlog",
            "log_directory": self.folder,
            "log_filename": "server.log",
            "log_rotation_size": 0,
            "log_statement": "all",
            "lc_messages": "C",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-D", "data", "-w", "-l", "start.log", "-o", options, "start")
        return self

    def __exit__(self, *_):
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program, *arguments):
        command = [self.bin / program, *arguments]
        result = subprocess.run(command, cwd=self.folder, user=self.user, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if result.returncode:
            raise SystemExit(f"{program} failed: {result.stderr}")

    def environment(self, database):
        """How tools are told of a database."""
        url = f"postgresql://shop@127.0.0.1:{self.port}/{database}"
        names = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "shop", "PGDATABASE": database}
        return {**os.environ, **names, "DATABASE_URL": url, "PGSSLMODE": "disable"}

    def ask(self, database, sql):
        """The answer of psql."""
        command = [self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]
        return subprocess.run(command, env=self.environment(database), check=True, capture_output=True, text=True).stdout.strip()

    def version(self):
        return self.ask("postgres", "SHOW server_version").split()[0]

    def messages(self, database):
        """Everything that was sent to a database so far, in order."""
        mark = f"read up to {time.monotonic_ns()}"
        self.ask("postgres", f"SELECT '{mark}'")
        rows = []
        # The log is written by another process of the server.
        while not any(mark in row[CSV_MESSAGE] for row in rows):
            time.sleep(0.05)
            with open(self.folder / "server.csv", newline="", encoding="utf-8", errors="replace") as log:
                rows = [row for row in csv.reader(log) if len(row) > CSV_MESSAGE]
        ours = (row for row in rows if row[CSV_DATABASE] == database and row[CSV_SEVERITY] == "LOG")
        return [message for message in map(_message, ours) if message]


def _message(row):
    head, colon, text = row[CSV_MESSAGE].partition(": ")
    is_sent = colon and (head == "statement" or head.startswith("execute "))
    return Message(row[CSV_VIRTUAL_TRANSACTION], text) if is_sent else None
