"""What a Python file does, without what is only said in it: for digests that no comment changes."""

import io
import tokenize
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b

# Modules that decide no result: they check parameters and families, say which messages are left out, compute digests.
IDLE = ("yt8m.settings", "yt8m.models.contract", "yt8m.core.startup", "yt8m.core.source", "yt8m.core.lifeline")
# What may stand before a statement and is none itself.
_BEFORE = {tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
_SILENT = {tokenize.NL, tokenize.COMMENT}


@cache
def essence(source: bytes) -> str:
    """The text of a Python file without comments, docstrings and blank lines.

    The text is cut and not parsed: a syntax tree differs from one version of Python to the next, and so do a
    formatted string's tokens, which are all left as they are written.

    Raises:
        SyntaxError, tokenize.TokenError: where it cannot be cut into tokens.
    """
    tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    text = source.decode(tokens[0].string).removeprefix("\ufeff")  # tokens are counted without the mark
    lines = io.StringIO(text.replace("\r\n", "\n")).readlines()
    cuts = [*_comments(tokens), *_bare_strings(tokens)]
    for (row, column), (last_row, last_column) in sorted(cuts, reverse=True):
        kept = lines[row - 1][:column].rstrip() + lines[last_row - 1][last_column:]
        lines[row - 1 : last_row] = [kept, *[""] * (last_row - row)]
    blank = {token.start[0] for token in tokens if token.type == tokenize.NL}
    blank |= {row for (start, _), (end, _) in cuts for row in range(start, end + 1)}
    return "".join(line for row, line in enumerate(lines, 1) if row not in blank or line.strip())


def _comments(tokens: list[tokenize.TokenInfo]) -> Iterable[tuple[tuple[int, int], tuple[int, int]]]:
    """Where comments begin and end."""
    return ((token.start, token.end) for token in tokens if token.type == tokenize.COMMENT)


def _bare_strings(tokens: list[tokenize.TokenInfo]) -> Iterable[tuple[tuple[int, int], tuple[int, int]]]:
    """Where statements that are nothing but a string begin and end: docstrings, and others without an effect."""
    spoken = [token for token in tokens if token.type not in _SILENT]
    for before, token, after in zip(spoken, spoken[1:], spoken[2:], strict=False):
        plain = token.type == tokenize.STRING and "f" not in token.string.partition(token.string[-1])[0].lower()
        if before.type in _BEFORE and plain and after.type == tokenize.NEWLINE:
            yield token.start, token.end


def digest(*parts: str) -> str:
    """A short hash of texts."""
    found = blake2b(digest_size=8)
    for part in parts:
        found.update(blake2b(part.encode(), digest_size=16).digest())
    return found.hexdigest()
