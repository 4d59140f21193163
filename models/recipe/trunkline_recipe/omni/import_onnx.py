"""Reads exported graphs back into the modules they were made of, so that training can go on from shipped weights.

    python -m trunkline_recipe.omni.import_onnx models/omni-voice OUT.pt

The exporter gives weights short names in the order of the graph. So a module with random weights is exported the same way,
each of its numbers is found again in its graph, and the shipped graph has the wanted one in the same place.
OUT.pt: {"talker", "codec"} state dicts; of the codec what its encoder and decoder graphs hold.
"""

import argparse
import tempfile
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from .codec import Codec
from .export import write_graphs
from .talker import Talker

MODULES = ("talker-encoder", "talker-frames", "codec-encoder", "codec-decoder")


def arrays(path):
    return [torch.from_numpy(numpy_helper.to_array(t).copy()) for t in onnx.load(str(path)).graph.initializer]


def read_back(module, made, shipped, known):
    """Fills `known` (name -> tensor) with the weights of `module` that stand in the graph `made`, as `shipped` has them."""
    own = arrays(made)
    theirs = arrays(shipped)
    if [a.shape for a in own] != [a.shape for a in theirs]:
        raise ValueError(f"{shipped} was not exported from this form.")
    for name, value in module.state_dict().items():
        if name in known or value.numel() < 2 and value.ndim == 0:
            continue
        for mine, other in zip(own, theirs):
            turned = mine.dim() == 2 and mine.shape == value.T.shape and torch.equal(mine, value.T.to(mine.dtype))
            if turned or (mine.shape == value.shape and torch.equal(mine, value.to(mine.dtype))):
                known[name] = (other.T if turned else other).float().contiguous()
                break


def scrambled(module):
    """Every number different, so that it can be found again."""
    torch.manual_seed(11)
    for value in module.state_dict().values():
        value.copy_(torch.randn(value.shape))
    return module


def load_shipped(folder, talker, codec):
    folder = Path(folder)
    found = {"talker": {}, "codec": {}}
    with tempfile.TemporaryDirectory() as place:
        write_graphs(scrambled(talker), scrambled(codec), Path(place))
        for name in MODULES:
            for part, module in (("talker", talker), ("codec", codec)):
                read_back(module, Path(place, f"{name}.onnx"), folder / f"{name}.onnx", found[part])
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("out", type=Path)
    options = arguments.parse_args()
    basis = {"mean": torch.zeros(192), "down": torch.zeros(192, 24), "up": torch.zeros(24, 192)}
    talker, codec = Talker(), Codec(basis)
    found = load_shipped(options.folder, talker, codec)
    missing = [name for name in talker.state_dict() if name not in found["talker"]]
    print(f"{len(found['talker'])} of the talker's weights, {len(found['codec'])} of the codec's; missing of the talker: {missing}")
    torch.save(found, options.out)


if __name__ == "__main__":
    main()
