"""Draws the lines that a voice is judged on: each kind of text by its share, one fixed seed, never a line that was trained on.

    python -m trunkline_recipe.omni.draw SENTENCES.jsonl OUT.jsonl [--lines 300] [--count 40000] [--seed 11]

SENTENCES.jsonl is what spoken.mjs made of test.txt or valid.txt; `--count` is that of sentences.py, which is run again to
know of each line whether it is telephone talk, numbers, open text, rare words or a short reply. The kind stands in each
line that is written. Kinds are mixed, so that the first n lines are a draw of their own.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from .sentences import generate


def draw(rows, kind_of, lines, seed):
    """-> `lines` rows, of each kind its share of all rows (largest remainders), in random order."""
    rng = random.Random(seed)
    groups = {}
    for row in rows:
        groups.setdefault(kind_of[row["text"]], []).append(row)
    shares = {kind: lines * len(group) / len(rows) for kind, group in groups.items()}
    counts = {kind: int(share) for kind, share in shares.items()}
    for kind in sorted(shares, key=lambda k: counts[k] - shares[k])[: lines - sum(counts.values())]:
        counts[kind] += 1
    drawn = [{"kind": kind, **row} for kind, group in sorted(groups.items()) for row in rng.sample(group, counts[kind])]
    rng.shuffle(drawn)
    return drawn


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("sentences", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--lines", type=int, default=300)
    arguments.add_argument("--count", type=int, default=40_000)
    arguments.add_argument("--seed", type=int, default=11)
    options = arguments.parse_args()
    rows = [json.loads(line) for line in options.sentences.read_text().splitlines()]
    drawn = draw(rows, dict(generate(options.count)), options.lines, options.seed)
    options.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in drawn))
    print(dict(Counter(row["kind"] for row in drawn)))


if __name__ == "__main__":
    main()
