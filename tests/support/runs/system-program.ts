import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * The path of a system program: on the PATH, or among the administrator's programs. If it is missing and this
 * is root on Debian, its package is installed. Null, with a warning that says what to do, if there is none:
 * the tests that need it are then skipped.
 */
export async function systemProgram(name: string, debianPackage = name): Promise<string | null> {
  const found = find(name);
  if (found !== null) return found;
  const complaint = process.getuid?.() === 0 && find("apt-get") ? await install(debianPackage) : "";
  const installed = find(name);
  if (installed === null)
    console.warn(
      `SKIPPED: the tests with ${name} don't run, since ${name} is not on this machine. Install it: apt-get install ${debianPackage}\n${complaint}`,
    );
  return installed;
}

function find(name: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...FOLDERS].filter(
    (folder) => folder !== "",
  );
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * One at a time. Until that is done, a `policy-rc.d` keeps the package's service from starting: it would take
 * port 80.
 */
const INSTALL = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
install="apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $1"
$install || { apt-get -o DPkg::Lock::Timeout=120 update && $install; }
`;

/** Resolves to its output if it failed, and to nothing if it didn't. */
function install(debianPackage: string): Promise<string> {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(
      "flock",
      ["/tmp/latchkey-tests-install.lock", "sh", "-c", INSTALL, "install", debianPackage],
      { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(code === 0 ? "" : output.slice(-2_000)));
  });
}
