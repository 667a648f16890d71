const MAX_FORM_BYTES = 4096;

/** Undefined when it is too large. */
export async function readForm(request: Request): Promise<URLSearchParams | undefined> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of request.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_FORM_BYTES) return undefined;
  }
  return new URLSearchParams(text);
}
