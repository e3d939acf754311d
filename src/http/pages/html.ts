import type { Settings } from "../../options/options.ts";

export function html(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" },
  });
}

/** A page of one sentence and a way on, for when there is nothing else to show. */
export function plainPage(status: number, sentence: string, settings: Settings): Response {
  const { href, path } = settings.baseUrl;
  const name = escapeHtml(settings.name ?? "Latchkey");
  return html(
    status,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${name}</title><link rel="stylesheet" href="${path}/plain.css"></head><body><main><h1>${name}</h1><p>${sentence}</p><p><a href="${href}/">Go to your account</a></p></main></body></html>`,
  );
}

/** Text for a page, between elements or in quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
