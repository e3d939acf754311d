import { useState } from "react";
import { Button } from "../parts/button.tsx";
import { Card, useStatus } from "../parts/card.tsx";
import { REST } from "../parts/focus.ts";
import { type Action, Form, FormProblem, SubmitOrCancel, text, useAction } from "../parts/form.tsx";
import { OneSession } from "../parts/one-session.tsx";
import { CurrentPasswordField, currentPassword, NewPasswordField } from "../parts/typed-fields.tsx";
import { THANKS, useProof, useResume } from "../proof/proof.tsx";
import { useClient, useHasPassword, useLatchkey, useRefresh, useSessions, useWho } from "../queries.ts";
import { othersWereLoggedOut } from "../words.ts";

const FIELDS = ["currentPassword", "newPassword"];

/** Changes the password, or sets the first one; either logs out every other device. */
export function PasswordCard() {
  return (
    <OneSession>
      <Password />
    </OneSession>
  );
}

function Password() {
  const client = useClient();
  const { data: who } = useWho();
  const hasPassword = useHasPassword();
  const { data: sessions } = useSessions();
  const refresh = useRefresh();
  const withProof = useProof();
  const [isOpen, setOpen] = useState(false);
  const status = useStatus();
  useResume("password", () => {
    setOpen(true);
    status.say(THANKS);
  });
  const open = () => {
    // The form opens empty, so the last error no longer applies.
    action.refuse(null);
    setOpen(true);
  };
  const others = sessions?.filter(({ current }) => !current).length ?? 0;
  const action = useAction(async (form: FormData) => {
    const newPassword = text(form, "newPassword");
    await withProof("password", () => client.changePassword({ ...currentPassword(form), newPassword }));
    const done = hasPassword ? "Password changed." : "Password added.";
    status.say(others === 0 ? done : `${done} ${othersWereLoggedOut(others)}`);
    setOpen(false);
    void refresh();
  });
  return (
    <Card
      id="password"
      title="Password"
      words={hasPassword ? "Changing it logs out every other device." : "Adds another way to log in."}
      status={status}
      step={isOpen ? "form" : REST}
    >
      {status.line}
      {!isOpen && (
        <div className="lk-actions">
          <Button opens="form" onClick={open}>
            {hasPassword ? "Change password" : "Add a password"}
          </Button>
        </div>
      )}
      {isOpen && (
        <PasswordForm
          action={action}
          email={who?.account.email ?? ""}
          hasPassword={hasPassword}
          onCancel={() => setOpen(false)}
        />
      )}
    </Card>
  );
}

type PasswordFormProps = {
  action: Action<[FormData]>;
  email: string;
  hasPassword: boolean;
  onCancel: () => void;
};

function PasswordForm({ action, email, hasPassword, onCancel }: PasswordFormProps) {
  const { passwordMinLength } = useLatchkey().settings;
  const { problem, working } = action;
  return (
    <Form action={action} label="Change password">
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      {hasPassword && <CurrentPasswordField problem={problem} />}
      <NewPasswordField minLength={passwordMinLength} problem={problem} />
      <FormProblem problem={problem} fields={FIELDS} />
      <SubmitOrCancel working={working} onCancel={onCancel}>
        {hasPassword ? "Change password" : "Add the password"}
      </SubmitOrCancel>
    </Form>
  );
}
