// linkup.yaml in the editor, asked of VS Code itself: text before and after.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { type AddressInfo, createServer, type Server } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { badText, CHOICES, DIAGNOSTICS, FIXES, KEYS, VALUES } from "../../support/language/cases.ts";
import { cursor, SHOP, shop } from "../../support/language/testing.ts";

const { executeCommand } = vscode.commands;
const [folder] = vscode.workspace.workspaceFolders!;

async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) {
    const value = await probe();
    if (value) return value;
  }
  throw new Error(`Waited for ${what}.`);
}

/** The text in an editor, in a linkup.yaml of its own; nothing of it is saved. */
async function edited(text: string, name = "shop/linkup.yaml"): Promise<vscode.TextDocument> {
  const uri = vscode.Uri.joinPath(folder!.uri, name);
  const exists = await vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
  if (!exists) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(""));
  const document = await vscode.workspace.openTextDocument(uri);
  const editor = await vscode.window.showTextDocument(document);
  const eol = text.includes("\r\n") ? vscode.EndOfLine.CRLF : vscode.EndOfLine.LF;
  await editor.edit((edit) => {
    edit.setEndOfLine(eol);
    edit.replace(new vscode.Range(0, 0, document.lineCount, 0), text);
  });
  assert.equal(document.getText(), text);
  return document;
}

/** The text with its `█` taken out, and where that was. */
async function editedAt(
  marked: string,
): Promise<{ document: vscode.TextDocument; position: vscode.Position }> {
  const { text, offset } = cursor(marked);
  const document = await edited(text);
  return { document, position: document.positionAt(offset) };
}

const SEVERITIES = ["error", "warning", "information", "hint"];

/** Our findings as `severity code "underlined" < "related"`, those about this machine's ports left out. */
function found(document: vscode.TextDocument): string[] {
  return vscode.languages
    .getDiagnostics(document.uri)
    .filter((diagnostic) => diagnostic.source === "linkup" && codeOf(diagnostic) !== "nothing-listens")
    .map((diagnostic) => {
      const place = (range: vscode.Range) => JSON.stringify(document.getText(range));
      const related = diagnostic.relatedInformation?.[0]?.location.range;
      const line = `${SEVERITIES[diagnostic.severity]} ${codeOf(diagnostic)} ${place(diagnostic.range)}`;
      return related ? `${line} < ${place(related)}` : line;
    });
}

const codeOf = ({ code }: vscode.Diagnostic) => (typeof code === "object" ? code.value : code);

async function diagnosticOf(document: vscode.TextDocument, code: string): Promise<vscode.Diagnostic> {
  return await until(`${code} among ${found(document)}`, () =>
    vscode.languages.getDiagnostics(document.uri).find((diagnostic) => codeOf(diagnostic) === code),
  );
}

/** The quick fixes at the place of the finding of that code. */
async function fixesOf(document: vscode.TextDocument, code: string): Promise<vscode.CodeAction[]> {
  const { range } = await diagnosticOf(document, code);
  const kind = vscode.CodeActionKind.QuickFix.value;
  return await executeCommand<vscode.CodeAction[]>(
    "vscode.executeCodeActionProvider",
    document.uri,
    range,
    kind,
  );
}

async function offered(marked: string): Promise<vscode.CompletionItem[]> {
  const { document, position } = await editedAt(marked);
  const list = await executeCommand<vscode.CompletionList>(
    "vscode.executeCompletionItemProvider",
    document.uri,
    position,
  );
  // What the command returns has snippets last, unlike the list that people see.
  const orderOf = ({ sortText }: vscode.CompletionItem) => sortText ?? "";
  return list.items.sort((a, b) => orderOf(a).localeCompare(orderOf(b)));
}

const labelOf = ({ label }: vscode.CompletionItem) => (typeof label === "string" ? label : label.label);

describe("linkup.yaml in the editor", () => {
  before(async () => {
    const editor = vscode.workspace.getConfiguration("editor", { languageId: "yaml" });
    await editor.update("wordBasedSuggestions", "off", vscode.ConfigurationTarget.Workspace, true);
    await vscode.workspace
      .getConfiguration("files")
      .update("autoSave", "off", vscode.ConfigurationTarget.Workspace);
    await edited(SHOP);
    await until("our symbols", async () => {
      const document = await edited(SHOP);
      const symbols = await executeCommand<vscode.DocumentSymbol[]>(
        "vscode.executeDocumentSymbolProvider",
        document.uri,
      );
      return symbols?.some(({ name }) => name === "services");
    });
  });

  after(async () => {
    await executeCommand("workbench.action.revertAndCloseActiveEditor");
    await vscode.workspace.fs.delete(vscode.Uri.joinPath(folder!.uri, "shop"), { recursive: true });
  });

  describe("diagnostics", () => {
    for (const [title, from, to, expected] of [
      ["nothing in a good file", SHOP, SHOP, []] as const,
      ...DIAGNOSTICS,
    ]) {
      it(title, async () => {
        const document = await edited(shop(from, to));
        const wanted = JSON.stringify(expected);
        await until("the diagnostics", () => JSON.stringify(found(document)) === wanted).catch(() => {
          assert.deepEqual(found(document), expected);
        });
      });
    }

    it("each with a link to the line that explains it", async () => {
      const document = await edited(shop("service: api\n", "service: apo\n"));
      const { code } = await diagnosticOf(document, "unknown-service");
      const target = await until("the link", () => typeof code === "object" && code.target);
      const page = await vscode.workspace.openTextDocument(target.with({ fragment: "" }));
      const line = Number(/^L(\d+)$/.exec(target.fragment)![1]);
      assert.equal(page.lineAt(line - 1).text, "### unknown-service");
    });

    it("a local port where nothing listens", async () => {
      const server: Server = createServer();
      const port = await new Promise<number>((done) =>
        server.listen(0, "127.0.0.1", () => done((server.address() as AddressInfo).port)),
      );
      const local = `http://localhost:${port}`;
      const document = await edited(shop("http://localhost:4000", local));
      const isSilent = () =>
        vscode.languages
          .getDiagnostics(document.uri)
          .some((found) => codeOf(found) === "nothing-listens" && document.getText(found.range) === local);
      await until("no hint while something listens", () => !isSilent());
      await new Promise((done) => server.close(done));
      await until("the hint", isSilent);
      await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
      await until("no hint again", () => !isSilent());
      server.close();
    });

    it("a token in a file that git tracks, and its fix", async () => {
      const text = shop(
        "https://linkup.example.com\n",
        "https://linkup.example.com\n  worker_token: secret # mine\n",
      );
      const document = await edited(text);
      assert.deepEqual(found(document), []);
      const cwd = dirname(document.uri.fsPath);
      execFileSync("git", ["init", "-q"], { cwd });
      execFileSync("git", ["add", "linkup.yaml"], { cwd });
      await document.save();
      await diagnosticOf(document, "token-in-file");
      const [fix, move] = await fixesOf(document, "token-in-file");
      await executeCommand(move!.command!.command, ...move!.command!.arguments!);
      assert.equal(document.getText(), SHOP);
      await edited(text);
      await diagnosticOf(document, "token-in-file");
      await vscode.workspace.applyEdit(fix!.edit!);
      assert.equal(document.getText(), text.replace("secret", "${env:LINKUP_WORKER_TOKEN}"));
      await until("no finding", () => found(document).length === 0);
    });
  });

  describe("quick fixes", () => {
    for (const fix of FIXES) {
      const [, bad, code, title, expected] = fix;
      it(`${code}: ${title}`, async () => {
        const text = badText(fix);
        const document = await edited(text);
        const actions = await fixesOf(document, code);
        const action = actions.find((action) => action.title === title);
        assert.ok(action?.isPreferred, `${actions.map((action) => action.title)}`);
        await vscode.workspace.applyEdit(action.edit!);
        assert.equal(
          document.getText(),
          text.replace(bad, () => expected),
        );
      });
    }
  });

  describe("completion", () => {
    for (const [title, marked, expected] of [...KEYS, ...VALUES]) {
      it(title, async () => {
        assert.deepEqual((await offered(marked)).map(labelOf), expected);
      });
    }

    for (const [title, marked, label, expected] of CHOICES) {
      it(`writes ${title}`, async () => {
        const item = (await offered(marked)).find((item) => labelOf(item) === label)!;
        const editor = vscode.window.activeTextEditor!;
        const range = item.range instanceof vscode.Range ? item.range : item.range!.replacing;
        const options = {
          undoStopBefore: true,
          undoStopAfter: true,
          keepWhitespace: item.keepWhitespace === true,
        };
        await editor.insertSnippet(item.insertText as vscode.SnippetString, range, options);
        assert.equal(editor.document.getText(), expected);
      });
    }
  });

  it("hover: keys, services, routes, rewrites", async () => {
    const shown = async (from: string, to: string) => {
      const { document, position } = await editedAt(shop(from, to));
      const hovers = await executeCommand<vscode.Hover[]>(
        "vscode.executeHoverProvider",
        document.uri,
        position,
      );
      return hovers
        .flatMap(({ contents }) => contents.map((content) => (content as vscode.MarkdownString).value))
        .join();
    };
    assert.match(
      await shown("default_service: web", "default_█service: web"),
      /^The service for every path that no route matches/,
    );
    assert.match(
      await shown("name: web", "name: w█eb"),
      /^\*\*web\*\*\n\n- remote: `https:\/\/web\.example\.com`/,
    );
    assert.match(await shown("^/api/.*", "^/ap█i/.*"), /- `\/api\/users` → \*\*api\*\*/);
    assert.match(await shown("/foo/(.*)", "/fo█o/(.*)"), /- `\/foo\/users` → `\/bar\/users`/);
  });

  it("definition, references and highlights of a service", async () => {
    const { document, position } = await editedAt(shop("service: api\n", "service: a█pi\n"));
    const lines = (ranges: vscode.Range[]) =>
      ranges.map((range) => `${range.start.line + 1} ${document.getText(range)}`);
    const links = await executeCommand<vscode.LocationLink[]>(
      "vscode.executeDefinitionProvider",
      document.uri,
      position,
    );
    assert.deepEqual(lines(links.map(({ targetRange }) => targetRange)), ["11 api"]);
    const references = await executeCommand<vscode.Location[]>(
      "vscode.executeReferenceProvider",
      document.uri,
      position,
    );
    assert.deepEqual(lines(references.map(({ range }) => range)), ["11 api", "19 api", '21 "api"']);
    const highlights = await executeCommand<vscode.DocumentHighlight[]>(
      "vscode.executeDocumentHighlights",
      document.uri,
      position,
    );
    assert.deepEqual(lines(highlights.map(({ range }) => range)), ["11 api", "19 api", '21 "api"']);
  });

  it("rename of a service", async () => {
    const { document, position } = await editedAt(shop("name: api", "name: a█pi"));
    const edit = await executeCommand<vscode.WorkspaceEdit>(
      "vscode.executeDocumentRenameProvider",
      document.uri,
      position,
      "backend",
    );
    await vscode.workspace.applyEdit(edit);
    const expected = SHOP.replace("name: api", "name: backend")
      .replace("service: api\n", "service: backend\n")
      .replace('"api"', '"backend"');
    assert.equal(document.getText(), expected);
    const refused = executeCommand("vscode.executeDocumentRenameProvider", document.uri, position, "web");
    await assert.rejects(async () => await refused, /A service named "web" already exists/);
  });

  it("anchors, merge keys and comments survive a rename", async () => {
    const text = `base: &base
  name: &web we█b # one
services:
  - <<: *base
    remote: https://web.example.com # two
    local: http://localhost:3000
domains: [{ domain: example.com, default_service: *web }, { domain: example.org, default_service: web }]
`;
    const { document, position } = await editedAt(text);
    const before = document.getText();
    const edit = await executeCommand<vscode.WorkspaceEdit>(
      "vscode.executeDocumentRenameProvider",
      document.uri,
      position,
      "page",
    );
    await vscode.workspace.applyEdit(edit);
    assert.equal(
      document.getText(),
      before.replace("&web web", "&web page").replace("default_service: web", "default_service: page"),
    );
  });

  it("symbols and folding", async () => {
    const document = await edited(SHOP);
    const symbols = await executeCommand<vscode.DocumentSymbol[]>(
      "vscode.executeDocumentSymbolProvider",
      document.uri,
    );
    const text = ({ name, detail, children }: vscode.DocumentSymbol): string =>
      `${name}${detail && ` ${detail}`}${children.length > 0 ? ` (${children.map(text).join(", ")})` : ""}`;
    assert.equal(
      symbols.map(text).join("\n"),
      `linkup (worker_url https://linkup.example.com)
services (web http://localhost:3000 · https://web.example.com (/foo/(.*) → /bar/$1), api http://localhost:4000 · https://api.example.com)
domains (example.com → web (^/api/.* → api), example.org → api)`,
    );
    const folds = await executeCommand<vscode.FoldingRange[]>(
      "vscode.executeFoldingRangeProvider",
      document.uri,
    );
    const ranges = folds.map(({ start, end }) => `${start + 1}-${end + 1}`);
    for (const expected of ["3-13", "5-10", "14-21", "17-19"])
      assert.ok(ranges.includes(expected), `${expected} of ${ranges}`);
  });

  it("several files, of one folder and not saved, each with its own services", async () => {
    const other = await edited(SHOP.replaceAll("api", "billing"), "shop/packages/billing/linkup.yaml");
    const main = await edited(shop("service: api\n", "service: billing\n"));
    await until(
      "the finding of the first alone",
      () => found(main).length === 1 && found(other).length === 0,
    );
    assert.deepEqual(found(main), ['error unknown-service "billing"']);
    await vscode.window.showTextDocument(other);
    await executeCommand("workbench.action.revertAndCloseActiveEditor");
  });

  it("other YAML is left alone", async () => {
    const uri = vscode.Uri.joinPath(folder!.uri, "shop", "other.yaml");
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode("colour: red\n"));
    const document = await vscode.workspace.openTextDocument(uri);
    const list = await executeCommand<vscode.CompletionList>(
      "vscode.executeCompletionItemProvider",
      uri,
      new vscode.Position(1, 0),
    );
    assert.deepEqual(list.items.map(labelOf), []);
    assert.deepEqual(found(document), []);
  });
});
