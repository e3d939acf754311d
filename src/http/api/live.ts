import { z } from "zod";
import type { CurrentSession } from "../../changes/proof.ts";
import type { HttpParts } from "../call.ts";
import { route } from "../route.ts";

const encoder = new TextEncoder();

const HEADERS = {
  "Content-Type": "text/event-stream",
  // `no-transform`, because middleware that compresses responses would buffer events.
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
  // Closes the connection with the stream: a kept connection would delay a server that stops.
  Connection: "close",
};

export const liveRoutes = [
  route({
    method: "GET",
    path: "/api/live",
    session: "required",
    isUse: false,
    summary: "Server-sent events: sessions-changed, and signed-out with the reason; then it closes.",
    answers: { 200: { description: "A stream of events.", type: "text/event-stream", body: z.string() } },
    /**
     * The stream stays open until the session ends, even if the session's token is renewed. HEAD gets only
     * the headers, since nothing would ever close a stream that it opened.
     */
    async handle({ parts, current, request }) {
      if (request.method === "HEAD") return new Response(null, { headers: HEADERS });
      return parts.live.whyFull(current) ?? new Response(eventsOf(parts, current), { headers: HEADERS });
    },
  }),
];

/**
 * Events that arrive while the reader isn't reading are kept once each, however often they come: one is
 * enough, since a page reloads everything after a change.
 */
function eventsOf(parts: HttpParts, current: CurrentSession): ReadableStream<Uint8Array> {
  let forget = () => {};
  const waiting = new Set<string>();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      const sendOnce = (text: string) => {
        waiting.add(text);
        sendWaiting(waiting, controller);
      };
      send("retry: 2000\n: open\n\n");
      forget = parts.live.open(current, {
        sessionsChanged: () => sendOnce("event: sessions-changed\ndata: {}\n\n"),
        signedOut(told) {
          send(`event: signed-out\ndata: ${JSON.stringify(told)}\n\n`);
          controller.close();
        },
        heartbeat: () => sendOnce(":\n\n"),
        close: () => controller.close(),
      });
    },
    pull: (controller) => sendWaiting(waiting, controller),
    cancel: () => forget(),
  });
}

function sendWaiting(waiting: Set<string>, controller: ReadableStreamDefaultController<Uint8Array>): void {
  if (waiting.size === 0 || (controller.desiredSize ?? 0) <= 0) return;
  const text = [...waiting].join("");
  // Clears first, since `enqueue` may call this again at once for a reader that is waiting.
  waiting.clear();
  controller.enqueue(encoder.encode(text));
}
