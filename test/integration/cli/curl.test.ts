import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { ExchangeDetails } from "../../../core/api/request-log-api.ts";
import { curlCommand } from "../../../core/exchange/curl.ts";

const request = {
  method: "POST",
  secure: false,
  host: "slim-gecko.example.com",
  target: "/",
  request_headers: [],
  request_body: null,
  request_bytes: 0,
} as unknown as ExchangeDetails;

/** The arguments that a shell gives to curl for this command. */
function argumentsOf(exchange: Partial<ExchangeDetails>): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${curlCommand({ ...request, ...exchange }, 8080)}`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

/** What a request's sender chooses: none of it is anything but one argument's text. */
const HOSTILE = [
  "'; touch /tmp/owned; '",
  "$(touch owned)`touch owned`",
  "\\' ; touch owned #",
  "@/etc/passwd",
  "a\nb\r\nc",
  "\x1b[2J\x03\x15\x9b31m",
  "!!",
  "{a,b}[1-9]",
  "é\u202e",
  "",
];

describe.skipIf(process.platform === "win32")("whatever a request has", () => {
  test.each(HOSTILE)("%j is its body, a header and a part of its URL, and nothing else", (text) => {
    const found = argumentsOf({
      target: `/${text}`,
      request_headers: [["x-text", text]],
      request_body: { text, cut: false },
    });
    expect(found).toEqual([
      ...["--globoff", "--url", `http://slim-gecko.example.com/${text}`],
      ...["--connect-to", "::127.0.0.1:8080", "--request", "POST"],
      ...["--header", text === "" ? "x-text;" : `x-text: ${text}`, "--data-raw", text],
    ]);
  });
});

test("the command has no control characters", () => {
  const text = HOSTILE.join("");
  const command = curlCommand({ ...request, request_body: { text, cut: false } }, 1);
  expect(command.replaceAll("\n", "")).toMatch(/^[ -~]*$/);
});

test("a header with an invalid name is left out", () => {
  expect(argumentsOf({ request_headers: [["@/etc/passwd", ""]] })).not.toContain("--header");
});
