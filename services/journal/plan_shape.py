"""The wire shape of a plan and its steps: what a caller posts, what a model writes, what the API shows."""

from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.journal import conditions, references

FLOW_KEY = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}"  # tool:, tenant: and agent: keys are given by what they name


class _Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class StepRetry(_Wire):
    """How often and how far apart a step is tried; what is left out comes from the tool, then from the settings."""

    attempts: int | None = Field(None, ge=1, le=100)
    base: float | None = Field(None, ge=0, le=3600, description="seconds before the second attempt; doubles each time")
    cap: float | None = Field(None, ge=0, le=86_400, description="longest wait between attempts, in seconds")


class PlanStep(_Wire):
    """One node of a plan. `depends_on` adds to the dependencies that the references in `arguments` imply."""

    id: Annotated[str, Field(pattern=f"^{references.STEP_ID}$")]
    tool: Annotated[str, Field(min_length=1, max_length=128)]
    arguments: dict[str, Any] = Field(default_factory=dict)
    depends_on: list[str] = Field(default_factory=list)
    when: Annotated[str, Field(min_length=1, max_length=conditions.MAX_LENGTH)] | None = Field(
        None,
        description="a condition over earlier outputs, such as ${s1.count} > 0; the step is skipped if it is false",
    )
    for_each: Annotated[str, Field(min_length=1, max_length=1_000)] | None = Field(
        None, description="a reference to a list: the step runs for every ${item}, and its output is the list of theirs"
    )
    timeout: float | None = Field(None, gt=0, le=86_400, description="seconds for one attempt")
    retry: StepRetry | None = None
    required: bool | None = Field(
        None, description="a failure of this step fails the run (default: true in a caller's plan)"
    )
    flow: Annotated[str, Field(pattern=f"^{FLOW_KEY}$")] | None = Field(
        None, description="a key of your own whose limits hold for this step"
    )
    why: str | None = Field(None, max_length=2_000, description="what this step is for, in a few words")

    @cached_property
    def dependencies(self) -> list[str]:
        """The ids of the steps that must be done first: named ones, then those that references imply, each once."""
        return list(dict.fromkeys([*self.depends_on, *sorted(self.referred)]))

    @property
    def referred(self) -> set[str]:
        """The ids that references name, in the arguments, the condition and the list."""
        inside = references.step_ids(self.arguments)
        if self.for_each is not None:
            inside -= references.OF_ITEM
        return inside | references.step_ids(self.when) | references.step_ids(self.for_each)

    @property
    def control(self) -> dict[str, str] | None:
        """`when` and `forEach`, for the journal."""
        given = {"when": self.when, "forEach": self.for_each}
        return {name: value for name, value in given.items() if value is not None} or None


class Plan(_Wire):
    """How a run goes about its request: steps that form a DAG. No step at all is a plan to answer directly.

    note: what the planner wants the answer to say of the plan as a whole (what it declined and why, for instance).
    """

    steps: list[PlanStep] = Field(default_factory=list)
    note: str | None = Field(None, max_length=4_000)
