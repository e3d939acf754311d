import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { browserNames } from "./browser.ts";
import fixtures from "./device-label.fixtures.json" with { type: "json" };
import { readDevice } from "./device-label.ts";
import { systemNames } from "./system.ts";

const ipadAsMac =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
const chrome = (system: string, rest = "") =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36${rest}`;
const windowsChrome = chrome("Windows NT 10.0; Win64; x64");

function labelOf(userAgent: string, hints: Record<string, string> = {}, touchPoints?: number): string {
  return readDevice(new Headers({ "user-agent": userAgent, ...hints }), touchPoints).label;
}

describe("real User-Agents", () => {
  test("are named as a person would name them", () => {
    const wrong = fixtures.userAgents
      .map(({ ua, browser, os }) => ({ ua, wanted: `${browser} on ${os}`, got: labelOf(ua) }))
      .filter(({ wanted, got }) => wanted !== got);
    expect(wrong).toEqual([]);
  });

  test.each(fixtures.hints)("$name is refined by its Client Hints", ({ headers, expect: wanted }) => {
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, value ?? ""]);
    expect(readDevice(new Headers(given)).label).toBe(wanted);
  });

  test.each([
    [
      "Opera Mini on Android",
      "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
    ],
    [
      "Chromium on Linux",
      chrome("X11; Linux x86_64").replace("Chrome/", "Ubuntu Chromium/131.0.0.0 Chrome/"),
    ],
    ["Firefox on FreeBSD", "Mozilla/5.0 (X11; FreeBSD amd64; rv:109.0) Gecko/20100101 Firefox/115.0"],
    ["Firefox on KaiOS", "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"],
    [
      "Internet Explorer on Windows Phone",
      "Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; Trident/7.0; rv:11.0; IEMobile/11.0; NOKIA) like iPhone OS 7_0_3 Mac OS X AppleWebKit/537 Mobile Safari/537",
    ],
    ["curl", "curl/8.5.0"],
  ])("%s", (wanted, userAgent) => {
    expect(labelOf(userAgent)).toBe(wanted);
  });

  test("a telephone called like a browser is still in Chrome", () => {
    for (const model of [
      "Galaxy S7 Edge",
      "Brave Plus",
      "Samsung Avant",
      "InFocus M7s Focus",
      "S60",
      "iPhone X",
    ]) {
      expect(labelOf(chrome(`Linux; Android 10; ${model}`))).toBe("Chrome on Android");
    }
  });

  test("one that names nothing known, or none at all, is an unknown device", () => {
    expect(readDevice(new Headers())).toEqual({ browser: null, os: null, label: "Unknown device" });
    expect(labelOf("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")).toBe(
      "Unknown device",
    );
    expect(labelOf("Totally Trustworthy on Your Computer")).toBe("Unknown device");
  });

  test("is read up to 512 characters", () => {
    expect(labelOf(`${"x".repeat(505)} Vivaldi/7.8`)).toBe("Unknown device");
    expect(labelOf(`${windowsChrome}${" ".repeat(512)}Vivaldi/7.8`)).toBe("Chrome on Windows");
  });
});

describe("Client Hints", () => {
  const brave = '"Brave";v="131", "Chromium";v="131", "Not_A Brand";v="24"';

  test("are left aside where their Chromium is not the User-Agent's", () => {
    expect(labelOf(windowsChrome, { "sec-ch-ua": brave.replaceAll("131", "130") })).toBe("Chrome on Windows");
    expect(labelOf(windowsChrome, { "sec-ch-ua": '"Brave";v="131"' })).toBe("Chrome on Windows");
  });

  test("are left aside where the User-Agent is not Chrome, a WebView, Edge or Opera", () => {
    expect(labelOf(ipadAsMac, { "sec-ch-ua": brave })).toBe("Safari on Mac OS");
    expect(labelOf(chrome("Windows NT 10.0", " Vivaldi/7.8"), { "sec-ch-ua": brave })).toBe(
      "Vivaldi on Windows",
    );
  });

  test("never show a brand that is not on the list", () => {
    const hints = { "sec-ch-ua": '"Your Own Laptop";v="131", "Chromium";v="131"' };
    expect(labelOf(windowsChrome, hints)).toBe("Chrome on Windows");
  });

  test("tell of Edge behind plain Chrome, and turn no Opera into Edge", () => {
    const hints = { "sec-ch-ua": '"Microsoft Edge";v="131", "Chromium";v="131"' };
    expect(labelOf(windowsChrome, hints)).toBe("Edge on Windows");
    expect(labelOf(chrome("Windows NT 10.0", " OPR/116.0"), hints)).toBe("Opera on Windows");
  });

  test("give the system only where the User-Agent has none", () => {
    const hints = { "sec-ch-ua": '"Chromium";v="131"', "sec-ch-ua-platform": '"macOS"' };
    expect(labelOf(chrome("Unknown"), hints)).toBe("Chrome on Mac OS");
    expect(labelOf(windowsChrome, hints)).toBe("Chrome on Windows");
    expect(labelOf(chrome("Unknown"), { ...hints, "sec-ch-ua-platform": '"Your Laptop"' })).toBe("Chrome");
  });
});

describe("touch points", () => {
  test("tell an iPad's Safari from a Mac's", () => {
    expect(labelOf(ipadAsMac)).toBe("Safari on Mac OS");
    expect(labelOf(ipadAsMac, {}, 0)).toBe("Safari on Mac OS");
    expect(labelOf(ipadAsMac, {}, 1)).toBe("Safari on Mac OS");
    expect(labelOf(ipadAsMac, {}, Number.NaN)).toBe("Safari on Mac OS");
    expect(labelOf(ipadAsMac, {}, 5)).toBe("Safari on iOS");
  });

  test("say nothing of other systems and browsers", () => {
    expect(labelOf(windowsChrome, {}, 10)).toBe("Chrome on Windows");
    expect(labelOf(chrome("Macintosh; Intel Mac OS X 10_15_7"), {}, 5)).toBe("Chrome on Mac OS");
  });
});

describe("a hostile header", () => {
  const anyHeader = fc
    .string({ unit: "binary-ascii", maxLength: 5000 })
    .map((text) => text.replace(/[\0\r\n]/g, ""));
  const realPieces = fixtures.userAgents.flatMap(({ ua }) => ua.split(/(?<=[ /;()])/));
  const nearReal = fc
    .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...realPieces) }, fc.string({ maxLength: 8 })), {
      maxLength: 80,
    })
    .map((pieces) => pieces.join("").replace(/[^\x20-\x7e]/g, ""));
  const brands = fc
    .array(fc.tuple(fc.constantFrom("Brave", "Chromium", "Opera GX", "<b>Me</b>"), fc.nat(200)), {
      maxLength: 5,
    })
    .map((pairs) => pairs.map(([brand, version]) => `"${brand}";v="${version}"`).join(", "));

  test("never gets a word of its own into the label", () => {
    const header = fc.oneof(anyHeader, nearReal);
    fc.assert(
      fc.property(
        header,
        fc.oneof(anyHeader, brands),
        anyHeader,
        fc.double(),
        (ua, hint, platform, touch) => {
          const device = readDevice(
            new Headers({ "user-agent": ua, "sec-ch-ua": hint, "sec-ch-ua-platform": platform }),
            touch,
          );
          expect(device.browser === null || browserNames.has(device.browser)).toBe(true);
          expect(device.os === null || systemNames.has(device.os)).toBe(true);
          expect(device.label).toBe(
            device.browser === null
              ? "Unknown device"
              : [device.browser, ...(device.os ? [device.os] : [])].join(" on "),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("is read in no time, whatever it repeats", () => {
    const pieces = [
      "Macintosh ",
      "Darwin/",
      "SAMSUNG Version/1.1 ",
      "Chrome/ MMS",
      "(Mobile; rv",
      '"a";v="1',
      "CPU OS 1",
    ];
    for (const piece of [
      ...pieces,
      "Android Version/4.0",
      "Opera ",
      "(((((",
      "; ; ;",
      '"""""',
      "9".repeat(99),
    ]) {
      const header = piece.repeat(64_000 / piece.length);
      const headers = new Headers({
        "user-agent": header,
        "sec-ch-ua": header,
        "sec-ch-ua-platform": header,
      });
      const start = performance.now();
      for (let turn = 0; turn < 20; turn++) readDevice(headers, 5);
      expect(performance.now() - start, piece).toBeLessThan(1000);
    }
  });
});
