import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemProgram } from "../tests/support/runs/system-program.ts";
import { signUp, start } from "./floods-clients.ts";
import { heldConnections } from "./scan/slow.ts";
import { sqlmap, wapiti, whatweb } from "./scan/tools.ts";

const HELP = `npm run scan: what third-party scanners find, and what 1,000 slow connections do to everyone else.

Runs whatweb, wapiti, sqlmap and slowhttptest (Debian's packages; as root, they are installed if they are
missing) against a server of its own, in a network namespace that has only loopback: whatever a scanner
would like to reach outside, it can't. Needs Linux with unshare and ip. Takes some ten minutes; ends with 1
where something was found.`;

const PORT = 3999;
const PROGRAMS = ["unshare", "ip", "whatweb", "wapiti", "sqlmap", "slowhttptest"];
const PACKAGES: Record<string, string> = { unshare: "util-linux", ip: "iproute2" };
/** Brings loopback up in the new network, and runs this file there. */
const INSIDE = 'ip link set lo up && exec "$0" "$1" inside';

if (process.argv.includes("--help")) console.log(HELP);
else if (process.argv[2] === "inside") process.exitCode = await scan();
else process.exitCode = await enterOwnNetwork();

async function enterOwnNetwork(): Promise<number> {
  for (const program of PROGRAMS) if ((await systemProgram(program, PACKAGES[program])) === null) return 2;
  const script = join(import.meta.dirname, "scan.ts");
  const args = ["--map-root-user", "--net", "sh", "-c", INSIDE, process.execPath, script];
  return spawnSync("unshare", args, { stdio: "inherit" }).status ?? 2;
}

async function scan(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-scan-"));
  // Without limits: with them, scanners would see little but 429.
  const server = await start("off", PORT);
  try {
    const person = await signUp(PORT);
    const target = { url: `http://localhost:${PORT}`, cookie: person.cookie, folder };
    const findings = [...(await whatweb(target)), ...(await wapiti(target)), ...(await sqlmap(target))];
    await heldConnections(target, person);
    for (const finding of findings) console.log(`FOUND  ${finding}`);
    console.log(findings.length === 0 ? "Nothing was found." : `${findings.length} findings.`);
    return findings.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
