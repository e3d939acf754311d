/** Latchkey's card in a page of the app: one element, which keeps itself up to date. */
export const devicesPage = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Your devices</title>
  <style>
    body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  </style>
  <script type="module" src="/elements.js"></script>
  <p><a href="/">Your notes</a></p>
  <login-management base-path="/auth"></login-management>
</html>`;
