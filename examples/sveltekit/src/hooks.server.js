import { redirect } from "@sveltejs/kit";
import { latchkey } from "./latchkey.server.js";

/** The app starts only with a Latchkey. */
export async function init() {
  await latchkey();
}

export async function handle({ event, resolve }) {
  const { fetch, requireSession } = await latchkey();
  const { pathname } = event.url;
  if (pathname === "/auth" || pathname.startsWith("/auth/"))
    return fetch(event.request, event.getClientAddress());

  const who = await requireSession(pageOf(event));
  if (who instanceof Response) {
    const location = who.headers.get("location");
    // A form that SvelteKit's script has sent understands only a redirect that is thrown.
    if (location && isEnhancedForm(event)) redirect(303, location);
    return who;
  }
  event.locals.account = who.account;
  return resolve(event);
}

/** SvelteKit's own requests for a page look like data; who asks is a person all the same. */
function pageOf(event) {
  const { request, url, isDataRequest } = event;
  if (!isDataRequest && !isEnhancedForm(event)) return request;
  const get = (name) => (name === "sec-fetch-mode" ? "navigate" : request.headers.get(name));
  return { method: request.method, url: url.href, headers: { get } };
}

function isEnhancedForm({ request }) {
  return request.headers.has("x-sveltekit-action");
}
