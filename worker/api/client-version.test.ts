import { expect, test } from "vitest";
import { versionProblem } from "./client-version.ts";

const OUTDATED = "Your Linkup CLI is outdated, please upgrade to the latest version.";
const INVALID = "Invalid x-linkup-version header.";

test.each([
  [null, "No x-linkup-version header, please upgrade your Linkup CLI."],
  ["", INVALID],
  ["2", INVALID],
  ["2.1", INVALID],
  ["2.1.0.0", INVALID],
  ["two.one.zero", INVALID],
  ["2.1.0-", INVALID],
  ["0.0.1", OUTDATED],
  ["1.100.100", OUTDATED],
  ["2.0.100", OUTDATED],
  ["2.1.0", undefined],
  ["2.1.1", undefined],
  ["2.10.0", undefined],
  ["10.0.0", undefined],
  ["1.0.0-next.1", undefined],
  ["0.0.0-alpha+build", undefined],
])("%s: %s", (header, problem) => expect(versionProblem(header)).toBe(problem));
