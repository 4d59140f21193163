"""What the Mini-Omni layout is taught and guided by, computed once for each sentence of the teacher.

    python -m trunkline_recipe.omni.mini_codes LATENTS_DIR VOICE_DIR OUT_DIR [--shards 16]

Shards `codes-00000.npz`: the talker's latent for each frame under the teacher's durations (`latents` float16 [frames, 4
width], states of the trunk withheld), the codec's codes of the teacher's latents (`codes` uint16 [frames, 7]) and their
points in code space before coarser codes are taken off (`points` float16 [frames, 7, code width]). Done shards are kept.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from . import shipped
from .codec import interleave
from .mini import STEPS, points
from .reference import steps
from .teacher import session

LATENTS = 8  # in a frame


class Codes:
    """Reads what main() wrote: lists by sentence, and batches of like length."""

    def __init__(self, folder, most=10**9):
        self.lines, self.latents, self.codes, self.points = [], [], [], []
        for path in sorted(Path(folder).glob("codes-?????.npz")):
            if len(self.lines) >= most:
                break
            data = np.load(path)
            bounds = np.cumsum(data["counts"])[:-1]
            self.lines += data["line"].tolist()
            for kept, name in ((self.latents, "latents"), (self.codes, "codes"), (self.points, "points")):
                kept += np.split(data[name], bounds)

    def __len__(self):
        return len(self.lines)

    @property
    def frames(self):
        return sum(len(c) for c in self.codes)

    def batches(self, random, frames, pairs=0.25):
        """Rows of one or two sentences (indices), about `frames` frames a batch, for ever."""
        while True:
            order = random.permutation(len(self))
            rows, at = [], 0
            while at < len(order):
                size = 2 if random.random() < pairs and at + 1 < len(order) else 1
                rows.append([int(i) for i in order[at : at + size]])
                at += size
            rows.sort(key=lambda row: sum(len(self.codes[i]) for i in row) * random.uniform(0.9, 1.1))
            groups, group, longest = [], [], 0
            for row in rows:
                longest = max(longest, sum(len(self.codes[i]) for i in row))
                if group and longest * (len(group) + 1) > frames:
                    groups.append(group)
                    group, longest = [], sum(len(self.codes[i]) for i in row)
                group.append(row)
            groups.append(group)
            random.shuffle(groups)
            yield from groups

    def batch(self, rows):
        """-> latents [B, F, 4 width], codes [B, F, 7], points [B, F, 7, code width], real [B, F]."""
        whole = [[np.concatenate([kept[i] for i in row]) for row in rows] for kept in (self.latents, self.codes, self.points)]
        size = max(len(c) for c in whole[1])
        out = []
        for arrays in whole:
            padded = np.zeros((len(rows), size, *arrays[0].shape[1:]), np.int64 if arrays[0].dtype == np.uint16 else np.float32)
            for row, array in enumerate(arrays):
                padded[row, : len(array)] = array
            out.append(torch.as_tensor(padded))
        real = torch.tensor([[float(f < len(c)) for f in range(size)] for c in whole[1]])
        return (*out, real)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("latents", "voice", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--shards", type=int, default=10**9)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    codec = shipped.codec(options.voice)
    encoder, framer = (session(options.voice / f"talker-{part}.onnx") for part in ("encoder", "frames"))
    p = json.loads((options.voice / "manifest.json").read_text())["parameters"]
    for source in sorted(options.latents.glob("latents-?????.npz"))[: options.shards]:
        path = options.out / source.name.replace("latents", "codes")
        if path.exists():
            continue
        data = np.load(source)
        by_symbol, by_latent = np.cumsum(data["symbolCounts"])[:-1], np.cumsum(data["frameCounts"])[:-1]
        sentences = zip(*(np.split(data[name], by_symbol) for name in ("symbols", "words", "durations")), np.split(data["z"], by_latent))
        kept = {"line": data["line"], "counts": [], "latents": [], "codes": [], "points": []}
        for symbols, words, durations, z in sentences:
            frames = -(-len(z) // LATENTS)
            z = np.concatenate([z, np.repeat(z[-1:], frames * LATENTS - len(z), 0)]).astype(np.float32)
            count = int(words[-1]) + 1
            nothing = {"hidden": np.zeros((1, count, p["trunkWidth"]), np.float32), "known": np.zeros((1, count), np.float32)}
            features, _ = encoder.run(None, {"symbols": symbols[None].astype(np.int64), "words": words[None].astype(np.int64), **nothing})
            index, position = steps(durations.astype(np.float64), STEPS * frames)
            latent = framer.run(["latent"], {"features": features, "index": index[None], "position": position[None], "state": np.zeros((1, p["width"], p["talkerState"]), np.float32)})[0]
            with torch.no_grad():
                h, _ = codec.encode(codec.heard(torch.as_tensor(z.T[None].copy())))
                codes = interleave(codec.quantise(h)[1])[0]
                found = points(codec, h.transpose(1, 2).reshape(1, frames, STEPS, -1))[0]
            kept["counts"].append(frames)
            kept["latents"].append(latent[0].T.reshape(frames, -1).astype(np.float16))
            kept["codes"].append(codes.numpy().astype(np.uint16))
            kept["points"].append(found.numpy().astype(np.float16))
        part = path.with_suffix(".part.npz")
        np.savez(part, line=kept["line"], counts=kept["counts"], **{k: np.concatenate(kept[k]) for k in ("latents", "codes", "points")})
        part.rename(path)
        print(json.dumps({"shard": path.name, "frames": sum(kept["counts"])}), flush=True)


if __name__ == "__main__":
    main()
