import { problem } from "../answers.ts";
import type { SignedInCall } from "../signed-in.ts";

const encoder = new TextEncoder();

/**
 * The page's ear: server-sent events until the session ends. Bound to the session, not to its token. HEAD
 * gets the headers alone: nobody would ever close what it opened.
 */
export async function getLive({ parts, current, request }: SignedInCall): Promise<Response> {
  if (request.method === "HEAD") return new Response(null, { headers: HEADERS });
  const full = parts.live.whyFull(current);
  return full ? problem(full) : new Response(eventsOf(parts, current), { headers: HEADERS });
}

function eventsOf(
  parts: SignedInCall["parts"],
  current: SignedInCall["current"],
): ReadableStream<Uint8Array> {
  let forget = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      send("retry: 2000\n: open\n\n");
      forget = parts.live.open(current, {
        sessionsChanged: () => send("event: sessions-changed\ndata: {}\n\n"),
        signedOut(told) {
          send(`event: signed-out\ndata: ${JSON.stringify(told)}\n\n`);
          controller.close();
        },
        heartbeat: () => send(":\n\n"),
        close: () => controller.close(),
      });
    },
    cancel: () => forget(),
  });
}

const HEADERS = {
  "Content-Type": "text/event-stream",
  // What compresses an app's answers would hold an event back until many have come.
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
  // When the stream ends, so does its connection: a kept one would hold up a server that stops.
  Connection: "close",
};
