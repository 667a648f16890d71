// The service of these tests, whose messages are plain text.
const method = (name, requestStream, responseStream) => ({
  path: `/shop.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: (text) => Buffer.from(text),
  requestDeserialize: String,
  responseSerialize: (text) => Buffer.from(text),
  responseDeserialize: String,
});
export const ECHO = {
  say: method("Say", false, false),
  count: method("Count", false, true),
  sum: method("Sum", true, false),
  chat: method("Chat", true, true),
};
