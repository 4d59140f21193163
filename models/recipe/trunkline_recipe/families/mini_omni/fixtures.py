"""Writes test/fixtures/mini-omni: a tiny random checkpoint converted to ONNX, and what the reference says with it.

python -m trunkline_recipe.families.mini_omni.fixtures OUT [--seed N]
"""

import argparse
import base64
import json
import math
import pathlib
import tempfile

import librosa
import numpy as np
import torch

from ..snac import load_snac
from ..whisper_encoder import encode, load_encoder
from .convert import convert
from .generate import Ids, Rules, frames, prompt, speak, write
from .network import AUDIO_LAYERS, MiniOmni, load_checkpoint, read_config
from .tiny import write_tiny

SAMPLES = 6400
MOST_STEPS = 90
WORDS = [72, 105, 33]


def chirp(samples: int) -> np.ndarray:
    """A wavering tone, by a formula that a test in any language can repeat: int16."""
    t = np.arange(samples) / 16000
    return np.round(8000 * np.sin(2 * math.pi * 220 * t + 3 * np.sin(2 * math.pi * 3 * t))).astype(np.int16)


def log_mel(pcm: np.ndarray, bands: int) -> torch.Tensor:
    """OpenAI's features of 30 s: librosa's Slaney filters, clipped 8 decades below the loudest value."""
    padded = torch.zeros(480_000)
    padded[: len(pcm)] = torch.from_numpy(pcm.astype(np.float32) / 32768)
    power = torch.stft(padded, 400, 160, window=torch.hann_window(400), return_complex=True)[:, :-1].abs() ** 2
    filters = torch.from_numpy(librosa.filters.mel(sr=16000, n_fft=400, n_mels=bands))
    values = (filters @ power).clamp(min=1e-10).log10()
    return ((values.clamp(min=values.max() - 8) + 4) / 4)[None]


def golden(folder: pathlib.Path) -> dict | None:
    """None: with these weights the text does not end before the speech, and both before the bound."""
    c = read_config(folder / "model_config.yaml")
    model = MiniOmni(load_checkpoint(folder / "lit_model.pth", c), c)
    dims, whisper = load_encoder(folder / "small.pt")
    ids = Ids(c)
    with torch.inference_mode():
        features = model.adapt(encode(dims, whisper, log_mel(chirp(SAMPLES), dims["n_mels"]))[0])
    heard = features[: min(len(features), SAMPLES // 320 + 1)]
    both = {name: Rules(guarded, MOST_STEPS) for name, guarded in (("guarded", True), ("plain", False))}
    spoken = speak(model, "A1A2", both["guarded"], heard, batch=True)
    texts = [step[-1] for step in spoken]
    if len(set(texts)) < 9 or ids.eot not in texts or not 3 < texts.index(ids.eot) < len(spoken) - 10 or not 20 < len(spoken) < MOST_STEPS:
        return None
    out = {
        "origin": "trunkline_recipe.families.mini_omni.fixtures: random weights in the published layout, run by the reference in torch",
        "samples": SAMPLES,
        "mostSteps": MOST_STEPS,
        "heard": len(heard),
        "features": [round(float(v), 5) for v in heard[[0, -1]].flatten()],
        "prompts": {task: prompt(ids, task, 2, WORDS) for task in ("A1A2", "A1T2", "A1T1", "T1A2", "T1T2")},
        "words": WORDS,
        "frames": frames(spoken),
        "speech": {
            name: {
                "batch": speak(model, "A1A2", rules, heard, batch=True),
                "single": speak(model, "A1A2", rules, heard),
                "fromText": speak(model, "T1A2", rules, text=WORDS),
            }
            for name, rules in both.items()
        },
        "text": {
            "A1T2": write(model, "A1T2", both["plain"], heard),
            "A1T1": write(model, "A1T1", both["plain"], heard),
            "T1T2": write(model, "T1T2", both["plain"], text=WORDS),
        },
    }
    chance = torch.Generator().manual_seed(1)
    codes_of = torch.randint(0, ids.codes, (6, AUDIO_LAYERS), generator=chance).tolist()
    snac = load_snac(folder / "snac_24khz")
    codes = [torch.tensor([[frame[layer] for frame in codes_of for layer in layers]]) for layers in ((0,), (1, 4), (2, 3, 5, 6))]
    noise = [torch.zeros(1, 1, len(codes_of) * snac.strides[0] * length) for length in snac.noise_lengths()]
    pcm = snac(codes, noise).flatten()
    out["codec"] = {"frames": codes_of, "pcm": base64.b64encode((pcm * 32767).round().to(torch.int16).numpy().tobytes()).decode()}
    return out


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1, help="the first seed that is tried")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    for seed in range(options.seed, options.seed + 500):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write_tiny(folder, seed)
            found = golden(folder)
            if found is None:
                continue
            convert(folder, options.out, 32)
        found["seed"] = seed
        (options.out / "golden.json").write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"seed {seed}: {len(found['speech']['guarded']['batch'])} steps")
        return
    raise SystemExit("No seed gave a text that ends before its speech.")


if __name__ == "__main__":
    main()
