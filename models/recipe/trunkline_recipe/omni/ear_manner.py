"""Recordings in pairs for what is not in the words: intonation, manner, and sounds that are no speech.

    python -m trunkline_recipe.omni.ear_manner WORK WHISPER PIPER_WHEEL [--count 1700] [--test 600]

Every speech item has an intonation (statement or question, of the same words) and a manner (calm, hurried, loud).
espeak-ng and Piper speak the question mark themselves; of Piper's, which often does not, only those count whose pitch rises by
another tracker (pYIN). Where an engine has no questions (flite, festival, human prompts) sox bends the pitch of the last 0.12
to 0.35 s up, to between 2.5 and 9 semitones above the speaker's usual pitch; of the statements half are bent down, so that
the effect itself gives nothing away, and half left as they were said. Hurried is spoken or played 1.35 to 1.75 times as fast;
loud has the level, the flatter spectrum and the higher pitch of a raised voice and is limited softly. Through the same
telephone lines as everything else. No voice of the test set is in the other, and of its engines only espeak-ng.
Writes WORK/manner/{train,test}-00000.npz with the audio, the encoder's frames and the labels; resumable.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import librosa
import numpy as np
import soundfile as sf
from scipy.signal import butter, sosfilt

from ..ear.features import SAMPLE_RATE
from ..ear.speech import MUSIC, PROMPTS, coloured_noise, human_prompts, level, no_speech, read_wav, telephone, trim
from .ear_hear import Listener
from .ear_speech import ESPEAK_TEST, ESPEAK_TRAIN, FESTIVAL, Piper, festival
from .ear_tune import contour

SOUNDS = ("speech", "cough", "music", "noise", "silence")
INTONATIONS = ("statement", "question")
MANNERS = ("calm", "hurried", "loud")
# Who reads Debian's telephone prompts, in French, Russian, English and Italian: the tune is bent, so the language matters little.
HUMANS = {"train": ("fr_CA_f_June", "ru_RU_f_IvrvoiceRU"), "test": ("en_US_f_Allison", "it_IT_m_Carlo", "it_IT_f_Menardi")}
# Not slt, whose speaker is one of festival's voices.
FLITE_TRAIN = ("kal", "kal16", "awb", "rms")
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


def end_height(pitch):
    """Semitones of the last 60 ms of voice above the median of all, where that ends in seconds, and the least of the last 300 ms."""
    voiced = np.flatnonzero(~np.isnan(pitch))
    if len(voiced) < 8:
        return None
    heights = 12 * (pitch[voiced] - np.median(pitch[voiced]))
    return heights[-6:].mean(), (voiced[-1] + 1) / 100, heights[-30:].min()


def bent(pcm, intonation, rng):
    """The end of the tune as the intonation wants it; None: it would not."""
    found = end_height(contour(pcm)[0])
    if found is None:
        return None
    height, end, _ = found
    if intonation == "statement":
        if rng.random() < 0.5:
            return pcm if height < 1 else None
        wanted = rng.uniform(-8, -1)
    else:
        wanted = rng.uniform(2.5, 9)
    span = min(rng.uniform(0.12, 0.35), 0.6 * end)
    cents = int(np.clip(100 * (wanted - height), -900, 1800)) or 1  # sox takes no bend by nothing
    pcm = sox(pcm, "bend", f"{end - span:.3f},{cents},{span * rng.uniform(0.5, 0.9):.3f}")
    found = end_height(contour(pcm)[0])
    if found is None or (found[0] < 1.5) == (intonation == "question"):
        return None
    return pcm


def rises(pcm):
    """By pYIN, for an engine that does not always obey a question mark."""
    pitch, _, _ = librosa.pyin(pcm, fmin=60, fmax=420, sr=SAMPLE_RATE, frame_length=1024, hop_length=160)
    found = end_height(np.log2(pitch))
    return found is not None and found[0] > 0.5 and found[0] - found[2] > 1.5


def raised(pcm, rng):
    """A raised voice: flatter above 1 kHz, near the limit, which it meets softly."""
    high = sosfilt(butter(1, 1000, "highpass", fs=SAMPLE_RATE, output="sos"), pcm)
    pcm = level((pcm + rng.uniform(1.0, 2.5) * high).astype(np.float32), rng.uniform(1.0, 2.2))
    return np.tanh(pcm).astype(np.float32)


def human_recordings(split):
    """Whole sentences of telephone prompts, by whoever reads them."""
    whole = [row[0] for row in (*human_prompts(test=False), *human_prompts(test=True)) if row[1][-1] in ".!" and len(row[1].split()) > 2]
    return [(voice, path) for voice in HUMANS[split] for name in whole if (path := PROMPTS.parent / voice / f"{name}.wav").exists()]


def engine_speech(rng, split, text, mark, speed, lift, piper, people):
    """-> pcm at a plain level, voice, whether speed and lift are in it, whether the tune is"""
    draw = rng.random()
    if draw < (0.3 if split == "test" else 0.42):
        voices = ESPEAK_TEST if split == "test" else ESPEAK_TRAIN
        voice = voices[rng.integers(len(voices))]
        pitch = int(min(99, rng.integers(30, 65) * lift))
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["espeak-ng", "-v", voice, "-s", str(int(155 * speed)), "-p", str(pitch), "-w", file.name, text + mark], check=True, capture_output=True)
            return trim(read_wav(file.name)), f"espeak:{voice}", True, True
    if split == "test" and draw < 0.5:
        pcm = trim(piper(text + mark, 1.0))
        return (pcm if mark == "." or rises(pcm) else None), "piper:joe", False, True
    if split == "test" and draw < 0.7:
        name = FESTIVAL[rng.integers(len(FESTIVAL))]
        return trim(festival(name, text)), f"festival:{name}", False, False
    if draw < 0.7:
        voice = FLITE_TRAIN[rng.integers(len(FLITE_TRAIN))]
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", file.name], check=True, capture_output=True)
            return trim(read_wav(file.name)), f"flite:{voice}", False, False
    voice, path = people[rng.integers(len(people))]
    pcm = trim(read_wav(path))
    return (pcm if len(pcm) < 5 * SAMPLE_RATE else None), f"human:{voice}", False, False


def speech(rng, split, intonation, manner, piper, people):
    """-> pcm at a plain level, voice"""
    while True:
        speed = rng.uniform(1.35, 1.75) if manner == "hurried" else rng.uniform(0.85, 1.08)
        lift = rng.uniform(1.1, 1.35) if manner == "loud" else 1.0
        mark = "?" if intonation == "question" else "."
        pcm, voice, spoken, tuned = engine_speech(rng, split, words(rng, split), mark, speed, lift, piper, people)
        if pcm is not None and not tuned:
            pcm = bent(pcm, intonation, rng)
        if pcm is None:
            continue
        if spoken:
            return pcm, voice
        return sox(pcm, "tempo", "-s", f"{speed:.2f}", *(["pitch", f"{1200 * np.log2(lift):.0f}"] if lift > 1 else [])), voice


def carried(pcm, manner, rng):
    """Level, silence around the words, noise, the phone's band."""
    pcm = raised(pcm, rng) * rng.uniform(0.75, 1.0) if manner == "loud" else level(pcm, rng.uniform(0.08, 0.45))
    pcm = np.pad(pcm, (int(rng.uniform(0, 0.4) * SAMPLE_RATE), int(rng.uniform(0.05, 0.5) * SAMPLE_RATE)))
    if rng.random() < 0.5:
        pcm = pcm + coloured_noise(len(pcm), rng, rng.choice([0, 0.5, 1])) * (pcm.std() * 10 ** (-rng.uniform(15, 35) / 20))
    pcm = telephone(pcm.astype(np.float32)) if rng.random() < 0.7 else pcm
    return np.clip(pcm, -1, 1).astype(np.float32)


def item(i, split, piper, people, music):
    rng = np.random.default_rng((1 if split == "train" else 2) * 100_000 + i)
    if i % 3 == 2:
        while True:
            pcm, kind = no_speech(rng, music)
            if kind in GENERATED:
                return pcm, pcm, "generated", GENERATED[kind], "", ""
    intonation, manner = INTONATIONS[(i // 3) % 2], MANNERS[(i // 6) % 3]
    pcm, voice = speech(rng, split, intonation, manner, piper, people)
    return carried(pcm, manner, rng), pcm, voice, "speech", intonation, manner


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("whisper")
    parser.add_argument("piper")
    parser.add_argument("--count", type=int, default=1700)
    parser.add_argument("--test", type=int, default=600)
    arguments = parser.parse_args()
    folder = arguments.work / "manner"
    folder.mkdir(exist_ok=True)
    piper, listener = Piper(arguments.piper), Listener(arguments.whisper)
    tunes = sorted(MUSIC.glob("*.wav"))
    people = {split: human_recordings(split) for split in HUMANS}
    # Interleaved, so that both sets exist early.
    for i in range(max(arguments.count, arguments.test)):
        for split, count in (("train", arguments.count), ("test", arguments.test)):
            path = folder / f"{split}-{i:05}.npz"
            if i >= count or path.exists():
                continue
            pcm, clean, voice, sound, intonation, manner = item(i, split, piper, people[split], tunes[3:] if split == "test" else tunes[:3])
            mel, hidden, _ = listener.encode(pcm)
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, pcm=(pcm * 32767).astype(np.int16), clean=(np.clip(clean, -1, 1) * 32767).astype(np.int16), mel=mel.astype(np.float16), hidden=hidden[0].astype(np.float16), voice=voice, sound=sound, intonation=intonation, manner=manner)
            part.rename(path)


if __name__ == "__main__":
    main()
