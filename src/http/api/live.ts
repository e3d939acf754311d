import { z } from "zod";
import type { CurrentSession } from "../../changes/proof.ts";
import type { HttpParts } from "../call.ts";
import { route } from "../route.ts";

const encoder = new TextEncoder();

const HEADERS = {
  "Content-Type": "text/event-stream",
  // Middleware that compresses an app's answers would hold an event back until many have come.
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
  // When the stream ends, so does its connection: a kept one would hold up a server that stops.
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
     * Open until the session ends; it belongs to the session, not to its token. HEAD gets the headers alone:
     * nobody would ever close a stream that it opened.
     */
    async handle({ parts, current, request }) {
      if (request.method === "HEAD") return new Response(null, { headers: HEADERS });
      return parts.live.whyFull(current) ?? new Response(eventsOf(parts, current), { headers: HEADERS });
    },
  }),
];

/**
 * What comes while its reader doesn't read waits once, however often it came: a page that hears of a change looks at
 * everything.
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
  // Before it is handed over: to a reader who waits for it, that asks for the next part at once.
  waiting.clear();
  controller.enqueue(encoder.encode(text));
}
