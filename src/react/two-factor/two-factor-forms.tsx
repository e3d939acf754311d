import { type Client, type SecondFactor, Unreachable } from "../../client/index.ts";
import { copy, useStatus } from "../parts/card.tsx";
import { Form, FormProblem, SubmitOrCancel, text, useAction } from "../parts/form.tsx";
import { CodeField, useSecondFactor } from "../parts/second-factor-field.tsx";
import { CurrentPasswordField, currentPassword } from "../parts/typed-fields.tsx";
import { useProof } from "../proof/proof.tsx";
import { useClient, useHasPassword } from "../queries.ts";
import { inWords, type Problem } from "../words.ts";
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
    onBegun(await withProof("two-factor", () => client.beginTwoFactor(currentPassword(form))));
  });
  return (
    <Form action={action} label="Turn on two-factor authentication">
      {hasPassword && <CurrentPasswordField problem={action.problem} />}
      <FormProblem problem={action.problem} fields={["currentPassword"]} />
      <SubmitOrCancel working={action.working} onCancel={onCancel}>
        Continue
      </SubmitOrCancel>
    </Form>
  );
}

type ScanProps = {
  secret: string;
  uri: string;
  onOn: (codes: string[]) => void;
  /** 2FA is on, but the answer with the recovery codes was lost, and they can't be shown again. */
  onUnseen: () => void;
  onCancel: () => void;
};

export function Scan({ secret, uri, onOn, onUnseen, onCancel }: ScanProps) {
  const client = useClient();
  const withProof = useProof();
  const action = useAction(async (form: FormData) => {
    const code = text(form, "code");
    try {
      onOn((await withProof("two-factor", () => client.turnTwoFactorOn({ code }))).recoveryCodes);
    } catch (error) {
      if (!(await isOn(client))) throw error;
      onUnseen();
    }
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
      <SubmitOrCancel working={action.working} onCancel={onCancel}>
        Turn on
      </SubmitOrCancel>
    </Form>
  );
}

function isOn(client: Client): Promise<boolean> {
  return client.session({ background: true }).then(
    ({ account }) => account.twoFactor,
    () => false,
  );
}

function Key({ secret }: { secret: string }) {
  const status = useStatus();
  return (
    <div className="lk-value">
      <code className="lk-secret">{secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
      <button
        type="button"
        className="lk-link"
        onClick={() => void copy(secret, status, "Type the key instead.")}
      >
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
      asProblem={perhapsRenewed}
      run={async (given) => onDone((await client.renewRecoveryCodes(given)).recoveryCodes)}
    />
  );
}

function perhapsRenewed(error: unknown): Problem {
  if (!(error instanceof Unreachable)) return inWords(error);
  return {
    sentence:
      "No answer from the server: your old recovery codes may no longer work. Try again until you see the new ones.",
  };
}

type WithFactorProps = {
  name: string;
  words: string;
  onCancel: () => void;
  asProblem?: (error: unknown) => Problem;
  run: (given: SecondFactor & { currentPassword?: string }) => Promise<void>;
};

function WithFactor({ name, words, onCancel, asProblem, run }: WithFactorProps) {
  const withProof = useProof();
  const hasPassword = useHasPassword();
  const factor = useSecondFactor();
  const action = useAction(async (form: FormData) => {
    await withProof(name, () => run({ ...currentPassword(form), ...factor.of(form) }));
  }, asProblem);
  return (
    <Form action={action} label={words}>
      {hasPassword && <CurrentPasswordField problem={action.problem} />}
      {factor.field(action)}
      {factor.change(action)}
      <FormProblem problem={action.problem} fields={["currentPassword", "code"]} />
      <SubmitOrCancel working={action.working} onCancel={onCancel}>
        {words}
      </SubmitOrCancel>
    </Form>
  );
}
