"""Floating-point operations of one training step: forward, and gradients of the loss with respect to every weight.

A multiply-add is two operations. The optimizer's are left out: it has no products of matrices. Those of recurrent
families come from a formula, since XLA counts the body of a loop once, however many frames it runs over.
"""

from typing import Any

from benchmarks._models import Case, random_batch

GATES = {"gru": 3, "lstm": 4}
STATES = {"gru": 1, "lstm": 2}  # of each layer, that the experts see
CPU_JAX = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}  # where full size fits too


def recurrent(case: Case) -> float:
    """Products of matrices in a step of recurrent layers and experts; what else there is, is small beside them.

    A layer multiplies each frame by (input, gates * units) and its state by (units, gates * units), whether videos
    are short or long. The gradients cost as much again for the weights and once more for what is multiplied, which
    for the first layer's input, stored bytes, is not needed.
    """
    args, schema, family = case.model.args, case.layout, case.model.family
    layers, units = args["layers"], args["units"]
    columns = GATES[family] * units
    frame = 0
    for layer in range(layers):
        frame += 3 * units * columns + (3 * units if layer else 2 * schema.width) * columns
    experts = 3 * layers * STATES[family] * units * schema.classes * (2 * args["mixtures"] + 1)
    return 2.0 * case.model.batch_size * (schema.max_frames * frame + experts)


def counted(case: Case) -> float:
    """In a process of its own, on JAX: operations of the compiled gradients of the loss, as XLA counts them."""
    import jax

    from benchmarks._steps import built
    from yt8m.training.losses import cross_entropy

    # The count is the same in every precision; a CPU would add its conversions from bfloat16 to it.
    model = built(case.trained_with(precision="float32"))
    batch = random_batch(case.layout, case.model.batch_size, seed=0)

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
    return float(step.compile().cost_analysis()["flops"])
