"""Conditions of steps: `${s1.count} > 0 and "mail" in ${s2.kind}`. Python's operators over outputs, nothing else.

Used by the plan rules (can it be read?) and by the execution worker (does it hold?). Evaluated by simpleeval, which
bounds powers and lengths; names are only those of the references, functions only `len`, `lower`, `upper`, `number`.
"""

import ast
from typing import Any

from simpleeval import DEFAULT_OPERATORS, EvalWithCompoundTypes, InvalidExpression

from services.errors import Failed
from services.journal import references

MAX_LENGTH = 1_000
_FUNCTIONS = {
    "len": len,
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "number": float,
}
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_NODES = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.BinOp),
    *(ast.Call, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple, ast.IfExp, ast.cmpop, ast.operator),
)


def fault(condition: str) -> str | None:
    """Why the condition can't be read, or None."""
    source, _ = references.named(condition)
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "is no expression; write one like ${s1.count} > 0."
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            return f"may not use {type(node).__name__}; compare outputs with ==, <, in, and, or, not."
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
            return f"may call only {', '.join(_FUNCTIONS)}."
        if isinstance(node, ast.Name) and node.id not in {*_FUNCTIONS, *_CONSTANTS} and not references.is_name(node.id):
            return f"has the name {node.id}, which means nothing here; put a text in quotes, an output in ${{…}}."
    return None


def holds(condition: str, outputs: dict[str, Any]) -> bool:
    """Whether it is true of these outputs; what a path does not find is null. Raises Failed when it can't be said."""
    source, paths = references.named(condition)
    names = {name: references.found(match, outputs) for name, match in paths.items()}
    evaluator = EvalWithCompoundTypes(operators=DEFAULT_OPERATORS, functions=_FUNCTIONS, names=names | _CONSTANTS)
    try:
        return bool(evaluator.eval(source))
    except (InvalidExpression, ArithmeticError, TypeError, ValueError) as error:
        raise Failed(f"The condition `{condition}` can't be decided: {error}.") from error
