import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { Accent } from "../../options/accent.ts";
import { IMAGE_TYPES, logo as logoKind } from "../../options/brand-kinds.ts";
import { SettingError, type Settings } from "../../options/options.ts";
import type { Asset } from "./asset.ts";

/** The site's name and look, with its files by the path at which they are served. */
export type Brand = ReturnType<typeof readBrand>;

const LARGEST_LOGO = 256 * 1024;

/** @throws SettingError if the logo can't be read. */
export function readBrand(settings: Settings) {
  const { name, logo, accent, termsUrl, privacyUrl, support } = settings;
  const assets = new Map<string, Asset>();
  const add = (of: string, type: string, bytes: Buffer<ArrayBuffer>) => {
    const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 8);
    const path = `/assets/brand-${hash}${of}`;
    assets.set(path, { type, bytes, encoded: { br: brotliCompressSync(bytes), gzip: gzipSync(bytes) } });
    return settings.baseUrl.path + path;
  };
  const extension = extname(logo ?? "").toLowerCase();
  return {
    name: name ?? "Latchkey",
    logo: logo === null ? null : add(extension, IMAGE_TYPES[extension] ?? "", readLogo(logo)),
    stylesheet:
      accent === null ? null : add(".css", "text/css; charset=utf-8", Buffer.from(stylesheet(accent))),
    links: [
      ...(termsUrl === null ? [] : [{ words: "Terms", href: termsUrl }]),
      ...(privacyUrl === null ? [] : [{ words: "Privacy", href: privacyUrl }]),
      ...(support === null ? [] : [{ words: "Support", href: support.href }]),
    ],
    assets,
  };
}

function readLogo(path: string): Buffer<ArrayBuffer> {
  const wrong = (why: string) =>
    new SettingError("LATCHKEY_LOGO", `takes ${logoKind.takes} (${path} ${why})`);
  let bytes: Buffer<ArrayBuffer>;
  try {
    bytes = readFileSync(path);
  } catch {
    throw wrong("can't be read");
  }
  if (bytes.length > LARGEST_LOGO) throw wrong("is larger");
  return bytes;
}

/** Sets the accent's light or dark shade to match the page; browsers from before 2024 get the light one. */
function stylesheet({ light, dark }: Accent): string {
  const rule = (value: (of: keyof Accent["light"]) => string) =>
    `:root{--lk-accent:${value("accent")};--lk-accent-strong:${value("strong")};--lk-on-accent:${value("on")}}`;
  const both = rule((of) => `light-dark(${light[of]},${dark[of]})`);
  return `${rule((of) => light[of])}@supports (color:light-dark(white,black)){${both}}`;
}
