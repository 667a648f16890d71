import { expect, test } from "vitest";
import { sessionLabel, withoutSession } from "./host-name.ts";

test("what a host says of its session is not that of the host before", () => {
  for (let n = 0; n < 2; n++) {
    expect(sessionLabel("a.example.com:80")).toBe("a");
    expect(sessionLabel("b.example.com")).toBe("b");
    expect(sessionLabel("example.com")).toBeUndefined();
    expect(sessionLabel("")).toBeUndefined();
    expect(sessionLabel("a.localhost")).toBe("a");
    expect(withoutSession("a.example.com:80", "a")).toBe("example.com");
    expect(withoutSession("a.example.com:80", "b")).toBe("a.example.com");
    expect(withoutSession("b.example.com", "b")).toBe("example.com");
    expect(withoutSession("", "b")).toBe("");
    expect(withoutSession("b.example.com", "")).toBe("b.example.com");
  }
});
