"""Sounds over the agent's voice, labelled: words that mean to interrupt, signs of listening, and what a line carries besides.

Made by clips.py. Human are: the telephone prompts of Asterisk in English (Allison Smith, CC-BY-SA-3.0) and in Italian, Russian, French
and Spanish (CC-BY-SA-3.0); the players' voices of Hedgewars (GFDL-1.3), which call, laugh, hum and cough; gasps, groans and taunts of
OpenArena's players (GPL-2+). Music is Asterisk's on hold (OpSound, CC-BY-SA). What is missing on the machine is left out.
"""

import hashlib
import io
import math
import random
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import soundfile as sf

from .clip_texts import AGENT, BACKCHANNELS, HUMAN_INTERRUPTING, HUMAN_LISTENING, HUMAN_SPEAKERS, INTERRUPTING, THINKING
from .clips import RATE, VOICES, ClipSet, at_level, phone_band, recorded, shared, silence, speak, write_wav

HEDGEWARS = "usr/share/games/hedgewars/Data/Sounds"
OPENARENA = "usr/share/games/openarena/baseoa/pak2-players.pk3"
LANGUAGES = ["it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU", "fr_CA_f_June", "es_MX_f_Allison"]
CALLER_DB = -24.0
ECHO_AFTER_MS = [30, 80, 150, 220, 300]
ECHO_BELOW_DB = [6, 12, 18, 26, 34, 40]


def cough(chance: random.Random) -> np.ndarray:
    """One or two bursts of shaped noise that set in at once and fade: the acoustic outline of a cough."""
    noise = np.random.default_rng(chance.randrange(1 << 30))
    bursts = []
    for _ in range(chance.choice([1, 1, 2])):
        length = int(chance.uniform(0.12, 0.32) * RATE)
        t = np.arange(length) / RATE
        burst = noise.standard_normal(length) * np.exp(-t * chance.uniform(9, 16))
        voiced = np.sin(2 * math.pi * chance.uniform(180, 320) * t + 2 * noise.standard_normal(length).cumsum() / 60)
        bursts += [burst + 0.4 * voiced * np.exp(-t * 14), silence(chance.uniform(60, 160))]
    return np.concatenate(bursts[:-1])


def keyboard(chance: random.Random) -> np.ndarray:
    noise = np.random.default_rng(chance.randrange(1 << 30))
    out = silence(chance.uniform(1500, 3000))
    at = 0
    while at < len(out) - 400:
        click = noise.standard_normal(chance.randint(60, 200))
        out[at : at + len(click)] += click * np.exp(-np.arange(len(click)) / 25)
        at += int(chance.uniform(0.09, 0.28) * RATE)
    return out


def key_tone(chance: random.Random) -> np.ndarray:
    low, high = chance.choice([697, 770, 852, 941]), chance.choice([1209, 1336, 1477])
    t = np.arange(int(chance.uniform(0.1, 0.4) * RATE)) / RATE
    return np.sin(2 * math.pi * low * t) + np.sin(2 * math.pi * high * t)



def half(path: str) -> str:
    """Which half a recording belongs to, by its name."""
    return "test" if hashlib.sha256(path.encode()).digest()[0] % 3 else "tune"


def players(split: str) -> list[tuple[str, np.ndarray]]:
    """(kind, samples) of OpenArena's human sounds, each once; a player's all in one half."""
    path = shared(OPENARENA)
    found, seen = [], set()
    if not path.exists():
        return found
    with zipfile.ZipFile(path) as pack:
        for name in sorted(pack.namelist()):
            parts = name.lower().split("/")
            if not name.endswith((".wav", ".ogg")) or len(parts) < 4 or parts[1] != "player" or half(parts[2]) != split:
                continue
            kind = next((kind for kind in ("gasp", "pain", "taunt", "cough") if kind in parts[3]), None)
            content = pack.read(name)
            if kind is None or content in seen:
                continue
            seen.add(content)
            with tempfile.NamedTemporaryFile(suffix=".wav") as wav, tempfile.NamedTemporaryFile(suffix=".wav") as narrow:
                pcm, rate = sf.read(io.BytesIO(content), always_2d=True)
                if not 0.12 < len(pcm) / rate < 3:
                    continue
                sf.write(wav.name, pcm.mean(axis=1), rate)
                found.append((kind, phone_band(wav.name, narrow.name)))
    return found


def human_voice(split: str, names: list[str]) -> list[tuple[str, np.ndarray]]:
    """(name, samples) of Hedgewars' speakers of a half, each recording once."""
    found, seen = [], set()
    for speaker in HUMAN_SPEAKERS[split]:
        for name in names:
            path = shared(f"{HEDGEWARS}/voices/{speaker}/{name}.ogg")
            if path.exists() and path.read_bytes() not in seen:
                seen.add(path.read_bytes())
                found.append((f"({speaker}: {name})", recorded(path)[: 2 * RATE]))
    return found


def prompts(folder: str, split: str, chance: random.Random, count: int, seconds: float) -> list[np.ndarray]:
    """The first seconds of some recorded prompts in a language."""
    place = shared(f"usr/share/asterisk/sounds/{folder}")
    paths = [path for path in sorted(place.glob("*.wav")) if half(path.name) == split and path.stat().st_size > 2 * RATE * seconds * 0.8]
    return [recorded(path)[: int(seconds * RATE)] for path in chance.sample(paths, min(count, len(paths)))]


def overlaps(made: ClipSet, split: str, chance: random.Random) -> None:
    voices, whole = VOICES[split], split == "test"

    def add(kind: str, text: str, pcm: np.ndarray, below: float, interrupts: bool, **more) -> None:
        level = CALLER_DB - below + chance.uniform(-3, 3)
        lead = chance.uniform(1500, 3000)
        made.add(split, kind, [lead, (text, pcm), 1500.0], chance, level, agentText=AGENT, interrupts=interrupts, callerLevelDb=CALLER_DB, **more)

    for index, text in enumerate(INTERRUPTING[split]):
        add("words", text, speak(voices[index % len(voices)], text, chance.randint(150, 190)), 0, True)
    for index, (sound, text) in enumerate(BACKCHANNELS[split]):
        # Hummed ones need a synthesiser that takes phonemes.
        voice = voices[index % 3] if sound.startswith("[[") else voices[index % len(voices)]
        add("backchannel", text, speak(voice, sound, chance.randint(150, 190)), 2, False)
    for text, pcm in human_voice(split, HUMAN_INTERRUPTING[split]):
        add("human-words", text, pcm, 0, True)
    for text, pcm in human_voice(split, HUMAN_LISTENING[split]):
        add("human-backchannel", text, pcm, 2, False)
    for kind, names in (("human-cough", ["PoisonCough"]), ("human-laugh", ["Laugh"]), ("human-groan", ["PoisonMoan", "Ooff1", "Ow2"])):
        speakers = ["Default", "HillBilly"] if kind == "human-cough" and not whole else ["Default_es", "Default_pl", "Default_ru"] if kind == "human-cough" else HUMAN_SPEAKERS[split]
        for path in [shared(f"{HEDGEWARS}/voices/{speaker}/{name}.ogg") for speaker in speakers for name in names]:
            if path.exists():
                add(kind, "", recorded(path)[: 2 * RATE], 0, False)
    for kind, pcm in players(split):
        if kind != "taunt":
            add(f"human-{kind}", "", pcm, 0, False)
    for pcm in prompts("en_US_f_Allison", split, chance, 30 if whole else 12, 1.8):
        add("human-words", "(a prompt)", pcm, 0, True)
    for language in LANGUAGES:
        for pcm in prompts(language, split, chance, 6 if whole else 3, 1.8):
            add("human-foreign", "(another language)", pcm, 0, True)
        for pcm in prompts(language, split, chance, 5 if whole else 2, 3):
            add("human-background", "", pcm, 18, False)
    sounds = [path for path in sorted(shared(HEDGEWARS).glob("*.ogg")) if half(path.name) == split and path.stat().st_size < 60_000]
    for path in chance.sample(sounds, min(20 if whole else 8, len(sounds))):
        pcm = recorded(path)[: 2 * RATE]
        if len(pcm) > RATE // 12:
            add("recorded-noise", path.stem, pcm, 4, False)
    for path in sorted(shared("usr/share/asterisk/moh").glob("*.wav")):
        music = recorded(path)
        for _ in range(3 if whole else 1):
            at = chance.randrange(max(1, len(music) - 3 * RATE))
            add("music", "", music[at : at + 3 * RATE], 12, False)
    for _ in range(8):
        add("cough", "", cough(chance), 0, False)
        add("keyboard", "", keyboard(chance), 14, False)
        add("key-tone", "", key_tone(chance), 0, False)
        talk = [speak(chance.choice(voices), " ".join(texts), 170) for texts in chance.sample(THINKING[split], 3)]
        length = min(map(len, talk))
        add("babble", "", sum(part[:length] for part in talk), 18, False)
    echoes(add, voices, chance, whole)


def echoes(add, voices: list[str], chance: random.Random, whole: bool) -> None:
    """The agent's own voice come back, over the range in which lines and speakerphones return it; another stretch of it each time."""
    spoken = [speak(voice, AGENT, 170) for voice in voices]
    words = AGENT.split(" ")
    for turn, after in enumerate(ECHO_AFTER_MS):
        for below in ECHO_BELOW_DB if whole else ECHO_BELOW_DB[turn % 2 :: 2]:
            said = chance.choice(spoken)
            length = int(chance.uniform(2.5, 5.0) * RATE)
            start = chance.randrange(len(said) - length)
            first, last = (round(len(words) * at / len(said)) for at in (start, start + length))
            add("echo", " ".join(words[first : max(first + 1, last)]), said[start : start + length], below, False, echoAfterMs=after)


def agent(folder: Path) -> None:
    """What the agent says meanwhile, so that an echo can be told from a caller."""
    write_wav(folder / "agent.wav", np.clip(at_level(speak("flite:kal16", AGENT, 165), -22), -1, 1))
