import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const FEATURES = "DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting";

/** Why no browser here can bind a session; null where one can. */
export const whyNoBinding = whatIsMissing();

function whatIsMissing(): string | null {
  if (!existsSync(CHROMIUM)) return "Debian's package chromium is not installed";
  try {
    execFileSync("certutil", ["-H"], { stdio: "ignore" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return "Debian's package libnss3-tools is not installed";
  }
  return null;
}

/** A folder that is the home of browsers which trust its certificate for localhost. */
export function makeTrustingHome() {
  const home = mkdtempSync(join(tmpdir(), "latchkey-binding-"));
  const store = join(home, ".pki", "nssdb");
  const [key, cert] = [join(home, "key.pem"), join(home, "cert.pem")];
  mkdirSync(store, { recursive: true });
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  execFileSync("certutil", ["-d", `sql:${store}`, "-N", "--empty-password"]);
  execFileSync("certutil", ["-d", `sql:${store}`, "-A", "-t", "C,,", "-n", "test", "-i", cert]);
  return {
    key: readFileSync(key, "utf8"),
    cert: readFileSync(cert, "utf8"),
    /** A browser with a profile of this name; the same name is the same browser, started again. */
    async open(profile: string): Promise<BrowserContext> {
      const context = await chromium.launchPersistentContext(join(home, profile), {
        executablePath: CHROMIUM,
        headless: true,
        args: ["--no-sandbox", `--enable-features=${FEATURES}`],
        env: { ...process.env, HOME: home },
      });
      context.setDefaultTimeout(60_000);
      return context;
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
