// A typical chat server with npm's `ws`, without rules or limits, to compare with.
//
//     node ws_server.mjs PORT
//     node ws_server.mjs --version
//
// It speaks the `plain` protocol of the load generator: every message goes to all clients, except
// `=N`, which goes back to its sender. Compression is off, which is the library's default.

import {createRequire} from "node:module";
import {WebSocket, WebSocketServer} from "ws";

const ECHOED = "=".charCodeAt(0);

function serve(port) {
  const server = new WebSocketServer({host: "127.0.0.1", port, backlog: 1024});
  server.on("connection", (client) => {
    client.on("error", () => client.terminate());
    client.on("message", (message) => {
      if (message[0] === ECHOED) {
        client.send(message, {binary: false});
        return;
      }
      for (const to of server.clients)
        if (to.readyState === WebSocket.OPEN) to.send(message, {binary: false});
    });
  });
}

if (process.argv[2] === "--version") {
  const {version} = createRequire(import.meta.url)("ws/package.json");
  console.log(`ws ${version} with Node.js ${process.version}`);
} else {
  serve(Number(process.argv[2]));
}
