import type { SecondFactor } from "../../client/index.ts";
import { useStatus } from "../parts/card.tsx";
import { Form, FormProblem, PasswordField, Submit, text, useAction } from "../parts/form.tsx";
import { CodeField, useSecondFactor } from "../parts/second-factor-field.tsx";
import { useProof } from "../proof/proof.tsx";
import { useClient, useHasPassword } from "../queries.ts";
import { QrCode } from "./qr-code.tsx";

export function Begin({
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
    onBegun(await withProof("two-factor", () => client.beginTwoFactor(proof)));
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

export function Scan({ secret, uri, onOn, onCancel }: ScanProps) {
  const client = useClient();
  const withProof = useProof();
  const action = useAction(async (form: FormData) => {
    onOn(
      (await withProof("two-factor", () => client.turnTwoFactorOn({ code: text(form, "code") })))
        .recoveryCodes,
    );
  });
  return (
    <Form action={action} label="Scan the code">
      <p className="lk-step" tabIndex={-1}>
        Scan this with your authenticator app, or type the key into it.
      </p>
      <QrCode value={uri} label="QR code for your authenticator app" />
      <a className="lk-button lk-plain lk-only-touch" href={uri}>
        Open in your authenticator app
      </a>
      <Key secret={secret} />
      <CodeField problem={action.problem} />
      <FormProblem problem={action.problem} fields={["code"]} />
      <Buttons words="Turn on" working={action.working} onCancel={onCancel} />
    </Form>
  );
}

function Key({ secret }: { secret: string }) {
  const status = useStatus();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      status.say("Copied.");
    } catch {
      status.warn("Copying is not allowed here. Type the key instead.");
    }
  };
  return (
    <div className="lk-value">
      <code className="lk-secret">{secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
      <button type="button" className="lk-link" onClick={() => void copy()}>
        Copy the key
      </button>
      {status.line}
    </div>
  );
}

export function TurnOff({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const client = useClient();
  return (
    <WithFactor
      name="two-factor-off"
      words="Turn off"
      onCancel={onCancel}
      run={async (given) => {
        await client.turnTwoFactorOff(given);
        onDone();
      }}
    />
  );
}

export function Renew({ onDone, onCancel }: { onDone: (codes: string[]) => void; onCancel: () => void }) {
  const client = useClient();
  return (
    <WithFactor
      name="recovery-codes"
      words="Make new codes"
      onCancel={onCancel}
      run={async (given) => onDone((await client.renewRecoveryCodes(given)).recoveryCodes)}
    />
  );
}

type WithFactorProps = {
  name: string;
  words: string;
  onCancel: () => void;
  run: (given: SecondFactor & { currentPassword?: string }) => Promise<void>;
};

function WithFactor({ name, words, onCancel, run }: WithFactorProps) {
  const withProof = useProof();
  const hasPassword = useHasPassword();
  const factor = useSecondFactor();
  const action = useAction(async (form: FormData) => {
    const proof = hasPassword ? { currentPassword: text(form, "currentPassword") } : {};
    await withProof(name, () => run({ ...proof, ...factor.of(form) }));
  });
  return (
    <Form action={action} label={words}>
      {hasPassword && <CurrentPassword problem={action.problem} />}
      {factor.field(action)}
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
