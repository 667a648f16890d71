import { expect, test } from "vitest";
import type { FileSystemProvider, Uri } from "vscode";
import { fileSystems } from "../../test/support/vscode.ts";
import { imageDocument, responseDocument } from "./response-documents.ts";

const PIXEL = "iVBORw0KGgo=";
const image = (type: string, body: object) => ({
  status: 200,
  url: "https://api.example.com/dot",
  headers: [["Content-Type", type]] as [string, string][],
  body: { cut: false, ...body },
});

const files = () => fileSystems.get("linkup-response") as FileSystemProvider;
const bytesOf = (uri: Uri) => Buffer.from(files().readFile(uri) as Uint8Array);

test("a whole image is shown as one, and anything else is not", () => {
  const uri = imageDocument("local GET /dot", image("image/png; charset=x", { base64: PIXEL }))!;
  expect(uri.path).toMatch(/\/local_GET_dot\.png$/);
  expect(bytesOf(uri).toString("base64")).toBe(PIXEL);
  for (const other of [
    image("image/png", { base64: PIXEL, cut: true }),
    image("image/svg+xml", { text: "<svg/>" }),
    image("text/html", { base64: PIXEL }),
    { ...image("image/png", {}), body: null },
  ])
    expect(imageDocument("x", other)).toBeUndefined();
});

test("a response as text: JSON with its keys sorted, headers before it", () => {
  const uri = responseDocument("GET /a b", image("application/json", { text: '{"b":1,"a":[2]}' }));
  expect(uri.path).toMatch(/\/GET_a_b\.json$/);
  expect(bytesOf(uri).toString()).toBe(
    '// 200  https://api.example.com/dot\n// content-type: application/json\n\n{\n  "a": [\n    2\n  ],\n  "b": 1\n}\n',
  );
});

test("JSON that is nested too deep is shown as it came", () => {
  const text = "[".repeat(200_000) + "]".repeat(200_000);
  expect(bytesOf(responseDocument("GET /", image("application/json", { text }))).toString()).toContain(text);
});

test("a tab says the extension once", () => {
  const tab = (uri: Uri) => uri.path.replace(/^.*\//, "");
  expect(tab(imageDocument("GET /dot.png", image("image/png", { base64: PIXEL }))!)).toBe("GET_dot.png");
  expect(tab(imageDocument("GET /DOT.PNG", image("image/png", { base64: PIXEL }))!)).toBe("GET_DOT.png");
  expect(tab(imageDocument("GET /dot.png", image("image/jpeg", { base64: PIXEL }))!)).toBe("GET_dot.png.jpg");
  expect(tab(responseDocument("GET /a.json", image("x", { text: "{}" })))).toBe("GET_a.json");
});

test("shown responses are read-only, and dropped after two hundred others", () => {
  const uri = responseDocument("first", image("text/plain", { text: "x" }));
  expect(() => files().writeFile(uri, new Uint8Array(), { create: true, overwrite: true })).toThrow(
    "NoPermissions",
  );
  for (let i = 0; i < 200; i++) responseDocument("other", image("text/plain", { text: "y" }));
  expect(() => files().readFile(uri)).toThrow("FileNotFound");
});
