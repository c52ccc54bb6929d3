"""A made-up month of messages: facts that change, repeats, chatter and quoted recalls. The same for the same seed."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
DAYS = 30
THINGS = ["dentist", "gym", "landlord", "bank", "favourite tea", "car", "phone number", "shoe size", "piano teacher"]
VALUES = [
    "Harbour",
    "Linden",
    "Marlow",
    "Copper",
    "Juniper",
    "Falcon",
    "Ribe",
    "Osprey",
    "Tern",
    "Willow",
    "Quarry",
    "Moss",
]
FORMS = ["My {thing} is {value}.", "Update: my {thing} is now {value}.", "By the way, my {thing} is {value} now."]
CHATTER = [
    "Hi!", "Good morning", "ok thanks", "lol", "See you later", "Thank you so much!", "great", "hmm ok", "no problem",
    "What time is it?", "Can you help me?", "nice, thanks", "Sounds good", "you too", "bye", "How are you today?",
]  # fmt: skip
QUOTES = [
    "You told me that {fact}",
    "As you said, {fact}",
    "> {fact}",
    "From memory: {fact}",
    "Earlier you said {fact}",
]
EVENTS = ["We {did} the {thing} near {place}.", "Our neighbour {did} a {thing} from {place}."]
DID = ["painted", "sold", "repaired", "photographed", "borrowed", "lost", "found", "cleaned"]
OBJECTS = ["canoe", "lantern", "greenhouse", "bicycle", "loom", "ladder", "tent", "clock", "kettle", "sledge"]
PLACES = ["Aarhus", "Bodo", "Lund", "Turku", "Visby", "Skagen", "Molde", "Kalmar", "Varde", "Narvik"]


@dataclass(frozen=True)
class Message:
    """What was said when. sort: fact, event, repeat, chatter or quote."""

    at: datetime
    text: str
    sort: str


@dataclass
class Month:
    """The messages in their order, and for each thing the values that it had: (since, value)."""

    messages: list[Message] = field(default_factory=list)
    values: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)


def make(count: int, seed: int) -> Month:
    """`count` messages over thirty days."""
    chance, month, told = random.Random(seed), Month(), []
    for number in range(count):
        at = START + timedelta(seconds=number * DAYS * 86_400 / count)
        sort = chance.choices(["fact", "event", "repeat", "chatter", "quote"], [4, 26, 15, 40, 15])[0]
        if sort in {"repeat", "quote"} and not told:
            sort = "event"
        if sort == "fact":
            text = _fact(chance, month, at)
            told.append(text)
        elif sort == "event":
            text = chance.choice(EVENTS).format(
                did=chance.choice(DID), thing=chance.choice(OBJECTS), place=chance.choice(PLACES)
            )
            told.append(text)
        elif sort == "repeat":
            text = chance.choice([text for text in told if _still_true(text, month)] or CHATTER)
        elif sort == "quote":
            fact = chance.choice(told)
            text = chance.choice(QUOTES).format(fact=fact[0].lower() + fact[1:])
        else:
            text = chance.choice(CHATTER)
        month.messages.append(Message(at, text, sort))
    return month


def _fact(chance: random.Random, month: Month, at: datetime) -> str:
    thing = chance.choice(THINGS)
    had = month.values.setdefault(thing, [])
    value = chance.choice([value for value in VALUES if not had or value != had[-1][1]])
    had.append((at, value))
    return chance.choice(FORMS).format(thing=thing, value=value)


def _still_true(text: str, month: Month) -> bool:
    """Saying an old value again would not be a repeat but a change back."""
    return all(f"my {thing} is" not in text.lower() or had[-1][1] in text for thing, had in month.values.items())
