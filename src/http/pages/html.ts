import type { Settings } from "../../options/options.ts";

export function html(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" },
  });
}

/** A page with one sentence and a link to the account, for when there is nothing else to show. */
export function plainPage(status: number, sentence: string, settings: Settings): Response {
  const content = `<p>${sentence}</p><p><a href="${settings.baseUrl.href}/">Go to your account</a></p>`;
  return simplePage(status, settings.name ?? "Latchkey", content, settings);
}

/** A page without scripts; `content` is HTML. */
export function simplePage(status: number, title: string, content: string, settings: Settings): Response {
  const name = escapeHtml(title);
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${name}</title><link rel="stylesheet" href="${settings.baseUrl.path}/plain.css">`;
  const body = `<main><h1>${name}</h1>${content}</main>`;
  return html(status, `<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>`);
}

/** Escapes text for use between elements or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
