import { describe, expect, test } from "vitest";
import {
  baggageFor,
  baggageSessions,
  isTraceparent,
  newTraceparent,
  tracestateFor,
} from "./trace-context.ts";

const VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("traceparent", () => {
  test.each([
    [VALID, true],
    [VALID.replace(/01$/, "00"), true],
    [`cc${VALID.slice(2)}-more`, true],
    [`${VALID}-more`, false],
    [`${VALID}, ${VALID}`, false],
    [VALID.toUpperCase(), false],
    [VALID.replace("00-0af7651916cd43dd8448eb211c80319c", `00-${"0".repeat(32)}`), false],
    [VALID.replace("b7ad6b7169203331", "0".repeat(16)), false],
    [`ff${VALID.slice(2)}`, false],
    ["undefined", false],
    ["", false],
    [undefined, false],
  ])("%j is valid: %j", (value, expected) => {
    expect(isTraceparent(value)).toBe(expected);
  });

  test("ours is valid, sampled, and another each time", () => {
    const made = Array.from({ length: 200 }, newTraceparent);
    expect(made.every((value) => isTraceparent(value) && value.endsWith("-01"))).toBe(true);
    expect(new Set(made).size).toBe(200);
  });
});

describe("tracestate", () => {
  test.each([
    [undefined, "linkup-session=slim-gecko"],
    ["linkup-session=slim-gecko", "linkup-session=slim-gecko"],
    ["vendor=1,linkup-session=slim-gecko", "vendor=1,linkup-session=slim-gecko"],
    ["vendor=1,Not A Key=2", "linkup-session=slim-gecko,vendor=1"],
    ["a=1,b=2,a=3", "linkup-session=slim-gecko,a=1,b=2"],
    ["a=1, ,b", "linkup-session=slim-gecko,a=1"],
    ["linkup-session=other,a=1,linkup-session=slim-gecko", "linkup-session=slim-gecko,a=1"],
    ["linkup-session=slim-gecko,a=1,linkup-session=other", "linkup-session=slim-gecko,a=1"],
    ["tenant@vendor=x y", "linkup-session=slim-gecko,tenant@vendor=x y"],
    [`a=${"x".repeat(257)}`, "linkup-session=slim-gecko"],
  ])("of %j becomes %j", (value, expected) => {
    expect(tracestateFor("slim-gecko", value)).toBe(expected);
  });

  test("keeps 32 members and 512 characters, and drops long members first", () => {
    const many = tracestateFor("slim-gecko", Array.from({ length: 40 }, (_, i) => `k${i}=1`).join(","));
    expect(many.split(",")).toHaveLength(32);
    expect(many.startsWith("linkup-session=slim-gecko,k0=1,")).toBe(true);
    const long = tracestateFor(
      "slim-gecko",
      `a=${"x".repeat(200)},b=1,c=${"y".repeat(250)},d=${"z".repeat(100)}`,
    );
    expect(long).toBe(`linkup-session=slim-gecko,a=${"x".repeat(200)},b=1,d=${"z".repeat(100)}`);
  });
});

describe("baggage", () => {
  test("names the session beside what is there, once", () => {
    expect(baggageFor("slim-gecko", undefined)).toBe("linkup-session=slim-gecko");
    expect(baggageFor("slim-gecko", "user=1;p=2, x=y")).toBe("linkup-session=slim-gecko,user=1;p=2,x=y");
    expect(baggageFor("slim-gecko", "linkup-session=other,x=y")).toBe("linkup-session=slim-gecko,x=y");
    expect(baggageFor("slim-gecko", "x=y, linkup-session=slim-gecko;p")).toBeUndefined();
    expect(baggageSessions("x=y, linkup-session = slim-gecko ;p")).toEqual(["slim-gecko"]);
  });

  test("that is full stays as it is, without another session", () => {
    const full = Array.from({ length: 64 }, (_, i) => `k${i}=1`).join(",");
    expect(baggageFor("slim-gecko", full)).toBeUndefined();
    expect(baggageFor("slim-gecko", `x=${"y".repeat(8_180)}`)).toBeUndefined();
    expect(baggageFor("slim-gecko", `${full},linkup-session=other`)).toBe(full);
  });
});
