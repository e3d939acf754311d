import { useState } from "react";
import type { Problem } from "../words.ts";
import { Field, type FieldProps, text } from "./form.tsx";

/** The email address that a person logs in with. */
export function EmailField(field: Omit<FieldProps, "label" | "name">) {
  return (
    <Field
      label="Email"
      name="email"
      type="email"
      inputMode="email"
      autoComplete="username"
      autoCapitalize="off"
      autoFocus
      {...field}
    />
  );
}

/**
 * Whether text can be an email address. Browsers check too, but some accept `ada@example` or refuse a domain
 * with non-ASCII characters.
 */
export function canBeEmail(typed: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed.trim());
}

/** A password field with a button that shows the password. */
export function PasswordField(field: FieldProps) {
  const [shown, setShown] = useState(false);
  return (
    <Field
      {...field}
      type={shown ? "text" : "password"}
      autoCapitalize="off"
      spellCheck="false"
      end={
        <button type="button" className="lk-reveal" onClick={() => setShown(!shown)}>
          {shown ? "Hide" : "Show"}
          <span className="lk-only-read"> characters</span>
        </button>
      }
    />
  );
}

export function CurrentPasswordField({ problem }: { problem: Problem | null }) {
  return (
    <PasswordField
      label="Current password"
      name="currentPassword"
      autoComplete="current-password"
      problem={problem}
    />
  );
}

/** The field for a new password; password managers recognize it by its `name`. */
export function NewPasswordField({
  label = "New password",
  name = "newPassword",
  ...field
}: Partial<FieldProps> & { minLength: number }) {
  return (
    <PasswordField
      label={label}
      name={name}
      autoComplete="new-password"
      hint={`At least ${field.minLength} characters. A few unrelated words are easy to remember and hard to guess.`}
      {...field}
    />
  );
}

/** The current password for an API call, if the form asked for it. */
export function currentPassword(form: FormData): { currentPassword?: string } {
  return form.has("currentPassword") ? { currentPassword: text(form, "currentPassword") } : {};
}
