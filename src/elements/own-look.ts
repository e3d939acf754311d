/**
 * The cards' look inside: what it sets on the page, it sets here under names of its own, which begin with
 * the page's value where there is one.
 */
export function ownLook(sheet: string): string {
  return sheet
    .replaceAll(":root", ":host")
    .replaceAll("var(--lk-", "var(--_lk-")
    .replace(
      /(--lk-[\w-]+):([^;}]+)/g,
      (_, name: string, value: string) => `--_${name.slice(2)}: var(${name},${value})`,
    );
}
