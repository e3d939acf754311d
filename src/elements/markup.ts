import { deviceShape } from "../react/login-management/device-shape.ts";

type Properties = { [name: string]: string | boolean | undefined };
type Child = Node | string;

/** Makes an element. An attribute that is `true` is set without a value; one that is `false` is omitted. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) set(made, key, value);
  made.append(...children);
  return made;
}

export function set(on: Element, name: string, value: string | boolean | undefined): void {
  if (value === undefined || value === false) on.removeAttribute(name);
  else on.setAttribute(name, value === true ? "" : value);
}

/** Makes a button; `look` has its classes. */
export function button(words: string, look: string, act: () => unknown): HTMLButtonElement {
  const made = element("button", { type: "button", class: `lk-button ${look}` }, words);
  made.addEventListener("click", act);
  return made;
}

export function deviceGlyph(os: string | null): SVGSVGElement {
  const glyph = svg("svg", {
    class: "lk-glyph",
    viewBox: "0 0 24 24",
    "aria-hidden": "true",
    focusable: "false",
  });
  const stroke = { stroke: "currentColor", "stroke-width": "1.5" };
  const round = { "stroke-linecap": "round", "stroke-linejoin": "round" };
  glyph.append(svg("path", { d: deviceShape(os), fill: "none", ...stroke, ...round }));
  return glyph;
}

function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: { [name: string]: string },
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) set(made, key, value);
  return made;
}
