"""The shipped trunk in torch: reads the 4-bit graph of models/smollm2-135m back into plain weights and reads soft tokens."""

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ..brain.import_onnx import read_weights
from ..brain.network import VOCABULARY, WIDTH, Trunk
from ..brain.prompt import Prompt

HEAD_BLOCK = 64


def embedding_table(folder):
    """Rows as the program reads them, float32 [49152, 576]."""
    raw = (Path(folder) / "embedding.bin").read_bytes()
    weights, blocks = VOCABULARY * WIDTH, VOCABULARY * WIDTH // HEAD_BLOCK
    codes = np.frombuffer(raw, np.uint8, weights).reshape(VOCABULARY, -1, HEAD_BLOCK).astype(np.float32)
    scales = np.frombuffer(raw, np.float32, blocks, weights).reshape(VOCABULARY, -1, 1)
    zeros = np.frombuffer(raw, np.uint8, blocks, weights + 4 * blocks).reshape(VOCABULARY, -1, 1)
    return ((codes - zeros) * scales).reshape(VOCABULARY, WIDTH)


def load_trunk(folder):
    """The weights that are shipped, as a frozen torch model."""
    return Trunk.of(read_weights(str(folder))).requires_grad_(False).eval()


def load_prompt(folder):
    return Prompt(Tokenizer.from_file(str(Path(folder) / "tokenizer.json")))


def read(trunk, rows, past=None, start=0):
    """Embedding rows [T, 576] after `past` -> hidden states [T, 576]."""
    return trunk.read(rows[None], past, start)[0]


def copied(past):
    """A cache to append to, while `past` stays as it is."""
    return [list(pair) for pair in past]


@torch.no_grad()
def answer(trunk, rows, prefix, start, stop, most=60):
    """Greedy continuation of embedding rows after a cached prefix -> token ids, without the one that stopped it, and that."""
    past = trunk.fresh_past() if prefix is None else copied(prefix)
    hidden, position, said = read(trunk, rows, past, start)[-1], start + len(rows), []
    while len(said) < most:
        token = int(trunk.logits(hidden).argmax())
        if token in stop:
            return said, token
        said.append(token)
        hidden = read(trunk, trunk.embedding[token][None], past, position)[-1]
        position += 1
    return said, None
