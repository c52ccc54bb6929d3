"""Every event name with the payload of its `data`. Recorded in the transaction of the change that it tells."""

from enum import StrEnum


class EventName(StrEnum):
    """`noun.past_tense`; the comment after each name is its `data`."""

    RUN_CREATED = "run.created"  # {request, conversationId, userId}, {parent} of a child, {forkedFrom, fromStep}
    RUN_COALESCED = "run.coalesced"  # {request, count}: a later request that this run, which has not begun, takes in
    RUN_STEERED = "run.steered"  # {text}: what the user added while it ran
    RUN_PAUSED = "run.paused"  # {}
    RUN_DEADLINE_PASSED = "run.deadline_passed"  # {deadline}: what had not ended is cut; the answer says what there is
    RUN_RESUMED = "run.resumed"  # {}
    # it goes in circles. sign: repeated, oscillating, no_progress; action: nudge, replan, finish
    RUN_REINED_IN = "run.reined_in"  # {sign, action, because}
    PLAN_CREATED = "plan.created"  # {revision, source, note, steps: [{id, tool, arguments, dependsOn, why}]}
    PLAN_STEP_ADDED = "plan.step_added"  # {id, tool, arguments, dependsOn, why}; the plan is still being written
    PLAN_REVIEW_REQUESTED = "plan.review_requested"  # {revision}: the run is paused until a person lets the plan go
    PLAN_REVISION_REQUESTED = "plan.revision_requested"  # {revision, because}: the critic wants a better plan
    PLAN_GIVEN_UP = "plan.given_up"  # {because}: no better plan is to be had; the answer says what there is
    STEP_STARTED = "step.started"  # {attempt, worker, tool}
    STEP_PROGRESS = "step.progress"  # {text}
    STEP_RETRYING = "step.retrying"  # {attempt, error, dueAt}; the lease was lost or the attempt failed
    STEP_WAITING = "step.waiting"  # {until}
    STEP_SUCCEEDED = "step.succeeded"  # {attempt, output, by}; by: only when not by the attempt in the regular way
    STEP_EXPANDED = "step.expanded"  # {items}: forEach made these steps of it; its output will be the list of theirs
    STEP_REUSED = "step.reused"  # {from, output}: finished in the run that this one was forked from
    STEP_IN_DOUBT = "step.in_doubt"  # {attempt, error}: a person must say whether its effect happened
    STEP_REOPENED = "step.reopened"  # {how, arguments}: it is to run (again); how: retry, rerun, again, revived
    STEP_FAILED = "step.failed"  # {attempt, error}
    STEP_SKIPPED = "step.skipped"  # {because}: a step before it failed, its condition is false, a person said so
    STEP_CANCELLED = "step.cancelled"  # {because}; because: only where a deadline cut it
    CHILD_STARTED = "child.started"  # {child, place, number, agent}: a run that this step has delegated to
    CHILD_ENDED = "child.ended"  # {child, place, number, agent, status, error, cost}; cost: of all below it
    APPROVAL_REQUESTED = "approval.requested"  # {id, kind, tool, arguments, reason, question, expiresAt}
    APPROVAL_DECIDED = "approval.decided"  # {id, decision, by, arguments | reason | answer}; arguments: as edited
    MODEL_CALLED = "model.called"  # {for, model, inputTokens, outputTokens, cachedTokens, cost, degraded, fallback}
    BUDGET_EXCEEDED = "budget.exceeded"  # {because, then}: the run is paused until a person raises its budget
    BUDGET_CHANGED = "budget.changed"  # {limits, onExceed}
    ANSWER_DELTA = "answer.delta"  # {text, attempt}: a higher attempt replaces all that lower ones streamed
    ANSWER_COMPLETED = "answer.completed"  # {text}
    MEMORY_STORED = "memory.stored"  # {ids, kind}
    RUN_CANCEL_REQUESTED = "run.cancel_requested"  # {}
    RUN_SUCCEEDED = "run.succeeded"  # {answer}
    RUN_FAILED = "run.failed"  # {answer, error}
    RUN_CANCELLED = "run.cancelled"  # {answer}


TERMINAL = frozenset({EventName.RUN_SUCCEEDED, EventName.RUN_FAILED, EventName.RUN_CANCELLED})
