"""Writes test/fixtures/llama-omni: a tiny random checkpoint converted to ONNX, and what the reference says with it.

python -m trunkline_recipe.families.llama_omni.fixtures OUT [--seed N]
"""

import argparse
import base64
import json
import pathlib
import tempfile

import tokenizers
import torch

from ..mini_omni.fixtures import chirp, log_mel
from ..whisper_encoder import encode, load_encoder
from .convert import convert
from .network import Checkpoint, LlamaOmni, collapse, read_config, read_prompt
from .tiny import write_tiny
from .vocoder import load_vocoder

SAMPLES = 6400
MOST_TOKENS = 16
QUESTION = "Hi!"


def golden(folder: pathlib.Path) -> dict | None:
    """None: with these weights the text ends at once or never, or says too little."""
    c = read_config(folder / "config.json")
    model = LlamaOmni(c, dict(Checkpoint(folder)))
    dims, whisper = load_encoder(folder / "large-v3.pt")
    words = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    prompt = read_prompt(folder / "tokenizer.json")
    vectors = model.adapt(encode(dims, whisper, log_mel(chirp(SAMPLES), dims["n_mels"]))[0])
    asked = {
        "spoken": torch.cat([model.embed(prompt.before), vectors, model.embed(prompt.task + prompt.behind)]),
        "written": model.embed(prompt.before + words.encode(QUESTION, add_special_tokens=False).ids + prompt.behind),
    }
    vocoder = load_vocoder(folder / "vocoder")
    out = {"origin": "trunkline_recipe.families.llama_omni.fixtures: random weights in the published layout, run by the reference in torch", "samples": SAMPLES, "mostTokens": MOST_TOKENS, "question": QUESTION, "vectors": [round(float(v), 5) for v in vectors[[0, -1]].flatten()], "answers": {}}
    for name, question in asked.items():
        tokens, states = model.answer(question, MOST_TOKENS, prompt.text_tokens)
        if len(set(tokens)) < 4:
            return None
        symbols = model.symbols(states)
        units = collapse(symbols, c.units)
        if len(units) < 10:
            return None
        frames = vocoder.durations(torch.tensor(units))
        pcm = vocoder.sound(torch.tensor(units).repeat_interleave(frames))
        out["answers"][name] = {"tokens": tokens, "symbols": symbols, "units": units, "frames": frames.tolist(), "pcm": base64.b64encode((pcm[::7] * 32767).round().to(torch.int16).numpy().tobytes()).decode()}
    blanks = [c.units in answer["symbols"] for answer in out["answers"].values()]
    return out if any(blanks) else None


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1, help="the first seed that is tried")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    for seed in range(options.seed, options.seed + 200):
        with tempfile.TemporaryDirectory() as name, torch.inference_mode():
            folder = pathlib.Path(name)
            write_tiny(folder, seed)
            found = golden(folder)
            if found is None:
                continue
            convert(folder, options.out, 32)
        found["seed"] = seed
        (options.out / "golden.json").write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"seed {seed}: {[len(a['units']) for a in found['answers'].values()]} units")
        return
    raise SystemExit("No seed gave an answer.")


if __name__ == "__main__":
    main()
