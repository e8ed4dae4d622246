"""Train the student's model on labels alone, for as long: `python -m stages untaught`.

What the student is measured against in Table 2.
"""

from stages._student import by_labels
from yt8m.settings.params import Params
from yt8m.training.run import run


def main(params: Params) -> None:
    run(by_labels(params, "untaught"))
