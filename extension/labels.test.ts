import { afterAll, beforeAll, expect, test } from "vitest";
import { text } from "../core/text.ts";
import german from "../l10n/bundle.l10n.de.json" with { type: "json" };
import { problem } from "../manager/model/problem.ts";
import { problemMessage } from "./labels.ts";
import { fill, translateWith } from "./words.ts";

beforeAll(() =>
  translateWith((message, ...values) =>
    fill((german as Record<string, string>)[message] ?? message, ...values),
  ),
);
afterAll(() => translateWith(fill));

test("the manager's messages are translated, also those within others", () => {
  const inner = text("cannot be read: {0}", "EACCES");
  const unread = problem("config-missing", text("{0} {1}.", "linkup.yaml", inner));
  expect(unread.message).toBe("linkup.yaml cannot be read: EACCES.");
  const taken = problem("session-unknown", text("No session of this workspace is running."));
  expect(problemMessage(taken)).toBe("Es läuft keine Sitzung dieses Arbeitsbereichs.");
  expect(problemMessage(problem("worker-failed", "said by somebody else"))).toBe("said by somebody else");
});
