"""The language model's last hidden state of each word of the training sentences, for the talker.

    python -m trunkline_recipe.omni.trunk_states SENTENCES.jsonl TRUNK_DIR OUT_DIR [--minutes 10] [--shards 4]

TRUNK_DIR holds model.safetensors and tokenizer.json of the language model as shipped. State of a word: the mean, over the tokens that lie in it, of the last layer's normalised output at the position that
reads the token. The sentence stands as an answer does, after the opening of the agent's turn. float16 [words, 576] by
shards of 512 sentences, in order; sentences without one are trained with the state withheld.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

SHARD = 256
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
        return torch.as_tensor(hidden), torch.as_tensor(known)


def words_of(offsets, places):
    """For each word its tokens: those that share a character with it. A word that has none takes the token before."""
    found = []
    for start, end in places:
        inside = [i for i, (a, b) in enumerate(offsets) if a < end and b > start]
        found.append(inside or found[-1] if found else inside)
    return found


def make(sentences, trunk_folder, out, minutes, shards):
    """Writes the shards that are missing of the first `shards`; loads the language model only if there are any."""
    import tokenizers

    from ..brain.network import Trunk

    out.mkdir(parents=True, exist_ok=True)
    lines = sentences.read_text().splitlines()[: SHARD * shards]
    missing = [n for n in range(-(-len(lines) // SHARD)) if not (out / f"states-{n:05d}.npz").exists()]
    if not missing:
        return
    tokenizer = tokenizers.Tokenizer.from_file(str(trunk_folder / "tokenizer.json"))
    trunk = Trunk.load(str(trunk_folder)).eval()
    opening = tokenizer.encode(OPENING).ids
    began = time.monotonic()
    for shard in missing:
        if time.monotonic() - began > 60 * minutes:
            break
        kept = {"line": [], "counts": [], "state": []}
        for line in range(SHARD * shard, min(SHARD * (shard + 1), len(lines))):
            said = json.loads(lines[line])
            # Offsets count characters; JavaScript's count UTF-16 units: the same but for rare signs.
            read = tokenizer.encode(said["text"])
            spans = words_of(read.offsets, [(w["start"], w["end"]) for w in said["words"]])
            if not all(spans):
                continue
            with torch.no_grad():
                state = trunk(torch.tensor(opening + read.ids))[len(opening) :]
            kept["line"].append(line)
            kept["counts"].append(len(spans))
            kept["state"].append(torch.stack([state[s].mean(0) for s in spans]).half().cpu().numpy())
        path = out / f"states-{shard:05d}.npz"
        part = path.with_suffix(".part.npz")
        np.savez(part, line=kept["line"], counts=kept["counts"], state=np.concatenate(kept["state"]))
        part.rename(path)
        print(json.dumps({"shard": path.name, "seconds": round(time.monotonic() - began)}), flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sentences", "trunk", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--shards", type=int, default=10**9)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    make(options.sentences, options.trunk, options.out, options.minutes, options.shards)


if __name__ == "__main__":
    main()
