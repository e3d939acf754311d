/**
 * A name to show, and the marks in a User-Agent that identify it. A string matches as a whole word in any
 * case ("Line/" isn't found in "Online/"); a regular expression is for the few that need more.
 */
export type Mark = readonly [name: string, ...marks: (string | RegExp)[]];

/** Reads a table from JSON: groups of names with their marks. `/…/` is a regular expression. */
export function marksOf(table: Record<string, Record<string, string[]>>): Mark[] {
  return Object.values(table)
    .flatMap((group) => Object.entries(group))
    .map(([name, marks]) => [name, ...marks.map(markOf)]);
}

function markOf(written: string): string | RegExp {
  const pattern = /^\/(.+)\/$/.exec(written)?.[1];
  return pattern === undefined ? written : new RegExp(pattern);
}

/** Finds the first name, in the order of the list, that has a mark in the User-Agent. */
export type Finder = (userAgent: string) => string | null;

/** Compiles an ordered list of marks once; the result only ever gives a name from that list. */
export function finderOf(marks: readonly Mark[]): Finder {
  const rules = marks.map(([name, ...each]) => ({ name, pattern: patternOf(each) }));
  return (userAgent) => rules.find(({ pattern }) => pattern.test(userAgent))?.name ?? null;
}

function patternOf(marks: readonly (string | RegExp)[]): RegExp {
  return new RegExp(
    marks.map((mark) => (typeof mark === "string" ? wholeWord(mark) : mark.source)).join("|"),
    "i",
  );
}

function wholeWord(mark: string): string {
  const text = mark.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return `(?<![a-z0-9])${text}${/[a-z]$/i.test(mark) ? "(?![a-z])" : ""}`;
}
