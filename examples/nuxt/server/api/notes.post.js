import { notes } from "../utils/notes.js";

export default defineEventHandler(async (event) => {
  const { account } = event.context;
  const { note = "" } = await readBody(event);
  notes.set(account.id, [...(notes.get(account.id) ?? []), String(note)]);
  return sendRedirect(event, "/", 303);
});
