import { absoluteTime, dayOf, relativeTime, type Session } from "../client/index.ts";
import { BOUND, inWords } from "../react/words.ts";
import { button, deviceGlyph, element, set } from "./markup.ts";

export class SessionRow {
  readonly node: HTMLLIElement;
  readonly #signedIn = element("span");
  readonly #time = element("time");
  readonly #bound = element("p", { class: "lk-muted" }, BOUND);
  readonly #problem = element("p", { class: "lk-problem", role: "alert" });
  #working = false;

  /** `isNew`: the session began while the page was open. */
  constructor(session: Session, isNew: boolean, logOut: () => Promise<void>) {
    const { label, current, os } = session;
    const end = current
      ? element("span", { class: "lk-pill" }, "Current session")
      : button("Log out", "lk-small", () => void this.#act(logOut, end));
    if (!current) end.setAttribute("aria-label", `Log out ${label}`);
    const used = element("span", {}, "last used: ", this.#time);
    const when = element("p", { class: "lk-muted lk-facts" }, this.#signedIn, " ", used);
    const words = element("div", { class: "lk-row-words" }, element("p", { class: "lk-label" }, label), when);
    words.append(this.#bound, this.#problem);
    this.#problem.hidden = true;
    this.node = element(
      "li",
      // Safari drops the role of items in a list without bullets.
      { class: "lk-row lk-device", role: "listitem", "data-new": isNew },
      deviceGlyph(os),
      words,
      element("div", { class: "lk-row-end" }, end),
    );
  }

  /** Updates the times, and whether the session is bound. */
  show({ createdAt, lastUsedAt, bound }: Session, now: number): void {
    this.#bound.hidden = !bound;
    this.#signedIn.textContent = `Signed in ${dayOf(createdAt, now)}`;
    this.#time.textContent = relativeTime(lastUsedAt, now);
    this.#time.dateTime = lastUsedAt;
    this.#time.title = absoluteTime(lastUsedAt);
  }

  async #act(logOut: () => Promise<void>, end: Element): Promise<void> {
    if (this.#working) return;
    this.#setWorking(true, end);
    this.#problem.hidden = true;
    try {
      await logOut();
    } catch (error) {
      this.#problem.textContent = inWords(error).sentence;
      this.#problem.hidden = false;
    } finally {
      this.#setWorking(false, end);
    }
  }

  #setWorking(working: boolean, end: Element): void {
    this.#working = working;
    set(this.node, "data-leaving", working);
    set(end, "data-working", working);
    set(end, "aria-disabled", working ? "true" : undefined);
  }
}
