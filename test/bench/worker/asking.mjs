// The pass-through Worker, which asks an object before each request: the least that a cold row can cost.
import { DurableObject } from "cloudflare:workers";

export class SessionObject extends DurableObject {
  fetch() {
    return new Response(null, { status: 204 });
  }
}
export class DirectoryObject extends DurableObject {}

const HEAD = { method: "HEAD" };
let id;

export default {
  async fetch(request, { UPSTREAM, SESSIONS }) {
    id ??= SESSIONS.idFromName("asked");
    const { status } = await SESSIONS.get(id).fetch("http://session/version", HEAD);
    if (status !== 204) throw new Error(`answered ${status}`);
    const { url } = request;
    return fetch(new Request(UPSTREAM + url.slice(url.indexOf("/", 8)), request), { redirect: "manual" });
  },
};
