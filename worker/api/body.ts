/** Reads the JSON body of an API request, of a bounded size. */
const MOST_BYTES = 1024 * 1024;

export type Body = { ok: true; json: unknown } | { ok: false; status: 400 | 413; reason: string };

export async function readJson(request: Request): Promise<Body> {
  const bytes = await readBounded(request);
  if (bytes === undefined)
    return { ok: false, status: 413, reason: `The body has more than ${MOST_BYTES} bytes.` };
  try {
    return {
      ok: true,
      json: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes)),
    };
  } catch (error) {
    return { ok: false, status: 400, reason: `The body is no JSON: ${(error as Error).message}` };
  }
}

async function readBounded(request: Request): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.byteLength;
    if (size > MOST_BYTES) return undefined;
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
