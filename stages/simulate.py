"""Simulate a data set in YouTube-8M's formats: `python -m stages.simulate NAME`."""

from stages._common import DATA, Params, run
from yt8m.data.simulator import Simulator, simulate
from yt8m.files import whole


def main(params: Params, name: str) -> None:
    settings = params.simulate[name]
    simulator = Simulator(params.data.layout, settings.frame_divisor, settings.seed)
    with whole(DATA / "simulated" / name) as out:
        videos = simulate(simulator, settings.shards, settings.videos_per_shard, out)
    print(f"{videos} videos simulated")


if __name__ == "__main__":
    run(main)
