import { latchkey } from "../latchkey.server.js";

/** Everything of Latchkey's: its pages, their files, the API. */
const answer = async ({ request }) => (await latchkey).fetch(request);

export { answer as action, answer as loader };
