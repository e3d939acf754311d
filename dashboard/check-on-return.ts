import { useEffect, useRef, useState } from "react";
import { type Reading, Refused } from "../src/client/index.ts";
import { nextTry } from "../src/client/next-try.ts";
import { useClient } from "../src/react/index.ts";

/** Unless `checked`, the page is hidden. `unanswered` and `refused`: the check failed, and is tried again. */
export type Check = "checked" | "checking" | "unanswered" | "refused";

/** Hides a page when the person comes back to it, until its session is checked; then restores the focus. */
export function useCheckOnReturn(): Check {
  const client = useClient();
  const [check, setCheck] = useState<Check>("checked");
  const focused = useRef<Element | null>(null);
  useEffect(() => {
    if (check !== "checked") return;
    if (focused.current instanceof HTMLElement) focused.current.focus({ preventScroll: true });
    focused.current = null;
  }, [check]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    const hide = () => {
      clearTimeout(timer);
      focused.current ??= document.activeElement;
      setCheck("checking");
    };
    const ask = (reading: Reading) => {
      clearTimeout(timer);
      client.checkSession(reading).then(
        // Hidden again by now, the page stays hidden: the next person to come back must be checked first.
        () => isHidden() || setCheck("checked"),
        (error: unknown) => {
          const isRefused = error instanceof Refused;
          // If nobody is signed in, the page is already leaving; otherwise it asks again.
          if (isRefused && error.isSignedOut) return;
          const why = isRefused ? "refused" : "unanswered";
          setCheck((before) => (before === "checked" ? before : why));
          clearTimeout(timer);
          failures += 1;
          // A hidden page doesn't ask again: it asks as soon as it is visible.
          if (!isHidden()) timer = setTimeout(askAgain, nextTry(failures, error));
        },
      );
    };
    const askAgain = () => ask({ background: true });
    const again = () => {
      hide();
      failures = 0;
      ask({ background: false });
    };
    const onVisibility = () => (isHidden() ? hide() : again());
    const onOnline = () => isHidden() || askAgain();
    const onShow = (event: PageTransitionEvent) => event.persisted && again();
    document.addEventListener("visibilitychange", onVisibility);
    window.addEventListener("pageshow", onShow);
    window.addEventListener("online", onOnline);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
      window.removeEventListener("pageshow", onShow);
      window.removeEventListener("online", onOnline);
    };
  }, [client]);
  return check;
}

function isHidden(): boolean {
  return document.visibilityState === "hidden";
}
