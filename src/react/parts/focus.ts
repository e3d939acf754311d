import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

/** The step of a card in which nothing is open. */
export const REST = "rest";

/**
 * Moves the focus as a card goes from step to step: to the element with the class `lk-step`, else to the
 * first field or button of the new step; back at rest, to the button that opened the step (`data-opens`). If
 * the focused element disappears, the focus goes to the card's heading. Returns the ref for the card.
 */
export function useFocusAlong(step: string): RefObject<HTMLElement | null> {
  const card = useRef<HTMLElement>(null);
  const before = useRef(step);
  // A layout effect, before the step is painted: later, a fast person may already be in another field.
  useLayoutEffect(() => {
    const left = before.current;
    before.current = step;
    if (left === step || card.current === null) return;
    const places = step === REST ? [`[data-opens="${left}"]`, ".lk-actions button:enabled"] : STEP_BEGINS;
    focusFirst(card.current, places);
  }, [step]);
  useStandIn(card, step);
  return card;
}

const STEP_BEGINS = [".lk-step", ".lk-form input:not([hidden])", ".lk-form button"];

/** While a dialog is open, nothing else can get the focus. */
const IN_DIALOG = ["dialog[open] input", "dialog[open] .lk-quiet"];

function focusFirst(card: HTMLElement, places: readonly string[]): void {
  const found = places.map((place) => card.querySelector<HTMLElement>(place));
  found.find((element) => element !== null)?.focus();
}

/** Keeps the focus in the card when an arriving answer removes the focused row, field or button. */
function useStandIn(card: RefObject<HTMLElement | null>, step: string): void {
  useEffect(() => {
    const node = card.current;
    if (!node) return;
    let last: Element | null = null;
    const remember = ({ target }: FocusEvent) => {
      last = target instanceof Element ? target : null;
    };
    const observer = new MutationObserver(() => {
      if (!last || canHoldFocus(last)) return;
      const { activeElement } = document;
      // A dialog that closes returns the focus itself.
      const isLost = (activeElement === document.body || activeElement === last) && !last.closest("dialog");
      last = null;
      if (isLost) focusFirst(node, [...IN_DIALOG, ...(step === REST ? [] : STEP_BEGINS), "h2"]);
    });
    node.addEventListener("focusin", remember);
    observer.observe(node, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    if (node.contains(document.activeElement)) last = document.activeElement;
    return () => {
      node.removeEventListener("focusin", remember);
      observer.disconnect();
    };
  }, [card, step]);
}

/** Returns the focus to the element that opened a dialog; if that is gone, to the heading of its card. */
export function giveFocusBack(opener: Element | null, card: Element | null): void {
  const to = opener && canHoldFocus(opener) ? opener : headingOf(card);
  if (to instanceof HTMLElement) to.focus();
}

function canHoldFocus(element: Element): boolean {
  return element.isConnected && !element.matches(":disabled");
}

export function headingOf(card: Element | null): HTMLElement | null {
  return card?.querySelector("h2") ?? null;
}
