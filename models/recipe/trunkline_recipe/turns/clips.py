"""Makes the labelled telephone clips on which turn-taking is tuned and measured: thinking pauses, spelled numbers and names,
whole questions, and sounds over the agent's speech. Needs espeak-ng, flite and sox, and, for a recorded human voice,
Debian's asterisk-core-sounds-en-wav. Usage: python3 -m trunkline_recipe.turns.clips FOLDER [turns] [overlaps]

Every clip passes a telephone band (300-3400 Hz) and G.711 mu-law, at levels from -32 to -16 dBFS, half of them over
line noise. Voices and sentences of the tuning half are not used in the test half.
"""

import json
import math
import random
import re
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

RATE = 8000
HUMAN = Path("/usr/share/asterisk/sounds/en")

VOICES = {
    "tune": ["espeak:en-us+f3", "espeak:en-gb", "espeak:en-us+m7", "flite:rms", "flite:kal16"],
    "test": ["espeak:en-us+m3", "espeak:en-gb-scotland", "espeak:en-gb+f2", "flite:slt", "flite:awb"],
}

# For turns only voices that a recogniser understands on a telephone line: what it does with others says nothing.
TURN_VOICES = {
    "tune": ["flite:rms", "espeak:en-us+f3", "espeak:en-gb"],
    "test": ["flite:slt", "flite:awb", "espeak:en-us+m3", "espeak:en-gb-scotland"],
}

# (before the pause, after it); a third part where there is one.
THINKING = {
    "tune": [
        ("I would like to book a table for", "four people on Friday"),
        ("My name is", "Robert Miller"),
        ("I need to see the doctor because", "my back hurts"),
        ("Can you tell me", "if you are open on Sunday?"),
        ("I am calling about", "my appointment next week"),
        ("I want to cancel the, um", "the appointment on Monday"),
        ("Is there a", "swimming pool in the hotel?"),
        ("I would like to order two", "large pizzas with cheese"),
        ("Well, I", "I am not sure which day is best"),
        ("Could I speak to", "somebody in the sales department?"),
        ("I would like to book a room", "for two nights in June"),
        ("We are arriving on Thursday", "and we leave on Sunday morning"),
        ("Do you have any parking", "close to the main entrance?"),
        ("The order was late", "so I would like my money back"),
    ],
    "test": [
        ("I would like to reserve a room for", "my parents in August"),
        ("My address is", "twelve Park Street"),
        ("I cannot come tomorrow because", "my son is ill"),
        ("Could you tell me", "how much the breakfast is?"),
        ("I have a question about", "the bill I got last week"),
        ("I want to change the, uh", "the delivery to Saturday"),
        ("Is there any", "bus from the airport to you?"),
        ("I would like to buy three", "blue shirts in size medium"),
        ("So, my", "my problem is that it does not start"),
        ("May I talk to", "the person who sold me the car?"),
        ("I would like to see a dentist", "on Tuesday after four"),
        ("We are five people", "and two of us are vegetarians"),
        ("Do you take credit cards", "or do I have to pay in cash?"),
        ("My parcel has not arrived", "although it was sent on Monday"),
    ],
}

NUMBERS = {
    "tune": [("My number is", "five five five", "zero one two", "three four seven eight"), ("It is", "oh seven seven", "nine hundred", "eight one four"), ("The code is", "four two", "nine six"), ("seven three one", "two two", "zero nine five")],
    "test": [("You can reach me at", "six one seven", "four four two", "nine zero one three"), ("My account is", "one three eight", "five five", "seven two zero"), ("The zip code is", "nine four one", "zero three"), ("eight hundred", "two six four", "one one nine seven")],
}
LETTERS = {
    "tune": [("My name is Smith.", "S. M. I.", "T. H."), ("It is spelled", "B. R. O.", "W. N.")],
    "test": [("The name is Clark.", "C. L. A.", "R. K."), ("That is spelled", "J. O. N.", "E. S.")],
}
WHOLE = {
    "tune": ["What time do you open on Saturday?", "Yes, please.", "How much is a double room?", "I would like to book a table for two on Friday.", "No, thank you.", "Tuesday.", "Do you have parking?", "My name is Robert Miller.", "I need to cancel my appointment.", "Is breakfast included?"],
    "test": ["When does the shop close today?", "Yes, that is right.", "Where can I park my car?", "I would like to change my reservation.", "No, not today.", "On Thursday.", "Can I bring my dog?", "My parcel has not arrived.", "Who is the doctor on duty?", "How long does it take?"],
}

# Said as a whole and stopped inside: the tune is that of going on. The test half also stops recorded human prompts.
STOPPED = {
    "tune": [
        "Could you send me the menu for the wedding party?",
        "I lost my umbrella on the bus this morning.",
        "Which of your rooms has a view of the lake?",
        "We would rather sit outside if the weather is good.",
        "Please tell the doctor that the tablets do not help.",
        "Do you repair old clocks and watches?",
        "My sister booked two tickets for the late show.",
        "How early can I drop off the children?",
    ],
    "test": [
        "Can you move my massage from Tuesday to Friday afternoon?",
        "I have been waiting for the plumber since eight this morning.",
        "Which train goes to the airport after midnight?",
        "My daughter would like to learn how to play the cello.",
        "Is the museum open on the second of January?",
        "The washing machine makes a terrible noise when it spins.",
        "Do I need a visa if I only change planes?",
        "We need two cots and a high chair in the room.",
        "How much would it cost to frame a large picture?",
        "Please cancel the newspaper while we are on holiday.",
        "Have you found a black wallet with a library card in it?",
        "I would like the fish but without any garlic.",
        "When will the new glasses be ready for collection?",
        "The gate code does not work since the power cut.",
        "Are there any seats left for the evening concert?",
        "My neighbour recommended your garage to me.",
        "Could the driver ring me ten minutes before he comes?",
        "We sent the form back three weeks ago by post.",
        "What happens if my flight is delayed by an hour?",
        "I think somebody charged my card twice for one order.",
        "Would it be possible to get a table near the window?",
        "The baby has had a fever since yesterday evening.",
        "Who do I call about a broken street lamp?",
        "He wants to know whether the course is also taught online.",
        "Does the price include towels and bed linen?",
        "I left my reading glasses in the waiting room.",
    ],
}

AGENT = "We are open from Monday to Friday between nine in the morning and five in the afternoon, and on Saturdays until noon. On Sundays and public holidays we are closed, but you can leave a message at any time."
INTERRUPTING = {
    "tune": ["stop", "wait", "no", "hold on", "sorry?", "what about Sunday?", "excuse me", "okay but how much is it?", "can I ask something?", "I meant next week", "that is not what I asked", "hello?", "just a moment please", "yes I know that already"],
    "test": ["stop it", "wait a minute", "no no", "hang on", "pardon?", "and on Saturday?", "one question", "right but is it free?", "could I say something?", "I want to book a room", "you got me wrong", "listen please", "actually never mind", "thanks that is enough"],
}
BACKCHANNELS = {
    "tune": [("[[m'h@m]]", "mm-hmm"), ("uh huh", "uh-huh"), ("yeah", "yeah"), ("okay", "okay"), ("right", "right"), ("I see", "I see"), ("sure", "sure"), ("oh okay", "oh okay"), ("yes", "yes")],
    "test": [("[[h'm]]", "hm"), ("yep", "yep"), ("all right", "all right"), ("okay okay", "okay, okay"), ("good", "good"), ("got it", "got it"), ("yeah right", "yeah, right"), ("[[m:h'm]]", "mm-hmm"), ("ah", "ah")],
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


def phone_band(source: str, target: str) -> np.ndarray:
    subprocess.run(["sox", source, "-r", str(RATE), "-c", "1", "-b", "16", target, "sinc", "300-3400"], check=True)
    with wave.open(target) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64) / 32768
    return trimmed(pcm)


def trimmed(pcm: np.ndarray) -> np.ndarray:
    """Without the silence before and after, judged in 10 ms steps against the loudest."""
    step = RATE // 100
    level = np.array([np.sqrt(np.mean(pcm[i : i + step] ** 2)) for i in range(0, len(pcm) - step + 1, step)])
    loud = np.nonzero(level > max(level.max() * 0.03, 1e-4))[0]
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


class ClipSet:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        name = f"{split}-{kind}-{len(self.clips):03d}.wav"
        with wave.open(str(self.folder / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((mu_law(np.clip(pcm, -1, 1)) * 32767).astype("<i2").tobytes())
        self.clips.append({"file": name, "split": split, "kind": kind, "parts": parts, **more})

    def write(self) -> None:
        (self.folder / "clips.json").write_text(json.dumps(self.clips, indent=1))


def pause(chance: random.Random) -> float:
    """Pauses inside turns: median 550 ms, 90 % between 240 and 1250 ms."""
    return min(2000.0, max(200.0, chance.lognormvariate(math.log(550), 0.5)))


def turns(made: ClipSet, split: str, chance: random.Random) -> None:
    voices = TURN_VOICES[split]

    def said(voice: str, *texts: str) -> list:
        speed = chance.randint(140, 185)
        pieces: list = [chance.uniform(300, 700)]
        for text in texts:
            pieces += [(text, at_level(speak(voice, text, speed), -24)), pause(chance)]
        return [*pieces[:-1], 500.0]

    for index, texts in enumerate(THINKING[split]):
        for turn in range(3):
            voice = voices[(index + turn) % len(voices)]
            made.add(split, "thinking", said(voice, *texts), chance, chance.uniform(-32, -16))
    for kind, sets in (("number", NUMBERS[split]), ("letters", LETTERS[split])):
        for texts in sets:
            for voice in voices:
                made.add(split, kind, said(voice, *texts), chance, chance.uniform(-32, -16))
    for index, text in enumerate(WHOLE[split]):
        for turn in range(3):
            voice = voices[(index + turn) % len(voices)]
            made.add(split, "whole", said(voice, text), chance, chance.uniform(-32, -16))
    if split == "test" and HUMAN.exists():
        human_numbers(made, chance)


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
        for turn in range(2):
            voice = TURN_VOICES[split][(index + turn) % len(TURN_VOICES[split])]
            pcm = speak(voice, text, chance.randint(140, 185))
            cut("stopped", text, pcm)
            if turn == 0:
                made.add(split, "whole-more", [chance.uniform(300, 700), (text, at_level(pcm, -24)), 500.0], chance, chance.uniform(-32, -16))
    if split == "test" and HUMAN.exists():
        from ..ear.speech import human_prompts

        # One sentence each, and no menu that goes on with the next prompt.
        prompts = [(text, path) for _, text, path in human_prompts(test=True) if re.fullmatch(r"[A-Z][^.?!]{24,110}[.?!]", text) and not text.startswith(("Press", "To ", "For "))]
        chance.shuffle(prompts)
        made_of = 0
        with tempfile.NamedTemporaryFile(suffix=".wav") as narrow:
            for text, path in prompts:
                pcm = phone_band(str(path), narrow.name)
                if made_of < 64 and len(pcm) < 7 * RATE and cut("human-stopped", text, pcm):
                    made_of += 1
                    if made_of <= 32:
                        made.add(split, "human-whole", [chance.uniform(300, 700), (text, at_level(pcm, -24)), 500.0], chance, chance.uniform(-32, -16))


def human_numbers(made: ClipSet, chance: random.Random) -> None:
    """A recorded voice (Allison Smith) reads numbers and spells, in groups."""
    digits = "zero one two three four five six seven eight nine".split()
    with tempfile.NamedTemporaryFile(suffix=".wav") as narrow:
        digit = [phone_band(str(HUMAN / "digits" / f"{value}.wav"), narrow.name) for value in range(10)]
        letter = {name: phone_band(str(HUMAN / "letters" / f"{name}.wav"), narrow.name) for name in "abcdefghijklmnoprstuvw"}
    for kind, count in (("human-number", 20), ("human-letters", 15)):
        for _ in range(count):
            pieces: list = [chance.uniform(300, 700)]
            for _ in range(chance.choice([2, 3])):
                group, text = [], []
                for _ in range(chance.choice([2, 3, 3, 4])):
                    value = chance.randrange(10)
                    name = chance.choice(sorted(letter))
                    group += [digit[value] if kind == "human-number" else letter[name], silence(chance.uniform(20, 90))]
                    text.append(digits[value] if kind == "human-number" else name)
                pieces += [(" ".join(text), at_level(np.concatenate(group[:-1]), -24)), pause(chance)]
            made.add("test", kind, [*pieces[:-1], 500.0], chance, chance.uniform(-30, -18))


def overlaps(made: ClipSet, split: str, chance: random.Random) -> None:
    voices = VOICES[split]
    caller = -24.0

    def add(kind: str, text: str, pcm: np.ndarray, below: float, interrupts: bool) -> None:
        level = caller - below + chance.uniform(-3, 3)
        lead = chance.uniform(1500, 3000)
        made.add(split, kind, [lead, (text, pcm), 1500.0], chance, level, agentText=AGENT, interrupts=interrupts, callerLevelDb=caller)

    for index, text in enumerate(INTERRUPTING[split]):
        for turn in range(2):
            add("words", text, speak(voices[(index + turn) % len(voices)], text, chance.randint(150, 190)), 0, True)
    for index, (sound, text) in enumerate(BACKCHANNELS[split]):
        for turn in range(2):
            voice = voices[(index + turn) % 3] if sound.startswith("[[") else voices[(index + turn) % len(voices)]
            add("backchannel", text, speak(voice, sound, chance.randint(150, 190)), 2, False)
    for _ in range(10):
        add("cough", "", cough(chance), 0, False)
        add("keyboard", "", keyboard(chance), 14, False)
    for _ in range(6):
        add("key-tone", "", key_tone(chance), 0, False)
        sentences = chance.sample(THINKING[split], 3)
        talk = [speak(chance.choice(voices), " ".join(texts), 170) for texts in sentences]
        length = min(map(len, talk))
        add("babble", "", sum(part[:length] for part in talk), 18, False)
    for below in (8, 12, 16, 20, 26, 32):
        voice = chance.choice(voices)
        echo = speak(voice, AGENT, 170)[: int(chance.uniform(2.5, 5.0) * RATE)]
        words = AGENT.split(" ")
        share = len(echo) / max(1, len(speak(voice, AGENT, 170)))
        add("echo", " ".join(words[: max(1, int(len(words) * share))]), echo, below, False)


def agent(folder: Path) -> None:
    """What the agent says meanwhile, so that an echo can be told from a caller."""
    pcm = at_level(speak("flite:kal16", AGENT, 165), -22)
    with wave.open(str(folder / "agent.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes())


def main(folder: str, *only: str) -> None:
    for name, make in (("turns", turns), ("overlaps", overlaps)):
        if len(only) > 0 and name not in only:
            continue
        made = ClipSet(Path(folder) / name)
        for split in ("tune", "test"):
            make(made, split, random.Random(f"{name} {split}"))
        # After the others, so that those stay what they were.
        for split in ("tune", "test") if name == "turns" else ():
            stopped(made, split, random.Random(f"stopped {split}"))
        made.write()
        if name == "overlaps":
            agent(made.folder)
        print(f"{name}: {len(made.clips)} clips")


if __name__ == "__main__":
    main(*sys.argv[1:])
