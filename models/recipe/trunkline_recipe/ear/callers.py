"""Callers with their true text, to tune the recogniser on: python -m trunkline_recipe.ear.callers WORK [--count 2600]

Synthetic voices of flite (four) and espeak-ng (six accents, some sixty variants), each also made larger and smaller by
resampling (pitch and formants together), say telephone talk, what callers of the brain's invented dialogues ask, open
sentences and short replies. Kept out whole: the variants and accents that are measured on or validated on, and every
sentence that a measurement asks. One .npz per utterance in WORK/callers; resumable.
"""

import argparse
import json
import re
from pathlib import Path

import librosa
import numpy as np

from ..omni.ear_speech import ESPEAK_TEST, caller_lines
from .evaluate import plain
from .features import SAMPLE_RATE
from .sentences import REPLIES, open_sentences, template_sentence
from .speech import FLITE, synthesise, trim

REPOSITORY = Path(__file__).resolve().parents[4]
ACCENTS = ("en-us", "en-us", "en-us", "en-gb", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-us-nyc")
VARIANTS = """f1 f2 f4 f5 m2 m3 m4 m5 m7 m8 adam Alex Andrea Andy Annie antonio aunty belinda benjamin boris caleb david Denis
Diogo ed edward edward2 Gene Gene2 gustave Henrique Hugo iven iven2 iven3 iven4 kaukovalta klatt klatt2 klatt3 klatt4 klatt5
klatt6 Lee linda marcelo Marco Max michel miguel Mike Mr norbert pablo paul pedro quincy rob robert robosoft robosoft2 robosoft3
robosoft4 robosoft5 robosoft6 robosoft7 robosoft8 sandro Storm travis UniRobot zac anikaRobot grandpa Nguyen""".split()
ESPEAK_VALIDATION = ("en-us+anika", "en-gb+Mario", "en-us+shelby", "en-gb+m6", "en-us+victor", "en-gb-scotland+RicishayMax")
FLITE_SHARE = 0.4
LONGEST = 9 * SAMPLE_RATE
ASKING = re.compile(r"^(what|when|where|which|who|whose|why|how|is|are|was|do|does|did|can|could|may|will|would|should|has|have you)\b", re.I)


def written(text):
    """A line as the recogniser is to write it: a capital first, a mark last, a question with its mark."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    if text[-1:] not in ".?!":
        text = text.rstrip(",;:- ") + "."
    last = re.split(r"(?<=[.?!,]) ", text)[-1]
    return text[:-1] + "?" if text[-1] == "." and ASKING.match(last) and len(last.split()) > 2 else text


def measured_texts():
    """Normalised sentences of the questions and of the sets of voices that are measured on."""
    from ..omni.ear_evaluate import unseen_texts

    folder = REPOSITORY / "test"
    listed = [json.loads(path.read_text()) for name in ("questions.json", "heldout.json") for path in folder.rglob(name)]
    texts = {plain(text) for rows in listed for text in texts_of(rows)}
    lines = unseen_texts(np.random.default_rng(78))
    texts.update(plain(next(lines)) for _ in range(400))
    return texts


def texts_of(value):
    """Every `text` or `question` anywhere in a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("text", "question") and isinstance(inner, str):
                yield inner
            else:
                yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def texts(count, seed=31, split="train"):
    """What is said, in a fixed order."""
    rng, never = np.random.default_rng(seed), measured_texts()
    opened = open_sentences()
    callers = [line for line in caller_lines(6 * count, split) if re.match(r"^[A-Z].*[.?!]$", line) and not re.search(r"\b(uh|um|mm|like)\b|The the", line)]
    while True:
        draw = rng.random()
        if draw < 0.25:
            text = template_sentence(rng)
        elif draw < 0.68:
            text = callers[rng.integers(len(callers))]
        elif draw < 0.94:
            text = opened[rng.integers(len(opened))]
        else:
            text = REPLIES[rng.integers(len(REPLIES))]
        if plain(text) not in never or len(text.split()) < 3:
            yield written(text)


def speak(engine, voice, text, rng, size):
    """size: how much larger the speaker; lower pitch and formants, and slower."""
    pcm = trim(synthesise(engine, voice, text, rng))
    if abs(size - 1) < 0.01:
        return pcm
    return librosa.resample(pcm, orig_sr=SAMPLE_RATE, target_sr=int(SAMPLE_RATE * size)).astype(np.float32)


def draw_voice(rng):
    """engine, voice, size"""
    size = rng.uniform(0.86, 1.16) if rng.random() < 0.6 else 1.0
    if rng.random() < FLITE_SHARE:
        return "flite", FLITE[rng.integers(len(FLITE))], size
    return "espeak", f"{ACCENTS[rng.integers(len(ACCENTS))]}+{VARIANTS[rng.integers(len(VARIANTS))]}", size


def keep(path, **arrays):
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.rename(path)


def in_16_bits(pcm):
    return (np.clip(pcm, -1, 1) * 32767).astype(np.int16)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=2600)
    parser.add_argument("--validation", type=int, default=72)
    arguments = parser.parse_args()
    never = {name.split("+")[1] for name in (*ESPEAK_TEST, *ESPEAK_VALIDATION)} | {"steph2", "steph3"}
    assert not never & set(VARIANTS)
    for name, count, seed in (("callers-validation", arguments.validation, 32), ("callers", arguments.count, 31)):
        folder = arguments.work / name
        folder.mkdir(exist_ok=True, parents=True)
        for i, text in zip(range(count), texts(count, seed, "train" if name == "callers" else "test")):
            path, rng = folder / f"{i:05}.npz", np.random.default_rng([seed, i])
            if path.exists():
                continue
            engine, voice, size = draw_voice(rng) if name == "callers" else ("espeak", ESPEAK_VALIDATION[i % len(ESPEAK_VALIDATION)], 1.0)
            pcm = speak(engine, voice, text, rng, size)
            if len(pcm) <= LONGEST:
                keep(path, pcm=in_16_bits(pcm), text=text, voice=f"{engine}:{voice}")


if __name__ == "__main__":
    main()
