import { useState } from "react";
import { Card, useStatus, Waiting } from "./card.tsx";
import { Field, Form, FormProblem, PasswordField, Submit, text, useAction } from "./form.tsx";
import { useProof, useTakeUp } from "./proof.tsx";
import { useClient, useHasPassword, useWho } from "./provider.tsx";

const FIELDS = ["email", "currentPassword"];

/** The address, whether it is confirmed, and how to change it. */
export function EmailCard() {
  const client = useClient();
  const { data: who } = useWho();
  const [isOpen, setOpen] = useState(false);
  useTakeUp("email", () => setOpen(true));
  const [status, say] = useStatus();
  const again = useAction(async () => {
    await client.sendVerification();
    say(`We sent a link to ${who?.account.email}.`);
  });
  return (
    <Card id="email" title="Email" words="Where you log in with, and where security mails go.">
      {who ? (
        <p className="lk-value">
          <bdi className="lk-address">{who.account.email}</bdi>{" "}
          <span className={who.account.emailVerified ? "lk-muted" : "lk-warning"}>
            {who.account.emailVerified ? "Confirmed" : "Not confirmed yet"}
          </span>
        </p>
      ) : (
        <Waiting />
      )}
      {status}
      <FormProblem problem={again.problem} />
      {isOpen ? (
        <ChangeEmail
          onDone={(email) => {
            setOpen(false);
            say(`We sent a link to ${email}. Your address changes when you open it.`);
          }}
          onCancel={() => setOpen(false)}
        />
      ) : (
        <div className="lk-actions">
          <button type="button" className="lk-button lk-plain" onClick={() => setOpen(true)}>
            Change email
          </button>
          {who && !who.account.emailVerified && (
            <button type="button" className="lk-button lk-quiet" onClick={() => void again.act()}>
              Send the confirmation again
            </button>
          )}
        </div>
      )}
    </Card>
  );
}

function ChangeEmail({ onDone, onCancel }: { onDone: (email: string) => void; onCancel: () => void }) {
  const client = useClient();
  const withProof = useProof();
  const hasPassword = useHasPassword();
  const action = useAction(async (form: FormData) => {
    const email = text(form, "email");
    const proof = hasPassword ? { currentPassword: text(form, "currentPassword") } : {};
    await withProof("email", () => client.changeEmail({ email, ...proof }));
    onDone(email);
  });
  const { problem, working } = action;
  return (
    <Form action={action} label="Change email">
      <Field
        label="New email"
        name="email"
        type="email"
        autoComplete="email"
        inputMode="email"
        problem={problem}
        autoFocus
      />
      {hasPassword && (
        <PasswordField
          label="Current password"
          name="currentPassword"
          autoComplete="current-password"
          problem={problem}
        />
      )}
      <p className="lk-hint">Once you confirm the new address, your other devices are logged out.</p>
      <FormProblem problem={problem} fields={FIELDS} />
      <div className="lk-actions">
        <Submit working={working}>Send the link</Submit>
        <button type="button" className="lk-button lk-quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </Form>
  );
}
