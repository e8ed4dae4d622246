"""Simulate a data set in YouTube-8M's formats: `python -m stages simulate NAME`."""

from stages._places import DATA
from yt8m.core.files import whole
from yt8m.settings.params import Params
from yt8m.simulation.simulator import Simulator, simulate


def main(params: Params, name: str) -> None:
    settings = params.simulate[name]
    simulator = Simulator(params.data.layout, settings.frame_divisor, settings.seed)
    with whole(DATA / "simulated" / name) as out:
        videos = simulate(simulator, settings.shards, settings.videos_per_shard, out)
    print(f"{videos} videos simulated")
