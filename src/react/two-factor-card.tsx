import { useState } from "react";
import type { SecondFactor } from "../client/index.ts";
import { Card, useStatus, Waiting } from "./card.tsx";
import { Field, Form, FormProblem, PasswordField, Submit, text, useAction } from "./form.tsx";
import { EndOthers } from "./login-management.tsx";
import { useProof } from "./proof.tsx";
import { useClient, useLoginMethods, useRefresh, useSessions, useWho } from "./provider.tsx";
import { QrCode } from "./qr-code.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";
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

function Begin({
  onBegun,
  onCancel,
}: {
  onBegun: (begun: { secret: string; uri: string }) => void;
  onCancel: () => void;
}) {
  const client = useClient();
  const withProof = useProof();
  const hasPassword = useHasPassword();
  const action = useAction(async (form: FormData) => {
    const proof = hasPassword ? { currentPassword: text(form, "currentPassword") } : {};
    onBegun(await withProof(() => client.beginTwoFactor(proof)));
  });
  return (
    <Form action={action} label="Turn on two-factor authentication">
      {hasPassword && <CurrentPassword problem={action.problem} />}
      <FormProblem problem={action.problem} fields={["currentPassword"]} />
      <Buttons words="Continue" working={action.working} onCancel={onCancel} />
    </Form>
  );
}

type ScanProps = { secret: string; uri: string; onOn: (codes: string[]) => void; onCancel: () => void };

function Scan({ secret, uri, onOn, onCancel }: ScanProps) {
  const client = useClient();
  const withProof = useProof();
  const action = useAction(async (form: FormData) => {
    onOn((await withProof(() => client.turnTwoFactorOn({ code: text(form, "code") }))).recoveryCodes);
  });
  return (
    <Form action={action} label="Scan the code">
      <p>Scan this with your authenticator app, or type the key into it.</p>
      <QrCode value={uri} label="QR code for your authenticator app" />
      <p>
        <code className="lk-secret">{secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
      </p>
      <Code problem={action.problem} />
      <FormProblem problem={action.problem} fields={["code"]} />
      <Buttons words="Turn on" working={action.working} onCancel={onCancel} />
    </Form>
  );
}

function TurnOff({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const client = useClient();
  return (
    <WithFactor
      words="Turn off"
      onCancel={onCancel}
      run={async (given) => {
        await client.turnTwoFactorOff(given);
        onDone();
      }}
    />
  );
}

function Renew({ onDone, onCancel }: { onDone: (codes: string[]) => void; onCancel: () => void }) {
  const client = useClient();
  return (
    <WithFactor
      words="Make new codes"
      onCancel={onCancel}
      run={async (given) => onDone((await client.renewRecoveryCodes(given)).recoveryCodes)}
    />
  );
}

type WithFactorProps = {
  words: string;
  onCancel: () => void;
  run: (given: SecondFactor & { currentPassword?: string }) => Promise<void>;
};

function WithFactor({ words, onCancel, run }: WithFactorProps) {
  const withProof = useProof();
  const hasPassword = useHasPassword();
  const [byRecovery, setByRecovery] = useState(false);
  const action = useAction(async (form: FormData) => {
    const proof = hasPassword ? { currentPassword: text(form, "currentPassword") } : {};
    const factor = byRecovery ? { recoveryCode: text(form, "code") } : { code: text(form, "code") };
    await withProof(() => run({ ...proof, ...factor }));
  });
  return (
    <Form action={action} label={words}>
      {hasPassword && <CurrentPassword problem={action.problem} />}
      {byRecovery ? (
        <Field
          label="Recovery code"
          name="code"
          autoComplete="off"
          spellCheck={false}
          problem={action.problem}
        />
      ) : (
        <Code problem={action.problem} />
      )}
      <button type="button" className="lk-link" onClick={() => setByRecovery(!byRecovery)}>
        {byRecovery ? "Use a code of the app" : "Use a recovery code"}
      </button>
      <FormProblem problem={action.problem} fields={["currentPassword", "code"]} />
      <Buttons words={words} working={action.working} onCancel={onCancel} />
    </Form>
  );
}

type Problem = Parameters<typeof FormProblem>[0]["problem"];

function CurrentPassword({ problem }: { problem: Problem }) {
  return (
    <PasswordField
      label="Current password"
      name="currentPassword"
      autoComplete="current-password"
      problem={problem}
      autoFocus
    />
  );
}

function Code({ problem }: { problem: Problem }) {
  return (
    <Field
      label="Authentication code"
      name="code"
      autoComplete="one-time-code"
      inputMode="numeric"
      problem={problem}
    />
  );
}

function Buttons({ words, working, onCancel }: { words: string; working: boolean; onCancel: () => void }) {
  return (
    <div className="lk-actions">
      <Submit working={working}>{words}</Submit>
      <button type="button" className="lk-button lk-quiet" onClick={onCancel}>
        Cancel
      </button>
    </div>
  );
}

function useHasPassword(): boolean {
  const { data: methods } = useLoginMethods();
  return methods?.some(({ kind }) => kind === "password") ?? true;
}
