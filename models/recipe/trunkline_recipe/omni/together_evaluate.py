"""Measures trunk, ear adapter and talker together on questions and voices that nothing was trained on, each task by itself.

    python -m trunkline_recipe.omni.together_evaluate TRIPLES TRUNK WHISPER ADAPTER.pt BASIS.npz TALKER_RUN
        [--split test] [--most 200] [--out OUT.json]

Right answers of the trunk, greedy, without the program's guards, judged as in brain/evaluate.py: from the written question (T1-T2) and
from the soft rows of the spoken one (A1-T2). The talker's squared error in the heard directions, of a variance of about 1, on the
teacher's sound of the right answer: with the states that follow the written question (T1-A2), the spoken one (A1-A2) and with none.
What the voice says is read back by omni/evaluate.py, the caller's words by omni/ear_evaluate.py.
"""

import argparse
import json
from itertools import groupby
from pathlib import Path

import numpy as np
import torch

from ..brain.evaluate import right
from ..brain.prompt import IM_START, STOPS
from .data import Shards
from .ear_trunk import answer
from .together import Triples
from .train_together import add_inputs, assemble

STOP = STOPS | {IM_START}
MOST_TOKENS = 50


@torch.no_grad()
def judge(net, shards, row, opening=None):
    """-> measures of one row by task. opening: of Together.read_opening, if this persona was read before."""
    past, start = opening = opening or net.read_opening(row)
    found = {}
    for text_task, sound_task, written in (("T1-T2", "T1-A2", True), ("A1-T2", "A1-A2", False)):
        rows = torch.cat([net.question(row, written), net.embedded(net.between(row, written))])
        said, end = answer(net.trunk, rows, past, start, STOP, MOST_TOKENS)
        text = net.prompt.tokenizer.decode(said)
        loss, _, states = net([row], [written], opening)
        error, _ = net.sound(shards, [row], states, np.random.default_rng(1), withheld=False)
        found[text_task] = {"right": right(row["answer"], None, text, end), "loss": float(loss), "said": text}
        found[sound_task] = {"error": float(error)}
    error, _ = net.sound(shards, [row], states, np.random.default_rng(1), withheld=True)
    return found | {"A2 without states": {"error": float(error)}}


def means(judged):
    """-> by task, the mean of each measure."""
    measures = {task: [key for key in found if key != "said"] for task, found in judged[0].items()}
    return {task: {key: round(float(np.mean([row[task][key] for row in judged])), 4) for key in keys} for task, keys in measures.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    add_inputs(arguments)
    arguments.add_argument("--split", default="test")
    arguments.add_argument("--most", type=int, default=200)
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    net = assemble(options).eval()
    shards = Shards(options.triples / "latents")
    triples = Triples(options.triples, options.split, shards, options.most)
    if not len(triples):
        raise SystemExit(f"recipe.no-triples: {options.triples} holds no row of the split {options.split} that was heard and said. Fix: the steps in triples.py.")
    judged = []
    for persona, rows in groupby(sorted(triples.rows, key=net.opening), net.opening):
        rows = list(rows)
        opening = net.read_opening(rows[0])
        judged += [{"id": row["id"], "kind": row["kind"], "tasks": judge(net, shards, row, opening)} for row in rows]
    told = {"rows": len(judged), "split": options.split} | means([row["tasks"] for row in judged])
    for name, phone in (("phone", True), ("general", False)):
        part = [row["tasks"] for row in judged if (row["kind"] == "phone") == phone]
        told[name] = {"rows": len(part)} | (means(part) if part else {})
    print(json.dumps(told), flush=True)
    if options.out:
        options.out.write_text(json.dumps(told | {"each": judged}) + "\n")


if __name__ == "__main__":
    main()
