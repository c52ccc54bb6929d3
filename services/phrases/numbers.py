"""Numbers as people write them: words ("two hundred and five"), thousands separators, and how to show a result."""

import math
import re

_UNITS = {
    word: value
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""".split()
    )
}
_TENS = {
    word: (value + 2) * 10 for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SMALL = "|".join([*_TENS, *sorted(_UNITS, key=len, reverse=True)])
_WORD = rf"(?:{_SMALL}|{'|'.join(_SCALES)})"
_RUN = re.compile(rf"\b(?:an?\s+(?={'|'.join(_SCALES)}))?{_WORD}(?:(?:[\s-]+|\s+and\s+){_WORD})*\b", re.IGNORECASE)
_POINT = re.compile(rf"\b(\d+) point ((?:(?:{_SMALL}|\d+)(?:\s|\b))+)", re.IGNORECASE)
_SCALED = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(thousand|million|billion|trillion)\b", re.IGNORECASE)


def to_digits(text: str) -> str:
    """`text` with number words and thousands separators written as plain digits."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = _SCALED.sub(lambda found: show(float(found[1]) * _SCALES[found[2].lower()]), text)
    text = re.sub(r"\b(?:half a|a half) (dozen)\b", "6", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(\d+|two|three|four|five|six) dozen\b", _dozens, text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:a |one )?dozen\b", "12", text, flags=re.IGNORECASE)
    text = re.sub(r"\ba couple(?: of)?\b", "2", text, flags=re.IGNORECASE)
    text = _RUN.sub(_run_to_digits, text)
    text = _POINT.sub(
        lambda found: f"{found[1]}.{''.join(re.findall(r'[0-9]+', _RUN.sub(_run_to_digits, found[2])))} ", text
    )
    text = re.sub(r"\b(\d+) and a half\b", r"\1.5", text)
    return re.sub(r"\b(\d+) and a quarter\b", r"\1.25", text)


def show(value: float) -> str:
    """`value` for people: no float noise, no trailing zeros, no exponent below 1e15."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.15g}"


def rounded(value: float, digits: int = 6) -> str:
    """`value` to so many significant digits, whole parts kept whole; what a converted quantity is shown as."""
    if value == int(value) or abs(value) >= 10**digits:
        return show(round(value))
    short = f"{value:.{digits}g}"
    return f"{float(short):.15g}" if abs(value) >= 1e-4 else short


def _dozens(found: re.Match[str]) -> str:
    count = found[1].lower()
    return str(12 * (int(count) if count.isdigit() else _UNITS[count]))


def _run_to_digits(found: re.Match[str]) -> str:
    words = [word for word in re.split(r"[\s-]+", found[0].lower()) if word not in {"and", "a", "an"}]
    numbers: list[int] = []
    total = current = 0
    last = ""
    for word in words:
        if word in _SCALES:
            scale = _SCALES[word]
            current = max(current, 1) * scale
            if scale > 100:
                total, current = total + current, 0
        elif last and not _joins(last, word):
            # "five and seven" is two numbers, "twenty-five" and "hundred and five" are one
            numbers.append(total + current)
            total, current = 0, _value(word)
        else:
            current += _value(word)
        last = word
    numbers.append(total + current)
    return " and ".join(str(number) for number in numbers)


def _joins(last: str, word: str) -> bool:
    return last in _SCALES or (last in _TENS and 0 < _UNITS.get(word, 0) < 10)


def _value(word: str) -> int:
    return _UNITS.get(word, _TENS.get(word, 0))
