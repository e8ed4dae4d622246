"""Run the commands of README and docs/ as they stand: `python -m tests.documents.walk [DOCUMENT ...]`.

Each document is walked through in a clone of this project's last commit, in which the pipeline has run; `--project`
names a project with these results, else `make repro` makes them first. What a reader has at hand (videos, a bucket, a
repository) is put there before. A block's commands are those of the document, but for what `STANDS` says; those that
say what they need (`NEEDS`) are left out.
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from tests.documents.documents import DOCUMENTS, Block, blocks
from tests.extraction import clips, made
from tests.pipeline import ROOT
from tests.records.server import Bucket, Server

ELSEWHERE = {"make test"}  # .ci/run calls it
WAIT = "while dvc queue status | grep -qE 'Queued|Running'; do sleep 5; done; sleep 20"  # DVC clears up in the end
# README says how to go back; its blocks stand for themselves.
BACK = {"README.md": "git restore . && git clean -fdq metrics && dvc checkout --quiet"}
STANDS = {  # for a name that stands for the reader's own, a network that is fetched, and 15 trainings of a sweep
    "REPOSITORY": "{origin}",
    "/mnt/team/yt8m": "{folder}/remote",
    "shards/*.tfrecord": "data/simulated/demo/frame/test*.tfrecord",
    "yt8m extract": "yt8m extract --network pictures.keras",
    "0,0.25,0.5,0.75,1": "0,1",
    "seed=1,2,3": "seed=1",
    "dvc queue start": f"dvc queue start && {WAIT}",
}


class Walk:
    """A folder with an origin, clones of it, and a bucket.

    Attributes:
        origin: the bare repository.
        results: the project whose results the clones begin with.
    """

    def __init__(self, folder: Path, results: Path | None):
        self.folder, self.origin = folder, folder / "yt8m.git"
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # each request otherwise
        self.server = Server()
        self.server.start()
        self.environment = os.environ | self.server.environment
        self.environment |= {
            f"GIT_{who}_{what}": "walk@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        self.run(folder, f"git clone --quiet --bare {ROOT} {self.origin}")
        self.results = results or self._made()

    def _made(self) -> Path:
        """Results, committed: on another processor they may not be the commit's."""
        project = self.clone("results")
        self.run(project, "make repro\ngit commit --quiet --all --message=Here || true\ngit push --quiet")
        return project

    def clone(self, name: str) -> Path:
        """A clone of the origin."""
        self.run(self.folder, f"git clone --quiet {self.origin} {name}")
        return self.folder / name

    def run(self, project: Path, script: str) -> None:
        """Run lines of a shell to their end.

        Raises:
            subprocess.CalledProcessError: with what they said, where one fails.
        """
        path = os.pathsep.join([str(project / ".venv/bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = self.environment | {"PATH": path, "PYTHONPATH": str(project / "src")}
        bash = ["bash", "-euo", "pipefail", "-c", f"exec 2>&1 < /dev/null\n{script}"]
        subprocess.run(bash, cwd=project, env=environment, stdout=subprocess.PIPE, text=True, check=True)

    def document(self, name: str) -> bool:
        """Walk through a document; whether all its commands end well."""
        project = self.clone(Path(name).stem)
        self.run(project, f"dvc config --local cache.dir {self.results}/.dvc/cache && dvc checkout --quiet")
        if name in GIVEN:
            GIVEN[name](self, project)
        ended_well = []
        for block in blocks(name):
            if block.language in ("sh", "python"):
                if name in BACK:
                    self.run(project, BACK[name])
                ended_well.append(self._block(project, block))
        return all(ended_well)

    def _block(self, project: Path, block: Block) -> bool:
        script, left = self._script(project, block)
        began, said = time.monotonic(), ""
        try:
            self.run(project, script)
        except subprocess.CalledProcessError as error:
            said = f"\n{script}\n{error.stdout[-3000:]}"
        seconds = f"{time.monotonic() - began:.0f} s"
        print(f"{block.place}: {'failed' if said else 'ran'} in {seconds}, {left} commands left out{said}", flush=True)
        return not said

    def _script(self, project: Path, block: Block) -> tuple[str, int]:
        """What is run of a block, and how many of its commands are not."""
        if block.language == "python":
            (project / "block.py").write_text("\n".join(block.lines), encoding="utf-8")
            return "python block.py", 0
        commands = [each for each in block.commands() if each.text]
        lines = [each.text for each in commands if not each.needs and each.text not in ELSEWHERE]
        script = "\n".join(lines)
        for said, stands in STANDS.items():
            script = script.replace(said, stands.format(origin=self.origin, folder=self.folder))
        return script, len(commands) - len(lines)


def own_data(place: str, walk: Walk, project: Path) -> None:
    """Videos, features and labels of both in a folder of the project, and new ones."""
    made.networks(project)
    folder, random = project / place, np.random.default_rng(0)
    of_colour = {colour: random.normal(size=64) for colour in clips.COLOURS}
    for id, clip in clips.drawn(48).items():
        clips.render(folder / "videos" / f"{id}{clip.ending}", clip)
        _features(folder / "features" / f"{id}.npy", of_colour[clip.colour], clip.seconds)
    rows = [f"{id},{clip.colour};{clip.background}" for id, clip in clips.drawn(48).items()]
    (folder / "labels.csv").write_text("\n".join(["id,labels", *rows]) + "\n", encoding="utf-8")
    clips.render(project / "new.mp4", clips.Clip("red", "dark", 10))
    _features(project / "data" / "new" / "one.npy", of_colour["red"], 10)


def _features(path: Path, centre: np.ndarray, frames: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(frames).normal(size=(frames, len(centre)))
    np.save(path, np.clip(0.3 * (centre + noise), -2, 2).astype(np.float32))


def bucket(walk: Walk, project: Path) -> None:
    """The default's shards in a bucket."""
    os.environ.update(walk.server.environment)
    there, shards = Bucket(walk.server, "bucket"), project / "data" / "simulated" / "demo"
    for path in shards.rglob("*.tfrecord"):
        there.write(f"yt8m/{path.relative_to(shards)}", path.read_bytes())


GIVEN: dict[str, Callable[[Walk, Path], None]] = {
    "README.md": partial(own_data, "."),
    "docs/own-data.md": partial(own_data, "data/mine"),
    "docs/buckets.md": bucket,
}


def main(argv: list[str] | None = None) -> None:
    """Walk through documents; the exit status is 1 where a command fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="*", metavar="DOCUMENT", help="by default all")
    parser.add_argument("--project", type=Path, help="one in which `make repro` has run at this commit")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(Path(folder), args.project and args.project.resolve())
        ended_well = [walk.document(name) for name in args.documents or DOCUMENTS]
    sys.exit(not all(ended_well))


if __name__ == "__main__":
    main()
