"""Turns a business into calls: who asks what, as a recogniser writes it, and what is right to say. Seeded.

`persona` makes branches (a question, or a few that follow on one another) that share a business; `dialogue` one long call. What is
settled by the facts and what is not is asked with the same words: of another thing, of another side of the same thing.
"""

import argparse
import json
import random
import re

from .business import Business, expand
from .retrieval import FactIndex
from .situations import Situation
from .tools import ONE_MOMENT, Toolbox

REFUSALS = ["I do not have that information. Shall I connect you to a colleague?"]
CLARIFY = ["I am sorry, I did not catch that. Could you say it again?"]
SMALL = [
    (["Hello.", "Hello?", "Hi there.", "Good morning.", "Hey, good afternoon.", "Hi, is anyone there?", "Hello, good evening."], ["Hello. How can I help you?"]),
    (["How are you?", "How are you doing today?", "How is it going?"], ["I am well, thank you. How can I help you?"]),
    (["Are you a robot?", "Am I talking to a machine?", "Are you a real person?", "Is this a computer?"], ["I am an automated assistant. How can I help you?"]),
    (["What can you do?", "What can you help me with?", "What can I ask you?", "How can you help me?"], ["I can answer questions about {name}, or connect you to a colleague."]),
    (["Who am I speaking to?", "Who is this?", "What is this place?", "Did I reach {name}?", "Is this {name}?", "What is the name of your company?", "Who am I talking to?"], ["(Yes, this|This) is {name}. How can I help you?"]),
    (["Thank you.", "Thanks.", "Okay, thank you.", "Great, thanks a lot.", "Perfect, thank you very much.", "Oh good, thanks."], ["You are welcome. Is there anything else?"]),
    (["Okay.", "All right.", "I see.", "Aha.", "Good to know.", "Great.", "Hmm, okay."], ["Is there anything else I can help you with?"]),
    (["I have a question.", "Can I ask you something?", "I need some information.", "I have a few questions.", "Can you help me?", "I need help."], ["Of course. What would you like to know?"]),
    (["One moment please.", "Wait a second.", "Hold on.", "Just a moment, I am getting a pen."], ["Of course, take your time."]),
    (["[inaudible]", "Uh.", "The the", "Mm the of", "I was the um", "And so what the", "Blue if when."], CLARIFY),
    (["You are very kind.", "You are helpful.", "That is a great service."], ["Thank you. Is there anything else I can help you with?"]),
    (["This is terrible service.", "I am really angry.", "You are useless.", "I am not happy with you at all."], ["I am sorry about that. Shall I connect you to a colleague?"]),
    (["Tell me a joke.", "Can you sing a song?", "What is your favorite color?", "Do you like football?", "How old are you?", "Where do you live?"], ["I can only help with questions about {name}. What would you like to know?"]),
]
WORLD = [
    ("What is the capital of France?", "The capital of France is Paris."), ("What is two plus two?", "Two plus two is four."), ("What color is the sky?", "The sky is blue."),
    ("How many days are in a week?", "There are seven days in a week."), ("What is the largest ocean?", "The Pacific is the largest ocean."), ("Who wrote Romeo and Juliet?", "William Shakespeare wrote Romeo and Juliet."),
    ("How many minutes are in an hour?", "There are sixty minutes in an hour."), ("What is the capital of Italy?", "The capital of Italy is Rome."), ("What is the opposite of hot?", "The opposite of hot is cold."),
    ("How many legs does a spider have?", "A spider has eight legs."), ("What is the capital of Japan?", "The capital of Japan is Tokyo."), ("What planet do we live on?", "We live on Earth."),
    ("How many months are in a year?", "There are twelve months in a year."), ("What language do they speak in Brazil?", "In Brazil they speak Portuguese."), ("What is the capital of Germany?", "The capital of Germany is Berlin."),
    ("What do bees make?", "Bees make honey."), ("How many hours are in a day?", "There are twenty-four hours in a day."), ("What is frozen water called?", "Frozen water is called ice."), ("Which day comes after Monday?", "Tuesday comes after Monday."), ("What is the capital of Spain?", "The capital of Spain is Madrid."),
]
BYE = ["Goodbye.", "Bye.", "Bye bye.", "That is all, thank you. Goodbye.", "No, that is all. Thank you.", "That was all, bye.", "Thanks, have a nice day.", "Okay, thank you, bye.", "I have to go, goodbye.", "No thanks, that is everything.", "Great, that's all I needed. Bye.", "Nothing else, thanks, goodbye.", "See you, bye.", "Good night.", "That is all I wanted to know.", "That is everything, thanks.", "Thanks for your help, bye bye.", "I am done, thank you.", "Well, that's it. Have a good one.", "Alright, talk to you later.", "Cheers, bye.", "No more questions, thank you.", "You can hang up now.", "Thank you so much, goodbye.", "Have a nice evening.", "Okay that's it, thanks.", "Take care."]
BYE_ANSWERS = ["Thank you for calling. Goodbye."]
HUMAN = ["Can I speak to a person?", "I want to talk to a human.", "Please connect me to someone.", "Can you transfer me?", "I would like to speak to a colleague.", "Put me through to someone please.", "Can I talk to a real person?", "Operator.", "Connect me with the office, please.", "I want to speak to your boss.", "Could you put me through?", "Let me talk to someone who knows.", "Is there a human I can talk to?", "Give me the manager, please.", "I would rather talk to a member of staff.", "Can somebody call me back or talk to me now?", "Please transfer me to the front desk.", "I do not want to talk to a machine.", "Could I speak with an employee?", "Get me a colleague.", "May I talk to the person in charge?", "I need to talk to somebody about a complaint.", "Connect me, please.", "I want a real person."]
HUMAN_ANSWERS = ["Of course. One moment, I will connect you."]
ACCEPT = ["Yes, please.", "Yes.", "Sure.", "Yes, connect me.", "That would be nice.", "Okay, do that.", "Yeah, please do.", "Please.", "Yes, that would be great.", "Go ahead."]
DECLINE = ["No, thank you.", "No, not necessary.", "No.", "No, that's fine.", "Not now, thanks.", "No need."]
DECLINE_ANSWERS = ["All right. Is there anything else I can help you with?"]
REPEAT = ["Could you repeat that?", "Sorry, what did you say?", "Can you say that again?", "Pardon?", "What was that?", "I did not understand, once more please.", "Say that again please.", "Sorry?", "Come again?"]
PREAMBLES = ["I am new in town.", "My name is {name}.", "I am calling for my mother.", "I found your number online.", "I was there last week.", "My friend told me about you.", "I am on my way.", "We are a family of four.", "I have never been to your place.", "It is about tomorrow.", "I need to plan my day.", "My wife asked me to call.", "Maybe you can help me.", "I am in a hurry.", "I just moved here.", "I have two children.", "I could not find it on your website.", "I am a little early.", "This is {name} speaking."]
HOMOPHONES = {"for": "four", "to": "two", "there": "their", "your": "you're", "are": "our", "hours": "ours", "week": "weak", "fee": "fi", "park": "bark", "price": "prize", "tell": "tale", "cost": "coast", "when": "win", "where": "were", "the": "a", "is": "his", "do": "to", "much": "match", "open": "opened", "close": "clothes", "I": "eye", "pets": "bets", "check": "cheque"}
LEADS = ["Um, ", "Uh, ", "Hi, ", "Hello, ", "Yes, ", "Okay, ", "So, ", "Okay and ", "And ", "Excuse me, ", "Good morning, ", "Sorry, ", "Hi, I wanted to ask, ", "Well, ", "Could you tell me, ", "I have a question. ", "Listen, ", "Great. ", "All right. ", "Thanks. "]
TAILS = [" please", " then", " exactly", " by the way", ", do you know", " at all", " today"]


def spoken(rng: random.Random, text: str) -> str:
    """What a recogniser may write for it."""
    x = rng.random()
    if x < 0.22:
        lead = rng.choice(LEADS)
        text = lead + (text[0].lower() + text[1:] if not text.startswith("I ") and not lead.endswith(". ") else text)
    if x > 0.95 and text.endswith("?"):
        text = text[:-1] + rng.choice(TAILS) + "?"
    if rng.random() < 0.18:
        words = text.split()
        for _ in range(rng.randint(1, 2)):
            i = rng.randrange(len(words))
            bare = words[i].strip("?.,").lower()
            y = rng.random()
            if bare in HOMOPHONES and y < 0.6:
                words[i] = HOMOPHONES[bare]
            elif y < 0.75 and len(words) > 4 and len(bare) <= 3:
                words[i] = ""
            elif y < 0.9:
                words[i] = words[i] + " " + rng.choice(["uh", bare, "the", "um", "like"])
            words = [w for w in words if w]
        text = " ".join(words)
    y = rng.random()
    if y < 0.25:
        text = re.sub(r"[?.,!]", "", text).lower()
    elif y < 0.35:
        text = re.sub(r"[?!]", ".", text)
    return text


class Caller:
    """What somebody who rings this business may say. A turn: key, user, answer, action, fact that settles it."""

    def __init__(self, business: Business, tools: Toolbox | None = None):
        self.b, self.rng, self.tools = business, business.rng, tools
        self.used: set[str] = set()

    def turn(self, key: str, user: str, answer: str, action: str | None = None, fact: str | None = None) -> dict:
        self.used.add(user)
        return {"key": key, "user": user, "answer": answer, "action": action, "fact": fact}

    def one_of(self, key: str, asks: list[str], answers: list[str], action: str | None = None) -> dict:
        name = self.b.name
        return self.turn(key, self.rng.choice(asks).replace("{name}", name), expand(self.rng, self.rng.choice(answers))[0].replace("{name}", name), action)

    def bye(self) -> dict:
        return self.one_of("bye", BYE, BYE_ANSWERS, "hangup")

    def human(self) -> dict:
        return self.one_of("human", HUMAN, HUMAN_ANSWERS, "handover")

    def accept(self) -> dict:
        return self.one_of("accept", ACCEPT, HUMAN_ANSWERS, "handover")

    def decline(self) -> dict:
        return self.one_of("decline", DECLINE, DECLINE_ANSWERS)

    def repeat(self, last: str) -> dict:
        return self.turn("repeat", self.rng.choice(REPEAT), last)

    def small(self) -> dict:
        return self.one_of("small", *self.rng.choice(SMALL))

    def world(self) -> dict:
        return self.turn("world", *self.rng.choice(WORLD))

    def absent(self) -> dict:
        key, text = self.b.absent()
        return self.turn("absent:" + key, text, self.rng.choice(REFUSALS))

    def near(self) -> dict | None:
        """Not settled, in words that the facts have, too."""
        if not getattr(self.b, "near", None):
            return None
        key, text = self.rng.choice(self.b.near)
        return None if text in self.used else self.turn(key, text, self.rng.choice(REFUSALS))

    def known(self, wanted: str = "") -> dict | None:
        """A question that the facts settle; `wanted`: how its key begins."""
        pool = [k for k in self.b.known if k[0].startswith(wanted)]
        if not pool:
            return None
        group = self.rng.choice(sorted({k[0].split(".")[0] for k in pool}))
        key, ask, answer, slots = self.rng.choice([k for k in pool if k[0].split(".")[0] == group])
        text = self.b.ask(ask, slots, self.used)
        return None if text is None else self.turn(key, text, answer, None, slots["_fact"])

    def tool(self) -> dict | None:
        """What a tool of this business can do."""
        if self.tools is None or not self.tools.mine:
            return None
        name, text, _ = self.tools.asked()
        return self.turn(f"tool:{name}", text, self.rng.choice(ONE_MOMENT), "tool")

    def found(self) -> list[dict] | None:
        """The same, and what the tool found: the only fact beside the question, which is asked again."""
        if self.tools is None or not self.tools.mine:
            return None
        name, text, said = self.tools.asked()
        return [self.turn(f"tool:{name}", text, self.rng.choice(ONE_MOMENT), "tool"), self.turn("found", text, said) | {"hints": [said]}]

    def beside(self) -> dict | None:
        """About what a tool does, and not for it to do."""
        if self.tools is None or not self.tools.mine:
            return None
        return self.turn("absent:beside", self.tools.about(), self.rng.choice(REFUSALS))

    def lacking(self) -> dict | None:
        """What tools of others can do, and none of this business."""
        return None if self.tools is None else self.turn("absent:tool", self.tools.lacking(), self.rng.choice(REFUSALS))

    def both(self) -> dict | None:
        """Two questions in one."""
        one, two = self.known(), self.known()
        if one is None or two is None or len(one["answer"]) + len(two["answer"]) > 150 or one["key"].split(".")[0] == two["key"].split(".")[0] or not one["user"].endswith("?"):
            return None
        second = two["user"] if two["user"].startswith("I ") else two["user"][0].lower() + two["user"][1:]
        return self.turn("both", one["user"][:-1] + self.rng.choice([", and ", " and ", "? And "]) + second, f"{one['answer']} {two['answer']}", None, one["fact"])

    def followed(self) -> list[dict] | None:
        """A question and a short one that leans on it."""
        follow = getattr(self.b, "follow", {})
        first = self.known(self.rng.choice(sorted(follow))) if follow else None
        if first is None or first["key"] not in follow:
            return None
        ask, answer = self.rng.choice(follow[first["key"]])
        return [first, self.turn("follow", self.rng.choice(ask.split("|")), answer)]

    def corrected(self) -> list[dict] | None:
        """The caller cuts in: another day, another thing was meant."""
        r = self.rng
        kind = r.choice(["hours.", "thing"])
        pairs = [(a, c) for a in self.b.known for c in self.b.known if a is not c and a[0].startswith(kind) and c[0].startswith(kind) and a[0].split(".")[1:] == c[0].split(".")[1:] and ("d" in a[3] or "b" in a[3])]
        pairs = [(a, c) for a, c in pairs if a[3].get("d", a[3].get("b")) != c[3].get("d", c[3].get("b"))]
        if not pairs:
            return None
        asked, meant = r.choice(pairs)
        text = self.b.ask(asked[1], asked[3], self.used)
        if text is None:
            return None
        first = self.turn(asked[0], text, asked[2], None, asked[3]["_fact"])
        words = first["answer"].split()
        first["heard"] = " ".join(words[: r.randint(1, max(1, len(words) - 2))])
        what = meant[3].get("d") or r.choice([meant[3]["t"], "the " + meant[3]["b"]])
        ask = r.choice(["No, I meant {}.", "No, {}.", "Sorry, I meant {}.", "I mean {}.", "No no, {}.", "Not that, {}.", "Wait, I meant {}.", "Sorry, {}, not {old}.", "No, for {}.", "Actually, {}."])
        old = asked[3].get("d") or "the " + asked[3]["b"]
        return [first, self.turn("corrected", ask.format(what, old=old), meant[2], None, meant[3]["_fact"])]


def noisy(rng: random.Random, caller: Caller, turn: dict) -> dict:
    """As it is said and written down: with a preamble at times, with the recogniser's mistakes."""
    text = turn["user"]
    if rng.random() < 0.06 and turn["key"] not in ("repeat", "accept", "decline", "bye", "small", "follow", "corrected", "found"):
        text = rng.choice(PREAMBLES).format(name=caller.b.person()) + " " + text
    return turn | {"user": spoken(rng, text)}


# Share of each sort of branch.
SHARES = {"known": 0.31, "near": 0.26, "absent": 0.06, "hours": 0.08, "both": 0.07, "followed": 0.05, "corrected": 0.06, "small": 0.04, "world": 0.01, "bye": 0.025, "human": 0.025, "offered": 0.02}
# Beside them, for a business with tools.
TOOL_SHARES = {"tool": 0.3, "found": 0.1, "beside": 0.1, "lacking": 0.1}


def turns_of(caller: Caller, sort: str) -> list[dict] | None:
    r = caller.rng
    if sort == "hours":
        turns = [caller.known("hours")]
    elif sort == "offered":
        turns = [caller.near() or caller.absent(), caller.accept() if r.random() < 0.5 else caller.decline()]
    elif sort in ("followed", "corrected", "found"):
        turns = getattr(caller, sort)() or [None]
    else:
        turns = [getattr(caller, sort)()]
    if None in turns:
        return None
    if sort in ("known", "near", "bye", "human") and r.random() < 0.08:
        before = caller.known()
        turns = [before, *turns] if before is not None else turns
    return turns


def branch(caller: Caller) -> list[dict] | None:
    shares = SHARES if caller.tools is None else {**SHARES, **TOOL_SHARES}
    sort = caller.rng.choices(list(shares), list(shares.values()))[0]
    # Some sorts fit few pairs of questions; a business without hours has none of that sort.
    return next((turns for turns in (turns_of(caller, sort) for _ in range(8)) if turns is not None), None)


def persona(rng: random.Random, branches: int, split: str = "train", heard: bool = True, tools: float = 0.0) -> dict:
    """A business with branches; `hints` (the facts that the program puts beside a question) are added by related.mjs.

    `heard`: questions as a recogniser writes them; otherwise as they are said. `tools`: share of the businesses that have some."""
    b = Situation(rng, split) if rng.random() < 0.65 else Business(rng, "train")
    b.build()
    box = Toolbox(rng, split, rng.randint(1, 3)) if tools and rng.random() < tools else None
    caller, out, tries = Caller(b, box), [], 0
    while len(out) < branches and tries < 20 * branches:
        tries += 1
        turns = branch(caller)
        if turns is not None and turns[-1]["user"] not in {t["user"] for done in out for t in done}:
            out.append(turns)
    noise = [[noisy(rng, caller, t) for t in turns] for turns in out] if heard else out
    # What was found is read beside the question as it was heard the first time.
    noise = [turns[:-1] + [turns[-1] | {"user": turns[-2]["user"]}] if turns[-1]["key"] == "found" else turns for turns in noise]
    if box is not None:
        return {"type": b.type, "name": b.name, "instructions": b.instructions, "greeting": b.greeting if rng.random() < 0.7 else "", "facts": b.facts + box.lines, "tools": box.mine, "branches": noise}
    return {"type": b.type, "name": b.name, "instructions": b.instructions, "greeting": b.greeting if rng.random() < 0.7 else "", "facts": b.facts, "branches": noise}


def dialogue(rng: random.Random, split: str, turns: int) -> dict:
    """One call of a plain business, with hints as the reference implementation finds them."""
    b = Business(rng, split)
    b.build()
    index, caller = FactIndex(b.facts), Caller(b)
    out: list[dict] = []
    before, last, offered = "", b.greeting, False
    while len(out) < turns:
        x, final = rng.random(), len(out) == turns - 1
        if final and x < 0.68:
            turn = caller.bye() if x < 0.5 else caller.human()
        elif offered and x < 0.16:
            turn = caller.accept() if rng.random() < 0.5 else caller.decline()
        elif x < 0.02 and out:
            turn = caller.repeat(last)
        elif x < 0.09:
            turn = caller.small() if x < 0.08 else caller.world()
        elif x < 0.25:
            turn = caller.absent()
        else:
            turn = caller.known()
        if turn is None:
            continue
        clean = turn["user"]
        if split == "train" or rng.random() < 0.3:
            turn = noisy(rng, caller, turn)
        turn["hints"] = index.best(turn["user"], 3, before if len(turn["user"].split()) <= 5 else "")
        out.append(turn)
        last, offered = turn["answer"], "Shall I connect" in turn["answer"]
        if turn["key"] not in ("small", "repeat", "decline", "world"):
            before = clean
        if turn["action"] is not None:
            break
    return {"type": b.type, "name": b.name, "instructions": b.instructions, "greeting": b.greeting, "facts": b.facts, "turns": out}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", help="jsonl of personas with branches, without hints")
    arguments.add_argument("--count", type=int, default=600)
    arguments.add_argument("--branches", type=int, default=12)
    arguments.add_argument("--split", choices=["train", "valid"], default="train", help="valid: trades, names and streets of their own")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--tools", type=float, default=0.0, help="share of the businesses that can do something (tools.py)")
    options = arguments.parse_args()
    rng = random.Random(f"{options.split}{options.seed}")
    with open(options.out, "w", encoding="utf-8") as file:
        for _ in range(options.count):
            file.write(json.dumps(persona(rng, options.branches, options.split, tools=options.tools)) + "\n")


if __name__ == "__main__":
    main()
