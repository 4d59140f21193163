"""The loop of the Mini-Omni layout on our own trunk, in Python: reference for golden values and for evaluation.

    python -m trunkline_recipe.omni.mini_reference --golden VOICE_DIR OUT.json     (the tiny weights of export_mini)

The trunk of the golden values is one line that any language can repeat: see OneLineTrunk.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from .delayed import LAYERS
from .export_mini import tiny
from .mini import STEPS, Fuse, Step

SPECIAL_IDS = 64


class OneLineTrunk:
    """state' = tanh(0.6 * (state moved on by one) + item), in float64; a vocabulary of 40, of which 0 to 3 are control tokens."""

    vocabulary, width, start, end, handover, hangup = 40, 8, 1, 2, 3, 0
    head = (1, 5, 6)

    def __init__(self):
        self.state = np.zeros(self.width)

    def embed(self, token):
        return np.sin(1 + token * (np.arange(self.width) + 1) * 0.37)

    def read(self, item):
        self.state = np.tanh(0.6 * np.roll(self.state, 1) + item)

    def copy(self):
        twin = OneLineTrunk()
        twin.state = self.state.copy()
        return twin

    def text(self):
        """The likeliest text: an end of turn of any kind ends the text."""
        scores = np.cos(np.arange(self.vocabulary)[:, None] * (np.arange(self.width) + 1) * 0.61) @ self.state
        scores[:4] -= 1.5
        scores[self.end] = max(scores[self.end], scores[self.handover], scores[self.hangup])
        scores[[self.start, self.handover, self.hangup]] = -np.inf
        return int(scores.argmax())


class Guide:
    """Latents of frames, of which `known(texts)` can be said after so many text tokens, and all when the text has ended."""

    def __init__(self, latents, known):
        self.latents, self.known, self.texts, self.ended, self.said = latents, known, 0, False, 0

    def next(self):
        """-> a latent, "wait" or "end"."""
        known = len(self.latents) if self.ended else min(len(self.latents), self.known(self.texts))
        if self.said < known:
            self.said += 1
            return self.latents[self.said - 1]
        return "end" if self.ended else "wait"


class Row:
    """Row 0 of the layout: what it has said, and what it says next."""

    def __init__(self, mini, codec, guide):
        self.mini, self.guide = mini, guide
        self.step, self.fuse = Step(mini, codec), Fuse(mini, codec)
        self.books = mini.bias.shape[1]
        self.recent = torch.full((1, LAYERS, LAYERS), -1)
        size = STEPS * codec.encode_in.out_channels
        self.latents = torch.zeros(1, LAYERS, size)
        self.pasts = torch.stack(mini.start(1))
        self.said, self.frames = 0, None

    @torch.no_grad()
    def codes(self, state):
        """Local ids of the step: codes, `books` for the end of a layer, one more for a pad."""
        found = self.guide.next()
        end, pad = self.books, self.books + 1
        if isinstance(found, str) and found == "wait":
            return [pad] * LAYERS
        if isinstance(found, str) and self.frames is None:
            self.frames = self.said
        new = torch.zeros(1, 1, self.latents.shape[2]) if isinstance(found, str) else torch.as_tensor(found, dtype=torch.float32).view(1, 1, -1)
        self.latents = torch.cat([new, self.latents[:, :-1]], 1)
        scores, self.pasts = self.step(self.recent, self.latents, torch.as_tensor(np.asarray(state), dtype=torch.float32).view(1, -1), self.pasts)
        out = []
        for layer in range(LAYERS):
            frame = self.said - layer
            past = -1 if self.frames is None else frame - self.frames
            out.append(end if past == 0 else pad if past > 0 or frame < 0 else int(scores[0, layer].argmax()))
        self.said += 1
        valid = torch.tensor([[[code if code < self.books else -1 for code in out]]])
        self.recent = torch.cat([valid, self.recent[:, :-1]], 1)
        return out

    @torch.no_grad()
    def added(self, codes):
        """To the embedding of the text that is fed with these codes."""
        if all(code >= self.books for code in codes):
            return 0
        return self.fuse(torch.tensor([[code if code < self.books else -1 for code in codes]]))[0].numpy()


def speak(row, trunk, most, writer=None, batch=False):
    """Steps of seven local codes and a text id; 40 + 64 ids of text, of which the 42nd is pad_t. trunk: has read all but
    the last token of the prompt."""
    plain = trunk.copy() if batch else None
    specials = row.mini.specials.weight.detach().numpy()
    texts = list(writer) if writer is not None else None
    steps, done = [], False
    trunk.read(trunk.embed(trunk.head[-1]) + specials[0])
    if plain:
        plain.read(plain.embed(trunk.head[-1]))
    while len(steps) < most:
        if done:
            text = trunk.vocabulary + 1
        elif texts is not None:
            text = texts.pop(0) if texts else trunk.end
        else:
            text = (plain or trunk).text()
        codes = row.codes(trunk.state)
        if codes[-1] == row.books:
            break
        done = done or text == trunk.end
        steps.append([*codes, text])
        if text < trunk.vocabulary:
            item = trunk.embed(text)
            row.guide.ended = row.guide.ended or text == trunk.end
            row.guide.texts += text != trunk.end
            if plain:
                plain.read(item)
        else:
            item = trunk.embed(trunk.end) + specials[1]
        trunk.read(item + row.added(codes))
    return steps


def golden(voice):
    mini, codec = tiny(voice)
    random = np.random.default_rng(3)
    size = STEPS * codec.encode_in.out_channels
    latents = (0.6 * random.standard_normal((9, size))).round(3).astype(np.float32)
    out = {
        "origin": "trunkline_recipe.omni.mini_reference --golden: random weights, run by the reference in torch",
        "latents": [[float(f"{v:.3f}") for v in frame] for frame in latents],
        "framesKnownAfterText": [max(0, 4 * (k - 3)) for k in range(12)],
        "words": [10, 21, 32, 13, 24, 35],
        "mostSteps": 34,
        "speech": {},
    }
    for mode in ("read", "single", "batch"):
        guide = Guide(latents, lambda texts: out["framesKnownAfterText"][min(texts, 11)])
        trunk = OneLineTrunk()
        for token in trunk.head[:-1]:
            trunk.read(trunk.embed(token))
        out["speech"][mode] = speak(Row(mini, codec, guide), trunk, out["mostSteps"], out["words"] if mode == "read" else None, mode == "batch")
    return out


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--golden", action="store_true", required=True)
    arguments.add_argument("voice", type=Path)
    arguments.add_argument("out", type=Path)
    options = arguments.parse_args()
    options.out.write_text(json.dumps(golden(options.voice)) + "\n")


if __name__ == "__main__":
    main()
