"""What people and things sound like, recorded: for the networks that judge sounds over the agent's voice, cut to the sound, 8 kHz.

Hedgewars' speakers (GFDL-1.3), the players of OpenArena (GPL-2+), the soldiers of UFO: Alien Invasion (GPL-2+), KLettres' spellers
(GPL-2+), the French prompts of Armelle Desjardins (GPL-3+), the sounds of FreedroidRPG (GPL-2+), as Debian packs them. Of what the clips of
overlap_clips.py are made of too, only the tuning half: no speaker of the test half, and none of its recordings. What is missing on the
machine is left out.
"""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile as sf

from .clip_texts import HUMAN_LISTENING, HUMAN_SPEAKERS
from .clips import RATE, phone_band, recorded, shared
from .overlap_clips import HEDGEWARS, OPENARENA, half

TALK, BACKCHANNEL, NOISE = 0, 1, 2

SPEAKERS = [*HUMAN_SPEAKERS["tune"], "Default_uk", "Russian_pl", "Robot"]
WITHOUT_WORDS = ("Laugh", "Ooff", "Ow", "Ouch", "Jump", "PoisonMoan", "PoisonCough", "Nooo", "Firepunch")
UFO = "usr/share/games/ufoai/base/0snd.pk3"
FREEDROID = "usr/share/freedroidrpg/data/sound/effects"
SPELLERS = "usr/share/klettres"
ARMELLE = "usr/share/asterisk/sounds/fr"
LONGEST_SECONDS = 1.6


def packed(pack: zipfile.ZipFile, name: str) -> np.ndarray:
    pcm, rate = sf.read(io.BytesIO(pack.read(name)), always_2d=True)
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav, tempfile.NamedTemporaryFile(suffix=".wav") as narrow:
        sf.write(wav.name, 0.6 * pcm.mean(axis=1), rate)
        return phone_band(wav.name, narrow.name)


def hedgewars() -> Iterator[tuple[int, str, np.ndarray]]:
    # Some packs borrow from others, and the Spanish, Polish and Russian speakers cough in the test half.
    kept = [*HUMAN_SPEAKERS["test"], "Default_es", "Default_pl", "Default_ru"]
    seen = {path.read_bytes() for speaker in kept for path in shared(f"{HEDGEWARS}/voices/{speaker}").glob("*.ogg")}
    for speaker in SPEAKERS:
        for path in sorted(shared(f"{HEDGEWARS}/voices/{speaker}").glob("*.ogg")):
            content = path.read_bytes()
            if content in seen:
                continue
            seen.add(content)
            label = BACKCHANNEL if path.stem in HUMAN_LISTENING["tune"] else NOISE if path.stem.startswith(WITHOUT_WORDS) else TALK
            yield label, f"hedgewars {speaker}", recorded(path)
    for path in sorted(shared(HEDGEWARS).glob("*.ogg")):
        if half(path.name) == "tune":
            yield NOISE, "things", recorded(path)


def openarena() -> Iterator[tuple[int, str, np.ndarray]]:
    path = shared(OPENARENA)
    if not path.exists():
        return
    seen = set()
    with zipfile.ZipFile(path) as pack:
        for name in sorted(pack.namelist()):
            parts = name.lower().split("/")
            if not name.endswith((".wav", ".ogg")) or len(parts) < 4 or parts[1] != "player" or half(parts[2]) != "tune":
                continue
            content = pack.read(name)
            if content not in seen:
                seen.add(content)
                yield TALK if "taunt" in parts[3] else NOISE, f"openarena {parts[2]}", packed(pack, name)


def ufo() -> Iterator[tuple[int, str, np.ndarray]]:
    path = shared(UFO)
    if not path.exists():
        return
    with zipfile.ZipFile(path) as pack:
        for name in sorted(pack.namelist()):
            kind = name.split("/")[1] if name.endswith((".ogg", ".wav")) else ""
            if kind in ("soldiers", "civilians"):
                yield NOISE, "ufo people", packed(pack, name)
            elif kind in ("doors", "footsteps", "impact", "misc", "ui", "aliens"):
                yield NOISE, "things", packed(pack, name)


def others() -> Iterator[tuple[int, str, np.ndarray]]:
    for path in sorted(shared(FREEDROID).glob("*.ogg")):
        yield NOISE, "ufo people" if "Scream" in path.name else "things", recorded(path)
    for language in sorted(shared(SPELLERS).glob("*")):
        # The clips have letters of the two English spellers, and Malayalam alone has 500.
        paths = [] if language.name.startswith("en") else sorted(language.glob("*/*.ogg"))
        for path in paths[:: max(1, len(paths) // 60)]:
            yield TALK, f"klettres {language.name}", recorded(path)
    for path in sorted(shared(ARMELLE).glob("*.gsm")):
        yield TALK, "armelle", recorded(path)


def recordings() -> Iterator[tuple[int, str, np.ndarray]]:
    """(label, source, samples) of each recording, at most 1.6 s of it; of long ones a second stretch."""
    for source in (hedgewars, openarena, ufo, others):
        for label, name, pcm in source():
            longest = int(LONGEST_SECONDS * RATE)
            if len(pcm) > RATE // 12:
                yield label, name, pcm[:longest]
            if len(pcm) > 2 * longest and label == TALK:
                yield label, name, pcm[longest : 2 * longest]
