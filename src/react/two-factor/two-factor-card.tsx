import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { EndOthers } from "../login-management/login-management.tsx";
import { Button } from "../parts/button.tsx";
import { Card, useStatus, Waiting } from "../parts/card.tsx";
import { REST } from "../parts/focus.ts";
import { OneSession } from "../parts/one-session.tsx";
import { THANKS, useResume } from "../proof/proof.tsx";
import { readingOf, useLatchkey, useRefresh, useSessions, useWho } from "../queries.ts";
import { devices, FEW_CODES, recoveryCodesLeft } from "../words.ts";
import { type Begun, findBegun, forgetBegun, keepBegun } from "./begun.ts";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { Begin, Renew, Scan, TurnOff } from "./two-factor-forms.tsx";

type Step =
  | { name: typeof REST | "begin" | "off" | "renew" }
  | ({ name: "scan" } & Begun)
  | { name: "codes"; codes: string[]; isNew: boolean };

/** Two-factor authentication: turns it on and off, and renews recovery codes. */
export function TwoFactorCard() {
  return (
    <OneSession>
      <TwoFactor />
    </OneSession>
  );
}

function TwoFactor() {
  const { data: who } = useWho();
  const refresh = useRefresh();
  const [step, setStep] = useState<Step>({ name: REST });
  const [offersEnd, setOffersEnd] = useState(false);
  const status = useStatus();
  const goTo = (next: Step) => {
    if (next.name === "scan" && who) keepBegun(who.account.id, next);
    else forgetBegun();
    setStep(next);
  };
  const { endings } = useLatchkey();
  useEffect(() => {
    if (endings > 0) forgetBegun();
  }, [endings]);
  const unfinished = who?.account.twoFactor ? undefined : who?.account.id;
  useEffect(() => {
    const begun = unfinished === undefined ? null : findBegun(unfinished);
    if (begun) setStep({ name: "scan", ...begun });
  }, [unfinished]);
  const resume = (next: Step) => {
    setStep(next);
    status.say(THANKS);
  };
  useResume("two-factor", () => resume({ name: "begin" }));
  useResume("two-factor-off", () => resume({ name: "off" }));
  useResume("recovery-codes", () => resume({ name: "renew" }));
  const done = (sentence: string) => {
    if (step.name === "codes") setOffersEnd(step.isNew);
    status.say(sentence);
    setStep({ name: REST });
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
      {step.name === REST && isOn && <CodesLeft />}
      {status.line}
      {step.name === REST && who && <Choices isOn={isOn ?? false} onChoose={(name) => setStep({ name })} />}
      <OpenStep step={step} email={who?.account.email ?? ""} goTo={goTo} done={done} warn={status.warn} />
      {offersEnd && <OfferEnd onClose={() => setOffersEnd(false)} say={status.say} />}
    </Card>
  );
}

function CodesLeft() {
  const { client, queries } = useLatchkey();
  const { data: left } = useQuery(
    { queryKey: ["recovery-codes"], queryFn: (query) => client.recoveryCodesLeft(readingOf(query)) },
    queries,
  );
  if (left === undefined) return null;
  return <p className={left > FEW_CODES ? "lk-muted" : "lk-warning"}>{recoveryCodesLeft(left)}</p>;
}

type OpenStepProps = {
  step: Step;
  email: string;
  goTo: (step: Step) => void;
  done: (sentence: string) => void;
  warn: (sentence: string) => void;
};

function OpenStep({ step, email, goTo, done, warn }: OpenStepProps) {
  const refresh = useRefresh();
  const rest = () => goTo({ name: REST });
  const showCodes = (codes: string[], isNew: boolean) => {
    goTo({ name: "codes", codes, isNew });
    void refresh();
  };
  const renewUnseen = () => {
    warn(
      "Two-factor authentication is on, but its recovery codes were lost on the way here. Make new ones now.",
    );
    goTo({ name: "renew" });
    void refresh();
  };
  switch (step.name) {
    case REST:
      return null;
    case "begin":
      return <Begin onBegun={(begun) => goTo({ name: "scan", ...begun })} onCancel={rest} />;
    case "scan":
      return (
        <Scan {...step} onOn={(codes) => showCodes(codes, true)} onUnseen={renewUnseen} onCancel={rest} />
      );
    case "codes": {
      const sentence = step.isNew
        ? "Two-factor authentication is on."
        : "The old recovery codes no longer work.";
      return <RecoveryCodes codes={step.codes} email={email} onDone={() => done(sentence)} />;
    }
    case "off":
      return <TurnOff onDone={() => done("Two-factor authentication is off.")} onCancel={rest} />;
    case "renew":
      return <Renew onDone={(codes) => showCodes(codes, false)} onCancel={rest} />;
  }
}

type ChoicesProps = { isOn: boolean; onChoose: (step: "begin" | "off" | "renew") => void };

function Choices({ isOn, onChoose }: ChoicesProps) {
  return (
    <div className="lk-actions">
      {!isOn && (
        <Button opens="begin" onClick={() => onChoose("begin")}>
          Turn on
        </Button>
      )}
      {isOn && (
        <Button opens="renew" onClick={() => onChoose("renew")}>
          New recovery codes
        </Button>
      )}
      {isOn && (
        <Button kind="quiet" opens="off" onClick={() => onChoose("off")}>
          Turn off
        </Button>
      )}
    </div>
  );
}

/** Offers to log out other devices: they logged in without a second factor, and stay logged in otherwise. */
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
        <Button onClick={() => setAsking(true)}>Log out other devices</Button>
        <Button kind="quiet" onClick={onClose}>
          Keep {others === 1 ? "it" : "them"} logged in
        </Button>
      </div>
      {asking && <EndOthers count={others} onClose={() => setAsking(false)} say={say} />}
    </div>
  );
}
