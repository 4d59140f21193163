"""Reads out what has reached the trunk: a linear head on one of its middle layers, fitted in closed form on text alone.

    python -m trunkline_recipe.omni.ear_probe WORK TRUNK [--texts 1500]

The trunk as shipped answers and does not repeat, so its ability to repeat is measured here: ridge regression from the hidden
state after layer L, at the position of a word piece, to that piece's embedding (after the words before it); the nearest
row of the embedding table is what is read. The head never sees audio. Writes WORK/probe.npz with the heads of several
layers and prints how much of unseen text each reads right.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from ..brain.network import HEAD_WIDTH, ROPE_BASE, WIDTH
from ..brain.prompt import IM_START
from .ear_readout import make_texts
from .ear_trunk import load_prompt, load_trunk

LAYERS = (2, 4, 8)
RIDGE = 30.0


def packed(trunk, sequences, last=max(LAYERS)):
    """Hidden states after the probed layers for several sequences of rows at once: {layer: [tokens, 576]}.

    The sequences lie one after the other and do not see each other.
    """
    lengths = [len(s) for s in sequences]
    x = torch.cat(list(sequences))
    place = torch.cat([torch.arange(n) for n in lengths]).float()
    owner = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    mask = (owner[:, None] == owner[None]) & (place[:, None] >= place[None])
    frequencies = ROPE_BASE ** (-torch.arange(0, HEAD_WIDTH, 2).float() / HEAD_WIDTH)
    angles = place[:, None] * frequencies[None]
    angles = torch.cat((angles, angles), dim=-1)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    states = {}
    for i, layer in enumerate(trunk.layers[:last]):
        x = masked_layer(layer, x, cos, sin, mask)
        if i + 1 in LAYERS:
            states[i + 1] = x.float()
    return states


def masked_layer(layer, x, cos, sin, mask):
    """network.Layer with a mask of its own."""
    import torch.nn.functional as F

    from ..brain.network import HEADS, KV_HEADS, NORM_EPSILON, rotate

    n = x.shape[0]
    h = F.rms_norm(x, (WIDTH,), layer.norm1, NORM_EPSILON)
    q = rotate(layer.q(h).view(n, HEADS, HEAD_WIDTH).transpose(0, 1), cos, sin)
    k = rotate(layer.k(h).view(n, KV_HEADS, HEAD_WIDTH).transpose(0, 1), cos, sin).repeat_interleave(HEADS // KV_HEADS, 0)
    v = layer.v(h).view(n, KV_HEADS, HEAD_WIDTH).transpose(0, 1).repeat_interleave(HEADS // KV_HEADS, 0)
    y = F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=mask[None, None])[0]
    x = x + layer.o(y.transpose(0, 1).reshape(n, WIDTH))
    h = F.rms_norm(x, (WIDTH,), layer.norm2, NORM_EPSILON)
    return x + layer.down(F.silu(layer.gate(h)) * layer.up(h))


def user_head(prompt):
    return [IM_START, *prompt.text("user\n")]


class Probe:
    """What the trunk reads, out of its hidden states after `layer`."""

    def __init__(self, work, trunk, layer):
        heads = np.load(Path(work) / "probe.npz")
        self.weight, self.layer, self.trunk = torch.from_numpy(heads[f"layer{layer}"]), layer, trunk
        self.table = trunk.embedding.float()
        self.norms = self.table.pow(2).sum(1)

    def ids(self, states):
        """Hidden states [n, 576] -> token ids [n]."""
        guess = torch.cat([normal(states), torch.ones(len(states), 1)], dim=1) @ self.weight
        return (2 * guess @ self.table.T - self.norms).argmax(1)

    def read(self, prompt, sequences):
        """Lists of soft rows [n, 576] -> texts."""
        head = self.trunk.embedding[user_head(prompt)]
        rows = [torch.cat([head, s.to(head.dtype)]) for s in sequences]
        ids = self.ids(packed(self.trunk, rows, self.layer)[self.layer])
        texts, at = [], 0
        for row in rows:
            texts.append(prompt.tokenizer.decode(ids[at + len(head) : at + len(row)].tolist()))
            at += len(row)
        return texts


def normal(states):
    return states / states.pow(2).mean(1, keepdim=True).sqrt()


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("trunk")
    parser.add_argument("--texts", type=int, default=1500)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    trunk, prompt = load_trunk(arguments.trunk).bfloat16(), load_prompt(arguments.trunk)
    table, head = trunk.embedding, user_head(prompt)
    lines = list(make_texts(arguments.texts, np.random.default_rng(23)))
    unseen, began = len(lines) * 9 // 10, time.process_time()
    sums = {layer: (torch.zeros(WIDTH + 1, WIDTH + 1), torch.zeros(WIDTH + 1, WIDTH)) for layer in LAYERS}
    checks = {layer: [] for layer in LAYERS}
    for start in range(0, len(lines), 20):
        batch = [head + prompt.text(text) for text in lines[start : start + 20]]
        ids = torch.tensor([i for row in batch for i in row])
        said = torch.cat([torch.arange(len(row)) >= len(head) for row in batch])
        for layer, states in packed(trunk, [table[row] for row in batch]).items():
            rows = torch.cat([normal(states[said]), torch.ones(int(said.sum()), 1)], dim=1)
            if start < unseen:
                sums[layer][0].addmm_(rows.T, rows)
                sums[layer][1].addmm_(rows.T, table[ids[said]].float())
            else:
                checks[layer].append((states[said], ids[said]))
    weights = {}
    for layer, (square, cross) in sums.items():
        weights[f"layer{layer}"] = torch.linalg.solve(square + RIDGE * torch.eye(WIDTH + 1), cross).numpy()
    np.savez(arguments.work / "probe.npz", **weights)
    for layer in LAYERS:
        probe = Probe(arguments.work, trunk, layer)
        right = torch.cat([probe.ids(states) == ids for states, ids in checks[layer]]).float()
        print(f"layer {layer}: {100 * right.mean():.2f} % of {len(right)} tokens of unseen text read right", flush=True)
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
