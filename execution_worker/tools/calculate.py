"""The tool `calculate`: arithmetic as people write it, with hard limits, without float noise."""

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable
from typing import Any

from simpleeval import DEFAULT_OPERATORS, InvalidExpression, SimpleEval

from services.errors import Failed
from services.phrases import numbers
from services.tools.contract import tool

MAX_LENGTH = 500
MAX_DIGITS = 300
_RATIO = re.compile(r"(\d{1,15})\s*:\s*(\d{1,15})")
_NUMBER = r"\d+(?:\.\d+)?|\.\d+"


@tool(
    effect="pure",
    timeout=10,
    capabilities=["arithmetic", "percentages", "powers and roots"],
    examples=["What is 17% of 2340?", "(14 + 6) * 3.5", "2340 - 15%", "sqrt(1764)"],
)
def calculate(expression: str) -> dict[str, Any]:
    """Work out an arithmetic expression.

    Takes + - * / ^ ( ), percent as in `17% of 2340` and `2340 - 15%`, a ratio `18:24`, sqrt, cbrt, abs, round, floor,
    ceil, min, max, avg, median, sum, gcd, lcm, log, ln, exp, sin, cos, tan, factorial
    (`5!`), pi and e. Returns `value` (a number) and `text`.
    """
    if len(expression) > MAX_LENGTH:
        raise Failed(f"The expression has {len(expression)} characters; at most {MAX_LENGTH} are taken.")
    if ratio := _RATIO.fullmatch(expression.strip()):
        return _simplified(expression.strip(), int(ratio[1]), int(ratio[2]))
    value = _clean(_evaluate(_as_python(expression)))
    return {"value": value, "expression": expression.strip(), "text": f"{_shown(expression)} is {numbers.show(value)}."}


def _simplified(expression: str, left: int, right: int) -> dict[str, Any]:
    """18:24 is 3:4; its value is the quotient."""
    if right == 0:
        raise Failed("That divides by zero, which has no result; use another divisor.")
    common = math.gcd(left, right)
    shown = f"{left // common}:{right // common}"
    value = _clean(left / right)
    return {"value": value, "expression": expression, "text": f"{expression} is {shown} in lowest terms."}


def _evaluate(source: str) -> Any:
    try:
        return _evaluator().eval(source)
    except ZeroDivisionError as error:
        raise Failed("That divides by zero, which has no result; use another divisor.") from error
    except OverflowError as error:
        raise Failed(f"The result has more than {MAX_DIGITS} digits; use smaller numbers.") from error
    except Failed:
        raise
    except (InvalidExpression, SyntaxError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Failed(
            f"“{source[:80]}” is not arithmetic that can be worked out; write numbers with + - * / ^ ( ) % or sqrt."
        ) from error


def _as_python(expression: str) -> str:
    """The expression in Python's notation, with percent spelled out."""
    text = numbers.to_digits(expression.strip().rstrip("=?").strip())
    for sign, plain in {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "√": "sqrt ", "π": "pi"}.items():
        text = text.replace(sign, plain)
    text = re.sub(r"(?<=[\d)])\s*[xX]\s*(?=[\d(.])", " * ", text)
    text = re.sub(r"[$€£¥]\s*(?=\d)", "", text)
    text = re.sub(rf"\b(sqrt|cbrt)\s+(?:of\s+)?({_NUMBER})", r"\1(\2)", text)
    text = re.sub(rf"({_NUMBER}|\))\s*!(?!=)", _factorial, text)
    text = re.sub(rf"({_NUMBER})\s*(?:percent\b|per cent\b)", r"\1%", text)
    text = re.sub(rf"({_NUMBER})\s*%\s*of\b", r"(\1/100) *", text)
    text = re.sub(rf"({_NUMBER}\s*/\s*{_NUMBER})\s+of\b", r"(\1) *", text)
    text = _percent_steps(text)
    text = re.sub(rf"({_NUMBER})\s*%(?!\s*[\w(.])", r"(\1/100)", text)
    return re.sub(r"(?<=[\d)])\s*(?=\()", " * ", text) if not re.search(r"[A-Za-z]\d", text) else text


def _factorial(found: re.Match[str]) -> str:
    if found[1] == ")":
        raise Failed("A factorial is taken of a plain number only, such as 5!, or factorial(2 + 3).")
    return f"factorial({found[1]})"


def _percent_steps(text: str) -> str:
    """`a + 15%` and `a - 15%` mean 15 % of a, where a is all that stands before within the same parentheses."""
    step = re.compile(rf"([+-])\s*({_NUMBER})\s*%(?!\s*[\w(.])")
    while found := step.search(text):
        start = _opening(text, found.start())
        left = text[start : found.start()]
        if not left.strip():
            return text
        text = f"{text[:start]}({left.strip()}) * (1 {found[1]} {found[2]}/100){text[found.end() :]}"
    return text


def _opening(text: str, end: int) -> int:
    depth = 0
    for position in range(end - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[position], 0)
        if depth < 0:
            return position + 1
    return 0


def _evaluator() -> SimpleEval:
    operators: dict[type[ast.AST], Callable[..., Any]] = {
        **{kind: DEFAULT_OPERATORS[kind] for kind in (ast.Add, ast.Sub, ast.Div, ast.FloorDiv, ast.USub, ast.UAdd)},
        ast.Mult: _multiply,
        ast.Mod: operator.mod,
        ast.Pow: _power,
    }
    functions: dict[str, Callable[..., Any]] = {
        "sqrt": _root, "cbrt": math.cbrt, "abs": abs, "round": round, "floor": math.floor, "ceil": math.ceil,
        "min": min, "max": max, "avg": _average, "mean": _average, "average": _average, "median": statistics.median,
        "sum": lambda *all_: sum(all_),
        "log": math.log10, "log10": math.log10, "log2": math.log2, "ln": math.log, "exp": math.exp, "sin": math.sin,
        "cos": math.cos, "tan": math.tan, "factorial": _factorial_of, "gcd": math.gcd, "lcm": math.lcm, "pow": _power,
    }  # fmt: skip
    return SimpleEval(operators=operators, functions=functions, names={"pi": math.pi, "e": math.e, "tau": math.tau})


def _multiply(left: float, right: float) -> float:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > MAX_DIGITS * 3.33:
        raise OverflowError
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError("numbers only")
    return left * right


def _power(base: float, exponent: float) -> float:
    """base ** exponent; a result of too many digits is refused before it is worked out (9**9**9)."""
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    if abs(base) > 1 and exponent * math.log10(abs(base)) > MAX_DIGITS:
        raise OverflowError
    result = base**exponent
    if isinstance(result, complex):
        raise Failed("An even root of a negative number is not a real number; use a positive number.")
    return result


def _root(value: float) -> float:
    if value < 0:
        raise Failed("The square root of a negative number is not a real number; use a positive number.")
    if isinstance(value, int) and math.isqrt(value) ** 2 == value:
        return math.isqrt(value)
    return math.sqrt(value)


def _average(*values: float) -> float:
    if not values:
        raise ValueError("nothing to average")
    return sum(values) / len(values)


def _factorial_of(value: float) -> int:
    if value != int(value) or value < 0:
        raise Failed("A factorial is taken of a whole number from 0 on, such as 5!.")
    if value > 170:
        raise OverflowError
    return math.factorial(int(value))


def _clean(value: Any) -> int | float:
    """A number without float noise: 0.1 + 0.2 is 0.3, and 8 / 2 is 4."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Failed("The expression gives no number; write arithmetic such as 17% of 2340.")
    if isinstance(value, int):
        return value
    if math.isnan(value) or math.isinf(value):
        raise Failed(f"The result has more than {MAX_DIGITS} digits; use smaller numbers.")
    short = float(f"{value:.14g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def _shown(expression: str) -> str:
    """The expression as people write it: single spaces, spaces around operators."""
    text = " ".join(expression.strip().rstrip("=?").split()).replace("**", "^")
    return re.sub(r"(?<=[\d)%])\s*([*/×÷])\s*(?=[\d(.a-z])", r" \1 ", text)
