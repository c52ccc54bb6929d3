"""What may be asked of the start of a run: later, once, as one with others, and who is told (services/journal/
submissions.py). Fields of POST /api/agent/start."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from gateway import bodies
from gateway.fields import Moment
from services import clock
from services.delivery import deduplications, publishing
from services.errors import BadInput, FieldError

YEAR = 366 * 86_400
BATCH = 100

Url = Annotated[str, Field(min_length=1, max_length=8_000)]
Seconds = Annotated[float, Field(gt=0, le=YEAR)]


class Callbacks(bodies.Body):
    """URLs that are told: of the end (success, failure), of each step's end, and when it waits for a person (paused).

    secret: the name of the secret that signs it.
    """

    success: Url | None = None
    failure: Url | None = None
    step: Url | None = None
    paused: Url | None = None
    secret: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    def to_row(self, pointer: str) -> dict[str, str]:
        """What the journal keeps. Raises BadInput for what is no URL."""
        found = self.model_dump(exclude_none=True)
        for name, url in found.items():
            if name != "secret":
                publishing.check_url(url, f"{pointer}/{name}")
        return found


class Coalesce(bodies.Body):
    """Runs of one key as one. singleton: the one that lives stands for this one. debounce: the last one counts, and
    begins after `seconds` without another (`longest` after the first at the latest). batch: all requests of `seconds`,
    or `max` of them, are one run."""

    mode: Literal["singleton", "debounce", "batch"]
    key: Annotated[str, Field(min_length=1, max_length=200)]
    seconds: Seconds = 5
    longest: Seconds = 300
    max: Annotated[int, Field(ge=2, le=1_000)] = BATCH


class Submission(bodies.Body):
    """notBefore: when it may begin; ttl: in how many seconds it must have."""

    not_before: Moment | None = None
    ttl: Seconds | None = None
    deduplication_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    content_deduplication: bool = False
    deduplication_window: Annotated[float, Field(gt=0, le=deduplications.LONGEST)] = deduplications.WINDOW
    coalesce: Coalesce | None = None
    callbacks: Callbacks | None = None

    @model_validator(mode="after")
    def _one_way_of_being_the_same(self) -> "Submission":
        if self.deduplication_id is not None and self.content_deduplication:
            raise ValueError("give `deduplicationId` or `contentDeduplication`, not both")
        return self

    def refuse_for_schedules(self, pointer: str) -> None:
        """Raise BadInput for what makes no sense with runs that a schedule starts."""
        for name in ("not_before", "deduplication_id", "content_deduplication", "coalesce"):
            if getattr(self, name):
                field = f"{pointer}/{to_camel(name)}"
                detail = "can't go with a schedule, which says when and how often runs start."
                raise BadInput(f"{field}: {detail}", errors=[FieldError(field, detail)])

    def submission(self, content: Any, pointer: str) -> dict[str, Any]:
        """What `runs.accept` takes of this. content: what makes two runs the same."""
        made: dict[str, Any] = {}
        if self.not_before is not None:
            made["not_before"] = clock.to_wire(self.not_before)
        if self.ttl is not None:
            made["ttl"] = self.ttl
        if self.deduplication_id is not None or self.content_deduplication:
            given = self.deduplication_id
            made["dedup_key"] = deduplications.of_content(content) if given is None else deduplications.of_id(given)
            made["dedup_seconds"] = self.deduplication_window
        if self.coalesce is not None:
            made["coalesce"] = self.coalesce.model_dump()
        if self.callbacks is not None:
            made["callbacks"] = self.callbacks.to_row(f"{pointer}/callbacks")
        return made
