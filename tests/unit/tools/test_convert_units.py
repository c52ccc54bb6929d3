"""The tool `convert_units`: everyday names, temperatures, and typed refusals."""

import pytest

from execution_worker.tools.convert_units import convert_units
from services.errors import Failed


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (26.2, "miles", "kilometres", 42.1648128),
        (98.6, "Fahrenheit", "Celsius", 37),
        (-40, "°C", "°F", -40),
        (0, "celsius", "kelvin", 273.15),
        (80, "kilos", "lbs", 176.36981),
        (100, "km/h", "mph", 62.137119),
        (3, "sq ft", "square metres", 0.278709),
        (2, "GB", "MB", 2000),
        (1, "GiB", "MiB", 1024),
        (1, "day", "seconds", 86400),
        (2, "fluid ounces", "ml", 59.14706),
        (10, "litres per hour", "ml per minute", 166.66667),
        (1, "nautical mile", "km", 1.852),
        (11, "stone", "kg", 69.853225),
    ],
)
def test_a_quantity_is_converted(value: float, source: str, target: str, expected: float) -> None:
    assert convert_units.function(value, source, target)["value"] == pytest.approx(expected, rel=1e-6)


def test_the_text_uses_the_words_of_the_request() -> None:
    assert convert_units.function(26.2, "miles", "kilometres")["text"] == "26.2 miles is 42.1648 kilometres."
    assert convert_units.function(98.6, "fahrenheit", "celsius")["text"] == "98.6 °F is 37 °C."


@pytest.mark.parametrize(
    ("value", "source", "target", "says"),
    [
        (6, "litres", "kilograms", "volume.*mass"),
        (1, "blorps", "metres", "no unit of measure called “blorps”"),
        (10, "dollars", "euros", "currency"),
        (10, "kg", "USD", "currency"),
        (float("inf"), "km", "miles", "finite"),
        (1, "__class__", "km", "no unit"),
        (1, "km" * 50, "km", "no unit"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(value: float, source: str, target: str, says: str) -> None:
    with pytest.raises(Failed, match=says):
        convert_units.function(value, source, target)
