"""What is said in the labelled clips of turn-taking: the tuning half's sentences and the test half's, none of them in both.

The recipe of the nets (endings.py, sounds.py) says none of the test half's sentences. Names, streets and numbers are drawn from
lists that differ between the halves and from what the nets are taught.
"""

# (before the pause, after it); a third part where there is one.
THINKING = {
    "tune": [
        ("I would like to book a table for", "four people on Friday"),
        ("My name is", "Robert Miller"),
        ("I need to see the doctor because", "my back hurts"),
        ("Can you tell me", "if you are open on Sunday?"),
        ("I am calling about", "my appointment next week"),
        ("I want to cancel the, um", "the appointment on Monday"),
        ("Is there a", "swimming pool in the hotel?"),
        ("I would like to order two", "large pizzas with cheese"),
        ("Well, I", "I am not sure which day is best"),
        ("Could I speak to", "somebody in the sales department?"),
        ("I would like to book a room", "for two nights in June"),
        ("We are arriving on Thursday", "and we leave on Sunday morning"),
        ("Do you have any parking", "close to the main entrance?"),
        ("The order was late", "so I would like my money back"),
    ],
    "test": [
        ("I would like to reserve a room for", "my parents in August"),
        ("My address is", "twelve Park Street"),
        ("I cannot come tomorrow because", "my son is ill"),
        ("Could you tell me", "how much the breakfast is?"),
        ("I have a question about", "the bill I got last week"),
        ("I want to change the, uh", "the delivery to Saturday"),
        ("Is there any", "bus from the airport to you?"),
        ("I would like to buy three", "blue shirts in size medium"),
        ("So, my", "my problem is that it does not start"),
        ("May I talk to", "the person who sold me the car?"),
        ("I would like to see a dentist", "on Tuesday after four"),
        ("We are five people", "and two of us are vegetarians"),
        ("Do you take credit cards", "or do I have to pay in cash?"),
        ("My parcel has not arrived", "although it was sent on Monday"),
    ],
}

NUMBERS = {
    "tune": [("My number is", "five five five", "zero one two", "three four seven eight"), ("It is", "oh seven seven", "nine hundred", "eight one four"), ("The code is", "four two", "nine six"), ("seven three one", "two two", "zero nine five")],
    "test": [("You can reach me at", "six one seven", "four four two", "nine zero one three"), ("My account is", "one three eight", "five five", "seven two zero"), ("The zip code is", "nine four one", "zero three"), ("eight hundred", "two six four", "one one nine seven")],
}
LETTERS = {
    "tune": [("My name is Smith.", "S. M. I.", "T. H."), ("It is spelled", "B. R. O.", "W. N.")],
    "test": [("The name is Clark.", "C. L. A.", "R. K."), ("That is spelled", "J. O. N.", "E. S.")],
}
WHOLE = {
    "tune": ["What time do you open on Saturday?", "Yes, please.", "How much is a double room?", "I would like to book a table for two on Friday.", "No, thank you.", "Tuesday.", "Do you have parking?", "My name is Robert Miller.", "I need to cancel my appointment.", "Is breakfast included?"],
    "test": ["When does the shop close today?", "Yes, that is right.", "Where can I park my car?", "I would like to change my reservation.", "No, not today.", "On Thursday.", "Can I bring my dog?", "My parcel has not arrived.", "Who is the doctor on duty?", "How long does it take?"],
}

# Said as a whole and stopped inside: the tune is that of going on. The test half also stops recorded human prompts.
STOPPED = {
    "tune": [
        "Could you send me the menu for the wedding party?",
        "I lost my umbrella on the bus this morning.",
        "Which of your rooms has a view of the lake?",
        "We would rather sit outside if the weather is good.",
        "Please tell the doctor that the tablets do not help.",
        "Do you repair old clocks and watches?",
        "My sister booked two tickets for the late show.",
        "How early can I drop off the children?",
    ],
    "test": [
        "Can you move my massage from Tuesday to Friday afternoon?",
        "I have been waiting for the plumber since eight this morning.",
        "Which train goes to the airport after midnight?",
        "My daughter would like to learn how to play the cello.",
        "Is the museum open on the second of January?",
        "The washing machine makes a terrible noise when it spins.",
        "Do I need a visa if I only change planes?",
        "We need two cots and a high chair in the room.",
        "How much would it cost to frame a large picture?",
        "Please cancel the newspaper while we are on holiday.",
        "Have you found a black wallet with a library card in it?",
        "I would like the fish but without any garlic.",
        "When will the new glasses be ready for collection?",
        "The gate code does not work since the power cut.",
        "Are there any seats left for the evening concert?",
        "My neighbour recommended your garage to me.",
        "Could the driver ring me ten minutes before he comes?",
        "We sent the form back three weeks ago by post.",
        "What happens if my flight is delayed by an hour?",
        "I think somebody charged my card twice for one order.",
        "Would it be possible to get a table near the window?",
        "The baby has had a fever since yesterday evening.",
        "Who do I call about a broken street lamp?",
        "He wants to know whether the course is also taught online.",
        "Does the price include towels and bed linen?",
        "I left my reading glasses in the waiting room.",
    ],
}

AGENT = "We are open from Monday to Friday between nine in the morning and five in the afternoon, and on Saturdays until noon. On Sundays and public holidays we are closed, but you can leave a message at any time."
INTERRUPTING = {
    "tune": ["stop", "wait", "no", "hold on", "sorry?", "what about Sunday?", "excuse me", "okay but how much is it?", "can I ask something?", "I meant next week", "that is not what I asked", "hello?", "just a moment please", "yes I know that already"],
    "test": ["stop it", "wait a minute", "no no", "hang on", "pardon?", "and on Saturday?", "one question", "right but is it free?", "could I say something?", "I want to book a room", "you got me wrong", "listen please", "actually never mind", "thanks that is enough"],
}
BACKCHANNELS = {
    "tune": [("[[m'h@m]]", "mm-hmm"), ("uh huh", "uh-huh"), ("yeah", "yeah"), ("okay", "okay"), ("right", "right"), ("I see", "I see"), ("sure", "sure"), ("oh okay", "oh okay"), ("yes", "yes")],
    "test": [("[[h'm]]", "hm"), ("yep", "yep"), ("all right", "all right"), ("okay okay", "okay, okay"), ("good", "good"), ("got it", "got it"), ("yeah right", "yeah, right"), ("[[m:h'm]]", "mm-hmm"), ("ah", "ah")],
}

# More of each kind, so that the sets hold hundreds of different sentences.
THINKING["tune"] += [
    ("I bought a kettle from you", "and it leaks"),
    ("Can I get", "a receipt for the taxi?"),
    ("Would it be all right if", "we came half an hour later?"),
    ("We have a reservation", "but we need one more bed"),
    ("The lamp in the hall", "has been broken since Monday"),
    ("Do you know whether", "the bakery next door is open?"),
    ("I think I left", "my scarf in the cinema"),
    ("My husband and I", "would like a quiet table"),
    ("Are there still tickets", "for the concert in May?"),
    ("What I wanted to ask is", "whether children pay less"),
    ("I am looking for a present", "for a girl of six"),
    ("If the weather is bad", "can we move the party inside?"),
    ("The password that you sent me", "does not work"),
    ("Could you please check", "if my passport has arrived?"),
    ("I need a plumber", "because the kitchen is under water"),
    ("Is the course", "also for beginners?"),
    ("Please tell the manager", "that I called twice"),
    ("I have been a member", "for about eleven years"),
    ("Which of the two buses", "stops at the hospital?"),
    ("When I tried to pay", "the card was refused"),
    ("I would take the red one", "or the green one if it is cheaper"),
    ("Let me think", "it was on the ninth"),
    ("How do I", "switch off the alarm?"),
    ("There are, um", "four of us and a dog"),
    ("I would like to know", "what the deposit is"),
    ("Somebody told me", "you repair violins"),
]
THINKING["test"] += [
    ("We ordered a sofa in spring", "and we still have not heard anything"),
    ("Could I have", "an invoice with the name of my company?"),
    ("Would you mind if", "I paid the rest next month?"),
    ("The heating in our flat", "makes a knocking sound at night"),
    ("Do you happen to know", "who owns the garage behind the church?"),
    ("I believe I forgot", "my umbrella in room nine"),
    ("My sister and her husband", "want to join us on the second day"),
    ("Are there any discounts", "for groups of more than twenty?"),
    ("What I do not understand is", "why the price has doubled"),
    ("I am trying to find", "a flat with a balcony"),
    ("If I send it back today", "when do I get the money?"),
    ("The link in your message", "leads to an empty page"),
    ("Could you have a look", "whether my glasses are ready?"),
    ("I need an electrician", "since the lights keep going out"),
    ("Is the lecture", "open to the public as well?"),
    ("Please let the driver know", "that the gate is locked"),
    ("I have had this contract", "since before you moved"),
    ("Which of your doctors", "speaks French or Spanish?"),
    ("Whenever I open the program", "it asks for a licence"),
    ("I would prefer the morning", "unless that is too early for you"),
    ("Hang on a second", "I have to find my card"),
    ("How long does it", "usually take to get an answer?"),
    ("There will be, er", "nine or ten guests"),
    ("I wanted to find out", "what happened to my complaint"),
    ("A friend of mine said", "you also tune pianos"),
    ("Can we come a day earlier", "and leave a day later?"),
    ("It started on Sunday", "and it has got worse since then"),
    ("The blue one is nice", "but I need it in a larger size"),
    ("My flight lands at ten", "so I will be at the desk around eleven"),
    ("Do I have to sign it", "or is an email enough?"),
    ("He said that the part", "would be here by the weekend"),
    ("I saw on your website", "that you are looking for drivers"),
    ("Who should I ask about", "a stain on the carpet?"),
    ("We would need a projector", "and about thirty chairs"),
    ("Tell me something about", "the difference between the two plans"),
    ("The reason I am ringing is", "that the parcel was open"),
    ("Shall I wait here", "or will you call me back?"),
    ("I cannot find the entrance", "although I walked around twice"),
    ("Is it true that", "the pool is closed in winter?"),
    ("Excuse me, I", "I think we were cut off"),
    ("After the operation", "he could not sleep for a week"),
    ("Would the twelfth", "be possible instead of the tenth?"),
    ("In the last bill", "there is an amount I do not recognise"),
    ("Please give me", "something for the cough"),
    ("Have you still got", "that grey coat in the window?"),
    ("We planned to arrive by car", "but now we are taking the train"),
    ("Where exactly", "do I have to get off?"),
    ("The keys do not fit", "so we are standing in the rain"),
    ("Why is the ferry", "so much more expensive on Friday?"),
    ("My daughter starts school", "and she needs a desk"),
    ("Send it to my office", "because nobody is at home"),
    ("Do you rent bicycles", "and if so for how much?"),
    ("One more thing", "is the kitchen fully equipped?"),
    ("I will take both", "if you can deliver them on Thursday"),
    ("Let me see", "the appointment was at quarter past"),
    ("For the main course", "we would both like the risotto"),
    ("Can I leave", "my suitcase with you until six?"),
    ("What do you recommend", "for somebody with a nut allergy?"),
    ("The man at the counter", "was extremely rude to my mother"),
    ("I could do Wednesday", "or Thursday before lunch"),
    ("Is there a way", "to turn the music down?"),
    ("We are calling from abroad", "and our phone does not work here"),
    ("Please put me through to", "whoever deals with refunds"),
    ("Because of the strike", "we cannot come until the evening"),
]
STOPPED["tune"] += [
    "The soup was cold and nobody came when we asked.",
    "Where did you put the parcel for my neighbour?",
    "I would like a window seat on the early train.",
    "Can the dentist see my son before the holidays?",
    "Our dog ate one of your slippers last night.",
    "What time does the last boat leave the island?",
    "Please write the invoice to my company in Leeds.",
    "Is it possible to rent the hall for a whole day?",
    "The printer prints every page twice since the update.",
    "Do the trousers shrink when they are washed?",
    "I want to give my mother a weekend in the spa.",
    "Who will pick us up when we arrive at the harbour?",
    "My cousin works at the hotel across the road.",
    "Should I bring the old tyres or leave them at home?",
    "We found a small bird in the chimney this morning.",
    "Does the museum have a cloakroom for large bags?",
]
STOPPED["test"] += [
    "Could somebody help me carry the boxes to the lift?",
    "The last time I called I waited for half an hour.",
    "Are the sandwiches made with butter or margarine?",
    "I was told that the nurse would ring me back.",
    "How many people fit into the small meeting room?",
    "There is water dripping from the ceiling of the bathroom.",
    "What does it cost to send a trunk to Norway?",
    "My grandmother needs a chair with a straight back.",
    "Will the road to the lake be open in February?",
    "I filled in the form but I forgot to sign it.",
    "Can you recommend a walk of two or three hours?",
    "The waiter brought us the wrong bottle of wine.",
    "Why was my appointment moved without asking me?",
    "We would like to stay one night longer than planned.",
    "Did anyone hand in a silver earring yesterday?",
    "The engine stops whenever I turn on the heating.",
    "Do you charge extra for a second suitcase?",
    "I have two left shoes in the box you sent me.",
    "When is a good time to see the roses in the park?",
    "Our teacher asked us to order twelve copies of the book.",
    "Is there a chemist near the station that is open at night?",
    "My tooth hurts whenever I drink something cold.",
    "Would you be able to change a large banknote?",
    "He parked his van in front of our driveway again.",
    "Which documents do I need to open an account?",
    "The cake should be ready by noon on the fifteenth.",
    "Have the results of my blood test come in yet?",
    "I prefer a firm mattress because of my shoulder.",
    "How far is it from the hotel to the conference centre?",
    "Please tell my colleague that I am stuck in traffic.",
    "Where can we leave our bicycles during the concert?",
    "The curtains are ten centimetres too short for the window.",
    "Am I allowed to take photographs inside the church?",
    "I bought the tickets online and never received them.",
    "Does your shop also buy used cameras and lenses?",
    "The children would love to see the penguins being fed.",
    "Who decides whether I get the scholarship or not?",
    "We share a subscription and want to split it now.",
    "Can the piano be delivered to the second floor?",
    "It would be great to have a cot next to our bed.",
    "May I bring my own food for the baby?",
    "The tap in the kitchen cannot be turned off any more.",
    "Until what age do children travel free of charge?",
    "Your colleague promised me a call on Monday evening.",
]
WHOLE["tune"] += [
    "Where is the lift?", "Do you take cash?", "Is the tea free?", "Can I smoke outside?", "Are dogs welcome?", "Who runs the kitchen?", "Which floor are you on?", "When can we check in?", "May I speak to the chef?",
    "I need a doctor.", "The shower is cold.", "We will be late tonight.", "Please call me back.", "That is all I wanted to know.", "Two coffees and a tea.", "At the end of March.", "Probably in the afternoon.", "By train.", "A single room.", "Six of us.",
    "What is the fee for a lost key?", "Do you do haircuts for children?", "How old is the building?", "Is the terrace heated in winter?", "Did my colleague book the hall?", "Why is the gate closed today?", "Could I see the wine list?",
]
WHOLE["test"] += [
    "Is the garden open today?", "Do you sell stamps?", "Are you busy?", "Can we sit outside?", "Is the sauna mixed?", "Who is calling, please?", "What is the matter?", "Which key is mine?", "Where are the towels?", "Was the plumber here?",
    "Have you got a moment?", "Does it hurt?", "Will it rain on Sunday?", "Must I register first?", "Could you repeat that?", "Should I bring a towel?", "Did the parcel arrive?", "Am I late?", "How hot is the pool?", "How did it go?",
    "Is there wine?", "Are the shops open on Easter Monday?", "What do I owe you?", "Whose coat is this?", "Can I try it on?", "Do I need a ticket?", "Is a deposit required?", "How often does the shuttle run?", "When is the kitchen closed?", "Where did you park?",
    "I lost my ticket.", "The door is stuck.", "We have changed our minds.", "My wife is pregnant.", "I prefer the window.", "It does not fit me.", "She has already left.", "That would be lovely.", "I will think about it.", "You have been very helpful.",
    "The bill, please.", "A table by the fire.", "Just the soup.", "Next Wednesday evening.", "Around half past nine.", "By bank transfer.", "Near the old bridge.", "Twice a week.", "Medium rare.", "None of them.",
    "Would you like me to come back tomorrow?", "Is the price the same at the weekend?", "Could you tell the doctor that I called?", "What is included in the membership?", "Do your rooms have air conditioning?", "How can I get a copy of the contract?", "I would like to extend my stay by two nights.", "Please do not send me any more letters.", "The package was left in the rain.", "My account seems to be locked.",
]
FIRST = {"tune": "Albert Bridget Carl Denise Edgar Flora Gordon Harriet".split(), "test": "Agnes Barnaby Cecily Desmond Edith Fergus Gwendolyn Humphrey Imogen Jasper".split()}
LAST = {"tune": "Appleton Bradshaw Crawley Dempsey Ellwood Farrow".split(), "test": "Ashworth Blackwood Carmichael Donnelly Everett Fairfax Granger Holloway Ingram Kirkpatrick".split()}
STREETS = {"tune": ["Bishop Road", "Canal Street", "Dover Lane", "Elgin Avenue"], "test": ["Amber Lane", "Bellflower Road", "Cooper Street", "Denmark Avenue", "Falcon Way", "Granary Row", "Heron Close", "Ivory Gardens"]}
TOWNS = {"tune": ["Bedford", "Chester", "Dundee"], "test": ["Aberdeen", "Bristol", "Coventry", "Exeter", "Gloucester", "Hereford"]}
HOUSES = {"tune": "seven eleven sixteen thirty-one".split(), "test": "four nine fourteen eighteen twenty-six fifty-three".split()}
NAME_FRAMES = {"tune": [("My name is", "{first}", "{last}"), ("This is {first}", "{last} speaking"), ("It is for", "{first} {last}")], "test": [("The booking is under", "{first} {last}"), ("I am calling for", "{first}", "{last}"), ("You can ask for {first}", "{last}"), ("The patient is called", "{first} {last}"), ("Please write it to {first}", "{last} junior")]}
ADDRESS_FRAMES = {"tune": [("I live at", "{house} {street}", "in {town}"), ("The address is {house}", "{street}")], "test": [("Send it to", "{house} {street}", "in {town}"), ("We have moved to {house}", "{street} in {town}"), ("My new address is", "{house} {street}"), ("It is the corner of {street}", "and {street2}"), ("Deliver it to {house} {street}", "second floor on the left")]}
NUMBER_FRAMES = {"tune": ["My number is", "It is", "The code is", ""], "test": ["You can reach me at", "The reference starts with", "My account is", "The policy number is", "", ""]}
LETTER_FRAMES = {"tune": ["It is spelled", ""], "test": ["That is spelled", "You write it", "The postcode is", ""]}

INTERRUPTING["tune"] += ["how much", "I need help", "that is wrong", "let me speak", "no I said Monday", "can you repeat that?", "who are you?", "what time?", "I want to cancel", "sorry to interrupt", "please stop talking", "but my flight is today"]
INTERRUPTING["test"] += [
    "enough", "not that one", "where is it?", "I have a question", "say that again", "how long?", "just tell me the price", "when was that?", "you do not understand", "let me finish", "is anybody there?", "I said Thursday", "forget it",
    "what did you say?", "can you speak up?", "do you have a room or not?", "my name is Paula", "never mind that", "quiet please", "too fast", "slow down", "hold it there", "sorry no", "oh wait I forgot something", "yes but not on Sunday",
    "okay and what does it cost?", "could you connect me to a person?", "we only need one night", "the other branch", "I already did that",
]
BACKCHANNELS["tune"] += [("[[m'm]]", "mm"), ("oh yes", "oh yes"), ("fine", "fine"), ("that's right", "that's right"), ("wow", "wow"), ("oh", "oh"), ("sure sure", "sure, sure")]
BACKCHANNELS["test"] += [("[[mh'm]]", "mhm"), ("[[Vh'V]]", "uh-huh"), ("yes okay", "yes, okay"), ("oh I see", "oh I see"), ("great", "great"), ("sounds good", "sounds good"), ("of course", "of course"), ("really", "really"), ("nice", "nice"), ("perfect", "perfect"), ("okay great", "okay, great"), ("aha", "aha")]

# Hedgewars' human speakers, by the names of the recordings. A name tells what a recording is for, not its words: "Yessir" is mostly a
# sentence. Only "Hmm" is a sign of listening by every speaker; screams ("Nooo") are left out.
HUMAN_SPEAKERS = {"tune": ["Default", "HillBilly", "Surfer", "Singer", "Classic"], "test": ["British", "Mobster", "Pirate", "Russian"]}
HUMAN_LISTENING = {"tune": ["Hmm"], "test": ["Hmm"]}
HUMAN_INTERRUPTING = {"tune": ["Cutitout", "Hurry", "Boring", "Comeonthen"], "test": ["Hello", "Leavemealone", "Watchit", "Whatthe", "Stupid", "Byebye", "Excellent", "Brilliant", "Yessir", "Ohdear"]}
