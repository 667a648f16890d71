/** A HAR file that was opened: its requests are shown, and none is sent. */
import * as vscode from "vscode";
import type { ExchangeDetails } from "../../core/api/request-log-api.ts";
import { parseHar } from "../../core/exchange/har-reader.ts";
import { t } from "../words.ts";
import { MAX_ROWS } from "./protocol.ts";

/** Bytes. */
const MAX_SIZE = 64 << 20;

export interface HarFile {
  /** Its last part. */
  name: string;
  /** The newest. By id, which counts from 1 within the file. */
  requests: Map<number, ExchangeDetails>;
}

/** Throws an Error that says what is wrong with the file. */
export async function readHarFile(uri: vscode.Uri): Promise<HarFile> {
  const name = uri.path.split("/").at(-1)!;
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size > MAX_SIZE) throw new Error(t("{0} is larger than {1} MB.", name, MAX_SIZE >> 20));
  let found: ExchangeDetails[];
  try {
    found = parseHar(Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8"));
  } catch (error) {
    throw new Error(t("{0} is not a HAR file: {1}", name, (error as Error).message));
  }
  return { name, requests: new Map(found.slice(-MAX_ROWS).map((one) => [one.id, one])) };
}
