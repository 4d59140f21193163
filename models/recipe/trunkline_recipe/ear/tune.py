"""Teaches the decoder that its context simply ends: python -m trunkline_recipe.ear.tune WORK

The encoder stays as it is and sees only the speech there is; the decoder learns by KL the padded model's answers (teach.py),
on audio that a line has been at. Sounds without words get the answer [BLANK_AUDIO]. Resumable: WORK/tuned.pt.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import tokens, vocabulary
from .features import SAMPLE_RATE, cut_context
from .network import HEAD_WIDTH, HEADS, Whisper
from .speech import MUSIC, line, no_speech

BATCH = 8
LEARNING_RATE = 4e-5
NO_SPEECH_SHARE = 0.12
END_WEIGHT = 4
# The last two pieces of hold music are left for measuring.
TRAINING_MUSIC = slice(0, 3)


def pruned(state, kept):
    """The state of the model with only the kept tokens."""
    state = dict(state)
    state["decoder.embedding.weight"] = state["decoder.embedding.weight"][kept]
    return state


def first_time(written):
    """The tokens up to where a phrase of three or more follows itself, with the end; and whether one did."""
    for length in range(3, len(written) // 2 + 1):
        for i in range(len(written) - 2 * length + 1):
            if (written[i : i + length] == written[i + length : i + 2 * length]).all():
                return np.append(written[: i + length], tokens.END), True
    return written, False


def load_taught(folder, new_id):
    """Utterances whose teacher came to an end and did not write far more or less than was said."""
    items = []
    for path in sorted(folder.glob("*.npz")):
        data = np.load(path)
        written, looped = first_time(data["written"].astype(np.int64))
        words = len(str(data["text"]).split())
        if not (data["finished"] or looped) or len(written) < 2:
            continue
        if not data["cut"] and not 0.5 <= (len(written) + 1) / (words + 2) <= 2.5:
            continue
        ids, logs = data["top_ids"].astype(np.int64)[: len(written)], data["top_log"].astype(np.float32)[: len(written)]
        mapped = new_id[ids]
        weights = np.where(mapped >= 0, np.exp(logs), 0)
        sums = weights.sum(axis=1)
        target = new_id[written]
        if (target < 0).any() or (sums[:-1] < 0.5).any():
            continue
        weights /= np.maximum(sums, 1e-9)[:, None]
        # The audio is over here, whatever the padded model thought: it too likes to say short prompts twice.
        mapped[-1, 0], weights[-1] = new_id[tokens.END], np.eye(1, weights.shape[1])[0]
        items.append(
            {
                "pcm": data["pcm"].astype(np.float32) / 32767,
                "cut": bool(data["cut"]),
                "written": target,
                "ids": np.maximum(mapped, 0),
                "weights": weights.astype(np.float32),
            }
        )
    return items


def sample(items, music, blank, rng):
    """One training example: audio as it arrives, and what to answer at each position."""
    if rng.random() < NO_SPEECH_SHARE:
        pcm, _ = no_speech(rng, music)
        return pcm, blank, blank[:, None], np.ones((len(blank), 1), np.float32), 1.0
    item = items[rng.integers(len(items))]
    pcm = line(item["pcm"], rng, tail=not (item["cut"] and rng.random() < 0.6))  # a cut word may end the audio
    return pcm, item["written"], item["ids"], item["weights"], 0.0


def collate(model, samples, prompt, end):
    """Encodes each alone (its context must end where it ends) and pads for the decoder, which masks."""
    audio = []
    with torch.no_grad():
        for pcm, *_ in samples:
            audio.append(model.encoder(torch.from_numpy(cut_context(pcm))[None])[0])
    frames = max(a.shape[0] for a in audio)
    length = len(prompt) - 1 + max(len(s[1]) for s in samples)
    memory = torch.zeros(len(samples), frames, audio[0].shape[1])
    audio_mask = torch.zeros(len(samples), 1, 1, frames, dtype=torch.bool)
    inputs = torch.full((len(samples), length), end)
    for row, (a, s) in enumerate(zip(audio, samples)):
        memory[row, : a.shape[0]] = a
        audio_mask[row, ..., : a.shape[0]] = True
        fed = np.concatenate([prompt, s[1][:-1]])
        inputs[row, : len(fed)] = torch.from_numpy(fed)
    return memory, audio_mask, inputs


def loss_of(model, samples, prompt, end, no_speech_id):
    memory, audio_mask, inputs = collate(model, samples, prompt, end)
    decoder = model.decoder
    hidden = decoder.hidden(inputs, decoder.remember(memory), audio_mask)
    rows, ids, weights = [], [], []
    for row, (_, written, top_ids, top_weights, _) in enumerate(samples):
        rows.append(hidden[row, len(prompt) - 1 : len(prompt) - 1 + len(written)])
        ids.append(F.pad(torch.from_numpy(top_ids), (0, 32 - top_ids.shape[1])))
        weights.append(F.pad(torch.from_numpy(top_weights), (0, 32 - top_weights.shape[1])))
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=160)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    work = arguments.work
    kept = vocabulary.load(work)
    new_id = np.full(51865, -1, np.int64)
    new_id[kept] = np.arange(len(kept))
    prompt, blank = new_id[list(tokens.PROMPT)], new_id[list(tokens.BLANK_AUDIO)]
    model = Whisper(len(kept))
    model.load_state_dict(pruned(torch.load(work / "whisper-base.pt"), kept))
    model.encoder.requires_grad_(False)
    model.decoder.embedding.requires_grad_(False)
    model.decoder.positions.requires_grad_(False)
    trained = [p for p in model.decoder.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0)
    first, path = 0, work / "tuned.pt"
    if path.exists():
        saved = torch.load(path)
        model.decoder.load_state_dict(saved["decoder"])
        if "optimiser" in saved:  # absent after recover.py
            optimiser.load_state_dict(saved["optimiser"])
        first = saved["step"]
    music = sorted(MUSIC.glob("*.wav"))[TRAINING_MUSIC]
    items, began = load_taught(work / "taught", new_id), time.time()
    for step in range(first, arguments.steps):
        if step % 10 == 0:  # teach.py may still be writing
            items = load_taught(work / "taught", new_id)
        rng = np.random.default_rng(50_000 + step)
        rate = LEARNING_RATE * min(1, (step + 1) / 15) * max(0.3, 1 - step / arguments.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        samples = [sample(items, music, blank, rng) for _ in range(BATCH)]
        loss, kl, silent = loss_of(model, samples, prompt, int(new_id[tokens.END]), int(new_id[tokens.NO_SPEECH]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        print(f"step {step} items {len(items)} kl {kl:.3f} silent {silent:.3f} {time.time() - began:.0f}s", flush=True)
        if (step + 1) % 5 == 0 or step + 1 == arguments.steps:
            part = path.with_suffix(".part")
            torch.save({"decoder": model.decoder.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}, part)
            part.rename(path)


if __name__ == "__main__":
    main()
