import { expect, test } from "vitest";

test("A page that is rendered on a server may import the element there, where no element can be defined", async () => {
  expect("HTMLElement" in globalThis).toBe(false);
  const { LoginManagementElement } = await import("./index.ts");
  expect(LoginManagementElement.name).toBe("LoginManagementElement");
});
