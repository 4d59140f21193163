"""Invents businesses: facts, what callers may ask about them, and the right short answers. Seeded."""

import hashlib
import random
import re

from .fact_kinds import KINDS, POOLS, Kind

TRAIN_BUSINESSES = "clinic vet hotel hostel shop bookshop,furniture shop,bike shop,toy shop,electronics shop,garage,library,restaurant,cafe,bakery,gym,school,pharmacy,salon,law office,physio,zoo,theater,community center,dance studio,swimming pool,tailor,post office,pet hotel".replace(
    "clinic vet hotel hostel shop bookshop", "clinic,vet,hotel,hostel,shop,bookshop"
).split(",")
TEST_BUSINESSES = ["dentist", "museum", "florist", "campsite", "optician", "garden center", "dry cleaner", "cinema", "gallery", "brewery"]
FIRST = {
    "train": "Anna Peter Maria Omar Lucy Henrik Fatima David Elena Marco Sofia Ben Nadia Igor Claire Samuel Priya Tom Ines Viktor Hannah Luis Mei Robert Amira Jonas Kate Pavel Rosa Adam Leila George Julia Kenji Martha Felix".split(),
    "test": "Dorothy Bruno Yasmin Oscar Petra Milan Greta Hassan Olivia Stefan".split(),
}
LAST = {
    "train": "Fischer Novak Keller Rossi Haddad Moreau Jensen Patel Brandt Silva Kowalski Bauer Lindgren Okafor Petrov Weber Martin Tanaka Lopez Schmidt Hughes Santos Marino Dubois Andersen Walsh Kaya Romano Becker Costa Ivanov Parker Nguyen Morel Fontaine Hale".split(),
    "test": "Abel Castellano Drummond Eriksen Gallo Ibanez Klimt Montague Osei Varga".split(),
}
STREET = {
    "train": "Oak Maple Mill Church Station Park River High Bridge Garden King Queen Lake Hill Elm Castle Market Windmill Harbor Linden Orchard Abbey Forest Victoria Spring Mozart Rose Meadow Bakery School".split(),
    "test": "Juniper Cathedral Quarry Lighthouse Willow Saddler Pepper Museum".split(),
}
CITY = "Brookfield Lowen Ashford Marburg Eastvale Granton Whitby Sunderby Calder Norwick Fairhaven Lindau Redmond Stonebridge Port Ellis Weston".split()
STYLE = ["Riverside", "Green Valley", "Blue Door", "Old Town", "Sunrise", "Northside", "Golden Lion", "Silver Birch", "Harbor View", "Family", "City", "Corner", "Alpine", "Central", "Little Fox", "Red Kite", "Seven Stars", "Lakeside", "Evergreen", "Maple Leaf", "Bright", "Hillcrest"]
INSTRUCTIONS = [
    "You are the receptionist of {name}. Answer callers briefly and politely.",
    "You answer the phone at {name}. Keep answers short and friendly.",
    "You are the phone assistant of {name}. Use only the facts below. Be brief.",
    "You work at the front desk of {name}. Answer in one or two short sentences.",
    "You are {agent}, the receptionist of {name}. Answer only from the facts.",
    "You help callers of {name}. If a fact is missing, offer to connect the caller to a colleague.",
    "You are the voice of {name}. Speak plainly, warmly and briefly. Never invent facts.",
    "Receptionist of {name}. Short answers, only what the facts say.",
]
GREETINGS = ["Hello, this is {name}. How can I help you?", "Good morning, {name}, how may I help?", "Welcome to {name}. What can I do for you?", "Thank you for calling {name}. How can I help you?", "{name}, hello. What would you like to know?", "Hello, you have reached {name}."]
# Questions that no kind of fact settles.
UNKNOWN = [
    "Can I pay with Bitcoin?", "What is the boss's salary?", "Do you have a helicopter pad?", "How many employees do you have?", "Is the mayor a customer of yours?", "Will it rain tomorrow?", "What is on television tonight?", "Do you sell elephants?", "Who won the match yesterday?",
    "Can you order me a pizza?", "What is the name of your lawyer?", "How much money did you make last year?", "Do you know a good plumber?", "What is your tax number?", "When does the next train to the coast leave?", "Is Mrs. Miller there today?", "Did my brother call you?", "What is my balance?",
    "Is my order ready?", "Did you get my letter?", "When is my appointment?", "Can you look up my name?", "What time is it?", "What day is it today?", "Is it busy right now?", "How many people are waiting?", "Do you have a branch in London?", "Who designed your logo?", "Which music do you play?", "Do you recycle?",
]
# Variants of a kind that are true together: near-alike facts of which only one answers.
ASPECTS = {
    "breakfast": [(0, 1), (0, 2), (0, 1)], "checkin": [(1, 2), (1, 2)], "parking": [(3, 1), (4, 1)], "delivery": [(0, 2), (1, 2), (2, 3)], "loan": [(0, 1), (0, 2), (1, 2), (0, 1, 2)],
    "membership": [(0, 1)], "cancel": [(0, 1)], "returns": [(0,)], "transfer": [(0, 1)], "wifi": [(0,)], "ticket": [(0, 1), (0, 2)], "prescription": [(0, 1)], "bring": [(0,)], "languages": [(0, 1)], "access": [(0, 1)],
}
# Things that callers ask for and these businesses do not mention.
OBJECTS = "a bowling alley,garden gnomes,a car wash,umbrellas,a tattoo studio,hot dogs,bus tickets,postage stamps,fireworks,a cash machine,newspapers,hats,wigs,a dance floor,tennis courts,a cinema,horses,boat trips,a library card,fresh fish,ice cream,tractors,scooters,trampolines,aquariums,a hairdresser,flowers,wedding rings,carpets,a playground,ski passes,a barbecue,pianos,rain jackets,perfume,cigarettes,a kindergarten,frozen food,a smoking room,violins,balloons,karaoke,a casino,lottery tickets,a chapel,drones,typewriters,solar panels,cheese,a petting zoo,watches,swimming goggles,surf boards,maps,a conference room,translations,pillows,a rooftop bar,paper cups,a photographer".split(",")
OBJECT_ASKS = ["Do you have {}?", "Do you sell {}?", "Is there {}?", "Do you offer {}?", "Can I get {} there?", "Have you got {}?", "I am looking for {}.", "How much is {}?", "Where do I find {}?", "Can I book {}?", "What about {}?", "Do you also have {}?"]
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()


def heldout(text: str) -> bool:
    """A tenth of all question phrasings is kept for the test, by hash."""
    return hashlib.sha256(text.encode()).digest()[0] < 26


def alternatives(template: str) -> list[str]:
    """Splits at `|` outside brackets."""
    parts, depth, current = [], 0, ""
    for c in template:
        depth += (c == "(") - (c == ")")
        if c == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += c
    return parts + [current]


def expand(rng: random.Random, template: str) -> tuple[str, list[str]]:
    """One choice for each `(a|b)`, and what was chosen."""
    chosen: list[str] = []
    out, i = "", 0
    while i < len(template):
        if template[i] == "(":
            depth, j = 1, i + 1
            while depth:
                depth += (template[j] == "(") - (template[j] == ")")
                j += 1
            pick = expand(rng, rng.choice(alternatives(template[i + 1 : j - 1])))[0]
            chosen.append(pick)
            out += pick
            i = j
        else:
            out += template[i]
            i += 1
    return out, chosen


def tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip().replace(" ?", "?").replace(" .", ".").replace(" ,", ",").replace("..", ".").replace("a a ", "a ")
    return text[:1].upper() + text[1:]


class Business:
    def __init__(self, rng: random.Random, split: str, type: str | None = None):
        self.rng, self.split = rng, split
        self.type = type or rng.choice(TRAIN_BUSINESSES if split == "train" else TEST_BUSINESSES)
        self.name = self.invent_name()
        self.currency = rng.choice(["{} dollars", "{} dollars", "{} euros", "{} euros", "{} pounds", "${}", "€{}", "{} francs"])
        self.clock = rng.choice(["am", "am", "am", "a.m.", "24", "word", "o'clock"])
        self.facts: list[str] = []
        # (group key, question templates, answer, slots)
        self.known: list[tuple[str, str, str, dict]] = []
        self.used: set[str] = set()
        self.taken: dict[str, set[str]] = {}

    def person(self) -> str:
        return f"{self.rng.choice(FIRST[self.split])} {self.rng.choice(LAST[self.split])}"

    def invent_name(self) -> str:
        r, t = self.rng, self.type
        return r.choice([
            lambda: f"the {r.choice(STYLE)} {t.title()}", lambda: f"{r.choice(STYLE)} {t.title()}", lambda: f"the {t} of {r.choice(CITY)}",
            lambda: f"{r.choice(LAST[self.split])}'s {t.title()}", lambda: f"the {r.choice(STREET[self.split])} Street {t.title()}",
        ])()

    def time(self, value: str) -> str:
        if " " not in value or value.split()[1] not in ("am", "pm"):
            return value
        number, half = value.split()
        hour, _, minute = number.partition(":")
        if self.clock == "a.m.":
            return f"{number} {'a.m.' if half == 'am' else 'p.m.'}"
        if self.clock == "24":
            h = int(hour) % 12 + (12 if half == "pm" else 0)
            return f"{h}:{minute or '00'}"
        if self.clock == "word" and not minute:
            return f"{NUMBERS[int(hour)]} {'in the morning' if half == 'am' else 'in the afternoon' if int(hour) < 6 else 'in the evening'}"
        if self.clock == "o'clock" and not minute:
            return f"{hour} o'clock{'' if half == 'am' else ' in the afternoon' if int(hour) < 6 else ' in the evening'}"
        return value

    def slot(self, name: str) -> str:
        r = self.rng
        base = name if name in POOLS else name.rstrip("0123456789")
        if base == "price":
            amount = r.choice(["2", "3", "4.50", "5", "6", "8", "9.90", "12", "15", "18", "20", "24", "25", "29", "35", "39", "40", "45", "49", "55", "60", "69", "75", "80", "89", "95", "110", "120", "135", "150", "180", "220", "250", "340"])
            return self.currency.format(amount)
        if base == "person":
            return self.person()
        if base == "doctor":
            last = r.choice(LAST[self.split])
            if self.type in ("clinic", "dentist", "vet", "physio", "optician", "pharmacy"):
                return r.choice([f"Dr. {last}", f"Dr. {r.choice(FIRST[self.split])} {last}", f"Doctor {last}"])
            return r.choice([f"Mr. {last}", f"Mrs. {last}", self.person()])
        if base == "street":
            return r.choice(["{n} {s} Street", "{n} {s} Avenue", "{s} Road {n}", "{n} {s} Lane", "{s} Square {n}"]).format(n=r.randint(1, 240), s=r.choice(STREET[self.split]))
        if base == "streetname":
            return f"{r.choice(STREET[self.split])} Street"
        if base == "city":
            return r.choice(CITY)
        if base == "biz":
            return self.type
        if base == "phone":
            return r.choice(["555 0{}{} {}{}", "0{}{} 55{} {}9", "555-01{}{}{}{}", "800 {}{} {}{}7"]).format(*(r.randint(0, 9) for _ in range(4)))
        host = re.sub(r"[^a-z]", "", self.name.replace("the ", "").lower())[:18]
        if base == "email":
            return f"{r.choice(['info', 'office', 'hello', 'contact', 'desk'])} at {host} dot {r.choice(['com', 'org', 'net'])}" if r.random() < 0.6 else f"{r.choice(['info', 'office'])}@{host}.com"
        if base == "web":
            return f"{host} dot {r.choice(['com', 'org'])}" if r.random() < 0.6 else f"www.{host}.com"
        value = r.choice(POOLS[base])
        if base in ("am", "am2", "pm", "late", "pm1of"):
            value = self.time(value)
        return value

    def slots_for(self, *templates: str) -> dict[str, str]:
        slots: dict[str, str] = {}
        for name in re.findall(r"\{(\w+)\}", " ".join(templates)):
            key = name[0].lower() + name[1:]
            if key not in slots:
                for _ in range(20):
                    value = self.slot(key)
                    if value not in slots.values() and value not in self.taken.get(key.rstrip("0123456789"), ()):
                        break
                slots[key] = value
        return slots

    @staticmethod
    def fill(template: str, slots: dict[str, str]) -> str:
        def put(match: re.Match) -> str:
            name = match.group(1)
            value = slots[name[0].lower() + name[1:]]
            return value[:1].upper() + value[1:] if name[0].isupper() else value
        return re.sub(r"\{(\w+)\}", put, template)

    def add(self, k: Kind, number: int | None = None) -> None:
        r = self.rng
        template, answers = r.choice(k.variants) if number is None else k.variants[number]
        slots = self.slots_for(template, *k.ask.values())
        # Several facts of one kind differ in their subject.
        for name in ("treatment", "role", "doctor", "field", "class", "service", "plural", "dept", "room", "disc", "dish", "facility", "thing", "event", "person"):
            if name in slots:
                self.taken.setdefault(name, set()).add(slots[name])
        text, chosen = expand(r, template)
        fact = tidy(self.fill(text, slots))
        self.facts.append(fact)
        for group, answer in answers.items():
            def earlier(match: re.Match) -> str:
                pick = chosen[int(match.group(1) or 1) - 1]
                at_start = match.start() == 0
                return pick if at_start or not pick[:1].isupper() or pick.startswith("{") else pick[0].lower() + pick[1:]
            out = re.sub(r"@(\d?)(?!\w)", earlier, expand(r, answer)[0]) if "{email}" not in answer else expand(r, answer)[0]
            self.known.append((f"{k.name}.{group}", k.ask[group], tidy(self.fill(out, slots)), slots | {"_fact": fact}))

    def hours(self) -> None:
        """A week, stated in one or several sentences; answers are computed from it."""
        r = self.rng
        opening, closing = self.time(r.choice(["7 am", "7:30 am", "8 am", "8:30 am", "9 am", "9:30 am", "10 am"])), self.time(r.choice(["4 pm", "5 pm", "5:30 pm", "6 pm", "6:30 pm", "7 pm", "8 pm", "9 pm"]))
        sat_open, sat_close = self.time(r.choice(["8 am", "9 am", "10 am", "11 am"])), self.time(r.choice(["12 pm", "1 pm", "2 pm", "3 pm", "4 pm"]))
        closing_early = self.time(r.choice(["2 pm", "3 pm", "12:30 pm"]))
        shape = r.choice(["week", "week+sat", "week+sat", "week+sat", "all", "split", "week+weekend", "monday-off", "some", "some"])
        days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        week: dict[str, tuple[str, str] | None] = {}
        us = r.choice(["We are open", "The {biz} is open", "Opening hours are", "Open"]).replace("{biz}", self.type)
        to = r.choice([("from {} to {}", "to"), ("from {} until {}", "until"), ("{} to {}", "to")])[0]
        sentences: list[str]
        if shape == "all":
            week = {d: (opening, closing) for d in days}
            sentences = [f"{us} {r.choice(['every day', 'daily', 'seven days a week'])} {to.format(opening, closing)}."]
        elif shape == "week":
            week = {d: (opening, closing) for d in days[:5]} | {"Saturday": None, "Sunday": None}
            sentences = [f"{us} Monday to Friday {to.format(opening, closing)}."]
            sentences.append(r.choice(["We are closed on weekends.", "We are closed on Saturday and Sunday.", "On weekends we are closed."]))
        elif shape == "week+sat":
            week = {d: (opening, closing) for d in days[:5]} | {"Saturday": (sat_open, sat_close), "Sunday": None}
            sentences = [f"{us} Monday to Friday {to.format(opening, closing)}.", f"On Saturday we are open {to.format(sat_open, sat_close)}."]
            if r.random() < 0.5:
                sentences = [f"{us} Monday to Friday {to.format(opening, closing)} and Saturday {to.format(sat_open, sat_close)}."]
            if len(sentences) == 2 and r.random() < 0.35:
                sentences[1] = f"{r.choice(['On Saturday we are open', 'On Saturdays it is open', 'Saturday hours are'])} {to.format(sat_open, sat_close)}, {r.choice(['and on Sunday we are closed', 'on Sunday it is closed', 'Sunday is closed'])}."
            else:
                sentences.append(r.choice(["We are closed on Sunday.", "On Sunday we are closed.", "Sunday is closed.", "We are closed on Sundays."]))
        elif shape == "some":
            first = r.choice([1, 2])
            last = r.choice([4, 5]) if first == 2 else 5
            week = {d: (opening, closing) if first <= i <= last else None for i, d in enumerate(days)}
            closed_days = [d for d in days if week[d] is None]
            sentences = [f"{us} {days[first]} to {days[last]} {to.format(opening, closing)}."]
            listed = closed_days[0] if len(closed_days) == 1 else ", ".join(closed_days[:-1]) + " and " + closed_days[-1]
            sentences.append(f"{r.choice(['We are closed on', 'Closed on', f'The {self.type} is closed on'])} {listed}.")
        elif shape == "split":
            week = {d: (opening, closing) for d in days[:4]} | {"Friday": (opening, closing_early), "Saturday": None, "Sunday": None}
            sentences = [f"{us} Monday to Thursday {to.format(opening, closing)} and Friday {to.format(opening, closing_early)}.", r.choice(["We are closed on weekends.", "Closed on Saturday and Sunday."])]
        elif shape == "week+weekend":
            week = {d: (opening, closing) for d in days[:5]} | {d: (sat_open, sat_close) for d in days[5:]}
            sentences = [f"{us} on weekdays {to.format(opening, closing)}.", f"On weekends we are open {to.format(sat_open, sat_close)}."]
        else:
            week = {d: (opening, closing) for d in days[1:]} | {"Monday": None}
            sentences = [f"{us} Tuesday to Sunday {to.format(opening, closing)}.", r.choice(["We are closed on Monday.", "On Mondays we are closed."])]
        if r.random() < 0.25:
            sentences = [" ".join(sentences)]
        sentences = [tidy(s) for s in sentences]
        self.facts.extend(sentences)
        self.week = week
        off = [d for d in days if week[d] is None]
        both = off[0] if len(off) == 1 else ", ".join(off[:-1]) + " and " + off[-1] if off else ""
        whole = sentences[0] if shape in ("all",) or len(sentences) == 1 else " ".join(sentences[:2])
        if whole.startswith("Open ") or whole.startswith("Opening"):
            whole = whole.replace("Opening hours are", "We are open").replace("Open ", "We are open ", 1)
        self.add_hours("hours.all", "(What are|Can you tell me|What're|Could you tell me|I would like to know) your (opening |business |)hours?(, please|)?|When are you open?|When do you open and close?|What times are you open?|How long are you open?|Hi, when are you open?|Opening hours please.", whole)
        for d in r.sample(days, 4):
            when = week[d]
            slots = {"d": d}
            if when is None:
                self.add_hours("hours.day", "(Are you|Is the {biz}) open on {d}s?|(Are you|Do you) open {d}?|(When|What time) (do you|are you) open on {d}?|(What about|And|And on|How about|And what about) {d}?|Can I come on {d}?|Could I come by on {d}?|What are your hours on {d}?|(When|What time) do you close on {d}?", f"{r.choice(['No, we', 'I am sorry, we'])} are closed on {d}.", slots)
            else:
                o, c = when
                self.add_hours("hours.day", "(Are you|Is the {biz}) open on {d}s?|(Are you|Do you) open {d}?|Can I come on {d}?|Could I come by on {d}?|Do you work on {d}s?|I can only come on {d}. Are you there?", f"Yes, on {d} we are open from {o} to {c}.", slots)
                self.add_hours("hours.day2", "(When|What time) are you open on {d}?|(What about|And|And on|How about|And what about) {d}?|What are (your|the) hours (on|for) {d}?", f"On {d} we are open from {o} to {c}.", slots)
                self.add_hours("hours.open", "(When|What time|At what time|How early) do you open on {d}s?|How early can I come on {d}?|From when are you open on {d}?", f"On {d} we open at {o}.", slots)
                self.add_hours("hours.close", "(When|What time|At what time) do you close on {d}s?|How (late|long) are you open on {d}?|Until when are you open on {d}?|(Until what time|How late) can I come on {d}?", f"On {d} we close at {c}.", slots)
        weekend = (week["Saturday"], week["Sunday"])
        ask = "Are you open (on|at) (weekends|the weekend)?|Do you (open|work) on weekends?|What about the weekend?|Can I come (on|at) the weekend?"
        if shape == "some" and weekend[0] is not None:
            self.add_hours("hours.weekend", ask, f"We are open on Saturday from {opening} to {closing}, and closed on Sunday.")
        elif weekend == (None, None):
            self.add_hours("hours.weekend", ask, "No, we are closed on weekends.")
        elif weekend[1] is None:
            self.add_hours("hours.weekend", ask, f"We are open on Saturday from {weekend[0][0]} to {weekend[0][1]}, and closed on Sunday.")
        else:
            self.add_hours("hours.weekend", ask, f"Yes, on weekends we are open from {weekend[0][0]} to {weekend[0][1]}.")
        o, c = week["Wednesday"]
        self.add_hours("hours.close-any", "(When|What time) do you close?|How late are you open?|Until when are you open?|What is your closing time?", f"We close at {c}{'' if shape == 'all' else ' on weekdays'}." if shape not in ("split", "monday-off", "some") else f"We close at {c}.")
        self.add_hours("hours.open-any", "(When|What time) do you open( in the morning|)?|How early do you open?|What is your opening time?|From what time are you open?", f"We open at {o}{'' if shape in ('all', 'split', 'monday-off', 'some') else ' on weekdays'}.")
        if off:
            self.add_hours("hours.off", "(Which|On which|What) days? are you closed?|Is there a day when you are closed?|When are you closed?", f"We are closed on {both}.")

    def add_hours(self, group: str, ask: str, answer: str, slots: dict | None = None) -> None:
        self.known.append((group, ask, tidy(answer), {"biz": self.type, "_fact": ""} | (slots or {})))

    def build(self) -> None:
        r = self.rng
        fitting = [k for k in KINDS if k.businesses == "*" or self.type in k.businesses.split(",")]
        own = [k for k in fitting if k.businesses != "*"]
        if r.random() < 0.8:
            self.hours()
            self.used.add("hours")
        want = r.randint(7, 14)
        guard = 0
        while len(self.facts) < want and guard < 60:
            guard += 1
            k = r.choice(own if own and r.random() < 0.45 else fitting)
            if k.name in self.used and not (k.several and r.random() < 0.7):
                continue
            before = len(self.facts)
            together = ASPECTS.get(k.name)
            if together is not None and r.random() < 0.6:
                for number in r.choice(together):
                    self.add(k, number)
                self.used.add(k.name)
                continue
            self.add(k)
            if k.several and r.random() < 0.5 and len(self.facts) < want:
                for _ in range(r.randint(1, 2)):
                    self.add(k)
            self.used.add(k.name)
            assert len(self.facts) > before
        r.shuffle(self.facts)
        self.instructions = r.choice(INSTRUCTIONS).format(name=self.name, agent=r.choice(FIRST[self.split]))
        self.greeting = tidy(r.choice(GREETINGS).format(name=self.name))

    def ask(self, templates: str, slots: dict, used: set[str]) -> str | None:
        """A phrasing of the question; test businesses use kept phrasings where there are any."""
        r = self.rng
        best = None
        for _ in range(12):
            text = expand(r, r.choice(alternatives(templates)))[0]
            names = [n[0].lower() + n[1:] for n in re.findall(r"\{(\w+)\}", text)]
            if any(n not in slots for n in names) or text in used:
                continue
            if heldout(text) == (self.split == "test"):
                return tidy(self.fill(text, slots))
            if self.split == "test":
                best = tidy(self.fill(text, slots))
        return best

    def absent(self) -> tuple[str, str] | None:
        """A question whose kind of fact the business does not have."""
        r = self.rng
        x = r.random()
        if x < 0.15:
            return "unknown", r.choice(UNKNOWN)
        if x < 0.5:
            thing = r.choice(OBJECTS)
            if not any(w in " ".join(self.facts).lower() for w in thing.lower().split() if len(w) > 3):
                return "object", r.choice(OBJECT_ASKS).format(thing).replace("Is there", "Are there" if not thing.startswith("a ") and thing.endswith("s") else "Is there")
        fitting = [k for k in KINDS if (k.businesses == "*" or self.type in k.businesses.split(",") or r.random() < 0.15)]
        for _ in range(10):
            k = r.choice(fitting)
            if k.name in self.used and not k.several:
                continue
            close = {"kids-free": {"ticket", "age"}, "ticket": {"price", "kids-free"}, "deposit": {"payment"}, "booking": {"walkin"}, "walkin": {"booking"}, "landmark": {"address"}, "lunch": {"hours"}, "order": {"delivery"}, "ready": {"result", "duration"}, "jobs": {"email"}, "vacation": {"closed"}, "closed": {"vacation"}, "kitchen": {"hours"}, "latearrival": {"checkin", "code"}, "code": {"latearrival"}, "emergency": {"phone"}, "phone": {"emergency"}, "extension": {"phone"}, "carloan": {"rental"}, "transfer": {"transit"}, "transit": {"transfer"}, "sale": {"discount"}, "discount": {"sale"}, "tables": {"capacity"}, "warranty": {"returns"}, "membership": {"price"}, "floor": {"access"}, "dish": {"price", "diet"}, "towing": set(), "late": {"cancel"}, "wait": {"booking"}}.get(k.name, set())
            if close & self.used:
                continue
            group = r.choice(list(k.ask))
            slots = self.slots_for(k.ask[group])
            if k.several and k.name in self.used and not any(v in q for q in [k.ask[group]] for v in ("{treatment}", "{role}", "{field}", "{plural}", "{service}", "{dept}", "{room}", "{dish}", "{thing}", "{event}", "{class}", "{disc}", "{facility}")):
                continue
            text = self.ask(k.ask[group], slots, set())
            if text is None:
                continue
            if k.name in self.used and not any(s.lower() in text.lower() for n, s in slots.items() if n in ("treatment", "role", "field", "plural", "service", "dept", "room", "dish", "thing", "event", "class", "disc", "facility")):
                continue
            joined = " ".join(self.facts).lower()
            if any(s.lower().split(" ", 1)[-1] in joined for n, s in slots.items() if n in ("treatment", "service", "thing", "plural", "roomthing", "facility", "class")):
                continue
            return f"{k.name}.{group}", text
        return "unknown", r.choice(UNKNOWN)
