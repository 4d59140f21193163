"""Things that an agent can have done for a caller (`tools` of a dialplan), and how callers ask for them. Seeded.

A tool is one more line among the facts, "I can look up the status of an order."; the model answers "One moment, please." and ends with
the control token `tool` (prompt.py). What a tool found comes back as the only fact beside the same question.
"""

import random

ONE_MOMENT = ["One moment, please."]
NAMES = "Miller,Jones,Garcia,Schmidt,Lee,Novak,Brown,Rossi,Khan,Olsen,Carter,Dubois".split(",")
DAYS = "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday".split(",")
HOURS = "nine,ten,half past ten,eleven,two,three,half past three,four,six,seven,eight".split(",")

# What completes "I can …", how callers ask for it, and what may be found. {d} day, {h} hour, {n} name, {i} a number that is read out, {c} a count.
TRAIN = {
    "look up the status of an order": (
        ["Where is my order?", "Has my order been sent?", "Has my order left yet?", "What is the status of my order?", "My order number is {i}. Where is it?", "I ordered last week. Is my order on its way?", "Is my order ready?", "When does my order arrive?", "Can you check order {i}?", "I am calling about my order.", "Did my order go out?"],
        ["Order {i} left on {d}.", "The order is being packed and leaves on {d}.", "Order {i} arrives on {d}.", "The order is ready to be picked up."],
    ),
    "look up a parcel": (
        ["Where is my parcel?", "Can you find my parcel?", "My parcel has not come.", "Has my parcel arrived?", "I am waiting for a parcel with the number {i}.", "When does the parcel come?", "What happened to my parcel?"],
        ["The parcel is out for delivery today.", "Parcel {i} arrives on {d}.", "The parcel is at the depot."],
    ),
    "book a table": (
        ["I would like to book a table.", "Can I get a table for {c} on {d}?", "A table for {c} at {h}, please.", "Do you have a table for {c} on {d}?", "I want to reserve a table.", "Could you book me a table for {d}?", "Is there a table free at {h}?", "A table for tonight, please."],
        ["A table for {c} is booked on {d} at {h}.", "There is no table free on {d}.", "A table is free at {h}."],
    ),
    "make an appointment": (
        ["I would like to make an appointment.", "Can I get an appointment on {d}?", "I need an appointment.", "Do you have an appointment free on {d}?", "Could I have an appointment at {h}?", "Can I make an appointment for my son?", "Please give me an appointment.", "When is the next free appointment?"],
        ["The appointment is on {d} at {h}.", "The next free appointment is on {d} at {h}.", "No appointment is free on {d}."],
    ),
    "cancel an appointment": (
        ["I have to cancel my appointment.", "Can you cancel my appointment on {d}?", "I cannot come to my appointment on {d}.", "Please cancel the appointment for {n}.", "I want to cancel.", "Could you take my appointment out? I am ill."],
        ["The appointment on {d} is cancelled.", "No appointment was found for {n}.", "The appointment at {h} is cancelled."],
    ),
    "move an appointment to another day": (
        ["Can I move my appointment to {d}?", "I need another day for my appointment.", "Could we move my appointment?", "I want to change my appointment.", "Is it possible to move the appointment to {h}?", "My appointment is on {d}, can I come another day?"],
        ["The appointment was moved to {d} at {h}.", "{d} is full, {h} is free on the day after."],
    ),
    "tell when an appointment is": (
        ["When is my appointment?", "What time is my appointment?", "I forgot when my appointment is.", "Is my appointment on {d}?", "Could you tell me when my appointment is?"],
        ["The appointment is on {d} at {h}.", "No appointment was found."],
    ),
    "book a room": (
        ["I would like to book a room.", "Do you have a room free on {d}?", "A room for {c} nights, please.", "Can I reserve a room?", "Is there a room from {d} to {d}?", "I need a room for tonight.", "Can you book a double room for me?"],
        ["A room is booked from {d}.", "No room is free on {d}.", "A double room is free on {d}."],
    ),
    "cancel a booking": (
        ["I want to cancel my booking.", "Please cancel booking {i}.", "Can you cancel my booking for {d}?", "I need to cancel my booking under {n}.", "We cannot come, please cancel our booking."],
        ["Booking {i} is cancelled.", "The booking for {d} is cancelled.", "No booking was found for {n}."],
    ),
    "check if something is in stock": (
        ["Is it in stock?", "Do you have the blue one in stock?", "Can you check if it is in stock?", "Is size {c} in stock?", "Could you look if you still have stock?", "Are they in stock at the moment?"],
        ["{c} are in stock.", "It is not in stock. More come on {d}.", "The last one is in stock."],
    ),
    "tell the balance of an account": (
        ["What is my balance?", "How much is on my account?", "Can you tell me the balance of my account?", "My account is {i}. What is the balance?", "I would like to know my balance.", "Is my account balanced?"],
        ["The balance is {c} hundred dollars.", "The account shows {c} dollars.", "The balance is zero."],
    ),
    "take a message for a colleague": (
        ["Can you take a message?", "I want to leave a message.", "Please tell {n} that I called.", "Can I leave a message for {n}?", "Could you give a message to your colleague?", "Tell your colleague that I am late.", "I have a message for Mr. {n}."],
        ["The message was passed on to {n}.", "{n} has the message and calls back on {d}."],
    ),
    "send a text message with the address": (
        ["Can you text me the address?", "Send me the address, please.", "Could you send me a message with the address?", "Please send the address to my phone.", "Can you send your address as a text?"],
        ["The address was sent to the number that you call from.", "The message is on its way."],
    ),
    "tell how long the wait is": (
        ["How long is the wait right now?", "How long do I have to wait?", "Is there a wait at the moment?", "Is there a long wait?", "How many people are waiting?", "What is the wait today?"],
        ["The wait is {c} minutes.", "Nobody is waiting.", "There are {c} people before you."],
    ),
    "look up a bill": (
        ["I have a question about my bill.", "How much is my bill?", "Did you get my payment for bill {i}?", "My bill is {i}. Is it paid?", "Can you look at my bill?", "Why is my bill so high?", "Is my bill open?"],
        ["Bill {i} is paid.", "The bill is {c} dollars and due on {d}.", "Bill {i} is open."],
    ),
    "report a fault": (
        ["I want to report a fault.", "Something is broken, I want to report it.", "The heating does not work. Can you report that?", "I have to report a fault in room {c}.", "There is a fault with my line.", "Who do I report a fault to?"],
        ["The fault is noted under {i}.", "A technician comes on {d}."],
    ),
    "order a taxi": (
        ["Can you order me a taxi?", "I need a taxi.", "Please call me a taxi for {h}.", "A taxi to the station, please.", "Could you get me a taxi?", "We would like a taxi at {h}."],
        ["A taxi comes in {c} minutes.", "The taxi is ordered for {h}."],
    ),
    "order a refill of a prescription": (
        ["I need a refill of my prescription.", "Can I order my prescription again?", "Could you refill my prescription?", "My prescription is empty. I need a new one.", "Please order a refill for {n}."],
        ["The prescription is ready on {d}.", "The refill was ordered."],
    ),
    "look up a test result": (
        ["Is my test result there?", "I am calling for my result.", "Do you have my test results?", "Is the result of the blood test ready?", "Can you look for the result of {n}?"],
        ["The result is ready.", "The result comes on {d}."],
    ),
    "sign somebody up for a course": (
        ["I want to sign up for a course.", "Can you sign me up for the course on {d}?", "Sign up my daughter for the course, please.", "Can I still sign up for the course?", "I would like to join the course at {h}."],
        ["You are signed up for the course on {d}.", "The course is full."],
    ),
    "order a call back": (
        ["Can somebody call me back?", "Please call me back at {h}.", "I would like a call back.", "Can you call back on {d}?", "Could {n} call me back?", "Ask {n} to call me back."],
        ["{n} calls back on {d}.", "A colleague calls back at {h}."],
    ),
    "find out if somebody is in today": (
        ["Is {n} in today?", "Is Mrs. {n} there today?", "Is Mr. {n} in?", "Who is in today?", "Can you see if {n} is in?"],
        ["{n} is in until {h}.", "{n} is not in today and is back on {d}."],
    ),
    "renew a library loan": (
        ["I want to renew my loan.", "Can I renew my books?", "Please renew the loan of card {i}.", "Could I keep my books longer? Renew them, please.", "Can you renew my loan for {c} weeks?"],
        ["The loan is renewed until {d}.", "The book is wanted by somebody else and cannot be renewed."],
    ),
    "open the gate": (
        ["Can you open the gate?", "I am at the gate. Please open it.", "The gate is closed, can you let me in?", "Open the gate, please.", "I stand before the gate."],
        ["The gate is open.", "The gate opens in {c} seconds."],
    ),
}
VALID = {
    "look up the state of a repair": (
        ["Is my repair done?", "How far is the repair of my bike?", "When is my repair ready?", "Can you look up repair {i}?", "I brought something for repair on {d}. Is it ready?"],
        ["The repair is ready on {d}.", "Repair {i} is waiting for a part."],
    ),
    "book a tennis court": (
        ["I would like to book a court.", "Is a tennis court free on {d}?", "Can we have a court at {h}?", "Book me a tennis court for {d}, please.", "Do you have a court for us tonight?"],
        ["The court is booked for {d} at {h}.", "No court is free at {h}."],
    ),
    "change the address of a customer": (
        ["I moved. Can you change my address?", "I have a new address.", "Please change my address.", "My address is wrong in your letters. Can you change it?", "I want to tell you my new address."],
        ["The address was changed.", "The new address is noted."],
    ),
    "reserve tickets": (
        ["I want to reserve {c} tickets.", "Can you reserve tickets for {d}?", "Please keep {c} tickets for {n}.", "Could I reserve two tickets for tonight?", "Are there tickets left for {d}? Then reserve two."],
        ["{c} tickets are reserved for {n}.", "No tickets are left for {d}."],
    ),
    "note a meter reading": (
        ["I want to give you my meter reading.", "My meter says {i}.", "Here is the reading of my meter: {i}.", "Can I tell you my meter reading?", "I am calling with a meter reading."],
        ["The reading {i} is noted.", "Thank you, the meter reading is noted."],
    ),
    "order a wake-up call": (
        ["Can you wake me at {h}?", "I need a wake-up call.", "A wake-up call at {h}, please.", "Please wake me up tomorrow at {h}.", "Could I get a wake-up call on {d}?"],
        ["The wake-up call is set for {h}.", "You will be called at {h}."],
    ),
    "look up a flight": (
        ["Is my flight on time?", "When does flight {i} land?", "Can you check the flight from Rome?", "My flight is {i}. Is it late?", "Has the flight landed?"],
        ["Flight {i} lands at {h}.", "The flight is on time."],
    ),
    "stop a lost card": (
        ["I lost my card.", "My card was stolen. Please stop it.", "Can you stop my card?", "I cannot find my card, stop it please.", "Block my card, please, it is lost."],
        ["The card is stopped.", "Card {i} is stopped, a new one comes on {d}."],
    ),
}

ABOUT = ["What does it cost to {}?", "Who can {} for me on {d}?", "How much do you charge if you {}?", "Since when do you {}?", "Do other people {} here?", "How many times did you {} this year?", "Is it free to {}?"]


def line(description: str) -> str:
    """How a tool stands among the facts; src/model/brain says the same."""
    return f"I can {description}."


class Toolbox:
    """The tools of one business."""

    def __init__(self, rng: random.Random, split: str, count: int):
        self.rng = rng
        pool = TRAIN if split == "train" else VALID
        names = rng.sample(sorted(pool), len(pool))
        self.mine, self.others, self.pool = names[:count], names[count:], pool

    @property
    def lines(self) -> list[str]:
        return [line(name) for name in self.mine]

    def slots(self) -> dict[str, str]:
        r = self.rng
        digits = " ".join(r.choice("zero one two three four five six seven eight nine".split()) for _ in range(r.randint(3, 5)))
        number = digits if r.random() < 0.4 else str(r.randint(100, 99999))
        return {"d": r.choice(DAYS), "h": r.choice(HOURS), "n": r.choice(NAMES), "i": number, "c": r.choice("two three four five six eight ten twelve".split())}

    def asked(self) -> tuple[str, str, str]:
        """-> description, question, what is found."""
        name = self.rng.choice(self.mine)
        asks, found = self.pool[name]
        slots = self.slots()
        put = lambda text: text.format(**slots)
        said = put(self.rng.choice(found))
        return name, put(self.rng.choice(asks)), said[:1].upper() + said[1:]

    def lacking(self) -> str:
        """A question for what this business cannot do."""
        return self.rng.choice(self.pool[self.rng.choice(self.others)][0]).format(**self.slots())

    def about(self) -> str:
        return self.rng.choice(ABOUT).format(self.rng.choice(self.mine), **self.slots())
