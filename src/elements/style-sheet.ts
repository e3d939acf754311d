import css from "../react/latchkey.css?inline";

/** Applies the cards' style sheet to the element. */
export function applyLook(root: ShadowRoot): void {
  const look = `${ownLook(css)} :host { display: block; } [hidden] { display: none; }`;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(look);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // For Safari up to 16.3. A strict Content-Security-Policy blocks this; the element is then unstyled.
    const style = document.createElement("style");
    style.textContent = look;
    root.append(style);
  }
}

/**
 * The cards' style sheet for the shadow root. Its variables are renamed from `--lk-…` to `--_lk-…`, and take
 * the page's value for `--lk-…` if there is one.
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
