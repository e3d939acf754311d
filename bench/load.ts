import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemProgram } from "../tests/support/runs/system-program.ts";
import type { Server } from "./server.ts";

/** Which session each request uses: from a file with one cookie per line, or one of the planted ones. */
export type Sessions = { count: number; order: "turn" | "random"; first?: number; cookies?: string };
/** `cpu` is the server's processor time per request, in µs: the machine's other work hardly affects it. */
export type Measured = { perSecond: number; p50: number; p99: number; cpu: number };
type Loaded = Pick<Server, "port" | "cpu">;
export type Load = (server: Loaded, path: string, sessions: Sessions, seconds?: number) => Promise<Measured>;

const SCRIPT = `
local count, first = tonumber(os.getenv("BENCH_COUNT")), tonumber(os.getenv("BENCH_FIRST"))
local path, random, file = os.getenv("BENCH_PATH"), os.getenv("BENCH_ORDER") == "random", os.getenv("BENCH_COOKIES")
local lines, i = {}, -1
if file ~= "" then for line in io.lines(file) do lines[#lines + 1] = line end end
math.randomseed(1)
request = function()
  if random then i = math.random(0, count - 1) else i = (i + 1) % count end
  return wrk.format("GET", path, { Cookie = lines[i + 1] or "latchkey=lk1_" .. string.format("%043d", first + i) })
end
done = function(summary, latency)
  print("MEASURED " .. summary.requests .. " " .. summary.requests * 1e6 / summary.duration .. " " .. latency:percentile(50) / 1e3 .. " " .. latency:percentile(99) / 1e3)
end`;

/** Loads a server by `wrk` with 64 connections: a client in C takes little of the machine for itself. */
export async function makeLoad(folder: string): Promise<Load> {
  const wrk = await systemProgram("wrk");
  if (wrk === null) throw new Error("The benches need wrk.");
  const script = join(folder, "requests.lua");
  writeFileSync(script, SCRIPT);
  return async (server, path, { count, order, first = 0, cookies = "" }, seconds = 1) => {
    const env = {
      ...process.env,
      BENCH_PATH: path,
      BENCH_ORDER: order,
      BENCH_COUNT: String(count),
      BENCH_FIRST: String(first),
      BENCH_COOKIES: cookies,
    };
    const load = ["-t1", "-c64", `-d${seconds}s`, "-s", script, `http://127.0.0.1:${server.port}`];
    const before = server.cpu();
    const { stdout } = await promisify(execFile)(wrk, load, { env });
    const cpu = server.cpu() - before;
    const [, ...numbers] = /MEASURED ([\d.e+]+) ([\d.e+]+) ([\d.e+]+) ([\d.e+]+)/.exec(stdout) ?? [];
    if (numbers.length < 4 || stdout.includes("Non-2xx")) throw new Error(`wrk at ${path} said: ${stdout}`);
    const [requests = 0, perSecond = 0, p50 = 0, p99 = 0] = numbers.map(Number);
    return { perSecond, p50, p99, cpu: (cpu * 1_000) / requests };
  };
}
