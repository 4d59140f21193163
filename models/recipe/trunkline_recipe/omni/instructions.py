"""General questions with short spoken answers, made by rule from what can be looked up: WordNet, arithmetic, calendar, units.

After the rules of VoiceAssistant-400K (Xie and Wu, 2024) and InstructS2S-200K (Fang et al., 2024): a question is said, not written,
so some begin with a filler or a frame and figures are words; an answer is a short sentence that can be spoken, without list,
bracket, figure or markup. Right by construction, as far as WordNet is. Seeded.
"""

import random
import re

from .sentences import MONTHS, WEEKDAYS
from .wordnet import WordNet

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
UNITS = (("minute", "hour", 60), ("second", "minute", 60), ("hour", "day", 24), ("day", "week", 7), ("month", "year", 12), ("meter", "kilometer", 1000), ("centimeter", "meter", 100), ("gram", "kilogram", 1000), ("cent", "dollar", 100), ("inch", "foot", 12), ("foot", "yard", 3), ("year", "century", 100), ("year", "decade", 10), ("millimeter", "centimeter", 10))
PLURALS = {"inch": "inches", "foot": "feet", "century": "centuries"}
FILLERS = ("Um, ", "Uh, ", "So, ", "Hey, ", "Hi, ", "Okay, ", "Well, ")
FRAMES = ("Tell me, ", "I have a question. ", "Quick question. ", "Do you know, ", "I would like to know, ", "Please tell me, ", "I was wondering, ", "Can you help me? ")
# How questions and answers of the world begin: no names.
COMMON = {"who", "what", "where", "do", "a", "an"}
FILLER_SHARE, FRAME_SHARE = 0.12, 0.15
SPEAKABLE = re.compile(r"^[A-Z][A-Za-z ,.'?!-]*[.?!]$")
MOST_QUESTION_WORDS, MOST_ANSWER_WORDS, MOST_COMMAS = 22, 20, 2
# Kinds that need no WordNet.
PLAIN_KINDS = ("sum", "calendar", "clock", "unit", "more")
# Of what is wanted; what a kind cannot fill goes to the others.
SHARES = {"meaning": 0.36, "kind": 0.1, "check": 0.1, "example": 0.05, "sentence": 0.09, "synonym": 0.06, "opposite": 0.04, "sum": 0.07, "calendar": 0.02, "clock": 0.03, "unit": 0.03, "spelling": 0.03, "letters": 0.01, "more": 0.01}

# The world, for the trunk's knowledge: only where they are asked for, beside any of the others.
WORLD_SHARES = {"called": 0.3, "belongs": 0.1, "person": 0.1, "place": 0.1}


def number_words(n):
    """0 to 999,999 as they are said."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{ONES[n % 10]}" if n % 10 else "")
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if n >= size:
            rest = n % size
            return f"{number_words(n // size)} {name}" + (f" {number_words(rest)}" if rest else "")
    raise ValueError(n)


def article(word):
    return f"{'an' if re.match(r'(?!(one|uni[^n]|use|usu|eu|uti))[aeiou]|hour|honest|heir', word) else 'a'} {word}"


def capital(text):
    return text[:1].upper() + text[1:]


def plural(unit):
    return PLURALS.get(unit, unit + "s")


class Instructions:
    """Each method gives one question and its answer, or None where the draw had none."""

    def __init__(self, rng, wordnet):
        self.rng, self.net = rng, wordnet
        if wordnet is None:
            return
        self.words = {part: self.net.words(part) for part in ("noun", "verb", "adj")}
        self.things = [w for w in self.words["noun"] if self.net.countable(w)]
        self.familiar = [w for part in self.words for w in self.net.words(part, 5)]

    def meaning(self):
        part = self.rng.choices(("noun", "verb", "adj"), (0.6, 0.2, 0.2))[0]
        word = self.rng.choice(self.words[part])
        gloss = self.net.gloss(part, word)
        if not 3 <= len(gloss.split()) <= 14 or re.search(rf"\b{word[:5]}", gloss):
            return None
        if part == "noun" and self.net.countable(word):
            one = article(word)
            return self.rng.choice([f"What is {one}?", f"How would you describe {one}?", f"Can you explain what {one} is?", f"What does the word {word} mean?"]), f"{capital(one)} is {gloss}."
        if part == "verb":
            return self.rng.choice([f"What does it mean to {word}?", f"What does the verb {word} mean?"]), f"To {word} means to {gloss.removeprefix('to ')}."
        return self.rng.choice([f"What does {word} mean?", f"Can you explain the word {word}?", f"What does the word {word} mean?"]), f"{capital(word)} means {gloss}."

    def parent(self, word):
        """The nearest familiar sort of thing that a thing is."""
        for synset in self.net.kinds_of(word)[:3]:
            for name in self.net.usual("noun", synset):
                if self.net.countable(name) and name not in (word, "entity", "object", "thing", "whole"):
                    return name
        return None

    def kind(self):
        word = self.rng.choice(self.things)
        above = self.parent(word)
        if above is None:
            return None
        return self.rng.choice([f"What kind of thing is {article(word)}?", f"What sort of thing is {article(word)}?"]), f"{capital(article(word))} is a kind of {above}."

    def check(self):
        word = self.rng.choice(self.things)
        above = self.parent(word)
        if above is None:
            return None
        if self.rng.random() < 0.5:
            return f"Is {article(word)} {article(above)}?", f"Yes, {article(word)} is a kind of {above}."
        other = self.parent(self.rng.choice(self.things))
        all_kinds = {w for synset in self.net.kinds_of(word) for w in synset.words}
        if other is None or other in all_kinds or word in {w for synset in self.net.kinds_of(other) for w in synset.words}:
            return None
        return f"Is {article(word)} {article(other)}?", f"No, {article(word)} is a kind of {above}."

    def example(self):
        word = self.rng.choice(self.things)
        below = [w for synset in self.net.related("noun", word, "~") for w in self.net.usual("noun", synset)[:1] if self.net.countable(w)]
        if not below:
            return None
        return self.rng.choice([f"Can you name a kind of {word}?", f"Give me an example of {article(word)}."]), f"{capital(article(self.rng.choice(below)))} is a kind of {word}."

    def sentence(self):
        part = self.rng.choice(("verb", "adj", "noun"))
        word = self.rng.choice(self.words[part])
        examples = [e for e in self.net.first[part][word][0].examples if re.search(rf"\b{word}\b", e) and 5 <= len(e.split()) <= 14 and re.match(r"[A-Za-z][a-zA-Z ,']*$", e)]
        # A sentence and no mere phrase, as far as that can be told: a pronoun begins it, or it has a verb that is only that.
        examples = [e for e in examples if re.match(r"(I|he|she|it|we|you|they|there)\b", e, re.I) or re.match(r"(the|his|her|my|our|their|this|that|a|an)\b", e, re.I) and re.search(r" (is|was|were|are|will|had|has|have|can|could)\b", e)]
        if not examples:
            return None
        return self.rng.choice([f"Can you use the word {word} in a sentence?", f"Give me a sentence with the word {word}."]), f"{capital(self.rng.choice(examples).rstrip(' ,'))}."

    def synonym(self):
        part = self.rng.choice(("noun", "verb", "adj"))
        word = self.rng.choice(self.words[part])
        others = [w for w in self.net.usual(part, self.net.first[part][word][0]) if w != word]
        if not others:
            return None
        return self.rng.choice([f"What is another word for {word}?", f"Do you know another word for {word}?"]), f"Another word for {word} is {others[0]}."

    def opposite(self):
        word = self.rng.choice(self.words["adj"])
        others = list(self.net.opposites(word))
        return (f"What is the opposite of {word}?", f"The opposite of {word} is {others[0]}.") if others else None

    def sum(self):
        a, b = self.rng.randint(2, 99), self.rng.randint(2, 20)
        sign, result = self.rng.choice([("plus", a + b), ("minus", a - b), ("times", a % 13 * b), ("divided by", a)])
        if sign == "times":
            a = a % 13
        if sign == "divided by":
            a, result = a % 13 * b, a % 13
        if result < 1:
            return None
        told = f"{number_words(a)} {sign} {number_words(b)}"
        return self.rng.choice([f"What is {told}?", f"How much is {told}?", f"Can you work out {told}?"]), f"{capital(told)} is {number_words(result)}."

    def calendar(self):
        names = self.rng.choice((WEEKDAYS, MONTHS))
        unit, at = ("day" if names is WEEKDAYS else "month"), self.rng.randrange(len(names))
        if names is MONTHS and self.rng.random() < 0.4:
            days = number_words(MONTH_DAYS[at])
            return f"How many days does {names[at]} have?", f"{names[at]} has {days} days" + (", or twenty-nine in a leap year." if at == 1 else ".")
        step = self.rng.randint(1, 5)
        later = self.rng.random() < 0.5
        found = names[(at + (step if later else -step)) % len(names)]
        if step == 1:
            word = "after" if later else "before"
            return f"Which {unit} comes {word} {names[at]}?", f"{found} comes {word} {names[at]}."
        when = f"{number_words(step)} {unit}s {'after' if later else 'before'} {names[at]}"
        return f"What {unit} is {when}?", f"{capital(when)} is {found}."

    def clock(self):
        now, hours = self.rng.randint(1, 12), self.rng.randint(1, 11)
        later = self.rng.random() < 0.6
        then = (now + (hours if later else -hours) - 1) % 12 + 1
        span = f"{number_words(hours)} hour{'s' if hours > 1 else ''}"
        if later:
            return f"If it is {number_words(now)} o'clock now, what time is it in {span}?", f"In {span} it will be {number_words(then)} o'clock."
        return f"If it is {number_words(now)} o'clock now, what time was it {span} ago?", f"{capital(span)} ago it was {number_words(then)} o'clock."

    def unit(self):
        small, large, factor = self.rng.choice(UNITS)
        count = self.rng.randint(1, 12)
        whole = f"{number_words(count)} {plural(large) if count > 1 else large}"
        ask = self.rng.choice([f"How many {plural(small)} are in {whole}?", f"How many {plural(small)} are there in {whole}?"])
        return ask, f"There are {number_words(count * factor)} {plural(small)} in {whole}."

    def called(self):
        word = self.rng.choice(self.things)
        gloss = self.net.gloss("noun", word)
        if not 3 <= len(gloss.split()) <= 14 or re.search(rf"\b{word[:5]}", gloss):
            return None
        return self.rng.choice([f"What do you call {gloss}?", f"What is {gloss} called?", f"What is the word for {gloss}?"]), f"{capital(gloss)} is called {article(word)}."

    def belongs(self):
        word = self.rng.choice(self.things)
        wholes = [w for synset in self.net.related("noun", word, "#p") for w in self.net.usual("noun", synset)[:1] if self.net.countable(w)]
        if not wholes:
            return None
        return self.rng.choice([f"What is {article(word)} a part of?", f"Where do you find {article(word)}?"]), f"{capital(article(word))} is a part of {article(wholes[0])}."

    def person(self):
        name, synset = self.rng.choice(self.net.people)
        return self.rng.choice([f"Who was {name}?", f"What do you know about {name}?", f"Who is {name}?"]), f"{name} was {article(synset.gloss.lower()).split()[0]} {synset.gloss}."

    def place(self):
        name, whole = self.rng.choice(self.net.places)
        return self.rng.choice([f"Where is {name}?", f"Where can I find {name}?", f"Do you know where {name} is?"]), f"{name} is in {whole}."

    def spelling(self):
        word = self.rng.choice(self.familiar)
        if len(word) > 8:
            return None
        return self.rng.choice([f"How do you spell {word}?", f"Can you spell the word {word}?"]), f"{capital(word)} is spelled {' '.join(word.upper())}."

    def letters(self):
        word = self.rng.choice(self.familiar)
        if self.rng.random() < 0.5:
            return f"How many letters are in the word {word}?", f"The word {word} has {number_words(len(word))} letters."
        return f"What letter does {word} begin with?", f"{capital(word)} begins with the letter {word[0].upper()}."

    def more(self):
        a, b = self.rng.sample(range(3, 1000), 2)
        return f"Which is more, {number_words(a)} or {number_words(b)}?", f"{capital(number_words(max(a, b)))} is more than {number_words(min(a, b))}."


def said(rng, question):
    """With a filler or a frame now and then, as people ask."""
    draw = rng.random()
    if draw >= FILLER_SHARE + FRAME_SHARE or question.startswith(("Give", "Can you", "Do you")) and draw >= FILLER_SHARE:
        return question
    lead = rng.choice(FILLERS if draw < FILLER_SHARE else FRAMES)
    keep = lead.endswith(". ") or lead.endswith("? ") or re.match(r"I\b", question)
    return lead + (question if keep else question[0].lower() + question[1:])


def fits(question, answer):
    short = len(question.split()) <= MOST_QUESTION_WORDS and len(answer.split()) <= MOST_ANSWER_WORDS and answer.count(",") <= MOST_COMMAS
    return short and all(SPEAKABLE.match(text) for text in (question, answer))


def plain(text):
    return " ".join(re.sub(r"[^a-z ]", " ", text.lower()).split())


def generate(count, never=(), seed=1, kinds=tuple(SHARES)):
    """Yields (kind, question, answer); a question and its answer come once, none whose plain words are in `never`."""
    rng = random.Random(f"instructions {seed}")
    maker = Instructions(rng, None if set(kinds) <= set(PLAIN_KINDS) else WordNet())
    seen = {plain(text) for text in never}
    names = {word for text in seen for word in text.split()}
    left = {kind: round(share * count) for kind, share in (SHARES | WORLD_SHARES).items() if kind in kinds}
    dry = dict.fromkeys(left, 0)
    for _ in range(count):
        pair = None
        while pair is None:
            open_kinds = [k for k in left if dry[k] < 400]
            if not open_kinds:
                return
            # When a kind is dry, what it lacks goes to those that are not.
            kind = rng.choices(open_kinds, [max(left[k], 0.02) for k in open_kinds])[0]
            pair = getattr(maker, kind)()
            # Of the world nothing is told that a measurement asks for in other words: no name that it has.
            told = {plain(word) for word in re.findall(r"[A-Z][a-z]+", " ".join(pair or ())[1:])} if kind in ("person", "place") else set()
            if pair is None or not fits(*pair) or plain(pair[0]) in seen or (told - COMMON) & names:
                dry[kind] += 1
                pair = None
        dry[kind] = 0
        left[kind] -= 1
        seen.add(plain(pair[0]))
        yield kind, said(rng, pair[0]), pair[1]
