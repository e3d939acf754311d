/**
 * A name that may be shown, and the marks in a User-Agent that stand for it. A text mark is a whole word in
 * any case ("Line/" is not found in "Online/"); a pattern is for the few that need more.
 */
export type Mark = readonly [name: string, ...marks: (string | RegExp)[]];

/** The tables as JSON: groups of names, each with its marks. A pattern stands between slashes there. */
export function marksOf(table: Record<string, Record<string, string[]>>): Mark[] {
  return Object.values(table)
    .flatMap((group) => Object.entries(group))
    .map(([name, marks]) => [name, ...marks.map(markOf)]);
}

function markOf(written: string): string | RegExp {
  const pattern = /^\/(.+)\/$/.exec(written)?.[1];
  return pattern === undefined ? written : new RegExp(pattern);
}

/** Finds the first name in `marks`, in their order, that the User-Agent carries. */
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
