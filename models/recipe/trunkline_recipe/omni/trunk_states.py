"""The language model's last hidden state of each word of the training sentences, for the talker.

    python -m trunkline_recipe.omni.trunk_states SENTENCES.jsonl SMOLLM2.gguf TOKENIZER.json OUT_DIR [--minutes 10]

State of a word: the mean, over the tokens that lie in it, of the last layer's normalised output at the position that
reads the token. The sentence stands as an answer does, after the opening of the agent's turn. float16 [words, 576] by
shards of 512 sentences, in order; sentences without one are trained with the state withheld.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

SHARD = 512
OPENING = "<|im_start|>assistant\n"


class States:
    """Reads what main() wrote. Without a folder every state is withheld."""

    def __init__(self, folder, width):
        self.width, self.rows = width, {}
        for path in sorted(Path(folder).glob("states-?????.npz")) if folder else ():
            data = np.load(path)
            self.rows.update(zip(data["line"].tolist(), np.split(data["state"], np.cumsum(data["counts"])[:-1])))

    def of(self, lines, words):
        """-> hidden [B, words, width], known [B, words] (0 or 1)."""
        hidden, known = np.zeros((len(lines), words, self.width), np.float32), np.zeros((len(lines), words), np.float32)
        for row, line in enumerate(lines):
            state = self.rows.get(int(line))
            if state is not None:
                hidden[row, : len(state)] = state
                known[row, : len(state)] = 1
        return torch.from_numpy(hidden), torch.from_numpy(known)


def words_of(offsets, places):
    """For each word its tokens: those that share a character with it. A word that has none takes the token before."""
    found = []
    for start, end in places:
        inside = [i for i, (a, b) in enumerate(offsets) if a < end and b > start]
        found.append(inside or found[-1] if found else inside)
    return found


def main():
    import tokenizers

    from ..brain.gguf_to_torch import read_weights
    from ..brain.network import Trunk

    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sentences", "gguf", "tokenizer", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--minutes", type=float, default=10)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizers.Tokenizer.from_file(str(options.tokenizer))
    trunk = Trunk()
    trunk.load_state_dict(read_weights(str(options.gguf)))
    trunk.eval()
    lines = options.sentences.read_text().splitlines()
    opening = tokenizer.encode(OPENING).ids
    began = time.monotonic()
    for first in range(0, len(lines), SHARD):
        path = options.out / f"states-{first // SHARD:05d}.npz"
        if path.exists():
            continue
        if time.monotonic() - began > 60 * options.minutes:
            break
        kept = {"line": [], "counts": [], "state": []}
        for line in range(first, min(first + SHARD, len(lines))):
            said = json.loads(lines[line])
            # Offsets count characters; JavaScript's count UTF-16 units: the same but for rare signs.
            read = tokenizer.encode(said["text"])
            spans = words_of(read.offsets, [(w["start"], w["end"]) for w in said["words"]])
            if not all(spans):
                continue
            with torch.no_grad():
                out = last_states(trunk, opening + read.ids)[len(opening) :]
            kept["line"].append(line)
            kept["counts"].append(len(spans))
            kept["state"].append(torch.stack([out[s].mean(0) for s in spans]).half().numpy())
        part = path.with_suffix(".part.npz")
        np.savez(part, line=kept["line"], counts=kept["counts"], state=np.concatenate(kept["state"]))
        part.rename(path)
        print(json.dumps({"shard": path.name, "seconds": round(time.monotonic() - began)}), flush=True)


if __name__ == "__main__":
    main()
