"""How long to wait for the next attempt: an expression of `attempt` (1 after the first), like `min(600, 2 ** attempt)`.

Evaluated by simpleeval, which bounds powers; numbers, arithmetic, comparisons and a few functions, nothing else.
"""

import ast
import math
import random

from simpleeval import InvalidExpression, SimpleEval

MAX_LENGTH = 200
LONGEST = 7 * 86_400.0
_FUNCTIONS = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "sqrt": math.sqrt,
}
_NODES = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.USub, ast.Call, ast.Name, ast.Load, ast.Constant, ast.IfExp),
    *(ast.Compare, ast.cmpop, ast.operator, ast.BoolOp, ast.And, ast.Or),
)


def fault(expression: str, attempts: int) -> str | None:
    """Why the expression can't be used for so many attempts, or None."""
    try:
        tree = ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "is no expression; write one like min(600, 2 ** attempt)."
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            return f"may not use {type(node).__name__}; it takes numbers, attempt, arithmetic and {_known()}."
        if isinstance(node, ast.Name) and node.id not in {*_FUNCTIONS, "attempt"}:
            return f"has the name {node.id}, which means nothing here; it takes attempt and {_known()}."
    for attempt in range(1, max(attempts, 2)):
        if _value(expression, attempt) is None:
            return f"gives no number of seconds (0 or more) after attempt {attempt}."
    return None


def seconds(expression: str | None, attempt: int) -> float:
    """The wait after this many failures, a week at most. Without an expression it doubles, up to ten minutes."""
    if expression is not None:
        found = _value(expression, attempt)
        if found is not None:
            return min(found, LONGEST)
    return min(2.0**attempt, 600.0) * random.uniform(0.75, 1)


def _value(expression: str, attempt: int) -> float | None:
    evaluator = SimpleEval(functions=_FUNCTIONS, names={"attempt": attempt})
    try:
        found = float(evaluator.eval(expression))
    except (InvalidExpression, ArithmeticError, TypeError, ValueError):
        return None
    return found if math.isfinite(found) and found >= 0 else None


def _known() -> str:
    return ", ".join(_FUNCTIONS)
