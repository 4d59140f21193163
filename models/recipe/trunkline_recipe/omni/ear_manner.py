"""Recordings in pairs for what is not in the words: intonation, manner, and sounds that are no speech.

    python -m trunkline_recipe.omni.ear_manner WORK WHISPER PIPER_WHEEL [--count 800] [--test 400]

Every speech item has an intonation (statement or question, of the same words) and a manner (calm, hurried, loud).
espeak-ng and Piper speak the question mark themselves; where an engine does not (flite, festival, human prompts) sox bends
the pitch of the last third up, or, for a statement, down, so that the effect itself gives nothing away. Hurried is spoken or
played 1.35 to 1.75 times as fast; loud has the level, the flatter spectrum and the higher pitch of a raised voice and is
limited softly. Through the same telephone lines as everything else. Test voices and engines are those of ear_speech.
Writes WORK/manner/{train,test}-00000.npz with the audio, the encoder's frames and the labels; resumable.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.signal import butter, sosfilt

from ..ear.features import SAMPLE_RATE
from ..ear.speech import FLITE, MUSIC, coloured_noise, human_prompts, level, no_speech, read_wav, telephone, trim
from .ear_hear import Listener
from .ear_speech import ESPEAK_TEST, ESPEAK_TRAIN, FESTIVAL, Piper, festival

SOUNDS = ("speech", "cough", "music", "noise", "silence")
INTONATIONS = ("statement", "question")
MANNERS = ("calm", "hurried", "loud")
GENERATED = {"cough": "cough", "breath": "cough", "music": "music", "noise": "noise", "hum": "noise", "silence": "silence"}

SUBJECTS = "you|we|they|the shop|the doctor|the office|the kitchen|your colleague|the manager|the garage".split("|")
ENDINGS = """open on Sunday|close at six|are closed tomorrow|have a car park|are near the station|take credit cards|have my number|
can call me back|are busy today|sell gift cards|have a table for two|know my name|deliver on Friday|are in Mill Street|can repair it|
moved to the harbour|have two rooms left|sent the invoice|need my address|are free at nine""".replace("\n", "").split("|")
PLAIN = """it is free|breakfast is included|the parking is behind the house|it costs twenty euros|that is all|it is ready|
my order has arrived|dogs are allowed|there is a lift|the pool is open|it takes two days|tomorrow at nine|on Monday|the first floor|
four people|in the morning|next week|that is the price|he is there|with the bus|both of them|a double room""".replace("\n", "").split("|")
TEST_PLAIN = """the museum is closed|you speak Spanish|the ticket is valid|lunch is at noon|she works on Saturday|the bill was paid|
there is a waiting list|room twelve|before Christmas|the train is late|you found my keys|it has a garden|the lesson starts at eight|
they have my passport|for three nights|a refund|the yellow one|you close early""".replace("\n", "").split("|")


def words(rng, split):
    if split == "test":
        return TEST_PLAIN[rng.integers(len(TEST_PLAIN))].strip()
    if rng.random() < 0.5:
        return PLAIN[rng.integers(len(PLAIN))].strip()
    return f"{SUBJECTS[rng.integers(len(SUBJECTS))].strip()} {ENDINGS[rng.integers(len(ENDINGS))].strip()}"


def sox(pcm, *effects):
    with tempfile.TemporaryDirectory() as folder:
        sf.write(f"{folder}/in.wav", pcm, SAMPLE_RATE, subtype="FLOAT")
        subprocess.run(["sox", f"{folder}/in.wav", f"{folder}/out.wav", *effects], check=True, capture_output=True)
        return read_wav(f"{folder}/out.wav")


def bent(pcm, intonation, rng):
    """The last third's pitch, up 5 to 9 semitones or down 1 to 4."""
    seconds = len(pcm) / SAMPLE_RATE
    start, span = 0.62 * seconds, 0.3 * seconds
    cents = rng.uniform(500, 900) if intonation == "question" else -rng.uniform(100, 400)
    return sox(pcm, "bend", f"{start:.2f},{cents:.0f},{span:.2f}") if seconds > 0.4 else pcm


def raised(pcm, rng):
    """A raised voice: flatter above 1 kHz, near the limit, which it meets softly."""
    high = sosfilt(butter(1, 1000, "highpass", fs=SAMPLE_RATE, output="sos"), pcm)
    pcm = level((pcm + rng.uniform(1.0, 2.5) * high).astype(np.float32), rng.uniform(1.0, 2.2))
    return np.tanh(pcm).astype(np.float32)


def speech(rng, split, intonation, manner, piper, prompts):
    """-> pcm at a plain level, voice"""
    speed = rng.uniform(1.35, 1.75) if manner == "hurried" else rng.uniform(0.85, 1.08)
    lift = rng.uniform(1.1, 1.35) if manner == "loud" else 1.0
    text = words(rng, split)
    mark = "?" if intonation == "question" else "."
    draw = rng.random()
    if draw < 0.45:
        voices = ESPEAK_TEST if split == "test" else ESPEAK_TRAIN
        voice = voices[rng.integers(len(voices))]
        pitch = int(min(99, rng.integers(30, 65) * lift))
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["espeak-ng", "-v", voice, "-s", str(int(155 * speed)), "-p", str(pitch), "-w", file.name, text + mark], check=True, capture_output=True)
            return trim(read_wav(file.name)), f"espeak:{voice}"
    if split == "test" and draw < 0.7:
        pcm, voice = trim(piper(text + mark, 1.0)), "piper:joe"
        if manner != "calm":
            pcm = sox(pcm, "tempo", "-s", f"{speed:.2f}", "pitch", f"{1200 * np.log2(lift):.0f}")
        return pcm, voice
    if draw < 0.7:
        pcm, voice = None, f"flite:{FLITE[rng.integers(len(FLITE))]}"
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["flite", "-voice", voice[6:], "-t", text, "-o", file.name], check=True, capture_output=True)
            pcm = trim(read_wav(file.name))
    elif split == "test" and draw < 0.8:
        name = FESTIVAL[rng.integers(len(FESTIVAL))]
        pcm, voice = trim(festival(name, text)), f"festival:{name}"
    else:
        pcm, voice = trim(read_wav(prompts[rng.integers(len(prompts))][2])), "human"
    pcm = bent(pcm[: 5 * SAMPLE_RATE], intonation, rng)
    effects = ["tempo", "-s", f"{speed:.2f}"] + (["pitch", f"{1200 * np.log2(lift):.0f}"] if lift > 1 else [])
    return sox(pcm, *effects), voice


def carried(pcm, manner, rng):
    """Level, silence around the words, noise, the phone's band."""
    pcm = raised(pcm, rng) * rng.uniform(0.75, 1.0) if manner == "loud" else level(pcm, rng.uniform(0.08, 0.45))
    pcm = np.pad(pcm, (int(rng.uniform(0, 0.4) * SAMPLE_RATE), int(rng.uniform(0.05, 0.5) * SAMPLE_RATE)))
    if rng.random() < 0.5:
        pcm = pcm + coloured_noise(len(pcm), rng, rng.choice([0, 0.5, 1])) * (pcm.std() * 10 ** (-rng.uniform(15, 35) / 20))
    pcm = telephone(pcm.astype(np.float32)) if rng.random() < 0.7 else pcm
    return np.clip(pcm, -1, 1).astype(np.float32)


def item(i, split, piper, prompts, music):
    rng = np.random.default_rng((1 if split == "train" else 2) * 100_000 + i)
    if i % 3 == 2:
        while True:
            pcm, kind = no_speech(rng, music)
            if kind in GENERATED:
                return pcm, "generated", GENERATED[kind], "", ""
    intonation, manner = INTONATIONS[(i // 3) % 2], MANNERS[(i // 6) % 3]
    pcm, voice = speech(rng, split, intonation, manner, piper, prompts)
    return carried(pcm, manner, rng), voice, "speech", intonation, manner


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("whisper")
    parser.add_argument("piper")
    parser.add_argument("--count", type=int, default=800)
    parser.add_argument("--test", type=int, default=400)
    arguments = parser.parse_args()
    folder = arguments.work / "manner"
    folder.mkdir(exist_ok=True)
    piper, listener = Piper(arguments.piper), Listener(arguments.whisper)
    tunes = sorted(MUSIC.glob("*.wav"))
    # Interleaved, so that both sets exist early.
    for i in range(max(arguments.count, arguments.test)):
        for split, count in (("train", arguments.count), ("test", arguments.test)):
            path = folder / f"{split}-{i:05}.npz"
            if i >= count or path.exists():
                continue
            prompts = human_prompts(test=split == "test")
            pcm, voice, sound, intonation, manner = item(i, split, piper, prompts, tunes[3:] if split == "test" else tunes[:3])
            mel, hidden, _ = listener.encode(pcm)
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, pcm=(pcm * 32767).astype(np.int16), mel=mel.astype(np.float16), hidden=hidden[0].astype(np.float16), voice=voice, sound=sound, intonation=intonation, manner=manner)
            part.rename(path)


if __name__ == "__main__":
    main()
