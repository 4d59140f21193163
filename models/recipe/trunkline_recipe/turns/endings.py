"""Makes what the classifier of turn ends learns from: whole utterances, and utterances stopped inside, as a telephone carries
them. Needs espeak-ng, flite, asterisk-core-sounds-en(-wav), and the sentences of the language model's dialogues.
Usage: python3 -m trunkline_recipe.turns.endings FOLDER [COUNT] [clear]

An utterance is mostly stopped at a word of a WHOLE rendering, so that its tune and pace are those of going on; some are
rendered up to a word after which English cannot end. Writes speech.pcm (16 bit, 8 kHz, one after the other) and
endings.jsonl. `clear`: synthetic voices alone, and of espeak-ng only those that a recogniser understands well, with
less noise. No sentence of the clips' test half or of the recorded questions, and none of the voices that speak
there, except flite's rms, who also reads a third of the questions.
"""

import ctypes
import json
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import librosa
import numpy as np
from scipy.signal import butter, resample_poly, sosfilt

from ..brain.dialogues import dialogue
from ..ear.sentences import REPLIES, template_sentence
from ..ear.speech import coloured_noise, human_prompts, read_wav
from ..omni.sentences import Numpyish, open_text
from .clip_texts import LETTERS, NUMBERS, STOPPED, THINKING, WHOLE
from .clips import RATE, mu_law
from .sounds import ACCENTS, VARIANTS, narrow

BAND = butter(4, (300, 3400), btype="bandpass", fs=RATE, output="sos")
CALLERS = 5200
"""Different things that callers say."""
DIGITS = "zero one two three four five six seven eight nine oh".split()
LETTER_NAMES = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z".split()
HESITATIONS = ["um", "uh", "er", "hmm", "well", "so", "let me see", "I mean", "you know"]
# After these nobody is done, whatever the tune.
GOES_ON = set("and or but because if when with for from to of at by into about the a an my your our their is are was we i i'm i'd he she they that which in on some any every another very no".split())
SHORT = ["Yes", "No", "Yes please", "No thank you", "Okay", "Sure", "That is correct", "Exactly", "Thank you", "Goodbye", "Hello?", "Sorry?", "Pardon?", "Not yet", "Maybe later", "On Tuesday", "Tomorrow morning", "At half past six", "Two adults", "Just one", "The big one", "By card", "In cash", "I am not sure", "That was all", "Nothing else", "No problem", "Right", "Of course", "Friday", "Next week"]
# Cut to their beginning, these are what callers say before they stop to think.
OPENERS = ["I was wondering", "I wanted to ask", "I am calling because", "I just wanted to know", "Do you know", "Can you tell me", "Could you please tell me", "I have a question about", "Is it possible to", "I would like to", "My email address is", "The name is", "It is under the name", "My birthday is", "We need a", "What I need is", "Can I", "Do you have", "Is there", "How about", "And then", "Because", "The thing is", "Okay so", "Yes but", "No I", "Let me think"]


def forbidden() -> set[str]:
    questions = Path(__file__).parents[4] / "test/fixtures/questions/questions.json"
    texts = [question["text"] for question in json.loads(questions.read_text())]
    texts += WHOLE["test"] + STOPPED["test"] + [" ".join(parts) for kind in (THINKING, NUMBERS, LETTERS) for parts in kind["test"]]
    return {plain(text) for text in texts}


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def callers(chance: random.Random, count: int) -> list[str]:
    """What callers say to a business, from the dialogues that the language model is tuned on."""
    found: set[str] = set()
    while len(found) < count:
        for turn in dialogue(chance, "train", 6)["turns"]:
            # Written as a person would: not those made to look like a recogniser's mistakes.
            if re.fullmatch(r"[A-Z].{4,100}[.?!]", turn["user"]) and len(turn["user"].split()) <= 16:
                found.add(turn["user"])
    return sorted(found)


def number(chance: random.Random) -> list[str]:
    """Groups of digits or letters, said one after the other."""
    spell = chance.random() < 0.35
    pool = LETTER_NAMES if spell else DIGITS
    sizes = chance.choice([[3, 3, 4], [3, 4], [2, 2, 2], [5], [4], [3, 2], [4, 4], [1, 3, 3, 4]]) if not spell else chance.choice([[3, 2], [4], [5], [3, 3], [2, 2, 2], [6]])
    groups = [" ".join(chance.choice(pool) + ("." if spell else "") for _ in range(size)) for size in sizes]
    lead = chance.choice(["My number is", "It is", "The code is", "You can call me at", "The reference is", "", ""] if not spell else ["It is spelled", "My name is spelled", "That is", "", ""])
    return ([lead] if lead else []) + groups


CLEAR_ACCENTS, CLEAR_VARIANTS = ["en-us", "en-gb-x-rp", "en-us", "en-029"], ["f1", "f4", "f5", "m1", "m2", "m4", "m6", "m8", "Andy", "steph", "linda", "edward"]


class Espeak:
    """libespeak-ng, which tells where words begin."""

    class Event(ctypes.Structure):
        _fields_ = [("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int), ("ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", ctypes.c_uint64)]

    def __init__(self, clear: bool) -> None:
        self.accents, self.variants = (CLEAR_ACCENTS, CLEAR_VARIANTS) if clear else (ACCENTS, VARIANTS)
        self.lib = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.lib.espeak_Initialize(2, 0, None, 0)
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(self.Event))
        self.callback = callback(self.take)
        self.lib.espeak_SetSynthCallback(self.callback)

    def take(self, wav, samples, events) -> int:
        if wav and samples > 0:
            self.sound.append(np.ctypeslib.as_array(wav, (samples,)).copy())
        at = 0
        while events[at].type != 0:
            if events[at].type == 1:
                self.words.append((events[at].text - 1, events[at].ms / 1000))
            at += 1
        return 0

    def say(self, chance: random.Random, text: str) -> tuple[np.ndarray, list[tuple[int, float]]]:
        """8 kHz, and (place in the text, second) where each word begins."""
        self.sound, self.words = [], []
        voice = f"{chance.choice(self.accents)}+{chance.choice(self.variants)}"
        self.lib.espeak_SetVoiceByName(voice.encode())
        self.lib.espeak_SetParameter(1, chance.randint(135, 205), 0)
        self.lib.espeak_SetParameter(3, chance.randint(25, 75), 0)
        self.lib.espeak_SetParameter(4, chance.randint(40, 80), 0)
        raw = text.encode()
        self.lib.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, 1, None, None)
        pcm = np.concatenate(self.sound).astype(np.float32) / 32768
        return librosa.resample(pcm, orig_sr=self.rate, target_sr=RATE, res_type="polyphase"), self.words


class Flite:
    def say(self, chance: random.Random, text: str) -> tuple[np.ndarray, list[tuple[int, float]]]:
        voice, stretch, pitch = chance.choice(["rms", "kal", "kal16", "rms"]), chance.uniform(0.85, 1.25), chance.uniform(85, 190)
        settings = ["-voice", voice, "--setf", f"duration_stretch={stretch:.2f}"] + (["--setf", f"int_f0_target_mean={pitch:.0f}"] if chance.random() < 0.5 else [])
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            phones = self.phones(settings, text, file.name)
            import soundfile as sf

            pcm, rate = sf.read(file.name, dtype="float32")
        pcm = librosa.resample(pcm, orig_sr=rate, target_sr=RATE, res_type="polyphase")
        # Where a word begins: after as many sounds as the text before it has.
        words, places = [], [match.start() for match in re.finditer(r"\S+", text)]
        for place in [chance.choice(places[1:])] if len(places) > 1 else []:
            before = len(self.phones(settings, text[:place].strip(), "none"))
            if before < len(phones):
                words.append((place, phones[before - 1]))
        return pcm, words

    def phones(self, settings: list[str], text: str, target: str) -> list[float]:
        out = subprocess.run(["flite", *settings, "-psdur", "-t", text, "-o", target], check=True, capture_output=True, text=True).stdout
        return [float(end) for name, end in re.findall(r"(\w+):([\d.]+)", out) if name != "pau"]


def edges(pcm: np.ndarray) -> tuple[int, int]:
    step = RATE // 100
    level = np.sqrt(np.mean(pcm[: len(pcm) // step * step].reshape(-1, step) ** 2, axis=1))
    loud = np.nonzero(level > max(level.max() * 0.03, 1e-4))[0]
    return (int(loud[0]) * step, int(loud[-1] + 1) * step) if len(loud) else (0, len(pcm))


def lengthened(pcm: np.ndarray, chance: random.Random) -> np.ndarray:
    """The last syllable drawn out, as by somebody who searches for the next word."""
    tail = int(chance.uniform(0.12, 0.28) * RATE)
    if len(pcm) < 2 * tail:
        return pcm
    slow = librosa.effects.time_stretch(pcm[-tail:].astype(np.float32), rate=1 / chance.uniform(1.2, 1.9), n_fft=256, hop_length=64)
    return np.concatenate([pcm[:-tail], slow])


def stopped(pcm: np.ndarray, at: float, chance: random.Random) -> np.ndarray:
    """Up to second `at`, dying away within some milliseconds."""
    end = int(at * RATE)
    part = pcm[:end].copy()
    if chance.random() < 0.35:
        part = lengthened(part, chance)
    fade = int(chance.uniform(0.008, 0.03) * RATE)
    if len(part) > fade:
        part[-fade:] *= np.linspace(1, 0, fade)
    return part


def heard(pcm: np.ndarray, chance: random.Random, rng: np.random.Generator, noise_db: tuple[int, int]) -> np.ndarray:
    """As it comes over the line and is given to the recogniser: some silence before it, a little after it."""
    start, end = edges(pcm)
    pcm = pcm[start:end]
    pcm = np.concatenate([np.zeros(int(chance.uniform(0.15, 0.36) * RATE)), pcm, np.zeros(int(chance.uniform(0.05, 0.2) * RATE))])
    spoken = float(np.sqrt(np.mean(pcm**2))) + 1e-9
    pcm = pcm * (10 ** (chance.uniform(-34, -15) / 20) / spoken)
    if chance.random() < 0.6:
        noise = coloured_noise(len(pcm), rng, chance.choice([0, 0.5, 1]))
        pcm = pcm + noise * (np.sqrt(np.mean(pcm**2)) * 10 ** (-chance.uniform(*noise_db) / 20))
    if chance.random() < 0.85:
        pcm = sosfilt(BAND, pcm)
    if chance.random() < 0.12:
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(pcm))
            pcm[at : at + 160 * chance.randint(1, 3)] = 0
    return mu_law(np.clip(pcm, -1, 1))


class Endings:
    def __init__(self, folder: Path, noise_db: tuple[int, int]) -> None:
        self.noise_db = noise_db
        folder.mkdir(parents=True, exist_ok=True)
        self.sound = (folder / "speech.pcm").open("wb")
        self.index = (folder / "endings.jsonl").open("w")
        self.count = 0
        self.rng = np.random.default_rng(5)

    def add(self, pcm: np.ndarray, chance: random.Random, **about) -> None:
        if len(pcm) < RATE // 6 or len(pcm) > 9 * RATE or float(np.abs(pcm).max()) < 1e-3:
            return
        samples = (heard(pcm, chance, self.rng, self.noise_db) * 32767).astype("<i2")
        self.sound.write(samples.tobytes())
        self.index.write(json.dumps({"samples": len(samples), **about}) + "\n")
        self.index.flush()
        self.count += 1


def paused(pcm: np.ndarray, at: float, chance: random.Random) -> np.ndarray:
    """With a pause for thought inside, as an utterance has that goes on after one."""
    place = int(at * RATE)
    return np.concatenate([pcm[:place], np.zeros(int(chance.uniform(0.25, 1.2) * RATE)), pcm[place:]])


def texts(chance: random.Random) -> list[tuple[str, str]]:
    barred = forbidden()
    rows = [("caller", text) for text in chance.sample(callers(chance, CALLERS), CALLERS)]
    numpyish = Numpyish(chance)
    rows += [("template", template_sentence(numpyish)) for _ in range(700)]
    rows += [("reply", text) for text in [*REPLIES, *SHORT] for _ in range(6)]
    rows += [("number", " , ".join(number(chance))) for _ in range(650)]
    rows += [("opener", text) for text in OPENERS for _ in range(12)]
    rows += [("hesitation", text) for _, text in chance.sample(rows[:CALLERS], 350)]
    rows = [(kind, text.strip()) for kind, text in rows if plain(text) not in barred and re.fullmatch(r"[A-Za-z0-9 ,.'?!;:$%&-]+", text.strip())]
    chance.shuffle(rows)
    return rows


def spoken(made: Endings, chance: random.Random, engine, voice: str, kind: str, text: str) -> None:
    bare = text.rstrip(" .?!,")
    if kind == "opener":
        pcm, _ = engine.say(chance, text + chance.choice(["", ",", "..."]))
        made.add(pcm, chance, done=0, how="opener", voice=voice, text=text)
        return
    if kind == "hesitation":
        words = bare.split()
        place = chance.randint(0, min(len(words) - 1, 7))
        begun = " ".join([*words[:place], chance.choice(HESITATIONS)])
        pcm, _ = engine.say(chance, begun + chance.choice(["", ",", "..."]))
        made.add(pcm if chance.random() < 0.5 else lengthened(pcm[: edges(pcm)[1]], chance), chance, done=0, how="hesitation", voice=voice, text=begun)
        return
    # Recognisers and callers do without marks; the tune of a question goes with its mark.
    pcm, words = engine.say(chance, text if chance.random() < 0.85 else bare)
    words = [(place, at) for place, at in words if place > 0 and 0.12 < at < len(pcm) / RATE - 0.1]
    whole = paused(pcm, chance.choice(words)[1], chance) if words and chance.random() < 0.15 else pcm
    if kind == "reply" or chance.random() < 0.85:
        made.add(whole, chance, done=1, how=kind, voice=voice, text=text)
    if not words or kind == "reply":
        return
    cuts = chance.sample(words, min(len(words), 1 if chance.random() < 0.6 else 2))
    for place, at in cuts:
        begun = text[:place].strip()
        if begun.endswith((".", "?", "!")):
            continue
        part = stopped(pcm, at, chance)
        if chance.random() < 0.12:
            earlier = [when for _, when in words if when < at - 0.15]
            if earlier:
                part = paused(part, chance.choice(earlier), chance)
        made.add(part, chance, done=0, how="number stopped" if kind == "number" else "stopped", voice=voice, text=begun)
    # As a synthetic voice says a part of a sentence that it takes for a whole: only the words tell.
    at = [match.end() for match in re.finditer(r"[A-Za-z']+", bare) if match.group().lower() in GOES_ON and match.end() < len(bare)]
    if at and chance.random() < 0.3:
        begun = bare[: chance.choice(at)]
        pcm, _ = engine.say(chance, begun)
        made.add(pcm, chance, done=0, how="words", voice=voice, text=begun)


def recorded(made: Endings, chance: random.Random) -> None:
    """A human speaker, stopped where her energy dips, and where she pauses inside a sentence."""
    for name, text, path in human_prompts(test=False):
        pcm = resample_poly(read_wav(path), 1, 2)
        start, end = edges(pcm)
        pcm = pcm[start:end]
        if len(pcm) < RATE // 4:
            continue
        fragment = text.rstrip().endswith(("...", "-", ","))
        if len(pcm) <= 8 * RATE and not fragment:
            made.add(pcm, chance, done=1, how="human", voice="human", text=text)
        if len(pcm) < 1.2 * RATE:
            continue
        step = RATE // 100
        level = np.convolve(np.sqrt(np.mean(pcm[: len(pcm) // step * step].reshape(-1, step) ** 2, axis=1)), np.ones(3) / 3, "same")
        sentences = len(re.findall(r"[.?!](\s|$)", text)) > 1
        for _ in range(3):
            about = chance.uniform(0.25, 0.85) * len(level)
            lo, hi = int(max(20, about - 15)), int(min(len(level) - 15, about + 15))
            if hi <= lo or hi > 8 * 100:
                continue
            place = lo + int(np.argmin(level[lo:hi]))
            quiet = level[max(0, place - 8) : place + 8].max() < 0.03 * level.max()
            if level[place] > 0.35 * level.max() or (sentences and quiet):
                continue
            made.add(stopped(pcm, place / 100, chance), chance, done=0, how="human stopped", voice="human", text=text)


def main(folder: str, count: str = "7000", voices: str = "any") -> None:
    clear = voices == "clear"
    chance = random.Random(f"endings {voices}" if clear else "endings")
    made = Endings(Path(folder), (18, 40) if clear else (10, 38))
    if not clear:
        recorded(made, chance)
    print("human", made.count, flush=True)
    espeak, flite = Espeak(clear), Flite()
    for turn, (kind, text) in enumerate(texts(chance)):
        if made.count >= int(count):
            break
        engine, voice = (flite, "flite") if turn % (3 if clear else 4) == 0 else (espeak, "espeak")
        try:
            spoken(made, chance, engine, voice, kind, text)
        except (subprocess.CalledProcessError, ValueError, IndexError):
            continue
        if turn % 500 == 0:
            print(turn, made.count, flush=True)
    made.sound.close()
    made.index.close()
    print("endings", made.count, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
