"""How much the word that begins a refusal should get, and the one that begins a tool's answer: what the model thinks of them at first.

    python -m trunkline_recipe.brain.refusals WEIGHTS CALLS.jsonl

CALLS: `dialogues --split valid`, for tools with `--tools 1`, with the facts beside each question (related.mjs). Only branches of one question are
read, and those that a tool answers count as settled. The margin is the logit of the word "I" less the greatest other one; src/model/brain
refuses where margin + bonus > 0. An answer that begins with "I" and is no refusal is left out: "I am sorry, we are closed."
Where a tool's line stands beside the question, the second table gives its first word, "One", so much more than all others.
"""

import argparse
import json

import torch
from tokenizers import Tokenizer

from .network import Trunk
from .prompt import STOPS, TOOL, Prompt
from .tools import line

REFUSAL_BONUS = 1  # of src/model/brain
BONUSES = (-1, 0, 0.5, 1, 1.5, 2, 3)
FIRST_WORD = 17  # ids of control tokens lie below


def margins(trunk, prompt, personas):
    """-> (must it be refused, margin, None or (must a tool be called, its margin once the refusal has its bonus)) of each question."""
    word, one = prompt.text("I")[0], prompt.text("One")[0]
    for persona in personas:
        opening = prompt.persona(persona["instructions"], persona["facts"], persona["greeting"])
        past, lines = trunk.fresh_past(), {line(name) for name in persona.get("tools", [])}
        with torch.no_grad():
            trunk(torch.tensor([opening]), past, 0)
            for (turn, *more) in persona["branches"]:
                refused = "do not have that information" in turn["answer"]
                if more or (turn["answer"].startswith("I ") and not refused):
                    continue
                own = [list(layer) for layer in past]
                hidden = trunk(torch.tensor([prompt.question(turn["user"], turn["hints"])]), own, len(opening))
                logits = trunk.logits(hidden[0, -1:])[0]
                may = torch.cat([logits[FIRST_WORD:], logits[[stop for stop in STOPS if stop != TOOL]]])
                may[word - FIRST_WORD] = -torch.inf
                margin = float(logits[word] - may.max())
                called = None
                if lines & set(turn["hints"]):
                    may[one - FIRST_WORD] = -torch.inf
                    called = (turn["action"] == "tool", float(logits[one] - max(may.max(), logits[word] + REFUSAL_BONUS)))
                yield refused, margin, called


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("weights", help="folder with model.safetensors and tokenizer.json")
    arguments.add_argument("calls")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    prompt = Prompt(Tokenizer.from_file(f"{options.weights}/tokenizer.json"))
    found = list(margins(Trunk.load(options.weights), prompt, map(json.loads, open(options.calls, encoding="utf-8"))))
    yes, no = ([margin for refused, margin, _ in found if refused == which] for which in (True, False))
    print(f"{len(yes)} questions to refuse, {len(no)} to answer")
    for bonus in BONUSES:
        share = lambda margins: 100 * sum(margin + bonus > 0 for margin in margins) / len(margins)
        print(f"{bonus:>4}: refused where it is right {share(yes):.1f} %, where it is not {share(no):.1f} %")
    tools = [called for _, _, called in found if called is not None]
    for bonus in BONUSES if tools else ():
        share = lambda wanted: 100 * sum(margin + bonus > 0 for must, margin in tools if must == wanted) / max(1, sum(must == wanted for must, _ in tools))
        print(f"{bonus:>4}: called where it is right {share(True):.1f} %, where it is not {share(False):.1f} %")
    area = sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))
    print(f"area under the curve {area:.3f}")


if __name__ == "__main__":
    main()
