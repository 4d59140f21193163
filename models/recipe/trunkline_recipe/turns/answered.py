"""Makes the labelled clips on which answering-machine detection is tuned and measured: what comes back in the first seconds after
a call of ours was answered, by people and by machines. Needs espeak-ng, flite and sox, and for recorded voices Debian's
asterisk-core-sounds-{en,es,fr,it,ru}-wav and asterisk-prompt-it-menardi-wav. Usage: python3 -m trunkline_recipe.turns.answered FOLDER

Every clip passes a telephone band (300-3400 Hz) and G.711 mu-law, at levels from -32 to -16 dBFS, over the noise of a line and,
some, of a room with other people. Voices, sentences, languages and beeps of the tuning half are not used in the test half.
"""

import random
import sys
import tempfile
from pathlib import Path

import numpy as np

from .clips import RATE, ClipSet, at_level, phone_band, silence, speak

SOUNDS = Path("/usr/share/asterisk/sounds")
RECORDED = {"tune": ["en_US_f_Allison", "es_MX_f_Allison", "fr_CA_f_June"], "test": ["it_IT_f_Menardi", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU"]}
VOICES = {
    "tune": ["espeak:en-us+f3", "flite:rms", "espeak:en-gb", "flite:kal16", "espeak:en-us+m7"],
    "test": ["flite:slt", "flite:awb", "espeak:en-gb+f2", "espeak:en-us+m3", "espeak:en-gb-scotland"],
}

# A piece of speech is a list of sentences with pauses between them.
PEOPLE = {
    "tune": {
        "hello": [["Hello?"], ["Yes?"], ["Hi."], ["Hello, hello?"], ["Yeah?"], ["Good morning."], ["Who is this?"], ["Hey, what's up?"]],
        "name": [["This is Robert."], ["Miller speaking."], ["Hello, Anna here."], ["Good evening, this is Jane Cooper."], ["Smith residence, hello?"], ["Peter Brown, hello?"]],
        "office": [
            ["Good morning, Park Dental Clinic, this is Karen speaking, how can I help you?"],
            ["Hotel Lakeview, good evening, you are speaking with Martin.", "What can I do for you?"],
            ["Northern Plumbing, Susan speaking."],
            ["City library, good afternoon, how may I help?"],
        ],
        "absent": [["He is not available right now, who is calling?"], ["She is not here at the moment.", "Can I take a message?"], ["Sorry, he just left.", "Do you want to call back later?"]],
        "twice": [["Hello?", 1800, "Hello?"], ["Yes, hello?", 2300, "Is anybody there?"], ["Hello.", 1500, "Hello, who is calling?"]],
    },
    "test": {
        "hello": [["Hello."], ["Hello, yes?"], ["Hiya."], ["Speaking."], ["Good afternoon."], ["Yep?"], ["Hi there."], ["Hello, who's that?"]],
        "name": [["Tom here."], ["Williams."], ["Hi, Julia speaking."], ["Good day, Henry Walker."], ["Hello, this is the Johnson family."], ["Emma Clark, good morning."]],
        "office": [
            ["Thank you for calling Green Garage, my name is Steve, how can I help you today?"],
            ["Restaurant Bella Vista, good evening.", "Would you like to book a table?"],
            ["Accounts department, Linda here."],
            ["Westfield medical centre, reception, can you hold for a second please?"],
        ],
        "absent": [["My husband is out, can I help you?"], ["He isn't available just now.", "May I ask who is speaking?"], ["She's in a meeting.", "Would you like to leave a message with me?"]],
        "twice": [["Hi?", 2000, "Hello, can you hear me?"], ["Hello?", 1400, "Hello?"], ["Yes, who is it?", 2500, "Hello?"]],
    },
}
MACHINES = {
    "tune": {
        "personal": [
            ["Hi, you have reached Robert Miller.", "I can't come to the phone right now.", "Please leave a message after the beep."],
            ["Hello, this is Anna.", "I am not able to take your call.", "Leave your name and number and I will get back to you."],
            ["Hey, it's Pete, I'm probably driving.", "Talk to me after the tone."],
            ["You've reached the voicemail of Jane Cooper.", "Please leave a message."],
            ["Sorry I missed your call.", "Tell me who you are and what you want and I'll call you back as soon as I can.", "Bye."],
        ],
        "short": [["Hi, it's Bob.", "Leave a message."], ["Please leave a message after the tone."], ["This is Jane's phone, you know what to do."]],
        "carrier": [
            ["The person you have called is not available.", "At the tone, please record your message.", "When you have finished recording you may hang up."],
            ["Your call has been forwarded to an automatic voice message system.", "five five five, zero one two, three four seven, is not available.", "At the tone, please record your message."],
            ["Welcome to the mailbox of", "oh seven seven, nine hundred, eight one four.", "Please speak after the tone."],
        ],
        "closed": [
            ["Thank you for calling Park Dental Clinic.", "Our office is closed at the moment.", "We are open from Monday to Friday, eight to five.", "If this is an emergency, please dial nine one one."],
            ["Northern Plumbing.", "All our technicians are busy.", "Please leave your name, your address and a short description of the problem."],
        ],
    },
    "test": {
        "personal": [
            ["Hello, this is the answering machine of the Walker family.", "Nobody is at home.", "Please speak after the signal."],
            ["Hi, Julia here, well, not really.", "Leave me your message and I will ring you back."],
            ["You are connected to the voicemail of Henry Walker.", "I am away until the second of January.", "In urgent cases please call my colleague."],
            ["Hello, you've called Tom.", "I'm busy or asleep.", "You can try again or leave a message, bye."],
            ["Good day, this is Emma Clark's mobile phone.", "I am sorry that I cannot answer your call at present.", "I'd be happy if you left a message."],
        ],
        "short": [["It's Tom, speak after the beep."], ["Julia's voicemail.", "Go ahead."], ["Nobody's home, leave a message please."]],
        "carrier": [
            ["The customer you are calling cannot be reached at present.", "Please leave a message after the signal.", "To end the recording, hang up or press hash."],
            ["The mobile phone you called is switched off.", "six one seven, four four two, nine zero one three.", "Please record your message after the beep."],
            ["You have reached the message box of", "one three eight, five five, seven two zero.", "Nobody can take your call now.", "Please leave your message."],
        ],
        "closed": [
            ["Welcome to Green Garage.", "You are calling outside of our opening hours.", "Our team is here for you from nine to six on weekdays.", "Please leave your number and the registration of your car."],
            ["This is the Westfield medical centre.", "The surgery is now closed.", "If you need a doctor urgently, please call the out of hours service."],
        ],
    },
}
# Prompts of Asterisk, in the recorded voice of each language.
MAILBOXES = [["vm-theperson", "digits/4", "digits/7", "digits/1", "vm-isunavail", "vm-intro"], ["vm-nobodyavail", "vm-intro"], ["vm-theperson", "digits/2", "digits/0", "digits/6", "vm-isonphone", "vm-intro"]]
BEEPS_HZ = {"tune": [400, 440, 500, 620, 800, 950, 1000, 1350], "test": [425, 480, 550, 700, 880, 1050, 1200, 1400]}
SIT_HZ = [(985, 330), (1429, 330), (1777, 330)]


def tone(hertz: float, ms: float) -> np.ndarray:
    t = np.arange(int(ms * RATE / 1000)) / RATE
    sound = np.sin(2 * np.pi * hertz * t) * np.sqrt(2)
    edge = RATE // 200
    sound[:edge] *= np.linspace(0, 1, edge)
    sound[-edge:] *= np.linspace(1, 0, edge)
    return sound


def sentence_gap(chance: random.Random) -> float:
    """Between the sentences of a greeting that was recorded in one go: median 380 ms."""
    return min(1100.0, max(180.0, chance.lognormvariate(np.log(380), 0.4)))


def recorded(folder: str, name: str) -> np.ndarray | None:
    source = SOUNDS / folder / f"{name}.wav"
    if not source.exists():
        return None
    with tempfile.NamedTemporaryFile(suffix=".wav") as narrow:
        return at_level(phone_band(str(source), narrow.name), -24)


class Room:
    """What is heard behind whoever answers: other people, in one clip out of six."""

    def __init__(self, split: str) -> None:
        texts = ["we could go there tomorrow if the weather is nice", "and then she told him that the train was late again", "put it on the table next to the window please"]
        talk = [at_level(speak(voice, text, 170), -24) for voice, text in zip(VOICES[split], texts * 2, strict=False)]
        self.babble = sum(np.resize(part, 12 * RATE) for part in talk)

    def behind(self, pieces: list, chance: random.Random) -> list:
        if chance.random() > 1 / 6:
            return pieces
        below = chance.uniform(16, 24)
        out, at = [], chance.randrange(4 * RATE)
        for piece in pieces:
            pcm = piece[1] if isinstance(piece, tuple) else silence(piece)
            noise = at_level(np.resize(self.babble, at + len(pcm))[at:] if len(pcm) else pcm, -24 - below) if len(pcm) else pcm
            at += len(pcm)
            out.append((piece[0] if isinstance(piece, tuple) else "", pcm + noise))
        return out


def said(voice: str, parts: list, chance: random.Random) -> list:
    speed = chance.randint(140, 185)
    pieces: list = []
    for part in parts:
        if isinstance(part, str):
            if pieces and isinstance(pieces[-1], tuple):
                pieces.append(sentence_gap(chance))
            pieces.append((part, at_level(speak(voice, part, speed), -24)))
        else:
            pieces.append(part)
    return pieces


def people(made: ClipSet, split: str, chance: random.Random, room: Room) -> None:
    def add(kind: str, pieces: list) -> None:
        made.add(split, kind, room.behind([chance.uniform(150, 1500), *pieces, 6000.0], chance), chance, chance.uniform(-32, -16), answeredBy="human")

    for kind, texts in PEOPLE[split].items():
        for index, parts in enumerate(texts):
            for turn in range(2 if kind in ("hello", "name") else 3):
                add(kind, said(VOICES[split][(index + 2 * turn) % 5], parts, chance))
    for folder in RECORDED[split]:
        names = sorted(path.stem for path in (SOUNDS / folder).glob("*.wav") if not path.stem.startswith(("beep", "vm-", "demo", "tt-")))
        chance.shuffle(names)
        short, longer = 0, 0
        for name in names:
            pcm = recorded(folder, name)
            if pcm is None or not 0.3 * RATE < len(pcm) < 3.5 * RATE:
                continue
            if len(pcm) < 1.6 * RATE and short < 7:
                short += 1
                add("recorded-short", [(name, pcm)])
            elif len(pcm) >= 1.6 * RATE and longer < 4:
                longer += 1
                add("recorded-long", [(name, pcm)])
            if short == 7 and longer == 4:
                break


def machines(made: ClipSet, split: str, chance: random.Random, room: Room) -> None:
    def add(kind: str, pieces: list, beep: bool = True) -> None:
        after: list = []
        if beep:
            sound = at_level(tone(chance.choice(BEEPS_HZ[split]), chance.uniform(150, 900)), -24 + chance.uniform(-6, 6))
            after = [chance.uniform(250, 1600), ("(beep)", sound)]
        made.add(split, kind, [*room.behind([chance.uniform(300, 2500), *pieces], chance), *after, 5000.0], chance, chance.uniform(-32, -16), answeredBy="machine")

    for kind, texts in MACHINES[split].items():
        for index, parts in enumerate(texts):
            for turn in range(3):
                add(kind, said(VOICES[split][(index + 2 * turn) % 5], parts, chance), chance.random() < 0.85)
    for folder in RECORDED[split]:
        for names in MAILBOXES:
            pieces: list = []
            for name in names:
                pcm = recorded(folder, name)
                if pcm is None:
                    continue
                if pieces:
                    pieces.append(chance.uniform(60, 260))
                pieces.append((name, pcm))
            add("mailbox", pieces)
        nothing = recorded(folder, "ss-noservice")
        if nothing is not None:
            tones = np.concatenate([at_level(tone(hertz, ms), -24) for hertz, ms in SIT_HZ])
            made.add(split, "intercept", [chance.uniform(300, 1200), ("(tones)", tones), 400.0, ("ss-noservice", nothing), 3000.0], chance, chance.uniform(-28, -16), answeredBy="machine")


def main(folder: str) -> None:
    made = ClipSet(Path(folder) / "answered")
    for split in ("tune", "test"):
        room = Room(split)
        people(made, split, random.Random(f"people {split}"), room)
        machines(made, split, random.Random(f"machines {split}"), room)
    made.write()
    for split in ("tune", "test"):
        for by in ("human", "machine"):
            print(split, by, sum(clip["split"] == split and clip["answeredBy"] == by for clip in made.clips))


if __name__ == "__main__":
    main(*sys.argv[1:])
