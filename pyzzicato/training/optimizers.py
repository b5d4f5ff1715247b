"""The optimiser that a recipe asks for, and how its rate goes up and down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["optimizer"]


def optimizer(training: Mapping[str, Any], epochs: int) -> Any:
    """A Keras optimiser by the table [training] of a model.toml, for `epochs` epochs.

    `optimizer` is "adamw" (the default), "muon" (Jordan et al., 2024, scaled as by Liu et al.,
    2025), "adam" or "rmsprop". With `schedule` "cosine" (the default) the rate rises to
    `learning_rate` over `warmup_steps` and falls to a fiftieth of it; with "constant" it stays.
    Gradients are clipped to a whole length of `clip`, 1 unless told; 0 leaves them. With
    `averaging`, a number below 1, a moving average of the weights is kept beside them, of which
    the last step makes 1 - `averaging`. `rates`, by name of a layer, is the share of the rate at
    which it learns, 1 for those that are not named.
    """
    import keras

    rate, rates = _rate(training, epochs), training.get("rates", {})
    more: dict[str, Any] = {"global_clipnorm": training.get("clip", 1.0) or None}
    if training.get("averaging"):
        more |= {"use_ema": True, "ema_momentum": training["averaging"]}
    decay = training.get("weight_decay", 0.01)
    name = training.get("optimizer", "adamw")
    if name == "muon":
        lean = training.get("precision") == "mixed_bfloat16"
        # Muon is for the matrices inside a network; tables and last layers are left to Adam.
        return _with_rates(_lean_muon() if lean else keras.optimizers.Muon, rates)(
            rate,
            rms_rate=0.2,
            weight_decay=decay,
            adam_weight_decay=0.0,
            exclude_layers=["_out", "_table"],
            **more,
        )
    if name == "adamw":
        return _with_rates(keras.optimizers.AdamW, rates)(rate, weight_decay=decay, **more)
    kinds = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}
    return _with_rates(kinds[name], rates)(rate, **more)


def _rate(training: Mapping[str, Any], epochs: int) -> Any:
    import keras

    if training.get("schedule", "cosine") == "constant":
        return training["learning_rate"]
    steps = epochs * training["steps_per_epoch"]
    warm = min(training.get("warmup_steps", 500), steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        steps - warm,
        alpha=0.02,
        warmup_target=training["learning_rate"],
        warmup_steps=warm,
    )


def _lean_muon() -> Any:
    """Muon whose matrix products are made in bfloat16, as its authors make them.

    Keras makes them in float32, which took a quarter of the flagship's training time on a CPU
    with matrix units for bfloat16. It also writes a matrix four times a step; here it is once.
    """
    import keras
    from keras import ops

    class LeanMuon(keras.optimizers.Muon):  # type: ignore[misc, name-defined, unused-ignore]
        def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
            m.assign(m * self.momentum + gradient)
            update = self.zeropower_via_newtonschulz5(m * self.momentum + gradient, self.ns_steps)
            size = self.rms_rate * max(variable.shape) ** 0.5
            variable.assign(variable * (1 - self.weight_decay * lr) - update * (size * lr))

        def _apply_weight_decay(self, variables: Any) -> None:
            """Nothing: it is a part of each matrix's own step."""

        def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
            high = x.shape[0] > x.shape[1]
            lean = ops.cast(x / (ops.norm(x) + 1e-7), "bfloat16")
            lean = ops.transpose(lean) if high else lean
            first = self.muon_a * ops.eye(lean.shape[0], dtype="bfloat16")
            for _ in range(steps):
                square = ops.matmul(lean, ops.transpose(lean))
                inner = self.muon_b * square + self.muon_c * ops.matmul(square, square)
                lean = ops.matmul(first + inner, lean)
            return ops.cast(ops.transpose(lean) if high else lean, x.dtype)

    return LeanMuon


def _with_rates(kind: Any, rates: Mapping[str, float]) -> Any:
    """The optimiser class `kind`, in which each layer has its own share of the rate."""
    if not rates:
        return kind

    class WithRates(kind):  # type: ignore[misc, unused-ignore]
        def _backend_update_step(self, grads: Any, variables: Any, rate: Any) -> None:
            parts: dict[float, list[Any]] = {}
            for pair in zip(grads, variables, strict=True):
                # The weights of a wrapped PyTorch module belong to no layer of Keras.
                layer = "".join(pair[1].path.split("/")[-2:-1])
                parts.setdefault(rates.get(layer, 1.0), []).append(pair)
            for share, part in parts.items():
                super()._backend_update_step(*map(list, zip(*part, strict=True)), rate * share)

    return WithRates
