import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { need } from "../tests/support/requests/answers.ts";
import { exchange } from "../tests/support/requests/exchange.ts";
import type { Asked, Told } from "./floods-server.ts";

export const CLIENTS = 40;
export const PASSWORDS = ["quartz-Lantern-burrow-58", "velvet-Harbour-thistle-23"] as const;

export type Server = { port: number; ask(asked: Asked): Promise<Told>; stop(): Promise<void> };
export type Person = { email: string; password: string; id: string; cookie: string };

/** Starts `floods-server.ts`, which ends with this process. */
export async function start(rateLimits: "on" | "off", wantedPort = 0): Promise<Server> {
  const child = fork(join(import.meta.dirname, "floods-server.ts"), [rateLimits, String(wantedPort)]);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    port,
    async ask(asked) {
      child.send(asked);
      const [told] = (await once(child, "message")) as [Told];
      return told;
    },
    async stop() {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}

/** Sends over `CLIENTS` connections until it is stopped; then reports which answers came. */
export function floodOf(sendOne: () => Promise<{ status: number }>) {
  const counts = new Map<number, number>();
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      const { status } = await sendOne();
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));
  return {
    async stop(): Promise<string> {
      isOver = true;
      await clients;
      return [...counts].map(([status, count]) => `${count} times ${status}`).join(", ");
    },
  };
}

export function check(port: number, { cookie }: Person) {
  return send(port, "GET", "/api/session", cookie);
}

export async function timesOf(work: () => Promise<unknown>, times: number): Promise<number[]> {
  const took: number[] = [];
  for (let time = 0; time < times; time++) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  return took;
}

export async function signUp(port: number): Promise<Person> {
  const address = email();
  const [password] = PASSWORDS;
  const answer = await send(port, "POST", "/api/accounts", "", { email: address, password });
  const { id } = need(answer, "account");
  return { email: address, password, id, cookie: cookieOf(answer.setCookies) };
}

export function send(port: number, method: string, path: string, cookie: string, body?: unknown) {
  const headers = {
    Host: "localhost:3999",
    ...(cookie === "" ? {} : { Cookie: cookie }),
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
  };
  return exchange({
    port,
    method,
    path,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

export function cookieOf(setCookies: readonly string[]): string {
  return setCookies.map((line) => line.split(";")[0]).join("; ");
}

export function email(): string {
  return `p${Math.random().toString(36).slice(2)}@example.test`;
}

export function median(of: number[]): number {
  return of.toSorted((one, other) => one - other)[Math.floor(of.length / 2)] ?? Number.NaN;
}
