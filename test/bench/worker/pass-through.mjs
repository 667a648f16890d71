// The least that a Worker can do to proxy: what ours is measured against.
import { DurableObject } from "cloudflare:workers";

export class SessionObject extends DurableObject {}
export class DirectoryObject extends DurableObject {}

export default {
  fetch(request, { UPSTREAM }) {
    const { url } = request;
    return fetch(new Request(UPSTREAM + url.slice(url.indexOf("/", 8)), request), { redirect: "manual" });
  },
};
