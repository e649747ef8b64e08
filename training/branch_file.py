"""The tuned top blocks of the risk branch, kept as what they add to e5's own, in int8.

The build has e5's weights at hand, and tuning moves them little: the difference in int8, with a scale for
each column, costs half of float16. Read back it is plain float32 arithmetic, number by number, so every
machine gets the same bits.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.encoder import LAYERS, WIDTH, Affine, Encoder, Layer
from training.errors import WeightsInvalid

_MATRICES = ("query_key_value", "attention_output", "intermediate", "output")
_NORMS = ("attention_norm", "output_norm")
_WIDEST = 127


def rounded(layers: Sequence[Layer], encoder: Encoder) -> tuple[Layer, ...]:
    """The layers as they will be read back from their file."""
    return _layers(_arrays(layers, encoder), encoder)


def write_branch(path: Path, layers: Sequence[Layer], encoder: Encoder) -> None:
    """Write the blocks as differences to the encoder's last `len(layers)` ones."""
    with path.open("wb") as file:
        np.savez_compressed(file, **_arrays(layers, encoder))


def read_branch(path: Path, encoder: Encoder) -> tuple[Layer, ...]:
    """Read the blocks; raises WeightsInvalid."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            arrays = dict(kept)
        return _layers(arrays, encoder)
    except FileNotFoundError as error:
        raise WeightsInvalid(f"no trained branch at {path}: run `seawall train --data DIR`") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsInvalid(f"the branch's weights in {path} are damaged: {error!r}") from error


def _arrays(layers: Sequence[Layer], encoder: Encoder) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for number, layer in enumerate(layers, start=LAYERS - len(layers)):
        for name in _MATRICES:
            tuned, own = getattr(layer, name), getattr(encoder.layers[number], name)
            change = tuned.weight - own.weight
            scale = np.maximum(np.abs(change).max(axis=0), 1e-12) / np.float32(_WIDEST)
            arrays[f"{number}.{name}.change"] = np.rint(change / scale).astype(np.int8)
            arrays[f"{number}.{name}.scale"] = scale.astype(np.float32)
            arrays[f"{number}.{name}.bias"] = tuned.bias
        for name in _NORMS:
            norm = getattr(layer, name)
            arrays[f"{number}.{name}"] = np.stack([norm.weight, norm.bias])
    return arrays


def _layers(arrays: dict[str, NDArray[Any]], encoder: Encoder) -> tuple[Layer, ...]:
    numbers = sorted({int(name.split(".")[0]) for name in arrays})
    if not numbers or numbers != list(range(LAYERS - len(numbers), LAYERS)):
        raise ValueError(f"some of the last blocks of {LAYERS} are wanted, not {numbers}")
    return tuple(_layer(arrays, number, encoder.layers[number]) for number in numbers)


def _layer(arrays: dict[str, NDArray[Any]], number: int, own: Layer) -> Layer:
    affines = {}
    for name in _MATRICES:
        weight = getattr(own, name).weight
        change = _checked(arrays[f"{number}.{name}.change"], weight.shape, np.int8)
        scale = _checked(arrays[f"{number}.{name}.scale"], weight.shape[1:], np.float32)
        bias = _checked(arrays[f"{number}.{name}.bias"], weight.shape[1:], np.float32)
        affines[name] = Affine(weight + change.astype(np.float32) * scale, bias)
    for name in _NORMS:
        weight, bias = _checked(arrays[f"{number}.{name}"], (2, WIDTH), np.float32)
        affines[name] = Affine(weight, bias)
    return Layer(**affines)


def _checked(array: NDArray[Any], shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
    if array.shape != shape or array.dtype != kind or not np.isfinite(array).all():
        raise ValueError(f"{kind.__name__} {shape} is wanted, not {array.dtype} {array.shape}")
    return array
