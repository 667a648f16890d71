import { afterEach, expect, test } from "vitest";
import { editor, resetEditor, type Uri } from "../test/support/vscode.ts";
import { openUrl } from "./open-url.ts";

afterEach(() => resetEditor());

/** As VS Code does with a remote machine: `localhost` and addresses only. */
function forwardTo(address: string): void {
  editor.forward = (uri: Uri) =>
    /^(localhost|127\.0\.0\.1):\d+$/.test(uri.authority) ? uri.with({ authority: address }) : uri;
}

test("the session's host keeps its name at the port that leads to the other machine", async () => {
  forwardTo("127.0.0.1:40123");
  await openUrl("http://slim-gecko.shop.localhost:9080/a?b=c#d");
  await openUrl("http://localhost:3000/");
  await openUrl("https://slim-gecko.example.com/");
  expect(editor.opened).toEqual([
    "http://slim-gecko.shop.localhost:40123/a?b=c#d",
    "http://127.0.0.1:40123/",
    "https://slim-gecko.example.com/",
  ]);
});

test("a host on the Internet that leads to the other machine has no room for the session's name", async () => {
  forwardTo("shiny-space-9080.app.example");
  await openUrl("http://slim-gecko.shop.localhost:9080/");
  expect(editor.opened).toEqual(["http://slim-gecko.shop.localhost:9080/"]);
});

test("a path of the editor's own server that leads to the port has none either", async () => {
  editor.forward = (uri: Uri) => uri.with({ authority: "127.0.0.1:8080", path: `/proxy/9080${uri.path}` });
  await openUrl("http://slim-gecko.shop.localhost:9080/a");
  expect(editor.opened).toEqual(["http://slim-gecko.shop.localhost:9080/a"]);
});

test("without another machine nothing changes", async () => {
  await openUrl("http://slim-gecko.shop.localhost:9080/a");
  await openUrl("http://slim-gecko.shop.localhost/a");
  expect(editor.opened).toEqual([
    "http://slim-gecko.shop.localhost:9080/a",
    "http://slim-gecko.shop.localhost/a",
  ]);
});
