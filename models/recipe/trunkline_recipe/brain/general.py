"""Asks plain general questions without a persona (`test/fixtures/brain/general.json`): what tuning cost of general knowledge.

With `--against OUT.json` of another run the difference is told as well, with its interval: questions are resampled in pairs.
"""

import argparse
import json
import re

import numpy as np
import torch
from tokenizers import Tokenizer

from .network import Linear, Trunk, fake_quantise, generate
from .prompt import STOPS, Prompt

SYSTEM = "You are a helpful assistant. Answer in one short sentence."


def interval(values: list[float], draws: int = 10000) -> str:
    """Mean in percent with its 95 % interval, by resampling."""
    values = np.array(values, float)
    means = values[np.random.default_rng(1).integers(len(values), size=(draws, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{100 * values.mean():.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("weights", help="folder with model.safetensors and tokenizer.json")
    arguments.add_argument("questions", help="general.json")
    arguments.add_argument("--grid", action="store_true", help="put the layers on the 4-bit grid that is shipped")
    arguments.add_argument("--most", type=int, help="questions")
    arguments.add_argument("--out", help="json: question, answer, right")
    arguments.add_argument("--against", help="what --out wrote of the weights to compare with")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(f"{options.weights}/tokenizer.json")
    prompt, trunk = Prompt(tokenizer), Trunk.load(options.weights)
    for module in trunk.modules():
        if options.grid and isinstance(module, Linear):
            module.weight.data = fake_quantise(module.weight.data)
    opening = prompt.block("system", SYSTEM)
    questions = json.load(open(options.questions, encoding="utf-8"))[: options.most]
    asked = []
    for question in questions:
        said = generate(trunk, opening + prompt.question(question["text"], []), 24, STOPS)
        text = tokenizer.decode(said)
        asked.append({"question": question["text"], "answer": text, "right": bool(re.search(question["expect"], text, re.I))})
        if not asked[-1]["right"]:
            print(f"{question['text']} → {text}", flush=True)
    right = [one["right"] for one in asked]
    print(f"right {sum(right)} of {len(right)}, {interval(right)}")
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(asked, file, indent=1)
    if options.against:
        before = {one["question"]: one["right"] for one in json.load(open(options.against, encoding="utf-8"))}
        print(f"difference {interval([float(one['right']) - before[one['question']] for one in asked])}")


if __name__ == "__main__":
    main()
