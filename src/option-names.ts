/**
 * Holds the names of options to those that there are: a mistyped one would be ignored, and its default be used.
 * @throws Error naming the option, and the right one where it is near.
 */
export function refuseUnknownOptions(given: object, variables: Record<string, string | null>): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(variables, name));
  if (unknown === undefined) return;
  const right = nearest(unknown, variables);
  throw new Error(
    `createLatchkey: ${unknown} is no option${right === undefined ? "." : `; did you mean ${right}?`}`,
  );
}

/** One letter in so many may be wrong in a name that is still taken for another. */
const LETTERS_A_SLIP = 3;

/** The option of that name in other letters, of that variable, or a slip or two away. */
function nearest(unknown: string, variables: Record<string, string | null>): string | undefined {
  const plain = letters(unknown);
  const known = Object.entries(variables);
  const same = known.find(([name, variable]) => plain === letters(name) || unknown === variable);
  if (same) return same[0];
  const slips = known.map(([name]) => ({ name, count: slipsBetween(plain, letters(name)) }));
  return slips
    .toSorted((one, other) => one.count - other.count)
    .find(({ name, count }) => count <= name.length / LETTERS_A_SLIP)?.name;
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, "");
}

/** How many letters are to be added, left out or changed to make one of the other (Levenshtein). */
function slipsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, wanted] of [...other].entries()) {
      const changed = (row[column] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
