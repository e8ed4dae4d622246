"""That documents say what is there: every command is one that its program takes, every link and path leads somewhere.

The commands themselves are run by `python -m tests.documents.walk`.
"""

import argparse
import re
from importlib import import_module
from unittest.mock import patch

import pytest
from dvc.cli.parser import DvcParser, get_main_parser
from ruamel.yaml import YAML

from tests.documents.documents import DOCUMENTS, blocks, calls, links, spans
from tests.pipeline import ROOT, load_yaml
from yt8m import cli
from yt8m.settings import loading

LANGUAGES = {"sh", "python", "yaml", "text"}
PROGRAMS = r"(yt8m|dvc|make|python -m (benchmarks|yt8m)\.\S+) "


class Parsed(Exception):
    """The end of a program whose words are taken."""


class Refused(Exception):
    """The end of one whose words are not."""


def refuse(self, message, *_):
    raise Refused(message)


def refusal(main, *words: str) -> str | None:
    """What a program's own parser has against its words."""
    parse_args = argparse.ArgumentParser.parse_args

    def stop(self, *args, **kwargs):
        parse_args(self, *args, **kwargs)
        raise Parsed

    with (
        patch.object(argparse.ArgumentParser, "parse_args", stop),
        patch.object(argparse.ArgumentParser, "error", refuse),
        patch.object(DvcParser, "error", refuse),
        pytest.raises((Parsed, Refused, SystemExit)) as ended,  # --help ends by the last
    ):
        main(list(words))
    return str(ended.value) if ended.type is Refused else None


def dvc(words: list[str]) -> None:
    """DVC's own parsing, which is no `argparse.ArgumentParser.parse_args`."""
    get_main_parser().parse_args(words)
    raise Parsed


def wrong(words: list[str]) -> str | None:
    """What is wrong with a call of one of the project's own programs, of DVC or of make; None of others."""
    match words:
        case ["yt8m", *rest]:
            return refusal(cli.main, *rest)
        case ["python", "-m", module, *rest] if module.startswith(("benchmarks.", "yt8m.")):
            return refusal(import_module(module).main, *rest)
        case ["dvc", *rest]:
            return refusal(dvc, *rest)
        case ["make", *rest]:
            targets = [word for word in rest if not re.fullmatch(r"\w+=\S+", word)]
            known = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            return ", ".join(sorted(set(targets) - set(known))) or None
    return None


@pytest.mark.parametrize("document", DOCUMENTS)
class TestDocuments:
    def test_blocks_say_what_they_are(self, document):
        assert {block.place: block.language for block in blocks(document) if block.language not in LANGUAGES} == {}

    def test_commands_are_taken_by_their_programs(self, document):
        lines = [
            (block.place, each.text)
            for block in blocks(document)
            if block.language == "sh"
            for each in block.commands()
        ]
        assert [(place, text, said) for place, text in lines for words in calls(text) if (said := wrong(words))] == []

    def test_commands_within_the_text_too(self, document):
        """Which may leave out what must be given: they name a command, or an option of it."""
        said = {span: wrong(words) for span in spans(document) if re.match(PROGRAMS, span) for words in calls(span)}
        assert {
            span: text for span, text in said.items() if text and "required" not in text and "expected" not in text
        } == {}

    def test_links_lead_somewhere(self, document):
        missing = []
        for link in links(document):
            name, _, anchor = link.partition("#")
            path = (ROOT / document).parent / name if name else ROOT / document
            if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
                missing.append(link)
        assert missing == []

    def test_paths_are_there(self, document):
        """But for those with a part in capitals, which stands for many."""
        named = {
            span
            for span in spans(document)
            if re.fullmatch(r"(src|stages|tests|params|docs|benchmarks)/[a-z0-9_./-]*", span)
        }
        assert {name for name in named if not (ROOT / name).exists()} == set()

    def test_yaml_is_taken(self, document):
        for block in blocks(document):
            if block.language == "yaml":
                raw = load_yaml("params.yaml")
                for section, values in YAML(typ="safe", pure=True).load("\n".join(block.lines)).items():
                    assert section in ("models", "sets") or values.keys() <= raw[section].keys()  # whose keys are names
                    raw[section] |= values
                loading.parse(raw)


def anchors(text: str) -> set[str]:
    """Of a document's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }


def test_folders_of_the_package_are_all_named():
    (tree,) = [block for block in blocks("docs/design.md") if block.lines[0].startswith("src/yt8m/")]
    named = {line.split()[0] for line in tree.lines[1:] if line.startswith("  ")}
    assert named == {f"{path.parent.name}/" for path in (ROOT / "src/yt8m").glob("*/__init__.py")}
