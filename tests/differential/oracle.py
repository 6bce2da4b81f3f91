"""Compares the output of `examples/recognise.rs` with PostgreSQL's own grammar.

Prints agree/total for statement boundaries, statement kinds and ALTER TABLE subcommands, and each disagreement.
Exit code 1 if there is any.
"""

import collections
import json
import sys

from kinds import alter_words, statement_words
from pglast import parser

COMMENTS = ("SQL_COMMENT", "C_COMMENT")

# Where the grammar says yes and the server no.
KNOWN = {
    "PREPARE p1 AS SELECT $1a": "pglast's scanner is softer on parameters than the server's",
    "CREATE SEQUENCE sequence_testx OWNED BY nobody": "the server: invalid OWNED BY option",
    "DECLARE foo CURSOR FOR SELECT 1 INTO int4_tbl": "the server: SELECT ... INTO is not allowed here",
    "SELECT * FROM (SELECT 1 INTO f) bar": "the server: SELECT ... INTO is not allowed here",
}


def main(path):
    tally = Tally()
    for line in open(path):
        record = json.loads(line)
        compare_file(record["file"], record["statements"], tally)
    return tally.report()


class Tally:
    """What was compared, and where the two differ."""

    def __init__(self):
        self.agree = collections.Counter()
        self.total = collections.Counter()
        self.differ = collections.defaultdict(list)
        self.known = 0
        self.refused = 0
        self.refused_by_us = 0

    def compare(self, what, ours, theirs, where, same=None):
        self.total[what] += 1
        if ours == theirs if same is None else same:
            self.agree[what] += 1
        else:
            self.differ[what].append(f"{where}\n    ours:   {ours}\n    theirs: {theirs}")

    def report(self):
        for what, differ in self.differ.items():
            print(f"\n{what}:")
            for line in differ:
                print(f"  {line}")
        print()
        for what in self.total:
            print(f"{what}: {self.agree[what]}/{self.total[what]}")
        print(f"refused by PostgreSQL's grammar and not compared: {self.refused}, of these unreadable for us, too: {self.refused_by_us}")
        print(f"known to differ and not compared: {self.known}")
        return 1 if self.differ else 0


def compare_file(path, statements, tally):
    # Bytes beyond ASCII are letters of names to the scanner; as `z` they keep offsets in bytes and in characters equal.
    raw = open(path, "rb").read()
    text = bytes(byte if byte < 0x80 else ord("z") for byte in raw).decode("ascii").replace("\0", " ")
    accepted = []
    whole = [" "] * len(text)
    for statement in statements:
        start, end = statement["start"], statement["end"]
        if statement["operations"] and statement["operations"][0]["kind"] == "psql_command":
            continue
        where = f"{path}:{text.count(chr(10), 0, start) + 1}: {' '.join(text[start:end].split())[:160]}"
        if text[start:end] in KNOWN:
            tally.known += 1
            continue
        trees = parse(text[start:end])
        if trees is None:
            tally.refused += 1
            tally.refused_by_us += statement["reading"] == "unreadable"
            continue
        if not trees:
            continue  # The empty place where data of a COPY should have ended.
        tally.compare("one statement each", 1, len(trees), where)
        accepted.append((start, end))
        whole[start:end] = text[start:end]
        if end < len(text):
            whole[end] = ";"
        compare_reading(trees[0]["stmt"], statement, where, tally)
    compare_boundaries(path, "".join(whole), accepted, tally)
    if (trees := parse(text)) is not None:
        ours = [(s["start"], s["end"]) for s in statements]
        tally.compare("boundaries of untouched files", ours, boundaries(text, trees), path)


def parse(text):
    try:
        return json.loads(parser.parse_sql_json(text))["stmts"] if text.strip() else []
    except (parser.ParseError, ValueError):
        return None


def compare_boundaries(path, text, accepted, tally):
    """What PostgreSQL refuses is blank in `text`; the rest has to be cut at the same places in one go."""
    trees = parse(text)
    if trees is None:
        tally.compare("boundaries", "accepted one by one", "refused as a whole", path)
        return
    theirs = boundaries(text, trees)
    for ours in accepted:
        tally.compare("boundaries", ours, None, path, same=ours in theirs)
    for place in sorted(set(theirs) - set(accepted)):
        tally.compare("boundaries", None, place, path)


def boundaries(text, trees):
    """From the first to the last token of each statement, comments left out."""
    tokens = [(t.start, t.end + 1) for t in parser.scan(text) if t.name not in COMMENTS]
    found = []
    at = 0
    for tree in trees:
        start = tree.get("stmt_location", 0)
        end = start + tree["stmt_len"] if "stmt_len" in tree else len(text)
        while at < len(tokens) and tokens[at][0] < start:
            at += 1
        first = at
        while at < len(tokens) and tokens[at][1] <= end:
            at += 1
        inside = [token for token in tokens[first:at] if text[token[0]] != ";" or token[0] != end]
        while inside and text[slice(*inside[-1])] == ";":
            inside.pop()
        found.append((inside[0][0], inside[-1][1]))
    return found


def compare_reading(node, statement, where, tally):
    operations = statement["operations"]
    words = statement_words(node)
    # CREATE TABLE is followed by its constraints; WITH and COPY (query) are preceded by what they change.
    own = operations[:1] + operations[-1:]
    fits = any(fit(operation, word) for operation in own for word in words)
    tally.compare("kinds", [describe(operation) for operation in own], words, where, same=fits)
    if (expected := alter_words(node)) is not None:
        listed = [operation for operation in operations if not operation["inline"]]
        same = len(listed) == len(expected) and all(fit(o, w) for o, w in zip(listed, expected))
        tally.compare("ALTER subcommands", [describe(o) for o in listed], expected, where, same=same)


def describe(operation):
    return f"{operation['kind']}: {operation['words']}" if operation["words"] else operation["kind"]


def fit(operation, word):
    """`word` is a kind, or `other: leading words`, of which the operation may say more or less."""
    kind, _, leading = word.partition(": ")
    if operation["kind"] != kind:
        return False
    said = operation["words"] or ""
    return not leading or said.startswith(leading) or leading.startswith(said) and said != ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
