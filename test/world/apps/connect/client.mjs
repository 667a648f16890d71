// A client of Connect for Node.js: client.mjs URL connect|grpc|grpc-web HTTP-VERSION METHOD…
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Echo } from "./shop.mjs";

const [baseUrl, protocol, httpVersion, ...methods] = process.argv.slice(2);
const makers = {
  connect: createConnectTransport,
  grpc: createGrpcTransport,
  "grpc-web": createGrpcWebTransport,
};
const transport = makers[protocol]({ baseUrl, httpVersion, defaultTimeoutMs: 10_000 });
const client = createClient(Echo, transport);
async function* words(...texts) {
  for (const text of texts) yield { text };
}
const texts = async (answers) => (await Array.fromAsync(answers)).map(({ text }) => text);

const calls = {
  async say() {
    let trailer;
    const { text } = await client.say(
      { text: "hello" },
      { onTrailer: (sent) => (trailer = sent.get("x-sum")) },
    );
    return [text, trailer];
  },
  refuse: () => client.say({ text: "refuse" }).catch(({ code, rawMessage }) => [code, rawMessage]),
  count: () => texts(client.count({ text: "3" })),
  sum: async () => (await client.sum(words("1", "2", "3"))).text,
  chat: () => texts(client.chat(words("a", "b"))),
};
const answers = {};
for (const method of methods) answers[method] = await calls[method]().catch((error) => `${error}`);
console.log(JSON.stringify(answers));
process.exit(0);
