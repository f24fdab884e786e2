import { connect } from "node:net";

/** True when an ssh server greets at the address; false when it refuses, is silent or is not there. */
export function answersSsh(address: string, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
    socket.once("data", (greeting) => settle(greeting.toString("latin1").startsWith("SSH-2.0")));
  });
}
