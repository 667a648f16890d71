import { expect, test } from "vitest";
import { grpcFailureHeaders, isGrpc } from "./grpc.ts";
import { unknownSession } from "./proxy-failure.ts";

test.each([
  ["application/grpc", true],
  ["application/grpc+proto", true],
  ["Application/gRPC; charset=utf-8", true],
  ["application/grpc-web+proto", false],
  ["application/connect+proto", false],
  [undefined, false],
])("%s is gRPC: %s", (contentType, expected) => expect(isGrpc(contentType)).toBe(expected));

test("the explanation is in the header that clients show", () => {
  const headers = grpcFailureHeaders({
    ...unknownSession,
    status: 502,
    explanation: "50 % of “x\ud800”\nfailed.\n",
  });
  expect(headers).toMatchObject({ "grpc-status": "14", "linkup-error": "unknown-session" });
  expect(decodeURI(headers["grpc-message"]!)).toBe("50 % of “x\ufffd”\nfailed.");
  expect(headers["grpc-message"]).toMatch(/^[ -~]*$/);
});
