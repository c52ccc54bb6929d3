// Reading from the API for as long as a component is shown: again when what it depends on changes, or every so often.

import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { keyNeeded } from "./api.mjs";

/** {value, problem, reload}; value is null until the first answer. every: milliseconds between looks while in view. */
export function useLoaded(load, depends = [], { every } = {}) {
  const value = useSignal(null);
  const problem = useSignal(null);
  const turn = useRef(0); // an answer that comes after a newer question is dropped
  const newest = useRef(load);
  newest.current = load;
  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const got = await newest.current();
      if (mine !== turn.current) return;
      value.value = got;
      problem.value = null;
    } catch (failure) {
      if (mine === turn.current) problem.value = failure;
    }
  }, []);
  const locked = keyNeeded.value;
  useEffect(() => {
    if (!locked) reload();
    return () => (turn.current += 1);
  }, [locked, ...depends]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && !keyNeeded.peek() && reload(), every);
    return () => clearInterval(timer);
  }, [every]);
  return { value: value.value, problem: problem.value, reload };
}
