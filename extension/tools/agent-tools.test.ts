import { describe, expect, test } from "vitest";
import type * as vscode from "vscode";
import manifest from "../../package.json" with { type: "json" };
import { configFile, editor, openWindow, SESSION } from "../../test/support/extension-window.ts";
import { agentTools } from "./agent-tools.ts";
import { registerAgentTools } from "./register-agent-tools.ts";

const CONFIG = configFile("/shop/linkup.yaml");
const URL = "https://slim-gecko.example.com/linkup/join#secret-of-the-invite";
const invite = { id: "3f9c", name: "Ana", kind: "link", rights: ["visit"], expires: 0, uses: null, used: 0 };

/** A window whose session has this access, and how VS Code calls one of its tools. */
function tool(
  name: string,
  access: "public" | "private",
  answers: Record<string, unknown> = {},
  configs = [CONFIG],
) {
  const session = { ...SESSION, access };
  const other = {
    ...session,
    id: "other",
    name: "other-one",
    urls: ["https://other-one.example.com/"],
    configPath: "/other/linkup.yaml",
  };
  const snapshot = { sessions: [session, other], components: [], problems: [] };
  const window = openWindow({ snapshot, configs }, { look: snapshot, ...answers });
  const extension = { packageJSON: manifest };
  registerAgentTools({ subscriptions: [], extension } as unknown as vscode.ExtensionContext, window.linkup);
  const { prepareInvocation, invoke } = editor.tools.get(name) as vscode.LanguageModelTool<object>;
  const prepare = async (input: object) =>
    (await prepareInvocation?.({ input }, {} as vscode.CancellationToken))?.confirmationMessages;
  const call = async (input: object) => {
    const cancellation = { onCancellationRequested: () => ({ dispose() {} }) };
    const { content } = (await invoke(
      { input, toolInvocationToken: undefined },
      cancellation as unknown as vscode.CancellationToken,
    ))!;
    return (content as { value: string }[])[0]!.value;
  };
  return { ...window, prepare, call };
}

test("package.json names every tool", () => {
  const named = manifest.contributes.languageModelTools.map(({ name }) => name);
  expect([...agentTools(openWindow().linkup).keys()].sort()).toEqual(named.sort());
});

test("actions that share ask first and say what they allow; listing does not ask", async () => {
  const { prepare } = tool("linkup_share", "private");
  expect(await prepare({ action: "list" })).toBeUndefined();
  expect(await prepare({ action: "make_public" })).toEqual({
    title: "Make the session slim-gecko public? Everyone who knows its URL can open it then.",
    message: "https://slim-gecko.example.com/",
  });
  expect(await prepare({ action: "invite", for: "Ana", expires: "12h", may_route: true })).toEqual({
    title: "Give the agent an invite link to the session slim-gecko?",
    message:
      "It is for Ana. Anyone who has it can open the session for 12h. They may also route the session's services: to this machine, or to the deployed copies.",
  });
  expect(await prepare({ action: "revoke", id: "3f9c" })).toMatchObject({
    title: "Revoke the invite 3f9c of the session slim-gecko?",
  });
});

test.each([{ config: "/other/linkup.yaml" }, { session: "other-one" }])(
  "the session that the user is asked about is the one of %j",
  async (choice) => {
    const { prepare } = tool("linkup_share", "private");
    expect(await prepare({ action: "make_public", ...choice })).toEqual({
      title: "Make the session other-one public? Everyone who knows its URL can open it then.",
      message: "https://other-one.example.com/",
    });
  },
);

describe("with several sessions in the workspace", () => {
  const other = configFile("/other/linkup.yaml", { folder: "other" });
  const calls: [string, object][] = [
    ["linkup_share", { action: "make_public" }],
    ["linkup_stop_session", {}],
    ["linkup_route_service", { service: "api", target: "local" }],
    ["linkup_switch_overrides", { names: ["slow"], on: true }],
  ];

  test.each(calls)("%s names its session, or says which there are", async (name, input) => {
    const { prepare, call, asked } = tool(name, "private", {}, [CONFIG, other]);
    const refusal =
      /several sessions: slim-gecko \(\/shop\/linkup\.yaml\), other-one \(\/other\/linkup\.yaml\)\./;
    await expect(prepare(input)).rejects.toThrow(refusal);
    await expect(call(input)).rejects.toThrow(refusal);
    expect(asked).toEqual([]);
    const question = JSON.stringify(await prepare({ ...input, config: "/other/linkup.yaml" }));
    expect(question).toContain("other-one");
    expect(question).not.toContain("slim-gecko");
  });
});

test("the secret is in the answer that the user agreed to, and in no log", async () => {
  const { call, asked, log } = tool("linkup_share", "private", { invite: { ...invite, url: URL } });
  expect(await call({ action: "invite", for: "Ana", session: "slim-gecko" })).toContain(URL);
  expect(asked).toContain('invite {"name":"slim-gecko"} {"name":"Ana"}');
  expect(JSON.stringify(log.lines)).not.toContain("secret-of-the-invite");
});

test("nothing is shared in an untrusted workspace", async () => {
  const { call, asked } = tool("linkup_share", "private");
  editor.trusted = false;
  await expect(call({ action: "make_public" })).rejects.toThrow("not trusted");
  expect(asked).toEqual([]);
});

test("a session is started privately when the agent asks for it", async () => {
  const { call, prepare, asked } = tool("linkup_start_session", "private");
  expect(await prepare({ private: true })).toMatchObject({
    message: "Only those whom you invite can open it.",
  });
  expect(await prepare({ isolated: true, config: "/other/linkup.yaml" })).toMatchObject({
    title: "Start the Linkup session of /other/linkup.yaml?",
  });
  await call({ private: true, config: CONFIG.path });
  await call({ config: CONFIG.path });
  expect(asked.filter((call) => call.startsWith("start"))).toEqual([
    `start ${CONFIG.path} tunneled private`,
    `start ${CONFIG.path} tunneled`,
  ]);
});
