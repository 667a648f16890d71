import { expect, test } from "vitest";
import { parseInvite } from "./invite-text.ts";

const TOKEN = "0123456789abcdef".repeat(4);

test.each([
  [` ${TOKEN}\n`, { token: TOKEN }],
  [
    `https://slim-gecko.shop.example.com/linkup/join#${TOKEN}`,
    { token: TOKEN, session: "slim-gecko", domain: "shop.example.com" },
  ],
  [
    `http://slim-gecko.shop.localhost:8787/linkup/join#${TOKEN}`,
    { token: TOKEN, session: "slim-gecko", domain: "shop.localhost" },
  ],
])("%j is an invite", (text, invite) => expect(parseInvite(text)).toEqual(invite));

test.each([
  "",
  "short",
  `${TOKEN} ${TOKEN}`,
  `https://slim-gecko.example.com/#${TOKEN}`,
  "https://slim-gecko.example.com/linkup/join",
  `https://slim-gecko.example.com/linkup/join#${TOKEN}\u0000x`,
  `https://slim_gecko.example.com/linkup/join#${TOKEN}`,
  `https://localhost/linkup/join#${TOKEN}`,
  `file://slim-gecko.example.com/linkup/join#${TOKEN}`,
  `javascript://slim-gecko.example.com/linkup/join#${TOKEN}`,
])("%j is no invite", (text) => expect(parseInvite(text)).toBeUndefined());
