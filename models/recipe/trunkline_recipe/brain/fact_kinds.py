"""Kinds of facts that businesses state about themselves, how callers ask for them, and what the right answer is.

A kind has question groups (`ask`) and variants; a variant is one way the world can be: the sentence that states the fact
and, for each group that it settles, the answer. `(a|b)` is a choice, `{slot}` a value from `POOLS` (a digit at the end
makes another value of the same pool), fixed for one instance of the fact.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    name: str
    businesses: str
    ask: dict[str, str]
    variants: list[tuple[str, dict[str, str]]]
    several: bool = False
    hard: frozenset[str] = field(default_factory=frozenset)


KINDS: list[Kind] = []


def kind(name: str, businesses: str, ask: dict[str, str], *variants: tuple[str, dict[str, str]], several: bool = False) -> None:
    KINDS.append(Kind(name, businesses, ask, list(variants), several))


POOLS: dict[str, list[str]] = {
    "where": ["behind the building", "in front of the entrance", "in the basement", "across the street", "next to the church", "on the left side of the building", "in the yard", "under the market hall", "beside the river", "right by the main gate", "on the roof, reached by the ramp"],
    "few": ["two", "three", "four", "five", "six", "8", "10", "12", "15", "20", "30", "45", "60"],
    "minutes": ["5", "10", "15", "20", "25", "30", "40", "45", "50", "60", "90"],
    "hours": ["2", "3", "6", "12", "24", "36", "48", "72"],
    "days": ["2", "3", "5", "7", "10", "14", "21", "28", "30", "60", "90", "100"],
    "weeks": ["two weeks", "three weeks", "four weeks", "six weeks", "a month", "two months", "ten days", "five days"],
    "percent": ["5", "10", "12", "15", "20", "25", "30", "40", "50"],
    "age": ["4", "5", "6", "8", "10", "12", "14", "15", "16", "18", "21"],
    "old": ["60", "62", "65", "67", "70"],
    "year": ["1902", "1923", "1948", "1955", "1961", "1974", "1983", "1987", "1991", "1996", "2001", "2005", "2009", "2012", "2016", "2019", "2021"],
    "weekday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "anyday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "month": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
    "dayofmonth": ["1st", "2nd", "5th", "8th", "10th", "12th", "15th", "18th", "20th", "24th", "28th", "30th"],
    "am": ["6 am", "6:30 am", "7 am", "7:30 am", "8 am", "8:15 am", "8:30 am", "9 am", "9:30 am", "10 am", "10:30 am", "11 am"],
    "pm": ["1 pm", "2 pm", "3 pm", "3:30 pm", "4 pm", "4:30 pm", "5 pm", "5:30 pm", "6 pm", "6:30 pm", "7 pm", "7:30 pm", "8 pm", "9 pm", "10 pm", "11 pm"],
    "language": ["Spanish", "French", "German", "Italian", "Turkish", "Arabic", "Polish", "Portuguese", "Russian", "Greek", "Hindi", "Mandarin", "Japanese", "Dutch", "Swedish", "Ukrainian", "Korean", "Vietnamese"],
    "bus": ["bus 12", "bus 7", "bus 45", "bus 104", "tram 3", "tram 9", "tram 16", "the number 5 bus", "the number 22 bus", "the green line", "the blue line", "metro line 2", "line 8"],
    "stop": ["Market Square", "City Hall", "Old Bridge", "Central Station", "University", "Mill Lane", "Harbor Road", "Opera", "Stadium", "Botanical Garden", "North Gate", "Library Square", "Castle Hill"],
    "place": ["the town hall", "the central station", "the post office", "the cinema", "the city park", "the old bridge", "the stadium", "the harbor", "Saint Mary's church", "the supermarket", "the fire station", "the farmers market"],
    "floor": ["on the ground floor", "on the first floor", "on the second floor", "on the third floor", "on the fourth floor", "in the basement", "on the top floor", "in the annex", "in room 12", "in room 204"],
    "card": ["Visa and Mastercard", "all major credit cards", "debit cards only", "cash and debit cards", "American Express and Visa", "cash only", "credit cards and bank transfer", "cards and mobile payment"],
    "disc": ["students", "seniors", "members", "children", "families", "veterans", "nurses", "teachers", "groups of ten or more", "unemployed people"],
    "size": ["20", "25", "50", "80", "100", "120", "150", "200"],
    "kg": ["5", "8", "10", "15", "20", "25", "30"],
    "km": ["3", "5", "8", "10", "12", "15", "20", "25", "40"],
    "pet": ["dogs", "cats", "small dogs", "pets", "animals", "guide dogs"],
    "ext": ["12", "14", "21", "25", "30", "33", "105", "118", "204", "220", "311", "402", "517"],
    "insurer": ["Northern Health", "BlueCare", "Helvia", "Medisure", "Unity Plan", "Sanora", "CareFirst Union", "Bright Shield", "Public Health Fund", "Alpine Mutual", "Vitalis"],
    "illness": ["a fever", "a cough", "chest pain", "a rash", "an emergency"],
    "docs": ["your insurance card", "a photo ID", "your passport", "your last X-ray", "a list of your medicines", "the referral letter", "the vaccination card", "the purchase receipt", "your membership card", "proof of address", "your driving license", "a towel", "clean shoes", "a padlock", "your booking number"],
    "password": ["sunflower22", "welcome2024", "bluewhale", "guest1234", "mountain7", "lemontree", "summer88", "silverfox", "riverside5", "opendoor"],
    "wifi": ["GuestNet", "Lobby Wifi", "Blue Room", "OpenDoor", "Garden Guest", "Visitors", "House Guest", "Free Zone"],
    "holiday": ["Christmas Day", "New Year's Day", "Easter Monday", "Good Friday", "Labor Day", "Thanksgiving", "Boxing Day", "the national holiday", "Christmas Eve"],
    "dish": ["lamb stew", "mushroom risotto", "grilled trout", "pumpkin soup", "beef goulash", "vegetable lasagna", "duck with plums", "chickpea curry", "onion tart", "salmon pasta", "cheese dumplings", "seafood paella"],
    "dessert": ["apple strudel", "lemon tart", "chocolate mousse", "rice pudding", "pear cake", "almond ice cream"],
    "cuisine": ["Lebanese", "Thai", "Peruvian", "Tuscan", "Ethiopian", "Basque", "Korean", "Moroccan", "Indian", "Hungarian", "Mexican"],
    "brand": ["Norvik", "Altura", "Tenzo", "Kessler", "Brightway", "Omaro", "Halden", "Pinecrest", "Volta", "Corvin", "Lumina", "Sandvik Home"],
    "color": ["red", "blue", "green", "yellow", "white", "grey", "orange", "black"],
    "class": ["yoga", "spinning", "pilates", "boxing", "zumba", "aqua fitness", "stretching", "kettlebell", "judo", "salsa", "tai chi", "meditation", "pottery", "watercolor painting", "first aid", "chess", "guitar", "story time", "book club", "photography"],
    "thing": ["a hairdryer", "an iron", "a baby cot", "an umbrella", "a bicycle", "a wheelchair", "a locker", "a projector", "a charger", "a blanket", "a highchair", "a steam cleaner", "skis", "a trailer", "a ladder", "a tent"],
    "room1of": ["A single room", "A standard room", "A garden room"],
    "treatment": ["a check-up", "a cleaning", "a blood test", "a vaccination", "an X-ray", "a massage", "a haircut", "a consultation", "a filling", "an eye test", "a hearing test", "a ultrasound scan", "a first visit", "a follow-up visit", "a travel vaccination", "a physical exam", "a crown", "a manicure", "a color treatment", "a beard trim", "a nail trim", "a microchip", "a flea treatment", "an oil change", "a tire change", "a brake check", "a car wash", "a wheel alignment", "a puncture repair", "a screen repair", "a battery replacement", "a key copy", "a passport photo", "a bike service", "a piano lesson", "a driving lesson", "a guided tour", "an audio guide", "a day pass", "a monthly pass", "a yearly pass", "a family ticket", "a suit cleaning", "a shirt ironing", "a bouquet of roses", "a wedding cake", "a will", "a notary signature", "a tax return", "a wax treatment", "a spa entry", "a sauna visit", "a lane of bowling", "a court for one hour", "a private lesson", "a trial lesson", "an engraving", "a ring resizing", "a mattress delivery", "a parking permit"],
    "plural": ["laptops", "printers", "running shoes", "garden chairs", "light bulbs", "curtains", "winter tires", "batteries", "phone cases", "birthday cakes", "gift baskets", "organic vegetables", "used books", "children's bicycles", "coffee machines", "wallpaper", "fishing rods", "dog food", "guitars", "board games", "wedding dresses", "reading glasses", "hiking boots", "seeds", "frames", "candles", "power tools", "paint"],
    "aisle": ["aisle 2", "aisle 4", "aisle 7", "aisle 11", "the second floor", "the basement", "the back of the shop", "the left corner", "the shelf by the till", "the garden section"],
    "role": ["the manager", "the owner", "the head of the house", "the person in charge of bookings", "the accountant", "the head chef", "the trainer", "the technician", "the librarian", "the head nurse", "the concierge", "the secretary", "the workshop master", "the events coordinator", "the children's teacher", "the night porter"],
    "field": ["dermatology", "children", "dentistry", "eye problems", "heart problems", "sports injuries", "allergies", "general medicine", "orthodontics", "surgery", "cats and small animals", "horses", "back pain", "nutrition", "women's health", "hearing", "speech therapy", "family law", "tax law", "contracts", "bridal hair", "coloring", "engines", "electric cars", "strength training", "swimming"],
    "service": ["gift wrapping", "home visits", "online booking", "repairs", "express service", "laundry", "airport transfer", "room service", "catering", "a loyalty card", "gift vouchers", "childcare", "equipment rental", "video consultations", "a pick-up service", "installation at home", "a shuttle bus", "luggage storage", "printing and copying", "a play corner", "a coffee machine", "free coffee", "air conditioning", "a garden terrace", "private lessons", "a sauna", "an indoor pool", "a prayer room", "a photo booth", "a night bell", "a waiting list", "a newsletter", "tax-free shopping", "click and collect", "engraving", "alterations", "bicycle parking", "electric car charging", "a changing table", "a quiet room", "group tours", "vegan meals", "gluten-free bread", "takeaway", "live music", "outdoor seating", "a wine list", "a lunch menu"],
    "result": ["Blood test results", "Lab results", "Test results", "X-ray reports", "Quotes", "Repair estimates", "Photos", "Certificates", "Translations", "Invoices", "Library cards", "Prescriptions"],
    "lost": ["the reception desk", "the office on the first floor", "the porter", "the information counter", "the cloakroom", "the security desk"],
    "founder": ["the Moretti family", "two sisters", "a retired sailor", "the city council", "a former teacher", "three friends from college", "the Lindqvist family"],
    "reward": ["a free coffee", "a free night", "a free wash", "a gift voucher", "a free lesson", "a T-shirt", "a free month"],
    "deposit": ["a deposit", "a down payment", "a security deposit"],
}

N = "No, "
Y = "Yes, "

# ---- hours -----------------------------------------------------------------------------------------------------------
# Written as code in dialogues.py (`hours_facts`), because its answers are computed from a week.

# ---- where, how to get there ------------------------------------------------------------------------------------------
kind("address", "*",
     {"what": "(What is|What's|Can you tell me|Could you give me) (your|the) (exact |full |)address(|, please)?|Where are you( located| exactly|)?|Where can I find you?|Where is (your|the) {biz}( located|)?|What street are you (on|in)?|Which street is it?|What is the street and number?|I need your address( please|).|How do I find you?"},
     ("(We are|The {biz} is|You find us|Our address is|We are located|The {biz} stands) at {street}.", {"what": "(We are at|Our address is|You find us at) {street}."}),
     ("Address: {street}, {city}.", {"what": "(We are at|Our address is) {street}(, in {city}|, {city})."}),
     ("(You find us|We are) at {street}, opposite {place}.", {"what": "We are at {street}, opposite {place}."}))
kind("landmark", "*",
     {"near": "(What are you near to|Is there a landmark near you|What is close by|What is next to you|What is nearby)?|Are you close to {place}?"},
     ("(We are|The {biz} is) right next to {place}.", {"near": "(Yes, w|W)e are right next to {place}."}),
     ("It is a {minutes} minute walk from {place}.", {"near": "We are a {minutes} minute walk from {place}."}))
kind("parking", "*",
     {"has": "(Do you have|Is there|Have you got) (any |)(parking|a car park|a parking lot|parking spaces|somewhere to park)( there| nearby| for customers|)?|Can I park (there|near you|at your place|my car)?|I am coming by car. Can I park?", "where": "Where (can|do|should) I park( my car|)?|Where is (the|your) (car park|parking lot|parking)?|Where could I leave my car?", "cost": "(Is|Is the) parking free?|Do I have to pay for parking?|(What does parking cost|How much is parking|What do you charge for parking)?"},
     ("(Free parking is|There is free parking|Parking is free) {where}.", {"has": "Yes, there is free parking {where}.", "where": "You can park for free {where}.", "cost": "(Yes, p|P)arking is free, {where}."}),
     ("(Parking|The car park) costs {price} per (hour|day).", {"cost": "Parking costs {price} per @2.", "has": "Yes, parking costs {price} per @2."}),
     ("(We have no parking|There is no parking on site), (but|however) there is a garage {where}.", {"has": "No, but there is a garage {where}.", "where": "We have no parking, but there is a garage {where}."}),
     ("(There are|We have) {few} (parking spaces|parking spots) for (customers|visitors|guests) {where}.", {"has": "Yes, we have {few} parking spaces {where}.", "where": "There are {few} parking spaces {where}."}),
     ("(Parking is|You can park) {where} and is free for the first {hours} hours.", {"where": "You can park {where}.", "has": "Yes, {where}. It is free for the first {hours} hours.", "cost": "Parking is free for the first {hours} hours."}))
kind("transit", "*",
     {"how": "(How do I get|How can I get|How do I come) (there|to you) by (bus|train|public transport|tram)?|Which (bus|tram|line|stop) (goes to you|do I take|should I take|is nearest)?|(Is there|What is) (a|the nearest) (bus stop|stop|station)( nearby|)?|What is the closest station?|I do not have a car. How do I get there?"},
     ("(Take|You can take) {bus} to {stop}.", {"how": "Take {bus} to {stop}."}),
     ("The (nearest|closest) (stop|station) is {stop}, {minutes} minutes on foot.", {"how": "The nearest stop is {stop}, {minutes} minutes on foot."}),
     ("{bus} stops (right outside|in front of the door) at {stop}.", {"how": "Take {bus} to {stop}. It stops right outside."}))
kind("floor", "*",
     {"which": "(What|Which) floor (are you on|is it on|is the {biz} on|do I go to)?|(On what|On which) floor are you?|Where in the building are you?|Do I have to take the stairs?"},
     ("(We are|The {biz} is|The reception is|Our desk is) {floor}.", {"which": "(We are|The {biz} is|The reception is) {floor}."}))
kind("access", "*",
     {"wheel": "(Is it|Are you|Is the building|Is the {biz}) (wheelchair accessible|accessible|barrier free|accessible with a wheelchair)?|Can I (come|get in) with a wheelchair?|(Is there|Do you have) (a lift|an elevator|a ramp|step-free access)?|My mother uses a wheelchair, can she get in?"},
     ("(The building|The entrance|The {biz}) is (wheelchair accessible|accessible for wheelchairs)( by a ramp| through the side door|).", {"wheel": "Yes, the entrance is wheelchair accessible."}),
     ("There is (a lift|an elevator|a ramp) {where}.", {"wheel": "Yes, there is @ {where}."}),
     ("(The building has no lift|There is no elevator), there are {few} steps.", {"wheel": "I am sorry, there is no lift, and there are {few} steps."}))
kind("toilets", "*",
     {"where": "(Where are|Do you have|Are there) (the |)(toilets|restrooms|bathrooms)?|Is there a (toilet|restroom|bathroom)( I can use|)?"},
     ("The (toilets|restrooms) are {floor}.", {"where": "The @ are {floor}."}))

# ---- contact ---------------------------------------------------------------------------------------------------------
kind("phone", "*",
     {"what": "(What is|Can I have|Could I have|What's) (your|the) (phone number|telephone number|number)?|What number (can|should) I call?|How can I (call|reach) you (by phone|later)?"},
     ("(Our|The) (phone number|telephone number) is {phone}.", {"what": "Our phone number is {phone}."}),
     ("(You can reach us|Call us) (at|on) {phone}.", {"what": "You can reach us at {phone}."}))
kind("email", "*",
     {"what": "(What is|Can I have|What's) (your|the) e-?mail( address|)?|(Where|To which address) can I (send an email|write)?|Can I (email|write to) you?|How do I send you an email?"},
     ("(Our email address is|Send emails to|Write to us at) {email}.", {"what": "(Yes, our|Our) email address is {email}."}))
kind("website", "*",
     {"what": "(What is|What's|Do you have) (your|a) (website|web page|web address)?|Can I find you (online|on the internet)?"},
     ("(Our website is|You find us online at|More is on) {web}.", {"what": "(Yes, our|Our) website is {web}."}))
kind("extension", "*",
     {"what": "(What is|What's|Which is) the extension (of|for) {dept}?|(How do I reach|How can I call) {dept}( directly|)?|What is the direct number (of|for) {dept}?"},
     ("(The extension (of|for) {dept} is|{Dept} has extension|You reach {dept} at extension) {ext}.", {"what": "(The extension for {dept} is {ext}|You reach {dept} at extension {ext})."}), several=True)
kind("emergency", "clinic,vet,dentist,hotel,garage,pharmacy,gym,school",
     {"what": "(What do I do|What should I do|Who do I call) (in an emergency|at night|if it is urgent|outside office hours)?|(Is there|Do you have) an emergency number?|What is the emergency number?"},
     ("(In an emergency|Outside opening hours|For emergencies|At night), call {phone}.", {"what": "In an emergency, call {phone}."}),
     ("(The emergency line is|Our emergency number is) {phone}.", {"what": "The emergency number is {phone}."}))

# ---- people ----------------------------------------------------------------------------------------------------------
kind("person-role", "*",
     {"who": "Who is {role}?|What is the name of {role}?|Who is {role} (at|of) your {biz}?|Can you tell me who {role} is?|Whom do I ask for if I want {role}?", "what": "Who is {person}?|What does {person} do( there|)?|What is {person}'s job?"},
     ("{Role} is {person}.", {"who": "{Role} is {person}.", "what": "{person} is {role}."}),
     ("{person} is {role}.", {"who": "{Role} is {person}.", "what": "{person} is {role}."}), several=True)
kind("doctor", "clinic,dentist,vet,salon,garage,gym,law office,school,pharmacy,optician",
     {"who": "Who (treats|does|handles|is responsible for|deals with|looks after|is your specialist for) {field}?|(Which|What) (doctor|specialist|colleague|person) (treats|does|handles|is for) {field}?|I need someone for {field}.|Who can help me with {field}?|Do you have (a specialist|someone|an expert) for {field}?", "what": "What (does|is) {doctor} (do|specialized in|responsible for)?|What does {doctor} treat?|What is {doctor}'s (field|specialty)?"},
     ("{doctor} (treats|handles|is our specialist for|is responsible for|takes care of) {field}.", {"who": "{doctor} @ {field}.", "what": "{doctor} @ {field}."}), several=True)
kind("staff-days", "clinic,dentist,vet,salon,gym,law office,school,garage,library",
     {"when": "(When|On which days) (is|does) {doctor} (in|work|there|available|see patients|take appointments)?|What days is {doctor} (there|in|working)?|When can I see {doctor}?|Is {doctor} in on {weekday}s?"},
     ("{doctor} (works|is in|is available|sees people) on {weekday} and {weekday2}.", {"when": "{doctor} is in on {weekday} and {weekday2}."}),
     ("{doctor} is (away|on holiday|on leave) until the {dayofmonth} of {month}.", {"when": "{doctor} is away until the {dayofmonth} of {month}."}))
kind("languages", "*",
     {"which": "(What|Which) languages do you speak?|In which languages can you help me?", "is": "Do (you|your staff|they) speak {language}?|Does anyone( there|) speak {language}?|Can I (talk|speak) in {language}( there|)?|Is there someone who speaks {language}?", "not": "Do (you|your staff) speak {language3}?|Does anyone( there|) speak {language3}?"},
     ("(We speak|Our staff speaks|The team speaks) English, {language} and {language2}.", {"which": "We speak English, {language} and {language2}.", "is": "Yes, we speak {language}.", "not": "No, we speak English, {language} and {language2}."}),
     ("{person} speaks {language}.", {"is": "Yes, {person} speaks {language}.", "which": "{person} speaks {language}."}))

# ---- money -----------------------------------------------------------------------------------------------------------
kind("price", "*",
     {"much": "How much (is|does) {treatment}( cost|)?|What (does|is the price of|do you charge for|is the cost of) {treatment}( cost|)?|What will I pay for {treatment}?|(Can you tell me|Could you tell me|I would like to know) (the price of|what you charge for) {treatment}?|I want {treatment}. What does it cost?|And {treatment}, how much?|What is the fee for {treatment}?"},
     ("{Treatment} (costs|is) {price}.", {"much": "{Treatment} costs {price}."}),
     ("(The price of|The fee for) {treatment} is {price}.", {"much": "{Treatment} costs {price}."}),
     ("{Treatment} costs {price} and takes {minutes} minutes.", {"much": "{Treatment} costs {price}."}), several=True)
kind("duration", "*",
     {"long": "How long does {treatment} (take|last)?|How (much time|many minutes) does {treatment} (take|need)?|How long should I plan for {treatment}?"},
     ("{Treatment} (takes|lasts)( about|) {minutes} minutes.", {"long": "{Treatment} takes about {minutes} minutes."}), several=True)
kind("payment", "*",
     {"how": "(How can I|How do I|In what ways can I) pay?|(What|Which) (payment methods|cards|ways of paying) (do you accept|do you take|are there)?|What forms of payment do you accept?", "card": "(Can I pay|Do you take|Do you accept|Is it possible to pay) (by |with |)(card|credit cards?|a card)?"},
     ("(We accept|You can pay with|We take) {card}.", {"how": "We accept {card}.", "card": "We accept {card}."}),
     ("(Payment is|We only take|You pay) cash only.", {"how": "We take cash only.", "card": "I am sorry, we take cash only."}))
kind("discount", "*",
     {"is": "(Is there|Do you have|Do you give|Do you offer) a (discount|reduction|special price|lower price) for {disc}?|Do {disc} (get|have) a discount?|Do {disc} pay less?|How much (off|discount|reduction) do {disc} get?", "any": "(Do you have|Are there|Is there) any (discounts|special offers|discount|offers)?"},
     ("{Disc} (get|receive|have) {percent} percent (off|discount).", {"is": "(Yes, |){disc} get {percent} percent off.", "any": "Yes, {disc} get {percent} percent off."}),
     ("There is a {percent} percent discount for {disc}.", {"is": "Yes, {disc} get {percent} percent off.", "any": "Yes, there is a {percent} percent discount for {disc}."}), several=True)
kind("deposit", "*",
     {"is": "(Do I have to|Do I need to|Must I) (pay|leave) (a deposit|something in advance|a down payment)?|(How much|How high) is the (deposit|down payment)?|Is there a deposit?"},
     ("(We ask for|There is|We take) {deposit} of {price}.", {"is": "(Yes, w|W)e ask for {deposit} of {price}."}),
     ("No deposit is (needed|required).", {"is": "No deposit is needed."}))
kind("invoice", "*",
     {"when": "(When|Until when) do I have to pay (the |my |)(invoice|bill)?|How many days do I have to pay the (bill|invoice)?"},
     ("(Invoices|Bills) (are due|must be paid) within {days} days.", {"when": "(Invoices are due|The bill must be paid) within {days} days."}))

# ---- booking, rules --------------------------------------------------------------------------------------------------
kind("booking", "*",
     {"how": "How (do|can) I (book|make an appointment|make a booking|reserve|get an appointment)?|(Can I|Is it possible to) (book|make an appointment|reserve) (by phone|online)?|Where do I (book|make an appointment)?"},
     ("(Appointments|Bookings|Reservations) (can be made|are made) (by phone or online|online only|by phone|at the desk|through our website|by email).", {"how": "You can book @3."}),
     ("(You can book|Book) on {web}.", {"how": "You can book on {web}."}))
kind("walkin", "*",
     {"is": "(Do I need|Must I have|Do I have to make) an appointment?|Can I (come|drop in|just come|come by|walk in) without (an appointment|a booking|a reservation)?|Do you (take|accept) walk-ins?"},
     ("(Walk-ins are welcome|You can come without an appointment) (until|before) {am}.", {"is": "You can come without an appointment @2 {am}."}),
     ("(We see people|Visits are) by appointment only.", {"is": "I am sorry, visits are by appointment only."}),
     ("(No appointment is needed|You do not need an appointment).", {"is": "No, you do not need an appointment."}))
kind("cancel", "*",
     {"how": "(What is|How is) your cancellation policy?|(Can I|How can I|How do I|Until when can I|How late can I) (cancel|cancel my appointment|cancel my booking|cancel for free|change my booking)?|What (happens|does it cost) if I (cancel|do not come|cancel late)?|What if I cannot make it?|I might have to cancel. What are the rules?"},
     ("(Cancel|Please cancel|You can cancel free of charge|Cancellations are free) (at least|up to|until) {hours} hours (before|in advance).", {"how": "You can cancel free of charge up to {hours} hours before."}),
     ("(Late cancellations|Missed appointments|No-shows) (cost|are charged) {price}.", {"how": "@ cost {price}."}),
     ("(Appointments|Bookings) (must|have to) be cancelled {hours} hours in advance, otherwise we charge {price}.", {"how": "Please cancel {hours} hours in advance, otherwise we charge {price}."}))
kind("late", "*",
     {"what": "What (happens|if) (if |)I am( running|) late?|(I am|I will be) late, (what now|is that a problem)?|How late can I be?"},
     ("(If you are late, we wait for|We keep your place for|Your slot is held for) {minutes} minutes.", {"what": "We keep your place for {minutes} minutes."}))
kind("wait", "*",
     {"long": "How long (is|do I have to wait for|is the wait for) (an appointment|the wait|a free appointment)?|When is the next free appointment?|How long is the waiting (time|list)?"},
     ("(The wait|The waiting time) for (an appointment|a place|a new customer) is( about|) {weeks}.", {"long": "The wait is about {weeks}."}),
     ("The next free appointment is on {anyday} at {am}.", {"long": "The next free appointment is on {anyday} at {am}."}))
kind("bring", "*",
     {"what": "What (do I have to|should I|do I need to|must I) bring( with me|)?|Do I need to bring (anything|something)?|What do I need for my (first visit|visit|appointment)?|Which documents do I need?"},
     ("(Please bring|Bring|You need) {docs} and {docs2}.", {"what": "Please bring {docs} and {docs2}."}),
     ("(Please bring|Bring) {docs} (to your first visit|when you come).", {"what": "Please bring {docs}."}))
kind("age", "*",
     {"is": "(What is|Is there) (the |a |an |)(minimum age|age limit)?|(From what age|How old do you have to be|What age do I have to be)( can I come| to come in|)?|Are (children|kids|teenagers) allowed( in|)?|(Can I bring|Can I come with) my (kids|children|son|daughter)?"},
     ("(The minimum age is|You must be at least) {age}(| years).", {"is": "(You must be at least {age} years old|The minimum age is {age})."}),
     ("(Children under|Kids under) {age} (must come with|need) an adult.", {"is": "Children under {age} must come with an adult."}),
     ("(Children are welcome|Kids are welcome) from the age of {age}.", {"is": "Children are welcome from the age of {age}."}))
kind("kids-free", "*",
     {"is": "(Is it free for|Do|What do) (children|kids)( pay|)?|(Is there|What is) a price for children?|(Do I pay|How much is it) for my (child|daughter|son)?"},
     ("(Children|Kids) under {age} (are free|go free|pay nothing).", {"is": "Children under {age} are free."}),
     ("Children under {age} pay {price}.", {"is": "Children under {age} pay {price}."}))
kind("pets", "*",
     {"is": "(Are|Do you allow|Do you accept) (pets|dogs|animals)( allowed| welcome|)?|(Can I|May I) (bring|come with|take) my (dog|cat|pet)( along| with me|)?|I have a (dog|cat). Is that (okay|a problem)?|Is my (dog|cat) (welcome|allowed)?"},
     ("(Pets|Dogs|Animals) are welcome( on a leash| in the lobby| on the terrace|).", {"is": "Yes, @ are welcome@2."}),
     ("(Pets|Dogs|Animals) are not allowed.", {"is": "I am sorry, @ are not allowed."}),
     ("(Dogs|Pets) (cost|are welcome for) {price} per (night|day|visit).", {"is": "@ cost {price} per @3."}),
     ("Only guide dogs are allowed( inside|).", {"is": "I am sorry, only guide dogs are allowed."}))
kind("smoking", "*",
     {"is": "(Can I smoke|Is smoking allowed|May I smoke|Where can I smoke)( inside| there|)?"},
     ("Smoking is (only allowed|allowed only) (on the terrace|in the yard|on the balcony).", {"is": "Smoking is only allowed @2."}),
     ("(Smoking is not allowed|It is a non-smoking house)( anywhere|).", {"is": "No, smoking is not allowed."}))
kind("closed", "*",
     {"is": "(Are you|Is the {biz}) (open|closed) on {holiday}?|Do you (work|open) on {holiday}?|What about {holiday}, are you open?"},
     ("(We are|The {biz} is) closed on {holiday}.", {"is": "(No, we|We) are closed on {holiday}."}),
     ("On {holiday} we are open (until|till) {pm}.", {"is": "Yes, on {holiday} we are open @ {pm}."}))
kind("vacation", "*",
     {"when": "(When|Are you|Do you) (closed for holidays|on vacation|go on holiday|are you on holiday|close for the holidays)?|Is the {biz} open in {month}?|When is your (summer break|annual holiday|winter break)?"},
     ("(We are closed|We are on holiday|There is a break) from the {dayofmonth} to the {dayofmonth2} of {month}.", {"when": "We are closed from the {dayofmonth} to the {dayofmonth2} of {month}."}))
kind("lunch", "*",
     {"is": "(Are you|Do you) (open at lunchtime|closed at lunch|close for lunch|open at noon|have a lunch break)?|When is your lunch break?"},
     ("(We close for lunch|There is a lunch break|The lunch break is) from 12 to {pm1of}.", {"is": "We close for lunch from 12 to {pm1of}."}))
kind("capacity", "*",
     {"how": "How many (people|guests|persons) (can you take|fit in|have room|can come)?|How big is (it|the room|the hall)?|Is there room for {size} people?"},
     ("(The room|The hall|Our garden|The course|The group room) (holds|has room for|seats) up to {size} people.", {"how": "@ has room for up to {size} people."}))
kind("founded", "*",
     {"when": "(When was|When did|Since when) (the {biz} founded|you open|are you there|do you exist|it founded|you start)?|How (old is|long have you been) (the {biz}|there|in business)?|Who founded (the {biz}|it)?"},
     ("(The {biz}|It|The house) was (founded|opened|started) in {year} by {founder}.", {"when": "It was @2 in {year} by {founder}."}))
kind("wifi", "*",
     {"is": "(Do you have|Is there) (wifi|wi-fi|internet|wireless internet|free wifi)( there|)?|(Can I use|How fast is) the (internet|wifi)?", "pass": "What is the (wifi|internet|wi-fi) password?|How do I (connect to|get into|use) the (wifi|internet)?|What is the password( for the wifi|)?|(What is the name of the|Which) wifi network( is it|)?"},
     ("(The wifi|Wifi|Internet) is free, the network is {wifi} and the password is {password}.", {"is": "Yes, the wifi is free. The network is {wifi}.", "pass": "The network is {wifi} and the password is {password}."}),
     ("(Free wifi|Wifi) is available (everywhere|in the lobby|in the waiting room|in all rooms).", {"is": "Yes, wifi is available @2."}),
     ("(There is no wifi|We have no wifi).", {"is": "No, there is no wifi."}))
kind("service", "*",
     {"is": "(Do you (have|offer)|Is there|Can I get) {service}?|I am looking for {service}. Do you have that?|Do you also (do|have|offer) {service}?|What about {service}?"},
     ("(We offer|We have|There is) {service}.", {"is": "Yes, we have {service}."}),
     ("(We offer|We have|There is) {service} for {price}.", {"is": "Yes, we have {service} for {price}."}),
     ("(We do not offer|We do not have|There is no) {service}.", {"is": "I am sorry, we do not have {service}."}),
     ("(We offer|We have|There is) {service} on {weekday}s.", {"is": "Yes, we have {service} on {weekday}s."}), several=True)
kind("lost", "*",
     {"where": "(I lost|I left|I forgot) (my|something|my umbrella|my phone|my jacket)( there| at your place|)(.|, what can I do?|. Who do I ask?)|(Where is|Do you have) (the |a |)lost (and found|property)?|Where do I ask about lost things?"},
     ("(Lost property|Lost things|Found items) (is kept|are kept|can be collected) at {lost}.", {"where": "@ @2 at {lost}."}),
     ("Lost items are kept for {days} days at {lost}.", {"where": "Lost items are kept for {days} days at {lost}."}))
kind("jobs", "*",
     {"how": "(Are you hiring|Do you have any jobs|Are there open positions|Do you have work)?|How (do|can) I apply( for a job|)?|Where do I send my application?"},
     ("(We are looking for|We are hiring) {hire}.", {"how": "Yes, we are looking for {hire}."}),
     ("(Applications go to|Send applications to) {email}.", {"how": "Please send your application to {email}."}))
kind("loyalty", "*",
     {"is": "(Do you have|Is there) a (loyalty|bonus|stamp) (card|program|scheme)?|Do I get something for coming often?"},
     ("(After|With) {few} visits you get {reward}.", {"is": "Yes, after {few} visits you get {reward}."}))
kind("result", "clinic,vet,dentist,garage,library,law office,school,pharmacy,optician",
     {"when": "(When|How soon) (do I get|are|will I get) my (results|test results|documents|papers)( ready|)?|How long do {result} take?|How (do|will) I get {result}?"},
     ("{Result} (take|are ready after|arrive within) {days} days.", {"when": "{Result} take {days} days."}),
     ("{Result} are sent by (email|post|text message) after {days} days.", {"when": "{Result} are sent by @1 after {days} days."}))
kind("insurance", "clinic,dentist,vet,optician,pharmacy,physio",
     {"is": "(Do you (take|accept|work with)) {insurer}?|I am (insured with|with) {insurer}. (Is that okay|Do you take it|Can I come)?|Is {insurer} accepted?", "which": "(What|Which) (insurance|insurances|insurers|health plans) do you (take|accept)?|Do you take (my |)insurance?", "not": "Do you (take|accept) {insurer3}?"},
     ("(We accept|We take|We work with) {insurer} and {insurer2}.", {"is": "Yes, we accept {insurer}.", "which": "We accept {insurer} and {insurer2}.", "not": "We only accept {insurer} and {insurer2}."}),
     ("(We accept|We take) all (public|private) insurances.", {"which": "We accept all @2 insurances."}))
kind("newpatients", "clinic,dentist,vet,physio,optician,salon,gym,school",
     {"is": "(Are you|Do you) (taking|accepting|take|accept) new (patients|clients|customers|members)?|(I am new|I have never been there). Can I (come|register|become a patient)?"},
     ("(We accept|We take) new (patients|clients|members)( again| from {month}|).", {"is": "Yes, we take new @2@3."}),
     ("(We do not accept|We cannot take) new (patients|clients|members)( at the moment| this year).", {"is": "I am sorry, we cannot take new @2@3."}))
kind("prescription", "clinic,vet,pharmacy,optician",
     {"how": "How (do|can) I (get|renew|order) (a|my) (repeat |new |)(prescription|medicine|medication)?|Can I get a (prescription|refill)( by phone|)?|I need a new prescription."},
     ("(Repeat prescriptions|Prescriptions) (are ready|can be collected) (after|within) {hours} hours.", {"how": "@ are ready after {hours} hours."}),
     ("(Order prescriptions|Prescriptions can be ordered) (by phone|online|by email)( before {am}|).", {"how": "You can order prescriptions @2@3."}))
kind("sicknote", "clinic",
     {"is": "(Can I get|How do I get|Do you give) a (sick note|doctor's note)( by phone|)?"},
     ("Sick notes (are only given in person|require a visit|can be sent by email).", {"is": "Sick notes @."}))

# ---- hotel -----------------------------------------------------------------------------------------------------------
kind("checkin", "hotel,hostel,campsite",
     {"in": "(When|What time|From when) (is|can I|does) (check-in|check in)( start|)?|How early can I (check in|arrive|get the room)?|(When|From what time) is (my|the) room ready?|What time can we arrive?", "out": "(When|What time) (is|do I have to|must I) (check-out|check out|leave the room)?|Until when can I stay in the room?|How late is check-out?"},
     ("(Check-in is|Check-in starts|Rooms are ready) (from|at) {pm} and check-out is (until|by) {am}.", {"in": "Check-in is from {pm}.", "out": "Check-out is @3 {am}."}),
     ("(Check-in is|You can check in) from {pm} (to|until) {late}.", {"in": "Check-in is from {pm} to {late}."}),
     ("(Check-out is|Please check out) (by|before|until) {am}.", {"out": "Check-out is @2 {am}."}))
kind("breakfast", "hotel,hostel,campsite",
     {"when": "(When|What time|At what time|From when to when) (is|do you serve|can I have) breakfast( served|)?|When does breakfast (start|end)?|Until when is breakfast?", "cost": "(How much is|What does|Do I pay extra for) (the |)breakfast( cost|)?|Is breakfast included( in the price|)?", "where": "Where (is|do you serve) breakfast( served|)?"},
     ("Breakfast is (served |)from {am} to {am2}.", {"when": "Breakfast is from {am} to {am2}."}),
     ("Breakfast (costs|is) {price} per person.", {"cost": "Breakfast costs {price} per person."}),
     ("Breakfast is included( in the price| in the room rate|).", {"cost": "Yes, breakfast is included."}),
     ("Breakfast is served from {am} to {am2} {floor} and costs {price}.", {"when": "Breakfast is served from {am} to {am2}.", "cost": "Breakfast costs {price}.", "where": "Breakfast is served {floor}."}))
kind("roomprice", "hotel,hostel,campsite",
     {"much": "How much (is|does|costs) {room}( cost|)( per night|)?|What (is the price of|does|do you charge for) {room}( cost|)( per night| a night|)?|What would {room} cost me?|I would like {room}. How much is it?"},
     ("{Room} costs {price} per night.", {"much": "{Room} costs {price} per night."}),
     ("{Room} is {price} (a night|per night)( with breakfast|).", {"much": "{Room} costs {price} per night."}), several=True)
kind("roomfacility", "hotel,hostel,campsite",
     {"is": "(Do|Does) the rooms? have {roomthing}?|Is there {roomthing} in the room?|(Do you have|Are there) rooms with {roomthing}?"},
     ("(All rooms|The rooms|Rooms on the upper floors) have {roomthing}.", {"is": "Yes, @ have {roomthing}."}))
kind("hotelplace", "hotel,hostel,campsite,gym",
     {"when": "(When is|What are the hours of|When can I use) the {facility}( open|)?|Until when is the {facility} open?|(Do you have|Is there) a {facility}?|What time does the {facility} (open|close)?"},
     ("The {facility} is open from {am} to {pm}.", {"when": "(Yes, the|The) {facility} is open from {am} to {pm}."}),
     ("The {facility} is {floor} and (closes at|is open until) {pm}.", {"when": "The {facility} is {floor} and is open until {pm}."}), several=True)
kind("transfer", "hotel,hostel,campsite,clinic",
     {"how": "(How do I get|How can I come) (from|to) the airport?|(Do you have|Is there|Do you offer) (an airport|a) (shuttle|transfer|airport bus)?|How far is the airport?|What does (the shuttle|a taxi)( to the airport|) cost?"},
     ("(The airport shuttle|Our shuttle|The transfer to the airport) costs {price}( and leaves every {minutes} minutes|).", {"how": "@ costs {price}@2."}),
     ("The airport is {km} kilometers away, a taxi costs( about|) {price}.", {"how": "The airport is {km} kilometers away and a taxi costs about {price}."}))
kind("luggage", "hotel,hostel,museum,library",
     {"is": "(Can I leave|Where can I leave|Can you keep|Do you store) my (luggage|bags|suitcase)( after check-out| there|)?|(Is there|Do you have) (a luggage room|luggage storage|lockers)?"},
     ("(Luggage can be left|You can leave your luggage) (at the reception|in the luggage room|in the lockers)( for free| for {price}|).", {"is": "Yes, you can leave it @2@3."}))
kind("latearrival", "hotel,hostel,campsite",
     {"is": "(Can I|What if I|I will) (arrive|come|check in) (late|after midnight|at night)( tonight|)?|Is (the reception|someone) there (at night|all night|24 hours)?|How long is the reception open?"},
     ("(The reception is|The front desk is) (open|staffed) (24 hours|until {late}|day and night).", {"is": "The reception is open @3."}),
     ("(After|For arrivals after) {late}, use (the key box|the door code) {ext}.", {"is": "After {late}, please use @2 {ext}."}))

# ---- shop ------------------------------------------------------------------------------------------------------------
kind("returns", "shop,bookshop,furniture shop,bike shop,toy shop,garden center,electronics shop,pharmacy",
     {"how": "(What is|How is) your return policy?|(Can I|How long can I|How can I|How do I) (return|bring back|give back|exchange) (things|an item|something|a purchase|it)?|How many days do I have to return (something|an item)?|I want to return (something|a thing I bought).|Can I get my money back?"},
     ("(Returns are possible|You can return items|Goods can be returned|Unused items can be returned) within {days} days( with the receipt| in the original box|).", {"how": "You can return items within {days} days@2."}),
     ("(We do not give refunds|There are no refunds), but you can exchange within {days} days.", {"how": "There are no refunds, but you can exchange within {days} days."}))
kind("delivery", "shop,bookshop,furniture shop,bike shop,toy shop,garden center,electronics shop,pharmacy,restaurant,bakery,florist",
     {"is": "(Do you|Can you) deliver( to my home|)?|Is there a (delivery|home delivery)( service|)?|Can you (bring|send) it to (me|my house|my home)?", "cost": "(What does|How much is|How much does) (the |)(delivery|shipping)( cost|)?|Is (delivery|shipping) free?|What do you charge for (delivery|shipping)?", "long": "How long does (delivery|shipping|it) take( to arrive|)?|When (will|does) my order (arrive|come)?"},
     ("(Delivery|Home delivery|Shipping) costs {price}( and takes {days} days|).", {"is": "Yes, delivery costs {price}.", "cost": "Delivery costs {price}."}),
     ("(Delivery|Shipping) is free (above|over|for orders over) {price}.", {"cost": "Delivery is free for orders over {price}.", "is": "Yes, delivery is free for orders over {price}."}),
     ("(Delivery|Shipping) takes {days} (working |)days.", {"long": "Delivery takes {days} days."}),
     ("We deliver within {km} kilometers (for {price}|free of charge).", {"is": "Yes, we deliver within {km} kilometers @.", "cost": "We deliver within {km} kilometers @."}),
     ("(We do not deliver|There is no delivery).", {"is": "I am sorry, we do not deliver."}))
kind("stock", "shop,bookshop,furniture shop,bike shop,toy shop,garden center,electronics shop",
     {"is": "(Do you (sell|have|stock)|Can I buy|Have you got) {plural}?|I am looking for {plural}.|I need {plural}. Do you have them?", "where": "Where (do I find|are|can I find) {plural}?|(Which|What) aisle are {plural} in?"},
     ("(We sell|We have|We stock) {plural}.", {"is": "Yes, we sell {plural}."}),
     ("{Plural} are in {aisle}.", {"is": "Yes, {plural} are in {aisle}.", "where": "{Plural} are in {aisle}."}),
     ("(We do not sell|We do not stock) {plural}.", {"is": "I am sorry, we do not sell {plural}."}),
     ("{Plural} (start at|cost from) {price}.", {"is": "Yes, {plural} start at {price}."}), several=True)
kind("warranty", "shop,furniture shop,bike shop,electronics shop,garage,optician",
     {"how": "(How long is|What is|Is there) (the |a |)(warranty|guarantee)?|How many years of warranty do I get?|What if it breaks?"},
     ("(The warranty is|There is a warranty of|All products have a warranty of) {few} (years|months).", {"how": "The warranty is {few} @2."}))
kind("sale", "shop,bookshop,furniture shop,bike shop,toy shop,garden center,electronics shop",
     {"when": "(When is|Is there|When does) (the|a|your) (next |summer |winter |)sale( start|)?|(Are there|Do you have) any (sales|offers)?"},
     ("The (summer|winter|spring|autumn) sale (starts|begins) on the {dayofmonth} of {month}.", {"when": "The @ sale starts on the {dayofmonth} of {month}."}))
kind("order", "shop,bookshop,furniture shop,bike shop,toy shop,garden center,electronics shop,pharmacy,bakery,florist",
     {"how": "(Can you|Can I) order (something|a product|it|things)( for me|)?|(It is|If it is) not in stock. Can you (get|order) it?|How long (does an order|do orders) take?"},
     ("(Orders|Special orders) (take|arrive within) {weeks}.", {"how": "(Yes, o|O)rders take {weeks}."}))
kind("pickup", "shop,bookshop,furniture shop,bike shop,garden center,electronics shop,pharmacy,bakery,garage",
     {"where": "Where (do|can) I (pick up|collect) my (order|parcel|things)?|How long do you keep my order?"},
     ("(Orders can be picked up|You can collect orders) at {aisle}( within {days} days|).", {"where": "You can collect your order at {aisle}@2."}))

# ---- restaurant, bakery ----------------------------------------------------------------------------------------------
kind("dish", "restaurant,cafe,bakery",
     {"much": "How much is the {dish}?|What does the {dish} cost?|What is the price of the {dish}?", "is": "Do you have {dish}( on the menu|)?|Is there {dish}?|Can I get {dish}?"},
     ("(The |Our ){dish} costs {price}.", {"much": "The {dish} costs {price}.", "is": "Yes, the {dish} costs {price}."}),
     ("(The dish of the day is|Today's special is|The house special is) {dish}.", {"is": "Yes, @ {dish}."}), several=True)
kind("cuisine", "restaurant",
     {"what": "What (kind of food|food|cuisine|kind of kitchen) (do you (have|serve|offer|cook)|is it)?|What do you (cook|serve)?"},
     ("(We cook|Our kitchen is|We serve) {cuisine}( food| dishes| cuisine).", {"what": "We cook {cuisine} food."}))
kind("diet", "restaurant,cafe,bakery,hotel,hostel",
     {"is": "(Do you have|Are there|Is there) (any |)(vegetarian|vegan|gluten-free) (dishes|options|food|meals)?|I am (vegan|vegetarian). (Can I eat there|Is there something for me)?"},
     ("(There are|We have) {few} (vegetarian|vegan|gluten-free) dishes.", {"is": "We have {few} @2 dishes."}))
kind("kitchen", "restaurant,cafe",
     {"when": "(When does|Until when is|How late is) the kitchen (close|open)?|Until when can I (eat|order|get warm food)?|When are last orders?"},
     ("(The kitchen closes at|Last orders are at|The kitchen is open until) {pm}.", {"when": "The kitchen closes at {pm}."}))
kind("tables", "restaurant,cafe",
     {"is": "(Do you have|Can I book|Can we get|Is there) a (large |big |)table for {few} people?|(How big|How large) is (your|the) (largest|biggest) table?|(Can we sit|Are there tables|Do you have tables) outside?|Is there a terrace?"},
     ("(The largest table seats|Our biggest table is for) {few} people.", {"is": "Our largest table seats {few} people."}),
     ("(The terrace|Our garden) has {few} tables( and opens in {month}|).", {"is": "Yes, @ has {few} tables@2."}))

# ---- gym, school, library, museum, garage ----------------------------------------------------------------------------
kind("class", "gym,school,library,museum,community center,dance studio",
     {"when": "(When|What time|On which day) (is|are|does) (the |){class}( class| course| group|)( start| take place|)?|When can I do {class}?|(Do you have|Is there) (a |){class}( class| course|)?|What day is {class}?", "who": "Who (teaches|leads|runs|gives) (the |){class}( class| course|)?"},
     ("{Class} is on {anyday} at {pm}.", {"when": "{Class} is on {anyday} at {pm}."}),
     ("{Class} is on {weekday} and {weekday2} from {pm}.", {"when": "{Class} is on {weekday} and {weekday2} from {pm}."}),
     ("{Class} (is taught|is led) by {person} on {anyday} at {am}.", {"when": "{Class} is on {anyday} at {am}.", "who": "{Class} is taught by {person}."}),
     ("The {class} course starts on the {dayofmonth} of {month} and costs {price}.", {"when": "The {class} course starts on the {dayofmonth} of {month}."}), several=True)
kind("membership", "gym,library,museum,school,community center,dance studio,swimming pool",
     {"much": "(How much is|What does|What is the price of) (a |the |)(membership|member card|monthly fee)( cost|)?|What do I pay (per month|as a member)?", "end": "(How|Until when|When) can I (cancel|end|quit) my (membership|contract)?|What is the notice period?"},
     ("(A membership|Membership|The membership) costs {price} (per month|a month|per year).", {"much": "Membership costs {price} @2."}),
     ("(The notice period is|Memberships can be cancelled with a notice of) {weeks}.", {"end": "The notice period is {weeks}."}))
kind("loan", "library",
     {"long": "How long can I (keep|borrow) (a book|books|movies)?|(For how long|How many days) can I borrow (something|books)?|What is the loan period?", "late": "What (is|are) the (late fee|fine|fines)?|What (does it cost|happens) if I (return a book late|am late with a book|bring a book back late)?", "many": "How many (books|items) can I (borrow|take)( at once|)?"},
     ("(Books can be borrowed for|The loan period is|You can keep books for) {days} days.", {"long": "You can keep books for {days} days."}),
     ("(The late fee is|We charge|Late books cost) {price} per (day|week)( and book|).", {"late": "The late fee is {price} per @2."}),
     ("(You can borrow|Members may borrow) up to {few} (books|items)( at once|).", {"many": "You can borrow up to {few} @2 at once."}))
kind("carloan", "garage,bike shop",
     {"is": "(Do I get|Can I have|Do you have|Is there) a (replacement|loan|courtesy) (car|bike|vehicle)?|How do I get home while you repair it?"},
     ("(A replacement car|A courtesy car|A loan bike) costs {price} per day.", {"is": "Yes, @ costs {price} per day."}),
     ("(A replacement car|A courtesy car|A loan bike) is free (if booked ahead|for repairs over a day).", {"is": "Yes, @ is free @2."}))
kind("ready", "garage,bike shop,optician,tailor,dry cleaner,electronics shop",
     {"when": "(When|How soon) (is|will) (it|my car|my bike|everything|my order)( be|) (ready|finished|done)?|How long does a repair take?|How many days do you need?"},
     ("(Repairs take|Most repairs take|We need) {days} days.", {"when": "Repairs take {days} days."}),
     ("(Same-day service|Express service) costs {price} (extra|more).", {"when": "@ costs {price} @2."}))
kind("towing", "garage",
     {"is": "(Do you have|Is there|Can you send) a (tow truck|towing service)?|My car broke down. Can you (help|pick it up|tow it)?"},
     ("(Our tow truck is|Towing is) available (day and night|until {pm})( at {phone}|).", {"is": "Yes, our tow truck is available @2@3."}))
kind("exhibit", "museum,library,gallery,zoo",
     {"what": "(What is|What's|What can I see in) (the |your |)(current |new |special |)(exhibition|show)( now| about|)?|How long is the (exhibition|show) on?|Until when is the exhibition?"},
     ("(The exhibition|The special exhibition) on {topic} runs until the {dayofmonth} of {month}.", {"what": "The exhibition on {topic} runs until the {dayofmonth} of {month}."}))
kind("tour", "museum,gallery,zoo,brewery",
     {"when": "(When|What time) (is|are|does) (the |)(guided |next |)tours?( start|)?|(Are there|Do you have|Is there) (guided tours|a guided tour|tours)?"},
     ("(Guided tours|Tours) (start|are) (every day|on {anyday}s) at {am} and {pm}.", {"when": "@ are @3 at {am} and {pm}."}))
kind("photo", "museum,gallery,zoo,theater",
     {"is": "(Can I|Am I allowed to|May I) (take photos|take pictures|film|photograph)( inside| there|)?"},
     ("(Photos are allowed|You may take photos) without flash.", {"is": "Yes, photos are allowed without flash."}),
     ("(Photography|Taking photos) is not allowed.", {"is": "No, @ is not allowed."}))
kind("ticket", "museum,gallery,zoo,theater,swimming pool,cinema",
     {"much": "(How much is|What does|What is the price of) (a |the |)(ticket|entry|admission|entrance)( cost|)?|What do I pay to get in?", "where": "Where (can I|do I) (buy|get) tickets?"},
     ("(A ticket|Entry|Admission) costs {price} for adults and {price2} for children.", {"much": "@ costs {price} for adults and {price2} for children."}),
     ("(Entry|Admission) is free on {anyday}s.", {"much": "@ is free on {anyday}s."}),
     ("Tickets are sold (online|at the door|at the kiosk) until {pm}.", {"where": "Tickets are sold @ until {pm}."}))
kind("rental", "*",
     {"much": "(Can I (rent|borrow)|Do you (rent|lend)( out|)) {thing}?|(How much|What) does it cost to (rent|borrow) {thing}?|Where can I get {thing}?|Do you have {thing}( for me| that I can use|)?"},
     ("(You can rent|We rent out|We lend) {thing} for {price}( a day| an hour|).", {"much": "Yes, you can rent {thing} for {price}@2."}),
     ("{Thing} can be borrowed (for free|free of charge)( at the desk|).", {"much": "Yes, {thing} can be borrowed for free@2."}), several=True)
kind("dress", "gym,restaurant,theater,dance studio,swimming pool,law office",
     {"what": "(What should I wear|Is there a dress code|What is the dress code|What clothes do I need)?"},
     ("(Please wear|The dress code is|We ask guests to wear) {clothes}.", {"what": "Please wear {clothes}."}))
kind("water", "campsite,swimming pool,hotel,gym",
     {"temp": "(How warm|How deep|How long) is the (pool|water)?|What is the (water |pool |)temperature?|How big is the pool?"},
     ("The (pool|water) (has|is) {temp} degrees.", {"temp": "The @ has {temp} degrees."}),
     ("The pool is {few} meters long and {depth} meters deep.", {"temp": "The pool is {few} meters long and {depth} meters deep."}))
kind("event", "*",
     {"when": "(When is|What day is|When does) the {event}( take place| start|)?|(Is there|Do you have) (a|an) {event}?|What about the {event}?", "much": "(How much is|What does) the {event}( cost|)?"},
     ("The {event} is on the {dayofmonth} of {month} at {pm}.", {"when": "The {event} is on the {dayofmonth} of {month} at {pm}."}),
     ("The {event} is on {anyday} at {pm} and costs {price}.", {"when": "The {event} is on {anyday} at {pm}.", "much": "The {event} costs {price}."}), several=True)
kind("donation", "museum,library,shelter,church,school,community center",
     {"how": "How (can|do) I (donate|give something|help)?|Do you (take|accept) donations?"},
     ("(Donations of|You can donate) {plural} (are accepted|) on {weekday}s.", {"how": "Yes, you can donate {plural} on {weekday}s."}))
kind("noise", "hotel,hostel,campsite,library",
     {"when": "(When are|What are) (the |)(quiet hours|quiet times)?|(Until when|How long) can we (play music|be loud|have a party)?|When do we have to be quiet?"},
     ("(Quiet hours are|Please be quiet) from {late} to {am}.", {"when": "Quiet hours are from {late} to {am}."}))
kind("code", "hotel,hostel,campsite,gym,community center",
     {"what": "What is the (door code|code for the door|gate code)?|How do I get in( at night|)?"},
     ("The (door|gate) code is {code}.", {"what": "The @ code is {code}."}))
kind("weight", "gym,hotel,shop,bike shop,school,post office",
     {"what": "(What is|Is there) (the |a |)(weight limit|maximum weight|size limit)?|How heavy can (it|I|a parcel|the bag) be?"},
     ("(The maximum weight is|The weight limit is) {size} kilos.", {"what": "The maximum weight is {size} kilos."}))
kind("vaccine", "vet,school,clinic,pet hotel",
     {"when": "(When|How often) (does|should|do) my (dog|cat|child|puppy) (need|get) (a |)vaccinations?( |)?|From what age can (puppies|kittens|children) be vaccinated?"},
     ("(Puppies|Kittens|Children) (are|can be) vaccinated from {few} weeks.", {"when": "@ can be vaccinated from {few} weeks."}))
kind("animals", "vet,pet hotel,zoo,shelter",
     {"which": "(Which|What) animals do you (treat|take|have|see)?|Do you (treat|take|see) {animal}?|My {animal1} is sick. Can you help?"},
     ("(We treat|We take|We see) dogs, cats and {animal}.", {"which": "(Yes, we|We) treat dogs, cats and {animal}."}))

POOLS.update({
    "pm1of": ["1 pm", "1:30 pm", "2 pm", "12:45", "1:15 pm"],
    "late": ["9 pm", "10 pm", "10:30 pm", "11 pm", "midnight"],
    "dept": ["the kitchen", "the billing office", "the workshop", "the children's section", "the pharmacy desk", "reservations", "the laboratory", "the sales team", "accounting", "housekeeping", "the night desk", "customer service", "the manager's office", "the emergency room", "the complaints desk"],
    "hire": ["a cook", "two nurses", "a night porter", "sales assistants", "a trainee", "a cleaner", "a driver", "a part-time receptionist", "a yoga teacher", "a mechanic"],
    "room": ["a single room", "a double room", "a family room", "a suite", "a twin room", "a room with a sea view", "a bed in the dormitory", "an apartment", "a tent pitch", "a cabin", "a deluxe room", "a room with a balcony"],
    "roomthing": ["a safe", "a minibar", "a balcony", "a bathtub", "a kettle", "air conditioning", "a desk", "a television", "a hairdryer", "a coffee machine", "a fridge", "a fan", "blackout curtains"],
    "facility": ["pool", "sauna", "bar", "restaurant", "fitness room", "spa", "rooftop terrace", "steam bath", "game room", "laundry room", "reading room", "climbing wall", "gift shop", "cafe", "business lounge", "garden"],
    "topic": ["Roman glass", "whales", "modern photography", "the history of clocks", "dinosaurs", "local painters", "space travel", "old maps", "toys", "textiles", "steam trains"],
    "clothes": ["sports shoes with clean soles", "a swimming cap", "smart casual clothes", "a jacket and tie", "comfortable clothes", "soft shoes", "long trousers"],
    "temp": ["24", "26", "27", "28", "29", "30", "32"],
    "depth": ["1.4", "1.8", "2", "2.2", "3"],
    "event": ["summer party", "wine tasting", "open day", "book reading", "children's workshop", "jazz night", "quiz night", "flea market", "cooking class", "autumn fair", "information evening", "charity run", "Christmas market", "concert", "film night", "art auction"],
    "code": ["1947", "2580", "7391", "4406", "8812", "3094", "5167", "6620"],
    "animal": ["rabbits", "parrots", "snakes", "hamsters", "turtles", "guinea pigs", "ferrets", "birds", "horses"],
    "animal1": ["rabbit", "parrot", "hamster", "turtle", "bird"],
})
