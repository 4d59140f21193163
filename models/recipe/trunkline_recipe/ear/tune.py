"""Teaches the recogniser that its context simply ends, and voices it stumbles over: python -m trunkline_recipe.ear.tune WORK

Goes on from WORK/tuned.pt (recover.py) or begins with the published weights. Two sorts of examples, both on audio that a line
has been at: synthetic callers with their true text (callers.py), and mostly human speech with what the padded model says of it
(teach.py), by KL, where it has the words right; else their true text. Sounds without words get the answer [BLANK_AUDIO].
The decoder and the upper four layers of the encoder learn; vocabulary, positions, convolutions and two layers stay. A batch is of
one length, filled up with silence, so that nothing is masked. The weights kept in tuned.pt are the running average.
"""

import argparse
import math
import time
from pathlib import Path

import jiwer
import librosa
import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from . import tokens, vocabulary
from .callers import written
from .evaluate import plain
from .features import SAMPLE_RATE, cut_context
from .network import Whisper
from .speech import MUSIC, arriving, no_speech

BATCH = 8
LEARNING_RATE = 2.5e-5
WARM_UP_STEPS = 10
TAUGHT_SHARE = 0.3
NO_SPEECH_SHARE = 0.1
BABBLE_SHARE = 0.12
END_WEIGHT = 2
FROZEN_LAYERS = 2
AVERAGE = 0.97
TOP = 32
# The last two pieces of hold music are left for measuring.
TRAINING_MUSIC = slice(0, 3)


def pruned(state, kept):
    """The state of the model with only the kept tokens."""
    state = dict(state)
    state["decoder.embedding.weight"] = state["decoder.embedding.weight"][kept]
    return state


def first_time(said):
    """The tokens up to where a phrase of three or more follows itself, with the end; and whether one did."""
    for length in range(3, len(said) // 2 + 1):
        for i in range(len(said) - 2 * length + 1):
            if (said[i : i + length] == said[i + length : i + 2 * length]).all():
                return np.append(said[: i + length], tokens.END), True
    return said, False


class Texts:
    """Text to the kept tokens and back."""

    def __init__(self, work, kept):
        self.tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
        self.encoder = vocabulary.Encoder(self.tokenizer)
        self.new_id = np.full(51865, -1, np.int64)
        self.new_id[kept] = np.arange(len(kept))

    def ids(self, text):
        """New ids with the end; None where a token was not kept or is never written."""
        old = [i for word in vocabulary.WORD.findall(" " + text) for i in self.encoder.word(word)]
        new = self.new_id[[*old, tokens.END]]
        return None if (new < 0).any() or set(old) & set(tokens.SUPPRESSED) else new

    def text(self, old):
        return b"".join(tokens.token_bytes(self.tokenizer.id_to_token(int(i))) for i in old if i < tokens.END).decode(errors="replace").strip()


def from_text(pcm, text, texts):
    target = texts.ids(text)
    if target is None:
        return None
    return {"pcm": pcm, "cut": False, "written": target, "ids": target[:, None], "weights": np.ones((len(target), 1), np.float32)}


def called(data, texts):
    """A caller with the true text."""
    return from_text(data["pcm"], str(data["text"]), texts)


def taught(data, texts):
    """An utterance as the padded model wrote it; with its true text where it erred; None where the two are far apart."""
    said, looped = first_time(data["written"].astype(np.int64))
    if not (data["finished"] or looped) or len(said) < 2:
        return None
    if not data["cut"]:
        true, heard = plain(str(data["text"])), plain(texts.text(said))
        if not true or (true != heard and jiwer.wer(true, heard) > 0.6 and len(true.split()) > 2):
            return None
        if true != heard:
            return from_text(data["pcm"], written(str(data["text"])), texts)
    ids, logs = data["top_ids"].astype(np.int64)[: len(said)], data["top_log"].astype(np.float32)[: len(said)]
    mapped = texts.new_id[ids]
    weights = np.where(mapped >= 0, np.exp(logs), 0)
    sums = weights.sum(axis=1)
    target = texts.new_id[said]
    if (target < 0).any() or (sums[:-1] < 0.5).any():
        return None
    weights /= np.maximum(sums, 1e-9)[:, None]
    # The audio is over here, whatever the padded model thought: it too likes to say short prompts twice.
    mapped[-1, 0], weights[-1] = texts.new_id[tokens.END], np.eye(1, weights.shape[1])[0]
    return {"pcm": data["pcm"], "cut": bool(data["cut"]), "written": target, "ids": np.maximum(mapped, 0), "weights": weights.astype(np.float32)}


class Shelf:
    """The examples of a folder, which may still be filling."""

    def __init__(self, folder, read, texts):
        self.folder, self.read, self.texts = folder, read, texts
        self.known, self.items = set(), []

    def look(self):
        for path in sorted(set(self.folder.glob("*.npz")) - self.known):
            self.known.add(path)
            item = self.read(np.load(path), self.texts)
            if item:
                self.items.append(item)
        return self.items


def of_one_length(items, count, rng):
    """Items of about the same length: neighbours in a disturbed order."""
    order = sorted(range(len(items)), key=lambda i: len(items[i]["pcm"]) * rng.uniform(0.93, 1.07))
    at = rng.integers(len(order) - count + 1)
    return [items[i] for i in order[at : at + count]]


def neighbours(items, length, count, rng):
    """Items that fit in `length` samples and come near it."""
    fits = [item for item in items if 0.45 * length <= len(item["pcm"]) <= length]
    return [fits[i] for i in rng.integers(len(fits), size=count)] if fits else []


def batch_of(callers, humans, music, blank, rng):
    """Samples of one length: (pcm, written, ids, weights, 1 for a sound without words)."""
    sounds = rng.binomial(BATCH, NO_SPEECH_SHARE)
    learnt = rng.binomial(BATCH - sounds, TAUGHT_SHARE)
    chosen = of_one_length(callers, BATCH - sounds - learnt, rng)
    longest = max(len(item["pcm"]) for item in chosen)
    length = longest + int(rng.uniform(0.1, 0.7) * SAMPLE_RATE)
    chosen += neighbours(humans, length, learnt, rng)
    samples = []
    for item in chosen:
        pcm = item["pcm"].astype(np.float32) / 32767
        if item["weights"].shape[1] > 1 and rng.random() < 0.4:  # the one human speaker, larger or smaller
            size = rng.uniform(0.88, 1.12)
            pcm = librosa.resample(pcm, orig_sr=SAMPLE_RATE, target_sr=int(SAMPLE_RATE * size))[:length].astype(np.float32)
        if rng.random() < BABBLE_SHARE:
            other = callers[rng.integers(len(callers))]["pcm"].astype(np.float32)
            talk = np.resize(other, len(pcm))
            pcm = pcm + talk * (pcm.std() / max(talk.std(), 1e-6) * 10 ** (-rng.uniform(12, 25) / 20))
        room = length - len(pcm)
        after = 0 if item["cut"] and rng.random() < 0.6 else int(room * rng.uniform(0.2, 1))  # a cut word may end the audio
        pcm = arriving(pcm.astype(np.float32), rng, room - after, after)
        samples.append((pcm, item["written"], item["ids"], item["weights"], 0.0))
    for _ in range(sounds):
        samples.append((no_speech(rng, music, length)[0], blank, blank[:, None], np.ones((len(blank), 1), np.float32), 1.0))
    return samples


def heard(encoder, mel):
    """Encoder states; the convolutions and the lowest layers without a gradient."""
    with torch.no_grad():
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).transpose(1, 2)
        x = x + encoder.positions[: x.shape[1]]
        for layer in encoder.layers[:FROZEN_LAYERS]:
            x = layer(x)
    for layer in encoder.layers[FROZEN_LAYERS:]:
        x = layer(x)
    return encoder.norm(x)


def loss_of(model, samples, prompt, end, no_speech_id):
    memory = heard(model.encoder, torch.from_numpy(np.stack([cut_context(s[0]) for s in samples])))
    inputs = torch.full((len(samples), len(prompt) - 1 + max(len(s[1]) for s in samples)), end)
    for row, s in enumerate(samples):
        fed = np.concatenate([prompt, s[1][:-1]])
        inputs[row, : len(fed)] = torch.from_numpy(fed)
    decoder = model.decoder
    hidden = decoder.hidden(inputs, decoder.remember(memory))
    rows, ids, weights = [], [], []
    for row, (_, said, top_ids, top_weights, _) in enumerate(samples):
        rows.append(hidden[row, len(prompt) - 1 : len(prompt) - 1 + len(said)])
        ids.append(F.pad(torch.from_numpy(top_ids), (0, TOP - top_ids.shape[1])))
        weights.append(F.pad(torch.from_numpy(top_weights), (0, TOP - top_weights.shape[1])))
    weights = torch.cat(weights)
    # Only the positions that count go through the vocabulary.
    logs = torch.log_softmax(torch.cat([*rows, hidden[:, 0]]) @ decoder.embedding.weight.T, dim=-1)
    text, start = logs[: -len(samples)], logs[-len(samples) :]
    cross = -(weights * text.gather(1, torch.cat(ids))).sum(1)
    entropy = -(weights * weights.clamp_min(1e-9).log()).sum(1)
    # Where the words end is what has to be learnt: the last position counts more.
    importance = torch.ones(len(weights))
    importance[torch.tensor([len(s[1]) for s in samples]).cumsum(0) - 1] = END_WEIGHT
    kl = ((cross - entropy) * importance).sum() / importance.sum()
    silent = torch.tensor([s[4] for s in samples])
    blank_log = start[:, no_speech_id].clamp(max=-1e-6)
    blank = -(silent * blank_log + (1 - silent) * torch.log1p(-blank_log.exp())).mean()
    return kl + 0.2 * blank, kl.item(), blank.item()


def trainable(model):
    """name -> parameter"""
    frozen = ("encoder.conv", "decoder.embedding", "decoder.positions", *(f"encoder.layers.{i}." for i in range(FROZEN_LAYERS)))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(frozen))
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def part_of(state, side):
    return {name.removeprefix(f"{side}."): value for name, value in state.items() if name.startswith(f"{side}.")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so much processor time; go on later")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    work = arguments.work
    kept = vocabulary.load(work)
    texts = Texts(work, kept)
    prompt, blank = texts.new_id[list(tokens.PROMPT)], texts.new_id[list(tokens.BLANK_AUDIO)]
    model = Whisper(len(kept))
    model.load_state_dict(pruned(torch.load(work / "whisper-base.pt"), kept))
    learning = trainable(model)
    optimiser = torch.optim.AdamW(learning.values(), LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0, fused=True)
    first, path, running = 0, work / "tuned.pt", work / "tuning.pt"
    if path.exists():
        saved = torch.load(path)
        model.decoder.load_state_dict(saved["decoder"])
        if "encoder" in saved:
            model.encoder.load_state_dict(saved["encoder"])
    average = {name: p.detach().clone() for name, p in learning.items()}
    if running.exists():
        saved = torch.load(running)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        average, first = saved["average"], saved["step"]
    music = sorted(MUSIC.glob("*.wav"))[TRAINING_MUSIC]
    shelves = Shelf(work / "callers", called, texts), Shelf(work / "taught", taught, texts)
    ran = time.process_time
    began = ran()
    for step in range(first, arguments.steps):
        if step % 20 == 0 or step == first:  # callers.py and teach.py may still be writing
            spoken, humans = (shelf.look() for shelf in shelves)
            print(f"{len(spoken)} callers, {len(humans)} taught, {sum(item['weights'].shape[1] > 1 for item in humans)} of them as the padded model wrote", flush=True)
        rng = np.random.default_rng(60_000 + step)
        rate = LEARNING_RATE * min(1, (step + 1) / WARM_UP_STEPS) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / arguments.steps)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        samples = batch_of(spoken, humans, music, blank, rng)
        loss, kl, silent = loss_of(model, samples, prompt, int(texts.new_id[tokens.END]), int(texts.new_id[tokens.NO_SPEECH]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning.values(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        with torch.no_grad():
            names = list(average)
            torch._foreach_lerp_([average[n] for n in names], [learning[n] for n in names], 1 - min(AVERAGE, (step + 1) / (step + 10)))
        print(f"step {step} of {len(samples)} × {len(samples[0][0]) / SAMPLE_RATE:.1f} s: kl {kl:.3f} silent {silent:.3f}, {ran() - began:.0f} s", flush=True)
        over = ran() - began > 60 * arguments.minutes
        if (step + 1) % 20 == 0 or step + 1 == arguments.steps or over:
            state = model.state_dict() | average
            torch.save({"decoder": part_of(state, "decoder"), "encoder": part_of(state, "encoder"), "step": step + 1}, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)
            torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": average, "step": step + 1}, running.with_suffix(".part"))
            running.with_suffix(".part").rename(running)
        if over:
            break


if __name__ == "__main__":
    main()
