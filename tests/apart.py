"""Measurements of the benchmarks without processes of their own."""

import json
from importlib import import_module


def here(function, arguments, **environment):
    """What `benchmarks._common.apart` gives, in this process."""
    module, _, name = function.rpartition(".")
    function = getattr(import_module(f"benchmarks.{module}"), name)
    return json.loads(json.dumps(function(**json.loads(json.dumps(arguments)))))
