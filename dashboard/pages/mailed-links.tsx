import { useState } from "react";
import { FormProblem, useAction } from "../../src/react/form.tsx";
import { OneTask, takeToken, useFrame, usePath } from "../frame.tsx";

type Task = {
  title: string;
  words: string;
  button: string;
  done: string;
  post: (token: string) => Promise<void>;
};

/** A mailed link with one button: opening it changes nothing, since mail programs open links too. */
function LinkPage({ title, words, button, done, post }: Task) {
  const path = usePath();
  const [token] = useState(takeToken);
  const [isDone, setDone] = useState(false);
  const action = useAction(async () => {
    await post(token ?? "");
    setDone(true);
  });
  return (
    <OneTask title={title}>
      {token === null && <p>This page needs the link of the mail. Open it once more.</p>}
      {isDone && <p role="status">{done}</p>}
      {token !== null && !isDone && (
        <>
          <p className="lk-words">{words}</p>
          <FormProblem problem={action.problem} />
          <button
            type="button"
            className="lk-button lk-main lk-wide"
            data-working={action.working || undefined}
            onClick={() => void action.act()}
          >
            {button}
          </button>
        </>
      )}
      <p className="links">
        <a href={path("/")}>Go to your account</a>
      </p>
    </OneTask>
  );
}

export function ConfirmEmailPage() {
  const { client } = useFrame();
  return (
    <LinkPage
      title="Confirm your email address"
      words="Confirm that this address is yours."
      button="Confirm this address"
      done="Your address is confirmed."
      post={(token) => client.confirmEmail({ token })}
    />
  );
}

export function KeepEmailPage() {
  const { client } = useFrame();
  return (
    <LinkPage
      title="Keep your email address"
      words="This cancels the change of your address. If it has happened already, your address comes back, every device is logged out, and a mail lets you choose a new password."
      button="Keep my address"
      done="Your address stays. If it had been changed, every device was logged out: check your mail for a link to choose a new password."
      post={(token) => client.keepEmail({ token })}
    />
  );
}

export function NotMePage() {
  const { client } = useFrame();
  return (
    <LinkPage
      title="This wasn't you?"
      words="This logs that device out at once, and sends you a mail to choose a new password."
      button="This wasn't me"
      done="That device is logged out. We sent you a link to choose a new password."
      post={(token) => client.reportNotMe({ token })}
    />
  );
}
