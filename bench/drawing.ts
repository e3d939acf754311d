/** Draws SVG pictures that follow the viewer's colour scheme, light or dark. */

export type Bar = {
  label: string;
  value: number;
  spread: number;
  more: string;
  isOurs: boolean;
  /** The bound that it should not exceed. */
  bound?: number;
};
export type Point = { x: number; value: number; spread: number };
export type Series = { name: string; points: Point[] };

const WIDTH = 840;
const LEFT = 300;
const RIGHT = 250;
const TOP = 66;
const ROW = 34;
const HEIGHT_OF_LINES = 380;
const STYLE = `
  svg { color-scheme: light dark; }
  .paper { fill: #ffffff; } text { fill: #1f2328; font: 13px system-ui, sans-serif; }
  .title { font-size: 16px; font-weight: 600; } .note { fill: #59636e; font-size: 11px; }
  .ours { fill: #2f6f4f; stroke: #2f6f4f; } .other { fill: #8c959f; stroke: #8c959f; }
  .line { fill: none; stroke-width: 2; } .spread { stroke: #1f2328; } .axis { stroke: #d1d9e0; } .bound { stroke: #1f2328; stroke-dasharray: 3 3; }
  text.ours, text.other { stroke: none; } text.other { fill: #59636e; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } text { fill: #e6edf3; } .note { fill: #9198a1; }
    .ours { fill: #56b788; stroke: #56b788; } .other { fill: #7d8590; stroke: #7d8590; } text.other { fill: #9198a1; }
    .spread, .bound { stroke: #e6edf3; } .axis { stroke: #3d444d; }
  }`;

/** A bar for each, with whiskers for its spread. */
export function bars({ title, note, bars: all }: { title: string; note: string; bars: Bar[] }): string {
  const most = Math.max(...all.map(({ value, spread, bound = 0 }) => Math.max(value + spread, bound)));
  const x = (value: number) => LEFT + (Math.max(0, value) / most) * (WIDTH - LEFT - RIGHT);
  const rows = all.map((bar, index) => {
    const y = TOP + index * ROW;
    const middle = y + ROW / 2 - 4;
    const end = Math.max(x(bar.value + bar.spread), x(bar.bound ?? 0));
    return [
      text(LEFT - 12, middle + 4, bar.label, 'text-anchor="end"'),
      `<rect class="${bar.isOurs ? "ours" : "other"}" x="${LEFT}" y="${y}" width="${round(x(bar.value) - LEFT)}" height="${ROW - 10}"/>`,
      line(x(bar.value - bar.spread), middle, x(bar.value + bar.spread), middle, "spread"),
      ...(bar.bound === undefined ? [] : [line(x(bar.bound), y - 3, x(bar.bound), y + ROW - 7, "bound")]),
      text(end + 10, middle + 4, [bar.value.toFixed(2), bar.more].filter((part) => part !== "").join(" · ")),
    ].join("\n");
  });
  return svg(TOP + all.length * ROW + 12, title, note, [
    ...rows,
    line(LEFT, TOP - 6, LEFT, TOP + all.length * ROW, "axis"),
  ]);
}

/** A line for each over a logarithmic scale, with whiskers. */
export function lines({ title, note, series }: { title: string; note: string; series: Series[] }): string {
  const sizes = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const [least = 1, most = 10] = [sizes[0], sizes.at(-1)];
  const highest = Math.max(1, ...series.flatMap(({ points }) => points.map((p) => p.value + p.spread)));
  const [left, right, bottom] = [60, WIDTH - RIGHT, HEIGHT_OF_LINES - 50];
  const at = (value: number) => Math.log10(value / least) / Math.log10(most / least);
  const x = (value: number) => left + at(value) * (right - left);
  const y = (value: number) => bottom - (value / highest) * (bottom - TOP);
  const drawn = series.map(({ name, points }, index) => {
    const kind = index === 0 ? "ours" : "other";
    const path = points.map((point) => `${round(x(point.x))},${round(y(point.value))}`).join(" ");
    const last = points.at(-1);
    return [
      `<polyline class="line ${kind}" style="fill: none" points="${path}"/>`,
      ...points.map((p) => `<circle class="${kind}" cx="${round(x(p.x))}" cy="${round(y(p.value))}" r="3"/>`),
      ...points.map((p) => line(x(p.x), y(p.value - p.spread), x(p.x), y(p.value + p.spread), "spread")),
      ...(last ? [text(right + 10, y(last.value) + 4, name, `class="${kind}"`)] : []),
    ].join("\n");
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
    line(left, y(value), right, y(value), "axis"),
    text(left - 8, y(value) + 4, value.toFixed(2), 'text-anchor="end"'),
  ]);
  const names = sizes.map((size) =>
    text(x(size), bottom + 22, size.toLocaleString("en"), 'text-anchor="middle"'),
  );
  return svg(HEIGHT_OF_LINES, title, note, [
    ...grid,
    ...names,
    text((left + right) / 2, bottom + 42, "sessions in the table", 'class="note" text-anchor="middle"'),
    ...drawn,
  ]);
}

function svg(height: number, title: string, note: string, parts: string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title note">`,
    `<title id="title">${escaped(title)}</title><desc id="note">${escaped(note)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    text(16, 26, title, 'class="title"'),
    text(16, 44, note, 'class="note"'),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" ${more}>${escaped(words)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
