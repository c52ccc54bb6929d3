"""The tool `convert_units`: quantities from one unit of measure to another, everyday names understood."""

import math
from typing import Any

import pint

from services.errors import Failed
from services.phrases import numbers, units
from services.tools.contract import tool


@tool(
    effect="pure",
    timeout=10,
    capabilities=["unit conversion", "length, weight, volume, temperature, speed, data, time"],
    examples=["Convert 26.2 miles to kilometres", "How many grams are in 3 ounces?", "98.6 °F in Celsius"],
)
def convert_units(value: float, from_unit: str, to_unit: str) -> dict[str, Any]:
    """Convert `value` from one unit of measure to another (no currencies).

    Units by everyday name or symbol: "miles", "km", "sq ft", "km/h", "fahrenheit". Returns `value`, `unit` and `text`.
    """
    if not math.isfinite(value):
        raise Failed("The value to convert has to be a finite number.")
    source, target = _unit(from_unit), _unit(to_unit)
    registry = units.registry()
    try:
        converted = float(registry.Quantity(value, source).to(target).magnitude)
    except pint.DimensionalityError as error:
        raise Failed(
            f"{from_unit} can't be converted to {to_unit}: one measures {_measures(source)}, "
            f"the other {_measures(target)}; name two units of the same kind."
        ) from error
    except (OverflowError, ZeroDivisionError) as error:
        raise Failed(f"{value} {from_unit} is out of the range that can be converted to {to_unit}.") from error
    result = float(f"{converted:.12g}")
    text = f"{numbers.show(value)} {units.shown(from_unit)} is {numbers.rounded(result)} {units.shown(to_unit)}."
    return {
        "value": int(result) if result.is_integer() and abs(result) < 1e15 else result,
        "unit": to_unit,
        "text": text,
    }


def _unit(name: str) -> str:
    if units.is_currency(name):
        raise Failed(f"{name} is a currency, and there are no exchange rates here; name a unit of measure.")
    found = units.find(name)
    if found is None:
        raise Failed(f"There is no unit of measure called “{name}”; write it out, such as kilometres, pounds or °C.")
    return found


def _measures(unit: str) -> str:
    """What a unit measures, in a word or two, such as `length`."""
    dimensions = units.registry().Quantity(1, unit).dimensionality
    kinds = {"[length]": "length", "[mass]": "mass", "[time]": "time", "[temperature]": "temperature",
             "[length] ** 2": "area", "[length] ** 3": "volume", "[length] / [time]": "speed"}  # fmt: skip
    return kinds.get(str(dimensions), str(dimensions).replace("[", "").replace("]", ""))
