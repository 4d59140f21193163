"""Harder dialogues than `dialogues`: closed days, facts that say two things, near-alike things that are not offered, ages and limits
to compare, two questions in one, follow-ups. What a caller asks is computed from the facts, as everywhere here. Seeded."""

import argparse
import json
import random

from .dialogues import BYE, BYE_ANSWERS, HUMAN, HUMAN_ANSWERS, PREAMBLES, REFUSALS, SMALL, Business, dialogue, expand, spoken, tidy
from .retrieval import FactIndex

# Things of one trade: some are in the facts, the others are asked for in vain.
TRADES = {
    "food": "a cheese sandwich,an apple pie,a bowl of soup,a pot of tea,a fruit salad,a pancake,a toast,a hot chocolate,a carrot cake,a lemonade,a bagel,a croissant,a cup of coffee,a milkshake".split(","),
    "care": "a back massage,a foot massage,a facial,a pedicure,a blow-dry,a perm,a face mask,a waxing,a head massage,a hair wash,a nail polish,a make-up".split(","),
    "rent": "a mountain bike,an e-bike,a helmet,a rowing boat,a pedal boat,a paddle board,a tandem,a scooter,a sledge,a pair of skates,a wetsuit,a kayak".split(","),
    "work": "an oil change,a tire change,a car inspection,a brake check,a battery,a windscreen,a paint job,an air conditioning service,a key copy,a new lock,a bicycle repair,a phone repair,a zip,a hem".split(","),
    "course": "a piano lesson,a swimming course,a cooking class,a first aid course,a dance lesson,a sewing class,a language course,a drawing class,a computer course,a yoga class,a singing lesson".split(","),
    "stay": "a single room,a double room,a family room,a bed in the dormitory,a suite,an extra bed,a room with a balcony,a seminar room,a parking space,a breakfast,a packed lunch".split(","),
    "print": "a business card,a birthday card,a photo book,a calendar,a T-shirt,a mug,a banner,a copy in color,a copy in black and white,a bound thesis".split(","),
}
GOODS = "bread,milk,candles,lamps,rugs,mirrors,chairs,pots,knives,towels,soap,toys,magazines,stamps,gloves,scarves,socks,tents,backpacks,rackets,balls,tools,nails,paint,brushes,cables,chargers,headphones,keyboards,shelves,beds,mattresses,belts,bags,suitcases,notebooks,pens".split(",")
RULES = ["Bicycles", "Skateboards", "Glass bottles", "High heels", "Swim shorts", "Hats", "Phone calls", "Loud music", "Own drinks", "Pets", "Flash lights", "Barbecues", "Balloons", "Candles", "Drones", "Sandals"]
ACTS = {"Bicycles": "bring my bicycle", "Skateboards": "bring my skateboard", "Glass bottles": "bring glass bottles", "High heels": "wear high heels", "Swim shorts": "wear swim shorts", "Hats": "wear a hat", "Phone calls": "make a phone call", "Loud music": "play loud music", "Own drinks": "bring my own drinks", "Pets": "bring my pet", "Flash lights": "use a flash", "Barbecues": "have a barbecue", "Balloons": "bring balloons", "Candles": "light candles", "Drones": "fly my drone", "Sandals": "wear sandals"}
PLACES = ["bar", "kiosk", "sauna", "library corner", "workshop", "kitchen", "terrace", "office", "pool", "ticket desk", "warehouse", "playroom"]
PAYMENTS = ["cash", "card", "bank transfer", "check", "mobile payment", "vouchers"]
AGES = [("Guests", "stay here"), ("Visitors", "come in"), ("Riders", "take part"), ("Drivers", "drive one"), ("Players", "play"), ("Members", "become a member"), ("Participants", "join")]


def bare(thing: str) -> str:
    return thing.split(" ", 1)[1]


def cap(text: str) -> str:
    return text[:1].upper() + text[1:]


class Situation(Business):
    """A business with a few facts of the harder sort among the plain ones."""

    def __init__(self, rng: random.Random):
        super().__init__(rng, "train")
        self.near: list[tuple[str, str]] = []
        self.follow: dict[str, list[tuple[str, str]]] = {}

    def state(self, group: str, fact: str, *pairs: tuple[str, str]) -> None:
        """`fact`, and templates of questions with their answers."""
        fact = tidy(fact)
        if fact not in self.facts:
            self.facts.append(fact)
        for number, (ask, answer) in enumerate(pairs):
            self.known.append((f"{group}.{number}", ask, tidy(answer), {"biz": self.type, "_fact": fact}))

    def price(self) -> str:
        return self.slot("price")

    def much(self, t: str) -> str:
        return f"How much is {t}?|What does {t} cost?|How much does {t} cost?|What do you charge for {t}?|What is the price of {t}?|Hi, I would like to know what {t} costs.|How much do I pay for {t}?|{cap(t)}, how much is that?|What do I pay for {t}?|I need {t}. What is the price?"

    def offers(self, t: str) -> str:
        return f"Do you have {t}?|Do you offer {t}?|Can I get {t}?|Can I get {t} at your place?|Is {t} possible?"

    def trade(self) -> None:
        r = self.rng
        name = r.choice(sorted(TRADES))
        things = r.sample(TRADES[name], len(TRADES[name]))
        mine, others = things[: r.randint(2, 5)], things[-4:]
        for t in others:
            shape = r.random()
            text = expand(r, r.choice(self.much(t).split("|")) if shape < 0.6 else r.choice(self.offers(t).split("|")) if shape < 0.8 else f"How long does {t} take?")[0]
            self.near.append(("absent:trade", text))
        i = 0
        while i < len(mine):
            a, p = mine[i], self.price()
            kind = r.random()
            if kind < 0.35 and i + 1 < len(mine):
                b, q = mine[i + 1], self.price()
                fact = r.choice([f"{a} costs {p}, {b} {q}.", f"{a} costs {p} and {b} {q}.", f"{a} is {p}, {b} is {q}.", f"We charge {p} for {a} and {q} for {b}."])
                self.state(f"pair{i}", cap(fact), (self.much(a), f"{cap(a)} costs {p}."), (self.much(b), f"{cap(b)} costs {q}."), (self.offers(r.choice([a, b])), cap(fact)))
                self.follow[f"pair{i}.0"] = [(f"And {b}?|What about {b}?|And how much is {b}?", f"{cap(b)} costs {q}.")]
                i += 2
            elif kind < 0.6:
                m = r.choice(["20 minutes", "half an hour", "45 minutes", "one hour", "two hours", "90 minutes", "a day"])
                fact = r.choice([f"{a} costs {p} and takes {m}.", f"{a} takes {m} and costs {p}."])
                self.state(f"two{i}", cap(fact), (self.much(a), f"{cap(a)} costs {p}."), (f"How long does {a} take?|How long is {a}?|How much time do I need for {a}?", f"{cap(a)} takes {m}."), (f"How much is {a} and how long does it take?|What does {a} cost, and how long does it take?|How long does {a} take and what is the price?", cap(fact)))
                self.follow[f"two{i}.0"] = [("And how long does it take?|How long does that take?", f"{cap(a)} takes {m}.")]
                i += 1
            elif kind < 0.75:
                w, q = r.choice([("on weekends", "on the weekend"), ("for members", "for members"), ("for children", "for children"), ("in summer", "in summer"), ("for two hours", "for two hours")]), self.price()
                fact = f"{a} costs {p}, {w[0]} {q}."
                self.state(f"when{i}", cap(fact), (self.much(a), cap(fact)), (f"How much is {a} {w[1]}?|What does {a} cost {w[0]}?", f"{cap(a)} costs {q} {w[0]}."))
                self.follow[f"when{i}.0"] = [(f"And {w[0]}?|What about {w[0]}?", f"{cap(a)} costs {q} {w[0]}.")]
                i += 1
            else:
                fact = r.choice([f"{a} costs {p}.", f"{a} is {p}.", f"The price of {a} is {p}.", f"For {a} we charge {p}."])
                self.state(f"one{i}", cap(fact), (self.much(a), f"{cap(a)} costs {p}."), (self.offers(a), f"Yes, {a} costs {p}."))
                i += 1

    def goods(self) -> None:
        r = self.rng
        a, b, c, d, e = r.sample(GOODS, 5)
        verb = r.choice(["sell", "have", "repair", "stock"])
        done = {"sell": "sold", "have": "available", "repair": "repaired", "stock": "in stock"}[verb]
        if r.random() < 0.5:
            fact = r.choice([f"We {verb} {a} and {b}, but no {c}.", f"{cap(a)} and {b} are {done} here, {c} are not."])
            self.state("goods", fact, (f"Do you {verb} {a}?|Do you {verb} {b}?", "Yes, we " + verb + " {} and {}.".format(a, b)), (f"Do you {verb} {c}?|Do you also {verb} {c}?|I am looking for {c}.", f"No, we do not {verb} {c}."))
        else:
            fact = f"We {verb} {a}, {b} and {c}."
            self.state("goods", fact, (f"Do you {verb} {a}?|Do you {verb} {b}?|Do you {verb} {c}?|What do you {verb}?", f"Yes, we {verb} {a}, {b} and {c}."))
        self.near += [("absent:goods", r.choice([f"Do you {verb} {t}?", f"How much are {t}?", f"Where do I find {t}?", f"Do you also {verb} {t}?"])) for t in (d, e)]

    def rule(self) -> None:
        r = self.rng
        what, other = r.sample(RULES, 2)
        act = ACTS[what]
        may = f"(Can|May) I {act}?|Am I allowed to {act}?|Is it okay if I {act}?|I want to {act}. Is that okay?"
        if r.random() < 0.55:
            self.state("rule", f"{what} are not allowed.".replace("music are", "music is"), (may, f"No, {what.lower()} are not allowed.".replace("music are", "music is")))
        else:
            self.state("rule", f"{what} are allowed.".replace("music are", "music is"), (may, f"Yes, {what.lower()} are allowed.".replace("music are", "music is")))
        self.near.append(("absent:rule", f"{r.choice(['Can', 'May'])} I {ACTS[other]}?"))

    def age(self) -> None:
        r = self.rng
        who, act = r.choice(AGES)
        limit = r.choice([12, 14, 16, 18, 20, 21, 25])
        fact = r.choice([f"{who} must be at least {limit} years old.", f"{who} have to be {limit} or older."])
        low, high = r.randint(max(5, limit - 9), limit - 1), r.randint(limit, limit + 20)
        self.state("age", fact, (f"How old (must|do) I (have to |)be( to {act}|)?|What is the minimum age?|From what age can I {act}?", fact), (f"I am {low}. Can I {act}?|My daughter is {low}. Can she {act}?|Can I {act} at {low}?|My son is {low} years old. May he {act}?", f"No, {fact[0].lower() + fact[1:]}"), (f"I am {high}. Can I {act}?|Can my friend {act}? He is {high}.|I am {high} years old, may I {act}?", f"Yes, {fact[0].lower() + fact[1:]}"))

    def free(self) -> None:
        r = self.rng
        limit = r.choice([3, 4, 6, 7, 10, 12])
        fact = r.choice([f"Children under {limit} are free.", f"Children under {limit} do not pay.", f"Entry is free for children under {limit}."])
        low, high = r.randint(1, limit - 1), r.randint(limit, limit + 5)
        self.state("kidsfree", fact, (f"My son is {low}. Does he pay?|My daughter is {low} years old. Does she need a ticket?|Do I pay for a child of {low}?", f"No, children under {limit} are free."), (f"My son is {high}. Is he free?|My daughter is {high}. Is it free for her?", f"No, only children under {limit} are free."), ("Do children pay?|Is it free for children?|Is there a price for kids?", f"Children under {limit} are free."))

    def delivery(self) -> None:
        r = self.rng
        fee, least = r.choice(["3", "4", "6", "7", "9"]), r.choice([25, 30, 40, 80, 100])
        unit = r.choice(["dollars", "euros", "pounds"])
        fact = f"Delivery costs {fee} {unit} and is free for orders over {least} {unit}."
        self.state("deliver", fact, ("How much is (the |)delivery?|What does (the |)delivery cost?", f"Delivery costs {fee} {unit}."), (f"I order for {least + r.randint(5, 60)} {unit}. Is (the |)delivery free?", f"Yes, delivery is free for orders over {least} {unit}."), (f"I order for {least - r.randint(3, 20)} {unit}. Is (the |)delivery free?", f"No, delivery is free for orders over {least} {unit}."), ("When is (the |)delivery free?|From what amount is delivery free?", f"Delivery is free for orders over {least} {unit}."))

    def place(self) -> None:
        """Another clock than that of the house itself."""
        r = self.rng
        p, other = r.sample(PLACES, 2)
        o, c = self.time(r.choice(["7 am", "9 am", "10 am", "11 am", "noon"])), self.time(r.choice(["3 pm", "4:30 pm", "8:30 pm", "9:30 pm", "10:30 pm"]))
        day = r.choice(["Monday", "Tuesday", "Wednesday", "Sunday"])
        x = r.random()
        if x < 0.4:
            self.state("place", f"The {p} is open daily from {o} to {c}.", (f"When does the {p} close?|Until when is the {p} open?|How late is the {p} open?", f"The {p} closes at {c}."), (f"When does the {p} open?|From when is the {p} open?", f"The {p} opens at {o}."), (f"Is the {p} open on {day}s?|Is the {p} open on {day}?", f"Yes, the {p} is open daily from {o} to {c}."))
        elif x < 0.7:
            self.state("place", f"The {p} closes at {c}.", (f"When does the {p} close?|Until when is the {p} open?|How long is the {p} open?", f"The {p} closes at {c}."))
        else:
            self.state("place", f"The {p} is closed on {day}.", (f"Is the {p} open on {day}?|Can I go to the {p} on {day}?", f"No, the {p} is closed on {day}."), (f"When is the {p} closed?|On which day is the {p} closed?", f"The {p} is closed on {day}."))
        self.near.append(("absent:place", r.choice([f"When does the {other} open?", f"Do you have a {other}?", f"Where is the {other}?"])))

    def window(self) -> None:
        r = self.rng
        act, noun = r.choice([("arrive", "arrival"), ("check in", "check-in"), ("pick up my order", "pick-up"), ("return it", "return"), ("drop off my things", "drop-off")])
        a, b = r.randint(1, 4), r.randint(6, 9)
        start, end = f"{a} pm", f"{b} pm"
        inside, outside = r.randint(a + 1, b - 1), r.choice([b + 1, b + 2])
        fact = r.choice([f"{cap(noun)} is possible from {start} to {end}.", f"You can {act.replace('my', 'your')} between {start} and {end}."])
        self.state("window", fact, (f"When can I {act}?|From when can I {act}?", fact), (f"Can I {act} at {inside}( pm| in the afternoon|)?", f"Yes, {fact[0].lower() + fact[1:]}"), (f"Can I {act} at {outside} (pm|in the evening)?|Is it okay if I {act} at {outside} in the evening?", f"No, {fact[0].lower() + fact[1:]}"))

    def pay(self) -> None:
        r = self.rng
        a, b, c = r.sample(PAYMENTS, 3)
        fact = r.choice([f"You can pay by {a} or {b}, but not by {c}.", f"We accept {a} and {b}, but no {c}."])
        self.state("pay", fact, (f"Can I pay by {a}?|Do you take {a}?|Can I pay by {b}?|Do you accept {b}?", f"Yes, we accept {a} and {b}."), (f"Can I pay by {c}?|Do you take {c}?|Is {c} okay?", f"No, we accept {a} and {b}, but no {c}."), ("How can I pay?|What payment do you take?", fact))
        self.used.add("payment")

    def need(self) -> None:
        r = self.rng
        a, b = r.sample([t for trade in ("care", "course", "work") for t in TRADES[trade]], 2)
        self.state("need", f"For {a} you need an appointment, for {b} you do not.", (f"Do I need an appointment for {a}?|Can I come without an appointment for {a}?", f"For {a} you need an appointment."), (f"Do I need an appointment for {b}?|Must I book {b}?", f"No, for {b} you do not need an appointment."))
        self.used |= {"walkin", "booking"}

    def build(self) -> None:
        r = self.rng
        if r.random() < 0.85:
            self.hours()
            self.used.add("hours")
        for make in r.sample([self.trade, self.goods, self.rule, self.age, self.free, self.delivery, self.place, self.window, self.pay, self.need], r.randint(2, 4)):
            make()
        from .fact_kinds import KINDS

        fitting = [k for k in KINDS if (k.businesses == "*" or self.type in k.businesses.split(",")) and k.name not in ("price", "duration", "delivery", "age", "kids-free")]
        want = len(self.facts) + r.randint(0, 4)
        while len(self.facts) < want:
            k = r.choice(fitting)
            if k.name not in self.used:
                self.add(k)
                self.used.add(k.name)
        r.shuffle(self.facts)
        from .dialogues import GREETINGS, INSTRUCTIONS, FIRST

        self.instructions = r.choice(INSTRUCTIONS).format(name=self.name, agent=r.choice(FIRST["train"]))
        self.greeting = tidy(r.choice(GREETINGS).format(name=self.name))


def situation(rng: random.Random, turns: int) -> dict:
    b = Situation(rng)
    b.build()
    r, index = rng, FactIndex(b.facts)
    out: list[dict] = []
    used: set[str] = set()
    before, follow = "", []
    hard = [k for k in b.known if not k[0].startswith("hours") and "_fact" in k[3] and k[0].split(".")[0].rstrip("0123456789") in ("pair", "two", "when", "one", "goods", "rule", "age", "kidsfree", "deliver", "place", "window", "pay", "need")]
    hours = [k for k in b.known if k[0].startswith("hours")]
    closed = [k for k in hours if "closed" in k[2].lower()]
    tries = 0
    while len(out) < turns and tries < 60:
        tries += 1
        x, action, fact = r.random(), None, None
        final = len(out) == turns - 1
        if final and x < 0.4:
            key, text, answer, action = "bye", r.choice(BYE), r.choice(BYE_ANSWERS), "hangup"
        elif final and x < 0.55:
            key, text, answer, action = "human", r.choice(HUMAN), r.choice(HUMAN_ANSWERS), "handover"
        elif follow and x < 0.5:
            ask, answer = follow[0]
            key, text = "follow", r.choice(ask.split("|"))
        elif x < 0.04:
            asks, answers = r.choice(SMALL)
            key, text, answer = "small", r.choice(asks).replace("{name}", b.name), expand(r, r.choice(answers))[0].replace("{name}", b.name)
        elif x < 0.22 and b.near:
            (key, text), answer = r.choice(b.near), r.choice(REFUSALS)
        elif x < 0.30:
            found = b.absent()
            key, text, answer = "absent:" + found[0], found[1], r.choice(REFUSALS)
        elif x < 0.36:
            # Two questions in one.
            one, two = r.sample([k for k in b.known if len(k[2]) < 70], 2)
            if one[0].split(".")[0] == two[0].split(".")[0]:
                continue
            first, second = b.ask(one[1], one[3], used), b.ask(two[1], two[3], used)
            if first is None or second is None or not first.endswith("?"):
                continue
            key, text, answer = "both", first[:-1] + r.choice([", and ", " and "]) + second[0].lower() + second[1:], f"{one[2]} {two[2]}"
        else:
            pool = closed if closed and x < 0.47 else hours if hours and x < 0.62 else hard if x < 0.93 else b.known
            key, ask, answer, slots = r.choice(pool)
            text = b.ask(ask, slots, used)
            if text is None:
                continue
            fact = slots["_fact"]
        if text in used:
            continue
        used.add(text)
        follow = b.follow.get(key, []) if key not in ("follow",) else []
        clean = text
        if r.random() < 0.06 and key not in ("bye", "small", "follow"):
            text = r.choice(PREAMBLES).format(name=b.person()) + " " + text
        text = spoken(r, text)
        hints: list[str] = []
        z = r.random()
        if z < 0.92:
            # As the program does it: the share of the best that a fact must have is 0.8 there.
            hints = index.best(text, 3, before if len(text.split()) <= 5 else "", share=r.choice([0.8, 0.8, 0.5]))
            if fact and fact not in hints and r.random() < 0.2:
                hints.append(fact)
        turn = {"key": key, "user": text, "hints": hints, "answer": answer, "action": action, "fact": fact}
        if not final and action is None and r.random() < 0.06 and len(answer.split()) > 4:
            words = answer.split()
            turn["heard"] = " ".join(words[: r.randint(1, len(words) - 2)])
        out.append(turn)
        if key not in ("small", "follow"):
            before = clean
        if action is not None:
            break
    return {"type": b.type, "name": b.name, "instructions": b.instructions, "greeting": b.greeting, "facts": b.facts, "turns": out}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out")
    arguments.add_argument("--count", type=int, default=2000)
    arguments.add_argument("--plain", type=float, default=0.25, help="share of dialogues of the plain sort")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    rng = random.Random(f"situations{options.seed}")
    with open(options.out, "w", encoding="utf-8") as file:
        for _ in range(options.count):
            d = dialogue(rng, "train", rng.randint(7, 9)) if rng.random() < options.plain else situation(rng, rng.randint(8, 11))
            file.write(json.dumps(d) + "\n")


if __name__ == "__main__":
    main()
