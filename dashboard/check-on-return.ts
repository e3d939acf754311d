import { useEffect, useRef, useState } from "react";
import { type Reading, Refused } from "../src/client/index.ts";
import { useClient } from "../src/react/index.ts";

/** `checking`: nothing is shown; `unanswered`: nor can it be found out for now whether it may be. */
export type Check = "checked" | "checking" | "unanswered";

const NEXT_TRY = 3_000;

/** A page that is looked at again shows nothing before its session was checked; what had the focus has it again after it. */
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
    const hide = () => {
      focused.current ??= document.activeElement;
      setCheck("checking");
    };
    const ask = (reading: Reading) => {
      clearTimeout(timer);
      client.checkSession(reading).then(
        () => setCheck("checked"),
        (error: unknown) => {
          // Where nobody is signed in, the page is leaving already; where nobody answers, it asks again.
          if (error instanceof Refused) return;
          setCheck((before) => (before === "checked" ? before : "unanswered"));
          timer = setTimeout(askAgain, NEXT_TRY);
        },
      );
    };
    const askAgain = () => ask({ background: true });
    const again = () => {
      hide();
      ask({ background: false });
    };
    const onVisibility = () => (document.visibilityState === "hidden" ? hide() : again());
    const onShow = (event: PageTransitionEvent) => event.persisted && again();
    document.addEventListener("visibilitychange", onVisibility);
    window.addEventListener("pageshow", onShow);
    window.addEventListener("online", askAgain);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
      window.removeEventListener("pageshow", onShow);
      window.removeEventListener("online", askAgain);
    };
  }, [client]);
  return check;
}
