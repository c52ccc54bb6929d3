"""What the tests of stalls ask: what `why` says of a run, what the doctor finds, and whether it was mended."""

from services.journal import why
from services.journal.why import Kind, Why
from services.pipeline import doctor
from services.pipeline.doctor_rounds import Finding
from tests import runs


def explained(run_id: str) -> Why:
    """What `why` says of the run now."""
    return why.explain(runs.TENANT, run_id)


def becomes(run_id: str, expected: Kind, *words: str, timeout: float = 20) -> Why:
    """Wait until `why` names this kind; its sentence must be plain and have these words."""

    def named() -> bool:
        return explained(run_id).kind == expected

    try:
        runs.wait_until(named, timeout)
    except AssertionError as error:
        raise AssertionError(f"{run_id} waits for {explained(run_id)}, not for {expected}") from error
    found = explained(run_id)
    assert found.sentence.endswith(".") and len(found.sentence) < 400, found.sentence
    assert all(word in found.sentence for word in words), found.sentence
    return found


def found(invariant: str, subject: str | None = None, *, fix: bool = False) -> Finding:
    """The doctor's finding of that kind (about that subject). Fails when there is none."""
    findings = doctor.examine(fix=fix)
    mine = [each for each in findings if each.invariant == invariant and subject in {None, each.subject}]
    assert mine, f"the doctor does not say {invariant!r}: {findings}"
    return mine[0]
