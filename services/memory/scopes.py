"""Whose a memory is: everybody's of the tenant, a user's, an agent's, or one conversation's."""

from typing import Literal

Scope = Literal["tenant", "user", "agent", "conversation"]


def owner(scope: str, user_id: str, *, agent: str | None = None, conversation_id: str | None = None) -> str:
    """The key under which memories of this scope are kept. No two owners of a tenant share a key.

    Raises ValueError when the scope needs an agent or a conversation and none is given.
    """
    if scope == "tenant":
        return "tenant"
    if scope == "agent":
        if not agent:
            raise ValueError("a memory of an agent's scope needs an agent")
        return f"agent:{agent}"
    if scope == "conversation":
        if not conversation_id:
            raise ValueError("a memory of a conversation's scope needs a conversation")
        # the length keeps "a" in "b/c" apart from "a/b" in "c"
        return f"conversation:{len(user_id)}:{user_id}/{conversation_id}"
    return f"user:{user_id}"


def visible(user_id: str, *, agent: str | None = None, conversation_id: str | None = None) -> list[str]:
    """The owners whose memories this user sees, working with this agent in this conversation."""
    owners = [owner("user", user_id), owner("tenant", user_id)]
    if agent:
        owners.append(owner("agent", user_id, agent=agent))
    if conversation_id:
        owners.append(owner("conversation", user_id, conversation_id=conversation_id))
    return owners
