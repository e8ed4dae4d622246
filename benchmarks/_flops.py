"""Floating-point operations of one training step: forward, and gradients of the loss with respect to every weight.

A multiply-add is two operations. The optimizer's are left out: it has no products of matrices.
"""

from collections.abc import Mapping
from typing import Any

from benchmarks._common import Case, apart, random_batch

GATES = {"gru": 3, "lstm": 4}
STATES = {"gru": 1, "lstm": 2}  # of each layer, that the experts see


def step_flops(case: Case) -> float:
    """Operations of a step: by a formula for recurrent families, by what XLA counts for the others.

    XLA counts the body of a loop once, however many frames it runs over.

    Raises:
        Failed: where XLA does not count, for want of JAX for one.
    """
    if case.family in GATES:
        return recurrent(case)
    # The count is the same in every precision; a CPU would add its conversions from bfloat16 to it.
    return counted(case.model_copy(update={"train": case.train.model_copy(update={"precision": "float32"})}))


def counted(case: Case) -> float:
    """What XLA counts, in a process on the CPU, where full size fits too; for errors see `apart`."""
    result = apart("_flops.count", {"case": case.model_dump()}, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    return float(result["flops"])


def recurrent(case: Case) -> float:
    """Products of matrices in a step of recurrent layers and experts; what else there is, is small beside them.

    A layer multiplies each frame by (input, gates * units) and its state by (units, gates * units), whether videos
    are short or long. The gradients cost as much again for the weights and once more for what is multiplied, which
    for the first layer's input, stored bytes, is not needed.
    """
    args, schema = case.args, case.layout
    layers, units = args["layers"], args["units"]
    columns = GATES[case.family] * units
    frame = 0
    for layer in range(layers):
        frame += 3 * units * columns + (3 * units if layer else 2 * schema.width) * columns
    experts = 3 * layers * STATES[case.family] * units * schema.classes * (2 * args["mixtures"] + 1)
    return 2.0 * case.batch_size * (schema.max_frames * frame + experts)


def count(case: Mapping[str, Any]) -> dict[str, float]:
    """In a process of its own, on JAX: operations of the compiled gradients of the loss."""
    import jax

    from yt8m import models
    from yt8m.training.losses import cross_entropy

    checked = Case.model_validate(case)
    model, batch = models.build(checked.description()), random_batch(checked.layout, checked.batch_size, seed=0)

    def loss(weights: Any, others: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
        probabilities, others, penalties = model.stateless_call(
            weights, others, inputs, return_losses=True, training=True
        )
        return cross_entropy(labels, probabilities).mean() + sum(penalties), others

    state = [
        [jax.ShapeDtypeStruct(variable.shape, variable.dtype) for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    ]
    step = jax.jit(jax.value_and_grad(loss, has_aux=True)).lower(*state, batch.inputs, batch.labels)
    return {"flops": step.compile().cost_analysis()["flops"]}
