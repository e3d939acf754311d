import { serverTime } from "../client/clock.ts";
import {
  type Client,
  createClient,
  type Ending,
  type Reading,
  Refused,
  type Session,
} from "../client/index.ts";
import { nextTry } from "../client/next-try.ts";
import { ownLanguage } from "../client/times.ts";
import {
  howManyDevices,
  MANY_ROWS,
  othersWereLoggedOut,
  ROWS_AT_FIRST,
  staleNotice,
} from "../react/words.ts";
import { askToEndOthers } from "./end-others.ts";
import { button, element } from "./markup.ts";
import { SessionRow } from "./session-row.ts";
import { applyLook } from "./style-sheet.ts";

const TICK = 10_000;
/** If the list arrives sooner than this, in ms, no placeholder is shown. */
const SHOWN_AFTER = 200;

/** A server that renders a page with the element has no `HTMLElement`; the element starts in the browser. */
const OwnElement: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * `<login-management base-path="/auth">`: every device that is logged in, and how to end it. Keeps itself
 * up to date. Its look follows the `--lk-…` variables set on it, or on the page.
 *
 * @attr base-path - The path that Latchkey is mounted below. Default: none, the root of the page's origin. Read when the element is put into the page.
 * @fires latchkey-signed-out - This device was logged out. `detail` says why. Then it goes to the login page, unless you called `preventDefault()`. Bubbles.
 */
export class LoginManagementElement extends OwnElement {
  readonly #root = this.attachShadow({ mode: "open" });
  readonly #rows = new Map<string, SessionRow>();
  readonly #list = element("ul", { class: "lk-list", role: "list" });
  readonly #waiting = element("div", { class: "lk-waiting", "aria-busy": "true" });
  readonly #stale = element("p", { class: "lk-stale", role: "status" });
  readonly #heading = element("h2", { id: "heading", tabindex: "-1" }, "Login management");
  readonly #howMany = element("p", { class: "lk-how-many" });
  readonly #status = element("p", { class: "lk-status", role: "status" });
  readonly #more = button("", "lk-plain lk-wide", () => this.#showAll());
  readonly #endOthers = button("Log out other devices", "lk-plain", () => this.#ask());
  #client: Client = createClient();
  #sessions: Session[] = [];
  /** The number of the latest request: answers to earlier ones are out of date. */
  #turn = 0;
  #showsAll = false;
  /** The ids of the sessions that were there when the list was first shown. */
  #first: Set<string> | undefined;
  #failures = 0;
  /** The error of the last request, if it failed. */
  #failure: unknown = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #readAt: number | null = null;
  #over: AbortController | undefined;

  constructor() {
    super();
    applyLook(this.#root);
    this.#stale.hidden = this.#more.hidden = true;
    this.#endOthers.disabled = true;
    for (const bone of ["line", "row", "row"])
      this.#waiting.append(element("div", { class: `lk-bone lk-bone-${bone}` }));
    const card = element("section", { class: "lk-card", "aria-labelledby": "heading", ...ownLanguage() });
    card.append(
      this.#heading,
      element("p", { class: "lk-words" }, "Every device that is logged in to your account."),
      this.#stale,
      this.#waiting,
      this.#howMany,
      this.#list,
      this.#more,
      this.#status,
      element("div", { class: "lk-actions" }, this.#endOthers),
      element("p", { class: "lk-hint lk-foot" }, "API keys and connected apps are not listed here."),
    );
    this.#root.append(card);
  }

  connectedCallback(): void {
    this.#client = createClient({ basePath: this.getAttribute("base-path") ?? "" });
    const over = new AbortController();
    this.#over = over;
    const timer = setInterval(() => this.#show(), TICK);
    const late = setTimeout(() => this.#waiting.setAttribute("data-shown", ""), SHOWN_AFTER);
    const stops = [
      this.#client.watch(() => void this.#refresh()),
      this.#client.onSignedOut((ending) => this.#leave(ending)),
      () => clearInterval(timer),
      () => clearTimeout(late),
    ];
    for (const stop of stops) over.signal.addEventListener("abort", stop);
    window.addEventListener("offline", () => this.#sayHowOld(), { signal: over.signal });
    window.addEventListener("online", () => void this.#refresh(), { signal: over.signal });
    document.addEventListener("visibilitychange", () => this.#tryAgain(), { signal: over.signal });
    void this.#refresh({ background: false });
  }

  disconnectedCallback(): void {
    this.#over?.abort();
    clearTimeout(this.#again);
    this.#empty();
  }

  /** Reads the list. Only the first request, when a person opens the page, counts as use of the session. */
  async #refresh(reading: Reading = { background: true }): Promise<void> {
    const over = this.#over;
    const turn = ++this.#turn;
    clearTimeout(this.#again);
    try {
      const sessions = await this.#client.sessions(reading);
      if (turn !== this.#turn) return;
      this.#sessions = sessions;
      this.#failures = 0;
      this.#failure = null;
      this.#readAt = Date.now();
      this.#show();
    } catch (error) {
      // If the session is over, the client tells every tab. Other failures are retried ever more slowly.
      if (turn !== this.#turn || over?.signal.aborted || (error instanceof Refused && error.isSignedOut))
        return;
      this.#failures += 1;
      this.#failure = error;
      this.#sayHowOld();
      this.#again = setTimeout(() => this.#tryAgain(), nextTry(this.#failures, error));
    }
  }

  /** Tries again only while the page is visible; otherwise as soon as it is. */
  #tryAgain(): void {
    if (this.#failures > 0 && document.visibilityState !== "hidden") void this.#refresh();
  }

  #sayHowOld(): void {
    const reading = { error: this.#failure, isOffline: !navigator.onLine, readAt: this.#readAt };
    const words = staleNotice(reading, Date.now()) ?? "";
    if (this.#stale.textContent !== words) this.#stale.textContent = words;
    this.#stale.hidden = words === "";
  }

  /** Updates the list. Rows that stay are reused, so that they keep the focus. */
  #show(): void {
    this.#sayHowOld();
    if (this.#sessions.length === 0) return;
    const now = serverTime();
    this.#first ??= new Set(this.#sessions.map(({ id }) => id));
    this.#waiting.remove();
    const { length } = this.#sessions;
    const isCut = !this.#showsAll && length > MANY_ROWS;
    const shown = isCut ? this.#sessions.slice(0, ROWS_AT_FIRST) : this.#sessions;
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, row] of this.#rows) if (!ids.has(id)) this.#drop(id, row);
    shown.forEach((session, place) => {
      const row = this.#rowOf(session);
      row.show(session, now);
      const there = this.#list.children[place];
      if (there !== row.node) this.#list.insertBefore(row.node, there ?? null);
    });
    const others = length - 1;
    this.#howMany.textContent = howManyDevices(length);
    this.#more.hidden = !isCut;
    this.#more.textContent = `Show all ${length} devices`;
    if (others === 0 && this.#root.activeElement === this.#endOthers) this.#heading.focus();
    this.#endOthers.disabled = others === 0;
  }

  #showAll(): void {
    this.#showsAll = true;
    this.#show();
    this.#list.children[ROWS_AT_FIRST]?.querySelector("button")?.focus();
  }

  #rowOf(session: Session): SessionRow {
    const known = this.#rows.get(session.id);
    if (known) return known;
    const made = new SessionRow(session, !this.#first?.has(session.id), () => this.#end(session));
    this.#rows.set(session.id, made);
    return made;
  }

  /** Removes a row. If it had the focus, the focus goes to the button of a neighbour. */
  #drop(id: string, { node }: SessionRow): void {
    const neighbours = [node.nextElementSibling, node.previousElementSibling];
    const buttons = neighbours.map((row) => row?.querySelector("button"));
    if (node.contains(this.#root.activeElement)) (buttons.find((one) => one) ?? this.#heading).focus();
    node.remove();
    this.#rows.delete(id);
  }

  /** Clears all data: the page may stay open, and the next person to log in may be somebody else. */
  #empty(): void {
    this.#turn += 1;
    this.#sessions = [];
    for (const [id, row] of this.#rows) this.#drop(id, row);
    this.#first = undefined;
    this.#howMany.textContent = this.#status.textContent = "";
    this.#more.hidden = this.#endOthers.disabled = true;
    this.#showsAll = false;
    // An open dialog would block the page; and if the element is inserted again, it would no longer be modal.
    this.#root.querySelector("dialog")?.remove();
  }

  async #end({ id, label }: Session): Promise<void> {
    await this.#client.endSession(id).catch((error: unknown) => {
      // It has already ended some other way, which is what the person wanted.
      if (!(error instanceof Refused) || error.code !== "not_found") throw error;
    });
    this.#status.textContent = `${label} was logged out.`;
    this.#takeOff((session) => session.id === id);
  }

  #ask(): void {
    this.#status.textContent = "";
    askToEndOthers(this.#root, this.#sessions.length - 1, async () => {
      const { ended } = await this.#client.endOtherSessions();
      this.#status.textContent = othersWereLoggedOut(ended);
      this.#takeOff((session) => !session.current);
    });
  }

  /** Removes sessions that have just ended from the list at once, without waiting for the next request. */
  #takeOff(isOver: (session: Session) => boolean): void {
    this.#sessions = this.#sessions.filter((session) => !isOver(session));
    this.#show();
    void this.#refresh();
  }

  #leave(ending: Ending): void {
    this.#empty();
    const told = new CustomEvent("latchkey-signed-out", { detail: ending, bubbles: true, cancelable: true });
    if (this.dispatchEvent(told))
      location.replace(`${this.#client.basePath}/login?next=${encodeURIComponent(location.href)}`);
  }
}
