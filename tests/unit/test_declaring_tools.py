"""What a tool says of itself must make sense, or it is refused where it is written."""

import pytest

from services.tools.contract import tool


def test_a_tool_with_an_effect_is_not_instant() -> None:
    with pytest.raises(TypeError, match="pure"):
        tool(effect="idempotent", instant=True)


def test_verify_and_its_function_go_together() -> None:
    with pytest.raises(TypeError, match="verify"):
        tool(effect="verify")
    with pytest.raises(TypeError, match="verify"):
        tool(effect="pure", verify=lambda context: None)


def test_a_tool_without_a_docstring_is_refused() -> None:
    def silent() -> None: ...

    with pytest.raises(TypeError, match="silent needs a docstring"):
        tool(effect="pure")(silent)
