/** Reads the JSON body of an API request, up to a maximum size. */
export const MAX_JSON_BYTES = 1024 * 1024;

export type JsonBody = { ok: true; json: unknown } | { ok: false; status: 400 | 413; reason: string };

/** `empty`: what a request without a body means; without it, that it is not valid. */
export async function readJson(request: Request, empty?: unknown): Promise<JsonBody> {
  const bytes = await readBounded(request);
  if (bytes === undefined)
    return { ok: false, status: 413, reason: `The body is larger than ${MAX_JSON_BYTES} bytes.` };
  if (bytes.length === 0 && empty !== undefined) return { ok: true, json: empty };
  try {
    return {
      ok: true,
      json: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes)),
    };
  } catch (error) {
    return { ok: false, status: 400, reason: `The body is not valid JSON: ${(error as Error).message}` };
  }
}

async function readBounded(request: Request): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_JSON_BYTES) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
