import { expect, test } from "vitest";
import { engines } from "../../package.json";
import { outdatedNode } from "./outdated-node.ts";

const OLDEST = engines.node.slice(">=".length);
const missing = new TypeError("Promise.withResolvers is not a function");

test.each<[string, string, unknown]>([
  ["an error in a version that will do", `${OLDEST}.0.0`, missing],
  ["any other error", "20.20.2", new Error("The session is gone.")],
])("%s is told as it is", (_, version, error) => {
  expect(outdatedNode(version, error, false)).toBeUndefined();
});

test("what an older version lacks is told as that, with the version that is needed", () => {
  const text = outdatedNode("20.20.2", missing, false);
  expect(text).toBe(`Error: Linkup needs Node ${OLDEST} or newer, and this is Node 20.20.2.\n`);
  const json = JSON.parse(outdatedNode("9.1.0", missing, true)!);
  expect(json).toMatchObject({ problem: { code: "node-outdated" } });
});
