"""What all subcommands have in common."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("times", [1, 10_000], ids=["when it ends", "amidst"])
def test_who_has_seen_enough_ends_a_command_quietly(times, tmp_path):
    """`| head`: the reader goes before all is printed."""
    (tmp_path / "said.py").write_text(
        "from yt8m import cli\n"
        "from yt8m.commands import score\n"
        f"score.run = lambda **_: print('line\\n' * {times})\n"
        "cli.main(['score', 'p.csv', 'l.csv'])\n"
    )
    pipeline = f"(sleep 0.2; {sys.executable} said.py; echo $? > status) | true"
    done = subprocess.run(["bash", "-c", pipeline], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    assert (tmp_path / "status").read_text() == "1\n"
