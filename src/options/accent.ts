/** The colour of links and buttons, its variant under the pointer, and the colour of text on it. */
type Shade = { readonly accent: string; readonly strong: string; readonly on: string };

/** The accent colour for light and for dark pages. */
export type Accent = { readonly light: Shade; readonly dark: Shade };

type Rgb = readonly [number, number, number];

/**
 * The backgrounds on which an accent is hardest to read: the darkest in light mode, the lightest in dark
 * mode.
 */
const LIGHT_BACKGROUND: Rgb = [0xe4, 0xe9, 0xf7];
const DARK_BACKGROUND: Rgb = [0x2b, 0x32, 0x47];
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const DARK_TEXT = "#0b0d12";
/** WCAG 2.2, 1.4.3 (AA): text against its background. */
const READABLE = 4.5;
const STEP = 0.02;

/** Turns a colour like `#0a7d5c` into accents with enough contrast; undefined if the text isn't a colour. */
export function readAccent(text: string): Accent | undefined {
  const given = readRgb(text);
  if (given === undefined) return undefined;
  const light = readableOn(LIGHT_BACKGROUND, given, BLACK);
  const dark = readableOn(DARK_BACKGROUND, given, WHITE);
  return {
    light: { accent: toHex(light), strong: toHex(mix(light, BLACK, 0.2)), on: toHex(WHITE) },
    dark: { accent: toHex(dark), strong: toHex(mix(dark, WHITE, 0.25)), on: DARK_TEXT },
  };
}

function readRgb(text: string): Rgb | undefined {
  const digits = /^#(?:([0-9a-f]{3})|([0-9a-f]{6}))$/i.exec(text);
  if (digits === null) return undefined;
  const six = digits[2] ?? [...(digits[1] ?? "")].map((digit) => digit + digit).join("");
  const part = (at: number) => Number.parseInt(six.slice(at, at + 2), 16);
  return [part(0), part(2), part(4)];
}

/** The colour, mixed with just enough of `towards` (black or white) to be readable on this background. */
function readableOn(background: Rgb, colour: Rgb, towards: Rgb): Rgb {
  for (let part = 0; part < 1; part += STEP) {
    const mixed = mix(colour, towards, part);
    if (contrast(mixed, background) >= READABLE) return mixed;
  }
  return towards;
}

function mix([r, g, b]: Rgb, [toR, toG, toB]: Rgb, part: number): Rgb {
  const between = (from: number, to: number) => Math.round(from + (to - from) * part);
  return [between(r, toR), between(g, toG), between(b, toB)];
}

/** The contrast ratio as WCAG 2.2 defines it. */
function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance([r, g, b]: Rgb): number {
  const linear = (value: number) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

function toHex(colour: Rgb): string {
  return `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
