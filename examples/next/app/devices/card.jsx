import { LatchkeyProvider, LoginManagement } from "latchkey/react";
import "latchkey/react/latchkey.css";

export default function Card() {
  return (
    <LatchkeyProvider basePath="/auth">
      <LoginManagement />
    </LatchkeyProvider>
  );
}
