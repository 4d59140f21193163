"""Phoneme error rate of whole sentences: what phonemes.mjs printed against espeak-ng on the same lines.

Run: python -m trunkline_recipe.voice.compare LINES.txt PHONEMES.txt
"""

import pathlib
import re
import sys

from .g2p import edits, phones, tokens_of
from .labels import Labeller


def main(lines, said):
    label = Labeller()
    wrong = wrong2 = count = 0
    for line, got in zip(pathlib.Path(lines).read_text().strip().split("\n"), pathlib.Path(said).read_text().split("\n")):
        want = re.sub(r"[.,;:!?]", " ", " ".join(label(line)))
        # Blanks are not counted: espeak-ng runs some words together.
        a, b = tokens_of(re.sub(r"\s+", "", want)), tokens_of(got.replace(" ", ""))
        wrong, wrong2, count = wrong + edits(a, b), wrong2 + edits(phones(a), phones(b)), count + len(a)
        if a != b:
            print(f"{want}\n  {got}")
    print({"phonemes": count, "per": round(100 * wrong / count, 2), "perWithoutStress": round(100 * wrong2 / count, 2)})


if __name__ == "__main__":
    main(*sys.argv[1:3])
