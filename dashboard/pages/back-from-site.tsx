import { useEffect, useRef } from "react";
import { takeFromAddress, useFrame, useGoOn } from "../frame.tsx";
import { takePlace } from "../place.ts";

/** Continues after a login at another site, to the page that the person came from, with its fragment. */
export function BackFromSite({ onNobody }: { onNobody: () => void }) {
  const { client } = useFrame();
  const goOn = useGoOn();
  const latest = useRef({ goOn, onNobody });
  latest.current = { goOn, onNobody };
  useEffect(() => {
    let isOver = false;
    const nobody = () => {
      takeFromAddress("step");
      history.replaceState(history.state, "", location.pathname + location.search + takePlace());
      latest.current.onNobody();
    };
    client.session({ background: true }).then(
      () => void (isOver || latest.current.goOn(takePlace())),
      () => void (isOver || nobody()),
    );
    return () => {
      isOver = true;
    };
  }, [client]);
  return null;
}
