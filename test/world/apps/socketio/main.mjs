// A server of socket.io: echoes, and tells everybody what somebody has shouted.
import { createServer } from "node:http";
import { Server } from "socket.io";

const server = createServer((_, response) => response.end("served by socket.io"));
const io = new Server(server);
io.on("connection", (socket) => {
  socket.on("echo", (value, reply) => reply(value));
  socket.on("shout", (value) => io.emit("shouted", value));
});
server.listen(process.env.PORT, "localhost");
