"""Golden values of the ear for the program's tests: python -m trunkline_recipe.omni.ear_fixtures TRUNK WHISPER EAR QUESTIONS OUT

Two spoken questions of test/fixtures/questions: what the recogniser wrote, its alternatives, states, the expectation and
the soft rows (how it was said: ear_how_fixtures). float32 little-endian, described by index.json. Rows of 576 are kept for
the first tokens only, to stay small.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from ..ear.speech import read_wav
from .ear_evaluate import Ear
from .ear_hear import adapter_rows, mixture

QUESTIONS = ("demo-04", "shop-03")
ROWS = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trunk")
    parser.add_argument("whisper")
    parser.add_argument("ear", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    ear, index = Ear(arguments.trunk, arguments.whisper, arguments.ear), []
    for name in QUESTIONS:
        pcm = read_wav(arguments.questions / f"{name}.ogg")
        heard = ear.listener(pcm)
        mixed = mixture(heard, ear.table)
        states, before, base, piece = adapter_rows(heard, mixed, ear.embedding)
        soft = ear.adapter.run(None, {"states": states, "before": before, "base": base, "piece": piece})[0]
        arrays = {"states": heard["states"][:ROWS], "base": base[:ROWS], "soft": soft[:ROWS]}
        case = {"question": name, "tokens": heard["ids"].tolist(), "text": ear.listener.text(heard["ids"]), "top": heard["top"][:ROWS].tolist(), "logits": np.round(heard["logits"][:ROWS].astype(float), 5).tolist(), "owner": mixed["owner"][:ROWS].tolist(), "piece": mixed["piece"][:ROWS].tolist(), "softRows": len(soft)}
        case["arrays"] = {}
        for key, values in arrays.items():
            file = f"{name}-{key}.f32"
            values.astype("<f4").tofile(arguments.out / file)
            case["arrays"][key] = {"file": file, "shape": list(values.shape)}
        index.append(case)
    (arguments.out / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(sum(p.stat().st_size for p in arguments.out.iterdir()), "bytes")


if __name__ == "__main__":
    main()
