// A plan while a person edits it: copies of its steps, changed one at a time. Pure functions, no I/O.

const REFERENCE = /\$\{\s*([A-Za-z][\w-]*)/g;
const OF_ITEM = new Set(["item", "index"]);
const FIELD = /^#(?:\/plan)?\/steps\/(\d+)(?:\/(.*))?$/;

/** The ids that references in a step name: it waits for those anyhow. */
export function implied(step) {
  const text = JSON.stringify([step.arguments, step.when, step.forEach]);
  const named = [...text.matchAll(REFERENCE)].map(([, id]) => id);
  return [...new Set(named)].filter((id) => !(step.forEach && OF_ITEM.has(id)));
}

/** All that a step waits for. */
export const before = (step) => [...new Set([...(step.dependsOn || []), ...implied(step)])];

export const changed = (steps, id, patch) => steps.map((step) => (step.id === id ? trimmed({ ...step, ...patch }) : step));

/** Another tool: the arguments that it knows too stay; what the old one was given of time and tries goes. */
export function retooled(steps, id, tool, schema) {
  const known = schema?.properties || {};
  const { arguments: given = {} } = steps.find((step) => step.id === id);
  const kept = Object.fromEntries(Object.entries(given).filter(([name]) => name in known));
  return changed(steps, id, { tool, arguments: kept, timeout: undefined, retry: undefined });
}

export function added(steps, tool) {
  const taken = new Set(steps.map((step) => step.id));
  let number = steps.length + 1;
  while (taken.has(`s${number}`)) number += 1;
  return [...steps, { id: `s${number}`, tool, arguments: {}, dependsOn: [] }];
}

/** Without that step: nobody waits for it any more. References to it stay, and are faults until they are changed. */
export const without = (steps, id) =>
  steps.filter((step) => step.id !== id).map((step) => ({ ...step, dependsOn: (step.dependsOn || []).filter((name) => name !== id) }));

export function moved(steps, id, by) {
  const from = steps.findIndex((step) => step.id === id);
  const to = from + by;
  if (to < 0 || to >= steps.length) return steps;
  const next = [...steps];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** The errors of a problem by the step that they point at: {steps: {index: {field: sentence}}, rest: [sentence]}. */
export function faultsOf(problem) {
  const found = { steps: {}, rest: [] };
  for (const { pointer, detail } of problem?.errors || []) {
    const [, index, field = ""] = FIELD.exec(pointer) || [];
    if (index === undefined) found.rest.push(detail);
    else gather((found.steps[index] ||= {}), field.replace(/^dependsOn\/\d+$/, "dependsOn"), detail);
  }
  if (problem && !problem.errors?.length) found.rest.push(problem.message);
  return found;
}

/** Sentences about one field stand on lines of their own. */
export function gather(faults, field, detail) {
  faults[field] = faults[field] ? `${faults[field]}\n${detail}` : detail;
}

const trimmed = (step) => Object.fromEntries(Object.entries(step).filter(([, value]) => value !== undefined && value !== ""));
