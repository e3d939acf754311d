export type Cookie = { name: string; value: string; attributes: Map<string, string> };

/** One Set-Cookie header; attribute names in lower case, a flag's value empty. */
export function parseSetCookie(line: string): Cookie {
  const [pair = "", ...rest] = line.split(";").map((part) => part.trim());
  const [name, value] = splitOnce(pair);
  return { name, value, attributes: new Map(rest.map((part) => lowerName(splitOnce(part)))) };
}

/** The cookies of one browser, for one site. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  take(setCookies: readonly string[]): void {
    for (const { name, value, attributes } of setCookies.map(parseSetCookie)) {
      if (attributes.get("path") !== "/") throw new Error(`${name} is not for the whole site.`);
      if (Number(attributes.get("max-age")) <= 0) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  get(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  set(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  delete(name: string): void {
    this.#cookies.delete(name);
  }

  clear(): void {
    this.#cookies.clear();
  }

  names(): string[] {
    return [...this.#cookies.keys()];
  }

  header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function lowerName([name, value]: [string, string]): [string, string] {
  return [name.toLowerCase(), value];
}
