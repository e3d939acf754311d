import { type Client, createClient, type Ending, Refused, type Session } from "../client/index.ts";
import css from "../react/latchkey.css?inline";
import { askToEndOthers } from "./end-others.ts";
import { button, element } from "./markup.ts";
import { SessionRow } from "./session-row.ts";

const TICK = 10_000;
const LONGEST_WAIT = 15_000;
/** A list that comes sooner than this needs no place-holder, in ms. */
const PATIENCE = 200;

/**
 * `<login-management base-path="/auth">`: every device that is logged in, and how to end it. Keeps itself
 * up to date. Its look follows the `--lk-…` variables set on it. When this device is logged out, it fires
 * `latchkey-signed-out` with the ending, then goes to the login page unless that was prevented.
 */
export class LoginManagementElement extends HTMLElement {
  readonly #root = this.attachShadow({ mode: "open" });
  readonly #rows = new Map<string, SessionRow>();
  readonly #list = element("ul", { class: "lk-list", role: "list" });
  readonly #waiting = element("div", { class: "lk-waiting", "aria-busy": "true" });
  readonly #stale = element("p", { class: "lk-stale", role: "status" });
  readonly #alone = element("p", { class: "lk-hint" }, "Only this device is logged in.");
  readonly #status = element("p", { class: "lk-status", role: "status" });
  readonly #endOthers = button("Log out other devices", "lk-plain", () => this.#ask());
  #client: Client = createClient();
  #sessions: Session[] = [];
  #failures = 0;
  #over: AbortController | undefined;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      `${css.replaceAll(":root", ":host")} :host { display: block; } [hidden] { display: none; }`,
    );
    this.#root.adoptedStyleSheets = [sheet];
    this.#stale.hidden = this.#alone.hidden = true;
    this.#endOthers.disabled = true;
    this.#waiting.append(element("div", { class: "lk-bone" }), element("div", { class: "lk-bone" }));
    const card = element("section", { class: "lk-card", "aria-labelledby": "heading" });
    card.append(
      element("h2", { id: "heading" }, "Login management"),
      element("p", { class: "lk-words" }, "Every device that is logged in to your account."),
      this.#stale,
      this.#waiting,
      this.#list,
      this.#alone,
      this.#status,
      element("div", { class: "lk-actions" }, this.#endOthers),
    );
    this.#root.append(card);
  }

  connectedCallback(): void {
    const basePath = (this.getAttribute("base-path") ?? "").replace(/\/$/, "");
    this.#client = createClient({ basePath });
    const over = new AbortController();
    this.#over = over;
    const timer = setInterval(() => this.#show(), TICK);
    const late = setTimeout(() => this.#waiting.setAttribute("data-shown", ""), PATIENCE);
    const stops = [
      this.#client.watch(() => void this.#refresh()),
      this.#client.onSignedOut((ending) => this.#leave(ending, basePath)),
      () => clearInterval(timer),
      () => clearTimeout(late),
    ];
    over.signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
    });
    void this.#refresh();
  }

  disconnectedCallback(): void {
    this.#over?.abort();
  }

  async #refresh(): Promise<void> {
    const over = this.#over;
    try {
      this.#sessions = await this.#client.sessions({ background: true });
      this.#failures = 0;
      this.#stale.hidden = true;
      this.#show();
    } catch (error) {
      // A refusal is told by the client, in every tab; anything else is tried again, ever more slowly.
      if (over?.signal.aborted || error instanceof Refused) return;
      this.#failures += 1;
      this.#stale.textContent = `${navigator.onLine ? "No answer from the server." : "You are offline."} This may be out of date.`;
      this.#stale.hidden = false;
      const again = setTimeout(() => void this.#refresh(), Math.min(500 * 2 ** this.#failures, LONGEST_WAIT));
      over?.signal.addEventListener("abort", () => clearTimeout(again));
    }
  }

  /** Brings the list to what is known: rows that stay are kept, with their focus. */
  #show(): void {
    if (this.#sessions.length === 0) return;
    const now = Date.now();
    this.#waiting.remove();
    const ids = new Set(this.#sessions.map(({ id }) => id));
    for (const [id, row] of this.#rows) if (!ids.has(id)) this.#drop(id, row);
    this.#sessions.forEach((session, place) => {
      const row = this.#rowOf(session);
      row.show(session, now);
      const there = this.#list.children[place];
      if (there !== row.node) this.#list.insertBefore(row.node, there ?? null);
    });
    const others = ids.size - 1;
    this.#alone.hidden = others > 0;
    this.#endOthers.disabled = others === 0;
  }

  #rowOf(session: Session): SessionRow {
    const known = this.#rows.get(session.id);
    if (known) return known;
    const made = new SessionRow(session, () => this.#end(session));
    this.#rows.set(session.id, made);
    return made;
  }

  #drop(id: string, row: SessionRow): void {
    row.node.remove();
    this.#rows.delete(id);
  }

  async #end({ id, label }: Session): Promise<void> {
    await this.#client.endSession(id).catch((error: unknown) => {
      // Somebody else was quicker: it is out, which is what was asked for.
      if (!(error instanceof Refused) || error.code !== "not_found") throw error;
    });
    this.#status.textContent = `${label} was logged out.`;
    await this.#refresh();
  }

  #ask(): void {
    askToEndOthers(this.#root, this.#sessions.length - 1, async () => {
      const { ended } = await this.#client.endOtherSessions();
      this.#status.textContent = `${ended === 1 ? "1 other device was" : `${ended} other devices were`} logged out.`;
      await this.#refresh();
    });
  }

  #leave(ending: Ending, basePath: string): void {
    const told = new CustomEvent("latchkey-signed-out", { detail: ending, bubbles: true, cancelable: true });
    if (!this.dispatchEvent(told)) return;
    location.replace(`${basePath}/login?next=${encodeURIComponent(location.href)}`);
  }
}
