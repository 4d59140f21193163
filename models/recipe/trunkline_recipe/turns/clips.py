"""Makes the labelled telephone clips on which turn-taking is tuned and measured: thinking pauses, numbers, spelled letters,
names, addresses, whole questions, callers with pauses of their own, and sounds over the agent's speech (overlap_clips.py).
Usage: python3 -m trunkline_recipe.turns.clips FOLDER [turns] [callers] [overlaps]

Needs espeak-ng, flite, sox and Debian's asterisk-core-sounds-en-wav, klettres-data, hedgewars-data, openarena-081-players and
asterisk-core-sounds-{it,ru,fr,es}-wav, which may also lie unpacked (dpkg -x) in the folder that TRUNKLINE_SOUNDS names.

Every clip passes a telephone band (300-3400 Hz) and G.711 mu-law, at levels from -32 to -16 dBFS, half of them over
line noise, a third with 1 to 5 % of its packets lost and filled from what came before. Voices and sentences of the tuning half are
not used in the test half.
"""

import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

from .clip_texts import (
    ADDRESS_FRAMES, FIRST, HOUSES, LAST, LETTER_FRAMES, LETTERS, NAME_FRAMES, NUMBER_FRAMES, NUMBERS, STOPPED, STREETS, THINKING, TOWNS, WHOLE,
)

RATE = 8000
HUMAN = Path("/usr/share/asterisk/sounds/en")
PACKET = RATE // 50

VOICES = {
    "tune": ["espeak:en-us+f3", "espeak:en-gb", "espeak:en-us+m7", "flite:rms", "flite:kal16"],
    "test": ["espeak:en-us+m3", "espeak:en-gb-scotland", "espeak:en-gb+f2", "flite:slt", "flite:awb"],
}

# For turns only voices that a recogniser understands on a telephone line: what it does with others says nothing.
TURN_VOICES = {
    "tune": ["flite:rms", "espeak:en-us+f3", "espeak:en-gb"],
    "test": ["flite:slt", "flite:awb", "espeak:en-us+m3", "espeak:en-gb-scotland"],
}

def speak(voice: str, text: str, speed: int) -> np.ndarray:
    engine, name = voice.split(":")
    with tempfile.NamedTemporaryFile(suffix=".wav") as raw, tempfile.NamedTemporaryFile(suffix=".wav") as narrow:
        if engine == "espeak":
            subprocess.run(["espeak-ng", "-v", name, "-s", str(speed), "-w", raw.name, text], check=True)
        else:
            plain = text.replace("[[", "").replace("]]", "").replace("'", "").replace("@", "u").replace(":", "")
            stretch = 170 / speed
            subprocess.run(["flite", "-voice", name, "--setf", f"duration_stretch={stretch:.2f}", "-t", plain, "-o", raw.name], check=True)
        return phone_band(raw.name, narrow.name)


def phone_band(source: str, target: str, volume: str = "1") -> np.ndarray:
    subprocess.run(["sox", "-v", volume, source, "-r", str(RATE), "-c", "1", "-b", "16", target, "sinc", "300-3400"], check=True)
    with wave.open(target) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64) / 32768
    return trimmed(pcm)


def trimmed(pcm: np.ndarray) -> np.ndarray:
    """Without the silence before and after, judged in 10 ms steps against the loudest."""
    step = RATE // 100
    level = np.array([np.sqrt(np.mean(pcm[i : i + step] ** 2)) for i in range(0, len(pcm) - step + 1, step)])
    loud = np.nonzero(level > max(level.max(initial=0) * 0.03, 1e-4))[0]
    return pcm[loud[0] * step : (loud[-1] + 1) * step] if len(loud) else pcm


def at_level(pcm: np.ndarray, dbfs: float) -> np.ndarray:
    return pcm * (10 ** (dbfs / 20) / max(1e-9, float(np.sqrt(np.mean(pcm**2)))))


def silence(ms: float) -> np.ndarray:
    return np.zeros(int(ms * RATE / 1000))


def mu_law(pcm: np.ndarray) -> np.ndarray:
    """To G.711 mu-law and back (ITU-T G.711, table 2a, in its closed form)."""
    linear = np.clip(np.round(pcm * 32768), -32635, 32635).astype(int)
    magnitude = np.abs(linear) + 132
    exponent = np.floor(np.log2(magnitude)).astype(int) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    back = (((mantissa << 3) + 132) << exponent) - 132
    return (np.sign(linear) * back) / 32768


def shared(path: str) -> Path:
    """A file or folder of a Debian package: where it is installed, or where it was unpacked."""
    unpacked = Path(os.environ.get("TRUNKLINE_SOUNDS", "/")) / path
    return unpacked if unpacked.exists() else Path("/") / path


def recorded(path: Path) -> np.ndarray:
    """A recording of any rate, in the band of a telephone."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as narrow:
        return phone_band(str(path), narrow.name, "0.6")


def with_losses(pcm: np.ndarray, chance: random.Random, share: float) -> np.ndarray:
    """Packets of 20 ms lost, alone or two in a row, each filled with the one before it, more softly."""
    pcm = pcm.copy()
    at = PACKET
    while at + PACKET <= len(pcm):
        if chance.random() < share:
            for _ in range(chance.choice([1, 1, 2])):
                part = pcm[at : at + PACKET]
                part[:] = 0.7 * pcm[at - PACKET : at - PACKET + len(part)]
                at += PACKET
        at += PACKET
    return pcm


class ClipSet:
    def __init__(self, folder: Path, losses: bool = False) -> None:
        self.folder, self.losses = folder, losses
        self.clips: list[dict] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, split: str, kind: str, pieces: list, chance: random.Random, level: float, **more) -> None:
        """`pieces`: silences in ms, and (text, samples)."""
        sound, parts = [], []
        for piece in pieces:
            if isinstance(piece, tuple):
                start = sum(map(len, sound)) * 1000 / RATE
                parts.append({"text": piece[0], "startMs": round(start), "endMs": round(start + len(piece[1]) * 1000 / RATE)})
                sound.append(piece[1])
            else:
                sound.append(silence(piece))
        pcm = np.concatenate(sound)
        spoken = np.concatenate([piece[1] for piece in pieces if isinstance(piece, tuple)])
        pcm = pcm * (10 ** (level / 20) / max(1e-9, float(np.sqrt(np.mean(spoken**2)))))
        if chance.random() < 0.5:
            noise = np.random.default_rng(chance.randrange(1 << 30)).standard_normal(len(pcm))
            pcm = pcm + noise * 10 ** (chance.uniform(-62, -48) / 20)
        if self.losses and chance.random() < 1 / 3:
            pcm = with_losses(pcm, chance, chance.uniform(0.01, 0.05))
        name = f"{split}-{kind}-{len(self.clips):04d}.wav"
        write_wav(self.folder / name, mu_law(np.clip(pcm, -1, 1)))
        self.clips.append({"file": name, "split": split, "kind": kind, "parts": parts, **more})

    def write(self) -> None:
        (self.folder / "clips.json").write_text(json.dumps(self.clips, indent=1))


def write_wav(path: Path, pcm: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((pcm * 32767).astype("<i2").tobytes())


def pause(chance: random.Random, median_ms: float = 550, spread: float = 0.5) -> float:
    """Pauses inside turns: median 550 ms, 90 % between 240 and 1250 ms."""
    return min(2000.0, max(200.0, chance.lognormvariate(math.log(median_ms), spread)))


def said(chance: random.Random, voice: str, texts: tuple[str, ...], pause_ms=pause) -> list:
    """Each text rendered alone, pauses between them."""
    speed = chance.randint(140, 185)
    pieces: list = [chance.uniform(300, 700)]
    for text in texts:
        pieces += [(text, at_level(speak(voice, text, speed), -24)), pause_ms(chance)]
    return [*pieces[:-1], 500.0]


def groups(chance: random.Random, pool: list[str]) -> list[str]:
    """Digits or letters of one number or name, in the groups in which they are said."""
    sizes = chance.choice([[3, 3, 4], [3, 4], [2, 2, 2], [3, 2], [4, 4], [2, 3], [4, 3], [3, 3]])
    return [" ".join(chance.choice(pool) for _ in range(size)) for size in sizes]


DIGITS = "zero one two three four five six seven eight nine".split()
LETTER_NAMES = [f"{letter}." for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]


def pieces_of(split: str, chance: random.Random, count: int) -> list[tuple[str, tuple[str, ...]]]:
    """(kind, what is said in parts): numbers, letters, names and addresses, no two alike."""
    found: list[tuple[str, tuple[str, ...]]] = []
    names = [(first, last) for first in FIRST[split] for last in LAST[split]]
    chance.shuffle(names)
    for turn in range(count):
        lead = chance.choice(NUMBER_FRAMES[split])
        found.append(("number", tuple(([lead] if lead else []) + groups(chance, DIGITS))))
        lead = chance.choice(LETTER_FRAMES[split])
        found.append(("letters", tuple(([lead] if lead else []) + groups(chance, LETTER_NAMES))))
        first, last = names[turn % len(names)]
        frame = NAME_FRAMES[split][turn % len(NAME_FRAMES[split])]
        found.append(("name", tuple(part.format(first=first, last=last) for part in frame)))
        frame = ADDRESS_FRAMES[split][turn % len(ADDRESS_FRAMES[split])]
        street, street2 = chance.sample(STREETS[split], 2)
        facts = {"house": chance.choice(HOUSES[split]), "street": street, "street2": street2, "town": chance.choice(TOWNS[split])}
        found.append(("address", tuple(part.format(**facts) for part in frame)))
    return sorted(set(found))


def turns(made: ClipSet, split: str, chance: random.Random) -> None:
    voices = TURN_VOICES[split]
    level = lambda: chance.uniform(-32, -16)
    for index, texts in enumerate(THINKING[split]):
        for turn in range(2):
            made.add(split, "thinking", said(chance, voices[(index + turn) % len(voices)], texts), chance, level())
    for kind, sets in (("number", NUMBERS[split]), ("letters", LETTERS[split])):
        for texts in sets:
            for voice in voices:
                made.add(split, kind, said(chance, voice, texts), chance, level())
    for index, (kind, texts) in enumerate(pieces_of(split, chance, 24 if split == "test" else 12)):
        made.add(split, kind, said(chance, voices[index % len(voices)], texts), chance, level())
    for index, text in enumerate(WHOLE[split]):
        made.add(split, "whole", said(chance, voices[index % len(voices)], (text,)), chance, level())
    stopped(made, split, chance)
    human_letters(made, split, chance)
    if split == "test" and HUMAN.exists():
        human_numbers(made, chance)


def callers(made: ClipSet, split: str, chance: random.Random) -> None:
    """Eight turns of each of some callers, whose pauses have a median of their own between 300 and 1100 ms."""
    voices = TURN_VOICES[split]
    said_in_parts = [*THINKING[split], *(texts for _, texts in pieces_of(split, chance, 10))]
    for caller in range(24 if split == "test" else 12):
        median = math.exp(chance.uniform(math.log(300), math.log(1100)))
        texts = [(text, True) for text in chance.sample(said_in_parts, 5)] + [((text,), False) for text in chance.sample(WHOLE[split], 3)]
        chance.shuffle(texts)
        for parts, _ in texts:
            pieces = said(chance, voices[caller % len(voices)], parts, lambda chance: pause(chance, median, 0.3))
            made.add(split, "caller", pieces, chance, -24 + chance.uniform(-3, 3), caller=f"{split}-{caller}")


def quietest(pcm: np.ndarray, chance: random.Random) -> int | None:
    """A sample inside at which the voice dips, between two sounds; None where it does not."""
    step = RATE // 100
    level = np.sqrt(np.mean(pcm[: len(pcm) // step * step].reshape(-1, step) ** 2, axis=1))
    about = int(chance.uniform(0.3, 0.75) * len(level))
    low, high = max(30, about - 20), min(len(level) - 30, about + 20)
    if high <= low:
        return None
    place = low + int(np.argmin(level[low:high]))
    return place * step if level[place] < 0.3 * level.max() else None


def stopped(made: ClipSet, split: str, chance: random.Random) -> None:
    """Whole utterances with a pause put inside, and as many human prompts, whole and with one."""

    def cut(kind: str, text: str, pcm: np.ndarray) -> bool:
        place = quietest(pcm, chance)
        if place is None:
            return False
        words = text.split()
        share = max(1, round(len(words) * place / len(pcm)))
        pcm = at_level(pcm, -24)
        first, rest = pcm[:place].copy(), pcm[place:].copy()
        fade = RATE // 80
        first[-fade:] *= np.linspace(1, 0, fade)
        rest[:fade] *= np.linspace(0, 1, fade)
        pieces = [chance.uniform(300, 700), (" ".join(words[:share]), first), pause(chance), (" ".join(words[share:]) or words[-1], rest), 500.0]
        made.add(split, kind, pieces, chance, chance.uniform(-32, -16))
        return True

    for index, text in enumerate(STOPPED[split]):
        for turn in range(1 if split == "test" else 2):
            voice = TURN_VOICES[split][(index + turn) % len(TURN_VOICES[split])]
            pcm = speak(voice, text, chance.randint(140, 185))
            cut("stopped", text, pcm)
            if turn == 0 and index % 2 == 0:
                made.add(split, "whole-more", [chance.uniform(300, 700), (text, at_level(pcm, -24)), 500.0], chance, chance.uniform(-32, -16))
    if split == "test" and HUMAN.exists():
        from ..ear.speech import human_prompts

        # One sentence each, and no menu that goes on with the next prompt.
        prompts = [(text, path) for _, text, path in human_prompts(test=True) if re.fullmatch(r"[A-Z][^.?!]{24,110}[.?!]", text) and not text.startswith(("Press", "To ", "For "))]
        chance.shuffle(prompts)
        made_of = 0
        for text, path in prompts:
            pcm = recorded(path)
            if made_of < 90 and len(pcm) < 7 * RATE and cut("human-stopped", text, pcm):
                made_of += 1
                if made_of <= 40:
                    made.add(split, "human-whole", [chance.uniform(300, 700), (text, at_level(pcm, -24)), 500.0], chance, chance.uniform(-32, -16))


def spoken_groups(chance: random.Random, sounds: dict[str, np.ndarray]) -> list:
    """Recorded digits or letters, said in groups."""
    pieces: list = [chance.uniform(300, 700)]
    for _ in range(chance.choice([2, 3])):
        names = [chance.choice(sorted(sounds)) for _ in range(chance.choice([2, 3, 3, 4]))]
        group = [part for name in names for part in (sounds[name], silence(chance.uniform(20, 90)))]
        pieces += [(" ".join(names), at_level(np.concatenate(group[:-1]), -24)), pause(chance)]
    return [*pieces[:-1], 500.0]


def human_numbers(made: ClipSet, chance: random.Random) -> None:
    """A recorded voice (Allison Smith) reads numbers and spells, in groups."""
    digits = {name: recorded(HUMAN / "digits" / f"{value}.wav") for value, name in enumerate(DIGITS)}
    letters = {name: recorded(HUMAN / "letters" / f"{name}.wav") for name in "abcdefghijklmnoprstuvw"}
    for kind, count, sounds in (("human-number", 40, digits), ("human-letters", 20, letters)):
        for _ in range(count):
            made.add("test", kind, spoken_groups(chance, sounds), chance, chance.uniform(-30, -18))


# Two speakers of KLettres, a programme that teaches letters (GPL-2+): an American and a British one.
SPELLERS = {"tune": "en", "test": "en_GB"}


def human_letters(made: ClipSet, split: str, chance: random.Random) -> None:
    folder = shared("usr/share/klettres") / SPELLERS[split] / "alpha"
    letters = {path.stem.lower(): recorded(path) for path in sorted(folder.glob("*.ogg"))}
    for _ in range(20 if letters else 0):
        made.add(split, "human-letters", spoken_groups(chance, letters), chance, chance.uniform(-30, -18))


def main(folder: str, *only: str) -> None:
    from .overlap_clips import agent, overlaps

    for name, make in (("turns", turns), ("callers", callers), ("overlaps", overlaps)):
        if len(only) > 0 and name not in only:
            continue
        made = ClipSet(Path(folder) / name, losses=True)
        for split in ("tune", "test"):
            make(made, split, random.Random(f"{name} {split}"))
        made.write()
        if name == "overlaps":
            agent(made.folder)
        print(f"{name}: {len(made.clips)} clips")


if __name__ == "__main__":
    main(*sys.argv[1:])
