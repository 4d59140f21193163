"""Makes what the classifier of sounds over the agent's voice learns from: talk, signs of listening, and noises, each cut to
its sound, 8 kHz. Needs espeak-ng, flite, festival with the voice ked, Debian's asterisk-core-sounds-en(-wav) and a built Trunkline.
Usage: python3 -m trunkline_recipe.turns.sounds FILE.npz

No voice of the test half of clips.py speaks here (m3, gb-scotland, f2, slt, awb), no sentence of either half, of the recorded
prompts only those that are not kept for testing, and of the recordings of human_sounds.py no speaker who is in the test half.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import librosa
import numpy as np
import soundfile as sf

from ..ear.speech import MUSIC, human_prompts, no_speech, read_wav
from .clips import RATE, silence, trimmed
from .human_sounds import BACKCHANNEL, NOISE, TALK, recordings
from .overlap_clips import cough, key_tone, keyboard

ACCENTS = ["en-us", "en-gb-x-rp", "en-029", "en-us-nyc", "en-gb-x-gbclan", "en-gb-x-gbcwmd"]
VARIANTS = (
    "adam Alex Alicia Andrea Andy Annie antonio aunty belinda benjamin boris caleb david Denis Diogo ed edward edward2 Gene Gene2 "
    "Henrique Hugo iven iven2 iven3 Jacky john Lee linda marcelo Marco Mario max Michael michel miguel Mike Nguyen pablo paul pedro "
    "quincy rob robert steph steph2 steph3 Storm zac anika grandpa klatt2 klatt3 klatt4 m1 m2 m4 m5 m6 m8 f1 f4 f5 norbert sandro shelby "
    "travis victor grandma"
).split(" ")

# (spelling, espeak-ng phonemes or None)
BACKCHANNELS = [
    ("mm-hmm", "[[m'h@m]]"), ("mm-hmm", "[[m:h'm]]"), ("mm-hmm", "[[m:h'm:]]"), ("mhm", "[[mh'm]]"), ("hm", "[[h'm]]"), ("hmm", "[[h'm:]]"), ("mm", "[[m:]]"), ("mm", "[[m'm:]]"),
    ("uh huh", "[[Vh'V]]"), ("uh huh", None), ("aha", None), ("ah", None), ("oh", None), ("ooh", None), ("ok", None), ("okay", None), ("okay okay", None),
    ("oh okay", None), ("okay right", None), ("yeah", None), ("yeah yeah", None), ("yeah okay", None), ("yep", None), ("yup", None), ("yes", None), ("yes yes", None),
    ("yes sure", None), ("right", None), ("right right", None), ("yeah right", None), ("sure", None), ("alright", None), ("all right", None), ("fine", None), ("good", None),
    ("great", None), ("cool", None), ("nice", None), ("I see", None), ("oh I see", None), ("got it", None), ("of course", None), ("wow", None), ("really", None),
    ("exactly", None), ("perfect", None), ("okay good", None), ("very good", None), ("sounds good", None), ("that's right", None), ("ah okay", None), ("mm okay", "[[m: oUk'eI]]"),
]
OPENINGS = "stop|wait|no|nope|sorry|hello|hey|listen|hold it|excuse me please|pardon me|hang on a second|one moment|just a second|stop stop|wait wait|no wait|no stop|stop please|please stop|no thanks|no it is not|not that|enough|be quiet|what|why|when|where|who|how|how much|what was that|say that again|again please|slower please|louder please|hey you|um no|but|but wait|so what|help|operator|agent|cancel|cancel that|never|not now|tomorrow|today|Sunday|on Friday|two|at five|my name|a question".split("|")
STARTS = "I want|I need|I would like|can you|could you|do you|is there|are you|what about|how about|when is|where is|who is|why is|tell me|give me|let me|that is|this is|it was|we have|you said|he said|they told me|my wife|my order|my car|the bill|the room|no I said|wait I need|sorry I wanted|but I asked|and the|actually I|hello I|listen I|please|because|maybe we|next time|after that|on Monday|before noon|for two people|with a dog|the other one|not the first".split("|")
ENDS = "to know the price|to speak with someone|the opening hours|a table for six|to pay the bill|about the parking|another day|the address again|to change it|the doctor|a refund|wrong|too expensive|not working|in the morning|something else|to cancel|your name|a double room|two tickets|the number|later|to go now|what I meant|from the airport|the small one|in the evening|how long it takes|without breakfast|the manager".split("|")
AGREEING = ["yes", "yeah", "okay", "right", "sure", "oh okay", "all right"]


def talk(chance: random.Random) -> tuple[str, bool]:
    """A phrase, and whether it opens like a sign of listening."""
    kind = chance.random()
    if kind < 0.45:
        return chance.choice(OPENINGS), False
    phrase = f"{chance.choice(STARTS)} {chance.choice(ENDS)}"
    return (f"{chance.choice(AGREEING)} {chance.choice(['but ', 'and ', ''])}{phrase}", True) if kind > 0.88 else (phrase, False)


def narrow(path: str) -> np.ndarray:
    pcm, rate = sf.read(path, dtype="float32")
    if pcm.ndim > 1:
        pcm = pcm.mean(axis=1)
    return trimmed(librosa.resample(pcm, orig_sr=rate, target_sr=RATE).astype(np.float64))


def espeak(chance: random.Random, text: str) -> np.ndarray:
    voice = f"{chance.choice(ACCENTS)}+{chance.choice(VARIANTS)}"
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(chance.randint(135, 215)), "-p", str(chance.randint(20, 80)), "-w", file.name, text], check=True, capture_output=True)
        return narrow(file.name)


def flite(chance: random.Random, text: str) -> np.ndarray:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", chance.choice(["kal", "rms", "rms"]), "--setf", f"duration_stretch={chance.uniform(0.8, 1.25):.2f}"]
        if chance.random() < 0.6:
            command += ["--setf", f"int_f0_target_mean={chance.uniform(85, 190):.0f}"]
        subprocess.run([*command, "-t", text, "-o", file.name], check=True, capture_output=True)
        return narrow(file.name)


def festival(chance: random.Random, text: str) -> np.ndarray:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        settings = f"(begin (voice_ked_diphone) (Parameter.set 'Duration_Stretch {chance.uniform(0.8, 1.2):.2f}))"
        subprocess.run(["text2wave", "-eval", settings, "-o", file.name], input=text.encode(), check=True, capture_output=True)
        return narrow(file.name)


def joe(texts: list[str]) -> list[np.ndarray]:
    """The agent's own voice, from which callers are made by another pitch and pace."""
    speak = Path(__file__).parent.parent / "voice" / "speak.mjs"
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        lines.write_text("\n".join(f"{text}." for text in texts) + "\n")
        subprocess.run(["node", str(speak), str(lines), folder], check=True, capture_output=True)
        return [narrow(str(path)) for path in sorted(Path(folder).glob("*.wav"))]


def main(target: str) -> None:
    chance = random.Random("sounds")
    noise = np.random.default_rng(7)
    sounds: list[np.ndarray] = []
    labels: list[int] = []
    opens: list[bool] = []
    sources: list[str] = []

    def add(pcm: np.ndarray, label: int, agreeing: bool = False, source: str = "made") -> None:
        pcm = pcm[: int(1.6 * RATE)]
        top = float(np.abs(pcm).max()) if len(pcm) else 0
        if len(pcm) < RATE // 16 or top < 1e-4:
            return
        sounds.append((pcm / top * 30000).astype(np.int16))
        labels.append(label)
        opens.append(agreeing)
        sources.append(source)

    def say(engine, count: int) -> None:
        for _ in range(count):
            try:
                if chance.random() < 0.5:
                    spelling, phonemes = chance.choice(BACKCHANNELS)
                    add(engine(chance, phonemes if phonemes is not None and engine is espeak else spelling), BACKCHANNEL)
                else:
                    text, agreeing = talk(chance)
                    add(engine(chance, text), TALK, agreeing)
            except subprocess.CalledProcessError:
                continue
        print(engine.__name__, len(sounds), flush=True)

    say(espeak, 6000)
    say(flite, 1500)
    say(festival, 600)
    plain = sorted({spelling for spelling, _ in BACKCHANNELS})
    for _ in range(2):
        spoken = [(text, BACKCHANNEL, False) for text in plain for _ in range(2)]
        spoken += [(text, TALK, agreeing) for text, agreeing in (talk(chance) for _ in range(120))]
        for (text, label, agreeing), pcm in zip(spoken, joe([text for text, *_ in spoken]), strict=True):
            for _ in range(3):
                # A longer or shorter throat, and a quicker or slower speaker.
                add(librosa.resample(pcm, orig_sr=RATE, target_sr=int(RATE * chance.uniform(0.8, 1.2))), label, agreeing)
        print("joe", len(sounds), flush=True)
    for name, text, path in human_prompts(test=False):
        pcm = librosa.resample(read_wav(path), orig_sr=16000, target_sr=RATE)
        for start, end in librosa.effects.split(pcm, top_db=35)[:6]:
            if end - start > RATE // 5:
                add(pcm[start:end], TALK, source="allison")
    print("prompts", len(sounds), flush=True)
    for label, source, pcm in recordings():
        add(pcm, label, source=source)
    print("human", len(sounds), flush=True)
    music = sorted(MUSIC.glob("*.wav")) if MUSIC.exists() else []
    for _ in range(500):
        add(cough(chance), NOISE)
        add(keyboard(chance), NOISE)
        add(key_tone(chance), NOISE)
        add(librosa.resample(no_speech(noise, music)[0], orig_sr=16000, target_sr=RATE), NOISE)
    print("noise", len(sounds), np.bincount(labels), flush=True)
    lengths = np.array([len(pcm) for pcm in sounds])
    np.savez_compressed(target, pcm=np.concatenate(sounds), lengths=lengths, labels=np.array(labels), opens=np.array(opens), sources=np.array(sources))


if __name__ == "__main__":
    main(sys.argv[1])
