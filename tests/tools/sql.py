"""SQL cut into statements: enough for the fixtures, and by another hand than lockkeeper's, which is judged by it."""

import re

TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*.*?\*/ )
  | (?P<quoted>  '(?:[^']|'')*' | "(?:[^"]|"")*" | (?P<tag>\$\w*\$).*?(?P=tag) )
  | (?P<end>     ; )
  | (?P<space>   \s+ )
  | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)

BEGINS = re.compile(r"(begin|start transaction)\b", re.IGNORECASE)
ENDS = re.compile(r"(commit|end|rollback|abort)\b", re.IGNORECASE)


def statements(text):
    """The statements of a text, without comments and with single spaces."""
    found, words = [], []
    for token in TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "end":
            found.append("".join(words).strip())
            words = []
        elif kind in ("comment", "space"):
            words += [] if words[-1:] == [" "] else [" "]
        else:
            words.append(token.group())
    found.append("".join(words).strip())
    return [statement for statement in found if statement]


def controls(statement):
    """Whether it begins or ends a transaction."""
    return bool(BEGINS.match(statement) or ENDS.match(statement))
