import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** A request that an app behind a proxy received. */
export type Heard = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Names and values as they came, one after another. */
  rawHeaders: string[];
  bodyBytes: number;
};

/** An app that knows nothing about Latchkey: it answers with what it received, and records it. */
export class AppBehind {
  readonly port: number;
  readonly heard: Heard[] = [];
  readonly #close: () => Promise<void>;

  static async start(): Promise<AppBehind> {
    const server = createServer();
    const sockets = new Set<Duplex>();
    const streams = new Set<ServerResponse>();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const app = new AppBehind(typeof address === "object" && address ? address.port : 0, async () => {
      server.close();
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    });
    server.on("request", async (request, response) => {
      let bodyBytes = 0;
      for await (const chunk of request) bodyBytes += (chunk as Buffer).length;
      const heard = app.#hear(request, bodyBytes);
      if (heard.path.startsWith("/events")) {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.write(`event: hello\ndata: ${JSON.stringify(heard.headers["remote-user"])}\n\n`);
        streams.add(response);
        return;
      }
      if (heard.path === "/tell-all") for (const stream of streams) stream.write("event: told\ndata: {}\n\n");
      response.writeHead(heard.path.startsWith("/broken") ? 500 : 200, { "Content-Type": "text/html" });
      response.end(`<h1>Hello, ${heard.headers["remote-user"]}</h1><p>${heard.path}</p>`);
    });
    server.on("upgrade", (request, socket) => {
      sockets.add(socket);
      const heard = app.#hear(request, 0);
      acceptWebSocket(socket, String(heard.headers["sec-websocket-key"]));
      socket.on("error", () => {});
      socket.on("data", (frame: Buffer) =>
        socket.write(textFrame(`${heard.headers["remote-user"]} said ${wordsOf(frame)}`)),
      );
    });
    return app;
  }

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  /** The last request. @throws if none came. */
  get last(): Heard {
    const heard = this.heard.at(-1);
    if (!heard) throw new Error("The app received nothing.");
    return heard;
  }

  stop(): Promise<void> {
    return this.#close();
  }

  #hear(request: IncomingMessage, bodyBytes: number): Heard {
    const { method = "", url = "", headers, rawHeaders } = request;
    const heard = { method, path: url, headers, rawHeaders, bodyBytes };
    this.heard.push(heard);
    return heard;
  }
}

const WEB_SOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function acceptWebSocket(socket: Duplex, key: string): void {
  const accept = createHash("sha1")
    .update(key + WEB_SOCKET_GUID)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}

/** The text of one short masked frame, as browsers send it. */
function wordsOf(frame: Buffer): string {
  const length = (frame[1] ?? 0) & 0x7f;
  const mask = frame.subarray(2, 6);
  return Buffer.from(
    frame.subarray(6, 6 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)),
  ).toString();
}

function textFrame(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, bytes.length]), bytes]);
}
