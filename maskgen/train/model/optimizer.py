"""The optimizer of a phase: learning rate by step, smaller rates for earlier blocks, averaged weights."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.keras_runtime import keras

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine", "step", "plateau")


def learning_rates(
    rate: float, schedule: str, epochs: int, steps: int, warm_up: float = 0.0
) -> NDArray[np.float32]:
    """The learning rate of each step of a phase: (epochs * steps,) float32.

    It grows linearly over the first `warm_up` epochs, then follows the schedule: "constant"; "cosine" to
    zero (Loshchilov and Hutter, 2017); or "step", a tenth after 60 % and a hundredth after 85 % of the phase.
    For "plateau" it is constant here: `plateau_factor` reduces it between epochs.
    """
    total, rising = epochs * steps, round(warm_up * steps)
    places = np.arange(total)
    done = np.maximum(places - rising, 0) / max(total - rising, 1)
    if schedule == "cosine":
        shares = 0.5 * (1 + np.cos(math.pi * done))
    elif schedule == "step":
        shares = np.select([done < 0.6, done < 0.85], [1.0, 0.1], 0.01)
    else:
        shares = np.ones(total)
    return np.asarray(rate * shares * np.minimum((places + 1) / (rising + 1), 1), dtype=np.float32)


def plateau_factor(waits: list[int], patience: int) -> float:
    """The share of the learning rate after epochs with these waits for a better one.

    Each plateau halves it: half the patience without a better epoch, or three epochs without patience.
    """
    plateau = max(patience // 2, 1) if patience else 3
    return 0.5 ** sum(wait > 0 and wait % plateau == 0 for wait in waits)


def new_optimizer(
    name: str,
    rates: NDArray[np.float32],
    shares: Mapping[str, float],
    *,
    weight_decay: float = 0.0,
    average: float = 0.0,
) -> Any:
    """Build an optimizer of Keras.

    `rates` has the learning rate of each step; a single number can be changed later. `shares` are layer name
    -> share of the rate. `weight_decay` is decoupled (Loshchilov and Hutter, 2019), and spares biases and
    BatchNorm. `average` is the momentum of an exponential moving average of the weights, 0 for none.
    """
    k = keras().optimizers
    kinds = {"adam": k.Adam, "adamw": k.AdamW, "rmsprop": k.RMSprop, "sgd": k.SGD}
    kind = partial(_by_layer(kinds[name], shares), rates[0].item() if len(rates) == 1 else _by_step(rates))
    if name == "sgd":
        kind = partial(kind, momentum=0.9, nesterov=True)
    if average:
        kind = partial(kind, use_ema=True, ema_momentum=average)
    optimizer = kind(weight_decay=weight_decay)  # AdamW takes no None
    if weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _by_layer(kind: Any, shares: Mapping[str, float]) -> Any:
    """A kind of optimizer that takes a share of the learning rate for the weights of some layers."""
    if not shares:
        return kind

    class ByLayer(kind):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            # As Keras's own kinds do: a variable of the backend does not know its path.
            path = self._trainable_variables[self._get_variable_index(variable)].path
            share = shares.get(path.split("/")[-2], 1.0)
            super().update_step(gradient, variable, learning_rate * share)

    return ByLayer


def _by_step(rates: NDArray[np.float32]) -> Any:
    """A schedule of Keras that looks up the learning rate of a step."""
    ops = keras().ops

    class Table(keras().optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return ops.take(
                ops.convert_to_tensor(rates), ops.minimum(ops.cast(step, "int32"), len(rates) - 1)
            )

    return Table()


@contextmanager
def averaged(model: Any) -> Iterator[None]:
    """Give a model the moving averages of its weights for a while, if its optimizer has any."""
    # A LossScaleOptimizer passes on all but this.
    if not getattr(model.optimizer, "inner_optimizer", model.optimizer).use_ema:
        yield
        return
    own = _copies(model)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    # Under JAX the weights now share memory with the averages, and computing with them would free it.
    _assign(model, _copies(model))
    try:
        yield
    finally:
        _assign(model, own)


def _copies(model: Any) -> list[NDArray[Any]]:
    return [keras().ops.convert_to_numpy(variable).copy() for variable in model.trainable_variables]


def _assign(model: Any, weights: list[NDArray[Any]]) -> None:
    for variable, own in zip(model.trainable_variables, weights, strict=True):
        variable.assign(own)
