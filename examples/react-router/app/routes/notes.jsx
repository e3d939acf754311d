import { Form } from "react-router";
import { requireSession } from "../latchkey.server.js";
import { notes } from "../notes.server.js";

export async function loader({ request }) {
  const { account } = await requireSession(request);
  return { email: account.email, notes: notes.get(account.id) ?? [] };
}

export async function action({ request }) {
  const { account } = await requireSession(request);
  const note = String((await request.formData()).get("note") ?? "");
  notes.set(account.id, [...(notes.get(account.id) ?? []), note]);
  return null;
}

export default function Notes({ loaderData }) {
  return (
    <main>
      <h1>Your notes</h1>
      <p>
        {loaderData.email} · <a href="/auth/settings/security">Security</a>
      </p>
      <Form method="post">
        <label htmlFor="note">A new note</label> <input id="note" name="note" required />{" "}
        <button type="submit">Keep it</button>
      </Form>
      <ul>
        {loaderData.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </main>
  );
}
