/** The page of the example: whose notes these are, the notes, and the way to the devices. */
export function notesPage(email: string, notes: string[]): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Your notes</title>
  <style>
    body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
    header, form { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; }
    input { flex: 1 1 12rem; }
    input, button { padding: 0.5rem 0.75rem; font: inherit; }
  </style>
  <header><h1>Your notes</h1><span>${text(email)}</span><a href="/auth/settings/security">Devices and security</a></header>
  <form method="post" action="/notes">
    <label for="note">A new note</label>
    <input id="note" name="note" required>
    <button>Keep it</button>
  </form>
  <ul>${notes.map((note) => `<li>${text(note)}</li>`).join("")}</ul>
</html>`;
}

function text(value: string): string {
  return value.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
