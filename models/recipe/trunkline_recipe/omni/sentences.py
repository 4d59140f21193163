"""Makes the text that the voice is taught on: telephone talk, numbers, names, open text, rare words, one-word replies.

    python -m trunkline_recipe.omni.sentences OUT_DIR [--count 40000]
    python -m trunkline_recipe.omni.sentences OUT_DIR --agent 400      (agent.txt: what an agent says, for evaluation)

Writes train.txt, valid.txt and test.txt, one sentence a line, each line once over all three. A sentence goes where a
hash of its words says, so that more sentences later move none from test to train. Needs Debian's wordnet-base, fortunes
and dict-gcide; telephone talk comes from the language model's own dialogue generator.
"""

import argparse
import gzip
import random
import re
import zlib
from pathlib import Path

from ..brain.business import FIRST, LAST, STREET
from ..brain.dialogues import dialogue
from ..ear.sentences import REPLIES, template_sentence

MAX_WORDS = 24
MAX_LETTERS = 190
PLAIN = re.compile(r"^[A-Za-z][A-Za-z ,.'?!;:-]*$")
SPEAKABLE = re.compile(r"^[A-Za-z0-9$£€#][A-Za-z0-9 ,.'?!;:@/$£€%&#+-]*$")
# Shares of the kinds; what a kind cannot fill (no more new sentences) is left out.
SHARES = {"talk": 0.27, "numbers": 0.2, "open": 0.36, "words": 0.09, "replies": 0.08}

CARRIERS = """Your total comes to {price}.
The {thing} costs {price}, including tax.
That is {price} for {n} nights.
We open at {time} and close at {time2}.
Your appointment is on {date} at {time}.
I have you down for {date} at {time}, is that right?
You can reach us at {phone}.
Please call {phone} after {time}.
Our address is {street} {streetname} Street.
It is at {street} {streetname} Avenue, on the {nth} floor.
My name is {first} {last}, how can I help you?
{first} {last} will be with you in {n} minutes.
Could I have your booking number? It starts with {l}{l2}.
Your reference is {l}{l2} {big}.
The code is {digit}{digit2}{digit3}{digit4}.
Write to {first}@{word}.com, please.
Visit www.{word}{word2}.com for more.
There are {big} rooms and {n} suites.
About {percent}% of our guests book online.
It was built in {year} and renovated in {year2}.
The train leaves at {time} from platform {n}.
It is {degrees} degrees outside.
The bus number {n} stops there every {n2} minutes.
On {date} we are closed.
We are open from {weekday} to {weekday2}, {time} to {time2}.
Doctor {last} is available on {weekday} the {nth}.
I can offer you {weekday} at {time} or {weekday2} at {time2}.
That makes {n} adults and {n2} children, from {date} to {date2}.
The deposit is {price}, and the rest is due on {date}.
Flight {l}{l2} {big} arrives at {time}.
Room {digit}{digit2}{digit3} is on the {nth} floor.
It takes {n} to {n2} days.
He weighs {n}.{digit} kilograms.
Would {time} suit you, {first}?
Was that {price} or {price2}?
Did you say {digit}, {digit2}, {digit3}?
I see, {big} {streetname} Road.
Thank you, {first}. Your table for {n} is booked.""".splitlines()
FRAMES = """The word is {word}.|Did you say {word}, or {word2}?|It means {word}, {word2} and {word3}.|{word}, {word2}, {word3}.|
I need the {word} {word2}.|We talked about {word} and the {word2}.|A {word} is not a {word2}.|Is it {word} or {word2}?|
Some {word} for the {word2}, please.|They called it {word}.|She was {word} about the {word2}.|{word} {word2} {word3} {word4}.""".replace("\n", "").split("|")
STARTS = "Well|Oh|Okay|Sure|Right|Of course|All right|Yes|No|Great|Perfect|Thanks|Sorry|Hello|Hi|Good morning|Certainly|Absolutely|I see|Let me check".split("|")
ENDS = "sir|madam|please|thank you|one moment|go ahead|no problem|that works|that is fine|I am here|it is free|not today|we do|we are|I can|anything else".split("|")
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def nth(n):
    return f"{n}{'th' if 10 < n % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def numbers(rng, split, words):
    """One sentence with figures as people write them; the normaliser reads them out."""

    def slot(match):
        kind = match.group(1)
        hour, minute = rng.randint(1, 12), rng.choice(["00", "15", "30", "45", f"{rng.randint(0, 59):02d}"])
        month, day = rng.choice(MONTHS), rng.randint(1, 28)
        return str(
            {
                "price": lambda: rng.choice([f"${rng.randint(1, 990)}", f"${rng.randint(1, 300)}.{rng.randint(5, 99):02d}", f"{rng.randint(2, 900)} dollars", f"€{rng.randint(2, 400)}"]),
                "time": lambda: rng.choice([f"{hour}:{minute}", f"{hour}:{minute} {rng.choice(['am', 'pm', 'a.m.', 'p.m.'])}", f"{hour} {rng.choice(['am', 'pm'])}", f"{hour} o'clock"]),
                "date": lambda: rng.choice([f"{month} {nth(day)}", f"{rng.choice(WEEKDAYS)}, {month} {day}", f"the {nth(day)} of {month}", f"{month} {day}, {rng.randint(1990, 2030)}"]),
                "phone": lambda: rng.choice([f"{rng.randint(200, 999)}-{rng.randint(1000, 9999)}", f"{rng.randint(200, 999)} {rng.randint(10, 99)} {rng.randint(100, 999)}", f"{rng.randint(200, 999)}-{rng.randint(200, 999)}-{rng.randint(1000, 9999)}"]),
                "street": lambda: rng.randint(1, rng.choice([30, 300, 3000])),
                "streetname": lambda: rng.choice(STREET[split]),
                "first": lambda: rng.choice(FIRST[split]),
                "last": lambda: rng.choice(LAST[split]),
                "thing": lambda: rng.choice(["room", "ticket", "course", "repair", "check-up", "table", "delivery"]),
                "word": lambda: rng.choice(words),
                "l": lambda: rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ"),
                "n": lambda: rng.randint(2, rng.choice([9, 30, 99])),
                "nth": lambda: nth(rng.randint(1, 31)),
                "big": lambda: rng.choice([rng.randint(100, 9999), f"{rng.randint(1, 99)},{rng.randint(100, 999)}"]),
                "digit": lambda: rng.randint(0, 9),
                "percent": lambda: rng.randint(1, 99),
                "degrees": lambda: rng.choice(["minus ", ""]) + str(rng.randint(1, 40)),
                "year": lambda: rng.randint(1850, 2026),
                "weekday": lambda: rng.choice(WEEKDAYS),
            }[kind]()
        )

    return re.sub(r"\{([a-z]+)\d?\}", slot, rng.choice(CARRIERS))


def cut(text):
    """A text to its sentences."""
    return [s.strip() for s in re.split(r"(?<=[.?!]) +", text) if s.strip()]


def talk(rng, split):
    while True:
        d = dialogue(rng, split, rng.randint(3, 8))
        lines = [d["greeting"], *rng.sample(d["facts"], min(2, len(d["facts"])))]
        for turn in d["turns"]:
            lines.append(turn["answer"])
            if rng.random() < 0.5:
                lines.append(turn["user"])
        for line in lines:
            yield from cut(line)
        yield template_sentence(Numpyish(rng))


class Numpyish:
    """The one method of NumPy's generator that the ear's templates use."""

    def __init__(self, rng):
        self.rng = rng

    def integers(self, n):
        return self.rng.randrange(n)


def open_text(rng):
    found = []
    for path in sorted(Path("/usr/share/wordnet").glob("data.*")):
        for line in path.read_text(errors="ignore").splitlines():
            if "|" in line and not line.startswith("  "):
                gloss = line.split("|", 1)[1]
                found += re.findall(r'"([^"]+)"', gloss)
                first = re.sub(r"\([^)]*\)", "", gloss.split(";")[0].split('"')[0])
                found.append(" ".join(first.split()))
    for path in sorted(Path("/usr/share/games/fortunes").iterdir()):
        if path.suffix == "" and path.is_file() and path.name not in ("ascii-art", "drugs"):
            for block in path.read_text(errors="ignore").split("\n%\n"):
                found += cut(" ".join(block.split()))
    with gzip.open("/usr/share/dictd/gcide.dict.dz", "rt", errors="replace") as file:
        for block in re.split(r"\n\s*\n", file.read()):
            found += cut(" ".join(re.sub(r"\[[^\]]*\]|\{|\}|\s+", " ", block).split()))
    kept = sorted({s for s in found if PLAIN.match(s) and 3 <= len(s.split()) <= 20 and not re.search(r"\b[A-Z]{3,}\b|^(See|Of|Same as) \w+ ?\.$| [.,]", s)})
    rng.shuffle(kept)
    for s in kept:
        s = s[0].upper() + s[1:]
        yield s if s[-1] in ".?!" else s.rstrip(",;:-") + rng.choice("....?!")


def replies(rng, split):
    while True:
        x = rng.random()
        if x < 0.1:
            yield rng.choice(REPLIES)
        elif x < 0.55:
            yield rng.choice(STARTS) + ", " + rng.choice(ENDS) + rng.choice("...?!")
        elif x < 0.75:
            yield rng.choice(STARTS) + ", " + rng.choice([rng.choice(FIRST[split]), f"{rng.choice(['Mister', 'Miss', 'Doctor'])} {rng.choice(LAST[split])}"]) + rng.choice(".,?!").replace(",", ".")
        elif x < 0.9:
            yield f"{rng.choice(['At', 'After', 'Before', 'Until'])} {rng.randint(1, 12)} {rng.choice(['am', 'pm'])}."
        else:
            yield rng.choice([*WEEKDAYS, *MONTHS, *FIRST[split], *LAST[split], *STREET[split]]) + rng.choice(".?")


def rare(rng, words):
    while True:
        text = re.sub(r"\{word\d?\}", lambda _: rng.choice(words), rng.choice(FRAMES))
        yield text[0].upper() + text[1:]


def key(sentence):
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", sentence.lower()).split())


def part(sentence):
    """test and valid: one in forty each, by the words alone."""
    return {0: "test", 1: "valid"}.get(zlib.crc32(key(sentence).encode()) % 40, "train")


def generate(count, seed=1, kinds=tuple(SHARES)):
    """kinds: talk and replies need nothing of Debian's."""
    rng = random.Random(seed)
    text = list(open_text(rng)) if set(kinds) - {"talk", "replies"} else []
    # Every word type once: rare ones as often as common ones.
    words = sorted({w for s in text for w in re.findall(r"\b[a-z]{3,13}\b", s)})
    seen = set()
    for kind in kinds:
        share = SHARES[kind]
        source = {
            "talk": lambda: talk(rng, "train"),
            "numbers": lambda: iter(lambda: numbers(rng, "train", words), None),
            "open": lambda: iter(text),
            "words": lambda: rare(rng, words),
            "replies": lambda: replies(rng, "train"),
        }[kind]()
        wanted, tries = round(share * count), 0
        for sentence in source:
            tries += 1
            if wanted == 0 or tries > 30 * share * count:
                break
            sentence = re.sub(r"\[[^\]]*\]", "", sentence).strip()
            fits = SPEAKABLE.match(sentence) and len(sentence.split()) <= MAX_WORDS and len(sentence) <= MAX_LETTERS
            if not fits or key(sentence) in seen or key(sentence) == "":
                continue
            seen.add(key(sentence))
            wanted -= 1
            yield sentence, kind


def agent(count, train, seed=3):
    """What agents of businesses that no training text knows say: new names, streets and facts; none of it in `train`.
    Without figures and addresses: a recogniser writes those as it likes, and the voice would be blamed for it."""
    rng, seen = random.Random(seed), {key(s) for s in train}
    while count > 0:
        d = dialogue(rng, "test", rng.randint(3, 8))
        for line in [d["greeting"], *(turn["answer"] for turn in d["turns"])]:
            for sentence in cut(re.sub(r"\b([ap])\.m\.", r"\1m", line)):
                if key(sentence) in seen or len(sentence.split()) > MAX_WORDS or count == 0 or re.search(r"[0-9@]| dot |www", sentence):
                    continue
                seen.add(key(sentence))
                count -= 1
                yield sentence


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--count", type=int, default=40_000)
    arguments.add_argument("--agent", type=int)
    arguments.add_argument("--kinds", default=",".join(SHARES), help="by commas; for tests, where there are no dictionaries: talk,replies")
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.agent:
        lines = agent(options.agent, (options.out / "train.txt").read_text().splitlines())
        (options.out / "agent.txt").write_text("".join(s + "\n" for s in lines))
        return
    parts = {"train": [], "valid": [], "test": []}
    for sentence, kind in generate(options.count, kinds=options.kinds.split(",")):
        parts[part(sentence)].append((kind, sentence))
    for name, lines in parts.items():
        random.Random(2).shuffle(lines)
        (options.out / f"{name}.txt").write_text("".join(s + "\n" for _, s in lines))
        print(name, len(lines), {k: sum(1 for kind, _ in lines if kind == k) for k in SHARES})


if __name__ == "__main__":
    main()
