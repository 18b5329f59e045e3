"""optax: a GradientTransformation on parameters of torch.

Every step goes there and back: parameters and gradients are copied to jax, what `apply_updates`
returns is copied into the parameters. All parameters are one tree, as optax has it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from instep.conformance.adapters.base import Adapted, adapted, imported

_LEAF = "parameter {}"


def from_optax(factory: Callable[..., Any]) -> Callable[..., Any]:
    """A subject for `check` out of a function that returns a GradientTransformation.

    Args:
        factory: `optax.adamw`, or one of your own that chains several. With
            `optax.inject_hyperparams(optax.adamw)` hyperparameters may change between steps.

    Raises:
        UsageError: optax is not installed, or `factory` cannot be called.
    """
    imported("optax", "optax")
    return adapted(factory, lambda p, keywords: OptaxOptimizer(factory(**keywords), p), "optax")


class OptaxOptimizer(Adapted):
    """A transformation and its state, initialised on parameters.

    Parameters of float64 are computed in float64, whatever jax is set to elsewhere.
    """

    origin = "optax"

    def __init__(self, transformation: Any, parameters: Sequence[torch.Tensor]) -> None:
        self._transformation, self._tensors = transformation, list(parameters)
        with self._jax():
            self._kept = transformation.init(self._tree(parameters))
        super().__init__(parameters)

    def advance(self, gradients: Sequence[torch.Tensor], loss: Any) -> None:
        """One update, applied."""
        optax = imported("optax", "optax")
        extra = {} if loss is None else {"value": float(loss)}
        with self._jax():
            before = self._tree(self._tensors)
            update = optax.with_extra_args_support(self._transformation).update
            updates, self._kept = update(self._tree(gradients), self._kept, before, **extra)
            after = optax.apply_updates(before, updates)
            for i, p in enumerate(self._tensors):
                p.copy_(_to_torch(after[_LEAF.format(i)]))

    def adjustable(self) -> dict[str, float]:
        """What `inject_hyperparams` keeps in the state."""
        injected = getattr(self._kept, "hyperparams", {})
        return {name: float(value) for name, value in injected.items()}

    def adjust(self, values: Mapping[str, float]) -> None:
        """Set them there, in the types that they have."""
        jnp = imported("jax.numpy", "optax")
        with self._jax():
            for name, value in values.items():
                old = self._kept.hyperparams[name]
                self._kept.hyperparams[name] = jnp.asarray(value, dtype=old.dtype)

    def kept(self, i: int) -> dict[str, torch.Tensor]:
        """Leaves of the state that belong to parameter i, and those that belong to none."""
        out = {}
        own = _LEAF.format(i)
        others = {_LEAF.format(k) for k in range(len(self._tensors))} - {own}
        leaves, _ = imported("jax", "optax").tree_util.tree_flatten_with_path(self._kept)
        for path, leaf in leaves:
            names = [str(_key(entry)) for entry in path]
            if hasattr(leaf, "dtype") and not others.intersection(names):
                out["/".join(n for n in names if n != own)] = _to_torch(leaf)
        return out

    def _tree(self, tensors: Sequence[torch.Tensor]) -> dict[str, Any]:
        return {_LEAF.format(i): _to_jax(x) for i, x in enumerate(tensors)}

    @contextlib.contextmanager
    def _jax(self) -> Iterator[None]:
        wide = any(p.dtype is torch.float64 for p in self._tensors)
        with imported("jax", "optax").enable_x64(wide):
            yield


def _key(entry: Any) -> Any:
    """The name, index or key by which a tree is entered."""
    found = (getattr(entry, name, None) for name in ("name", "idx", "key"))
    return next((x for x in found if x is not None), entry)


def _to_jax(x: torch.Tensor) -> Any:
    """A copy in the same type."""
    jnp = imported("jax.numpy", "optax")
    plain = x.detach().cpu()
    if plain.dtype is torch.bfloat16:  # numpy does not know it
        return jnp.array(plain.float().numpy()).astype(jnp.bfloat16)
    return jnp.array(plain.numpy(), copy=True)


def _to_torch(x: Any) -> torch.Tensor:
    """A copy in the same type; keys of random numbers as they are kept."""
    if str(x.dtype).startswith("key"):
        x = imported("jax", "optax").random.key_data(x)
    narrow = str(x.dtype) == "bfloat16"
    value = torch.from_numpy(np.array(x.astype("float32") if narrow else x))
    return value.to(torch.bfloat16) if narrow else value
