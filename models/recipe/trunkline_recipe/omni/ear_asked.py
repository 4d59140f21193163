"""Held-out yes-or-no questions in the words of a statement, to measure what a rising tune is worth.

    python -m trunkline_recipe.omni.ear_asked ../../test/fixtures/brain/heldout.json OUT

"Are you open on Saturday?" becomes "You are open on Saturday", in OUT/stated.json with a full stop and in OUT/asked.json with a
question mark (`trunkline bench heldout --questions FILE`), and OUT/ID.ogg says it with a rising tune, by voices of
espeak-ng that nothing learns from (`--spoken OUT`). Needs espeak-ng, sox and opusenc.
"""

import argparse
import json
import re
from pathlib import Path

from ..questions import record
from .ear_speech import ESPEAK_TEST

INVERTED = re.compile(r"(Are|Is|Can|Have|Has|Will|Do) (you|I|we|there|it) (.*)\?$")


def stated(question):
    """-> the same words in a statement's order, without a mark; None: it is no such question"""
    match = INVERTED.match(question)
    if not match:
        return None
    verb, subject, rest = match.groups()
    subject = subject[0].upper() + subject[1:]
    return f"{subject} {rest}" if verb == "Do" else f"{subject} {verb.lower()} {rest}"


def sets(heldout):
    """-> {"stated": …, "asked": …}: the set with those questions alone, by mark"""
    suited = [(q, stated(q["text"])) for q in heldout["questions"] if not q.get("before") and q["kind"] != "action"]
    marked = lambda mark: [{**q, "text": text + mark} for q, text in suited if text]  # noqa: E731
    return {name: {"personas": heldout["personas"], "questions": marked(mark)} for name, mark in (("stated", "."), ("asked", "?"))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("heldout", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = sets(json.loads(arguments.heldout.read_text()))
    for name, questions in made.items():
        (arguments.out / f"{name}.json").write_text(json.dumps(questions, indent=1) + "\n")
    for number, question in enumerate(made["asked"]["questions"]):
        record(f"espeak:{ESPEAK_TEST[number % len(ESPEAK_TEST)]}", question["text"], arguments.out / f"{question['id']}.ogg")
    print(f"{len(made['asked']['questions'])} questions, {len(ESPEAK_TEST)} voices")


if __name__ == "__main__":
    main()
