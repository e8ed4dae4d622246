"""What is left of a Python file's text: what it does, and nothing of what is only said."""

import ast
import io
import tokenize

import pytest

from tests.pipeline import ROOT
from yt8m.core.source import digest, essence

CODE = '''\
"""What the module is for."""

import os  # of the system

# A comment of its own,
# and another.


class Thing:
    """A thing.

    Attributes:
        size: in metres; "quoted", 'too'.
    """

    size = 3

    "Told about the attribute."

    def area(self, width=2):
        r"""Raw, with a \\d."""  # and a comment behind
        # before the code
        text = "# no comment" + '#' + f"{width:#x} # {self.size}"  # but this is one
        long = """first  # no comment

        # nor this

last"""
        rows = [
            1,  # one

            2,
        ]
        return text, long, rows
'''
ESSENCE = '''\
import os
class Thing:
    size = 3
    def area(self, width=2):
        text = "# no comment" + '#' + f"{width:#x} # {self.size}"
        long = """first  # no comment

        # nor this

last"""
        rows = [
            1,
            2,
        ]
        return text, long, rows
'''


def left(text: str) -> str:
    return essence(text.encode())


def test_comments_docstrings_and_blank_lines_are_left_out():
    assert left(CODE) == ESSENCE


def test_what_is_left_is_left_again():
    assert left(ESSENCE) == ESSENCE


# What is replaced in the code above, and by what.
SAID = [
    ("What the module is for.", "What else."),
    ('"""What the module is for."""\n', ""),
    ('"""What the module is for."""', '"""Of three\n\n# lines."""'),
    ("of the system", "of another system"),
    ("  # of the system", ""),
    ("# and another.\n", ""),
    ("# and another.\n", "# and another.\n\n\n# And one more: x = 5\n"),
    ("    size = 3\n", "    size = 3  # metres\n"),
    ("    size = 3\n", "\n\n    # metres\n    size = 3\n\n"),
    ('    "Told about the attribute."\n', ""),
    ("Told about", "Not told about"),
    ("Raw, with a", "Raw,\n        of two lines, with a"),
    ("  # and a comment behind", ""),
    ("        # before the code\n", "# before the code, and not indented\n"),
    ("  # but this is one", "  # f'{this}' too"),
    ("1,  # one\n", "1,\n"),
    ("1,  # one\n\n", "1,  # one\n            # none\n"),
    ("        return", "        # the end\n        return"),
    ("rows\n", "rows  # ü\n"),
    ("text, long, rows\n", "text, long, rows\n\n\n# end\n"),
    ("\n", "\r\n"),
]
DONE = [
    ("import os", "import sys"),
    ("size = 3", "size = 4"),
    ("size = 3", "size = '3'"),
    ("size = 3", "size = 3.0"),
    ("class Thing", "class Other"),
    ("width=2", "width=1"),
    ('"# no comment"', '"# not a comment"'),
    ('"# no comment"', '"no comment"'),
    ("'#'", "'# '"),
    ("# {self.size}", "# {self.height}"),
    ("# {self.size}", "## {self.size}"),
    ("width:#x", "width:x"),
    ('f"{width', 'rf"{width'),
    ("first  # no comment", "first"),
    ("first  # no comment\n\n", "first  # no comment\n"),
    ("first  # no comment\n\n", "first  # no comment\n\n\n"),
    ("        # nor this\n", ""),
    ("        # nor this\n", "    # nor this\n"),
    ("last", "  last"),
    ("            2,\n", ""),
    ("        return text", "    return text"),
    ("text, long, rows\n", "text, long, rows\n    other = area\n"),
    ("text, long, rows\n", 'text, long, rows, """said"""\n'),
    ("text, long, rows\n", 'text, long, rows,\\\n            """said"""\n'),
]


@pytest.mark.parametrize(("old", "new"), SAID)
def test_what_is_said_changes_nothing(old, new):
    assert old in CODE
    changed = CODE.replace(old, new)
    assert changed != CODE
    assert left(changed) == ESSENCE


@pytest.mark.parametrize(("old", "new"), DONE)
def test_what_is_done_changes_the_text(old, new):
    assert old in CODE
    changed = CODE.replace(old, new)
    ast.parse(changed)
    assert left(changed) != ESSENCE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\n\n  \n", ""),
        ("# alone", ""),
        ('"""alone"""', ""),
        ("x = 1", "x = 1"),
        ("x = 1  # last", "x = 1"),
        ("def f():\n    'said'\n", "def f():\n"),
        ("\n# é\nx = 'é'  # é\n", "x = 'é'\n"),
        ("x = 1; 'said'; y = 2\n", "x = 1; 'said'; y = 2\n"),
        ("'said'; x = 1\n", "'said'; x = 1\n"),
        ("'{}'.format(x())\n", "'{}'.format(x())\n"),
        ("'a' in x or y()\n", "'a' in x or y()\n"),
        ("f'{x}'\n", "f'{x}'\n"),
        ("x = (\n    'a'  # one\n\n    'b'\n)\n", "x = (\n    'a'\n    'b'\n)\n"),
        ("call(\n    'a'\n)\n", "call(\n    'a'\n)\n"),
        ("x = '''\n\n'''  # behind\ny = 1\n", "x = '''\n\n'''\ny = 1\n"),
        ("x = f'''{y}\n\n# {z}\n'''\n", "x = f'''{y}\n\n# {z}\n'''\n"),
        ("x = 'a\\\n\\\n# b'\n", "x = 'a\\\n\\\n# b'\n"),
        ("if x:\n    y()\n\n    # between\nelse:\n    'said'\n    z()\n", "if x:\n    y()\nelse:\n    z()\n"),
        ("\ufeffx = 1  # a mark before\n", "x = 1\n"),
        ("# -*- coding: latin-1 -*-\nx = 1\n", "x = 1\n"),
    ],
)
def test_texts(text, expected):
    assert left(text) == expected


def test_another_encoding_is_read_as_it_says():
    assert essence("# coding: latin-1\nx = 'é'  # ü\n".encode("latin-1")) == "x = 'é'\n"


@pytest.mark.parametrize("source", [b"x = (", b"if x:\n  y\n z\n", b"x = '\xff'\n"])
def test_no_python(source):
    with pytest.raises((SyntaxError, tokenize.TokenError)):
        essence(source)


SILENT = {tokenize.ENCODING, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
FILES = [*ROOT.glob("src/**/*.py"), *ROOT.glob("stages/*.py"), *ROOT.glob("tests/core/*.py")]


def statements(source: str) -> list[tuple[tuple[int, int], list[str]]]:
    """The lines of code, however many lines of text each has: where it begins, and its tokens."""
    found: list[tuple[tuple[int, int], list[str]]] = []
    begun = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in SILENT:
            continue
        if not begun:
            found.append((token.start, []))
        found[-1][1].append(token.string.rstrip("\n"))
        begun = token.type != tokenize.NEWLINE
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_projects_files_keep_their_code(path):
    """Every token, at its indentation, but for the strings that Python's own parser says are statements."""
    text = path.read_text(encoding="utf-8")
    bare = {
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str | bytes)
    }
    # Of strings side by side none is left out.
    expected = [(at[1], tokens) for at, tokens in statements(text) if at not in bare or any(tokens[1:])]
    found = essence(path.read_bytes())
    assert [(at[1], tokens) for at, tokens in statements(found)] == expected
    tokens = list(tokenize.generate_tokens(io.StringIO(found).readline))
    assert not any(token.type == tokenize.COMMENT for token in tokens)
    assert not any(token.type == tokenize.NL and not token.line.strip() for token in tokens)
    assert left(found) == found


def test_a_digest_tells_texts_and_their_borders_apart():
    parts = [("ab",), ("a", "b"), ("b", "a"), ("", "ab"), ("ab", ""), (), ("",), ("ä",)]
    found = [digest(*each) for each in parts]
    assert len(set(found)) == len(parts)
    assert found == [digest(*each) for each in parts]
    assert all(len(each) == 16 and set(each) <= set("0123456789abcdef") for each in found)
