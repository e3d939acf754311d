import css from "../react/latchkey.css?inline";

/** Gives the element its look, which is the cards'. */
export function applyLook(root: ShadowRoot): void {
  const look = `${ownLook(css)} :host { display: block; } [hidden] { display: none; }`;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(look);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Up to Safari 16.3. A strict policy of the page forbids it: then the element is plain.
    const style = document.createElement("style");
    style.textContent = look;
    root.append(style);
  }
}

/**
 * The cards' look inside: what it sets on the page, it sets here under names of its own, which begin with
 * the page's value where there is one.
 */
function ownLook(sheet: string): string {
  return sheet
    .replaceAll(":root", ":host")
    .replaceAll("var(--lk-", "var(--_lk-")
    .replace(
      /(--lk-[\w-]+):([^;}]+)/g,
      (_, name: string, value: string) => `--_${name.slice(2)}: var(${name},${value})`,
    );
}
