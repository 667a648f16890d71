// How api calls auth: over auth's public address, as services of a deployed system do. Linkup then sends the call to
// the copy of auth that this session has chosen, without api knowing of it.
import { request } from "node:http";
import { traceHeaders } from "./trace.mjs";

const AUTH_URL = new URL(process.env.AUTH_URL ?? "http://shop.localhost:8787/auth/whoami");
const TIMEOUT_MS = 5000;

/**
 * Asks auth who the user is, on behalf of the request with these headers.
 *
 * @returns {Promise<object>} auth's answer, or `{error}` with the address and the reason. Never rejects: api can
 *   answer without auth, and says what is missing.
 */
export async function askAuth(incoming) {
  try {
    const { status, text } = await get(AUTH_URL, traceHeaders(incoming));
    if (status === 200) return JSON.parse(text);
    return { error: `auth could not be asked: ${AUTH_URL} answered ${status}: ${text.split("\n", 1)[0]}` };
  } catch (error) {
    return { error: `auth could not be asked: no answer from ${AUTH_URL} (${error.message})` };
  }
}

/** @returns {Promise<{status: number, text: string}>} rejects when there is no whole answer in time */
function get(url, headers) {
  // Browsers take *.localhost to this machine by themselves; Node asks the system, which mostly does not know it.
  const host = url.hostname.endsWith(".localhost") ? "127.0.0.1" : url.hostname;
  const { port, pathname, search } = url;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const call = request({
      host,
      port,
      path: pathname + search,
      headers: { ...headers, host: url.host },
      signal,
    });
    call.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    call.on("error", (error) => {
      reject(signal.aborted ? new Error(`nothing within ${TIMEOUT_MS / 1000} s`) : error);
    });
    call.end();
  });
}
