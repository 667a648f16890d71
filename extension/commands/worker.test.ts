import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { InfraErrorCode, Proposal } from "../../infra/deployment.ts";
import { editor, openWindow } from "../../test/support/extension-window.ts";
import { BACK } from "../../test/support/vscode.ts";

const cloudflare = vi.hoisted(() => ({
  steps: ["create"] as (string | undefined)[],
  planned: [] as string[][],
  applied: [] as string[],
  failure: undefined as string | undefined,
}));

vi.mock("../../infra/deployment.ts", async () => {
  const { InfraError } = await import("../../infra/errors.ts");
  const propose =
    (what: string) =>
    async ({ zones }: { zones: string[] }): Promise<Partial<Proposal>> => {
      cloudflare.planned.push(zones);
      const resources = cloudflare.steps.map((step) => ({ kind: "script", name: "linkup", step }));
      return {
        zones,
        plan: { resources, changes: [] } as unknown as Proposal["plan"],
        needsWorkerToken: true,
        apply: async () => void cloudflare.applied.push(`${what} ${zones}`),
      };
    };
  return {
    conflicts: () => [],
    credentialsOf: () => undefined,
    InfraError,
    isDone: ({ resources }: { resources: unknown[] }) => resources.length === 0,
    newWorkerToken: () => "new-worker-token",
    proposeDeploy: propose("deploy"),
    proposeDestroy: propose("destroy"),
    tokenPage: () => "https://dash.cloudflare.com/",
    waitForDeployment: async () => [],
    async zonesOf() {
      const { failure } = cloudflare;
      if (failure) throw new InfraError(failure as InfraErrorCode, "The zones could not be listed.");
      return ["example.com", "other.dev"].map((name) => ({ name, status: "active" }));
    },
  };
});
vi.mock("../views/plan-text.ts", () => ({ planText: () => "the plan" }));

beforeEach(() => {
  Object.assign(cloudflare, { steps: ["create"], planned: [], applied: [], failure: undefined });
});
afterEach(() => vi.restoreAllMocks());

const questions = () => editor.shown.filter(({ kind }) => kind === "input" || kind === "quickPick");

test("a deployment is three questions, each with a way back that keeps what was answered", async () => {
  const { run, secrets } = openWindow();
  editor.answers.push("first", BACK, "api-token", ["other.dev"], BACK, ["example.com"], "Deploy");
  await run("deployWorker");
  expect(questions().map(({ kind, items }) => `${kind} ${items}`)).toEqual([
    "input ",
    "quickPick example.com,other.dev",
    "input ",
    "quickPick example.com,other.dev",
    "quickPick Deploy",
    "quickPick example.com,other.dev",
    "quickPick Deploy",
  ]);
  expect(questions().at(-1)!.detail).toBe("Deploy the Worker to example.com?");
  expect(cloudflare.planned).toEqual([["other.dev"], ["example.com"]]);
  expect(cloudflare.applied).toEqual(["deploy example.com"]);
  expect([...secrets.values()].sort()).toEqual(["api-token", "new-worker-token"]);
});

test("nothing is changed unless the last question is answered, and a kept token is not asked for again", async () => {
  const { run, secrets } = openWindow();
  secrets.set("cloudflare-api-token", "kept");
  editor.answers.push(["example.com"], undefined);
  await run("destroyWorker");
  expect(questions().map(({ kind }) => kind)).toEqual(["quickPick", "quickPick"]);
  expect(cloudflare.applied).toEqual([]);
  editor.answers.push(["example.com"], "Remove");
  await run("destroyWorker");
  expect(cloudflare.applied).toEqual(["destroy example.com"]);
});

test("no question for an empty plan or one with conflicts only", async () => {
  const { run, secrets } = openWindow();
  secrets.set("cloudflare-api-token", "kept");
  for (const [steps, said] of [
    [[], "There is nothing to remove: Linkup created none of the resources."],
    [[undefined], "The plan has conflicts that only you can resolve."],
  ] as const) {
    Object.assign(cloudflare, { steps: [...steps] });
    editor.answers.push(["example.com"]);
    await run("destroyWorker");
    expect(editor.shown.at(-1)!.text).toBe(said);
  }
  expect(cloudflare.applied).toEqual([]);
});

test.each([
  ["credentials-refused", "forgotten", 0],
  ["rights-missing", "forgotten", 0],
  ["cloudflare-failed", "kept: it could not be tried", 1],
])("after %s the token is %s", async (failure, _what, kept) => {
  cloudflare.failure = failure;
  const { run, secrets } = openWindow();
  editor.answers.push("api-token");
  await run("deployWorker");
  await expect.poll(() => editor.shown.at(-1)!.text).toContain("The zones could not be listed.");
  expect(secrets.size).toBe(kept);
});
