"""Reads the exported unit voice back into torch, so that training can go on from the weights that ship.

    python -m trunkline_recipe.llama_omni.import_units MODEL_DIR OMNI_VOICE_DIR OUT_DIR

Writes OUT_DIR/units.npz and, as runs of no step yet, decoder/state.pt and vocoder/state.pt. Of the basis the graphs keep the
way back alone; the way there is read from the codec of OMNI_VOICE_DIR, which was made in the same one.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from ..omni.import_voice import fill, read, tensors
from .export import FramesGraph, write_graphs
from .speech_decoder import SpeechDecoder
from .unit_vocoder import UnitVocoder

PARTS = {"decoder": "symbol-encoder", "vocoder": "unit-encoder", "back": "unit-frames"}
ELSEWHERE = {"decoder": "generator.", "vocoder": "frames.", "back": None}  # weights that lie in another graph


def marked_nets(centres):
    """Modules whose every weight is random, so that no two tensors are alike."""
    torch.manual_seed(9)
    nets = {"decoder": SpeechDecoder(centres), "vocoder": UnitVocoder(centres)}
    for net in nets.values():
        for value in net.state_dict().values():
            value.copy_(torch.randn_like(value))
        net.eval()
    return nets


def generator_state(path, centres, layers):
    """Weights of speech-decoder.onnx by name, in the order in which families/llama_omni/layers.py writes them."""
    kept = iter([torch.from_numpy(t.astype(np.float32)) for t in tensors(path)])
    state = {"input_proj.weight": next(kept).T, "input_proj.bias": next(kept)}
    next(kept), next(kept)  # cosines and sines
    for i in range(layers):
        own = f"layers.{i}."
        state[own + "input_layernorm.weight"] = next(kept)
        state |= {f"{own}self_attn.{n}_proj.weight": w for n, w in zip("qkv", next(kept).T.chunk(3))}
        state[own + "self_attn.o_proj.weight"] = next(kept).T
        state[own + "post_attention_layernorm.weight"] = next(kept)
        state |= {f"{own}mlp.{n}_proj.weight": next(kept).T for n in ("gate", "up", "down")}
    weight, bias = next(kept).T[:-1], next(kept)[:-1]
    if next(kept, None) is not None:
        raise ValueError(f"{path} has more tensors than {layers} layers need.")
    # The projection on units is tied: 2 c for each of them, times the projection on what is heard.
    both = torch.cat([weight, (bias + (centres**2).sum(1))[:, None]], 1)
    found = torch.linalg.lstsq(2 * centres.double(), both.double()).solution.float()
    return state | {"heard.weight": found[:, :-1], "heard.bias": found[:, -1], "centres": centres}


def load_units(folder, voice):
    """-> what units.npz holds, the decoder and the vocoder of an exported folder, as float16 keeps them."""
    folder = Path(folder)
    parameters = json.loads((folder / "manifest.json").read_text())["parameters"]
    count = parameters["decoder"]["units"]
    centres = next(t for t in tensors(folder / "unit-encoder.onnx") if t.shape == (count + 1, 48))[:-1].astype(np.float32)
    codec = read(voice)[1]
    basis = {k: getattr(codec, k) for k in ("mean", "down", "up")}
    centres = torch.from_numpy(centres)
    nets = marked_nets(centres.clone())
    with tempfile.TemporaryDirectory() as marked:
        told = {k: torch.randn_like(v) for k, v in basis.items()}
        write_graphs(nets["decoder"], nets["vocoder"], told, Path(marked))
        nets["back"] = back = FramesGraph(nets["vocoder"], told["mean"], told["up"])
        for name, net in nets.items():
            missing = [k for k in fill(net, folder, Path(marked), (PARTS[name],)) if not ELSEWHERE[name] or not k.startswith(ELSEWHERE[name])]
            if missing:
                raise ValueError(f"No tensor of {folder} was found for {PARTS[name]}: {', '.join(missing)}.")
    if not torch.allclose(back.up, basis["up"].half().float(), atol=1e-3):
        raise ValueError(f"{folder} and {voice} were not made in the same basis.")
    generator = generator_state(folder / "speech-decoder.onnx", centres, parameters["decoder"]["layers"])
    decoder = SpeechDecoder(centres)
    decoder.encoder.load_state_dict(nets["decoder"].encoder.state_dict())
    decoder.generator.load_state_dict(generator)
    units = {k: v.numpy() for k, v in basis.items()} | {"centres": centres.numpy(), "positions": np.array(parameters["positions"])}
    return units, decoder, nets["vocoder"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "voice", "out"):
        arguments.add_argument(name, type=Path)
    options = arguments.parse_args()
    torch.manual_seed(1)
    units, decoder, vocoder = load_units(options.model, options.voice)
    for name, net in (("decoder", decoder), ("vocoder", vocoder)):
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        state = net.state_dict()
        torch.save({"nets": {name: state}, "average": {name: state}, "step": 0, "spent": 0.0}, folder / "state.pt")
    np.savez(options.out / "units.npz", **units)


if __name__ == "__main__":
    main()
