/** Sends the hops of the requests to the collector that the setting `linkup.otlp.endpoint` names. */
import type { Exchange } from "../../core/api/request-log-api.ts";
import { OtlpExport } from "../../manager/operations/otlp-export.ts";
import { version } from "../../package.json";
import type { Linkup } from "../linkup.ts";
import type { RequestFeed } from "./request-feed.ts";

export class SpanExport {
  readonly #subscription: { dispose(): void };
  readonly #export: OtlpExport;

  /** Throws an Error when the endpoint is no URL. */
  constructor(feed: RequestFeed, endpoint: string, linkup: Linkup) {
    let lastMessage = "";
    this.#export = new OtlpExport(endpoint, version, (message) => {
      if (message !== lastMessage)
        linkup.log.warn(`The collector at ${endpoint} did not take spans: ${message}`);
      lastMessage = message;
    });
    // Those that came while this file was being loaded, too.
    this.#add(feed.received);
    this.#subscription = feed.onDidChange((rows) => this.#add(rows));
  }

  #add(rows: Iterable<Exchange>): void {
    for (const row of rows) this.#export.add(row);
  }

  dispose(): void {
    this.#subscription.dispose();
    void this.#export.end();
  }
}
