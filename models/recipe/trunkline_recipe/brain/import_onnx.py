"""Reads an exported trunk (MatMulNBits, 4 and 8 bits) back into plain torch tensors, so that training can go on from shipped weights."""

import argparse
import os
import shutil

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save_file

from .network import HEAD_WIDTH, HEADS, INNER, KV_HEADS


def dequantise(codes: np.ndarray, scales: np.ndarray, zeros: np.ndarray, bits: int) -> torch.Tensor:
    """codes [rows, blocks, bytes], scales [rows, blocks], zeros [rows, bytes] -> weights [rows, columns]; two 4-bit values a byte, low one first."""
    if bits == 4:
        codes = np.stack((codes & 15, codes >> 4), -1).reshape(*codes.shape[:2], -1)
        zeros = np.stack((zeros & 15, zeros >> 4), -1).reshape(zeros.shape[0], -1)[:, : scales.shape[1]]
    values = (codes.astype(np.float32) - zeros[..., None]) * scales[..., None].astype(np.float32)
    return torch.from_numpy(values.reshape(values.shape[0], -1))


def read_weights(folder: str, layers: int | None = None) -> dict[str, torch.Tensor]:
    """`layers`: only the first ones, for tests."""
    model = onnx.load(os.path.join(folder, "trunk.onnx"))
    raw = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    weights = {"norm": torch.from_numpy(raw["norm"].copy()), "embedding": dequantise(raw["head.codes"], raw["head.scales"], raw["head.zeros"], 8)}
    for i in range(layers or sum(name.endswith(".norm1") for name in raw)):
        def linear(name: str) -> torch.Tensor:
            own = f"L{i}.{name}"
            return dequantise(raw[own + ".codes"], raw[own + ".scales16"], raw[own + ".zeros"], 4)

        target = f"layers.{i}."
        q, k, v = linear("qkv").split([HEADS * HEAD_WIDTH, KV_HEADS * HEAD_WIDTH, KV_HEADS * HEAD_WIDTH])
        gate, up = linear("gateup").split([INNER, INNER])
        parts = {"q": q, "k": k, "v": v, "o": linear("o"), "gate": gate, "up": up, "down": linear("down")}
        parts |= {norm: torch.from_numpy(raw[f"L{i}.{norm}"].copy()) for norm in ("norm1", "norm2")}
        weights |= {target + name: value for name, value in parts.items()}
    return {name: value.contiguous().clone() for name, value in weights.items()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", help="exported folder, such as models/smollm2-135m")
    arguments.add_argument("out")
    arguments.add_argument("--layers", type=int, help="only the first ones: a small trunk for tests")
    options = arguments.parse_args()
    os.makedirs(options.out, exist_ok=True)
    save_file(read_weights(options.model, options.layers), os.path.join(options.out, "model.safetensors"))
    shutil.copy(os.path.join(options.model, "tokenizer.json"), options.out)


if __name__ == "__main__":
    main()
