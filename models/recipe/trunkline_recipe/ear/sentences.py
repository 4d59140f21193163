"""What callers may say: templates of telephone talk, short replies, and open text from Debian's fortunes and WordNet."""

import re
from pathlib import Path

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday today tomorrow".split()
NAMES = """Anna Miller|Robert King|Doctor Patel|Maria Gonzalez|Mister Chen|Sarah O'Connor|Tom Becker|Julia Novak|David Okafor|
Emily Watson|Doctor Lindqvist|Peter Schmidt|Laura Rossi|James Nguyen""".replace("\n", "").split("|")
THINGS = """breakfast|parking|the swimming pool|a blood test|my invoice|a refund|the wireless password|vegetarian food|
a late check out|a wheelchair ramp|gift cards|the pharmacy|my prescription|a double room|delivery|the waiting list|
an X-ray|vaccinations|the gym|airport transfer|repairs|running shoes|a student discount""".replace("\n", "").split("|")
NUMBERS = """one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty five fifty""".split()
HOURS = "seven eight nine ten eleven noon one two three four five six".split()
STREETS = "Oak Street|Park Avenue|the main station|the old harbour|Church Lane|Mill Road|the airport".split("|")

TEMPLATES = """What time do you open on {day}?
When do you close on {day}?
Are you open on {day} at {hour}?
How much is {thing}?
Do you offer {thing}?
Where can I find {thing}?
I would like to ask about {thing}.
Can you tell me something about {thing}, please?
Is {thing} included?
I'd like to make an appointment for {day} at {hour}.
Could I move my appointment from {day} to {day2}?
I need to cancel my booking for {day}.
My name is {name}, and I have a question about {thing}.
This is {name} calling. Is {name2} available?
Can I speak to {name}, please?
Can you connect me to a human?
Hi there, um, do you have {thing}?
Hello, can you hear me?
Hello, who am I speaking to?
How do I get to you from {street}?
What is your address?
Which bus stops near {street}?
My number is {n} {n2} {n3}, {n4} {n5} {n6}.
My booking number is {n} {n2} {n3} {n4}.
It's {n} {n2} zero {n3}.
I ordered {n} of them on {day}.
We are {n} people, two adults and {n2} children.
How long does {thing} take?
How far is it from {street}?
Do I need to bring anything on {day}?
Do you take credit cards?
What does it cost for {n} nights?
Who is the owner?
Sorry, I didn't catch that. Could you repeat it?
No, I said {day}, not {day2}.
No, wait, I meant {hour} o'clock.
Okay, and what about {thing}?
Actually, can we do {day} instead?
That's right, {n} {n2} {n3}.
Thank you, that was all. Goodbye.
Please stop talking for a moment.
Let me think about it, maybe {day}.
Is it possible to pay on {day}?
Do you have anything free before {hour} on {day}?
My email is {word} at {word2} dot com.
It's spelled {l} {l2} {l3} {l4}.
What's the phone number of {name}?
Can I bring my dog?
Is there a doctor who speaks Spanish?
I lost my key in room {n} hundred and {n2}.""".splitlines()

REPLIES = """Yes.|No.|Yes, please.|No, thank you.|Yeah.|Okay.|Sure.|Hello?|Hi.|Mm-hmm.|Uh-huh.|Right.|Stop.|Wait.|Hold on.|
Wait a second.|Thanks.|Thank you.|Bye.|Goodbye.|Sorry?|Pardon?|What?|Why?|Really?|Never mind.|Maybe.|I don't know.|
That's fine.|Not today.|One moment please.|Go on.|I see.|Good morning.|Good afternoon.|Help.|Operator.|
Speak to an agent.|Tomorrow.|At nine.|On Monday.|Two.|Four people.|The first one.|Just me.|Exactly.|Correct.""".replace("\n", "").split("|")

WORDS = "river garden sunny market window silver corner travel winter coffee".split()
LETTERS = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z".split()


def template_sentence(rng):
    def pick(options):
        return options[rng.integers(len(options))]

    slots = {"day": DAYS, "thing": THINGS, "hour": HOURS, "name": NAMES, "n": NUMBERS, "street": STREETS}
    slots |= {"word": WORDS, "l": LETTERS}
    return re.sub(r"\{([a-z]+)\d?\}", lambda m: pick(slots[m.group(1)]), pick(TEMPLATES))


def open_sentences():
    """Sentences of 4 to 20 plain words; sorted, so that a seed finds the same ones again."""
    found = set()
    for path in Path("/usr/share/wordnet").glob("data.*"):
        for example in re.findall(r'"([^"]+)"', path.read_text(errors="ignore")):
            found.add(example.strip())
    for path in Path("/usr/share/games/fortunes").iterdir():
        if path.suffix == "" and path.is_file() and path.name not in ("ascii-art", "drugs", "debian-hints"):
            text = " ".join(path.read_text(errors="ignore").split())
            found.update(s.strip() for s in re.split(r"(?<=[.?!]) |%", text))
    plain = re.compile(r"^[A-Za-z][A-Za-z ,.'?!-]*$")
    return sorted(s for s in found if plain.match(s) and 4 <= len(s.split()) <= 20)
