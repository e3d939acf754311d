import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export type Fault = "none" | "refuse" | "hang" | "swallow commit answers";

/** Stands between a server and its database, and does to the line what networks do. */
export class FaultProxy {
  readonly port: number;
  fault: Fault = "none";
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  static async start(target: URL, fault: Fault = "none"): Promise<FaultProxy> {
    const server = createServer();
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

  /** Breaks every connection that is open. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
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
    const database = connect(Number(target.port), target.hostname);
    let commits = false;
    client.on("data", (data) => {
      if (this.fault === "hang") return;
      commits = this.fault === "swallow commit answers" && /commit/i.test(data.toString("latin1"));
      database.write(data);
    });
    database.on("data", (data) => {
      if (this.fault === "hang") return;
      // The database has done it; the one who asked never hears.
      if (commits) client.destroy();
      else client.write(data);
    });
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
