import { useState } from "react";
import { EndOthers } from "../login-management/login-management.tsx";
import { Card, useStatus, Waiting } from "../parts/card.tsx";
import { REST } from "../parts/focus.ts";
import { THANKS, useTakeUp } from "../proof/proof.tsx";
import { useRefresh, useSessions, useWho } from "../queries.ts";
import { devices } from "../words.ts";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { Begin, Renew, Scan, TurnOff } from "./two-factor-forms.tsx";

type Step =
  | { name: typeof REST | "begin" | "off" | "renew" }
  | { name: "scan"; secret: string; uri: string }
  | { name: "codes"; codes: string[]; isNew: boolean };

/** A code from a phone besides the password: turning it on, its recovery codes, turning it off. */
export function TwoFactorCard() {
  const { data: who } = useWho();
  const refresh = useRefresh();
  const [step, setStep] = useState<Step>({ name: REST });
  const status = useStatus();
  const takeUp = (next: Step) => {
    setStep(next);
    status.say(THANKS);
  };
  useTakeUp("two-factor", () => takeUp({ name: "begin" }));
  useTakeUp("two-factor-off", () => takeUp({ name: "off" }));
  useTakeUp("recovery-codes", () => takeUp({ name: "renew" }));
  const [offersEnd, setOffersEnd] = useState(false);
  const rest = () => setStep({ name: REST });
  const showCodes = (codes: string[], isNew: boolean) => {
    setStep({ name: "codes", codes, isNew });
    void refresh();
  };
  const done = (sentence: string) => {
    status.say(sentence);
    rest();
    void refresh();
  };
  const isOn = who?.account.twoFactor;
  return (
    <Card
      id="two-factor"
      title="Two-factor authentication"
      words="A code from an app on your phone, asked for after your password."
      status={status}
      step={step.name}
    >
      {who ? (
        <p className={isOn ? "lk-on" : "lk-muted"}>{isOn ? "On" : "Off"}</p>
      ) : (
        <Waiting bones={["line", "button"]} />
      )}
      {status.line}
      {step.name === REST && who && <Choices isOn={isOn ?? false} onChoose={(name) => setStep({ name })} />}
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
      {offersEnd && <OfferEnd onClose={() => setOffersEnd(false)} say={status.say} />}
    </Card>
  );
}

type ChoicesProps = { isOn: boolean; onChoose: (step: "begin" | "off" | "renew") => void };

/** What can be done about it now. */
function Choices({ isOn, onChoose }: ChoicesProps) {
  if (!isOn) {
    return (
      <div className="lk-actions">
        <button
          type="button"
          className="lk-button lk-plain"
          data-opens="begin"
          onClick={() => onChoose("begin")}
        >
          Turn on
        </button>
      </div>
    );
  }
  return (
    <div className="lk-actions">
      <button
        type="button"
        className="lk-button lk-plain"
        data-opens="renew"
        onClick={() => onChoose("renew")}
      >
        New recovery codes
      </button>
      <button type="button" className="lk-button lk-quiet" data-opens="off" onClick={() => onChoose("off")}>
        Turn off
      </button>
    </div>
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
          Log out other devices
        </button>
        <button type="button" className="lk-button lk-quiet" onClick={onClose}>
          Keep logged in
        </button>
      </div>
      {asking && <EndOthers count={others} onClose={() => setAsking(false)} say={say} />}
    </div>
  );
}
