"""Businesses with the harder sort of facts: several sides of a thing, two prices in one sentence, closed days, near-alike things that
are not offered, ages and limits to compare. What a caller asks is computed from the facts, as everywhere here. Seeded."""

import random
import re

from .business import FIRST, GREETINGS, INSTRUCTIONS, Business, expand, tidy
from .fact_kinds import KINDS
from .things import AHEAD, ASPECTS, EXTRAS, LENGTHS, MONTHS, NEVER, OFFERS, TRADES, fitting

# Trades that no training data is made of.
VALID_NAMES = {"Physio Center", "Law Office", "Wine Shop", "Ski Rental", "Farm Stay", "Castle"}
GOODS = "bread,milk,candles,lamps,rugs,mirrors,chairs,pots,knives,towels,soap,toys,magazines,stamps,gloves,scarves,socks,tents,backpacks,rackets,balls,tools,nails,paint,brushes,cables,chargers,headphones,keyboards,shelves,beds,mattresses,belts,bags,suitcases,notebooks,pens".split(",")
RULES = ["Bicycles", "Skateboards", "Glass bottles", "High heels", "Swim shorts", "Hats", "Phone calls", "Loud music", "Own drinks", "Pets", "Flash lights", "Barbecues", "Balloons", "Candles", "Drones", "Sandals"]
ACTS = {"Bicycles": "bring my bicycle", "Skateboards": "bring my skateboard", "Glass bottles": "bring glass bottles", "High heels": "wear high heels", "Swim shorts": "wear swim shorts", "Hats": "wear a hat", "Phone calls": "make a phone call", "Loud music": "play loud music", "Own drinks": "bring my own drinks", "Pets": "bring my pet", "Flash lights": "use a flash", "Barbecues": "have a barbecue", "Balloons": "bring balloons", "Candles": "light candles", "Drones": "fly my drone", "Sandals": "wear sandals"}
PLACES = ["bar", "kiosk", "sauna", "library corner", "workshop", "kitchen", "terrace", "office", "pool", "ticket desk", "warehouse", "playroom"]
PAYMENTS = ["cash", "card", "bank transfer", "check", "mobile payment", "vouchers"]
AGES = [("Guests", "stay here"), ("Visitors", "come in"), ("Riders", "take part"), ("Drivers", "drive one"), ("Players", "play"), ("Members", "become a member"), ("Participants", "join")]


def bare(thing: str) -> str:
    return re.sub(r"^(an?|the) ", "", thing)


def cap(text: str) -> str:
    return text[:1].upper() + text[1:]


class Situation(Business):
    """A business with a few facts of the harder sort among the plain ones."""

    def __init__(self, rng: random.Random, split: str = "train"):
        mine = [t for t in TRADES if (t[1][0] in VALID_NAMES) == (split == "valid")]
        self.kind, names, things = rng.choice(mine)
        super().__init__(rng, "test" if split == "valid" else "train", rng.choice(names).lower())
        self.things = rng.sample(things, len(things))
        self.near: list[tuple[str, str]] = []
        self.follow: dict[str, list[tuple[str, str]]] = {}

    def more_slots(self, t: str) -> dict[str, str]:
        extra = self.rng.choice(EXTRAS)
        own = {"t": t, "b": bare(t), "T": cap(t), "m": self.rng.choice(LENGTHS), "ahead": self.rng.choice(AHEAD), "months": self.rng.choice(MONTHS), "extra": extra, "Extra": cap(extra)}
        return own | self.slots_for("{price} {person} {weekday} {weekday2} {pm} {floor} {where} {docs} {docs2} {age} {few} {disc} {days}")

    def sides(self) -> None:
        """A few things with one to three of their sides stated; other sides and other things are asked for in vain."""
        r = self.rng
        stated = self.things[: r.randint(2, 4)]
        self.things = self.things[len(stated) :]
        may = fitting(self.kind)
        for n, t in enumerate(stated):
            names = ["no"] if r.random() < 0.08 else r.sample([a for a in may if a != "no"], r.choice([1, 1, 2, 2, 3]))
            if names != ["no"] and r.random() < 0.5 and "price" not in names:
                names[0] = "price"
            slots = self.more_slots(t)
            put = lambda text: tidy(self.fill(text, slots))
            for name in names:
                _, facts, asked = ASPECTS[name]
                fact = put(r.choice(facts.split("|")))
                self.facts.append(fact)
                for place, (asks, answer) in enumerate(asked):
                    self.known.append((f"thing{n}.{name}{place}", asks, fact if answer == "@" else put(answer), slots | {"_fact": fact}))
            first = f"thing{n}.{names[0]}0"
            self.follow[first] = [(f"{r.choice(['And', 'And also,', 'Okay.'])} {self.put_pronoun(asks, slots)}", next(k[2] for k in self.known if k[0] == f"thing{n}.{name}0")) for name in names[1:] for asks, _ in ASPECTS[name][2][:1]]
            if not self.follow[first]:
                del self.follow[first]
            for name in may:
                related = {"price": {"member", "no"}, "member": {"price", "no"}, "when": {"book", "no"}, "order": {"book", "when", "deliver", "no"}, "book": {"order", "no", "when"}, "return": {"no"}, "deliver": {"no"}}.get(name, {"no"})
                if name in names or name == "no" or related & set(names) or names == ["no"]:
                    continue
                # The second question of a price is whether it is offered at all, which any fact about it settles.
                asks = ASPECTS[name][2][0][0]
                self.near.append((f"absent:side.{name}", put(r.choice(asks.split("|")))))
            if r.random() < 0.5:
                self.near.append(("absent:never", put(r.choice(NEVER))))
        for t in r.sample(self.things[3:], 3):
            slots = self.more_slots(t)
            name = r.choice(["price", "offer", "offer", r.choice([a for a in may if a != "no"])])
            asks = OFFERS if name == "offer" else r.choice(ASPECTS[name][2])[0]
            self.near.append((f"absent:thing.{name}", tidy(self.fill(r.choice(asks.split("|")), slots))))

    @staticmethod
    def put_pronoun(asks: str, slots: dict[str, str]) -> str:
        ask = asks.split("|")[0].replace("{t}", "it").replace("{T}", "it")
        return ask[0].lower() + ask[1:]

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
        count = r.randint(2, 4)
        mine, others = self.things[:count], self.things[-3:]
        self.things = self.things[count:]
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
        a, b = r.sample(self.things, 2)
        self.state("need", f"For {a} you need an appointment, for {b} you do not.", (f"Do I need an appointment for {a}?|Can I come without an appointment for {a}?", f"For {a} you need an appointment."), (f"Do I need an appointment for {b}?|Must I book {b}?", f"No, for {b} you do not need an appointment."))
        self.used |= {"walkin", "booking"}

    def build(self) -> None:
        r = self.rng
        if r.random() < 0.85:
            self.hours()
            self.used.add("hours")
        self.sides()
        others = r.sample([self.trade, self.goods, self.rule, self.age, self.free, self.delivery, self.place, self.window, self.pay, self.need], r.randint(1, 3))
        for make in others:
            make()
        plain = [k for k in KINDS if (k.businesses == "*" or self.type in k.businesses.split(",")) and k.name not in ("price", "duration", "delivery", "age", "kids-free", "payment")]
        want = len(self.facts) + r.randint(2, 5)
        while len(self.facts) < want:
            k = r.choice(plain)
            if k.name not in self.used:
                self.add(k)
                self.used.add(k.name)
        r.shuffle(self.facts)
        self.instructions = r.choice(INSTRUCTIONS).format(name=self.name, agent=r.choice(FIRST["train"]))
        self.greeting = tidy(r.choice(GREETINGS).format(name=self.name))
