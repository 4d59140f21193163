"""Asks plain general questions without a persona (`test/fixtures/brain/general.json`): what tuning cost of general knowledge."""

import argparse
import json
import re

import torch
from tokenizers import Tokenizer

from .network import Linear, Trunk, fake_quantise, generate
from .prompt import HANDOVER, HANGUP, IM_END, Prompt

SYSTEM = "You are a helpful assistant. Answer in one short sentence."


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("weights", help="folder with model.safetensors and tokenizer.json")
    arguments.add_argument("questions", help="general.json")
    arguments.add_argument("--grid", action="store_true", help="put the layers on the 4-bit grid that is shipped")
    arguments.add_argument("--most", type=int, help="questions")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(f"{options.weights}/tokenizer.json")
    prompt, trunk = Prompt(tokenizer), Trunk.load(options.weights)
    for module in trunk.modules():
        if options.grid and isinstance(module, Linear):
            module.weight.data = fake_quantise(module.weight.data)
    opening = prompt.block("system", SYSTEM)
    questions = json.load(open(options.questions, encoding="utf-8"))[: options.most]
    right = 0
    for question in questions:
        said = generate(trunk, opening + prompt.question(question["text"], []), 24, {IM_END, HANDOVER, HANGUP})
        text = tokenizer.decode(said)
        if re.search(question["expect"], text, re.I):
            right += 1
        else:
            print(f"{question['text']} → {text}")
    print(f"right {right} of {len(questions)}, {100 * right / len(questions):.1f} %")


if __name__ == "__main__":
    main()
