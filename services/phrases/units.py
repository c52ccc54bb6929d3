"""Everyday names of units of measure, and currencies (which nothing here converts: rates change)."""

import re
from functools import lru_cache
from typing import Any

import pint

from services.phrases import words

# What pint lacks or understands otherwise ("kilos" would be kiloseconds, "m2" nothing).
_EVERYDAY = {
    "kilo": "kilogram", "kilos": "kilogram", "kgs": "kilogram", "lb": "pound", "lbs": "pound", "g": "gram",
    "gr": "gram",
    "gramme": "gram", "grammes": "gram", "t": "metric_ton", "tonne": "metric_ton", "tonnes": "metric_ton",
    "metric ton": "metric_ton", "metric tons": "metric_ton", "st": "stone", "stones": "stone", "ozs": "ounce",
    "c": "degC", "f": "degF", "k": "kelvin", "°c": "degC", "°f": "degF", "celsius": "degC", "centigrade": "degC",
    "fahrenheit": "degF", "kelvin": "kelvin", "kelvins": "kelvin", "degrees c": "degC", "degrees f": "degF",
    "deg c": "degC", "deg f": "degF", "degrees celsius": "degC", "degree celsius": "degC", "degrees centigrade": "degC",
    "degrees fahrenheit": "degF", "degree fahrenheit": "degF", "degrees kelvin": "kelvin",
    "km/h": "kilometer/hour", "kmh": "kilometer/hour", "kph": "kilometer/hour", "kmph": "kilometer/hour",
    "mph": "mile/hour", "rpm": "1/minute", "m/s": "meter/second", "mps": "meter/second", "ft/s": "foot/second",
    "sq m": "meter**2", "sqm": "meter**2", "m2": "meter**2", "m²": "meter**2", "sq ft": "foot**2", "sqft": "foot**2",
    "ft2": "foot**2", "ft²": "foot**2", "km2": "kilometer**2", "km²": "kilometer**2", "cm2": "centimeter**2",
    "m3": "meter**3", "m³": "meter**3", "cm3": "centimeter**3", "cc": "centimeter**3", "ft3": "foot**3",
    "ml": "milliliter", "cl": "centiliter", "dl": "deciliter", "l": "liter", "fl oz": "fluid_ounce",
    "floz": "fluid_ounce", "fluid ounce": "fluid_ounce", "fluid ounces": "fluid_ounce",
    "imperial gallon": "imperial_gallon", "imperial gallons": "imperial_gallon", "imperial pint": "imperial_pint",
    "imperial pints": "imperial_pint", "us gallon": "gallon", "us gallons": "gallon", "us cup": "cup", "us cups": "cup",
    "tbs": "tablespoon", "tbsps": "tablespoon", "tsps": "teaspoon", "nautical mile": "nautical_mile",
    "nautical miles": "nautical_mile", "nm": "nanometer", "light year": "light_year", "light years": "light_year",
    "light-year": "light_year", "light-years": "light_year", "'": "foot", '"': "inch", "ins": "inch", "mtr": "meter",
    "kwh": "kilowatt_hour", "calories": "calorie", "kcals": "kilocalorie", "bhp": "horsepower",
    "horse power": "horsepower", "kb": "kilobyte", "mb": "megabyte", "gb": "gigabyte", "tb": "terabyte",
    "pb": "petabyte", "kib": "kibibyte", "mib": "mebibyte", "gib": "gibibyte", "tib": "tebibyte",
    "mbps": "megabit/second", "gbps": "gigabit/second", "mbit": "megabit", "gbit": "gigabit", "month": "month",
    "months": "month", "yr": "year", "yrs": "year", "hr": "hour", "hrs": "hour", "mins": "minute", "secs": "second",
    "fortnights": "fortnight", "mpg": "mile/gallon", "psi": "psi", "mmhg": "mmHg", "kpa": "kilopascal",
    "hpa": "hectopascal", "mpa": "megapascal", "n": "newton", "j": "joule", "kj": "kilojoule", "w": "watt",
    "kw": "kilowatt", "mw": "megawatt", "hz": "hertz", "khz": "kilohertz", "mhz": "megahertz", "ghz": "gigahertz",
}  # fmt: skip
_SHOWN = {"degC": "°C", "degF": "°F", "kelvin": "K"}
_CURRENCIES = re.compile(
    r"(?:us |u\.s\. |american |canadian |australian )?(?:dollars?|bucks?|euros?|cents?|pence|yen|yuan|renminbi|rupees?|"
    r"roubles?|rubles?|pesos?|francs?|kron(?:a|or|e|er)|zloty|liras?|won|"
    r"rands?|reais|real|dirhams?|shekels?|baht|ringgit|"
    r"forints?|(?:pounds? )?sterling|british pounds?|quid|bitcoins?|btc|eth|ethereum|usd|eur|gbp|jpy|cny|inr|chf|cad|"
    r"aud|"
    r"nzd|sek|nok|dkk|pln|brl|mxn|krw|zar|rub|try|hkd|sgd|[$€£¥₹])"
)


def is_currency(text: str) -> bool:
    """Is `text` the name, code or sign of a currency? "pounds" alone is taken as a weight."""
    return _CURRENCIES.fullmatch(words.fold(text).strip(" .")) is not None


@lru_cache(maxsize=1)
def registry() -> Any:
    """The one pint registry of this process (a pint.UnitRegistry; typed loosely because pint's own type is generic)."""
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


@lru_cache(maxsize=4096)
def find(text: str) -> str | None:
    """The registry's name of the unit that people call `text`, or None when it is no unit."""
    name = words.fold(text).strip(" .,?!") if text.strip() not in {"'", '"'} else text.strip()
    if not name or len(name) > 40 or is_currency(name) or text.strip() == "k":
        return None
    if name in _EVERYDAY:
        return _EVERYDAY[name]
    power = re.fullmatch(r"(square|sq|cubic|cu)\.? (.+)", name)
    if power:
        base = find(power[2])
        return f"({base})**{2 if power[1].startswith('sq') else 3}" if base else None
    per = re.fullmatch(r"(.+?)\s*(?: per |/)\s*(.+)", name)
    if per:
        over, under = find(per[1]), find(per[2])
        return f"({over})/({under})" if over and under else None
    return _known(text.strip(" .,?!").replace(" ", "_")) or _known(name.replace(" ", "_")) or _plural(name)


def _plural(name: str) -> str | None:
    """ "cms", "kms": abbreviations with the s of a plural."""
    return find(name[:-1]) if len(name) > 2 and name.endswith("s") and name[-2] != "s" else None


def same_kind(one: str, other: str) -> bool:
    """Do both measure the same, so that one can be converted to the other?"""
    source, target = find(one), find(other)
    return bool(source and target) and bool(registry().Quantity(1, source).is_compatible_with(target))


def shown(text: str) -> str:
    """How the unit that someone called `text` is written in an answer: their word, but °C, °F and K."""
    return _SHOWN.get(find(text) or "", text.strip(" ."))


def _known(name: str) -> str | None:
    if not re.fullmatch(r"[A-Za-zµ_]{1,30}", name):
        return None
    try:
        parsed = registry().parse_units(name)
    except (pint.UndefinedUnitError, pint.DefinitionSyntaxError, ValueError, AttributeError):
        return None
    counts = re.fullmatch(r"radians?|degrees?|.*(?:bits?|bytes?)", name)
    return str(parsed) if counts or not parsed.dimensionless else None
