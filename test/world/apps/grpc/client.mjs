// A gRPC client without TLS: client.mjs HOST:PORT RELAYED-HOST:PORT
import { Client, credentials } from "@grpc/grpc-js";
import { ECHO } from "./shop.mjs";

const [address, relayed] = process.argv.slice(2);
const client = new Client(address, credentials.createInsecure());
const options = () => ({ deadline: Date.now() + 10_000 });
const how = ({ path, requestSerialize, responseDeserialize }) => [
  path,
  requestSerialize,
  responseDeserialize,
];

function unary(text) {
  return new Promise((resolve) => {
    let answer;
    const call = client.makeUnaryRequest(...how(ECHO.say), text, options(), (error, value) => {
      answer = error ? [error.code, error.details] : [value];
    });
    call.on("status", ({ metadata }) => resolve([...answer, ...metadata.get("x-sum")]));
  });
}
const sum = () =>
  new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest(...how(ECHO.sum), options(), (error, value) =>
      error ? reject(error) : resolve(value),
    );
    for (const text of ["1", "2", "3"]) call.write(text);
    call.end();
  });
async function chat() {
  const call = client.makeBidiStreamRequest(...how(ECHO.chat), options());
  const answers = [];
  call.write("a");
  for await (const answer of call) {
    answers.push(answer);
    // The next word is sent only when the first has come back.
    if (answers.length === 1) call.write("b");
    else call.end();
  }
  return answers;
}
console.log(
  JSON.stringify({
    say: await unary("hello"),
    relayed: await unary(`relay ${relayed}`),
    refuse: await unary("refuse"),
    count: await Array.fromAsync(client.makeServerStreamRequest(...how(ECHO.count), "3", options())),
    sum: await sum(),
    chat: await chat(),
  }),
);
client.close();
