"""The tool query_json: pick and reshape JSON with JMESPath."""

from typing import Annotated, Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError
from pydantic import Field

from services.errors import Failed
from services.tools.contract import tool


@tool(
    effect="pure",
    instant=True,
    timeout=10,
    capabilities=["pick values out of JSON", "filter, sort and reshape JSON"],
)
def query_json(value: Any, query: Annotated[str, Field(min_length=1, max_length=2_000)]) -> dict[str, Any]:
    """Query JSON with a JMESPath expression, like `items[?price > `10`].name` or `sort_by(@, &age)[0]`.

    `value` may be JSON as a text. Returns {"value": what was found, null if nothing, "text": the same as text}.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise Failed(f"The value is a text that is not JSON: {error.msg}.") from error
    try:
        found = jmespath.search(query, value)
    except JMESPathError as error:
        raise Failed(f"The query can't be used: {' '.join(str(error).split())}.") from error
    return {"value": found, "text": found if isinstance(found, str) else orjson.dumps(found).decode()}
