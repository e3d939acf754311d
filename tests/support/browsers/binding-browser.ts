import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { freshEmail, PASSWORD } from "../requests/people.ts";
import { systemProgram } from "../runs/system-program.ts";
import { type HttpsFront, startHttpsFront } from "../servers/https-front.ts";
import { BOUND } from "./bound-browser.ts";
import { signUpInBrowser } from "./browser.ts";

const FEATURES = "DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting";

/** Installed if they are missing and this is root on Debian. */
const PROGRAMS = {
  chromium: await systemProgram("chromium"),
  certutil: await systemProgram("certutil", "libnss3-tools"),
  openssl: await systemProgram("openssl"),
};

const missing = Object.entries(PROGRAMS).flatMap(([name, path]) => (path === null ? [name] : []));

/** Whether there is a browser here that can bind a session. */
export const canBind = missing.length === 0;

if (!canBind)
  console.error(`\n!!! NOT RUN: no session is bound in a real browser, without ${missing.join(" and ")}.\n`);

/** Hosts that a browser on this machine resolves by itself, each a separate site to it. */
export const SITES = ["one", "two", "three"].map((name) => `${name}.localhost`);

export type BindingSite = {
  /** Its address under this host; the test chooses the servers behind it. */
  url(host?: string): string;
  /** Which server gets a request from now on. */
  leadTo(port: (incoming: IncomingMessage) => number): void;
  /** The requests since the last call, and their answers. */
  answers(): HttpsFront["answers"];
  /** A browser with a profile of this name; the same name is the same browser, restarted. */
  browser(profile: string): Promise<BrowserContext>;
};

/** An https address, and browsers that trust it and bind sessions, for the tests of a file. */
export function bindingSiteFor(): BindingSite {
  let home: string | undefined;
  let front: HttpsFront | undefined;
  let seen = 0;
  let port: (incoming: IncomingMessage) => number = () => 0;
  const open: BrowserContext[] = [];

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "latchkey-binding-"));
    front = await startHttpsFront(makeTrustedCertificate(home), (incoming) => port(incoming));
  });
  afterEach(() => Promise.all(open.splice(0).map((context) => context.close())));
  afterAll(async () => {
    await front?.close();
    if (home) rmSync(home, { recursive: true, force: true });
  });

  return {
    url: (host = "localhost") => `https://${host}:${front?.port}`,
    leadTo(to) {
      port = to;
    },
    answers() {
      const all = front?.answers ?? [];
      const fresh = all.slice(seen);
      seen = all.length;
      return fresh;
    },
    async browser(profile) {
      if (!home) throw new Error("The browser runs in tests only.");
      const context = await chromium.launchPersistentContext(join(home, profile), {
        executablePath: PROGRAMS.chromium ?? "",
        headless: true,
        args: ["--no-sandbox", `--enable-features=${FEATURES}`],
        env: { ...process.env, HOME: home },
      });
      context.setDefaultTimeout(60_000);
      open.push(context);
      return context;
    },
  };
}

/** A certificate for this machine's names, which browsers with this home trust. */
function makeTrustedCertificate(home: string): { key: string; cert: string } {
  const store = join(home, ".pki", "nssdb");
  const [key, cert] = [join(home, "key.pem"), join(home, "cert.pem")];
  mkdirSync(store, { recursive: true });
  const names = [...["localhost", ...SITES].map((name) => `DNS:${name}`), "IP:127.0.0.1"];
  const subject = ["-subj", "/CN=localhost", "-addext", `subjectAltName=${names.join(",")}`];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  run("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert]);
  run("certutil", ["-d", `sql:${store}`, "-N", "--empty-password"]);
  run("certutil", ["-d", `sql:${store}`, "-A", "-t", "C,,", "-n", "test", "-i", cert]);
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

function run(program: keyof typeof PROGRAMS, words: string[]): void {
  execFileSync(PROGRAMS[program] ?? program, words, { stdio: "ignore" });
}

/** Signs up at this address; resolves once the browser has bound the session, and its page says so. */
export async function signUpBoundIn(
  context: BrowserContext,
  url: string,
  email = freshEmail(),
): Promise<Page> {
  const page = await context.newPage();
  await signUpInBrowser(page, url, email, PASSWORD);
  await showsBound(page, url);
  return page;
}

/** Waits until the session of this page is bound, and its page says so. */
export async function showsBound(page: Page, url: string): Promise<void> {
  await expect.poll(() => boundCookie(page.context(), url)).toBeDefined();
  await page.reload();
  await page.getByText("Bound to this device").waitFor();
}

export async function boundCookie(context: BrowserContext, url: string): Promise<string | undefined> {
  return (await context.cookies(url)).find(({ name }) => name === BOUND)?.value;
}

/** Removes the bound cookie, as the browser's own clock does: the next request needs a new one. */
export async function dropBoundCookie(context: BrowserContext, host = "localhost"): Promise<void> {
  await context.clearCookies({ name: BOUND, domain: host });
}
