"""What a server saw of a project: which files ran, in which order, and which of their statements shared a transaction."""

import itertools
import sql
from dataclasses import dataclass


@dataclass
class Seen:
    """One file, or one part of it."""

    path: str
    transaction: str
    first: int
    """The place of its first message among all."""
    transactions: list
    """Those of the server in which its statements ran."""
    statements: int
    left_out: int
    """Statements of the file that were not sent: those of its way back, or none."""
    shares: bool = False
    """Whether it shares a transaction with the file before."""


def files(texts, messages):
    """`texts`: pairs of a path and its text. Those of which nothing was sent are left out."""
    cut = [sql.statements(message.text) for message in messages]
    sent = {}
    for index, found in enumerate(cut):
        for statement in found:
            sent.setdefault(statement, index)
    begun = {message.transaction for message, found in zip(messages, cut) if any(sql.BEGINS.match(one) for one in found)}
    seen, owners = [], {}
    for path, text in texts:
        own = sql.statements(text)
        work = [statement for statement in own if not sql.controls(statement)]
        ran = [sent[statement] for statement in work if statement in sent]
        for statement in set(work) & sent.keys():
            if owners.setdefault(statement, path) != path:
                raise SystemExit(f"nobody can tell whose this is, that of {path} or of {owners[statement]}: {statement}")
        if ran:
            transaction = mode(own, [messages[index] for index in ran], begun)
            used = list(dict.fromkeys(messages[index].transaction for index in ran))
            seen.append(Seen(path, transaction, min(ran), used, len(ran), len(work) - len(ran)))
    # Two files that were sent as one message stand in it in the order in which they came.
    seen.sort(key=lambda file: file.first)
    for before, file in itertools.pairwise(seen):
        file.shares = before.transactions[-1] == file.transactions[0] and file.transaction != "one-message"
    return seen


def mode(own, ran, begun):
    """How the statements of a file were put into transactions, in the words of `lockkeeper lint --format json`; `alone` for a single one
    outside of a block, for which two of these words are right."""
    transactions = {message.transaction for message in ran}
    in_block = transactions & begun
    if in_block and any(sql.BEGINS.match(statement) for statement in own):
        return "explicit"
    if in_block:
        return "runner" if len(transactions) == 1 else "several"
    if len(ran) == 1:
        return "alone"
    return "one-message" if len(transactions) == 1 else "none"


def whole(files):
    """The files, where only parts of them were measured: `none` for a file whose parts do not all run in the same way."""
    joined = {}
    for file in files:
        path = file["path"].partition("#")[0]
        before = joined.get(path)
        same = before is None or before["transaction"] == file["transaction"]
        joined[path] = {**(before or file), "path": path, "transaction": file["transaction"] if same else "none"}
    return list(joined.values())


def agrees(said, seen):
    """Whether lockkeeper's word is right for what was seen."""
    return said == seen or seen == "alone" and said in ("none", "one-message")
