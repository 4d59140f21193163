"""Golden values for the tests of the program: token layout, relevance and greedy answers of the reference implementation."""

import argparse
import json
import os
import random

import torch
from tokenizers import Tokenizer

from .dialogues import dialogue
from .network import Linear, Trunk, fake_quantise, generate, quantise
from .prompt import STOPS, Prompt
from .retrieval import FactIndex


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("weights", help="folder with the tuned weights and tokenizer.json")
    arguments.add_argument("file", help="name of the safetensors file there")
    arguments.add_argument("out")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    prompt = Prompt(Tokenizer.from_file(os.path.join(options.weights, "tokenizer.json")))
    trunk = Trunk.load(options.weights, options.file)
    for module in trunk.modules():
        if isinstance(module, Linear):
            codes, scale, zero = quantise(module.weight.data)
            scale = scale.half().float()
            module.weight.data = ((codes - zero[..., None]) * scale[..., None]).reshape(module.weight.shape)
    trunk.embedding.data = fake_quantise(trunk.embedding.data, 64, 8)
    rng = random.Random("fixtures")
    cases = []
    while len(cases) < 4:
        d = dialogue(rng, "test", 4)
        turn = next((t for t in d["turns"] if t["fact"]), None)
        if turn is None:
            continue
        hints = FactIndex(d["facts"]).best(turn["user"], 3)
        tokens = prompt.persona(d["instructions"], d["facts"], d["greeting"]) + prompt.question(turn["user"], hints)
        said = generate(trunk, tokens, 60, STOPS)
        cases.append({"instructions": d["instructions"], "facts": d["facts"], "greeting": d["greeting"], "question": turn["user"], "related": hints, "tokens": tokens, "answer": said})
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump(cases, file, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main()
