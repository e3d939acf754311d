import { describe, expect, it } from "vitest";
import { nextAfterSignIn } from "./next.ts";

const here = {
  origin: "https://app.example",
  hash: "",
  basePath: "/auth",
  returnOrigins: ["https://shop.example"],
};
const home = "https://app.example/auth/settings/security";

describe("the way on after a sign-in", () => {
  it("leads to pages of the own origin and of declared ones", () => {
    expect(nextAfterSignIn("/orders?x=1#y", here)).toBe("https://app.example/orders?x=1#y");
    expect(nextAfterSignIn("https://shop.example/cart", here)).toBe("https://shop.example/cart");
  });

  it("leads to the same place on the page as before", () => {
    const there = { ...here, hash: "#/inbox" };
    expect(nextAfterSignIn("/orders?x=1", there)).toBe("https://app.example/orders?x=1#/inbox");
    expect(nextAfterSignIn("/orders#y", there)).toBe("https://app.example/orders#y");
    expect(nextAfterSignIn(null, { ...here, hash: "#email" })).toBe(`${home}#email`);
  });

  it.each([
    null,
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "https://app.example@evil.example/",
    "https://user@app.example/",
    "https://app.example.evil.example/",
    "https://evil.example/https://app.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "blob:https://app.example/0b4e",
    "http://app.example/",
    "https://app.example:8443/",
    "http://[",
  ])("never leads to %s", (next) => {
    expect(nextAfterSignIn(next, here)).toBe(home);
  });
});
