"""Reads the codec back from the graphs of models/omni-voice into torch: what is trained on it fits what the program runs."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from .codec import Codec


def constants(path):
    """The weights of an exported graph in its order, float32."""
    return [torch.as_tensor(numpy_helper.to_array(t).astype(np.float32)) for t in onnx.load(str(path)).graph.initializer]


def fill(targets, values):
    with torch.no_grad():
        for target, value in zip(targets, values, strict=True):
            target.copy_(value.view_as(target))


def pair(layer):
    return [layer.weight, layer.bias]


def codec(folder):
    """models/omni-voice -> Codec that encodes, quantises and decodes as shipped."""
    encoder, decoder = (constants(Path(folder) / f"codec-{part}.onnx") for part in ("encoder", "decoder"))
    codes, code_width = decoder[2].shape
    net = Codec({"mean": decoder[0], "down": encoder[0], "up": decoder[1]}, encoder[1].shape[0], codes, code_width)
    own = [net.down, *pair(net.encode_in)]
    for layer in net.encode_past:
        own += pair(layer.convolution) + pair(layer.mix)
    own += pair(net.encode_frame.down) + pair(net.encode_frame.up)
    for place, level in enumerate(net.levels):
        own += [level.book, *pair(level.down)] + (pair(level.up) if place < 2 else [])
    fill(own, encoder[: len(own)])
    own = [net.mean, net.up]
    for level in net.levels:
        own += [level.book, *pair(level.up)]
    own += pair(net.decode_frame.down) + pair(net.decode_frame.up)
    for layer in net.decode_past:
        own += pair(layer.convolution) + pair(layer.mix)
    fill([*own, *pair(net.decode_out)], decoder)
    return net.eval().requires_grad_(False)
