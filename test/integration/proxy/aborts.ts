/** The tests of clients that disconnect, for each way into the local server. */
import { test } from "vitest";
import type { TestClient } from "./clients.ts";
import { APP, type System, until } from "./system.ts";

/** An abort of the client's ends the request at the service, whenever it comes. */
export function testAborts(system: () => System, client: () => TestClient): void {
  test("an abort before the response's head", async () => {
    let arrived = false;
    let closed = false;
    system().app.handler = (_request, response) => {
      arrived = true;
      response.once("close", () => (closed = true));
    };
    const sent = client().send({ host: APP });
    await until(() => arrived, "the request arrived");
    sent.abort();
    await until(() => closed, "the service saw the abort");
  });

  test("an abort in the response's body", async () => {
    let closed = false;
    system().app.handler = (_request, response) => {
      response.write("first");
      response.once("close", () => (closed = true));
    };
    const sent = client().send({ host: APP });
    await sent.head;
    sent.abort();
    await until(() => closed, "the service saw the abort");
  });

  test("an abort in the request's body", async () => {
    let aborted = false;
    let arrived = false;
    system().app.handler = (request) => {
      request.once("data", () => (arrived = true));
      request.once("error", () => (aborted = true));
    };
    const sent = client().send({ host: APP, method: "POST", streaming: true });
    sent.body.write("part");
    await until(() => arrived, "the body arrived");
    sent.abort();
    await until(() => aborted, "the service saw the abort");
  });
}
