"""Does the trunk answer what it hears as it answers what it reads? python -m trunkline_recipe.omni.ear_agreement WORK TRUNK WHISPER EAR REPOSITORY

Every spoken question of test/fixtures/questions, through 300–3400 Hz and G.711, answered by the shipped trunk (4 bits, greedy,
without the program's guards) three times: from the question's true text, from the recogniser's transcript, from the ear's soft
rows. The persona's prompt holds its instructions; the three facts most related to the true text stand beside the question in all
three, so that only the reading differs. Prints identical answers and right ones. Resumable: WORK/agreement.jsonl.
"""

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import yaml

from ..brain.evaluate import ExportedTrunk
from ..brain.prompt import IM_END, IM_START, STOPS
from ..brain.retrieval import FactIndex
from ..ear.speech import read_wav, telephone
from .ear_evaluate import Ear


class ReadingTrunk(ExportedTrunk):
    """The exported trunk, asked with rows of embeddings between its tokens."""

    def reply(self, before, rows, after, most=50):
        logits, said = self.append_rows(np.concatenate([self.rows(before), rows, self.rows(after)])), []
        while len(said) < most:
            token = int(logits.argmax())
            if token in STOPS:
                return said, token
            said.append(token)
            logits = self.append([token])
        return said, None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("trunk")
    parser.add_argument("whisper")
    parser.add_argument("ear", type=Path)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--padded", type=int, help="seconds to fill up to, for the published model")
    parser.add_argument("--most", type=int, help="questions")
    arguments = parser.parse_args()
    started = time.process_time()
    ear, trunk = Ear(arguments.trunk, arguments.whisper, arguments.ear, arguments.padded), ReadingTrunk(arguments.trunk)
    prompt = ear.prompt
    folder = arguments.repository / "test/fixtures/questions"
    personas = {}
    kept = arguments.work / "agreement.jsonl"
    done = {json.loads(line)["id"]: json.loads(line) for line in kept.read_text().splitlines()} if kept.exists() else {}
    for question in json.loads((folder / "questions.json").read_text())[: arguments.most]:
        if question["id"] in done:
            continue
        name = question["persona"]
        if name not in personas:
            personas[name] = yaml.safe_load((arguments.repository / f"dialplans/personas/{name}.yaml").read_text())
        persona = personas[name]
        facts = [str(fact) for fact in persona["facts"]]
        pcm = telephone(read_wav(folder / f"{question['id']}.ogg"))
        heard = ear.listener(pcm)
        hints = FactIndex(facts).best(question["text"], 3)
        before = prompt.block("system", " ".join(persona["instructions"].split())) + [IM_START, *prompt.text("user\n")]
        after = [IM_END, *prompt.text("\n"), *(prompt.block("system", "\n".join(hints)) if hints else []), IM_START, *prompt.text("assistant\n")]
        transcript = ear.listener.text(heard["ids"])
        result = {"id": question["id"], "true": question["text"], "transcript": transcript}
        soft = ear.soft(heard)
        answers = {}
        for kind, key, rows in (("text", question["text"], trunk.rows(prompt.text(question["text"]))), ("cascade", transcript, trunk.rows(prompt.text(transcript) or prompt.text(" "))), ("ear", None, soft)):
            if key not in answers:
                trunk.length = 0
                answers[key] = trunk.reply(before, rows, after)
            said, end = answers[key]
            text = prompt.tokenizer.decode(said)
            result[kind] = {"answer": text, "end": end, "right": all(re.search(e, text, re.I) for e in question["expect"])}
        done[question["id"]] = result
        with kept.open("a") as file:
            file.write(json.dumps(result) + "\n")
    rows = list(done.values())
    n = len(rows)
    print(f"{n} questions; right: " + ", ".join(f"{kind} {sum(r[kind]['right'] for r in rows)}" for kind in ("text", "cascade", "ear")))
    for kind in ("text", "cascade"):
        same = sum(r["ear"]["answer"] == r[kind]["answer"] and r["ear"]["end"] == r[kind]["end"] for r in rows)
        print(f"ear's answer identical to that of {kind}: {same} of {n} ({100 * same / n:.1f} %)")
    exact = [r for r in rows if re.sub(r"\W", "", r["true"].lower()) == re.sub(r"\W", "", r["transcript"].lower())]
    print(f"where the transcript is right ({len(exact)}): identical to text {sum(r['ear']['answer'] == r['text']['answer'] for r in exact)}")
    print(f"{time.process_time() - started:.0f} s of processor time")


if __name__ == "__main__":
    main()
