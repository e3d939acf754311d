import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import puppeteer, { type Page } from "puppeteer-core";
import { vi } from "vitest";
import { systemProgram } from "../runs/system-program.ts";
import { freePort } from "../servers/free-port.ts";
import { FOCUSED } from "./browser.ts";

/** A browser with one page, as a person uses it: fields by their labels, buttons and links by their names. */
export type OneBrowser = {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  back(): Promise<void>;
  url(): Promise<string>;
  /** The text that is shown. */
  text(): Promise<string>;
  /** The name or the text of what has the focus. */
  focused(): Promise<string>;
  fill(label: string, text: string): Promise<void>;
  press(name: string): Promise<void>;
  key(key: "Enter" | "Escape"): Promise<void>;
  close(): Promise<void>;
};

export type Engine = {
  name: string;
  /** The label of its sessions. */
  label: string;
  /** Null if it isn't available on this machine. */
  open: (() => Promise<OneBrowser>) | null;
};

const TIMEOUT = 60_000;
const WORDS = "document.body.innerText";
const SCROLL = 'arguments[0].scrollIntoView({ block: "center", behavior: "instant" })';

const firefox = await systemProgram("firefox-esr");
const webKitDriver = await systemProgram("WebKitWebDriver", "webkit2gtk-driver");
const xvfb = await systemProgram("Xvfb", "xvfb");

/** The engines that aren't Chromium's: of Firefox, and of Safari. */
export const OTHER_ENGINES: Engine[] = [
  { name: "Firefox", label: "Firefox on Linux", open: firefox ? () => openFirefox(firefox) : null },
  {
    name: "WebKit",
    label: "Safari on Linux",
    open: webKitDriver && xvfb ? () => openWebKit(webKitDriver, xvfb) : null,
  },
];

for (const { name, open } of OTHER_ENGINES)
  if (!open) console.error(`\n!!! NOT RUN: the pages in ${name}, which is not on this machine.\n`);

function fieldAt(label: string): string {
  return `//input[@id = //label[normalize-space() = "${label}"]/@for]`;
}

/** A dialog's comes last. */
function pressableAt(name: string): string {
  return `(//button[normalize-space() = "${name}" or @aria-label = "${name}"] | //a[normalize-space() = "${name}"])[last()]`;
}

async function openFirefox(executablePath: string): Promise<OneBrowser> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    timeout: TIMEOUT,
  });
  const page: Page = await browser.newPage();
  page.setDefaultTimeout(TIMEOUT);
  const at = (path: string) => page.locator(`::-p-xpath(${path})`);
  return {
    goto: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    back: async () => void (await page.goBack({ waitUntil: "domcontentloaded" })),
    url: async () => page.url(),
    text: async () => String(await page.evaluate(WORDS)),
    focused: async () => String(await page.evaluate(FOCUSED)),
    fill: (label, text) => at(fieldAt(label)).fill(text),
    press: (name) => at(pressableAt(name)).click(),
    key: (key) => page.keyboard.press(key),
    close: () => browser.close(),
  };
}

/** From WebDriver, https://www.w3.org/TR/webdriver2/. */
const KEYS = { Enter: "\uE007", Escape: "\uE00C" };

async function openWebKit(driver: string, screen: string): Promise<OneBrowser> {
  const display = spawn(screen, ["-displayfd", "1"], { stdio: ["ignore", "pipe", "ignore"] });
  const [number] = await once(createInterface(display.stdout), "line");
  const port = await freePort();
  const served = spawn(driver, ["--host=127.0.0.1", `--port=${port}`], {
    env: { ...process.env, DISPLAY: `:${number}` },
    stdio: "ignore",
  });
  const ask = async (path: string, body?: object, method = body ? "POST" : "GET") => {
    const signal = AbortSignal.timeout(TIMEOUT);
    const asked = body ? { method, signal, body: JSON.stringify(body) } : { method, signal };
    const answer = await fetch(`http://127.0.0.1:${port}/session${path}`, asked);
    const { value } = (await answer.json()) as { value: unknown };
    if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(value)}`);
    return value;
  };
  const stop = async () => {
    for (const child of [served, display]) {
      child.kill();
      await once(child, "exit");
    }
  };
  const began = () => ask("", { capabilities: {} }) as Promise<{ sessionId: string }>;
  const { sessionId } = await vi.waitFor(began, TIMEOUT).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const at = (path: string) => `/${sessionId}${path}`;
  const read = async (script: string) =>
    String(await ask(at("/execute/sync"), { script: `return ${script}`, args: [] }));
  // What isn't there yet, or is still covered, is retried.
  const use = (xpath: string, how: (element: string) => Promise<unknown>) =>
    vi.waitFor(async () => {
      const found = await ask(at("/element"), { using: "xpath", value: xpath });
      // The driver itself doesn't scroll to what is only just out of view.
      await ask(at("/execute/sync"), { script: SCROLL, args: [found] });
      await how(at(`/element/${Object.values(found as Record<string, string>)[0]}`));
    }, TIMEOUT);
  return {
    goto: async (url) => void (await ask(at("/url"), { url })),
    reload: async () => void (await ask(at("/refresh"), {})),
    back: async () => void (await ask(at("/back"), {})),
    url: async () => String(await ask(at("/url"))),
    text: () => read(WORDS),
    focused: () => read(FOCUSED),
    fill: (label, text) =>
      use(fieldAt(label), async (field) => {
        await ask(`${field}/clear`, {});
        await ask(`${field}/value`, { text });
      }),
    press: (name) => use(pressableAt(name), (pressed) => ask(`${pressed}/click`, {})),
    async key(key) {
      const actions = ["keyDown", "keyUp"].map((type) => ({ type, value: KEYS[key] }));
      await ask(at("/actions"), { actions: [{ type: "key", id: "keyboard", actions }] });
    },
    async close() {
      await ask(at(""), undefined, "DELETE").finally(stop);
    },
  };
}
