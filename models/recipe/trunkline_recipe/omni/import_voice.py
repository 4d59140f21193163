"""Reads the exported talker and codec back into torch, so that training can go on from the weights that ship.

    python -m trunkline_recipe.omni.import_voice MODEL_DIR OUT_DIR      (writes OUT_DIR/basis.npz, codec/ and talker/state.pt)

Exported graphs have short names and some weights turned round. So the same modules are exported once more with numbers
that can be told apart, and each tensor of that export says which weight stands in its place in the shipped file.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from .codec import Codec
from .export import write_graphs
from .talker import Talker

PARTS = {"talker": ("talker-encoder", "talker-frames"), "codec": ("codec-decoder", "codec-encoder")}


def tensors(path):
    return [numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer]


def fingerprint(array):
    """Of float16 values, whatever their order: the same for a matrix and its transpose."""
    # Adding zero makes one of the two zeros.
    flat = np.sort(np.asarray(array, np.float16).ravel() + np.float16(0))
    return flat.shape, flat.tobytes()


def fill(net, folder, marked, names):
    """Copies the tensors of the files `names` in `folder` into net, guided by the marked export. -> names of what was not found."""
    own = {k: v for k, v in net.state_dict().items() if v.dtype == torch.float32}
    by_print = {fingerprint(v.numpy()): k for k, v in own.items()}
    found = {}
    for name in names:
        was, now = tensors(marked / f"{name}.onnx"), tensors(Path(folder) / f"{name}.onnx")
        if [t.shape for t in was] != [t.shape for t in now]:
            raise ValueError(f"{name}.onnx is not what this recipe exports: its tensors have other shapes.")
        for mark, value in zip(was, now):
            key = by_print.get(fingerprint(mark)) if mark.dtype in (np.float32, np.float16) else None
            if key is None:
                continue
            want = own[key].numpy()
            if mark.shape != want.shape or not np.allclose(mark.astype(np.float32), want, rtol=1e-3, atol=1e-3):
                mark, value = mark.T, value.T
            if mark.shape == want.shape and np.allclose(mark.astype(np.float32), want, rtol=1e-3, atol=1e-3):
                found[key] = torch.from_numpy(value.astype(np.float32).copy())
    net.load_state_dict(found, strict=False)
    return sorted(set(own) - set(found))


def marked_nets(size):
    """Modules whose every weight is random, so that no two tensors are alike."""
    torch.manual_seed(9)
    basis = {"mean": torch.randn(192), "down": torch.randn(192, size), "up": torch.randn(size, 192)}
    nets = {"talker": Talker(out=2 * size), "codec": Codec(basis)}
    for net in nets.values():
        for value in net.state_dict().values():
            if value.dtype == torch.float32:
                value.copy_(torch.randn_like(value))
        net.eval()
    return nets


def read(folder):
    """-> talker, codec with the weights of an exported folder, as float16 keeps them."""
    size = next(t.shape[1] for t in tensors(Path(folder) / "codec-encoder.onnx") if t.ndim == 2 and t.shape[0] == 192 and t.shape[1] < 64)
    nets = marked_nets(size)
    with tempfile.TemporaryDirectory() as marked:
        write_graphs(nets["talker"], nets["codec"], Path(marked))
        for name, net in nets.items():
            missing = fill(net, folder, Path(marked), PARTS[name])
            # How often a code was used is training's own affair and in no graph.
            missing = [k for k in missing if not k.endswith((".used", ".total"))]
            if missing:
                raise ValueError(f"No tensor of {folder} was found for {name}: {', '.join(missing)}.")
    for level in nets["codec"].levels:
        level.used.fill_(1)
        level.total.copy_(level.book)
    return nets["talker"], nets["codec"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("out", type=Path)
    options = arguments.parse_args()
    talker, codec = read(options.model)
    for name, net in (("talker", talker), ("codec", codec)):
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        state = net.state_dict()
        torch.save({"nets": {name: state}, "average": {name: state}, "step": 0, "spent": 0.0}, folder / "state.pt")
    np.savez(options.out / "basis.npz", **{k: getattr(codec, k).numpy() for k in ("mean", "down", "up")})


if __name__ == "__main__":
    main()
