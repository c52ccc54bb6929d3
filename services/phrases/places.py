"""Which time zone a place keeps: cities, countries, states, IANA zones, abbreviations and UTC offsets.

Where a name is ambiguous the most populous place is meant. The table is places.json; its source is in places.md.
"""

import json
import re
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from services.phrases import words

# Abbreviations as people use them: "EST" in July still means the clock on the wall in New York.
_ABBREVIATIONS = {
    "utc": "UTC", "gmt": "UTC", "z": "UTC", "zulu": "UTC",
    "est": "America/New_York", "edt": "America/New_York", "et": "America/New_York", "eastern": "America/New_York",
    "cst": "America/Chicago", "cdt": "America/Chicago", "ct": "America/Chicago", "central": "America/Chicago",
    "mst": "America/Denver", "mdt": "America/Denver", "mountain": "America/Denver",
    "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles",
    "pacific": "America/Los_Angeles", "akst": "America/Anchorage", "hst": "Pacific/Honolulu",
    "bst": "Europe/London", "wet": "Europe/Lisbon", "cet": "Europe/Paris", "cest": "Europe/Paris",
    "eet": "Europe/Athens", "eest": "Europe/Athens", "msk": "Europe/Moscow", "ist": "Asia/Kolkata",
    "jst": "Asia/Tokyo", "kst": "Asia/Seoul", "sgt": "Asia/Singapore", "hkt": "Asia/Hong_Kong",
    "aest": "Australia/Sydney", "aedt": "Australia/Sydney", "acst": "Australia/Adelaide", "awst": "Australia/Perth",
    "nzst": "Pacific/Auckland", "nzdt": "Pacific/Auckland", "sast": "Africa/Johannesburg", "eat": "Africa/Nairobi",
    "wat": "Africa/Lagos", "brt": "America/Sao_Paulo",
}  # fmt: skip
_ALIASES = {
    "nyc": "new york city", "new york": "new york city", "manhattan": "new york city", "brooklyn": "new york city",
    "la": "los angeles", "sf": "san francisco", "frisco": "san francisco", "vegas": "las vegas",
    "philly": "philadelphia",
    "dc": "washington", "washington dc": "washington", "washington d.c.": "washington", "bombay": "mumbai",
    "calcutta": "kolkata", "madras": "chennai", "bangalore": "bengaluru", "peking": "beijing",
    "saigon": "ho chi minh city",
    "kiev": "kyiv", "munchen": "munich", "koln": "cologne", "wien": "vienna", "roma": "rome", "milano": "milan",
    "moskva": "moscow", "lisboa": "lisbon", "praha": "prague", "rangoon": "yangon", "mexico df": "mexico city",
    "geneve": "geneva", "bruxelles": "brussels", "kobenhavn": "copenhagen", "st petersburg": "saint petersburg",
    "st. petersburg": "saint petersburg", "rio": "rio de janeiro", "kl": "kuala lumpur", "hongkong": "hong kong",
    "uk": "united kingdom", "great britain": "united kingdom", "britain": "united kingdom", "england": "london",
    "scotland": "edinburgh", "wales": "cardiff", "northern ireland": "belfast", "us": "united states",
    "usa": "united states", "u.s.": "united states", "u.s.a.": "united states", "america": "united states",
    "uae": "united arab emirates", "holland": "amsterdam", "korea": "south korea", "turkey": "istanbul",
    "turkiye": "istanbul", "czech republic": "prague", "macau": "macao", "ivory coast": "abidjan", "burma": "yangon",
    "ontario": "toronto", "quebec": "montreal", "british columbia": "vancouver", "alberta": "calgary",
    "queensland": "brisbane", "new south wales": "sydney", "western australia": "perth", 
    "bavaria": "munich",
    "frankfurt": "frankfurt am main", "seville": "sevilla", "cebu": "cebu city", "marrakech": "marrakesh",
    "hanover": "hannover", "congo": "kinshasa", "nova scotia": "halifax", "silicon valley": "san jose",
    "new york state": "new york city", "washington, d.c": "washington", "catalonia": "barcelona", "sicily": "palermo",
}  # fmt: skip
# Well-known places that GeoNames counts below the table's size, or spells otherwise, with their zones.
_MORE = {
    "cologne": "Europe/Berlin", "venice": "Europe/Rome", "the hague": "Europe/Amsterdam", "hague": "Europe/Amsterdam",
    "bruges": "Europe/Brussels", "dubrovnik": "Europe/Zagreb", "mecca": "Asia/Riyadh", "goa": "Asia/Kolkata",
    "phuket": "Asia/Bangkok", "tromso": "Europe/Oslo", "ibiza": "Europe/Madrid", "mallorca": "Europe/Madrid",
    "majorca": "Europe/Madrid", "tenerife": "Atlantic/Canary", "canary islands": "Atlantic/Canary",
    "corfu": "Europe/Athens", "crete": "Europe/Athens", "zanzibar": "Africa/Dar_es_Salaam", "bali": "Asia/Makassar",
}  # fmt: skip
# Regions known by the clock of their largest city.
_PROVINCES = frozenset(
    ["ontario", "quebec", "british columbia", "alberta", "queensland", "new south wales", "western australia"]
)
# Large cities that name no zone.
_CAPITALS = frozenset(
    """barcelona munich hamburg frankfurt milan naples turin marseille osaka kyoto beijing mumbai delhi bangalore
    chennai hyderabad boston chicago philadelphia seattle houston dallas atlanta miami montreal ottawa calgary
    canberra edinburgh glasgow manchester birmingham liverpool geneva antwerp rotterdam shenzhen ankara valencia
    seville porto washington minneapolis orlando cleveland""".split()
)
_OFFSET = re.compile(r"(?:utc|gmt)\s*([+-−])\s*(\d{1,2})(?::?(\d{2}))?")


@dataclass(frozen=True)
class Place:
    """name: as shown to people. zone: its clock. zone_name: the IANA name, or UTC with an offset."""

    name: str
    zone: tzinfo
    zone_name: str


@lru_cache(maxsize=2048)
def find(text: str) -> Place | None:
    """The place that `text` names ("Tokyo", "Paris, Texas", "the UK", "EST", "Asia/Kolkata", "UTC+2"), or None."""
    name = _cleaned(text)
    if not name or len(name) > 80:
        return None
    offset = _OFFSET.fullmatch(name)
    if offset:
        return _at_offset(offset)
    if name in _ABBREVIATIONS:
        return _place(name.upper() if len(name) < 5 else name.capitalize(), _ABBREVIATIONS[name])
    zone = _zones().get(name.replace(" ", "_"))
    if zone:
        return _place(zone, zone)
    if name in _MORE:
        return _place(name.title(), _MORE[name])
    return _by_name(_ALIASES.get(name, name)) or _qualified(name) or _town(text, name) or _by_zone_city(name)


def well_known() -> frozenset[str]:
    """The folded names of countries and of cities that name a time zone: what a slip of the pen is compared with."""
    countries = {words.fold(row.split("|")[0]) for row in _data()["countries"].values()}
    cities = {zone.rsplit("/", 1)[1].replace("_", " ") for zone in _zones() if "/" in zone}
    return frozenset(countries | cities | set(_MORE) | _CAPITALS)


def _cleaned(text: str) -> str:
    name = words.fold(text).strip(" .,!?'\"")
    name = re.sub(r"^(?:the city of|city of|downtown|the)\s+", "", name)
    return re.sub(r"\s+(?:standard |daylight |summer )?time(?: ?zone)?$", "", name)


def _at_offset(found: re.Match[str]) -> Place | None:
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > 14 * 60:
        return None
    ahead = found[1] == "+"
    name = f"UTC{'+' if ahead else '-'}{int(found[2])}" + (f":{found[3]}" if found[3] else "")
    return Place(name, timezone(timedelta(minutes=minutes if ahead else -minutes)), name)


def _by_name(name: str) -> Place | None:
    found = _table().get(name)
    return _place(*found[0][:2]) if found else None


def _qualified(name: str) -> Place | None:
    """`city, country` or `city, state`, with or without the comma."""
    for match in re.finditer(r"\s*,\s*|\s+", name):
        city, region = name[: match.start()], name[match.end() :]
        codes = _regions().get(_ALIASES.get(region, region), set())
        for shown, zone, code in _table().get(_ALIASES.get(city, city), []):
            if code in codes or code.split("-")[0] in codes:
                return _place(shown, zone)
    return None


def _town(text: str, name: str) -> Place | None:
    """`town, state` or `town, country` where the town is too small for the table: the clock of the state or country."""
    town, comma, region = (part.strip() for part in name.rpartition(","))
    if not comma or not re.fullmatch(r"[a-z .'-]{2,40}", town):
        return None
    rows = _table().get(_ALIASES.get(region, region), [])
    for shown, zone, code in sorted(rows, key=lambda row: not row[2].startswith("US-")):  # Rome, Georgia: the state
        whole = region in _ALIASES or code in _regions().get(words.fold(shown), set())
        if (whole and code not in _SEVERAL_ZONES) or region in _PROVINCES:
            return _place(text.strip(" .,!?"), zone)
    return None


def _by_zone_city(name: str) -> Place | None:
    """The city that names a zone but is too small for the table."""
    wanted = name.replace(" ", "_")
    for folded, zone in _zones().items():
        if "/" in folded and folded.rsplit("/", 1)[1] == wanted:
            return _place(zone.rsplit("/", 1)[1].replace("_", " "), zone)
    return None


def _place(shown: str, zone: str) -> Place:
    return Place(shown, ZoneInfo(zone), zone)


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {zone.lower(): zone for zone in sorted(available_timezones())}


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Path(__file__).with_name("places.json").read_text(encoding="utf-8"))
    return data


@lru_cache(maxsize=1)
def _table() -> dict[str, list[tuple[str, str, str]]]:
    """Folded name → (name, zone, country or US-state code); countries before cities, cities before states."""
    data = _data()
    zones = data["zones"]
    table: dict[str, list[tuple[str, str, str]]] = {}
    for code, row in data["countries"].items():
        country, capital, number = row.split("|")
        several = f"{country} ({capital})" if code in _SEVERAL_ZONES else country
        table.setdefault(words.fold(country), []).append((several, zones[int(number)], code))
    for row in data["cities"]:
        city, code, number = row.split("|")
        table.setdefault(words.fold(city), []).append((city, zones[int(number)], code))
    for code, row in data["states"].items():
        state, number = row.split("|")
        table.setdefault(words.fold(state), []).append((state, zones[int(number)], f"US-{code}"))
    return table


@lru_cache(maxsize=1)
def _regions() -> dict[str, set[str]]:
    """Folded name or code of a country or US state → the codes that a city there carries."""
    data = _data()
    regions: dict[str, set[str]] = {}
    for code, row in data["countries"].items():
        for name in (words.fold(row.split("|")[0]), code.lower()):
            regions.setdefault(name, set()).add(code)
    for code, row in data["states"].items():
        for name in (words.fold(row.split("|")[0]), code.lower()):
            regions.setdefault(name, set()).add(f"US-{code}")
    return regions


# Countries with more than one clock: the capital's is shown, and the answer says so.
_SEVERAL_ZONES = frozenset("US CA BR RU AU MX ID KZ MN CD CL EC PT ES NZ FM KI PF PG UA".split())
