"""What the recogniser hears of an utterance, token by token: words, the likeliest alternatives and the decoder's states.

    python -m trunkline_recipe.omni.ear_hear WORK WHISPER_FOLDER DECODER

WHISPER_FOLDER is models/whisper-base, DECODER its decoder.onnx with the output `states` (ear_export.py). Reads
WORK/utterances, sends each through a telephone line (level, noise, other talkers, lost packets, band, G.711) and writes
WORK/heard. Resumable.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from ..ear.features import SAMPLE_RATE, cut_context, padded_context
from ..ear.speech import line
from ..ear.tokens import token_bytes

TOP = 8
MAX_PIECES = 4
NONE = 65535


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options)


class Listener:
    """The exported recogniser, greedy, with the rules of the program: suppression, length bound, no speech."""

    def __init__(self, folder, decoder=None, padded_seconds=None):
        """padded_seconds: fill up with zeros as the published model wants it, to compare with."""
        folder, self.padded_seconds = Path(folder), padded_seconds
        self.parameters = p = json.loads((folder / "manifest.json").read_text())["parameters"]
        self.tokens = (folder / "tokens.txt").read_text().split("\n")
        self.encoder, self.decoder = session(folder / "encoder.onnx"), session(decoder or folder / "decoder.onnx")
        self.names = [output.name for output in self.encoder.get_outputs()]
        self.openers = set(p["soundOpeners"])
        self.first = np.array([i for i in p["suppressed"] if i not in self.openers] + p["suppressedFirst"])
        self.later = np.array(p["suppressed"])
        self.never = np.array(sorted({*p["suppressed"], p["endToken"]}))

    def encode(self, pcm):
        mel = padded_context(pcm, self.padded_seconds) if self.padded_seconds else cut_context(pcm)
        memory = dict(zip(self.names, self.encoder.run(None, {"mel": mel[None]})))
        return mel, memory.pop("hidden"), memory

    def __call__(self, pcm):
        """-> ids [n], top ids [n, 8], their logits [n, 8], states [n, 512], speech, looped"""
        mel, hidden, memory = self.encode(pcm)
        p = self.parameters
        past, feed, ids, rows = np.zeros((0, p["layers"], 2, p["width"]), np.float32), p["prompt"], [], []
        limit, looped, total, no_speech = int(np.ceil(len(pcm) / SAMPLE_RATE * 8)) + 10, False, 0.0, 0.0
        sound = False
        while True:
            logits, fresh, states = self.decoder.run(["logits", "fresh", "states"], {"tokens": np.array([feed], np.int64), "past": past, **memory})
            past = np.concatenate([past, fresh])
            if not ids:
                first = logits[0] - logits[0].max()
                no_speech = float(np.exp(first[p["noSpeechToken"]]) / np.exp(first).sum())
            last = logits[-1]
            last[self.later if ids else self.first] = -np.inf
            best = int(last.argmax())
            total -= float(np.log(np.exp(last - last[best]).sum()))
            if best == p["endToken"]:
                break
            if not ids and best in self.openers:
                sound = True
                break
            last[self.never] = -np.inf
            top = np.argpartition(last, -TOP)[-TOP:]
            top = top[np.argsort(-last[top])]
            ids.append(best)
            rows.append((top, last[top], states[-1]))
            start = repeated(ids)
            if start is not None or len(ids) >= limit:
                del ids[start if start is not None else limit :], rows[start if start is not None else limit :]
                looped = True
                break
            feed = [best]
        speech = bool(ids) and not sound and total / (len(ids) + 1) >= p["minMeanLogProbability"] and no_speech <= p["maxNoSpeechProbability"]
        return {
            "ids": np.array(ids, np.int64),
            "top": np.array([r[0] for r in rows], np.int64).reshape(-1, TOP),
            "logits": np.array([r[1] for r in rows], np.float32).reshape(-1, TOP),
            "states": np.array([r[2] for r in rows], np.float32).reshape(-1, p["width"]),
            "speech": speech,
            "looped": looped,
        }

    def text(self, ids):
        return b"".join(token_bytes(self.tokens[i]) for i in ids).decode(errors="replace").strip()


ALLOWED = (6, 5, 3, 3, 2)


def repeated(ids):
    """If `ids` ends in a loop: the length up to and including the phrase's first time; src/model/whisper/repetition.ts."""
    for phrase in range(1, min(16, len(ids) // 2) + 1):
        same = 0
        while same < len(ids) - phrase and ids[-1 - same] == ids[-1 - same - phrase]:
            same += 1
        times = 1 + same // phrase
        if times > ALLOWED[min(phrase, len(ALLOWED)) - 1]:
            return len(ids) - (times - 1) * phrase
    return None


def pieces_table(tokens, tokenizer):
    """uint16 [2, vocabulary, 4]: the trunk's tokens for each of the recogniser's; second table: without a leading space."""
    table = np.full((2, len(tokens), MAX_PIECES), NONE, np.uint16)
    for i, token in enumerate(tokens):
        if token.startswith("<|"):
            continue
        try:
            text = token_bytes(token).decode()
        except (UnicodeDecodeError, KeyError):
            continue
        for row, form in enumerate((text, text.lstrip(" "))):
            ids = tokenizer.encode(form, add_special_tokens=False).ids if form else []
            if len(ids) <= MAX_PIECES:
                table[row, i, : len(ids)] = ids
    return table


def mixture(heard, table):
    """What the decoder believes, in the trunk's tokens: rows of (token index, piece, ids [8], weights [8]).

    Only alternatives with as many pieces as the chosen token take part.
    """
    owner, piece, ids, weights = [], [], [], []
    for i, chosen in enumerate(heard["ids"]):
        rows = table[0 if i else 1]
        count = int((rows[chosen] != NONE).sum())
        exp = np.exp(heard["logits"][i] - heard["logits"][i].max())
        same = (rows[heard["top"][i]] != NONE).sum(axis=1) == count
        share = exp * same
        for j in range(count):
            candidates = rows[heard["top"][i], j].astype(np.int64)
            candidates[~same] = 0
            owner.append(i)
            piece.append(j)
            ids.append(candidates)
            weights.append(share / share.sum())
    return {
        "owner": np.array(owner, np.int64),
        "piece": np.array(piece, np.int64),
        "ids": np.array(ids, np.int64).reshape(-1, TOP),
        "weights": np.array(weights, np.float32).reshape(-1, TOP),
    }


def adapter_rows(heard, mixed, embedding):
    """The adapter's inputs, as numpy: states, before, base, piece."""
    states = heard["states"]
    before = np.concatenate([np.zeros((1, states.shape[1]), np.float32), states[:-1]]) if len(states) else states
    base = (embedding[mixed["ids"]] * mixed["weights"][..., None]).sum(axis=1).astype(np.float32)
    return states[mixed["owner"]], before[mixed["owner"]], base, mixed["piece"]


def disturb(pcm, rng, others):
    """A line, and in one call of six somebody else talking behind, 12 to 25 dB below."""
    if rng.random() < 0.16 and len(others):
        talk = np.resize(others[rng.integers(len(others))], len(pcm))
        pcm = pcm + talk * (pcm.std() / max(talk.std(), 1e-6) * 10 ** (-rng.uniform(12, 25) / 20))
    return line(pcm.astype(np.float32), rng)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("decoder", type=Path)
    arguments = parser.parse_args()
    listener = Listener(arguments.whisper, arguments.decoder)
    out = arguments.work / "heard"
    out.mkdir(exist_ok=True)
    others = []
    for path in sorted((arguments.work / "utterances").glob("*.npz")):
        target = out / path.name
        if target.exists():
            continue
        data = np.load(path)
        pcm = data["pcm"].astype(np.float32) / 32767
        rng = np.random.default_rng(int(path.stem) + 500)
        if len(others) < 40:
            others.append(pcm)
        heard = listener(disturb(pcm, rng, others))
        part = target.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, text=data["text"], voice=data["voice"], whole=data["whole"], **heard)
        part.rename(target)


if __name__ == "__main__":
    main()
