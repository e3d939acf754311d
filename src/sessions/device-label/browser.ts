import apps from "./app-names.json" with { type: "json" };
import browsers from "./browser-names.json" with { type: "json" };
import { finderOf, type Mark, marksOf } from "./tokens.ts";

/**
 * Apps with a built-in browser, whose User-Agent also names the engine's browser, and browsers that come with
 * a make of phone or headset. Matched before any other browser, the more specific first.
 */
const namedApps = marksOf(apps);

/**
 * Browsers and programs with a name of their own, the more specific first: those built on Chrome or Firefox
 * come before Chrome and Firefox. Families, never versions.
 */
const namedBrowsers = marksOf(browsers);

/** A page inside an app that doesn't identify itself: not a browser that the person would know by name. */
export const webView = "WebView";

const plainBrowsers: readonly Mark[] = [
  ["Chrome", "CriOS", "CrMo"],
  ["Firefox", "FxiOS", "Firefox", "Fennec", "Namoroka", "Shiretoko", "Minefield", "GranParadiso", "BonEcho"],
  ["Internet Explorer", "MSIE", "Trident/", "IEMobile"],
  ["Samsung Internet", /SAMSUNG .*Version\/1\.\d Chrome\//],
  [webView, /; wv\)/, /Android.*Version\/\d\.\d Chrome\//, "QtWebEngine"],
  ["Chromium", "Chromium"],
  ["Chrome", "HeadlessChrome", "Chrome"],
  ["Android Browser", /Android.*AppleWebKit/],
  ["Safari", "Safari"],
  [webView, /(?:like Mac OS X|Macintosh).*AppleWebKit/],
];

const everyBrowser = [...namedApps, ...namedBrowsers, ...plainBrowsers];

// Brands in Sec-CH-UA that tell more than the User-Agent does, the more specific first.
const brands = new Map([
  ["Brave", "Brave"],
  ["DuckDuckGo", "DuckDuckGo"],
  ["Opera GX", "Opera GX"],
  ["Vivaldi", "Vivaldi"],
  ["Whale", "Whale"],
  ["YaBrowser", "Yandex Browser"],
  ["Yandex", "Yandex Browser"],
  ["Samsung Internet", "Samsung Internet"],
  ["HuaweiBrowser", "Huawei Browser"],
  ["Miui Browser", "MIUI Browser"],
  ["Oculus Browser", "Oculus Browser"],
  ["Amazon Silk", "Silk"],
  ["Ecosia", "Ecosia"],
  ["CocCoc", "Coc Coc"],
  ["Avast Secure Browser", "Avast Secure Browser"],
  ["AVG Secure Browser", "AVG Secure Browser"],
  ["Avira Secure Browser", "Avira Secure Browser"],
  ["Norton Private Browser", "Norton Private Browser"],
  ["CCleaner Browser", "CCleaner Browser"],
  ["Comet", "Comet"],
  ["Android WebView", webView],
  ["Microsoft Edge WebView2", webView],
]);

// Brands that tell more only if the User-Agent says plain "Chrome".
const plainBrands = new Map([
  ["Microsoft Edge", "Edge"],
  ["Opera", "Opera"],
]);

const refinable: ReadonlySet<string> = new Set(["Chrome", webView, "Edge", "Opera"]);

/** Every browser and app a label may name. */
export const browserNames: ReadonlySet<string> = new Set([
  ...everyBrowser.map(([name]) => name),
  ...brands.values(),
]);

/** The browser or app family that a User-Agent names, or null. */
export const readBrowser = finderOf(everyBrowser);

/**
 * Whether to believe the Client Hints: the User-Agent is that of a Chromium browser that may have a more
 * specific name, and both give the same Chromium version. Otherwise the hints don't belong to this
 * User-Agent.
 */
export function hintsFit(userAgent: string, browser: string | null, brandList: string): boolean {
  if (browser === null || !refinable.has(browser)) return false;
  const major = /Chrom(?:e|ium)\/(\d{1,5})/.exec(userAgent)?.[1];
  return major !== undefined && readBrands(brandList).get("Chromium") === major;
}

/** The more specific name that a Sec-CH-UA header gives for `browser`, or `browser` itself. */
export function refineBrowser(browser: string | null, brandList: string): string | null {
  const named = readBrands(brandList);
  const known = browser === "Chrome" ? [...brands, ...plainBrands] : brands;
  for (const [brand, name] of known) if (named.has(brand)) return name;
  return browser;
}

function readBrands(brandList: string): Map<string, string> {
  const pairs = brandList.slice(0, 512).matchAll(/"([^"]{1,64})";v="(\d{1,5})[\d.]{0,20}"/g);
  return new Map(Array.from(pairs, ([, brand = "", major = ""]) => [brand.trim(), major]));
}
