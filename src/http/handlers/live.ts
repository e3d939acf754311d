import type { SignedInCall } from "../signed-in.ts";

const encoder = new TextEncoder();

/** The page's ear: server-sent events until the session ends. Bound to the session, not to its token. */
export async function getLive({ parts, acting }: SignedInCall): Promise<Response> {
  let forget = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      send("retry: 2000\n: open\n\n");
      forget = parts.live.open(acting, {
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
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream",
      // What compresses an app's answers would hold an event back until many have come.
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
      // When the stream ends, so does its connection: a kept one would hold up a server that stops.
      Connection: "close",
    },
  });
}
