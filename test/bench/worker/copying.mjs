// The pass-through Worker with what Linkup's contract makes every Worker do: it copies the headers of the request and of the
// response and sets what services and browsers are told, and decides nothing. What it costs is workerd's part of the warm row.
import { DurableObject } from "cloudflare:workers";

export class SessionObject extends DurableObject {}
export class DirectoryObject extends DurableObject {}

const DIRECT = { redirect: "manual" };

export default {
  async fetch(request, { UPSTREAM }) {
    const { url, method, headers, body } = request;
    const upstream = new Request(UPSTREAM + url.slice(url.indexOf("/", 8)), {
      ...DIRECT,
      method,
      headers,
      body,
    });
    const { headers: sent } = upstream;
    sent.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    sent.set("tracestate", "linkup-session=warm-gecko");
    sent.set("baggage", "linkup-session=warm-gecko");
    sent.set("linkup-destination", "web");
    sent.set("x-forwarded-host", "warm-gecko.example.com");
    sent.set("x-forwarded-port", "80");
    sent.set("x-forwarded-proto", "http");
    sent.set("forwarded", 'host="warm-gecko.example.com";proto=http');
    const response = await fetch(upstream);
    const answer = new Response(response.body, response);
    const { headers: told } = answer;
    told.set("cache-control", "no-cache");
    told.set("x-robots-tag", "noindex");
    return answer;
  },
};
