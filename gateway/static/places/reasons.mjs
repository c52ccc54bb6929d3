// Why something was given up, in words.

export const REASONS = {
  attempts_exhausted: "attempts used up",
  failed: "failed for good",
  poison: "killed its workers",
  timed_out: "timed out",
  phase_failed: "could not plan or answer",
};
