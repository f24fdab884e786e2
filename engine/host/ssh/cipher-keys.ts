import { createSecretKey } from "node:crypto";
import type { Client } from "ssh2";

/** Where ssh2 1.17 keeps the keys of AES-GCM, its first choice and OpenSSH's second. */
interface Internals {
  readonly _protocol?: {
    readonly _cipher?: { _encKey?: unknown };
    readonly _decipher?: { _decipherKey?: unknown };
  };
}

/**
 * ssh2 makes a new cipher of Node's for every packet. From a key's raw bytes that takes Node as long as the encryption
 * of the packet itself; from a key object, a tenth of that. Keys are agreed on anew now and then, hence the event.
 * Where ssh2 keeps them elsewhere some day, it works as it always did.
 */
export const useKeyObjects = (client: Client): void => {
  client.on("handshake", () => {
    const { _cipher, _decipher } = (client as unknown as Internals)._protocol ?? {};
    if (_cipher?._encKey instanceof Uint8Array) _cipher._encKey = createSecretKey(_cipher._encKey);
    if (_decipher?._decipherKey instanceof Uint8Array)
      _decipher._decipherKey = createSecretKey(_decipher._decipherKey);
  });
};
