"""The adapter from the recogniser's states to the trunk's embedding space, its training and its export.

    python -m trunkline_recipe.omni.ear_adapter WORK TRUNK WHISPER OUT [--epochs 6]

A soft token is what the trunk's embedding is expected to be under the decoder's distribution over its 8 likeliest tokens
(after the posterior "tight integration" of Bahar et al. 2021), plus a correction computed from the decoder's states (two
layers, 128 wide). The correction is taught with the transcript's true tokens: where the recogniser's pieces stand one to
one with the text's, the sum must come close to the true token's embedding, in the metric in which the trunk tells tokens
apart (cross-entropy over the whole table) and in squared distance. For comparison, --plain leaves the expectation out: states
alone through the same net.
"""

import argparse
import difflib
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .ear_hear import MAX_PIECES, TOP, Listener, adapter_rows, mixture, pieces_table
from .ear_trunk import embedding_table, load_prompt

STATE, WIDTH, INNER = 512, 576, 128
DISTANCE_SCALE = 40.0


class Adapter(nn.Module):
    """states, before [n, 512], base [n, 576], piece [n] -> soft [n, 576]"""

    def __init__(self, plain=False, state=STATE, width=WIDTH, inner=INNER):
        super().__init__()
        self.plain = plain
        self.norm = nn.LayerNorm(state)
        self.piece = nn.Embedding(MAX_PIECES, inner)
        self.up = nn.Linear(2 * state + (0 if plain else width), inner)
        self.down = nn.Linear(inner, width)
        nn.init.zeros_(self.piece.weight)
        if not plain:
            nn.init.zeros_(self.down.weight)
            nn.init.zeros_(self.down.bias)

    def forward(self, states, before, base, piece):
        drop = lambda x: F.dropout(x, 0.3, self.training)  # noqa: E731
        parts = [drop(self.norm(states)), drop(self.norm(before))]
        if not self.plain:
            parts.append(base * 8)  # the table's rows have a standard deviation of about an eighth
        change = self.down(F.gelu(self.up(torch.cat(parts, dim=-1)) + self.piece(piece)))
        return change if self.plain else base + change


def word_form(text):
    return "".join(c for c in text.lower() if c.isalnum())


def aligned(heard_ids, true_ids, tokenizer):
    """Places in the heard pieces and the true tokens there: equal runs, and replacements of one piece by one."""
    names = [[word_form(tokenizer.decode([i])) or tokenizer.decode([i]).strip() for i in row] for row in (heard_ids, true_ids)]
    pairs = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        if kind == "equal" or (kind == "replace" and b - a == d - c == 1):
            pairs += zip(range(a, b), range(c, d))
    return pairs


def load_examples(folder, table, embedding, prompt, limit=None):
    """Arrays of adapter inputs, target token ids and a mark for utterances kept for checking."""
    columns = [[] for _ in range(6)]
    for number, path in enumerate(sorted(Path(folder).glob("*.npz"))[:limit]):
        heard = np.load(path)
        if not heard["speech"] or heard["looped"] or not heard["whole"]:
            continue
        mixed = mixture(heard, table)
        rows = adapter_rows(heard, mixed, embedding)
        chosen = [int(table[0 if o else 1][heard["ids"][o], p]) for o, p in zip(mixed["owner"], mixed["piece"])]
        pairs = aligned(chosen, prompt.text(str(heard["text"])), prompt.tokenizer)
        true = prompt.text(str(heard["text"]))
        if len(pairs) < 0.5 * len(true):
            continue
        at = np.array([a for a, _ in pairs])
        # Capitals and punctuation are the recogniser's: only where the word differs is the text the teacher.
        target = [chosen[a] if word_form(prompt.tokenizer.decode([chosen[a]])) == word_form(prompt.tokenizer.decode([true[b]])) else true[b] for a, b in pairs]
        for column, values in zip(columns, (*(r[at] for r in rows), np.array(target), np.full(len(at), number % 10 == 9))):
            column.append(values)
    return [torch.from_numpy(np.concatenate(c)) for c in columns]


def scores(soft, embedding, norms):
    return (2 * soft @ embedding.T - norms) * DISTANCE_SCALE / 2


def train(examples, embedding, plain, epochs, penalty, seed=5):
    torch.manual_seed(seed)
    *inputs, target, check = examples
    adapter, norms = Adapter(plain), embedding.pow(2).sum(1)
    optimiser = torch.optim.AdamW(adapter.parameters(), 1e-3, weight_decay=0.05)
    learn = torch.nonzero(~check)[:, 0]
    sample = torch.randperm(len(embedding))[:2000]
    steps, step = epochs * (len(learn) // 128), 0
    for _ in range(epochs):
        for batch in learn[torch.randperm(len(learn))].split(128):
            if len(batch) < 128:
                continue
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 * min(1, (step + 1) / 50) * max(0.02, 1 - step / steps)
            soft = adapter(*(x[batch] for x in inputs))
            true = target[batch]
            # Against the words at hand and 2,000 others: the whole table would be most of the cost.
            others = torch.unique(torch.cat([true, sample]))
            place = torch.searchsorted(others, true)
            loss = F.cross_entropy(scores(soft, embedding[others], norms[others]), place)
            loss = loss + 20 * (soft - embedding[true]).pow(2).mean()
            if not plain:
                loss = loss + penalty * (soft - inputs[2][batch]).pow(2).mean()
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            step += 1
    return adapter.eval()


@torch.inference_mode()
def measure(name, soft, target, embedding):
    norms = embedding.pow(2).sum(1)
    near = torch.cat([scores(s, embedding, norms).argmax(1) for s in soft.split(256)]) == target
    cosine = F.cosine_similarity(soft, embedding[target])
    print(json.dumps({"adapter": name, "rows": len(target), "nearest token right": round(100 * near.float().mean().item(), 2), "cosine": round(cosine.mean().item(), 4)}), flush=True)


def export(adapter, out):
    from ..ear.graph import FLOAT, INT64, Graph

    g = Graph("omni-ear-adapter", int8=False)
    states, before = (g.input(n, FLOAT, ["n", STATE]) for n in ("states", "before"))
    base, piece = g.input("base", FLOAT, ["n", WIDTH]), g.input("piece", INT64, ["n"])
    weights = {k: v.detach().numpy() for k, v in adapter.state_dict().items()}
    parts = [g.norm(x, weights["norm.weight"], weights["norm.bias"]) for x in (states, before)]
    parts.append(g.op("Mul", base, g.constant(np.float32(8))))
    x = g.linear(g.op("Concat", *parts, axis=1), weights["up.weight"], weights["up.bias"])
    x = g.gelu(g.op("Add", x, g.op("Gather", g.constant(weights["piece.weight"]), piece)))
    x = g.op("Add", base, g.linear(x, weights["down.weight"], weights["down.bias"]))
    g.output(x, "soft", FLOAT, ["n", WIDTH])
    Path(out, "adapter.onnx").write_bytes(g.model().SerializeToString())


def write(adapter, table, out):
    """The graph, and the table that its rows are counted by."""
    out.mkdir(parents=True, exist_ok=True)
    export(adapter, out)
    table.astype("<u2").tofile(out / "pieces.bin")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("trunk")
    parser.add_argument("whisper")
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--penalty", type=float, default=200.0, help="on the square of the correction: what is certain stays as it is")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--weights", type=Path, help="nothing is trained: the graph of these weights (train_together.py)")
    parser.add_argument("--plain", action="store_true", help="only compare: states alone, without the expectation")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    prompt = load_prompt(arguments.trunk)
    table = pieces_table((Path(arguments.whisper) / "tokens.txt").read_text().split("\n"), prompt.tokenizer)
    if arguments.weights:
        adapter = Adapter()
        adapter.load_state_dict(torch.load(arguments.weights, weights_only=True))
        write(adapter.eval(), table, arguments.out)
        return
    table_rows = embedding_table(arguments.trunk)
    examples = load_examples(arguments.work / "heard", table, table_rows, prompt, arguments.limit)
    *inputs, target, check = examples
    embedding, began = torch.from_numpy(table_rows), time.process_time()
    measure("expectation alone", inputs[2][check], target[check], embedding)
    adapter = train(examples, embedding, arguments.plain, arguments.epochs, arguments.penalty)
    with torch.inference_mode():
        soft = adapter(*(x[check] for x in inputs))
    measure("states alone" if arguments.plain else "with correction", soft, target[check], embedding)
    print(f"{time.process_time() - began:.0f} s of processor time")
    if not arguments.plain:
        torch.save(adapter.state_dict(), arguments.work / "adapter.pt")
        write(adapter, table, arguments.out)


if __name__ == "__main__":
    main()
