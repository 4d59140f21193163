"""Asks an exported trunk the questions of held-out dialogues and counts right answers, with and without related facts."""

import argparse
import collections
import json
import os
import re
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from .network import HEAD_WIDTH, KV_HEADS, VOCABULARY, WIDTH
from .prompt import HANDOVER, HANGUP, IM_END, STOPS, Prompt
from .retrieval import FactIndex

BLOCK, CAPACITY = 64, 1024
UNSEEN = -1e9


class ExportedTrunk:
    def __init__(self, folder: str):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.path.join(folder, "trunk.onnx"), options, providers=["CPUExecutionProvider"])
        raw = open(os.path.join(folder, "embedding.bin"), "rb").read()
        weights, blocks = VOCABULARY * WIDTH, VOCABULARY * WIDTH // BLOCK
        self.codes = np.frombuffer(raw, np.uint8, weights).reshape(VOCABULARY, -1, BLOCK)
        self.scales = np.frombuffer(raw, np.float32, blocks, weights).reshape(VOCABULARY, -1)
        self.zeros = np.frombuffer(raw, np.uint8, blocks, weights + 4 * blocks).reshape(VOCABULARY, -1)
        self.parts = [o.name.removeprefix("new.") for o in self.session.get_outputs() if o.name.startswith("new.")]
        self.cache = {f"past.{p}": np.zeros((1, KV_HEADS, 1, CAPACITY, HEAD_WIDTH), np.float32) for p in self.parts}
        self.length = 0

    def rows(self, ids: list[int]) -> np.ndarray:
        i = np.array(ids)
        return ((self.codes[i].astype(np.float32) - self.zeros[i][..., None]) * self.scales[i][..., None]).reshape(-1, WIDTH)

    def append(self, ids: list[int]) -> np.ndarray:
        return self.append_rows(self.rows(ids))

    def append_rows(self, rows: np.ndarray) -> np.ndarray:
        """Rows of embeddings [n, 576] -> logits [vocabulary] after the last."""
        first, self.length = self.length, self.length + len(rows)
        mask = np.zeros((len(rows), CAPACITY + len(rows)), np.float32)
        mask[:, first:CAPACITY] = UNSEEN
        mask[:, CAPACITY:] = np.triu(np.full((len(rows), len(rows)), UNSEEN, np.float32), 1)
        alone = np.zeros(1, np.int64)
        feeds = {"inputs_embeds": rows[None].astype(np.float32), "seat_rows": alone, "row_seats": alone, "positions": np.arange(first, self.length)[None], "mask": mask[None, None, None]}
        out = self.session.run(["logits", *(f"new.{p}" for p in self.parts)], {**feeds, **self.cache})
        for part, new in zip(self.parts, out[1:]):
            self.cache[f"past.{part}"][..., first : self.length, :] = new
        return out[0][0, 0]

    def answer(self, question: list[int], most: int = 60) -> tuple[list[int], int]:
        logits, said = self.append(question), []
        while len(said) < most:
            token = int(logits.argmax())
            if token in STOPS:
                return said, token
            said.append(token)
            logits = self.append([token])
        return said, IM_END


def key_words(answer: str) -> set[str]:
    """What an answer must contain: its numbers and names; without any, its longer words."""
    words = re.findall(r"[A-Za-z0-9]+", answer)
    keys = {w.lower() for i, w in enumerate(words) if any(c.isdigit() for c in w) or (i > 0 and w[0].isupper() and w != "I")}
    return keys or {w.lower() for w in words if len(w) > 4}


def right(expected: str, action: str | None, found: str, end: int) -> bool:
    if action is not None:
        return end == {"hangup": HANGUP, "handover": HANDOVER}[action]
    if end != IM_END:
        return False
    refuses = "not have that information" in found
    if "not have that information" in expected:
        return refuses
    have = {w.lower() for w in re.findall(r"[A-Za-z0-9]+", found)}
    keys = key_words(expected)
    polarity = re.match(r"(no\b|i am sorry)", expected.lower()) is not None
    return not refuses and len(keys & have) >= max(1, round(0.8 * len(keys))) and (not re.match(r"(yes|no)\b", expected.lower()) or (re.match(r"(no\b|i am sorry)", found.lower()) is not None) == polarity)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", help="exported folder")
    arguments.add_argument("dialogues", help="jsonl of split test")
    arguments.add_argument("--most", type=int, default=100, help="questions")
    arguments.add_argument("--related", type=int, default=3, help="facts repeated beside the question; 0: none")
    arguments.add_argument("--unlisted", action="store_true", help="persona prompt without the list of facts")
    arguments.add_argument("--show", action="store_true")
    options = arguments.parse_args()
    tokenizer = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
    prompt = Prompt(tokenizer)
    trunk = ExportedTrunk(options.model)
    good, count = collections.Counter(), collections.Counter()
    started = time.process_time()
    with open(options.dialogues, encoding="utf-8") as file:
        for line in file:
            d = json.loads(line)
            index = FactIndex(d["facts"])
            trunk.length = 0
            trunk.append(prompt.persona(d["instructions"], [] if options.unlisted else d["facts"], d["greeting"]))
            persona = trunk.length
            for turn in d["turns"]:
                if turn["key"] in ("repeat", "accept", "decline"):
                    continue
                if sum(count.values()) >= options.most:
                    break
                trunk.length = persona
                related = index.best(turn["user"], options.related) if options.related else []
                said, end = trunk.answer(prompt.question(turn["user"], related))
                text = tokenizer.decode(said)
                kind = "absent" if turn["key"].startswith("absent") else "hours" if turn["key"].startswith("hours") else "action" if turn["action"] else turn["key"] if turn["key"] in ("small", "world") else "fact"
                ok = right(turn["answer"], turn["action"], text, end)
                count[kind] += 1
                good[kind] += ok
                if options.show and not ok:
                    print(f"{turn['key']} | {turn['user']} | {turn['answer']} | {text} {end} | {related}")
    print({k: f"{good[k]}/{count[k]}" for k in sorted(count)}, f"all {sum(good.values())}/{sum(count.values())}", f"{time.process_time() - started:.0f} s")


if __name__ == "__main__":
    main()
