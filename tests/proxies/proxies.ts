import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Example } from "./examples.ts";

/** The proxies that Latchkey ships a configuration for. */
export const PROXIES: Example[] = [
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

/** The one that other tests use. */
export const NGINX = PROXIES[0] as Example;

/**
 * What Debian's /etc/nginx/nginx.conf puts around the files of conf.d, for any user and in a separate folder.
 */
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
