import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Ports = { proxy: number; latchkey: number; app: number };

export type RunningProxy = { stop(): Promise<void> };

/** A proxy that Latchkey comes with a configuration for. */
export type ProxyKind = {
  name: string;
  debianPackage: string;
  /** The configuration that people copy. */
  folder: string;
  file: string;
  /** Stops it at once, however many connections are open. */
  stopSignal: NodeJS.Signals;
  /** Starts the program on a copy of that folder. */
  run(program: string, folder: string, file: string): Promise<ChildProcess>;
};

export const PROXIES: ProxyKind[] = [
  {
    name: "nginx",
    debianPackage: "nginx",
    folder: "nginx",
    file: "nginx.conf",
    stopSignal: "SIGTERM",
    async run(program, folder, file) {
      await writeFile(join(folder, "main.conf"), nginxAround(folder, file));
      return spawn(program, ["-p", folder, "-e", "stderr", "-c", join(folder, "main.conf")]);
    },
  },
  {
    name: "caddy",
    debianPackage: "caddy",
    folder: "caddy",
    file: "Caddyfile",
    stopSignal: "SIGQUIT",
    run: async (program, folder, file) =>
      spawn(program, ["run", "--adapter", "caddyfile", "--config", join(folder, file)], {
        env: { ...process.env, HOME: folder, CADDY_ADMIN: `unix/${join(folder, "admin.sock")}` },
      }),
  },
  {
    name: "haproxy",
    debianPackage: "haproxy",
    folder: "haproxy",
    file: "haproxy.cfg",
    stopSignal: "SIGTERM",
    run: async (program, folder, file) => spawn(program, ["-db", "-f", join(folder, file)]),
  },
];

/** In the examples, each of these stands in one place. */
const PLACES: [RegExp, keyof Ports][] = [
  [/(?<=:)3000\b/, "latchkey"],
  [/(?<=:)4000\b/, "app"],
  [/(?<=:)8080\b/, "proxy"],
];

/**
 * Starts a proxy with its configuration from the examples, as it is but for the three addresses. Resolves
 * once it takes connections. @throws with all it said where it stops instead.
 */
export async function startProxy(kind: ProxyKind, program: string, ports: Ports): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), `latchkey-${kind.name}-`));
  await cp(join(import.meta.dirname, "..", "..", "examples", kind.folder), folder, { recursive: true });
  // A program that root starts may go on as another user.
  await chmod(folder, 0o755);
  const file = join(folder, kind.file);
  await writeFile(file, withPorts(await readFile(file, "utf8"), ports));
  const child = await kind.run(program, folder, kind.file);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  const closed = once(child, "close");
  const isListening = await Promise.race([listens(ports.proxy, child), closed.then(() => false)]);
  if (!isListening) throw new Error(`${kind.name} stopped:\n${said}`);
  return {
    async stop() {
      child.kill(kind.stopSignal);
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function withPorts(text: string, ports: Ports): string {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return PLACES.reduce((replaced, [place, port]) => {
    const found = lines.filter((line) => place.test(line)).length;
    if (found !== 1) throw new Error(`${place} stands in ${found} lines of the example.`);
    return replaced.replace(new RegExp(place, "g"), String(ports[port]));
  }, text);
}

/** Asks until somebody listens, or the program is gone. */
async function listens(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => setTimeout(resolve, 20, false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return true;
  }
  return false;
}

/** What Debian's /etc/nginx/nginx.conf does around the files of conf.d, for any user and in a folder of its own. */
function nginxAround(folder: string, file: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  return `daemon off;
worker_processes 1;
pid ${join(folder, "nginx.pid")};
error_log stderr warn;
events {}
http {
  access_log off;
  ${temporary.join("\n  ")}
  include ${join(folder, file)};
}
`;
}
