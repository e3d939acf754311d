import { useState } from "react";
import { Field, Form, FormProblem, PasswordField, Submit, text, useAction } from "../../src/react/form.tsx";
import { leaveNotice, OneTask, takeToken, useFrame, usePath } from "../frame.tsx";

export function ForgotPasswordPage() {
  const { client } = useFrame();
  const path = usePath();
  const [sentTo, setSentTo] = useState<string | null>(null);
  const action = useAction(async (form: FormData) => {
    const email = text(form, "email");
    await client.askForReset({ email });
    setSentTo(email);
  });
  return (
    <OneTask title="Reset your password">
      {sentTo === null ? (
        <Form action={action}>
          <p className="lk-words">
            We send you a link to choose a new one. Every device is logged out by it.
          </p>
          <Field
            label="Email"
            name="email"
            type="email"
            inputMode="email"
            autoComplete="username"
            autoCapitalize="off"
            autoFocus
            problem={action.problem}
          />
          <FormProblem problem={action.problem} fields={["email"]} />
          <Submit working={action.working}>Send the link</Submit>
        </Form>
      ) : (
        <p role="status">
          If <bdi className="lk-address">{sentTo}</bdi> has an account, a link is on its way. It works for 30
          minutes.
        </p>
      )}
      <p className="links">
        <a href={path("/login")}>Back to log in</a>
      </p>
    </OneTask>
  );
}

export function ResetPasswordPage() {
  const { client, config } = useFrame();
  const path = usePath();
  const [token] = useState(takeToken);
  const action = useAction(async (form: FormData) => {
    await client.resetPassword({ token: token ?? "", password: text(form, "newPassword") });
    leaveNotice("reset");
    location.replace(path("/login"));
  });
  return (
    <OneTask title="Choose a new password">
      {token === null ? (
        <p>This page needs the link of the mail. Open it once more, or ask for a new one.</p>
      ) : (
        <Form action={action}>
          <p className="lk-words">It logs out every device, this one too.</p>
          <PasswordField
            label="New password"
            name="newPassword"
            autoComplete="new-password"
            minLength={config.passwordMinLength}
            hint={`At least ${config.passwordMinLength} characters. A few unrelated words are easy to remember and hard to guess.`}
            autoFocus
            problem={action.problem}
          />
          <FormProblem problem={action.problem} fields={["newPassword"]} />
          <Submit working={action.working}>Set the password</Submit>
        </Form>
      )}
      <p className="links">
        <a href={path("/forgot-password")}>Ask for a new link</a>
      </p>
    </OneTask>
  );
}
