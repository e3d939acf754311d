import { useFrame } from "../frame.tsx";
import { LinkPage } from "./link-page.tsx";

/** The pages behind emailed links share a script of their own, with the page that asks for such an email. */
export { ConfirmEmailPage } from "./confirm-email.tsx";
export { ForgotPasswordPage, ResetPasswordPage } from "./password.tsx";

const RESET = { way: "Reset your password", to: "/forgot-password" };

export function KeepEmailPage() {
  const { client } = useFrame();
  return (
    <LinkPage
      title="Keep your email address"
      words="This cancels the change of your address. If it has already happened, your address comes back, every device is logged out, and we email you a link to choose a new password."
      button="Keep my address"
      otherwise="If you asked for the change yourself, just close this page."
      done={{
        title: "Address kept",
        words:
          "Your address stays. If you didn't ask for the change, someone else may be logged in to your account: choose a new password now, which logs out every device. If your address had already changed, the link for that is in your email.",
        next: RESET,
      }}
      gone={{
        words:
          "If you didn't ask for the change, reset your password now: that logs out every device. If no email comes, the address has changed: ask whoever runs this site.",
        next: RESET,
      }}
      post={(token) => client.keepEmail({ token })}
    />
  );
}

export function NotMePage() {
  const { client } = useFrame();
  return (
    <LinkPage
      title="This wasn't you?"
      words="This logs that device out at once, removes the login methods that were added there, and we email you a link to choose a new password. Your password may still work until you do, so do it right away."
      button="This wasn't me"
      otherwise="If it was you, just close this page: nothing changes."
      done={{
        title: "Device logged out",
        words:
          "That device is logged out. We sent you a link to choose a new password: use it now, since whoever knows the old one may be able to log in until then.",
      }}
      gone={{
        words: "If it wasn't you, reset your password now: that logs out every device.",
        next: RESET,
      }}
      post={(token) => client.reportNotMe({ token })}
    />
  );
}
