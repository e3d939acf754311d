import { useState } from "react";
import { Card, useStatus, Waiting } from "./card.tsx";
import { EndOthers } from "./login-management.tsx";
import { useTakeUp } from "./proof.tsx";
import { useRefresh, useSessions, useWho } from "./provider.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { Begin, Renew, Scan, TurnOff } from "./two-factor-forms.tsx";
import { devices } from "./words.ts";

type Step =
  | { name: "rest" }
  | { name: "begin" }
  | { name: "scan"; secret: string; uri: string }
  | { name: "codes"; codes: string[]; isNew: boolean }
  | { name: "off" }
  | { name: "renew" };

/** A code from a phone besides the password: turning it on, its recovery codes, turning it off. */
export function TwoFactorCard() {
  const { data: who } = useWho();
  const refresh = useRefresh();
  const [step, setStep] = useState<Step>({ name: "rest" });
  useTakeUp("two-factor", () => setStep({ name: "begin" }));
  useTakeUp("two-factor-off", () => setStep({ name: "off" }));
  useTakeUp("recovery-codes", () => setStep({ name: "renew" }));
  const [status, say] = useStatus();
  const [offersEnd, setOffersEnd] = useState(false);
  const rest = () => setStep({ name: "rest" });
  const showCodes = (codes: string[], isNew: boolean) => {
    setStep({ name: "codes", codes, isNew });
    void refresh();
  };
  const done = (sentence: string) => {
    say(sentence);
    rest();
    void refresh();
  };
  const isOn = who?.account.twoFactor;
  return (
    <Card
      id="two-factor"
      title="Two-factor authentication"
      words="A code from an app on your phone, asked for after your password."
    >
      {who ? <p className={isOn ? "lk-on" : "lk-muted"}>{isOn ? "On" : "Off"}</p> : <Waiting />}
      {status}
      {step.name === "rest" && who && (
        <div className="lk-actions">
          {isOn ? (
            <>
              <button type="button" className="lk-button lk-plain" onClick={() => setStep({ name: "renew" })}>
                New recovery codes
              </button>
              <button type="button" className="lk-button lk-quiet" onClick={() => setStep({ name: "off" })}>
                Turn off
              </button>
            </>
          ) : (
            <button type="button" className="lk-button lk-plain" onClick={() => setStep({ name: "begin" })}>
              Turn on
            </button>
          )}
        </div>
      )}
      {step.name === "begin" && (
        <Begin onBegun={(begun) => setStep({ name: "scan", ...begun })} onCancel={rest} />
      )}
      {step.name === "scan" && <Scan {...step} onOn={(codes) => showCodes(codes, true)} onCancel={rest} />}
      {step.name === "codes" && (
        <RecoveryCodes
          codes={step.codes}
          email={who?.account.email ?? ""}
          onDone={() => {
            setOffersEnd(step.isNew);
            done(step.isNew ? "Two-factor authentication is on." : "The old recovery codes no longer work.");
          }}
        />
      )}
      {step.name === "off" && (
        <TurnOff onDone={() => done("Two-factor authentication is off.")} onCancel={rest} />
      )}
      {step.name === "renew" && <Renew onDone={(codes) => showCodes(codes, false)} onCancel={rest} />}
      {offersEnd && <OfferEnd onClose={() => setOffersEnd(false)} say={say} />}
    </Card>
  );
}

/** Other devices came in without a second factor; they stay until the person says otherwise. */
function OfferEnd({ onClose, say }: { onClose: () => void; say: (sentence: string) => void }) {
  const { data: sessions } = useSessions();
  const [asking, setAsking] = useState(false);
  const others = sessions?.filter(({ current }) => !current).length ?? 0;
  if (others === 0) return null;
  return (
    <div className="lk-offer">
      <p>
        {devices(others)} logged in before this and {others === 1 ? "stays" : "stay"} logged in.
      </p>
      <div className="lk-actions">
        <button type="button" className="lk-button lk-plain" onClick={() => setAsking(true)}>
          Log them out
        </button>
        <button type="button" className="lk-button lk-quiet" onClick={onClose}>
          Keep them
        </button>
      </div>
      {asking && <EndOthers count={others} onClose={() => setAsking(false)} say={say} />}
    </div>
  );
}
