import { requireSession } from "latchkey/next";
import { revalidatePath } from "next/cache";
import { Suspense } from "react";
import { latchkey } from "../lib/latchkey.js";
import { notes } from "../lib/notes.js";

async function keep(form) {
  "use server";
  const { account } = await requireSession(latchkey, "/");
  notes.set(account.id, [...(notes.get(account.id) ?? []), String(form.get("note") ?? "")]);
  revalidatePath("/");
}

/** What reads the session stands in a `<Suspense>`: with `cacheComponents`, Next.js builds no page otherwise. */
export default function NotesPage() {
  return (
    <Suspense>
      <Notes />
    </Suspense>
  );
}

async function Notes() {
  const { account } = await requireSession(latchkey, "/");
  const own = notes.get(account.id) ?? [];
  return (
    <main>
      <h1>Your notes</h1>
      <p>
        {account.email} · <a href="/devices">Devices</a> · <a href="/auth/settings/security">Security</a>
      </p>
      <form action={keep}>
        <label htmlFor="note">A new note</label> <input id="note" name="note" required />{" "}
        <button type="submit">Keep it</button>
      </form>
      <ul>
        {own.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </main>
  );
}
