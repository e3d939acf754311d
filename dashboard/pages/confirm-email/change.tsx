import { type Confirmation, dayAndTimeOf, deviceInSentence, Refused } from "../../../src/client/index.ts";
import { Button } from "../../../src/react/parts/button.tsx";
import { FormProblem, useAction } from "../../../src/react/parts/form.tsx";
import { OneTask, useFrame, usePath } from "../../frame.tsx";
import { ToAccount } from "../link-page.tsx";
import { Address, type Asked, ConfirmButton, Facts } from "./parts.tsx";

export function Change({ link, account, answering }: Asked & { account: string }) {
  const path = usePath();
  return (
    <OneTask title="Confirm your new email address">
      <p>
        The address of your account <Address>{account}</Address> changes to <Address>{link.email}</Address>.
      </p>
      <AskedFor link={link} />
      <p className="lk-words">
        Confirming logs out your other devices. If you didn't ask for this, close this page: nothing changes.
      </p>
      <ConfirmButton link={link} answering={answering} />
      <ToAccount href={path("/")} />
    </OneTask>
  );
}

export function LogInFirst({ link }: { link: Confirmation }) {
  return (
    <OneTask title="Log in to confirm your new address">
      <p>
        An account is about to change its address to <Address>{link.email}</Address>. Log in to that account,
        and you come back here to confirm it.
      </p>
      <AskedFor link={link} />
      <a className="lk-button lk-main lk-wide" href={useLoginAndBack()}>
        Log in
      </a>
      <p className="lk-words">If you didn't ask for this, close this page: nothing changes.</p>
    </OneTask>
  );
}

export function OtherAccount({ link, account }: { link: Confirmation; account: string }) {
  const { client } = useFrame();
  const path = usePath();
  const login = useLoginAndBack();
  const leaving = useAction(async () => {
    await client.signOut().catch((error: unknown) => {
      if (!(error instanceof Refused) || !error.isSignedOut) throw error;
    });
    location.assign(login);
  });
  return (
    <OneTask title="You are logged in as another account">
      <p>
        You are logged in as <Address>{account}</Address>, but this link changes the address of another
        account to <Address>{link.email}</Address>. Log in to that account to confirm it.
      </p>
      <AskedFor link={link} />
      <FormProblem problem={leaving.problem} />
      <Button kind="main" wide working={leaving.working} onClick={() => void leaving.act()}>
        Log out and switch account
      </Button>
      <p className="lk-words">If you didn't ask for this, close this page: nothing changes.</p>
      <ToAccount href={path("/")} />
    </OneTask>
  );
}

/** The URL of the login page, which leads back here; meanwhile this tab keeps the token. */
function useLoginAndBack(): string {
  const path = usePath();
  return `${path("/login")}?next=${encodeURIComponent(path("/confirm-email"))}`;
}

function AskedFor({ link }: { link: Confirmation }) {
  return (
    <Facts>
      <p>
        Requested {dayAndTimeOf(link.createdAt)} from {deviceInSentence(link.label)}
      </p>
    </Facts>
  );
}
