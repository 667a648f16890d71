import { expect, test } from "vitest";
import { OWNER } from "../../core/access/access-cookie.ts";
import { hourOf, traceProof } from "../../core/access/trace-proof.ts";
import type { Served } from "../served-sessions.ts";
import { ownerProof } from "./owner-proof.ts";

const served = { name: "slim-gecko", traceKey: "k".repeat(64) } as Served;
/** Of a class, as the proxy's clients are. */
class Head {
  readonly #headers = new Map<string, string>();
  header(name: string): string | undefined {
    return this.#headers.get(name);
  }
}
const none = new Head();

test("is the one that the Worker checks", async () => {
  const expected = await traceProof(served.traceKey!, "slim-gecko", OWNER, hourOf(Date.now()));
  expect(ownerProof(served, "browser", none)).toBe(expected);
});

test("is for requests of this machine to a private session, unless they bring one", () => {
  expect(ownerProof({ ...served, traceKey: null }, "browser", none)).toBeUndefined();
  expect(ownerProof(served, "tunnel", none)).toBeUndefined();
  const guest = {
    header: (name: string) => (name === "baggage" ? `linkup-access=ada.${"0".repeat(32)}` : null),
  };
  expect(ownerProof(served, "browser", guest)).toBeUndefined();
});
