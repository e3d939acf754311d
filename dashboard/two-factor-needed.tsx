import { type ReactNode, useRef } from "react";
import { useWho } from "../src/react/index.ts";
import { Button } from "../src/react/parts/button.tsx";
import { useFrame, useGoOn } from "./frame.tsx";

/** If the site requires two factors: says what this session lacks, and continues once it has both. */
export function TwoFactorNeeded() {
  const { config } = useFrame();
  const { data: who } = useWho();
  const goOn = useGoOn();
  const isOn = who?.account.twoFactor;
  const wasOn = useRef(isOn);
  wasOn.current ??= isOn;
  if (config.ending.reason !== "two_factor_needed" || isOn === undefined) return null;
  return (
    <div className="why" role="status">
      <p>{sentence(isOn, wasOn.current === true)}</p>
      {isOn && !wasOn.current && <Button onClick={() => void goOn("")}>Continue</Button>}
    </div>
  );
}

function sentence(isOn: boolean, wasOn: boolean): ReactNode {
  if (!isOn) {
    return (
      <>
        {/* The heading can take the focus, so that keyboards and screen readers continue there. */}
        This site asks for two-factor authentication.{" "}
        <a className="lk-link" href="#two-factor-title">
          Turn it on below
        </a>{" "}
        to continue.
      </>
    );
  }
  return wasOn
    ? "This site asks for two-factor authentication. Log out, then log in with your code to continue."
    : "Two-factor authentication is on. Save your recovery codes, then continue.";
}
