import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * "silent": it accepts connections and answers no query. "late": answers take 2.5 s. "old server": it says
 * that it is PostgreSQL 14.
 */
export type Fault = "none" | "refuse" | "hang" | "silent" | "late" | "old server" | "swallow commit answers";

const LATE_BY = 2_500;
const [QUESTION, PARSE] = [0x51, 0x50];
const ITS_VERSION = "current_setting('server_version_num')";

/**
 * A proxy between a server and its database, or a browser and the server, which does to the connection what
 * networks do.
 */
export class FaultProxy {
  readonly port: number;
  fault: Fault = "none";
  /** How many commits are answered before "swallow commit answers" begins. */
  commitsFirst = 0;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #forgotten = new WeakSet<Socket>();
  #held: { data: Buffer; pass: () => void }[] | undefined;

  static async start(target: URL, fault: Fault = "none"): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    const sockets = new Set<Socket>();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const proxy = new FaultProxy(port, server, sockets);
    proxy.fault = fault;
    server.on("connection", (client) => proxy.#carry(client, target));
    return proxy;
  }

  private constructor(port: number, server: Server, sockets: Set<Socket>) {
    this.port = port;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** The URL of a database through this proxy. */
  through(url: string | URL): string {
    return Object.assign(new URL(url), { hostname: "127.0.0.1", port: String(this.port) }).href;
  }

  /** Breaks every connection that is open. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Like a NAT that forgets: what is open now stays open, but nothing comes through it any more. */
  forget(): void {
    for (const socket of this.#sockets) this.#forgotten.add(socket);
  }

  /** Holds back what the database answers from now on, until it is released. */
  hold(): { readonly text: string; letGo(): void } {
    const held: { data: Buffer; pass: () => void }[] = [];
    this.#held = held;
    return {
      get text() {
        return Buffer.concat(held.map(({ data }) => data)).toString("latin1");
      },
      letGo: () => {
        this.#held = undefined;
        for (const { pass } of held) pass();
      },
    };
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.cut();
  }

  #carry(client: Socket, target: URL): void {
    if (this.fault === "refuse") {
      client.destroy();
      return;
    }
    const database = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true });
    const isDead = () => this.fault === "hang" || this.#forgotten.has(client);
    let commits = false;
    client.on("data", (data) => {
      if (isDead() || (this.fault === "silent" && (data[0] === QUESTION || data[0] === PARSE))) return;
      commits = this.fault === "swallow commit answers" && isCommit(data) && this.commitsFirst-- <= 0;
      database.write(this.fault === "old server" ? withVersion14(data) : data);
    });
    database.on("data", (data) => {
      if (isDead()) return;
      // The database has done it, but the client never hears of it.
      if (commits) client.destroy();
      else if (this.#held) this.#held.push({ data, pass: () => client.write(data) });
      else if (this.fault === "late") setTimeout(() => client.write(data), LATE_BY);
      else client.write(data);
    });
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("end", () => isDead() || other.end());
      one.on("close", () => {
        this.#sockets.delete(one);
        if (!isDead()) other.destroy();
      });
    }
  }
}

function isCommit(data: Buffer): boolean {
  return /\bcommit\b/i.test(data.toString("latin1"));
}

/** The query for the version is replaced by one for a constant, in as many bytes. */
function withVersion14(data: Buffer): Buffer {
  return Buffer.from(
    data.toString("latin1").replace(ITS_VERSION, "'140011'".padEnd(ITS_VERSION.length)),
    "latin1",
  );
}
