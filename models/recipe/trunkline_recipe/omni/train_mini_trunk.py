"""Trains the Mini-Omni layout, second stage: codes are fed to the trunk and its states to the post-adapter, end to end.

    python -m trunkline_recipe.omni.train_mini_trunk CODES_DIR VOICE_DIR TRUNK_DIR SENTENCES.jsonl FIRST_RUN RUN_DIR
        [--steps 120]

TRUNK_DIR: models/smollm2-135m as shipped (its 4 bits as float32); it stays as it is, and gradients go through it to the
tables by which codes are fed. Beside the losses of the first stage: the text that the fused row would write must stay the
text of the plain row (KL of their distributions), or the row could not think and speak at once. Half of the batches stand
behind a question, as an answer does. Resumable.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..brain.prompt import IM_END, IM_START
from . import shipped
from .ear_trunk import load_prompt, load_trunk
from .mini import Mini, Said
from .mini_codes import Codes
from .mini_trunk import Rows, lead, read
from .train_mini import SQUARED, TINY, disturbed, some_frames
from .training import Run, load

SAME_TEXT = 1.0
WITHHELD = 0.15  # rows whose states are withheld
OWN = 0.5


class Texts:
    """Sentences as the trunk's tokens."""

    def __init__(self, path, prompt):
        self.lines, self.prompt = path.read_text().splitlines(), prompt

    def of(self, lines):
        """-> tokens and steps of lead of some lines on end."""
        text = " ".join(json.loads(self.lines[line])["text"] for line in lines)
        read = self.prompt.tokenizer.encode(text, add_special_tokens=False)
        return read.ids, lead(read.ids, text, read.offsets)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("codes", "voice", "trunk", "sentences", "first", "run"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--steps", type=int, default=120)
    arguments.add_argument("--batch", type=int, default=130, help="frames")
    arguments.add_argument("--rate", type=float, default=1e-3)
    arguments.add_argument("--most", type=int, default=10**9)
    arguments.add_argument("--tiny", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(2)
    data = Codes(options.codes, options.most)
    codec = shipped.codec(options.voice)
    trunk, prompt = load_trunk(options.trunk), load_prompt(options.trunk)
    texts = Texts(options.sentences, prompt)
    mini = Mini(codec, **(TINY if options.tiny else {}))
    if not (options.run / "state.pt").exists():
        load(options.first, mini=mini)
        # Quietly at first: an embedding of the trunk is about 0.1 at every place.
        mini.into_trunk.weight.data.mul_(0.05)
    run = Run(options.run, {"mini": mini.train()}, options.rate, options.steps, warm=5, average=True)
    print(f"{len(data)} sentences, {data.frames} frames", flush=True)
    random = np.random.default_rng(run.step + 11)
    right = 0
    for rows in data.batches(random, options.batch):
        if run.step >= options.steps:
            break
        latents, codes, points, real = data.batch(rows)
        asked = [prompt.block("user", json.loads(texts.lines[int(random.integers(len(data)))])["text"])] if random.random() < 0.5 else []
        opening = [token for block in asked for token in block] + [IM_START, *prompt.text("assistant\n")]
        with torch.no_grad():
            _, past = read(trunk, trunk.embedding[torch.tensor(opening[:-1])][None])
        tokens, leads = zip(*(texts.of([data.lines[i] for i in row]) for row in rows))
        leads = [own + int(random.integers(0, 3)) for own in leads]
        told = disturbed(mini, codec, latents, codes, real, random, OWN)
        fused = Rows(mini, codec, trunk, opening[-1], IM_END, tokens, leads, told, real)
        states, _ = read(trunk, fused.x, past)
        with torch.no_grad():
            most = max(fused.counts) + 1
            text = [[opening[-1], *t, *[IM_END] * most][:most] for t in tokens]
            plain, _ = read(trunk, trunk.embedding[torch.tensor(text)], past)
            aim = F.log_softmax(trunk.logits(fused.of_text(plain)), 1)
        found = F.log_softmax(trunk.logits(fused.of_text(states)), 1)
        same = F.kl_div(found, aim, log_target=True, reduction="batchmean")
        known = torch.as_tensor((random.random(len(rows)) > WITHHELD).astype(np.float32))[:, None].expand(-1, fused.steps)
        entropy, error, hits = Said(mini, codec, latents, told, real, fused.of_codes(states), known).losses(points, some_frames(real, random))
        agreed = (found.argmax(1) == aim.argmax(1)).float().mean()
        run.update(entropy.mean() + SQUARED * error.mean() + SAME_TEXT * same, entropy=entropy.mean(), error=error.mean(), text=same, agreed=agreed)
        right = right + hits.detach()
        if run.step % 4 == 0 or run.step == options.steps:
            run.log(right=[round(float(v) / run.count, 3) for v in right])
            right = 0
        if run.step % 4 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
