import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Headers } from "./exchange.ts";

export type LiveEvent = { event: string; data: unknown };

const TIMEOUT = 5_000;

/** Reads server-sent events one by one, in order, none twice. */
export class LiveStream {
  readonly headers: IncomingHttpHeaders;
  readonly #incoming: IncomingMessage;
  readonly #events: LiveEvent[] = [];
  #rest = "";
  #isClosed = false;
  #wake: () => void = () => {};

  static open(options: { port: number; path: string; headers: Headers }): Promise<LiveStream> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", agent: false, ...options }, (incoming) => {
        if (incoming.statusCode === 200) resolve(new LiveStream(incoming));
        else refused(incoming).then(reject, reject);
      });
      outgoing.once("error", reject);
      outgoing.end();
    });
  }

  private constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    this.headers = incoming.headers;
    incoming.setEncoding("utf8");
    incoming.on("data", (text: string) => this.#hear(text));
    incoming.on("error", () => this.#end());
    incoming.on("close", () => this.#end());
  }

  /** The next event. @throws if none comes in time, or the stream closes first. */
  async next(timeout = TIMEOUT): Promise<LiveEvent> {
    await this.#until(() => this.#events.length > 0 || this.#isClosed, timeout);
    const event = this.#events.shift();
    if (!event) throw new Error("The live stream closed without another event.");
    return event;
  }

  /** Skips to the next event of this name. */
  async nextOf(name: string, timeout = TIMEOUT): Promise<LiveEvent> {
    for (;;) {
      const event = await this.next(timeout);
      if (event.event === name) return event;
    }
  }

  /** Resolves once the server has closed the stream. @throws if it doesn't. */
  closed(timeout = TIMEOUT): Promise<void> {
    return this.#until(() => this.#isClosed, timeout);
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Events that have arrived and weren't read yet. */
  get waiting(): readonly LiveEvent[] {
    return this.#events;
  }

  close(): void {
    this.#incoming.destroy();
  }

  #hear(text: string): void {
    this.#rest += text;
    const blocks = this.#rest.split("\n\n");
    this.#rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = block.split("\n").map((line) => /^(event|data): (.*)$/.exec(line));
      const event = fields.find((field) => field?.[1] === "event")?.[2];
      const data = fields.find((field) => field?.[1] === "data")?.[2];
      if (event !== undefined)
        this.#events.push({ event, data: data === undefined ? null : JSON.parse(data) });
    }
    this.#wake();
  }

  #end(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async #until(isSo: () => boolean, timeout: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#isLate = true;
      this.#wake();
    }, timeout);
    this.#isLate = false;
    try {
      while (!isSo()) {
        if (this.#isLate) throw new Error(`Nothing came over the live stream within ${timeout} ms.`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #isLate = false;
}

async function refused(incoming: IncomingMessage): Promise<Error> {
  let text = "";
  for await (const chunk of incoming) text += String(chunk);
  return new Error(`${incoming.statusCode} ${text}`);
}
